"""Shapes in a series of values: local maxima, runs, repetition."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.metrics.shared.statistics import line, std

_RHYTHM_BINS: Final = 12  # fewer bins hold no three periods
_RHYTHM_ABOVE: Final = 0.5
_SHORTEST_PERIOD: Final = 2


def local_maxima(values: npt.ArrayLike) -> list[int]:
    """Indices of the values above both neighbours; a plateau counts once, at its first; beyond the ends is lower."""
    numbers = np.asarray(values, dtype=np.float64)
    if not numbers.size:
        return []
    starts = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1])
    heights = np.concatenate([[-np.inf], numbers[starts], [-np.inf]])
    higher = (heights[1:-1] > heights[:-2]) & (heights[1:-1] > heights[2:])
    return [int(index) for index in starts[higher]]


def runs_of(flags: npt.ArrayLike) -> list[tuple[int, int]]:
    """Half-open index ranges ``[first, stop)`` of consecutive true values."""
    padded = np.concatenate([[False], np.asarray(flags, dtype=np.bool_), [False]])
    borders = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(first), int(stop)) for first, stop in borders.reshape(-1, 2)]


def is_rhythmic(values: npt.ArrayLike) -> bool:
    """Whether the series repeats itself: neither low variance nor a trend is rhythm.

    With N >= 12 values and x the values less their linear trend, the autocorrelation sum x_i x_(i+l) / sum x_i^2 has a
    local maximum > 0.5 at a lag l in 2..N/3. False for a constant x.
    """
    numbers = np.asarray(values, dtype=np.float64)
    count = numbers.size
    if count < _RHYTHM_BINS:
        return False
    positions = np.arange(count, dtype=np.float64)
    slope, intercept, _ = line(positions, numbers)
    x = numbers - (slope * positions + intercept)
    # Less its trend, a straight line is rounding noise, which std() against the values' own size tells from movement.
    if not std(numbers) or float(np.abs(x).max()) <= 1e-9 * float(np.abs(numbers).max()):
        return False
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(x, size)
    products = np.fft.irfft(spectrum * np.conj(spectrum), size)[:count]
    r = products / products[0]
    last = count // 3
    lags = np.arange(_SHORTEST_PERIOD, last + 1)
    peaks = (r[lags] > _RHYTHM_ABOVE) & (r[lags] > r[lags - 1]) & (r[lags] >= r[lags + 1])
    return bool(peaks.any())
