"""The lists that the opening and the call-to-action window have in common: texts, gestures, objects."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Final

from rumiai.contracts.gestures import TimedGesture
from rumiai.contracts.timeline import Timeline, TimelineEntry
from rumiai.core.boxes import area
from rumiai.timeline.elements import Element, most_at_once
from rumiai.timeline.entries import is_watermark

# Markers are shown in prompts: texts stay short and few.
MAX_TEXT_CHARS: Final = 50
MAX_TEXTS: Final = 10


class Windows:
    """Elements by start, for many window queries over a long video."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._elements = sorted(elements, key=lambda element: element.start_s)
        self._starts = [element.start_s for element in self._elements]
        self._reach = list(accumulate((element.end_s for element in self._elements), max))

    def active(self, start_s: float, end_s: float) -> list[Element]:
        """The elements that are there in the half-open window."""
        first, last = bisect_left(self._reach, start_s), bisect_left(self._starts, end_s)
        return [element for element in self._elements[first:last] if element.active_in(start_s, end_s)]


def clipped(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    """At most ``limit`` characters, the last three dots when something was cut."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def words_of(entry: TimelineEntry) -> str:
    """What an entry says or shows in words; older files hold entries without."""
    return str(entry.data.get("text") or "")


def moment(start_s: float) -> dict[str, Any]:
    """When: seconds, and the whole second as older readers want it."""
    return {"time": start_s, "timestamp": f"{int(start_s)}s"}


def text_moments(timeline: Timeline, start_s: float, end_s: float) -> list[dict[str, Any]]:
    """Texts on screen in the window, by time; of more than ten the largest boxes. Watermarks are none."""
    shown = timeline.in_range(start_s, end_s, "text")
    texts = [entry for entry in shown if words_of(entry) and not is_watermark(entry)]
    texts.sort(key=lambda entry: (-_area(entry), entry.start_s, words_of(entry)))
    return [
        {
            **moment(entry.start_s),
            "text": clipped(words_of(entry)),
            "duration": entry.duration_s,
            "position": entry.data.get("position", "unknown"),
        }
        for entry in sorted(texts[:MAX_TEXTS], key=_by_time)
    ]


def _area(entry: TimelineEntry) -> float:
    box = entry.data.get("bbox")
    return float(area(box)) if isinstance(box, list) and len(box) == 4 else 0.0


def _by_time(entry: TimelineEntry) -> tuple[float, float, str]:
    return (entry.start_s, entry.duration_s, words_of(entry))


def gesture_moments(timeline: Timeline, start_s: float, end_s: float, limit: int) -> list[dict[str, Any]]:
    """Gestures in the window, by time; of more than ``limit`` the surest."""
    found = [TimedGesture.of(entry) for entry in timeline.in_range(start_s, end_s, "gesture")]
    gestures = [gesture for gesture in found if gesture.kind not in (None, "none")]
    gestures.sort(key=lambda gesture: (-(gesture.confidence or 0.0), gesture.start_s, str(gesture.kind)))
    return [
        {**moment(gesture.start_s), "type": gesture.kind, "confidence": gesture.confidence}
        for gesture in sorted(gestures[:limit], key=lambda gesture: (gesture.start_s, str(gesture.kind)))
    ]


def object_counts(elements: Iterable[Element], start_s: float, end_s: float) -> list[dict[str, Any]]:
    """Classes in the window, those seen longest first; ``count`` is how many of the class are there at once."""
    groups: dict[str, list[Element]] = {}
    for element in elements:
        if element.kind == "object" and element.active_in(start_s, end_s):
            groups.setdefault(element.name, []).append(element)
    seen = {
        name: sum(min(element.end_s, end_s) - max(element.start_s, start_s) for element in group)
        for name, group in groups.items()
    }
    return [
        {
            "class": name,
            "first_appearance": min(element.start_s for element in groups[name]),
            "count": most_at_once(groups[name], start_s, end_s),
        }
        for name in sorted(groups, key=lambda name: (-seen[name], name))
    ]
