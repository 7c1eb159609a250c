"""Shapes in a series of values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def local_maxima(values: npt.ArrayLike) -> list[int]:
    """Indices of the values that are higher than both neighbours.

    A plateau counts once, at its first index. What lies beyond the ends counts as lower, so the first and the last
    value can be maxima.

    Args:
        values: ``(n,)`` finite numbers, in order.

    Returns:
        Indices, ascending. Empty for no values; the first index for equal values.
    """
    series = np.asarray(values, dtype=np.float64)
    is_start = np.ones(series.size, dtype=np.bool_)
    is_start[1:] = series[1:] != series[:-1]
    starts = np.flatnonzero(is_start)
    fenced = np.pad(series[starts], 1, constant_values=-np.inf)
    is_top = (fenced[1:-1] > fenced[:-2]) & (fenced[1:-1] > fenced[2:])
    return [int(index) for index in starts[is_top]]
