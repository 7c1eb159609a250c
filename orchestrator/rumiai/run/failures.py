"""Outcomes that no worker gives: of videos that never came to one, that lost theirs, or whose judging has a bug."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Final

from pebble import ProcessExpired

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.run_events import EventHandler, LogEvent
from rumiai.run.types import VideoTask

LOG = logging.getLogger("rumiai")

# What ``faulthandler`` prints of a worker: the stacks of some dozen threads and a list of modules.
_READ_BYTES: Final = 64 * 1024
# What is longer is no use in a record.
_TAIL_CHARS: Final = 1500
_FATAL: Final = "Fatal Python error"
_CURRENT: Final = "Current thread"


class WorkersLog:
    """What the workers' native libraries print into one file: the end of it tells what a worker died of.

    Args:
        path: The file; it may not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun_at: dict[str, int] = {}

    def begin(self, video_id: str) -> None:
        """An attempt at a video begins."""
        with contextlib.suppress(OSError):
            self._begun_at[video_id] = self._path.stat().st_size

    def tell(self, video_id: str, handler: EventHandler) -> None:
        """Pass the end of it on as a line of the video's log, for the records; a terminal does not show it."""
        if printed := self.tail(video_id):
            handler(LogEvent("DEBUG", "rumiai.worker", printed, os.getpid(), video_id))

    def tail(self, video_id: str) -> str:
        """The end of what all workers have printed since: of a crash its reason and the stack it came in."""
        with contextlib.suppress(OSError), self._path.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._begun_at.get(video_id, 0), end - _READ_BYTES))
            return _essential(log.read().decode(errors="replace"))[-_TAIL_CHARS:]
        return ""


def _essential(printed: str) -> str:
    """What matters of a worker's last words."""
    lines = [line for line in printed.splitlines() if not line.startswith("Extension modules:")]
    text = "\n".join(lines).strip()
    reason, crashed, stacks = text.rpartition(_FATAL)[2], _FATAL in text, text.rpartition(_CURRENT)[2]
    if not crashed or _CURRENT not in reason:
        return text
    return f"{_FATAL}{reason.splitlines()[0]}\n{_CURRENT}{stacks}".partition("\n\n")[0]


def failed(task: VideoTask, kind: str, message: str, stage: str = "worker") -> VideoOutcome:
    """The outcome of a video that failed without a worker that could say so."""
    return VideoOutcome(task.video_id, task.item.location, "failed", error=Failure(kind, message, stage))


def post_processed(future: Future[VideoOutcome], before: VideoOutcome) -> VideoOutcome:
    """The outcome after post-processing; a bug there fails this video alone, and what the worker wrote stays."""
    error = future.exception()
    if error is None:
        return future.result()
    LOG.error("%s: unexpected error", before.video_id, exc_info=error)
    return replace(before, status="failed", error=Failure(type(error).__name__, str(error), "afterwards"))


def cause_of_death(exc: ProcessExpired) -> str:
    """How a worker process ended."""
    code = exc.exitcode
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"
