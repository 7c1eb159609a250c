"""Local maxima, by hand and against a slow reference."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rumiai.core.series import local_maxima


def test_local_maxima_by_hand():
    assert local_maxima([1, 3, 3, 2, 5, 0, 7]) == [1, 4, 6]
    assert local_maxima([2, 2]) == [0]
    assert local_maxima([]) == []


def slow_local_maxima(values):
    """Value by value: higher than what comes before and, behind its plateau, after."""
    found = []
    for i, value in enumerate(values):
        if i and values[i - 1] >= value:
            continue
        after = next((other for other in values[i:] if other != value), -np.inf)
        if after < value:
            found.append(i)
    return found


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5]), max_size=12))
def test_local_maxima_against_a_slow_reference(values):
    assert local_maxima(values) == slow_local_maxima(values)
