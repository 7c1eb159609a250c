"""A worker process: its tools, its voice, and the boundary at which nothing is raised any further."""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import resource
import signal
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import psutil

from rumiai import weights
from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.errors import RumiAIError
from rumiai.people.landmarks import PeopleAnalyzer
from rumiai.perception.service_run import Tools
from rumiai.run import pipeline

if TYPE_CHECKING:
    from rumiai.run.batch import Job, RunContext

LOG = logging.getLogger("rumiai")

# Progress is worth at most this many messages a second; the display is drawn no faster.
_PROGRESS_INTERVAL_S: Final = 0.1
_MESSAGE_CHARS: Final = 4000


class Worker:
    """What one process keeps from video to video.

    Args:
        context: What the parent told all workers.
    """

    def __init__(self, context: RunContext) -> None:
        # Ctrl-C reaches the whole group; the parent decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # A crash of a native library shall not write gigabytes of core.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _redirect_stderr(context.settings.out / "logs" / "workers.log")
        # The threads of one worker are its stages; OpenCV's own would only take the cores from them.
        cv2.setNumThreads(1)
        self._context = context
        self._voice = Voice(context.events)
        logging.basicConfig(level=context.settings.log_level, handlers=[_LogToParent(self._voice)], force=True)
        self._people: PeopleAnalyzer | None = None
        self._tools = Tools(self._people_analyzer, ThreadPoolExecutor(1, "people"))

    def _people_analyzer(self, new_video: bool) -> PeopleAnalyzer:
        """MediaPipe's models, made once, in the thread that uses them."""
        if self._people is None:
            self._people = PeopleAnalyzer(weights.path)
        elif new_video:
            self._people.reset()
        return self._people

    def analyse(self, job: Job) -> VideoOutcome:
        """One video; whatever happens, an outcome."""
        began = time.monotonic()
        progress = pipeline.Progress(lambda stage, facts: self._voice.progress(job.video_id, stage, facts))
        try:
            return replace(pipeline.analyse(job, self._context, self._tools, progress), memory=_memory())
        except RumiAIError as exc:
            failure = Failure(type(exc).__name__, str(exc), progress.stage, exc.exit_code)
        except Exception as exc:
            # The process boundary: a bug in one video is recorded, with its traceback in the log, and costs that video.
            LOG.exception("%s: unexpected error", job.video_id)
            failure = Failure(type(exc).__name__, str(exc)[:_MESSAGE_CHARS], progress.stage)
        return VideoOutcome(job.video_id, job.path, "failed", seconds=time.monotonic() - began, error=failure)


def _memory() -> dict[str, float]:
    """What this process takes now and took at most, in GiB, and what of the machine's memory is in use."""
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "final_process_gb": round(psutil.Process().memory_info().rss / 2**30, 3),
        "peak_process_gb": round(peak_kib / 2**20, 3),
        "system_percent": psutil.virtual_memory().percent,
    }


def _redirect_stderr(path: Path) -> None:
    """Send what native libraries print to a file: on the terminal it would break the display."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        os.dup2(log.fileno(), 2)
        # With a descriptor of its own: MediaPipe's calls put descriptor 2 aside, and where a crash was must be told.
        faulthandler.enable(os.dup(log.fileno()))


class Voice:
    """Sends events to the parent; an event that cannot be sent is lost, not waited for."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._last: dict[tuple[str, str], float] = {}

    def send(self, event: Mapping[str, Any]) -> None:
        """One event."""
        try:
            self._socket.sendto(json.dumps(event, default=str).encode(), self._address)
        except OSError:
            return  # the parent's buffer is full, or it has gone: its own business, and no reason to stop the work

    def progress(self, video_id: str, stage: str, facts: Mapping[str, Any]) -> None:
        """A stage's progress, thinned out; the first and the last of a stage always go."""
        now = time.monotonic()
        key = (video_id, stage)
        whole = facts.get("done") == facts.get("of")
        if whole or now - self._last.get(key, 0.0) >= _PROGRESS_INTERVAL_S:
            self._last[key] = now
            self.send({"event": "progress", "video_id": video_id, "stage": stage, **facts})


class _LogToParent(logging.Handler):
    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self._voice = voice

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        self._voice.send(
            {
                "event": "log",
                "level": record.levelname,
                "logger": record.name,
                "message": text[:_MESSAGE_CHARS],
                "pid": os.getpid(),
            }
        )
