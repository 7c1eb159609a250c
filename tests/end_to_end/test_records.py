"""A short batch told by its records: killed, looked at, retried, cancelled, deleted."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rumiai.cli import main
from rumiai.demo.encode import render
from rumiai.demo.spec import ClipSpec, Shot

from .running import Done, Tracked, orch

# A service that takes a minute while a file is there, and no model server.
PLUGIN = Path(__file__).parents[1] / "unit" / "run" / "worker_plugin.py"
CHEAP = ("--services", "worker", "--plugins", PLUGIN, "--no-claude", "--workers", "1")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broken file and three clips, in the order of their names."""
    folder = tmp_path_factory.mktemp("clips")
    render(ClipSpec(shots=(Shot("gradient", 0.5),), width=160, height=284, fps=10, silent=True), folder / "b.mp4")
    for name in "cd":
        (folder / f"{name}.mp4").write_bytes((folder / "b.mp4").read_bytes() + name.encode())
    (folder / "a.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "slow"
    monkeypatch.setenv("RUMIAI_TEST_SLOW", str(path))
    return path


def call(*arguments: str | Path) -> Result:
    """A command that starts nothing, in this process: it is quicker."""
    return CliRunner().invoke(main, [*map(str, arguments)])


def status(out: Path, *arguments: str) -> dict[str, Any]:
    told = call("status", "--out", out, "--json", *arguments)
    assert told.exit_code == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def states(out: Path, *arguments: str) -> dict[str, str]:
    return {video["video_id"]: video["state"] for video in status(out, *arguments)["videos"]}


def wait_for(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.1)


def stands_still(run: Tracked, slow: Path) -> str:
    """Let the run come to its second clip and stand there; returns the run's id."""
    assert run.process.stdout is not None
    run_id = json.loads(run.process.stdout.readline())["run_id"]
    run.read_until('"event": "video", "video_id": "a"')
    slow.touch()
    wait_for(slow.with_suffix(".begun").exists)
    return str(run_id)


def retried(out: Path, *arguments: str) -> Done:
    return orch("retry", "--out", out, "--json", "--plugins", PLUGIN, *arguments)


def test_the_story_of_a_batch(clips: Path, slow: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = Tracked("submit", clips, "--out", out, "--json", *CHEAP)
    run_id = stands_still(run, slow)
    wait_for(lambda: "running" in states(out).values())
    running = status(out, run_id[:-1])["run"]
    assert (running["run_id"], running["state"], running["kind"]) == (run_id, "running", "submit")
    assert not any("key" in name for name in running["settings"])

    os.kill(run.process.pid, signal.SIGKILL)
    run.finish()
    found = states(out)
    assert (found.pop("a"), status(out)["run"]["state"]) == ("failed", "died")
    assert "unfinished" in found.values()
    assert not {"running", "waiting"} & set(found.values())
    screen = call("status", "--out", out).stdout
    assert f"run {run_id}: died: its process {run.process.pid} ended" in screen
    assert "a  ProbeError in probe: a.mp4 is no video" in screen

    slow.unlink()
    slow.with_suffix(".begun").unlink()
    again = retried(out, "--failed")
    assert again.code == 5, again.stderr
    assert {v["video_id"]: v["status"] for v in again.done["videos"]}.items() >= {"a": "failed", "d": "ok"}.items()
    assert status(out)["run"]["kind"] == "retry"
    only = retried(out, "a")
    assert ([v["video_id"] for v in only.done["videos"]], only.code) == (["a"], 5)

    runs = json.loads(call("status", "--out", out, "--all", "--json").stdout)["runs"]
    assert [(r["kind"], r["state"]) for r in runs] == [("retry", "done"), ("retry", "done"), ("submit", "died")]


def test_a_run_is_cancelled_and_its_videos_deleted(clips: Path, slow: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = Tracked("submit", clips, "--out", out, "--json", *CHEAP)
    run_id = stands_still(run, slow)
    busy = call("delete", "d", "--out", out, "--yes")
    assert (busy.exit_code, f"the run {run_id} has d before it" in busy.stderr) == (2, True)
    assert call("cancel", run_id, "--now", "--out", out).exit_code == 0
    assert run.finish().code == 1
    assert run.leftovers() == []
    cancelled = status(out)["run"]
    assert (cancelled["state"], cancelled["exit_code"], cancelled["cancel"]) == ("cancelled", 1, "all")
    assert {"unfinished"} <= set(states(out).values())
    assert "has ended already: cancelled" in call("cancel", run_id, "--out", out).stdout

    slow.unlink()
    assert retried(out, "--failed").code == 5
    done = call("delete", "b", "a", "--out", out, "--yes", "--json")
    assert done.exit_code == 0, done.stderr
    b, a = json.loads(done.stdout)["videos"]
    assert (b["video_id"], a["video_id"], b["behind_links"]) == ("b", "a", [])
    assert "unified_analysis/b.json" in b["removed"]
    names = {path.stem.partition("_")[0] for path in out.rglob("*") if path.suffix == ".json"}
    assert not names & {"a", "b"}
    assert set(states(out)) <= {"c", "d"}
    assert b"b.mp4" not in (out / "records.sqlite").read_bytes()
    assert (clips / "b.mp4").exists()
    gone = call("delete", "b", "--out", out, "--yes")
    assert (gone.exit_code, f"nothing is known of a video b in {out}" in gone.stderr) == (2, True)
