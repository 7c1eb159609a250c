"""Which decoded frame stands for which sampling instant."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from rumiai.contracts.frames import Sampling

FrameT = TypeVar("FrameT")

# Containers round times to milliseconds: a frame that is late by half of one still begins at its instant.
_ROUNDING_S: Final = 0.0006


class ShownFrames(Generic[FrameT]):
    """Picks the frame that is shown at each instant k / f, from frames that come in order of time.

    Shown is the last frame that began by then. With its first instant within half a step it comes with its own time;
    where it is shown longer (a slide show, a frozen picture) it is given again, with the instant as its time. So times
    rise strictly and cover the video whatever its frame rate does, and what is shown for a whole step is never missed.
    Before the first frame nothing is claimed, but for half a step.

    One frame is held back, the newest.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._rate = sampling.sample_fps
        self._half_s = sampling.step_s / 2
        self._count = sampling.frames_expected
        self._next = 0
        self._shown: tuple[float, FrameT] | None = None
        self._used = False

    def push(self, time_s: float, frame: FrameT) -> list[tuple[float, FrameT]]:
        """Take the next frame; times must not fall.

        Returns:
            (time, frame) for each instant that is decided now, in order.
        """
        chosen: list[tuple[float, FrameT]] = []
        used = False
        while self._next < self._count and self._instant_s < time_s - _ROUNDING_S:
            if self._shown is not None:
                chosen.append(self._give(self._instant_s, self._shown))
            elif time_s - self._instant_s < self._half_s:
                chosen.append((time_s, frame))
                used = True
            self._next += 1
        self._shown, self._used = (time_s, frame), used
        return chosen

    def finish(self, shown_until_s: float) -> list[tuple[float, FrameT]]:
        """After the last frame: the instants that it still stands for.

        Args:
            shown_until_s: How long the last frame stays on show beyond half a step.
        """
        chosen: list[tuple[float, FrameT]] = []
        while self._next < self._count and self._shown is not None:
            within = not self._used and self._instant_s - self._shown[0] <= self._half_s
            if not within and self._instant_s >= shown_until_s:
                break
            chosen.append(self._give(self._instant_s, self._shown))
            self._next += 1
        return chosen

    @property
    def _instant_s(self) -> float:
        return self._next / self._rate

    def _give(self, instant_s: float, shown: tuple[float, FrameT]) -> tuple[float, FrameT]:
        is_new = not self._used and instant_s - shown[0] <= self._half_s
        self._used = True
        return (shown[0] if is_new else instant_s), shown[1]
