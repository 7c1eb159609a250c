"""Cut rate over the video, and cuts against sound.

Source: docs/analyses.md, scene_pacing. Conventions: ``cuts_s`` is the ``(n,)`` array of cut instants in seconds, in
order; windows are given by their ``(w + 1,)`` edges in seconds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.blocks.types import Level
from rumiai.core.arrays import Floats, Ints
from rumiai.core.intervals import chance_within, inside, near
from rumiai.metrics.scene_pacing.blocks import AccelerationPattern, PacingMomentum
from rumiai.metrics.shared.bins import count_in, equal_windows
from rumiai.metrics.shared.statistics import above_chance, balance, cv, mean, std

ONSET_TOLERANCE_S: Final = 0.15
BEAT_TOLERANCE_S: Final = 0.1
_TREND: Final = 0.2  # |acceleration| up to which the rate is maintained
_MOST_WINDOWS: Final = 10
_SYNCHRONOUS_CUTS: Final = 2
_PEAK_RATE_HZ: Final = 0.5


def acceleration(cuts_s: Floats, duration_s: float) -> float:
    """Balance of the cuts between the halves of the video: (second - first) / (second + first).

    Source: docs/analyses.md, scenePacingDynamics, ``accelerationScore``.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        duration_s: Length of the video in seconds.

    Returns:
        In -1..1; 0 without cuts.
    """
    first, second = half_counts(cuts_s, duration_s)
    return balance(float(first), float(second))


def trend_of(acceleration: float) -> PacingMomentum:
    """Word of an acceleration score.

    Source: docs/analyses.md, scenePacingDynamics, ``pacingMomentum``.

    Args:
        acceleration: -1..1 (:func:`acceleration`).

    Returns:
        maintaining within +-0.2, both limits included; else accelerating above 0, decelerating below.
    """
    if abs(acceleration) <= _TREND:
        return "maintaining"
    return "accelerating" if acceleration > 0 else "decelerating"


def acceleration_pattern(cuts_s: Floats, duration_s: float) -> AccelerationPattern:
    """Course of the cut rate, by halves and quarters.

    Source: docs/analyses.md, scenePacingDynamics, ``accelerationPattern``.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        duration_s: Length of the video in seconds.

    Returns:
        Building or declining when the halves show a trend and no quarter runs against it; steady when they show none
        and the quarters' cv is at most 0.5, as without cuts; variable otherwise.
    """
    quarters = count_in(equal_windows(duration_s, 4), cuts_s)
    steps = np.diff(quarters)
    trend = trend_of(acceleration(cuts_s, duration_s))
    if trend == "maintaining":
        return "steady" if (cv(quarters) or 0.0) <= 0.5 else "variable"
    if trend == "accelerating":
        return "building" if (steps >= 0).all() else "variable"
    return "declining" if (steps <= 0).all() else "variable"


def rate_windows(duration_s: float) -> Floats:
    """Windows of the pacing curve: w = clamp(floor(D / 2), 1, 10) equal ones.

    Source: docs/analyses.md, scenePacingDynamics, ``pacingCurve``.

    Args:
        duration_s: D, length of the video in seconds.

    Returns:
        ``(w + 1,)`` edges in seconds, from 0 to D.
    """
    return equal_windows(duration_s, min(_MOST_WINDOWS, max(1, int(duration_s / 2))))


def cut_rates(cuts_s: Floats, edges_s: Floats) -> Floats:
    """Cut rate of each window: cuts / its length.

    Source: docs/analyses.md, scenePacingDynamics, ``pacingCurve``.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        edges_s: ``(w + 1,)`` edges in seconds, ascending.

    Returns:
        ``(w,)`` cuts per second, at least 0; a cut on an edge belongs to the later window. Zeros without cuts.
    """
    rates: Floats = count_in(edges_s, cuts_s) / np.diff(edges_s)
    return rates


def peak_windows(rates_hz: Floats) -> list[int]:
    """Windows that are cut fastest: above mean + one deviation and at least 0.5 cuts per second.

    Source: docs/analyses.md, scenePacingKeyEvents, ``pacingPeaks``.

    Args:
        rates_hz: ``(w,)`` cuts per second, at least one.

    Returns:
        Their indices in order; empty without any.
    """
    limit = float(rates_hz.mean()) + (std(rates_hz) or 0.0)
    return [int(i) for i in np.flatnonzero((rates_hz > limit) & (rates_hz >= _PEAK_RATE_HZ))]


def intensity(cuts_per_second: float) -> Level:
    """Word of a cut rate.

    Source: docs/analyses.md, scenePacingDynamics, ``pacingCurve``.

    Args:
        cuts_per_second: At least 0.

    Returns:
        low below 0.2 cuts per second, medium below 0.6, else high.
    """
    return "low" if cuts_per_second < 0.2 else "medium" if cuts_per_second < 0.6 else "high"


def cuts_between(cuts_s: Floats, start_s: float, end_s: float) -> int:
    """Number of cuts inside an interval, its ends excluded.

    Source: docs/analyses.md, scenePacingDynamics, ``introPacing`` and ``outroPacing``.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        start_s: Start of the interval.
        end_s: End of the interval.

    Returns:
        >= 0; 0 without cuts.
    """
    return int(((cuts_s > start_s) & (cuts_s < end_s)).sum())


def climax_timing(cuts_s: Floats, edges_s: Floats) -> float | None:
    """Where the densest cutting is: the centre of the first window with the highest rate / D.

    Source: docs/analyses.md, scenePacingKeyEvents, ``climaxTiming``.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        edges_s: ``(w + 1,)`` edges of windows that cover the video.

    Returns:
        In 0..1; None without cuts.
    """
    if not cuts_s.size:
        return None
    fastest = int(np.argmax(cut_rates(cuts_s, edges_s)))
    return float((edges_s[fastest] + edges_s[fastest + 1]) / 2 / edges_s[-1])


def synchrony(cuts_s: Floats, targets_s: npt.ArrayLike, tolerance_s: float, looked_s: Floats) -> float | None:
    """Share of cuts on a target above chance: (p - c) / (1 - c), at least 0.

    p is the share of cuts within the tolerance of a target, c the share of the time that is. Source:
    docs/analyses.md, scenePacingInteractions, ``audioVisualSync`` (energy onsets, 0.15 s) and ``beatMatching``
    (beats, 0.1 s); the correction is that of Cohen's kappa.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        targets_s: ``(m,)`` instants in seconds.
        tolerance_s: Largest distance of a hit, inclusive.
        looked_s: ``(m, 2)`` union of the time in which both were looked for; a cut outside of it counts for nothing.

    Returns:
        In 0..1. None for fewer than two cuts: a single one is on a target or not; without targets; and where chance
        alone explains 0.9.
    """
    cuts_s = cuts_s[inside(looked_s, cuts_s)]
    if cuts_s.size < _SYNCHRONOUS_CUTS or not np.size(targets_s):
        return None
    return above_chance(mean(near(cuts_s, targets_s, tolerance_s)), chance_within(targets_s, tolerance_s, looked_s))


def half_counts(cuts_s: Floats, duration_s: float) -> Ints:
    """Number of cuts in each half of the video.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        duration_s: Length of the video in seconds.

    Returns:
        ``(2,)`` numbers; a cut in the middle belongs to the second half. Zeros without cuts.
    """
    return count_in(equal_windows(duration_s, 2), cuts_s)
