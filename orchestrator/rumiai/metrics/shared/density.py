"""Creative density per bin: how many elements of each type are there at once.

Texts and stickers count where they are active, objects by their median number per sampled frame, gestures and changes
of expression and scene where they begin. A type whose service failed is left out.
Source: docs/analyses.md, densityCoreMetrics and densityDynamics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Floats, Ints, freeze_arrays
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.words import TimedText, content_words

# In the order in which ties of the primary element are decided.
TYPES: Final[tuple[str, ...]] = ("text", "sticker", "gesture", "expression", "object", "scene_change")
_PERCENTILE: Final = (9, 10)  # the 90th, as a fraction: no rounding decides a rank


class BinWords(NamedTuple):
    """Words of one bin: content words on screen, content words spoken, and whether anything is spoken."""

    seen: set[str]
    heard: set[str]
    speaking: bool


@dataclass(frozen=True)
class Density:
    """Elements per bin, by type; only types whose service ran.

    Attributes:
        bins: The N bins.
        values: type -> ``(N,)`` what the type adds to the density d; onsets of a short last bin are divided by its
            length. NaN in a bin that the type's service did not look at.
        counts: type -> ``(N,)`` whole elements.
    """

    bins: Bins
    values: Mapping[str, Floats]
    counts: Mapping[str, Ints]

    def __post_init__(self) -> None:
        freeze_arrays(self, values=(np.float64, self.bins.count), counts=(np.int64, self.bins.count))

    @property
    def types(self) -> tuple[str, ...]:
        """The types whose service ran, in the order of ``TYPES``; empty when none did."""
        return tuple(self.values)

    @cached_property
    def total(self) -> Floats | None:
        """``(N,)`` d, elements of all types per bin; NaN in a bin that a service which ran did not look at.

        None when no service ran, or no bin was looked at by all that did.
        """
        if not self.values:
            return None
        total: Floats = np.sum([*self.values.values()], axis=0)
        return None if np.isnan(total).all() else total

    @property
    def is_complete(self) -> bool:
        """Whether the service of each of the six types ran: only then is a density high or low, and a bin empty."""
        return set(self.values) == set(TYPES)

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """``(types, N)`` whether the type is in the bin; False, too, where it was not looked for."""
        return np.array([values > 0 for values in self.values.values()]).reshape(-1, self.bins.count)

    def without(self, name: str) -> Floats | None:
        """Density less one type, to hold that type against the rest.

        Args:
            name: The type that is left out; nothing is, when its service did not run.

        Returns:
            ``(N,)`` elements per bin, NaN as in ``total``; None when no other service ran.
        """
        rest = [values for kind, values in self.values.items() if kind != name]
        return np.sum(rest, axis=0) if rest else None

    def primary(self) -> list[str | None]:
        """The type with most elements in each bin; the first of ``TYPES`` on ties.

        At least one service has to have run. Source: docs/analyses.md, densityDynamics, ``densityCurve``.

        Returns:
            N types, "none" for a bin without an element; None for a bin that a service which ran did not look at.
        """
        stacked = np.array([*self.values.values()])
        known = ~np.isnan(stacked).any(axis=0)
        largest = np.argmax(np.nan_to_num(stacked), axis=0).tolist()
        return [
            (self.types[kind] if stacked[kind, i] > 0 else "none") if known[i] else None
            for i, kind in enumerate(largest)
        ]


def measure_density(
    bins: Bins,
    *,
    texts_s: Floats | None,
    stickers_s: Floats | None,
    gestures_s: Floats | None,
    expressions_s: Floats | None,
    objects: Floats | None,
    cuts_s: Floats | None,
    observed: Mapping[str, npt.NDArray[np.bool_]] | None = None,
) -> Density:
    """Elements of each type in each bin; None leaves out a type whose service failed.

    Args:
        bins: The N bins of the video.
        texts_s: ``(n, 2)`` start and end of the texts, seconds.
        stickers_s: ``(n, 2)`` start and end of the stickers.
        gestures_s: ``(n,)`` starts of the gestures.
        expressions_s: ``(n,)`` changes of expression.
        objects: ``(N,)`` objects in each bin (:func:`objects_per_bin`).
        cuts_s: ``(n,)`` changes of scene.
        observed: Type -> ``(N,)`` which bins its service looked at; all for a type that is not in it.

    Returns:
        The density; without any type when all are None.
    """
    counts: dict[str, Ints] = {}
    values: dict[str, Floats] = {}
    for name, spans_s in (("text", texts_s), ("sticker", stickers_s)):
        if spans_s is not None:
            counts[name] = bins.active(spans_s[:, 0], spans_s[:, 1])
            values[name] = counts[name].astype(np.float64)
    for name, times_s in (("gesture", gestures_s), ("expression", expressions_s), ("scene_change", cuts_s)):
        if times_s is not None:
            counts[name] = bins.onsets(times_s)
            values[name] = bins.per_second(counts[name])
    if objects is not None:
        counts["object"] = np.floor(objects + 0.5).astype(np.int64)
        values["object"] = objects
    for name, seen in (observed or {}).items():
        if name in values:
            values[name] = np.where(seen, values[name], np.nan)
    known = [name for name in TYPES if name in values]
    return Density(bins, {name: values[name] for name in known}, {name: counts[name] for name in known})


def objects_per_bin(times_s: Floats, boxes: Ints, bins: Bins) -> Floats:
    """Median number of objects on the sampled frames of each bin.

    Args:
        times_s: ``(k,)`` instants of the sampled frames, ascending.
        boxes: ``(k,)`` objects on each.
        bins: The N bins of the video.

    Returns:
        ``(N,)``; a bin without a frame takes the frame before it. Zeros without frames.
    """
    return _group_medians(bins.index(times_s), boxes, bins.count) if times_s.size else np.zeros(bins.count)


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


def object_count(scenes: Ints, samples: Ints, classes: Ints) -> int:
    """Distinct objects: per scene and class the 90th percentile (nearest rank) of the simultaneous boxes, summed.

    The rank is taken over all sampled frames of the scene, those without a box of the class included.
    Source: docs/analyses.md, densityCoreMetrics, ``elementCounts``.

    Args:
        scenes: ``(k,)`` scene of each sampled frame.
        samples: ``(n,)`` sampled frame of each box.
        classes: ``(n,)`` class of each box, from 0.

    Returns:
        Number of objects; 0 without boxes.
    """
    if not samples.size:
        return 0
    kinds = int(classes.max()) + 1
    # Boxes of one class on one frame are one number.
    cells, boxes = np.unique(samples * kinds + classes, return_counts=True)
    groups = scenes[cells // kinds] * kinds + cells % kinds
    order = np.lexsort((boxes, groups))
    groups, boxes = groups[order], boxes[order]
    found, firsts, sizes = np.unique(groups, return_index=True, return_counts=True)
    frames = np.bincount(scenes)[found // kinds]
    part, whole = _PERCENTILE
    rank = -(-part * frames // whole)  # ceil, 1-based, among all frames of the scene
    within = rank - 1 - (frames - sizes)  # the frames without the class rank lowest
    return int(np.where(within >= 0, boxes[np.clip(firsts + within, 0, boxes.size - 1)], 0).sum())


def words_by_bin(bins: Bins, shown: Iterable[TimedText], spoken: Iterable[TimedText]) -> Iterator[BinWords]:
    """What is read and heard in each bin.

    Args:
        bins: The N bins of the video.
        shown: Texts on screen.
        spoken: Words that are spoken.

    Yields:
        N times: the words of the bin.
    """
    on_screen, heard = _active_texts(bins, shown), _active_texts(bins, spoken)
    content = {text: content_words(text) for texts in (*on_screen, *heard) for text in texts}

    def words_of(texts: list[str]) -> set[str]:
        return {word for text in texts for word in content[text]}

    for seen, said in zip(on_screen, heard, strict=True):
        yield BinWords(words_of(seen), words_of(said), bool(said))


def _active_texts(bins: Bins, texts: Iterable[TimedText]) -> list[list[str]]:
    listed = list(texts)
    first, last = bins.active_range([start for _, start, _ in listed], [end for _, _, end in listed])
    active: list[list[str]] = [[] for _ in range(bins.count)]
    for (text, _, _), start, end in zip(listed, first.tolist(), last.tolist(), strict=True):
        for index in range(start, end + 1):
            active[index].append(text)
    return active
