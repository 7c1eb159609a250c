"""Records made again from reports and known inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rumiai.contracts.outcome import AnalysisOutcome, Failure, MemoryUse, ServiceOutcome, VideoOutcome
from rumiai.errors import StoreError
from rumiai.records import NewRun, Records, records_file
from rumiai.results.rebuilding import open_records, rebuild
from rumiai.results.report import latest_report, read_report, write_report
from rumiai.results.store import Store
from rumiai.settings import Settings
from rumiai.sources import SourceItem

PARTIAL = VideoOutcome(
    "a",
    "/clips/a.mp4",
    "partial",
    seconds=12.5,
    services={"ocr": ServiceOutcome(ok=False, reason="no text", seconds=1.0, cached=False)},
    stage_seconds={"visual": 8.0},
    analyses={"speech_analysis": AnalysisOutcome("claude", 0.9, "haiku", cost_usd=0.02, tokens=700)},
    warnings=("a warning",),
    memory=MemoryUse(0.4, 0.5, 12.0),
    bytes=777,
)
FAILED = VideoOutcome("b", "/clips/b.mp4", "failed", error=Failure("DecodeError", "broken", "decode", 5))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A folder with a partial video, a failed one, and one that a killed run had in work."""
    store = Store(tmp_path)
    for outcome in (PARTIAL, FAILED):
        write_report(store, outcome, Settings(out=tmp_path))
    for name in "abc":
        store.remember_input(name, SourceItem("local", f"/clips/{name}.mp4", name), "0" * 64)
    return store


@pytest.mark.parametrize("outcome", [PARTIAL, FAILED])
def test_a_report_tells_the_outcome(store: Store, outcome: VideoOutcome) -> None:
    path = latest_report(store, outcome.video_id)
    assert path is not None
    assert read_report(path) == outcome


def test_the_records_are_those_of_the_files(store: Store) -> None:
    assert rebuild(store) == 3
    with Records.open(store.base) as records:
        (run,) = records.runs()
        assert (run.kind, run.state, run.counts) == ("rebuilt", "done", {"partial": 1, "failed": 1, "unfinished": 1})
        assert (run.cost_usd, run.bytes) == (0.02, 777)
        a, b, c = records.videos(run.run_id)
        assert (a.seconds, a.tokens, a.source) == (12.5, 700, "/clips/a.mp4")
        assert (b.error_type, b.error_message, b.error_stage) == ("DecodeError", "broken", "decode")
        assert (c.state, c.outcome) == ("unfinished", None)
        assert {stage.name for stage in records.stages(run.run_id, "a")} == {"visual", "ocr"}


def test_other_runs_stay_and_an_earlier_rebuilt_one_goes(store: Store) -> None:
    with Records.open(store.base) as records:
        first, _ = records.create_run(NewRun(("x",), {}))
    rebuild(store)
    rebuild(store)
    with Records.open(store.base) as records:
        assert sorted(run.kind for run in records.runs()) == ["rebuilt", "submit"]
        assert records.run(first.run_id).sources == ("x",)


def test_damaged_records_are_set_aside_and_made_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    records_file(store.base).write_bytes(b"no database at all" * 100)
    with open_records(store) as records:
        assert records.runs()[0].videos == 3
    assert (store.base / "records.sqlite.damaged").read_bytes().startswith(b"no database")
    assert "they are made again from the results" in caplog.text


def test_records_that_are_damaged_inside_are_set_aside_when_they_are_opened(store: Store) -> None:
    rebuild(store)
    path = records_file(store.base)
    content = bytearray(path.read_bytes())
    content[:100] = b"\0" * 100
    path.write_bytes(content)
    with open_records(store) as records:
        assert records.runs()[0].videos == 3


def test_missing_records_are_made_of_what_is_there(store: Store, tmp_path: Path) -> None:
    with open_records(store, create=False) as records:
        assert records.runs()[0].videos == 3
    with pytest.raises(StoreError, match="no run records"):
        open_records(Store(tmp_path / "empty"), create=False)


def test_a_report_that_cannot_be_read_leaves_its_video_unfinished(store: Store) -> None:
    for path in store.insights_folder("a").glob("report_*.json"):
        path.write_text("{}")
    rebuild(store)
    with Records.open(store.base) as records:
        assert records.runs()[0].counts == {"failed": 1, "unfinished": 2}
