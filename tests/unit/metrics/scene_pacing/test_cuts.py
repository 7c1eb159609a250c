"""Metrics of cut instants by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.core.intervals import as_intervals
from rumiai.metrics.scene_pacing import cuts as c

NONE = np.zeros(0)
TEN = as_intervals([(0.0, 10.0)])


def test_acceleration_compares_the_halves():
    assert c.acceleration(np.array([1.0, 6.0, 7.0, 8.0]), 10.0) == 0.5  # 1 and 3
    assert c.acceleration(NONE, 10.0) == 0.0
    assert c.half_counts(np.array([1.0, 5.0, 10.0]), 10.0).tolist() == [1, 2]


def test_trend_words():
    assert [c.trend_of(a) for a in (-0.21, -0.2, 0.2, 0.21)] == [
        "decelerating", "maintaining", "maintaining", "accelerating",
    ]  # fmt: skip


def test_patterns_by_quarters():
    def pattern(*counts):
        cuts_s = [5.0 * quarter + 0.1 * i for quarter, count in enumerate(counts) for i in range(1, count + 1)]
        return c.acceleration_pattern(np.array(cuts_s), 20.0)

    assert pattern(1, 1, 2, 3) == "building"
    assert pattern(2, 1, 2, 3) == "variable"
    assert pattern(3, 2, 1, 1) == "declining"
    assert pattern(3, 2, 0, 1) == "variable"
    assert pattern(2, 2, 2, 2) == "steady"
    assert pattern(4, 0, 4, 0) == "variable"
    assert c.acceleration_pattern(NONE, 20.0) == "steady"


def test_windows_are_two_seconds_or_longer():
    assert c.rate_windows(7.0).tolist() == pytest.approx([0.0, 7 / 3, 14 / 3, 7.0])
    assert c.rate_windows(1.0).tolist() == [0.0, 1.0]
    assert c.rate_windows(60.0).size == 11


def test_rates_and_peaks():
    edges_s = c.rate_windows(20.0)
    rates_hz = c.cut_rates(np.array([10.2, 10.6, 11.0, 11.4, 20.0]), edges_s)
    assert rates_hz.tolist() == [0, 0, 0, 0, 0, 2.0, 0, 0, 0, 0.5]
    assert c.peak_windows(rates_hz) == [5]  # mean .25, deviation .602
    assert c.peak_windows(np.array([0.4, 0.0, 0.0])) == []  # too slow
    assert c.peak_windows(np.array([2.0, 2.0])) == []  # none stands out


def test_intensity_words():
    assert [c.intensity(rate) for rate in (0.19, 0.2, 0.59, 0.6)] == ["low", "medium", "medium", "high"]


def test_cuts_between_are_inside():
    assert c.cuts_between(np.array([0.5, 3.0, 2.9]), 0.0, 3.0) == 2


def test_climax():
    assert c.climax_timing(np.array([10.2, 10.6]), c.rate_windows(20.0)) == pytest.approx(11 / 20)
    assert c.climax_timing(NONE, c.rate_windows(20.0)) is None


def test_synchrony_is_above_chance():
    # Two of four cuts within .1 s of two targets; chance 2 x .2 / 10.
    chance = 0.04
    found = c.synchrony(np.array([1.0, 2.0, 5.0, 9.0]), [1.1, 5.05], 0.1, TEN)
    assert found == pytest.approx((0.5 - chance) / (1 - chance))
    # A cut that nobody could hear a beat at counts for nothing: one of three in the first 7 s, chance .4 of 7.
    heard = c.synchrony(np.array([1.0, 2.0, 5.0, 9.0]), [1.1, 5.5], 0.1, as_intervals([(0.0, 7.0)]))
    assert heard == pytest.approx((1 / 3 - 0.4 / 7) / (1 - 0.4 / 7))
    assert c.synchrony(NONE, [1.0], 0.1, TEN) is None
    assert c.synchrony(np.array([1.0, 2.0]), [], 0.1, TEN) is None  # no target
    assert c.synchrony(np.array([1.0]), [1.0], 0.1, TEN) is None  # one cut is on it or not
    assert c.synchrony(np.array([1.0, 2.0]), [5.0], 0.1, TEN) == 0.0
    assert c.synchrony(np.array([1.0, 2.0]), np.arange(0.0, 10.0, 0.1), 0.1, TEN) is None  # chance alone hits
