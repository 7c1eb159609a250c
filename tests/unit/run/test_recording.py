from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from rumiai.contracts.run_events import ProgressEvent
from rumiai.errors import ServerError, StoreError, UsageError
from rumiai.records import NewRun, Records, RunRecord, connection
from rumiai.run.recording import recorded
from rumiai.run.types import VideoTask
from rumiai.settings import Settings
from rumiai.sources import SourceItem


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(out=tmp_path / "out", workers=2)


def tasks(folder: Path) -> list[VideoTask]:
    (folder / "a.mp4").write_bytes(b"12345")
    return [VideoTask(SourceItem("local", str(folder / name), Path(name).stem), name) for name in ("a.mp4", "gone.mp4")]


def only_run(settings: Settings) -> RunRecord:
    with Records.open(settings.out, create=False) as records:
        (run,) = records.runs()
        return run


def test_a_run_with_its_videos_and_settings(settings: Settings, tmp_path: Path) -> None:
    with recorded(["*.mp4"], tasks(tmp_path), settings) as recording:
        run = only_run(settings)
        assert (run.run_id, run.state, run.kind, run.bytes) == (recording.run_id, "running", "submit", 5)
        assert run.sources == ("*.mp4",)
        assert Settings.from_json(run.settings) == settings
        recording.recorder.handle(ProgressEvent("a.mp4", "ocr"))
        recording.end(0)
    ended = only_run(settings)
    assert (ended.state, ended.exit_code, ended.counts) == ("done", 0, {"unfinished": 2})


@pytest.mark.parametrize(
    ("cut_short", "error", "state"),
    [(True, None, "interrupted"), (False, ServerError("none came up"), "failed"), (False, None, "done")],
)
def test_how_it_ended(settings: Settings, cut_short: bool, error: ServerError | None, state: str) -> None:
    with recorded(["a"], [], settings) as recording:
        recording.end(1, cut_short=cut_short, error=error)
    run = only_run(settings)
    assert (run.state, run.error_message) == (state, "none came up" if error else None)


def test_an_unexpected_end_is_a_failure_with_its_reason(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), recorded(["a"], [], settings):
        raise ZeroDivisionError("a bug")
    run = only_run(settings)
    assert (run.state, run.error_type, run.error_message) == ("failed", "ZeroDivisionError", "a bug")


def test_a_cancelled_run_is_cancelled(settings: Settings) -> None:
    heard = threading.Event()
    with recorded(["a"], [], settings) as recording, Records.open(settings.out) as records:
        recording.on_cancel(lambda how: heard.set())
        records.request_cancel(recording.run_id, "all")
        assert heard.wait(10)
        recording.end(1, cut_short=True)
    assert only_run(settings).state == "cancelled"


def test_a_full_disk_costs_the_records_and_not_the_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    few = (*connection._PRAGMAS, "max_page_count = 4")  # SQLite's own way to say that the disk is full
    monkeypatch.setattr(connection, "_PRAGMAS", few)
    with recorded(["a"], tasks(tmp_path), settings) as recording:
        recording.recorder.handle(ProgressEvent("a.mp4", "ocr"))
        recording.end(0)
    assert recording.ending is not None
    assert caplog.text.count("the run goes on without records") == 1
    assert "database or disk is full" in caplog.text
    assert "rollback" not in caplog.text.lower()


def test_records_that_break_in_the_middle_cost_no_run(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with recorded(["a"], tasks(tmp_path), settings) as recording:
        with sqlite3.connect(settings.out / "records.sqlite") as other:
            other.execute("ALTER TABLE runs RENAME TO gone")
        other.close()
        recording.recorder.handle(ProgressEvent("a.mp4", "ocr"))
        recording.end(0)
    assert "the end of the run is not in its records" in caplog.text


def test_a_run_that_was_accepted_before_needs_its_records(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_PRAGMAS", (*connection._PRAGMAS, "max_page_count = 4"))
    with pytest.raises(StoreError, match="full"), recorded(["a"], [], settings, run_id="20261129"):
        pass


def test_a_run_that_was_accepted_is_run_once(settings: Settings) -> None:
    settings.out.mkdir()
    with Records.open(settings.out) as records:
        run, _ = records.create_run(NewRun(("a",), settings.to_json(), "serve"))
    with recorded(["a"], [], settings, run_id=run.run_id) as recording:
        assert (recording.run_id, only_run(settings).kind) == (run.run_id, "serve")
        with (
            pytest.raises(UsageError, match="another process has it"),
            recorded(["a"], [], settings, run_id=run.run_id),
        ):
            pass
        recording.end(0)
    assert only_run(settings).state == "done"
