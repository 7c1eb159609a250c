"""Seconds that stand out by their emotion.

Source: docs/analyses.md, emotionalKeyEvents and emotionalDynamics (``peakEmotionMoments``). Conventions as in
:mod:`rumiai.metrics.emotional_journey.curves`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rumiai.contracts.lexicons import Emotion
from rumiai.core.arrays import Floats, Ints
from rumiai.core.series import local_maxima
from rumiai.metrics.emotional_journey.blocks import PeakRhythm
from rumiai.metrics.emotional_journey.curves import running_mean
from rumiai.metrics.shared.statistics import cv, mean, variance

STRONG: Final = 0.6  # intensity or |valence| of a strong emotion
_MOVED: Final = 0.2  # distance of the valence from its running mean that is a peak
_DIP: Final = 0.1  # by which a curve falls between two peaks
_NOISE: Final = 0.01  # heights that differ by less are equal, and the earlier stands
_BEFORE_BINS: Final = 3


@dataclass(frozen=True)
class Peak:
    """A bin that stands out.

    Attributes:
        bin: Its index.
        emotion: The label with most confidence in it.
        intensity: Its mean intensity, 0..1.
        time_s: Instant of its most intense sample, in seconds.
    """

    bin: int
    emotion: Emotion
    intensity: float
    time_s: float


def distinct_maxima(heights: Floats, eligible: Ints) -> list[int]:
    """Local maxima among the eligible bins; all other bins count as lower than any of these.

    Of two maxima between which the curve falls by no more than 0.1 the higher stands, the earlier when they differ by
    0.01 or less, so that a steady face does not peak with its noise. (Prominence, as scipy has it, would keep both of
    two equal maxima.)

    Args:
        heights: ``(N,)`` curve.
        eligible: Indices of the bins that can be a maximum, ascending.

    Returns:
        Indices of the maxima above 0, ascending; empty without any.
    """
    curve = np.full(heights.size, -1.0)
    curve[eligible] = heights[eligible]
    found: list[int] = []
    for index in (i for i in local_maxima(curve) if curve[i] > 0):
        if not found or curve[found[-1] : index].min() < min(curve[found[-1]], curve[index]) - _DIP:
            found.append(index)
        elif curve[index] > curve[found[-1]] + _NOISE:
            found[-1] = index
    return found


def intense_bins(intensity: Floats, toned: Ints) -> list[int]:
    """Maxima of the intensity, the most intense first.

    Source: docs/analyses.md, emotionalDynamics, ``peakEmotionMoments``.

    Args:
        intensity: ``(N,)`` intensity curve.
        toned: Bins whose label is an emotion other than neutral, ascending.

    Returns:
        Indices of bins; the earlier first on ties, empty without toned bins.
    """
    return sorted(distinct_maxima(intensity, toned), key=lambda i: (-float(intensity[i]), i))


def emotion_peaks(valence: Floats, intensity: Floats, toned: Ints) -> list[int]:
    """Maxima of |valence - running mean of the 3 s before| above 0.2, or of an intensity above 0.6.

    Source: docs/analyses.md, emotionalKeyEvents, ``emotionalPeaks``.

    Args:
        valence: ``(N,)`` valence curve.
        intensity: ``(N,)`` intensity curve.
        toned: Bins whose label is an emotion other than neutral, ascending.

    Returns:
        Indices of bins, the highest by either measure first, the earlier first on ties; empty without toned bins.
    """
    away = np.nan_to_num(np.abs(valence - running_mean(valence, _BEFORE_BINS)))
    strong = {i for i in distinct_maxima(intensity, toned) if intensity[i] > STRONG}
    moved = {i for i in distinct_maxima(away, toned) if away[i] > _MOVED}
    return sorted(strong | moved, key=lambda i: (-max(float(away[i]), float(intensity[i])), i))


def peak_rhythm(times_s: Floats) -> PeakRhythm:
    """How regularly peaks follow each other: 1 / (1 + cv) of their spacing.

    Args:
        times_s: ``(n,)`` instants of the peaks in seconds, in any order.

    Returns:
        The spacing; mean and variance are None with fewer than two peaks, the regularity with fewer than three.
    """
    spacing_s = np.diff(np.sort(times_s))
    spread = cv(spacing_s)
    regularity = 1 / (1 + spread) if spread is not None and spacing_s.size > 1 else None
    return PeakRhythm(
        peak_spacing_mean=mean(spacing_s),
        peak_spacing_variance=variance(spacing_s),
        regularity_score=regularity,
        peak_count=int(times_s.size),
    )
