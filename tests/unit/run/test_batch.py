"""Many videos: servers that go for good, limits of time, keys. Workers are real processes, services need no server."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import ProgressEvent, RetryEvent, RunEvent, ServerEvent, VideoEvent
from rumiai.demo.encode import render
from rumiai.demo.spec import ClipSpec, Shot
from rumiai.errors import ServerError
from rumiai.run import batch, memory
from rumiai.run.batch import run_batch
from rumiai.run.model_server import ModelServer, NamedServer
from rumiai.run.types import ServerAccess, VideoTask
from rumiai.settings import Settings
from rumiai.sources import SourceItem

PLUGIN = str(Path(__file__).with_name("worker_plugin.py"))
# As the plug-in has them; importing it here would register its service in this process.
SLOW = "RUMIAI_TEST_SLOW"
NOWHERE = ServerAccess("127.0.0.1:9", None)


def begun(slow: Path) -> Path:
    """The file that is there when the plug-in's service has begun to be slow."""
    return slow.with_suffix(".begun")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> list[VideoTask]:
    folder = tmp_path_factory.mktemp("clips")
    render(ClipSpec(shots=(Shot("gradient", 0.5),), width=160, height=284, fps=10, silent=True), folder / "a.mp4")
    (folder / "b.mp4").write_bytes((folder / "a.mp4").read_bytes())
    return [VideoTask(SourceItem("local", str(folder / f"{name}.mp4"), name), name) for name in "ab"]


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file; while it is there the service takes a minute."""
    path = tmp_path / "slow"
    monkeypatch.setenv(SLOW, str(path))
    return path


@dataclass
class Run:
    """One run: its server, its settings, the events so far, and what is done at each."""

    out: Path
    server: ModelServer = field(default_factory=lambda: NamedServer(NOWHERE))
    settings: Mapping[str, Any] = field(default_factory=dict)
    at_event: Callable[[RunEvent], None] = lambda event: None
    closing: threading.Event = field(default_factory=threading.Event)
    retries: list[RetryEvent] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __call__(self, tasks: list[VideoTask]) -> dict[str, VideoOutcome]:
        settings = Settings(out=self.out, services=("worker",), plugins=(PLUGIN,), workers=1, **self.settings)
        outcomes = run_batch(
            tasks, settings, self.server, self._handle, threading.Event(), insights=False, closing=self.closing
        )
        return {outcome.video_id: outcome for outcome in outcomes}

    def _handle(self, event: RunEvent) -> None:
        self.at_event(event)
        if isinstance(event, RetryEvent):
            self.retries.append(event)
        if isinstance(event, ServerEvent):
            self.told.append(event.message)


class Fragile(ModelServer):
    """Ends when the first video has begun to be slow."""

    def __init__(self, slow: Path, renewals: int, error: ServerError | None = None) -> None:
        self.access = NOWHERE
        self._slow, self._renewals, self._error = slow, renewals, error
        self.finished = 0

    def lost(self) -> str | None:
        return "the model server has ended: killed" if begun(self._slow).exists() else None

    def missed(self) -> None:
        raise AssertionError("no service asks for it")

    def finished_one(self) -> None:
        self.finished += 1

    def renew(self) -> bool:
        self._slow.unlink()
        if self._error is not None:
            raise self._error
        begun(self._slow).unlink()
        self.access = ServerAccess("127.0.0.1:10", "another")
        return self._renewals > 0


def test_the_videos_of_a_server_that_has_ended_go_to_another(
    tasks: list[VideoTask], slow: Path, tmp_path: Path
) -> None:
    slow.touch()
    server = Fragile(slow, 1)
    run = Run(tmp_path / "out", server)
    outcomes = run(tasks)
    assert {name: outcome.status for name, outcome in outcomes.items()} == {"a": "ok", "b": "ok"}
    # Only the video that was in work is told to be begun again.
    assert run.retries == [RetryEvent("a", "the model server has ended: killed")]
    assert server.finished == 2


@pytest.mark.parametrize("error", [None, ServerError("no port is free")])
def test_without_another_server_the_rest_fails_at_once_with_one_line(
    tasks: list[VideoTask], slow: Path, tmp_path: Path, error: ServerError | None
) -> None:
    slow.touch()
    began = time.monotonic()
    outcomes = Run(tmp_path / "out", Fragile(slow, 0, error))(tasks)
    assert time.monotonic() - began < 55
    line = "the model server has ended: killed"
    line += "; and another one did not come up: no port is free" if error else ""
    failures = [outcome.error for outcome in outcomes.values()]
    assert [(failure.type, failure.message) for failure in failures if failure] == [("ServerGoneError", line)] * 2


def test_a_video_that_takes_too_long_is_ended_and_the_others_go_on(
    tasks: list[VideoTask], slow: Path, tmp_path: Path
) -> None:
    slow.touch()

    def make_fast(event: RunEvent) -> None:
        if isinstance(event, VideoEvent):
            slow.unlink(missing_ok=True)

    outcomes = Run(tmp_path / "out", settings={"video_timeout_s": 20.0}, at_event=make_fast)(tasks)
    assert outcomes["b"].status == "ok"
    error = outcomes["a"].error
    assert error is not None
    assert (error.type, error.message) == ("Timeout", "not finished within 20 s (RUMIAI_VIDEO_TIMEOUT_S)")


def test_a_video_that_stands_still_is_begun_once_more_and_then_named_with_its_stage(
    tasks: list[VideoTask], slow: Path, tmp_path: Path
) -> None:
    """The first one stands still in both attempts, the second one in its first."""
    slow.touch()

    def make_fast(event: RunEvent) -> None:
        if isinstance(event, RetryEvent) and event.video_id == "b":
            slow.unlink()

    run = Run(tmp_path / "out", settings={"stage_timeout_s": 3.0, "server_wait_s": 0.0}, at_event=make_fast)
    outcomes = run(tasks)
    cause = "no progress in stage frames for 3 s (RUMIAI_STAGE_TIMEOUT_S)"
    assert run.retries == [RetryEvent("a", cause), RetryEvent("b", cause)]
    error = outcomes["a"].error
    assert error is not None
    assert (error.type, error.stage) == ("StageTimeout", "frames")
    assert error.message == f"quarantined: {cause}, 2 attempts"
    assert outcomes["b"].status == "ok"


def test_a_run_that_closes_finishes_what_is_in_flight(tasks: list[VideoTask], slow: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "out")

    def close(event: RunEvent) -> None:
        if isinstance(event, ProgressEvent):
            run.closing.set()

    run.at_event = close
    outcomes = run(tasks)
    assert outcomes["a"].status == "ok"
    error = outcomes["b"].error
    assert error is not None
    assert error.type == "Cancelled"


def test_videos_wait_for_memory_and_it_is_told_once(
    tasks: list[VideoTask], slow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = [2**30] * 6  # then there is plenty
    monkeypatch.setattr(memory, "available_bytes", lambda: readings.pop() if readings else 2**40)
    run = Run(tmp_path / "out", settings={"video_memory_mb": 1000.0})
    assert {outcome.status for outcome in run(tasks).values()} == {"ok"}
    assert run.told == ["1.0 GB of memory are available, a video needs 1.0 GB: 0 videos in flight, the others wait"]


def test_without_memory_for_a_single_video_the_run_ends_with_the_reason(
    tasks: list[VideoTask], slow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 2**28)
    monkeypatch.setattr(memory, "PATIENCE_S", 0.5)
    errors = [outcome.error for outcome in Run(tmp_path / "out")(tasks).values()]
    assert [error.type for error in errors if error] == ["TooLittleMemory"] * 2
    assert all("0.2 GB of memory are available" in error.message for error in errors if error)


def test_a_wall_clock_that_jumps_ends_nothing_and_workers_get_no_key_of_claudes(
    tasks: list[VideoTask], slow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_API_KEY", "key")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    monkeypatch.setenv("SOURCE_TOKEN", "key")
    real, days = time.time, iter(range(0, 10**9, 4000))
    monkeypatch.setattr(time, "time", lambda: real() + next(days) * 86400.0)
    outcomes = Run(tmp_path / "out")(tasks)
    monkeypatch.setattr(time, "time", real)
    assert {outcome.status for outcome in outcomes.values()} == {"ok"}
    # A plug-in's source may need its own.
    assert json.loads((tmp_path / "out/worker/a.json").read_text())["keys"] == ["SOURCE_TOKEN"]
    assert os.environ["CLAUDE_API_KEY"] == "key"


def test_workers_that_are_killed_while_they_start_are_replaced(
    tasks: list[VideoTask], slow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, pools = batch.ProcessPool, []

    def first_one_dies(**options: Any) -> Any:
        if not pools:
            options |= {"initializer": _end_at_once, "initargs": []}
        pools.append(real(**options))
        return pools[-1]

    monkeypatch.setattr(batch, "ProcessPool", first_one_dies)
    outcomes = Run(tmp_path / "out")(tasks)
    assert {outcome.status for outcome in outcomes.values()} == {"ok"}
    assert len(pools) == 2


def test_workers_that_never_start_fail_the_videos_with_one_line(
    tasks: list[VideoTask], slow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = batch.ProcessPool
    monkeypatch.setattr(
        batch, "ProcessPool", lambda **options: real(**options | {"initializer": _end_at_once, "initargs": []})
    )
    outcomes = Run(tmp_path / "out")(tasks)
    errors = [outcome.error for outcome in outcomes.values()]
    assert [error.type for error in errors if error] == ["WorkerDied"] * 2
    assert all("no worker process could be started" in error.message for error in errors if error)


def _end_at_once() -> None:
    os._exit(9)
