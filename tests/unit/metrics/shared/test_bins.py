"""One-second bins and windows, by hand and against a slow reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.metrics.shared.bins import Bins, active_in, count_in, equal_windows, span, windows_of

times = st.floats(0, 20, allow_nan=False).map(lambda x: round(x, 3))
spans = st.lists(st.tuples(times, times).map(lambda p: (min(p), max(p))), max_size=8)


@pytest.mark.parametrize(
    ("duration", "count", "last"),
    [
        (10.0, 10, 1.0),
        (10.2, 10, 1.2),
        (10.25, 11, 0.25),
        (10.5, 11, 0.5),
        (0.1, 1, 0.1),
        (1.2, 1, 1.2),
        (3600.0, 3600, 1),
    ],
)
def test_bins(duration, count, last):
    bins = Bins(duration)
    assert bins.count == count
    assert bins.last_length_s == pytest.approx(last)
    assert bins.edges_s[-1] == duration
    assert bins.index(duration) == count - 1
    assert (Bins(12.0).third, Bins(2.0).third, Bins(11.0).third) == (4, 1, 3)


def slow_active(bins, start, end):
    """0.1 bin by bin."""
    edges = bins.edges_s
    found = [i for i in range(bins.count) if min(end, edges[i + 1]) - max(start, edges[i]) >= 0.1 - 1e-9]
    return found or [next(i for i in reversed(range(bins.count)) if edges[i] <= start)]


@settings(max_examples=200, deadline=None)
@given(st.floats(0.2, 15).map(lambda x: round(x, 2)), spans)
def test_active_against_a_slow_reference(duration, pairs):
    bins = Bins(duration)
    pairs = [(min(a, duration), min(b, duration)) for a, b in pairs]
    expected = np.zeros(bins.count, int)
    for start, end in pairs:
        expected[slow_active(bins, start, end)] += 1
    assert bins.active([a for a, _ in pairs], [b for _, b in pairs]).tolist() == expected.tolist()


def test_active_by_hand():
    bins = Bins(4.0)
    assert bins.active([0.95], [2.05]).tolist() == [0, 1, 0, 0]  # 0.05 in either neighbour
    assert bins.active([0.95], [1.05]).tolist() == [1, 0, 0, 0]  # 0.1 in no bin
    assert bins.active([0.9], [1.1]).tolist() == [1, 1, 0, 0]
    assert bins.onsets([0.0, 3.999, 4.0]).tolist() == [1, 0, 0, 2]
    assert Bins(3.5).per_second([1, 0, 0, 1]).tolist() == [1, 0, 0, 2]
    assert Bins(3.2).per_second([1, 0, 1]).tolist() == [1, 0, 1]
    assert bins.means([0.1, 0.2, 3.0], [1, 3, 5]).tolist()[0] == 2.0
    assert np.isnan(bins.means([0.1], [1])[1])
    assert bins.label_at(2.7) == "2-3s"


def test_windows():
    assert span(0.04, 12.25) == "0-12.2s"
    assert windows_of(7.0, 3.0).tolist() == [0.0, 3.0, 6.0, 7.0]
    assert windows_of(6.0, 3.0).tolist() == [0.0, 3.0, 6.0]
    assert equal_windows(3.0, 2).tolist() == [0.0, 1.5, 3.0]
    assert count_in(windows_of(6.0, 3.0), [0.0, 3.0, 6.0, 7.0]).tolist() == [1, 3]
    assert active_in(windows_of(9.0, 3.0), [0.0, 2.9, 3.0, 8.0], [3.0, 6.1, 3.0, 9.0]).tolist() == [2, 2, 2]
    assert active_in(windows_of(9.0, 3.0), [], []).tolist() == [0, 0, 0]
