"""Runs and rhythm of a series, by hand and against slow references."""

from __future__ import annotations

import numpy as np

from rumiai.metrics.shared.series import autocorrelation, detrended, is_rhythmic, runs_of


def slow_is_rhythmic(d):
    """The definition of 1.3, term by term."""
    n = len(d)
    if n < 12:
        return False
    i = np.arange(n)
    x = np.asarray(d, float) - np.polyval(np.polyfit(i, d, 1), i)
    if np.allclose(x, 0, atol=1e-9 * max(1, np.abs(d).max())):
        return False

    def r(lag):
        return sum(x[j] * x[j + lag] for j in range(n - lag)) / sum(x * x)

    return any(r(lag) > 0.5 and r(lag) > r(lag - 1) and r(lag) >= r(lag + 1) for lag in range(2, n // 3 + 1))


def test_rhythm_against_a_slow_reference():
    rng = np.random.default_rng(3)
    beats = [
        np.tile([4, 1, 1], 8), np.tile([3, 0, 1, 1], 6) + np.arange(24), np.ones(24), np.arange(24),
        np.arange(24) * 0.1,
        np.tile([5, 0], 3), np.tile([2, 0], 12), np.tile([5, 1, 1, 1, 1, 1, 1], 5), np.zeros(15),
    ]  # fmt: skip
    noisy = [np.tile(rng.integers(0, 6, 5), 6) + rng.normal(0, s, 30) for s in (0, 0.3, 1, 2, 3) for _ in range(8)]
    answers = []
    for d in [*beats, *noisy]:
        assert is_rhythmic(d) == slow_is_rhythmic(d), d
        answers.append(is_rhythmic(d))
    assert answers[:4] == [True, True, False, False]
    assert True in answers[9:]
    assert False in answers[9:]


def test_runs():
    assert runs_of([True, False, True, True]) == [(0, 1), (2, 4)]


def test_trend_and_autocorrelation():
    assert np.allclose(detrended(np.array([1.0, 2.0, 3.0, 4.0])), 0.0)
    assert np.allclose(detrended(np.array([0.0, 1.0, 0.0])), [-1 / 3, 2 / 3, -1 / 3])
    # (1, -1, 1): 3 at lag 0, -2 at lag 1, 1 at lag 2.
    assert np.allclose(autocorrelation(np.array([1.0, -1.0, 1.0])), [1.0, -2 / 3, 1 / 3])
