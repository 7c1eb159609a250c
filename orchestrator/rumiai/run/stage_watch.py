"""Which stage of which video has stood still for too long.

A stage that hangs (a request that never comes back, a decoder in a loop) would hold its worker until the limit on the
whole video. Progress of any stage counts for the video: its stages run side by side, and some wait for others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rumiai.contracts.run_events import ProgressEvent

# Between two looks that are further apart this process was stopped, and its workers most likely too.
_LONGEST_STEP_S: Final = 5.0


@dataclass
class _Stage:
    """The last progress of one stage."""

    event: ProgressEvent
    at_s: float


@dataclass
class _Watched:
    """A video: when it began, and its stages, the one that was heard last at the end."""

    began_s: float
    stages: dict[str, _Stage] = field(default_factory=dict)

    @property
    def last_s(self) -> float:
        return max([self.began_s, *(stage.at_s for stage in self.stages.values())])

    @property
    def standing(self) -> str:
        """The stage that has stood still longest, of those that count and are not done; else the last that began."""
        counting = [stage for stage in self.stages.values() if not stage.event.is_complete]
        if counting:
            return min(counting, key=lambda stage: stage.at_s).event.stage
        return next(reversed(self.stages), "start")


class StageWatch:
    """Watches the progress of the videos in flight.

    Args:
        limit_s: How long a video may go without progress.
        clock: Seconds, monotonic.
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s, self._clock = limit_s, clock
        self._lock = threading.Lock()
        self._videos: dict[str, _Watched] = {}
        self._looked_s = clock()
        self._now_s = 0.0

    def look(self) -> None:
        """Let time pass; to be called several times within the longest step."""
        with self._lock:
            now_s = self._clock()
            self._now_s += min(now_s - self._looked_s, _LONGEST_STEP_S)
            self._looked_s = now_s

    def begin(self, video_id: str) -> None:
        """Count from now on; its first progress may have come before."""
        with self._lock:
            self._videos.setdefault(video_id, _Watched(self._now_s)).began_s = self._now_s

    def saw(self, event: ProgressEvent) -> None:
        """Take progress; from any thread."""
        with self._lock:
            stages = self._videos.setdefault(event.video_id, _Watched(self._now_s)).stages
            # The same count again is no progress.
            if event.stage not in stages or stages[event.stage].event != event:
                stages.pop(event.stage, None)
                stages[event.stage] = _Stage(event, self._now_s)

    def end(self, video_id: str) -> None:
        """Forget its progress."""
        with self._lock:
            self._videos.pop(video_id, None)

    def hanging(self, video_id: str) -> str | None:
        """The stage in which a video hangs; None when it does not."""
        with self._lock:
            watched = self._videos.get(video_id)
            if watched is None or self._now_s - watched.last_s < self._limit_s:
                return None
            return watched.standing
