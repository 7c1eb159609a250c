"""Which frame stands for which instant: hand-worked cases, and properties over any frame times."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.frames import Sampling
from rumiai.media.sampling import ShownFrames


def _picked(times_s: list[float], *, rate: float, count: int, shown_until_s: float = 0.0) -> list[tuple[float, int]]:
    picker: ShownFrames[int] = ShownFrames(Sampling(1, 1, 30.0, count / rate, rate, count))
    chosen = []
    for number, time_s in enumerate(times_s):
        chosen += picker.push(time_s, number)
    return chosen + picker.finish(shown_until_s)


@pytest.mark.parametrize(
    ("times_s", "shown_until_s", "expected"),
    [
        ([0.0, 0.4, 0.9, 1.1, 1.6], 0.0, [(0.0, 0), (0.4, 1), (0.9, 2), (1.5, 3)]),
        ([0.0, 0.4, 0.6, 1.0, 1.5], 0.0, [(0.0, 0), (0.4, 1), (1.0, 3), (1.5, 4)]),
        # Rounded to milliseconds, a frame still begins at its instant.
        ([0.0, 0.5005, 1.0, 1.5], 0.0, [(0.0, 0), (0.5005, 1), (1.0, 2), (1.5, 3)]),
        # Shown for a whole step and longer: its own time, then the instants.
        ([0.0, 0.75, 1.75], 0.0, [(0.0, 0), (0.5, 0), (0.75, 1), (1.5, 1)]),
        # The first frame comes late: nothing is claimed of what was before it, but for half a step.
        ([0.9, 1.5], 0.0, [(0.9, 0), (1.5, 1)]),
        ([0.2, 0.6], 0.0, [(0.2, 0), (0.5, 0)]),
        # The stream breaks off; the stream ends and the sound goes on.
        ([0.0, 0.4], 0.0, [(0.0, 0), (0.4, 1)]),
        ([0.0, 0.4], 2.0, [(0.0, 0), (0.4, 1), (1.0, 1), (1.5, 1)]),
        ([0.0], 2.0, [(0.0, 0), (0.5, 0), (1.0, 0), (1.5, 0)]),
        # Within half a step the last frame covers its instant in any case.
        ([0.0, 0.5, 1.0, 1.3], 0.0, [(0.0, 0), (0.5, 1), (1.0, 2), (1.3, 3)]),
        ([], 2.0, []),
    ],
)
def test_by_hand(times_s: list[float], shown_until_s: float, expected: list[tuple[float, int]]) -> None:
    assert _picked(times_s, rate=2.0, count=4, shown_until_s=shown_until_s) == expected


@settings(max_examples=300, deadline=None)
@given(
    gaps_ms=st.lists(st.integers(1, 1500), min_size=1, max_size=60),
    rate=st.sampled_from([0.7, 1.0, 2.0, 3.0, 29.97]),
)
def test_properties(gaps_ms: list[int], rate: float) -> None:
    times_s = [sum(gaps_ms[:i]) / 1000 for i in range(len(gaps_ms))]
    end_s = sum(gaps_ms) / 1000
    count = sum(1 for k in range(int(end_s * rate) + 2) if k / rate < end_s)
    chosen = _picked(times_s, rate=rate, count=count, shown_until_s=end_s)
    assert len(chosen) == count
    assert all(before[0] < after[0] for before, after in pairwise(chosen))
    own = [number for time_s, number in chosen if time_s == times_s[number]]
    assert len(own) == len(set(own))
    for k, (time_s, number) in enumerate(chosen):
        instant_s = k / rate
        # Brute force: the last that began by the instant, half a millisecond of rounding allowed.
        assert number == max(n for n, t in enumerate(times_s) if t <= instant_s + 0.0006 + 1e-12)
        assert time_s in (times_s[number], instant_s)
        assert abs(time_s - instant_s) <= 0.5 / rate + 1e-9


@given(start_ms=st.integers(0, 3000), rate=st.sampled_from([1.0, 2.0]))
def test_what_is_shown_for_a_step_is_never_missed(start_ms: int, rate: float) -> None:
    times_s = [0.0, 0.25, start_ms / 1000 + 0.5, start_ms / 1000 + 0.5 + 1 / rate, 9.0]
    assert 2 in [number for _, number in _picked(times_s, rate=rate, count=int(9 * rate))]
