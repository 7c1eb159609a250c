"""Gestures as the timeline holds them: equal ones of consecutive samples joined, read by several rooms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rumiai.contracts.timeline import Timeline, TimelineEntry
from rumiai.core.boxes import Box


@dataclass(frozen=True)
class TimedGesture:
    """One gesture; members that an older file does not tell are None.

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
        data = entry.data
        kind, hand = data.get("type"), data.get("hand")
        return cls(
            kind=None if kind is None else str(kind),
            start_s=entry.start_s,
            end_s=entry.start_s if entry.end_s is None else entry.end_s,
            confidence=_number(data.get("confidence")),
            hand=None if hand is None else str(hand),
            bbox=_box(data.get("bbox")),
            direction=_pair(data.get("direction")),
        )


def gestures_of(timeline: Timeline) -> list[TimedGesture]:
    """All gestures of a video, in the timeline's order."""
    return [TimedGesture.of(entry) for entry in timeline.of_type("gesture")]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _box(value: object) -> Box | None:
    sides = _numbers(value, 4)
    return (sides[0], sides[1], sides[2], sides[3]) if sides else None


def _pair(value: object) -> tuple[float, float] | None:
    parts = _numbers(value, 2)
    return (parts[0], parts[1]) if parts else None


def _numbers(value: object, count: int) -> list[float]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != count:
        return []
    found = [number for item in value if (number := _number(item)) is not None]
    return found if len(found) == count else []
