"""How much is said, how fast, and how evenly.

Source: docs/analyses.md, speechCoreMetrics and speechDynamics. Conventions: times are seconds from the start of the
video; ``words_s`` are ``(n, 2)`` spans of words by start, within the video, and ``weights`` ``(n,)`` how many words
each counts for; deviations are population deviations.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Floats
from rumiai.core.intervals import covered_until, length
from rumiai.metrics.shared.bins import equal_windows, weigh_in
from rumiai.metrics.shared.statistics import balance, cv, ratio

WINDOW_S: Final = 5.0
_PRESENT_COVERAGE: Final = 0.1
_PRESENT_WORDS: Final = 5
_FRONT_SHARE: Final = 0.2
_SPOKEN_S: Final = 0.5  # voiced seconds of a window with speech; a word's end that runs into it is less
_SLOW, _FAST = 1.8, 3.2  # words per second
_STEADY: Final = 0.2
_FLOWING: Final = 0.15
_TREND: Final = 0.2
_STACCATO: Final = 10.0  # pauses per minute

Intensity = Literal["low", "moderate", "high"]
Rhythm = Literal["steady", "variable", "accelerating", "decelerating"]
RhythmType = Literal["flowing", "building", "staccato", "erratic"]


def coverage(voiced_s: Floats, observed_s: float) -> float:
    """Share of the time listened to in which somebody speaks.

    Source: docs/analyses.md, speechCoreMetrics, ``speechCoverage``.

    Args:
        voiced_s: ``(v, 2)`` union of the voiced time.
        observed_s: Seconds that were listened to, above 0.

    Returns:
        0..1; 0 without voiced time.
    """
    return min(1.0, length(voiced_s) / observed_s)


def is_speech_present(covered: float, total_words: int) -> bool:
    """Whether there is enough speech to be described.

    Source: docs/analyses.md, speechCoreMetrics, ``speechPresent``.

    Args:
        covered: Share of the time listened to in which somebody speaks, 0..1 (:func:`coverage`).
        total_words: Words of the video.

    Returns:
        True from 10 % of that time and five words.
    """
    return covered >= _PRESENT_COVERAGE and total_words >= _PRESENT_WORDS


def words_per_minute(total_words: int, speech_s: float) -> float | None:
    """Speaking rate: words per minute of voiced time.

    Source: docs/analyses.md, speechCoreMetrics, ``wordsPerMinute``.

    Args:
        total_words: Words of the video.
        speech_s: Voiced time.

    Returns:
        At least 0; None without voiced time.
    """
    return ratio(60 * total_words, speech_s)


def words_until(words_s: Floats, weights: Floats, times_s: Floats, duration_s: float) -> Floats:
    """Words spoken before each instant; a word under way counts by its share.

    The sum of one ramp per word: each rises from 0 to its weight; a word without length is a step.

    Args:
        words_s: ``(n, 2)`` spans of the words.
        weights: ``(n,)`` words that each counts for.
        times_s: ``(k,)`` instants.
        duration_s: Length of the video; from there on all words are spoken.

    Returns:
        ``(k,)`` words; zeros without words.
    """
    if not len(words_s):
        return np.zeros(len(times_s))
    lengths = np.maximum(words_s[:, 1] - words_s[:, 0], 1e-6)
    slopes = weights / lengths
    points = np.concatenate([words_s[:, 0], words_s[:, 0] + lengths])
    order = np.argsort(points, kind="stable")
    slope_after = np.cumsum(np.concatenate([slopes, -slopes])[order])
    points = points[order]
    heights = np.concatenate([[0.0], np.cumsum(slope_after[:-1] * np.diff(points))])
    total = float(weights.sum())
    spoken: Floats = np.interp(times_s, points, heights, left=0.0, right=total)
    return np.where(times_s >= duration_s, total, spoken)


def window_rates(words_s: Floats, weights: Floats, edges_s: Floats) -> Floats:
    """Words per second of consecutive windows; a word across a border is shared by time.

    Source: docs/analyses.md, speechDynamics, ``speechPacingCurve``.

    Args:
        words_s: ``(n, 2)`` spans of the words.
        weights: ``(n,)`` words that each counts for.
        edges_s: ``(w + 1,)`` ends of the windows; the last is the end of the video.

    Returns:
        ``(w,)`` words per second; zeros without words.
    """
    rates: Floats = np.diff(words_until(words_s, weights, edges_s, float(edges_s[-1]))) / np.diff(edges_s)
    return rates


def spoken_rates(rates: Floats, edges_s: Floats, voiced_s: Floats) -> Floats:
    """The rates of the windows with speech.

    A window has speech with 0.5 s of voiced time. A last window shorter than half of a whole one says little and is
    left out, unless it is the only one.

    Args:
        rates: ``(w,)`` words per second of the windows, NaN where unknown.
        edges_s: ``(w + 1,)`` ends of the windows.
        voiced_s: ``(v, 2)`` union of the voiced time.

    Returns:
        ``(s,)`` rates, s <= w; empty without speech.
    """
    enough = np.diff(edges_s) >= WINDOW_S / 2
    enough[0] = True
    voiced = np.diff(covered_until(voiced_s, edges_s)) >= _SPOKEN_S
    chosen: Floats = rates[enough & voiced & ~np.isnan(rates)]
    return chosen


def rate_spread(rates: Floats) -> float | None:
    """How unevenly somebody speaks: coefficient of variation of the rates of the windows with speech.

    Source: docs/analyses.md, speechDynamics, ``pacingVariation``, which cuts it at 1.

    Args:
        rates: ``(s,)`` rates of the windows with speech.

    Returns:
        At least 0; None for fewer than two windows.
    """
    return cv(rates) if rates.size > 1 else None


def intensity(words_per_second: float | None) -> Intensity | None:
    """Word of a speaking rate.

    Source: docs/analyses.md, speechDynamics, ``speechPacingCurve``.

    Args:
        words_per_second: The rate; None when unknown.

    Returns:
        low below 1.8 words per second, moderate below 3.2, else high; None for None.
    """
    if words_per_second is None:
        return None
    return "low" if words_per_second < _SLOW else "moderate" if words_per_second < _FAST else "high"


def acceleration(starts_s: Floats, weights: Floats, heard: Observed) -> float | None:
    """Whether more is said later: (b - a) / (a + b) with a, b the words per second heard that begin in each half.

    Source: docs/analyses.md, speechDynamics, ``accelerationScore``.

    Args:
        starts_s: ``(n,)`` starts of the words; one in the middle belongs to the second half.
        weights: ``(n,)`` words that each counts for.
        heard: When the sound was listened to.

    Returns:
        -1..1; None without words, and where less than half of a half was listened to.
    """
    edges_s = equal_windows(heard.duration_s, 2)
    rates = heard.rates(edges_s, weigh_in(edges_s, starts_s, weights))
    return None if rates is None or not weights.sum() else balance(*rates.tolist())


def front_load(starts_s: Floats, weights: Floats, heard: Observed) -> float | None:
    """Share of the words that begin in the first 20 % of the video.

    Source: docs/analyses.md, speechDynamics, ``speechFrontLoadRatio``.

    Args:
        starts_s: ``(n,)`` starts of the words.
        weights: ``(n,)`` words that each counts for.
        heard: When the sound was listened to. What was missed of a part is taken to be like the rest of it.

    Returns:
        0..1; None without words, and where less than half of the beginning, or of the rest, was listened to.
    """
    edges_s = np.array([0.0, _FRONT_SHARE, 1.0]) * heard.duration_s
    rates = heard.rates(edges_s, weigh_in(edges_s, starts_s, weights))
    if rates is None:
        return None
    words = rates * np.diff(edges_s)
    return ratio(float(words[0]), float(words.sum()))


def rhythm(spread: float | None, change: float | None) -> Rhythm | None:
    """Rhythm of the speech over its windows.

    Source: docs/analyses.md, speechDynamics, ``speechRhythm``.

    Args:
        spread: Coefficient of variation of the rates (:func:`rate_spread`).
        change: Acceleration (:func:`acceleration`).

    Returns:
        steady for a spread below 0.2; accelerating or decelerating for a change beyond +-0.2; else variable. None
        without a spread.
    """
    if spread is None:
        return None
    if spread < _STEADY:
        return "steady"
    change = change or 0.0
    if abs(change) <= _TREND:
        return "variable"
    return "accelerating" if change > 0 else "decelerating"


def rhythm_type(spread: float | None, change: float | None, pauses_per_minute: float) -> RhythmType | None:
    """Rhythm of the speech in the words of the older form.

    Args:
        spread: Coefficient of variation of the rates (:func:`rate_spread`); None when unknown.
        change: Acceleration, -1..1 (:func:`acceleration`); None when unknown, which counts as 0.
        pauses_per_minute: Pauses per minute that was listened to.

    Returns:
        flowing for a spread below 0.15, building for a change above 0.2, staccato from ten pauses a minute, else
        erratic. None without a spread.
    """
    if spread is None:
        return None
    if spread < _FLOWING:
        return "flowing"
    if (change or 0.0) > _TREND:
        return "building"
    return "staccato" if pauses_per_minute >= _STACCATO else "erratic"


def rhythm_consistency(spread: float | None) -> float | None:
    """How even the rates are: 1 / (1 + spread).

    Args:
        spread: Coefficient of variation of the rates; None when unknown.

    Returns:
        In (0, 1]; None without a spread.
    """
    return None if spread is None else 1 / (1 + spread)
