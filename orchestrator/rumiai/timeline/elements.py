"""Elements that the markers count: distinct things on screen or in the sound, independent of the sampling rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from rumiai.contracts.payloads import name_of
from rumiai.contracts.services.base import ServiceData
from rumiai.contracts.services.expressions import ExpressionsData
from rumiai.contracts.services.people import PeopleData
from rumiai.contracts.timeline import TimelineEntry, UnifiedAnalysis
from rumiai.core import intervals
from rumiai.core.windows import is_in_window
from rumiai.timeline.entries import CONSECUTIVE_STEPS, is_left_out

# One entry per sample: what they show lasts from sample to sample. Scenes and energy windows are no elements: they
# cover the whole video.
_SAMPLED: Final[Mapping[str, type[ServiceData]]] = {
    "pose": PeopleData, "face": PeopleData, "gaze": PeopleData, "emotion": ExpressionsData,
}  # fmt: skip
_LASTING: Final = ("object", "speech", "text", "sticker", "scene_change", "gesture", "action")
ELEMENT_TYPES: Final = (*_SAMPLED, *_LASTING)
# Where a file does not say at what rate it was sampled: the slowest rate that any version used.
_DEFAULT_STEP_S: Final = 1.0


@dataclass(frozen=True)
class Element:
    """A thing that is present from ``start_s`` to ``end_s`` (equal for an instant).

    ``name`` says what it is among those of its kind; of two objects of one class both have the same.
    """

    kind: str
    name: str
    start_s: float
    end_s: float

    def overlaps(self, start_s: float, end_s: float) -> bool:
        """Whether it overlaps the half-open window."""
        return is_in_window(self.start_s, self.end_s, start_s, end_s)


def elements_of(analysis: UnifiedAnalysis) -> list[Element]:
    """All elements, by start; only overlays of the texts, samples of one thing in a row are one."""
    timeline = analysis.timeline
    found = [
        Element(entry.entry_type, name_of(entry), entry.start_s, _end(entry))
        for entry in timeline.of_type(*_LASTING)
        if not is_left_out(entry)
    ]
    for kind, model in _SAMPLED.items():
        found += _runs(kind, timeline.of_type(kind), _step_s(analysis, model))
    return sorted(found, key=lambda element: (element.start_s, element.end_s, element.kind, element.name))


def _step_s(analysis: UnifiedAnalysis, model: type[ServiceData]) -> float:
    data = analysis.get(model) or analysis.get(PeopleData)
    return (data.metadata.step_s if data is not None else 0.0) or _DEFAULT_STEP_S


def _end(entry: TimelineEntry) -> float:
    return entry.start_s if entry.end_s is None else entry.end_s


def _runs(kind: str, entries: Iterable[TimelineEntry], step: float) -> list[Element]:
    """Samples of one name that follow each other, as one element up to the end of the last.

    A sample that is an instant ends half a step later.
    """
    last: dict[str, Element] = {}
    done: list[Element] = []
    for entry in entries:
        name = name_of(entry)
        end = entry.start_s + step / 2 if entry.end_s is None else entry.end_s
        run = last.get(name)
        if run is not None and entry.start_s - run.end_s <= (CONSECUTIVE_STEPS - 0.5) * step:
            last[name] = replace(run, end_s=max(run.end_s, end))
            continue
        if run is not None:
            done.append(run)
        last[name] = Element(kind, name, entry.start_s, end)
    return [*done, *last.values()]


def most_at_once(elements: Iterable[Element], start_s: float, end_s: float) -> int:
    """The largest number of elements that are there together within the window."""
    there = [element for element in elements if element.overlaps(start_s, end_s)]
    if len(there) < 2:
        return len(there)
    starts = [max(element.start_s, start_s) for element in there]
    return intervals.most_at_once(starts, [min(element.end_s, end_s) for element in there])


def distinct(elements: Iterable[Element], start_s: float, end_s: float) -> dict[tuple[str, str], int]:
    """How many of each kind and name are there in the window.

    Texts and speech are what they say, gestures and people what they are; of objects of one class as many count as are
    there at once, for a track that breaks is not another object; of cuts each counts.
    """
    groups: dict[tuple[str, str], list[Element]] = {}
    for element in elements:
        if element.overlaps(start_s, end_s):
            groups.setdefault((element.kind, element.name), []).append(element)
    counts = {}
    for key, group in groups.items():
        if key[0] == "object":
            counts[key] = most_at_once(group, start_s, end_s)
        else:
            counts[key] = len(group) if key[0] == "scene_change" else 1
    return counts
