"""The shape of the density curve."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.creative_density.curve import (
    acceleration_pattern,
    classification,
    cognitive_load,
    creative_score,
    density_progression,
    pattern_flags,
    strong_opening,
    structural_flags,
    thirds,
    volatility,
)
from rumiai.metrics.shared.bins import Bins


def test_words_for_numbers():
    assert [classification(x) for x in (0.9, 1, 3.9, 4, 8)] == [
        "sparse", "moderate", "moderate", "dense", "overwhelming",
    ]  # fmt: skip
    assert [cognitive_load(*x) for x in ((0.5, 3), (3, 8), (3, 9), (7, 7), (8, 8))] == [
        "minimal", "optimal", "challenging", "challenging", "overwhelming",
    ]  # fmt: skip
    assert [creative_score(x) for x in (0.25, 1.0, 2.0, 9.0)] == [1.5, 4.5, 7.0, 10.0]


@pytest.mark.parametrize(
    ("d", "word"),
    [
        ([4, 4, 1, 1, 1, 1], "front_loaded"),
        ([1, 1, 1, 1, 4, 4], "back_loaded"),
        ([0, 4, 0, 4, 0, 4], "oscillating"),
        ([2, 2, 2, 2, 2, 2], "even"),
        ([9, 0, 0, 0, 0], None),  # thirds of five bins say nothing
        ([0, 0, 0, 0, 0, 0], None),
    ],
)
def test_acceleration_pattern(d, word):
    assert acceleration_pattern(np.array(d, float)) == word


def test_flags():
    assert strong_opening(np.array([4.0, 4, 4, 1, 1]))
    assert not strong_opening(np.array([4.0, 4, 4]))
    flags = pattern_flags(np.array([4.0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0]))
    assert flags.dual_peak_structure
    assert not flags.multi_peak_rhythm


def test_numbers_of_a_curve_by_hand():
    d = np.array([4.0, 4.0, 2.0, 2.0, 1.0, 2.0, np.nan])
    assert thirds(d) == (4.0, 2.0)
    assert thirds(np.array([np.nan, 4, 4, 1, 1, 1, 2, 2, 2])) == (4.0, 2.0)
    assert thirds(np.array([np.nan, np.nan, 4, 1, 1, 1, 2, 2, 2])) is None  # less than half of the first is known
    assert thirds(d[:5]) is thirds(np.zeros(6)) is thirds(np.array([np.nan, np.nan, 1, 1, 1, 1])) is None
    assert volatility(d) == volatility(d[:6])
    assert volatility(np.array([4.0, 2.0, 0.0, 2.0])) == pytest.approx(np.sqrt(2) / 2)
    assert volatility(np.array([9.0, 0, 0, 0])) == 1.0
    assert volatility(np.zeros(3)) == 0.0
    flags = structural_flags(d, closing_call=True)
    assert (flags.front_loaded, flags.crescendo_pattern, flags.final_call_to_action) == (True, False, True)
    assert not structural_flags(d, closing_call=False).final_call_to_action


@pytest.mark.parametrize(
    ("d", "word"),
    [([1.0, 2, 3, 4], "increasing"), ([4.0, 3, 2, 1], "decreasing"), ([2.0, 2, 2, 2], "stable"), ([0.0] * 4, None),
     ([1.0, 2], None), ([1.0, np.nan, 3, 4], "increasing"),
     ([0.0, 8, 0, 0, 8, 0], "erratic")],
)  # fmt: skip
def test_progression_of_a_curve(d, word):
    assert density_progression(np.array(d), Bins(float(len(d)))) == word
