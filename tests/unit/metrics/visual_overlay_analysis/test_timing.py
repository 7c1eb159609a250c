"""When overlays begin."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.contracts.observed import Observed, whole
from rumiai.metrics.visual_overlay_analysis.moments import texts_begun
from rumiai.metrics.visual_overlay_analysis.timing import (
    Burst,
    acceleration_score,
    acceleration_word,
    appearance_pattern,
    density_progression,
    find_bursts,
    overlay_timeline,
    rhythm_consistency,
    starts_by_third,
    temporal_distribution,
    visual_pacing,
)

NONE = np.array([])


def test_nothing_begins():
    assert find_bursts(NONE, 9.0) == ()
    assert starts_by_third(NONE, whole(9.0)).tolist() == [0, 0, 0]
    assert acceleration_score(NONE, whole(9.0)) is acceleration_word(None) is None
    assert appearance_pattern(NONE, ()) is None
    assert rhythm_consistency(NONE) is None
    assert density_progression(np.zeros(3)) is temporal_distribution(np.zeros(3)) is None
    assert density_progression(None) is temporal_distribution(None) is None
    assert visual_pacing(NONE, 9.0) is None


def test_bursts_are_disjoint_and_end_with_the_video():
    starts = np.array([0.0, 1.0, 4.9, 5.0, 20.0, 20.1, 20.2])
    assert find_bursts(starts, 22.0) == (Burst(0.0, 5.0, 3, 4.9), Burst(20.0, 22.0, 3, 20.2))
    assert find_bursts(starts, 22.0)[1].span == "20-22s"


def test_a_burst_holds_the_texts_that_it_counts():
    """0.7 + 5 is 5.7, and 57 tenths are not: the last start lies beside the end of the window by a rounding error."""
    starts = np.array([0.7, 1.0, 2.0, 5.7 - 1e-12])
    (burst,) = find_bursts(starts, 9.0)
    assert (burst.count, texts_begun(starts, burst)) == (3, range(3))
    at_the_end = np.array([7.0, 8.0, 9.0])
    (burst,) = find_bursts(at_the_end, 9.0)
    assert (burst.count, texts_begun(at_the_end, burst)) == (3, range(3))


def test_thirds_and_halves():
    starts = np.array([0.0, 2.9, 3.0, 8.9, 9.0])
    assert (3 * starts_by_third(starts, whole(9.0))).tolist() == pytest.approx([2, 1, 2])
    assert acceleration_score(np.array([1.0, 5.0, 6.0, 7.0]), whole(9.0)) == 0.5
    assert [acceleration_word(x) for x in (-0.21, -0.2, 0.0, 0.2, 0.21)] == [
        "decelerating", "stable", "stable", "stable", "accelerating",
    ]  # fmt: skip


def test_thirds_and_halves_of_which_little_was_looked_at():
    starts = np.array([1.0, 2.0, 4.0, 7.0])
    half_of_the_last = Observed(np.array([[0.0, 7.5]]), 9.0)
    assert starts_by_third(starts, half_of_the_last).tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 1.5])
    assert density_progression(starts_by_third(starts, half_of_the_last)) == "even"
    assert acceleration_score(starts, half_of_the_last) == pytest.approx((1 / 3 - 3 / 4.5) / (1 / 3 + 3 / 4.5))
    broken_off = Observed(np.array([[0.0, 6.6]]), 9.0)
    assert starts_by_third(starts, broken_off) is acceleration_score(starts, broken_off) is None


@pytest.mark.parametrize(
    ("thirds", "progression", "distribution"),
    [
        ([2, 1, 1], "front_loaded", "front_loaded"),
        ([1, 1, 2], "climactic", "back_loaded"),
        ([2, 3, 4], "building", "balanced"),
        ([3, 3, 3], "even", "balanced"),
    ],
)
def test_words_for_thirds(thirds, progression, distribution):
    assert density_progression(np.array(thirds)) == progression
    assert temporal_distribution(np.array(thirds)) == distribution


def test_rhythm_and_pace():
    assert rhythm_consistency(np.array([0.0, 2.0, 4.0])) == 1.0
    assert rhythm_consistency(np.array([0.0, 1.0, 4.0])) == pytest.approx(1 / 1.5)
    assert [visual_pacing(np.arange(n) * 1.0, 10.0) for n in (1, 2, 5, 6)] == ["slow", "moderate", "moderate", "fast"]
    assert visual_pacing(np.array([0.0, 0.1, 0.2, 9.0]), 10.0) == "variable"
    assert appearance_pattern(np.array([0.0, 5.0, 9.0, 14.0]), ()) == "rhythmic"
    assert appearance_pattern(np.array([0.0, 5.0, 7.0, 14.0]), ()) == "gradual"
    assert appearance_pattern(np.array([0.0, 0.1, 0.2, 9.0]), ()) == "random"
    three = np.array([0.0, 5.0, 9.0])
    assert appearance_pattern(three, ()) is appearance_pattern(three[:2], ()) is None
    assert appearance_pattern(three / 10, find_bursts(three / 10, 9.0)) == "burst"


def test_windows():
    rows = overlay_timeline(np.array([0.0, 3.0, 4.0]), np.array([4, 0]), np.array([4, 0]), np.array([True, True]))
    assert [row.model_dump() for row in rows] == [
        {"timestamp": "0-3s", "overlay_count": 4, "type": "text", "density": "high"},
        {"timestamp": "3-4s", "overlay_count": 0, "type": "none", "density": "low"},
    ]
