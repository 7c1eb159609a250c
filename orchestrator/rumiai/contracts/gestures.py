"""Gestures of the timeline; equal ones in consecutive samples are one."""

from __future__ import annotations

from dataclasses import dataclass

from rumiai.contracts.payloads import gesture_of
from rumiai.contracts.timeline import Timeline, TimelineEntry
from rumiai.core.boxes import Box


@dataclass(frozen=True)
class TimedGesture:
    """One gesture; members that an older file lacks are None.

    Attributes:
        kind: In RumiAI's vocabulary.
        start_s: First sample.
        end_s: Half a step after the last sample; equal to ``start_s`` for an instant.
        confidence: Of the surest sample, 0..1.
        hand: ``left`` or ``right``, the person's own.
        bbox: Of the hand, x, y, width, height in shares of the frame.
        direction: Unit vector in the picture, of a hand that points.
    """

    kind: str | None
    start_s: float
    end_s: float
    confidence: float | None
    hand: str | None
    bbox: Box | None
    direction: tuple[float, float] | None

    @classmethod
    def of(cls, entry: TimelineEntry) -> TimedGesture:
        """From an entry of type ``gesture``."""
        gesture = gesture_of(entry)
        return cls(
            kind=gesture.type or None,
            start_s=entry.start_s,
            end_s=entry.start_s if entry.end_s is None else entry.end_s,
            confidence=gesture.confidence,
            hand=gesture.hand,
            bbox=gesture.bbox,
            direction=gesture.direction,
        )


def gestures_of(timeline: Timeline) -> list[TimedGesture]:
    """All gestures of a video, in the timeline's order."""
    return [TimedGesture.of(entry) for entry in timeline.of_type("gesture")]
