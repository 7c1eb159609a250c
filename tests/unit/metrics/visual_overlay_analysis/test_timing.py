"""When overlays begin."""

from __future__ import annotations

import numpy as np
import pytest

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
    assert starts_by_third(NONE, 9.0).tolist() == [0, 0, 0]
    assert acceleration_score(NONE, 9.0) == 0.0
    assert appearance_pattern(NONE, ()) is None
    assert rhythm_consistency(NONE) is None
    assert density_progression(np.zeros(3, int)) is temporal_distribution(np.zeros(3, int)) is None
    assert visual_pacing(NONE, 9.0) is None


def test_bursts_are_disjoint_and_end_with_the_video():
    starts = np.array([0.0, 1.0, 4.9, 5.0, 20.0, 20.1, 20.2])
    assert find_bursts(starts, 22.0) == (Burst(0.0, 5.0, 3), Burst(20.0, 22.0, 3))
    assert find_bursts(starts, 22.0)[1].span == "20-22s"


def test_thirds_and_halves():
    starts = np.array([0.0, 2.9, 3.0, 8.9, 9.0])
    assert starts_by_third(starts, 9.0).tolist() == [2, 1, 2]
    assert acceleration_score(np.array([1.0, 5.0, 6.0, 7.0]), 9.0) == 0.5
    assert [acceleration_word(x) for x in (-0.21, -0.2, 0.0, 0.2, 0.21)] == [
        "decelerating", "stable", "stable", "stable", "accelerating",
    ]  # fmt: skip


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
    assert appearance_pattern(np.array([0.0, 5.0]), ()) == "gradual"
    assert appearance_pattern(np.array([0.0, 0.1, 9.0]), ()) == "random"


def test_windows():
    rows = overlay_timeline(np.array([0.0, 3.0, 4.0]), np.array([4, 0]), np.array([4, 0]), np.array([True, True]))
    assert [row.model_dump() for row in rows] == [
        {"timestamp": "0-3s", "overlay_count": 4, "type": "text", "density": "high"},
        {"timestamp": "3-4s", "overlay_count": 0, "type": "none", "density": "low"},
    ]
