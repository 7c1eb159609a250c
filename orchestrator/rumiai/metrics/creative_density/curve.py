"""The shape of the density curve, in numbers and in words.

Source: docs/analyses.md, creative_density. Conventions: ``d`` is ``(n,)``, the number of simultaneous elements in each
one-second bin, n >= 1, NaN in a bin that was not observed, which counts for nothing, at least one known; deviations are
population deviations; cv is the deviation over the mean, 0 when the mean is 0; a third is floor(n / 3) bins, at least
one.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.core.series import local_maxima
from rumiai.metrics.creative_density.blocks import (
    AccelerationPattern,
    CognitiveLoadCategory,
    DensityClassification,
    DensityProgression,
    PacingStyle,
    PatternFlags,
    StructuralFlags,
)
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.series import RHYTHM_BINS, is_rhythmic
from rumiai.metrics.shared.statistics import cv, line, mean

_UNEVEN: Final = 1.5  # ratio of two stretches that counts as a difference
_HIGH_PEAK: Final = 1.5  # times the mean
_UNKNOWN_SHARE: Final = 0.5  # of a third, above which it says nothing
_FEW_BINS: Final = 6  # thirds of fewer bins say nothing
_TREND_BINS: Final = 3  # two always lie on a line
_OPENING_BINS: Final = 3
_STEADY_CV: Final = 0.3
_OSCILLATING_CV: Final = 0.5
_ERRATIC_VOLATILITY: Final = 0.8
_UNEXPLAINED: Final = 0.1  # share of the variance below which a regression line is no trend
_TREND: Final = 0.3  # change over the video, in means
_PEAKS_APART_BINS: Final = 8
_MANY_PEAKS: Final = 3
_CLASSES: Final[tuple[tuple[float, DensityClassification], ...]] = ((1, "sparse"), (4, "moderate"), (8, "dense"))
_MOST_OPTIMAL: Final = 8.0  # fullest bin of an optimal load


def volatility(d: Floats) -> float:
    """How uneven the curve is: min(1, cv), with the population deviation over the mean.

    Source: docs/analyses.md, densityDynamics, ``volatility``.

    Args:
        d: ``(n,)`` elements per bin.

    Returns:
        0..1; 0 for a constant curve, one without elements among them.
    """
    return min(1.0, cv(d) or 0.0)


def thirds(d: Floats) -> tuple[float, float] | None:
    """Means of the first and of the last third.

    Args:
        d: ``(n,)`` elements per bin.

    Returns:
        None where they say nothing: fewer than six bins, an outer third of which less than half is known, an empty
        curve.
    """
    third = max(1, d.size // 3)
    outer = d[:third], d[-third:]
    first, last = map(mean, outer)
    if d.size < _FEW_BINS or first is None or last is None or is_empty(d):
        return None
    return None if any(np.isnan(part).mean() > _UNKNOWN_SHARE for part in outer) else (first, last)


def is_empty(d: Floats) -> bool:
    """Whether no known bin holds an element: such a curve has no shape.

    Args:
        d: ``(n,)`` elements per bin.

    Returns:
        True also where no bin is known.
    """
    return not np.nansum(d)


def acceleration_pattern(d: Floats) -> AccelerationPattern | None:
    """Where the density lies.

    ``front_loaded`` when the first third is more than 1.5 times as dense as the last, ``back_loaded`` the other way
    round, else ``oscillating`` when cv > 0.5, else ``even``.

    Args:
        d: ``(n,)`` elements per bin.

    Returns:
        None where the thirds say nothing (:func:`thirds`).
    """
    ends = thirds(d)
    if ends is None:
        return None
    first, last = ends
    if first > _UNEVEN * last:
        return "front_loaded"
    if last > _UNEVEN * first:
        return "back_loaded"
    return "oscillating" if (cv(d) or 0.0) > _OSCILLATING_CV else "even"


def density_progression(d: Floats, bins: Bins) -> DensityProgression | None:
    """Trend of the curve by its regression over time.

    ``erratic`` when the volatility is above 0.8 and the line explains less than a tenth of the variance; ``stable``
    when slope x duration / mean stays within +-0.3; else ``increasing`` or ``decreasing``.

    Args:
        d: ``(n,)`` elements per bin.
        bins: The n bins.

    Returns:
        None for fewer than three known bins and for a curve without elements.
    """
    if np.count_nonzero(~np.isnan(d)) < _TREND_BINS or is_empty(d):
        return None
    edges = bins.edges_s
    slope, _, explained = line((edges[:-1] + edges[1:]) / 2, d)
    if volatility(d) > _ERRATIC_VOLATILITY and explained < _UNEXPLAINED:
        return "erratic"
    change = slope * bins.duration_s / float(np.nanmean(d))
    if abs(change) < _TREND:
        return "stable"
    return "increasing" if change > 0 else "decreasing"


def strong_opening(d: Floats) -> bool | None:
    """Whether the first three bins are, on the mean, more than 1.5 times as dense as the rest.

    Args:
        d: ``(n,)`` elements per bin.

    Returns:
        None for a curve without elements, and where the opening or the rest is not known or not there.
    """
    opening, rest = mean(d[:_OPENING_BINS]), mean(d[_OPENING_BINS:])
    return None if opening is None or rest is None or is_empty(d) else opening > _UNEVEN * rest


def is_steady(d: Floats) -> bool:
    """Whether the density hardly varies: cv < 0.3.

    Args:
        d: ``(n,)`` elements per bin.

    Returns:
        True for a constant curve, one without elements among them.
    """
    return (cv(d) or 0.0) < _STEADY_CV


def structural_flags(d: Floats, *, closing_call: bool | None) -> StructuralFlags:
    """The shape of the curve as six flags.

    Source: docs/analyses.md, densityPatterns, ``structuralFlags``.

    Args:
        d: ``(n,)`` elements per bin.
        closing_call: Whether the video ends with a call to action; None when that is unknown.

    Returns:
        The flags, each None where it cannot be told: the opening as :func:`strong_opening` says, thirds and steadiness
        where :func:`thirds` says nothing, the rhythm with an unknown bin, below twelve bins, and without elements.
    """
    acceleration = acceleration_pattern(d)
    whole = not np.isnan(d).any()
    return StructuralFlags(
        strong_opening_hook=strong_opening(d),
        crescendo_pattern=None if acceleration is None else acceleration == "back_loaded",
        front_loaded=None if acceleration is None else acceleration == "front_loaded",
        consistent_pacing=None if acceleration is None else is_steady(d),
        final_call_to_action=closing_call,
        rhythmic_pattern=is_rhythmic(d) if whole and d.size >= RHYTHM_BINS and not is_empty(d) else None,
    )


def pattern_flags(d: Floats) -> PatternFlags:
    """The flags of the older form.

    A peak is a local maximum above 1.5 times the mean. Two peaks at least eight bins apart are a dual structure, three
    or more a rhythm.

    Args:
        d: ``(n,)`` elements per bin.

    Returns:
        The flags; those that :func:`structural_flags` has too are None where it cannot tell, those of peaks False.
    """
    flags, average = structural_flags(d, closing_call=None), float(np.nanmean(d))
    peaks = [i for i in local_maxima(np.nan_to_num(d)) if d[i] > _HIGH_PEAK * average]
    return PatternFlags(
        strong_opening_hook=flags.strong_opening_hook,
        crescendo_pattern=flags.crescendo_pattern,
        front_loaded=flags.front_loaded,
        consistent_density=flags.consistent_pacing,
        dual_peak_structure=len(peaks) == 2 and peaks[1] - peaks[0] >= _PEAKS_APART_BINS,
        multi_peak_rhythm=len(peaks) >= _MANY_PEAKS,
    )


def classification(average: float) -> DensityClassification:
    """The mean density in words: sparse below 1, moderate below 4, dense below 8 elements at once, else overwhelming.

    Source: docs/analyses.md, densityPatterns, ``densityClassification``.

    Args:
        average: Mean of d, >= 0.

    Returns:
        The word.
    """
    return next((word for limit, word in _CLASSES if average < limit), "overwhelming")


def pacing_style(
    d: Floats, acceleration: AccelerationPattern | None, progression: DensityProgression | None
) -> PacingStyle | None:
    """Steadiness, trend and thirds in one word.

    ``steady`` when cv < 0.3, ``building`` when the curve increases, ``burst_fade`` when it decreases and is front
    loaded, else ``oscillating``.

    Args:
        d: ``(n,)`` elements per bin.
        acceleration: Of the curve; None when it is unknown.
        progression: Of the curve; None when it is unknown.

    Returns:
        None where neither thirds nor trend say anything.
    """
    if acceleration is None or progression is None:
        return None
    if is_steady(d):
        return "steady"
    if progression == "increasing":
        return "building"
    return "burst_fade" if acceleration == "front_loaded" and progression == "decreasing" else "oscillating"


def cognitive_load(average: float, most: float) -> CognitiveLoadCategory:
    """How much there is to take in.

    ``minimal`` below 1 element at once on the mean, ``optimal`` below 4 when no bin holds more than 8, ``challenging``
    below 8, else ``overwhelming``. Source: docs/analyses.md, densityPatterns, ``cognitiveLoadCategory``.

    Args:
        average: Mean of d, >= 0.
        most: Largest value of d.

    Returns:
        The word.
    """
    if average < 1:
        return "minimal"
    if average < 4 and most <= _MOST_OPTIMAL:
        return "optimal"
    return "challenging" if average < 8 else "overwhelming"


def creative_score(average: float) -> float:
    """The mean density on a scale of 0..10: 3 at 0.5, 6 at 1.5, 10 from 3.5 on, linear in between.

    The score of the older form of the results, kept as it was.

    Args:
        average: Mean of d, >= 0.

    Returns:
        0..10; 0 for an empty curve.
    """
    if average < 0.5:
        return 6 * average
    if average < 1.5:
        return 3 + 3 * (average - 0.5)
    return 6 + min(2 * (average - 1.5), 4.0)
