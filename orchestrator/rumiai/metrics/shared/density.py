"""Creative density per bin: how many elements of each type are there at once (docs: analyses, 1.2).

Texts and stickers count where they are active, objects by their median number per sampled frame, gestures and changes
of expression and scene where they begin. A type whose service failed is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Floats, Ints, freeze_arrays
from rumiai.metrics.evidence.types import Evidence, Objects, Shots
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.words import content_words

# In the order in which ties of the primary element are decided.
TYPES: Final[tuple[str, ...]] = ("text", "sticker", "gesture", "expression", "object", "scene_change")
_PERCENTILE: Final = (9, 10)  # the 90th, as a fraction: no rounding decides a rank


@dataclass(frozen=True)
class Density:
    """Elements per bin, by type; only types whose service ran.

    Attributes:
        values: type -> ``(N,)`` what the type adds to d; onsets of a short last bin are divided by its length.
        counts: type -> ``(N,)`` whole elements.
    """

    bins: Bins
    values: Mapping[str, Floats]
    counts: Mapping[str, Ints]

    def __post_init__(self) -> None:
        freeze_arrays(self, values=(np.float64, self.bins.count), counts=(np.int64, self.bins.count))

    @property
    def types(self) -> tuple[str, ...]:
        """The types whose service ran."""
        return tuple(self.values)

    @cached_property
    def total(self) -> Floats | None:
        """``(N,)`` d; None when no service ran."""
        return np.sum([*self.values.values()], axis=0) if self.values else None

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """``(types, N)`` whether the type is in the bin."""
        return np.array([values > 0 for values in self.values.values()]).reshape(-1, self.bins.count)

    def without(self, name: str) -> Floats | None:
        """``(N,)`` d less one type; None when no other service ran."""
        rest = [values for kind, values in self.values.items() if kind != name]
        return np.sum(rest, axis=0) if rest else None

    def primary(self) -> list[str]:
        """The largest type of each bin, "none" for an empty one."""
        stacked = np.array([*self.values.values()])
        largest = np.argmax(stacked, axis=0)
        return [self.types[kind] if stacked[kind, i] > 0 else "none" for i, kind in enumerate(largest)]


def density_of(evidence: Evidence) -> Density:
    """The density of a video."""
    bins = evidence.bins
    values: dict[str, Floats] = {}
    counts: dict[str, Ints] = {}

    def active(name: str, spans: list[tuple[float, float]]) -> None:
        counts[name] = bins.active([start for start, _ in spans], [end for _, end in spans])
        values[name] = counts[name].astype(np.float64)

    def onset(name: str, times_s: npt.ArrayLike) -> None:
        counts[name] = bins.onsets(times_s)
        values[name] = bins.per_second(counts[name])

    if evidence.texts is not None:
        active("text", [(text.start_s, text.end_s) for text in evidence.texts])
    if evidence.stickers is not None:
        active("sticker", [(sticker.start_s, sticker.end_s) for sticker in evidence.stickers])
    if evidence.gestures is not None:
        onset("gesture", [gesture.start_s for gesture in evidence.gestures])
    if evidence.expressions is not None:
        onset("expression", [change.time_s for change in evidence.expressions.smoothed.changes])
    if evidence.objects is not None:
        values["object"] = objects_per_bin(evidence.objects, bins)
        counts["object"] = np.floor(values["object"] + 0.5).astype(np.int64)
    if evidence.shots is not None:
        onset("scene_change", evidence.shots.cuts_s)
    return Density(bins, values, counts)


def objects_per_bin(objects: Objects, bins: Bins) -> Floats:
    """``(N,)`` median number of boxes per sampled frame; a bin without a frame takes the frame before it."""
    grid = objects.grid
    if not grid.count:
        return np.zeros(bins.count)
    return _group_medians(bins.index(grid.nominal_s), objects.per_sample, bins.count)


def _group_medians(groups: Ints, numbers: Ints, count: int) -> Floats:
    """Median of the numbers of each group; ``groups`` ascends; an empty group takes the last number before it."""
    order = np.lexsort((numbers, groups))
    ordered = numbers[order]
    sizes = np.bincount(groups, minlength=count)
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    low = np.clip(firsts + (sizes - 1) // 2, 0, ordered.size - 1)
    high = np.clip(firsts + sizes // 2, 0, ordered.size - 1)
    before = numbers[np.maximum(firsts - 1, 0)]
    result: Floats = np.where(sizes > 0, (ordered[low] + ordered[high]) / 2, before)
    return result


def object_count(objects: Objects, shots: Shots) -> int:
    """Distinct objects: per scene and class the 90th percentile (nearest rank) of the simultaneous boxes, summed.

    The rank is taken over all sampled frames of the scene, those without a box of the class included.
    """
    scene_of = shots.index(objects.grid.times_s)
    frames = np.bincount(scene_of, minlength=shots.starts_s.size)
    # Boxes of one class on one frame are one number.
    kinds = max(1, len(objects.classes))
    cells, boxes = np.unique(objects.sample * kinds + objects.class_index, return_counts=True)
    groups = scene_of[cells // kinds] * kinds + cells % kinds
    order = np.lexsort((boxes, groups))
    groups, boxes = groups[order], boxes[order]
    found, firsts, sizes = np.unique(groups, return_index=True, return_counts=True)
    scene_frames = frames[found // kinds]
    part, whole = _PERCENTILE
    rank = -(-part * scene_frames // whole)  # ceil, 1-based, among all frames of the scene
    within = rank - 1 - (scene_frames - sizes)  # the frames without the class rank lowest
    return int(np.where(within >= 0, boxes[np.clip(firsts + within, 0, boxes.size - 1)], 0).sum()) if found.size else 0


def words_by_bin(evidence: Evidence) -> Iterator[tuple[set[str], set[str], bool]]:
    """Per bin: content words on screen, content words spoken, and whether anything is spoken."""
    bins = evidence.bins
    texts = evidence.texts or ()
    first, last = bins.active_range([t.start_s for t in texts], [t.end_s for t in texts])
    shown: list[list[int]] = [[] for _ in range(bins.count)]
    gone: list[list[int]] = [[] for _ in range(bins.count + 1)]
    for number in range(len(texts)):
        shown[first[number]].append(number)
        gone[last[number] + 1].append(number)
    spoken: list[list[str]] = [[] for _ in range(bins.count)]
    words = evidence.speech.words if evidence.speech is not None else ()
    starts, ends = bins.active_range([w.start_s for w in words], [w.end_s for w in words])
    for word, start, end in zip(words, starts, ends, strict=True):
        for index in range(start, end + 1):
            spoken[index].append(word.text)
    on_screen: dict[int, list[str]] = {}
    for index in range(bins.count):
        for number in gone[index]:
            del on_screen[number]
        on_screen.update({number: content_words(texts[number].text) for number in shown[index]})
        said = {word for text in spoken[index] for word in content_words(text)}
        yield {word for found in on_screen.values() for word in found}, said, bool(spoken[index])
