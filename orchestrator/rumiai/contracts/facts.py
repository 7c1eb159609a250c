"""What the file itself says of a video, in the few numbers that turn frames and pixels into seconds and shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rumiai.contracts.frames import VideoInfo


@dataclass(frozen=True)
class MediaFacts:
    """Facts of one video; None is unknown.

    Attributes:
        duration_s: The decoder's duration.
        fps: Frames per second of the source.
        width: Of the picture as shown, in pixels.
        height: Of the picture as shown, in pixels.
        sample_fps: Rate at which frames were analysed; older files number their frames at this rate.
    """

    duration_s: float | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    sample_fps: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name}: got {value!r}, expected a finite number > 0, or None when it is unknown")

    @classmethod
    def from_info(cls, info: VideoInfo, sample_fps: float | None = None) -> MediaFacts:
        """The facts that a probe found; its zeros mean unknown."""
        return cls(info.duration_s or None, info.fps or None, info.width or None, info.height or None, sample_fps)

    def filled_from(self, other: MediaFacts) -> MediaFacts:
        """These facts, with what is unknown taken from ``other``."""
        mine, theirs = vars(self), vars(other)
        return MediaFacts(**{name: mine[name] if mine[name] is not None else theirs[name] for name in mine})
