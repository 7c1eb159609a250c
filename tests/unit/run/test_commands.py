"""status, retry, cancel, delete and config as a user calls them; what needs a run of its own is in end_to_end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rumiai.cli import main
from rumiai.contracts.run_events import VideoEvent
from rumiai.records import Recorder, Records, RunEnding, RunRecord
from rumiai.results.store import Store, write_json

from ..records.samples import accepted, failed, ok


def call(*arguments: str | Path, text: str = "", **environment: str) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], input=text, env=environment)


@pytest.fixture
def run(tmp_path: Path) -> RunRecord:
    """A run that ended with a failed video."""
    with Records.open(tmp_path) as records:
        run = accepted(records, "fine", "bad")
        with Recorder(tmp_path, run.run_id) as recorder:
            recorder.handle(VideoEvent(ok("fine")))
            recorder.handle(VideoEvent(failed("bad")))
        records.finish_run(run.run_id, RunEnding("done", 5))
        return records.run(run.run_id)


def test_status_of_a_folder_without_runs(tmp_path: Path) -> None:
    missing = call("status", "--out", tmp_path)
    assert (missing.exit_code, "there are no run records" in missing.stderr) == (2, True)
    Records.open(tmp_path).close()
    empty = call("status", "--out", tmp_path)
    assert (empty.exit_code, "nothing was submitted into this folder" in empty.stderr) == (2, True)


def test_status_of_a_run_and_of_all(run: RunRecord, tmp_path: Path) -> None:
    shown = call("status", "--out", tmp_path)
    assert shown.exit_code == 0
    assert "2 videos: 1 partial, 1 failed" in shown.stdout
    assert "bad  DecodeError in decode: it is broken" in shown.stdout
    watched = call("status", run.run_id[:12], "--out", tmp_path, "--watch").stdout
    assert watched.splitlines()[1:] == shown.stdout.splitlines()[1:]  # the first one says how long ago it was
    told = json.loads(call("status", "--out", tmp_path, "--json").stdout)
    assert (told["run"]["run_id"], told["run"]["counts"]) == (run.run_id, {"failed": 1, "partial": 1})
    assert run.run_id in call("status", "--all", "--out", tmp_path).stdout
    assert call("status", "nothing", "--out", tmp_path).exit_code == 2


def test_status_makes_damaged_records_again(run: RunRecord, tmp_path: Path) -> None:
    (tmp_path / "records.sqlite").write_bytes(b"nonsense" * 1000)
    shown = call("status", "--out", tmp_path)
    assert (shown.exit_code, "0 videos" in shown.stdout) == (0, True)


def test_status_reads_a_folder_that_cannot_be_written(
    run: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rumiai.records.connection._is_writable", lambda path: False)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    shown = call("status", "--out", tmp_path)
    assert (shown.exit_code, "2 videos: 1 partial, 1 failed" in shown.stdout) == (0, True)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_retry_wants_to_know_what(run: RunRecord, tmp_path: Path) -> None:
    for arguments in ((), ("fine", "--failed")):
        assert call("retry", *arguments, "--out", tmp_path).exit_code == 2
    with Records.open(tmp_path) as records:
        clean = accepted(records, "fine")
        with Recorder(tmp_path, clean.run_id) as recorder:
            recorder.handle(VideoEvent(ok("fine")))
        records.finish_run(clean.run_id, RunEnding("done", 0))
    nothing = call("retry", "--failed", "--out", tmp_path, "--run", clean.run_id)
    assert (nothing.exit_code, "lacks nothing" in nothing.stderr) == (0, True)


def test_cancel_of_a_run_that_nobody_runs(tmp_path: Path) -> None:
    with Records.open(tmp_path) as records:
        run_id = accepted(records, "a").run_id
        records.release(run_id)
    assert "is cancelled; nobody was running it" in call("cancel", run_id, "--out", tmp_path).stdout
    assert "has ended already: cancelled" in call("cancel", run_id, "--out", tmp_path).stdout
    assert call("cancel", "nothing", "--out", tmp_path).exit_code == 2


def test_delete_asks_and_tells(run: RunRecord, tmp_path: Path) -> None:
    store = Store(tmp_path)
    write_json(store.unified_file("fine"), {})
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/workers.log").write_text("[mov] /clips/fine.mp4: odd\n")
    asked = call("delete", "fine", "--out", tmp_path, text="n\n")
    assert (asked.exit_code, "fine: 1 files (0.0 kB); records of 1 runs" in asked.stdout) == (1, True)
    assert store.unified_file("fine").exists()
    done = call("delete", "fine", "--out", tmp_path, text="y\n")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == ["  unified_analysis/fine.json", "  left: logs/workers.log names it"]
    assert not store.unified_file("fine").exists()
    with Records.open(tmp_path) as records:
        assert [video.video_id for video in records.videos(run.run_id)] == ["bad"]
    assert call("delete", "fine", "--out", tmp_path, "--yes").exit_code == 2
    refused = call("delete", "../x", "--out", tmp_path, "--yes")
    assert (refused.exit_code, "'../x' is no id of a video" in refused.stderr) == (2, True)


def test_delete_says_what_it_had_to_leave(run: RunRecord, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / "unified_analysis").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/fine.json").write_text("{}")
    done = call("delete", "fine", "--out", out, "--yes")
    assert (done.exit_code, (tmp_path / "elsewhere/fine.json").exists()) == (1, True)
    assert "left: unified_analysis/fine.json, a link leads out of the folder" in done.stdout


def test_config_says_where_each_setting_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("RUMIAI_WORKERS=3\nCLAUDE_API_KEY=sk-secret-of-env-file\nDEFAULT_FPS=4\n")
    environment = {"APIFY_TOKEN": "apify-secret", "RUMIAI_WORKERS": "5", "ANTHROPIC_API_KEY": ""}
    environment |= {"AWS_SECRET_ACCESS_KEY": "aws-secret", "AWS_REGION": "eu-north-1"}
    shown = call("config", "--out", "here", "--json", **environment)
    found = {each["name"]: (each["value"], each["origin"]) for each in json.loads(shown.stdout)["settings"]}
    assert found["RUMIAI_BASE_DIR"] == ("here", "--out")
    assert found["RUMIAI_WORKERS"] == (5, "RUMIAI_WORKERS")
    assert found["RUMIAI_SAMPLE_FPS"] == (4.0, ".env: DEFAULT_FPS")
    assert found["RUMIAI_STAGE_TIMEOUT_S"] == (600.0, "default")
    assert found["PRECOMPUTE_METADATA"] == (True, "default")
    assert found["CLAUDE_API_KEY"] == ("********", ".env: CLAUDE_API_KEY")
    assert found["APIFY_API_TOKEN"] == ("********", "APIFY_TOKEN")
    assert found["ANTHROPIC_API_KEY"] == (None, "default")
    assert found["AWS_SECRET_ACCESS_KEY"] == ("********", "AWS_SECRET_ACCESS_KEY")
    assert found["AWS_REGION"] == ("eu-north-1", "AWS_REGION")
    table = call("config", "--changed", "--out", "here", **environment).stdout
    shown_names = {line.split()[0] for line in table.splitlines()[1:]}
    assert shown_names == {name for name, (_, origin) in found.items() if origin != "default"}
    assert "secret" not in shown.output + table


def test_recompute_says_that_it_works_on_local_folders(tmp_path: Path) -> None:
    ran = call("recompute", "s3://bucket/runs", "--out", tmp_path)
    assert (ran.exit_code, "recompute works on local folders, and got s3://bucket/runs" in ran.stderr) == (2, True)
