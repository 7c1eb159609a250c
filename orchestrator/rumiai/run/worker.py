"""A worker process: it keeps models loaded from video to video, and turns exceptions into recorded failures."""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import resource
import signal
import time
from dataclasses import replace
from pathlib import Path

import cv2
import psutil

from rumiai.contracts.outcome import Failure, MemoryUse, VideoOutcome
from rumiai.core.plugins import load_plugins
from rumiai.core.processes import end_with_parent
from rumiai.errors import RumiAIError, ServerGoneError, VideoGoneError
from rumiai.results.store import Store
from rumiai.run import pipeline
from rumiai.run.events import MESSAGE_CHARS, EventLogHandler, EventSender
from rumiai.run.types import RunContext, VideoTask
from rumiai.services import WorkerTools

LOG = logging.getLogger("rumiai")


class Worker:
    """Analyses video after video in one process.

    Args:
        context: The same for all workers of a run.
    """

    def __init__(self, context: RunContext) -> None:
        if (parent := multiprocessing.parent_process()) is not None and parent.pid is not None:
            end_with_parent(parent.pid)
        # Ctrl-C reaches the whole group; the parent decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # A crash of a native library must not write a core file of gigabytes.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _redirect_stderr(Store(*context.settings.folders).log_folder / "workers.log")
        # The threads of one worker are its stages; OpenCV's own would only take the cores from them.
        cv2.setNumThreads(1)
        self._context = context
        self._events = EventSender(context.events)
        self._log = EventLogHandler(self._events)
        logging.basicConfig(level=context.settings.log_level, handlers=[self._log], force=True)
        load_plugins(context.settings.plugins)
        self._tools = WorkerTools()

    def analyse(self, task: VideoTask) -> VideoOutcome:
        """Analyse one video. Raises nothing: an exception becomes the failure in the outcome."""
        self._log.video_id = task.video_id
        try:
            return self._analyse(task)
        finally:
            self._log.video_id = None

    def _analyse(self, task: VideoTask) -> VideoOutcome:
        began_s, gone, video_gone = time.monotonic(), False, False
        progress = pipeline.Progress(task.video_id, self._events.progress)
        try:
            return replace(pipeline.analyse(task, self._context, self._tools, progress), memory=_memory())
        except RumiAIError as exc:
            failure = Failure(type(exc).__name__, str(exc), progress.stage, exc.exit_code)
            gone, video_gone = isinstance(exc, ServerGoneError), isinstance(exc, VideoGoneError)
        except Exception as exc:
            # The process boundary: a bug in one video is recorded, with its traceback in the log, and costs that video.
            LOG.exception("%s: unexpected error", task.video_id)
            failure = Failure(type(exc).__name__, str(exc)[:MESSAGE_CHARS], progress.stage)
        seconds = time.monotonic() - began_s
        return VideoOutcome(
            task.video_id,
            task.item.location,
            "failed",
            seconds=seconds,
            error=failure,
            server_gone=gone,
            video_gone=video_gone,
        )


def _memory() -> MemoryUse:
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return MemoryUse(
        final_process_gb=round(psutil.Process().memory_info().rss / 2**30, 3),
        peak_process_gb=round(peak_kib / 2**20, 3),
        system_percent=psutil.virtual_memory().percent,
    )


def _redirect_stderr(path: Path) -> None:
    """Send what native libraries print to a file: on the terminal it would break the display."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        os.dup2(log.fileno(), 2)
        # Its own descriptor, because MediaPipe swaps descriptor 2.
        faulthandler.enable(os.dup(log.fileno()))
