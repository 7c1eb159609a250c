"""Local maxima of a series of values."""

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
    # Imported at the first use: scipy.signal takes half a second, and most commands look for no peaks.
    from scipy.signal import find_peaks

    fenced = np.pad(np.asarray(values, dtype=np.float64), 1, constant_values=-np.inf)
    _, plateaus = find_peaks(fenced, plateau_size=1)
    return [int(index) - 1 for index in plateaus["left_edges"]]
