"""Shapes in a series of values: runs of flags, repetition."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Floats
from rumiai.metrics.shared.statistics import line, std

RHYTHM_BINS: Final = 12  # fewer bins hold no three periods
_RHYTHM_ABOVE: Final = 0.5  # autocorrelation
_SHORTEST_PERIOD: Final = 2  # bins


def runs_of(flags: npt.ArrayLike) -> list[tuple[int, int]]:
    """Runs of consecutive true values.

    Args:
        flags: ``(n,)`` booleans, in order.

    Returns:
        Half-open index ranges ``[first, stop)``, ascending. Empty without a true value.
    """
    padded = np.concatenate([[False], np.asarray(flags, dtype=np.bool_), [False]])
    borders = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(first), int(stop)) for first, stop in borders.reshape(-1, 2)]


def is_rhythmic(values: npt.ArrayLike) -> bool:
    """Whether a series repeats itself; neither low variance nor a trend is rhythm.

    The autocorrelation of the detrended values has a local maximum above 0.5 at a lag of 2 to n / 3.
    Source: docs/analyses.md, densityPatterns ``structuralFlags.rhythmicPattern``.

    Args:
        values: ``(n,)`` one number per bin.

    Returns:
        False for fewer than 12 values, and for values on a straight line.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size < RHYTHM_BINS:
        return False
    x = detrended(numbers)
    # Less its trend, a straight line is rounding noise, which std() against the values' own size tells from movement.
    if not std(numbers) or float(np.abs(x).max()) <= 1e-9 * float(np.abs(numbers).max()):
        return False
    r = autocorrelation(x)
    lags = np.arange(_SHORTEST_PERIOD, numbers.size // 3 + 1)
    peaks = (r[lags] > _RHYTHM_ABOVE) & (r[lags] > r[lags - 1]) & (r[lags] >= r[lags + 1])
    return bool(peaks.any())


def detrended(values: Floats) -> Floats:
    """The values less their least-squares line.

    Args:
        values: ``(n,)`` numbers at equal steps, at least one.

    Returns:
        ``(n,)`` residuals; their mean is 0.
    """
    positions = np.arange(values.size, dtype=np.float64)
    slope, intercept, _ = line(positions, values)
    rest: Floats = values - (slope * positions + intercept)
    return rest


def autocorrelation(values: Floats) -> Floats:
    """``sum_i x_i x_(i + lag) / sum_i x_i^2`` for every lag.

    Args:
        values: ``(n,)`` numbers, not all 0.

    Returns:
        ``(n,)`` the value at index ``lag``; 1 at lag 0.
    """
    size = 1 << (2 * values.size - 1).bit_length()  # padded to a power of two, so that nothing wraps around
    spectrum = np.fft.rfft(values, size)
    products = np.fft.irfft(spectrum * np.conj(spectrum), size)[: values.size]
    ratios: Floats = products / products[0]
    return ratios
