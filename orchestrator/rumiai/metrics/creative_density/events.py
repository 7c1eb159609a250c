"""Moments of the density curve: peaks, dead zones, shifts, and bins in which several types of element meet.

Source: docs/analyses.md, creative_density. Conventions: ``d`` is ``(n,)``, the number of simultaneous elements in each
one-second bin, n >= 1, NaN in a bin that was not observed, which is no moment; deviations are population deviations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.blocks.types import Level
from rumiai.core.arrays import Floats, Ints
from rumiai.core.series import local_maxima
from rumiai.metrics.creative_density.blocks import (
    MOST_EVENTS,
    DeadZone,
    DensityShift,
    MultiModalPeak,
    PeakMoment,
    SyncType,
)
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.series import runs_of
from rumiai.metrics.shared.statistics import mean, std

MODES: Final = 3  # types that make a multi-modal peak
_AROUND: Final = 3  # bins on either side that a peak is compared with
_DEAD_BINS: Final = 2
_SUDDEN: Final = 0.5  # change over the larger of the two sides
_LOW, _HIGH = 0.5, 1.5  # limits of the levels, in means
_LEVELS: Final[tuple[Level, ...]] = ("low", "medium", "high")


def multi_modal_peaks(
    types: Sequence[str],
    present: npt.NDArray[np.bool_],
    words: Iterable[tuple[set[str], set[str], bool]],
    bins: Bins,
    *,
    speech_known: bool = True,
) -> list[MultiModalPeak]:
    """Bins with three or more types of element.

    They are ``redundant`` when the same words are seen and heard, ``reinforcing`` when text meets speech or a gesture,
    else ``complementary``.

    Args:
        types: Names of the k types.
        present: ``(k, n)`` whether the type is in the bin.
        words: Per bin: content words on screen, content words spoken, whether anything is spoken.
        bins: The n bins.
        speech_known: Whether speech was listened for; without it a peak with text has no such word.

    Returns:
        In order of time; empty when no bin holds three types.
    """
    found = []
    for index, (seen, heard, speaking) in enumerate(words):
        kinds = [kind for kind, there in zip(types, present[:, index], strict=True) if there]
        if len(kinds) < MODES:
            continue
        sync: SyncType | None = "complementary"
        if "text" in kinds and not speech_known:
            sync = None
        elif seen & heard:
            sync = "redundant"
        elif "text" in kinds and (speaking or "gesture" in kinds):
            sync = "reinforcing"
        found.append(MultiModalPeak(timestamp=bins.label(index), elements=kinds, sync_type=sync))
    return found


def peak_moments(d: Floats, counts: Mapping[str, Ints], bins: Bins) -> list[PeakMoment]:
    """Local maxima above mean + deviation, at most the ten most surprising.

    Args:
        d: ``(n,)`` elements per bin.
        counts: Type -> ``(n,)`` whole elements.
        bins: The n bins.

    Returns:
        In order of time; empty for a constant curve.
    """
    deviation = std(d) or 0.0
    # A plateau of ends and middles can only be above mean + deviation when there is a deviation.
    middle, filled = mean(d) or 0.0, np.nan_to_num(d)
    ranked = [(surprise(d, i, deviation), i) for i in local_maxima(filled) if d[i] > middle + deviation and deviation]
    strongest = sorted(ranked, key=lambda item: (-item[0], item[1]))[:MOST_EVENTS]
    moments = []
    for score, index in sorted(strongest, key=lambda item: item[1]):
        breakdown = {kind: int(numbers[index]) for kind, numbers in counts.items()}
        moments.append(
            PeakMoment(
                timestamp=bins.label(index),
                total_elements=sum(breakdown.values()),
                surprise_score=score,
                element_breakdown=breakdown,
            )
        )
    return moments


def surprise(d: Floats, index: int, deviation: float) -> float:
    """How far a bin stands out from those around it, in deviations of the curve.

    (d - mean of the three *other* bins on either side) / deviation. Source: docs/analyses.md, densityKeyEvents,
    ``peakMoments``.

    Args:
        d: ``(n,)`` elements per bin, n >= 2.
        index: Of the bin, which is known.
        deviation: Of d, > 0.

    Returns:
        Below 0 where the bins around are fuller; 0 where no other bin around is known.
    """
    near = np.concatenate([d[max(0, index - _AROUND) : index], d[index + 1 : index + 1 + _AROUND]])
    around = mean(near)
    return 0.0 if around is None else (float(d[index]) - around) / deviation


def dead_zones(d: Floats, bins: Bins) -> list[DeadZone]:
    """Two or more empty bins in a row.

    Args:
        d: ``(n,)`` elements per bin.
        bins: The n bins.

    Returns:
        The longest first; empty when no two empty bins meet.
    """
    edges = bins.edges_s.tolist()
    zones = [(edges[first], edges[stop]) for first, stop in runs_of(d == 0) if stop - first >= _DEAD_BINS]
    return [
        DeadZone(start=start, end=end, duration=end - start)
        for start, end in sorted(zones, key=lambda zone: (zone[0] - zone[1], zone[0]))
    ]


def density_shifts(d: Floats, bins: Bins) -> list[DensityShift]:
    """Borders of bins at which the density changes suddenly and in level.

    The means of the two bins before and after a border differ by more than half of the larger, and lie on different
    levels: below 0.5, up to 1.5, or above 1.5 times the mean of the curve. Magnitude is difference / sum. Neighbouring
    borders see the same shift: of those in one direction the sharpest stands. At most ten, the largest.

    Args:
        d: ``(n,)`` elements per bin.
        bins: The n bins.

    Returns:
        In order of time; empty for fewer than four bins, and for a curve of zeros.
    """
    middle = mean(d) or 0.0
    if d.size < 2 * _DEAD_BINS or middle == 0:
        return []
    pairs = (d[:-1] + d[1:]) / 2
    before, after = pairs[:-2], pairs[2:]
    delta = after - before
    larger, both = np.maximum(before, after), before + after
    magnitude = np.divide(np.abs(delta), both, out=np.zeros_like(delta), where=both > 0)
    before_level, after_level = _levels(before, middle), _levels(after, middle)
    sudden = (before_level != after_level) & (np.abs(delta) > _SUDDEN * larger)
    sharpest = [
        max(range(first, stop), key=lambda i: (magnitude[i], abs(delta[i]), -i))
        for rising in (False, True)
        for first, stop in runs_of(sudden & ((delta > 0) == rising))
    ]
    return [
        DensityShift(
            timestamp=float(bins.edges_s[i + 2]),
            from_=_LEVELS[before_level[i]],
            to=_LEVELS[after_level[i]],
            magnitude=float(magnitude[i]),
        )
        for i in sorted(sorted(sharpest, key=lambda i: (-magnitude[i], i))[:MOST_EVENTS])
    ]


def _levels(values: Floats, middle: float) -> Ints:
    """Index into the levels of each value; that of 0 for NaN, which no comparison calls sudden."""
    return (values >= _LOW * middle).astype(np.int64) + (values > _HIGH * middle)
