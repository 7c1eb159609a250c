"""Lines of text as they were read, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rumiai.contracts.frames import FrameTexts
from rumiai.core.boxes import Box

# Less sure readings are guesses at texture.
_MIN_CONFIDENCE: Final = 0.1


@dataclass(frozen=True)
class Line:
    """A line on one frame.

    Attributes:
        timestamp_s: When the frame was sampled first.
        last_s: When it was sampled last; later when it is held.
        frame_number: Index of the frame in the source stream.
        text: As read, without blanks around it.
        confidence: Of the reading, 0..1.
        box: x, y, width, height, normalised.
        contrast: See :class:`rumiai.contracts.frames.FrameTexts`.
        is_read: Whether this frame was read; else the reading is that of an earlier frame that looks the same.
    """

    timestamp_s: float
    last_s: float
    frame_number: int
    text: str
    confidence: float
    box: Box
    contrast: float
    is_read: bool = True


@dataclass(frozen=True)
class Moment:
    """A frame with its lines; one that is held over several sampling instants is one moment.

    Attributes:
        timestamp_s: Of the first instant.
        last_s: Of the last instant.
        frame_number: Index in the source stream.
        instants: Sampling instants that it stands for; 0 for the first frame of a shot off the grid.
        lines: Those that are likely writing.
    """

    timestamp_s: float
    last_s: float
    frame_number: int
    instants: int
    lines: tuple[Line, ...]


def moments_of(sampled: Sequence[FrameTexts], after_cuts: Sequence[FrameTexts]) -> list[Moment]:
    """All frames in order of time.

    Args:
        sampled: Every frame of the sampling grid.
        after_cuts: The extra frames, the first of their shots.
    """
    frames = [(frame.timestamp_s, 1, frame) for frame in sampled] + [(f.timestamp_s, 0, f) for f in after_cuts]
    moments: list[Moment] = []
    for timestamp_s, instants, frame in sorted(frames, key=lambda item: item[:2]):
        last = moments[-1] if moments else None
        if last is not None and last.frame_number == frame.frame_number:
            held = tuple(replace(line, last_s=timestamp_s) for line in last.lines)
            moments[-1] = replace(last, last_s=timestamp_s, instants=last.instants + instants, lines=held)
        else:
            moments.append(Moment(timestamp_s, timestamp_s, frame.frame_number, instants, _lines(frame)))
    return moments


def _lines(frame: FrameTexts) -> tuple[Line, ...]:
    found = []
    for text, box, score, contrast in zip(frame.texts, frame.boxes, frame.scores, frame.contrasts, strict=True):
        if text.strip() and score >= _MIN_CONFIDENCE:
            x, y, w, h = (float(side) for side in box)
            at = (frame.timestamp_s, frame.timestamp_s, frame.frame_number)
            found.append(
                Line(*at, text.strip(), float(score), (x, y, w, h), float(contrast), frame.origin != "carried")
            )
    return tuple(found)
