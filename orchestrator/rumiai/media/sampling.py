"""Which decoded frame stands for which sampling instant."""

from __future__ import annotations

from typing import Generic, TypeVar

from rumiai.contracts.frames import Sampling

FrameT = TypeVar("FrameT")


class NearestFrames(Generic[FrameT]):
    """Picks the nearest frame to each instant k / f from frames that come in order of time.

    A frame stands for at most one instant, with its own time. Where no frame lies within half a step of an instant (a
    slide show, a frozen picture) the frame then on show is given again, with the instant as its time: that is what was
    to be seen at that moment. So times rise strictly and cover the video whatever its frame rate does.

    One frame is held back, the one before the newest.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._rate = sampling.sample_fps
        self._half_s = sampling.step_s / 2
        self._count = sampling.frames_expected
        self._next = 0
        self._before: tuple[float, FrameT] | None = None
        self._before_used = False

    def push(self, time_s: float, frame: FrameT) -> list[tuple[float, FrameT]]:
        """Take the next frame; times must not fall.

        Returns:
            (time, frame) for each instant that is decided now, in order.
        """
        chosen: list[tuple[float, FrameT]] = []
        used = False
        while self._next < self._count and self._instant_s <= time_s:
            instant_s = self._instant_s
            self._next += 1
            ahead_s = time_s - instant_s
            if self._before is not None and instant_s - self._before[0] <= ahead_s:
                chosen.append(self._hold(instant_s, self._before))
            elif ahead_s < self._half_s and not used:
                chosen.append((time_s, frame))
                used = True
            elif self._before is not None:
                chosen.append(self._hold(instant_s, self._before))
        self._before, self._before_used = (time_s, frame), used
        return chosen

    def finish(self, shown_until_s: float) -> list[tuple[float, FrameT]]:
        """After the last frame: the instants that it still stands for.

        Args:
            shown_until_s: How long the last frame stays on show beyond half a step.
        """
        chosen: list[tuple[float, FrameT]] = []
        while self._next < self._count and self._before is not None:
            instant_s = self._instant_s
            if instant_s - self._before[0] > self._half_s and instant_s >= shown_until_s:
                break
            if self._before_used and instant_s >= shown_until_s:
                break
            chosen.append(self._hold(instant_s, self._before))
            self._next += 1
        return chosen

    @property
    def _instant_s(self) -> float:
        return self._next / self._rate

    def _hold(self, instant_s: float, before: tuple[float, FrameT]) -> tuple[float, FrameT]:
        if self._before_used or instant_s - before[0] > self._half_s:
            self._before_used = True
            return instant_s, before[1]
        self._before_used = True
        return before
