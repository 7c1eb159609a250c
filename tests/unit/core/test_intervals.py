"""Interval sets: against fine sampling of the line, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.core.intervals import (
    chance_within,
    complement,
    inside,
    intersect,
    length,
    most_at_once,
    near,
    overlap_s,
    touched,
    union,
)

times = st.floats(0, 20, allow_nan=False).map(lambda x: round(x, 3))
spans = st.lists(st.tuples(times, times).map(lambda p: (min(p), max(p))), max_size=8)


@settings(max_examples=150, deadline=None)
@given(spans, spans)
def test_interval_sets_against_fine_sampling(a, b):
    instants = np.arange(0, 20, 0.01) + 0.0005 / 2  # between the thousandths at which intervals end

    def holds(pairs):
        return np.any([(instants >= s) & (instants < e) for s, e in pairs] or [np.zeros(instants.size, bool)], axis=0)

    first, second = union(a), union(b)
    assert (inside(first, instants) == holds(a)).all()
    assert (inside(intersect(first, second), instants) == (holds(a) & holds(b))).all()
    assert (inside(complement(first, 20.0), instants) == ~holds(a)).all()
    assert length(first) + length(complement(first, 20.0)) == pytest.approx(20)
    assert (np.diff(first.ravel()) > 0).all()
    starts, ends = [s for s, _ in b], [e for _, e in b]
    expected = [length(intersect(first, union([pair]))) for pair in b]
    assert overlap_s(first, starts, ends).tolist() == pytest.approx(expected, abs=1e-9)
    real = [(s, e) for s, e in a if e > s]
    slow = [any((s < y and e > x) if y > x else s <= x < e for s, e in real) for x, y in b]
    assert touched(real, starts, ends).tolist() == slow


def test_interval_details():
    joined = union([(3, 4), (0, 1), (1.2, 2)], gap_s=0.3, pad_s=0.0)
    assert joined.tolist() == [[0, 2], [3, 4]]
    assert union([(0.5, 1)], pad_s=1, until_s=1.5).tolist() == [[0, 1.5]]
    assert union([(1, 2), (2, 3)]).tolist() == [[1, 3]]
    assert union([(1, 1)]).size == 0
    assert touched([(1, 2)], [3.0, 3.1], [4, 4], 1.0).tolist() == [True, False]
    assert touched([], [0.0], [1.0]).tolist() == [False]
    assert near([1, 2, 5], [1.3, 4.7], 0.3).tolist() == [True, False, True]
    assert near([1.0], [], 9).tolist() == [False]
    assert chance_within([1.0, 1.1, 9.95], 0.1, union([(0.0, 10.0)])) == pytest.approx((0.3 + 0.15) / 10)
    # Only the time that an instant is taken from counts: .15 of the first stretch, none of the second.
    assert chance_within([1.0, 1.1], 0.1, union([(1.05, 2.0), (4.0, 5.05)])) == pytest.approx(0.15 / 2)
    assert chance_within([1.0], 0.1, union([])) == 1.0
    assert most_at_once([0, 1, 1], [2, 1.5, 3]) == 3
    assert most_at_once([0, 1], [1, 2]) == 1
    assert most_at_once([], []) == 0
