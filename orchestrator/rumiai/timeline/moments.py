"""The lists that the opening and the call-to-action window have in common: texts, gestures, objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from rumiai.contracts.gestures import TimedGesture
from rumiai.contracts.payloads import text_of
from rumiai.contracts.services.ocr import TextAnnotation
from rumiai.contracts.timeline import Timeline, TimelineEntry
from rumiai.core.json_values import JsonValue
from rumiai.timeline.elements import Element, most_at_once

# Markers are shown in prompts: texts stay short and few.
MAX_TEXT_CHARS: Final = 50
MAX_TEXTS: Final = 10


@dataclass(frozen=True)
class TextMoment:
    """A text on screen from ``start_s`` on, for ``duration_s``; ``position`` is None where a file says so."""

    start_s: float
    text: str
    duration_s: float
    position: str | None

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {
            **moment(self.start_s), "text": self.text, "duration": self.duration_s, "position": self.position,
        }  # fmt: skip


@dataclass(frozen=True)
class GestureMoment:
    """A gesture that begins at ``start_s``; ``confidence`` is 0..1, None when unknown."""

    start_s: float
    kind: str
    confidence: float | None

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {**moment(self.start_s), "type": self.kind, "confidence": self.confidence}


@dataclass(frozen=True)
class ObjectCount:
    """A class of objects: where its first begins, and how many of it are there at once."""

    class_name: str
    first_s: float
    count: int

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {"class": self.class_name, "first_appearance": self.first_s, "count": self.count}


class Writable(Protocol):
    """A marker that is written as JSON."""

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""


def listed(items: Iterable[Writable] | None) -> list[JsonValue] | None:
    """JSON form of a list of markers; None for one that is not known."""
    return None if items is None else [item.to_dict() for item in items]


def clipped(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    """At most ``limit`` characters, the last three dots when something was cut."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def moment(start_s: float) -> dict[str, JsonValue]:
    """The time in seconds, and as a whole second for older readers."""
    return {"time": start_s, "timestamp": f"{int(start_s)}s"}


def text_moments(timeline: Timeline, start_s: float, end_s: float) -> list[TextMoment]:
    """Texts on screen in the window, by time; of more than ten the largest boxes. Only overlays count."""
    shown = [_Shown(entry, text_of(entry)) for entry in timeline.in_range(start_s, end_s, "text")]
    texts = [item for item in shown if item.text.text and item.text.is_overlay]
    texts.sort(key=lambda item: (-item.text.area, item.entry.start_s, item.text.text))
    return [item.moment() for item in sorted(texts[:MAX_TEXTS], key=_Shown.by_time)]


@dataclass(frozen=True)
class _Shown:
    entry: TimelineEntry
    text: TextAnnotation

    def by_time(self) -> tuple[float, float, str]:
        return (self.entry.start_s, self.entry.duration_s, self.text.text)

    def moment(self) -> TextMoment:
        position = self.text.position if "position" in self.text.model_fields_set else "unknown"
        return TextMoment(self.entry.start_s, clipped(self.text.text), self.entry.duration_s, position)


def gesture_moments(timeline: Timeline, start_s: float, end_s: float, limit: int) -> list[GestureMoment]:
    """Gestures in the window, by time; of more than ``limit`` the surest."""
    found = [TimedGesture.of(entry) for entry in timeline.in_range(start_s, end_s, "gesture")]
    gestures = [
        GestureMoment(g.start_s, g.kind, g.confidence) for g in found if g.kind is not None and g.kind != "none"
    ]
    gestures.sort(key=lambda gesture: (-(gesture.confidence or 0.0), gesture.start_s, gesture.kind))
    return sorted(gestures[:limit], key=lambda gesture: (gesture.start_s, gesture.kind))


def object_counts(elements: Iterable[Element], start_s: float, end_s: float) -> list[ObjectCount]:
    """Classes in the window, those seen longest first; ``count`` is how many of the class are there at once."""
    groups: dict[str, list[Element]] = {}
    for element in elements:
        if element.kind == "object" and element.overlaps(start_s, end_s):
            groups.setdefault(element.name, []).append(element)
    seen = {
        name: sum(min(element.end_s, end_s) - max(element.start_s, start_s) for element in group)
        for name, group in groups.items()
    }
    return [
        ObjectCount(name, min(element.start_s for element in groups[name]), most_at_once(groups[name], start_s, end_s))
        for name in sorted(groups, key=lambda name: (-seen[name], name))
    ]
