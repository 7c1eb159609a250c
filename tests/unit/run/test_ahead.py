"""How far ahead of the workers videos are brought."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rumiai.contracts.frames import ClockBreak, VideoInfo
from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.run_events import ProgressEvent
from rumiai.errors import DownloadError
from rumiai.results.run_state import RunState
from rumiai.results.store import Store
from rumiai.run.ahead import Ahead
from rumiai.run.finished import note_video, noted_info
from rumiai.run.types import VideoTask
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo, Source, SourceItem, registered


class Pond(Source):
    """Gives a file of 1 MiB when its gate is open; counts how many wait there at once."""

    name = "pond"
    ahead = True

    def __init__(self) -> None:
        self.gate, self.lock = threading.Event(), threading.Lock()
        self.waiting = self.most_waiting = 0
        self.fetched: list[str] = []

    def accepts(self, text: str) -> bool:
        return text.startswith("pond://")

    def list(self, text: str) -> Sequence[SourceItem]:
        raise NotImplementedError

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        with self.lock:
            self.waiting += 1
            self.most_waiting = max(self.waiting, self.most_waiting)
        assert self.gate.wait(10)
        with self.lock:
            self.waiting -= 1
            self.fetched.append(item.stem)
        if item.stem == "gone":
            raise DownloadError("it is gone")
        if item.stem == "bug":
            raise KeyError("x")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "v.mp4").write_bytes(bytes(2**20))
        return FetchedVideo(folder / "v.mp4", is_copy=True)


@pytest.fixture
def pond() -> Iterator[Pond]:
    with registered(Pond()) as source:
        assert isinstance(source, Pond)
        yield source
        source.gate.set()


def task(name: str) -> VideoTask:
    return VideoTask(SourceItem("pond", f"pond://{name}", name), name)


def settings(out: Path, **changes: object) -> Settings:
    return Settings(out=out).changed(max_video_size_mb=1, **changes)


def brought(ahead: Ahead, seconds: float = 5.0) -> list[VideoTask]:
    """What comes until nothing moves any more."""
    found, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        found += ahead.ready()
        if not ahead.futures:
            found += ahead.ready()
            if not ahead.futures:
                break
        time.sleep(0.005)
    return found


def test_downloads_at_once_are_bounded(pond: Pond, tmp_path: Path) -> None:
    events: list[ProgressEvent] = []
    with Ahead(settings(tmp_path, downloads=3), None, 1, events.append) as ahead:
        for name in "abcdef":
            ahead.want(task(name))
        assert list(ahead.ready()) == []
        while pond.waiting < 3:
            time.sleep(0.005)
        assert len(ahead.futures) == 3
        pond.gate.set()
        found = brought(ahead)
    assert pond.most_waiting == 3
    assert {task.video_id for task in found} == set("abcdef")
    assert all(task.fetched is not None and task.fetched.path.stat().st_size == 2**20 for task in found)
    assert [event.video_id for event in events] == list("abcdef")


def test_videos_ahead_are_bounded_until_one_is_done_with(pond: Pond, tmp_path: Path) -> None:
    pond.gate.set()
    with Ahead(settings(tmp_path, downloads_ahead=2), None, 1, print) as ahead:
        for name in "abc":
            ahead.want(task(name))
        assert [task.video_id for task in brought(ahead)] == ["a", "b"]
        assert ahead.is_busy
        ahead.release("a")
        assert [task.video_id for task in brought(ahead)] == ["c"]
        assert not ahead.is_busy


def test_there_is_one_ahead_of_every_worker(pond: Pond, tmp_path: Path) -> None:
    pond.gate.set()
    with Ahead(settings(tmp_path, downloads_ahead=1), None, 3, print) as ahead:
        for name in "abcdef":
            ahead.want(task(name))
        assert len(brought(ahead)) == 4


def test_bytes_ahead_are_bounded(pond: Pond, tmp_path: Path) -> None:
    """Each has 1 MiB, and one under way counts as much: three fill what is allowed."""
    pond.gate.set()
    with Ahead(settings(tmp_path, downloads_ahead_mb=3, downloads=8), None, 1, print) as ahead:
        for name in "abcdef":
            ahead.want(task(name))
        assert len(brought(ahead)) == 3
        ahead.release("a")
        assert len(brought(ahead)) == 1


def test_one_video_is_always_brought(pond: Pond, tmp_path: Path) -> None:
    pond.gate.set()
    bounds = settings(tmp_path, downloads_ahead_mb=1).changed(max_video_size_mb=500)
    with Ahead(bounds, None, 1, print) as ahead:
        ahead.want(task("a"))
        assert len(brought(ahead)) == 1


def test_a_failure_costs_its_video_alone(pond: Pond, tmp_path: Path) -> None:
    pond.gate.set()
    with Ahead(settings(tmp_path), None, 1, print) as ahead:
        for name in ("gone", "a", "bug"):
            ahead.want(task(name))
        assert [task.video_id for task in brought(ahead)] == ["a"]
        failed = {outcome.video_id: outcome.error for outcome in ahead.failures()}
        assert ahead.failures() == []
    assert failed["gone"] is not None
    assert (failed["gone"].type, failed["gone"].stage, failed["gone"].exit_code) == ("DownloadError", "fetch", 3)
    assert failed["bug"] is not None
    assert (failed["bug"].type, failed["bug"].exit_code) == ("KeyError", 1)


def test_another_pool_gets_what_is_here_already(pond: Pond, tmp_path: Path) -> None:
    pond.gate.set()
    with Ahead(settings(tmp_path), None, 1, print) as ahead:
        ahead.want(task("a"))
        first = brought(ahead)
        ahead.want(task("a"))
        assert brought(ahead) == first
    assert pond.fetched == ["a"]


def test_a_video_that_was_analysed_and_removed_is_not_brought_unless_it_is_needed(pond: Pond, tmp_path: Path) -> None:
    pond.gate.set()
    out = settings(tmp_path)
    noted = FetchedVideo(tmp_path / "gone.mp4", VideoMetadata("a", url="pond://a"), "abc", is_copy=True)
    info = VideoInfo(
        str(noted.path), 9, "mp4", 1.0, True, False, 160, 284, 25.0, clock_breaks=(ClockBreak({0: 3}, 2.0),)
    )
    state = RunState(Store(*out.folders).state_file("a"))
    note_video(state, task("a"), noted, info)
    assert noted_info(state, task("a")) == info
    with Ahead(out, None, 1, print) as ahead:
        ahead.want(task("a"))
        (given,) = brought(ahead)
        assert given.fetched == noted
        assert pond.fetched == []
        assert ahead.bring_again(given)
        (given,) = brought(ahead)
        assert pond.fetched == ["a"]
        assert given.fetched is not None
        assert given.fetched.path.exists()
        assert not ahead.bring_again(given)
    with Ahead(out.changed(force=True), None, 1, print) as ahead:
        ahead.want(task("a"))
        brought(ahead)
    assert pond.fetched == ["a", "a"]
