"""Duration, frame rate and size of a media file: they turn frame numbers into seconds and pixels into shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rumiai.contracts.frames import VideoInfo
from rumiai.core.numbers import number


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

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, object], duration_s: float) -> MediaFacts:
        """The facts that a unified analysis keeps among its metadata; what is no finite number > 0 is unknown."""
        width, height = _positive(metadata.get("width")), _positive(metadata.get("height"))
        return cls(
            duration_s=duration_s,
            fps=_positive(metadata.get("fps")),
            width=None if width is None else int(width) or None,
            height=None if height is None else int(height) or None,
        )

    def filled_from(self, other: MediaFacts) -> MediaFacts:
        """These facts, with what is unknown taken from ``other``."""
        mine, theirs = vars(self), vars(other)
        return MediaFacts(**{name: mine[name] if mine[name] is not None else theirs[name] for name in mine})


def _positive(value: object) -> float | None:
    found = None if isinstance(value, str) else number(value)
    return found if found is not None and found > 0 else None
