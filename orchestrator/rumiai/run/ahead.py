"""Videos are brought here ahead of the workers that analyse them, so that no worker waits for the network.

How far ahead is bounded, in videos and in bytes on the disk. All methods are called by one thread, the scheduler's; the
downloads run in threads of their own.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.run_events import ProgressEvent
from rumiai.errors import RumiAIError
from rumiai.results.store import Store
from rumiai.run.finished import noted_video
from rumiai.run.types import VideoTask
from rumiai.settings import Settings
from rumiai.sources import Access, FetchedVideo, find_source

LOG = logging.getLogger("rumiai")

_MIB: Final = 2**20
_STAGE: Final = "fetch"


@dataclass(frozen=True)
class _Bounds:
    """How far ahead.

    Attributes:
        at_once: Downloads at the same time.
        videos: Downloaded and not yet analysed, those under way included.
        size_bytes: Of these on the disk; one that is under way counts as the largest that is taken.
        largest_bytes: The largest that is taken.
    """

    at_once: int
    videos: int
    size_bytes: float
    largest_bytes: float

    @classmethod
    def of(cls, settings: Settings, workers: int) -> _Bounds:
        largest = settings.max_video_size_mb * _MIB
        videos = max(settings.downloads_ahead, workers + 1)
        return cls(settings.downloads, videos, settings.downloads_ahead_mb * _MIB, largest)


class Ahead:
    """The downloads of a run; a context manager that ends them.

    Args:
        settings: Of the run.
        access: For the sources; None is enough where no video comes from beyond this machine.
        workers: Videos that are analysed at the same time.
        tell: Gets an event for each download that begins.
    """

    def __init__(
        self, settings: Settings, access: Access | None, workers: int, tell: Callable[[ProgressEvent], None]
    ) -> None:
        self._store, self._access, self._tell = Store(*settings.folders), access, tell
        self._bounds = _Bounds.of(settings, workers)
        self._force = settings.force
        self._waiting: dict[str, VideoTask] = {}
        self._noted: dict[str, VideoTask] = {}
        self._anew: set[str] = set()
        self._under_way: dict[Future[FetchedVideo], VideoTask] = {}
        self._brought: dict[str, FetchedVideo] = {}
        self._failed: list[VideoOutcome] = []
        self._threads = ThreadPoolExecutor(settings.downloads, thread_name_prefix="download")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._threads.shutdown(cancel_futures=True)

    @staticmethod
    def concerns(task: VideoTask) -> bool:
        """Whether this video is brought here ahead of the workers."""
        return find_source(task.item.source).ahead

    def want(self, task: VideoTask) -> None:
        """Ask for a video; one that is here already, or under way, is not brought again.

        One that an earlier run has brought, analysed and removed is given as it was noted, without its file.
        """
        if not self._force and task.video_id not in self._anew and (video := noted_video(task, self._store)):
            self._noted[task.video_id] = replace(task, fetched=video)
        else:
            self._waiting.setdefault(task.video_id, task)

    def bring_again(self, task: VideoTask) -> bool:
        """Bring a video whose file turned out to be needed; False when that was done before."""
        if task.video_id in self._anew:
            return False
        self._anew.add(task.video_id)
        self.release(task.video_id)
        self.want(replace(task, fetched=None))
        return True

    @property
    def futures(self) -> list[Future[FetchedVideo]]:
        """The downloads under way, to wait for."""
        return list(self._under_way)

    @property
    def is_busy(self) -> bool:
        """Whether videos are to come."""
        return bool(self._waiting or self._under_way or self._noted)

    def ready(self) -> Iterator[VideoTask]:
        """Begin what the bounds allow, and give the videos that have come."""
        self._collect()
        noted, self._noted = self._noted, {}
        yield from noted.values()
        for video_id in [video_id for video_id in self._brought if video_id in self._waiting]:
            yield replace(self._waiting.pop(video_id), fetched=self._brought[video_id])
        under_way = {task.video_id for task in self._under_way.values()}
        for video_id in tuple(self._waiting):
            if not self._has_room():
                break
            if video_id not in under_way:
                self._begin(self._waiting.pop(video_id))

    def failures(self) -> list[VideoOutcome]:
        """The videos that could not be brought, since the last call."""
        failed, self._failed = self._failed, []
        return failed

    def release(self, video_id: str) -> None:
        """A video is done with: it counts no more. Its copy is the worker's to remove."""
        self._brought.pop(video_id, None)

    def _collect(self) -> None:
        for future in [future for future in self._under_way if future.done()]:
            task = self._under_way.pop(future)
            error = future.exception()
            if error is None:
                self._brought[task.video_id] = future.result()
                self._waiting.setdefault(task.video_id, task)
            else:
                self._failed.append(_failure(task, error))

    def _has_room(self) -> bool:
        bounds, running = self._bounds, len(self._under_way)
        if running >= bounds.at_once or running + len(self._brought) >= bounds.videos:
            return False
        copies = sum(_size(video) for video in self._brought.values() if video.is_copy)
        return copies + (running + 1) * bounds.largest_bytes <= bounds.size_bytes or not (running or self._brought)

    def _begin(self, task: VideoTask) -> None:
        self._tell(ProgressEvent(task.video_id, _STAGE))
        source = find_source(task.item.source)
        if self._access is not None:
            source = source.using(self._access)
        future = self._threads.submit(source.fetch, task.item, self._store.download_folder(task.video_id))
        self._under_way[future] = task


def _size(video: FetchedVideo) -> int:
    size_bytes = 0
    for path in video.files:
        with contextlib.suppress(OSError):
            size_bytes += path.stat().st_size
    return size_bytes


def _failure(task: VideoTask, error: BaseException) -> VideoOutcome:
    if not isinstance(error, RumiAIError):
        # A bug of a source costs its videos, and no others.
        LOG.error("%s: unexpected error", task.video_id, exc_info=error)
    exit_code = error.exit_code if isinstance(error, RumiAIError) else 1
    failure = Failure(type(error).__name__, str(error), _STAGE, exit_code)
    return VideoOutcome(task.video_id, task.item.location, "failed", error=failure)
