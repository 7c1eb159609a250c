"""Outcomes that no worker gives: of videos that never came to one, that lost theirs, or whose judging has a bug."""

from __future__ import annotations

import contextlib
import logging
import signal
from concurrent.futures import Future
from dataclasses import replace

from pebble import ProcessExpired

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.run.types import VideoTask

LOG = logging.getLogger("rumiai")


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
