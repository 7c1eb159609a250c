"""What one video's run touches: the unified analysis is written once and read once at most; which video is deleted."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.metadata_forms import read_metadata
from rumiai.contracts.outcome import VideoOutcome
from rumiai.demo.encode import render
from rumiai.demo.spec import ClipSpec, Shot
from rumiai.errors import ServerGoneError
from rumiai.results.store import Store, read_json
from rumiai.run.claude import read_video
from rumiai.run.pipeline import Progress, analyse
from rumiai.run.types import RunContext, ServerAccess, VideoTask
from rumiai.services import WorkerTools
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo, Source, SourceItem, registered


@dataclass
class Opened:
    """Opens of files whose name holds ``part``."""

    part: str
    reads: int = 0
    writes: int = 0
    watching: bool = field(default=False, repr=False)

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if self.watching and event == "open" and self.part in str(args[0]):
            if set(str(args[1] or "r")) & set("wax+"):
                self.writes += 1
            else:
                self.reads += 1

    @contextmanager
    def watch(self) -> Iterator[None]:
        self.reads = self.writes = 0
        self.watching = True
        try:
            yield
        finally:
            self.watching = False


@pytest.fixture(scope="module")
def unified() -> Opened:
    """Told by the interpreter itself of every file that is opened; a hook stays until the process ends."""
    opened = Opened("unified_analysis")
    sys.addaudithook(opened)
    return opened


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> VideoTask:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render(ClipSpec(shots=(Shot("gradient", 2.0), Shot("noise", 2.0)), width=160, height=284, tone_hz=440.0), path)
    return VideoTask(SourceItem("local", str(path), "clip"), "clip")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


def run(task: VideoTask, out: Path) -> VideoOutcome:
    """The services that need no server."""
    settings = Settings(out=out, services=("scene_detection", "audio_energy"))
    context = RunContext("test-files", settings, ServerAccess("127.0.0.1:9", None), "")
    return analyse(task, context, WorkerTools(), Progress(task.video_id, lambda event: None))


def test_the_unified_analysis_is_written_once_and_not_read(task: VideoTask, out: Path, unified: Opened) -> None:
    with unified.watch():
        outcome = run(task, out)
    assert (outcome.error, outcome.services["scene_detection"].ok) == (None, True)
    assert (unified.writes, unified.reads) == (1, 0)


def test_the_claude_half_reads_it_once(task: VideoTask, out: Path, unified: Opened) -> None:
    run(task, out)
    with unified.watch():
        video, measured = read_video(Store(out), "clip")
    assert (unified.writes, unified.reads) == (0, 1)
    assert video.measured["scene_pacing"].blocks == measured["scene_pacing"].blocks


def test_a_run_that_finds_its_work_done_reads_it_once(task: VideoTask, out: Path, unified: Opened) -> None:
    first = run(task, out)
    with unified.watch():
        again = run(task, out)
    assert (unified.writes, unified.reads) == (0, 1)
    assert again.skipped
    assert again.summary == first.summary


def test_what_the_user_says_of_a_video_counts_more_than_what_its_source_knows(task: VideoTask, tmp_path: Path) -> None:
    item = replace(task.item, metadata=VideoMetadata("clip", description="told"), language="pt")
    known = VideoMetadata("other", description="known", views=7)
    told = VideoTask(item, "clip", FetchedVideo(Path(item.location), known))
    run(told, tmp_path)
    metadata = read_json(Store(tmp_path).unified_file("clip"))["metadata"]
    assert (metadata["id"], metadata["description"], metadata["views"]) == ("clip", "told", 7)


class Downloads(Source):
    """Brings a copy of a local file to the folder that it is given."""

    name = "downloads"

    def accepts(self, text: str) -> bool:
        return False

    def list(self, text: str) -> list[SourceItem]:
        return []

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        folder.mkdir(parents=True, exist_ok=True)
        return FetchedVideo(Path(shutil.copy2(item.location, folder / "film.mp4")), is_copy=True)


def kept(task: VideoTask, out: Path, **settings: Any) -> bool:
    """Whether the downloaded copy is still there after a run."""
    chosen = Settings(out=out, services=("scene_detection",), downloads_dir="films", **settings)
    context = RunContext("test-cleanup", chosen, ServerAccess("127.0.0.1:9", None), "")
    outcome = analyse(task, context, WorkerTools(), Progress(task.video_id, lambda event: None))
    assert outcome.error is None
    return (out / "films/clip/film.mp4").exists()


def test_a_downloaded_video_is_deleted_where_that_is_asked_for(task: VideoTask, tmp_path: Path) -> None:
    with registered(Downloads()):
        downloaded = VideoTask(SourceItem("downloads", task.item.location, "clip"), "clip")
        assert kept(downloaded, tmp_path / "kept")
        assert not kept(downloaded, tmp_path / "deleted", cleanup_video=True)
    assert Path(task.item.location).exists()


def test_a_file_of_the_user_is_never_deleted(task: VideoTask, tmp_path: Path) -> None:
    # Also where it lies in the folder of downloads.
    there = tmp_path / "out/films/clip/film.mp4"
    there.parent.mkdir(parents=True)
    shutil.copy2(task.item.location, there)
    own = VideoTask(SourceItem("local", str(there), "clip"), "clip")
    assert kept(own, tmp_path / "out", cleanup_video=True)
    assert kept(task, tmp_path / "out", cleanup_video=True)


def test_the_video_of_a_failed_service_is_kept_for_another_try(task: VideoTask, tmp_path: Path) -> None:
    with registered(Downloads()):
        downloaded = VideoTask(SourceItem("downloads", task.item.location, "clip"), "clip")
        settings = Settings(out=tmp_path, services=("scene_detection", "yolo"), cleanup_video=True, server_wait_s=0)
        context = RunContext("test-cleanup", settings, ServerAccess("127.0.0.1:9", None), "")
        with pytest.raises(ServerGoneError):
            analyse(downloaded, context, WorkerTools(), Progress("clip", lambda event: None))
    assert (tmp_path / "downloads/clip/film.mp4").exists()


def test_metadata_that_the_user_gives_makes_its_analysis_complete(task: VideoTask, tmp_path: Path) -> None:
    members = {
        "caption": "Wait for it #fun", "views": 1000, "likes": 50, "comments": 6, "shares": 4, "saves": 20,
        "created_at": "2025-01-01", "username": "me", "followers": 12, "verified": True, "music": "song",
    }  # fmt: skip
    told = replace(task, item=replace(task.item, metadata=read_metadata(members, "clip")))
    outcome = run(told, tmp_path)
    blocks = read_json(Path(outcome.analyses["metadata_analysis"].files["ml"]))
    assert blocks["CoreMetrics"]["viewCount"] == 1000
    # Of what it builds on, only these two services did not run.
    assert [missing["service"] for missing in blocks["Quality"]["missingServices"]] == ["whisper", "ocr"]
    assert blocks["Interactions"]["creatorContext"]["followerCount"] == 12
