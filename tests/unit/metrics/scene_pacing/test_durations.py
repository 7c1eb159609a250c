"""Metrics of scene lengths by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.scene_pacing import durations as d
from rumiai.metrics.scene_pacing.blocks import EnergyPoint, MontageSegment, RhythmBreak, Scene


def scenes(*lengths_s):
    edges_s = np.concatenate([[0.0], np.cumsum(lengths_s)])
    return np.stack([edges_s[:-1], edges_s[1:]], axis=1)


def test_lengths():
    assert d.durations_of(scenes(1.0, 2.5)).tolist() == [1.0, 2.5]
    assert d.durations_of(np.zeros((0, 2))).size == 0


def test_pace_words_at_their_limits():
    assert [d.pace_of(s) for s in (1.99, 2.0, 3.99, 4.0, 7.99, 8.0)] == [
        "rapid", "fast", "fast", "moderate", "moderate", "slow",
    ]  # fmt: skip


def test_rhythm_score_is_one_for_equal_scenes():
    assert d.rhythm_score(np.array([2.0, 2.0, 2.0])) == 1.0
    # 1 and 3: mean 2, population deviation 1, cv 1/2.
    assert d.rhythm_score(np.array([1.0, 3.0])) == pytest.approx(2 / 3)
    assert d.rhythm_score(np.array([5.0])) is None
    assert d.rhythm_score(np.zeros(0)) is None


def test_rhythm_classes():
    assert [d.rhythm_class(score) for score in (None, 0.66, 0.65, 0.51, 0.5)] == [
        None, "consistent", "varied", "varied", "erratic",
    ]  # fmt: skip


def test_regularity_leaves_out_the_ends():
    assert d.rhythm_regularity(np.array([9.0, 2.0, 2.0, 0.1])) == 1.0
    assert d.rhythm_regularity(np.array([9.0, 2.0, 0.1])) is None


def test_dynamic_range():
    assert d.dynamic_range(np.array([1.0, 4.0, 2.0])) == 0.75
    assert d.dynamic_range(np.array([3.0])) == 0.0
    assert d.dynamic_range(np.zeros(0)) is None


def test_a_scene_of_the_limit_is_not_shorter():
    assert d.count_shorter(np.array([0.999, 1.0, 1.0 - 1e-9, 2.0]), 1.0) == 1


def test_contrast_of_four_second_and_one_second_shots():
    found = d.contrasts(scenes(4.0, 4.0, 4.0, 1.0, 1.0, 1.0))
    assert found == (d.Contrast(12.0, 4.0, 4.0, 1.0),)
    assert (found[0].accelerates, found[0].strength) == (True, 4.0)
    (back,) = d.contrasts(scenes(1.0, 1.0, 1.0, 3.0, 3.0, 3.0))
    assert (back.time_s, back.accelerates, back.strength) == (3.0, False, pytest.approx(3.0))
    assert d.contrasts(scenes(4.0, 4.0, 1.0, 1.0, 1.0)) == ()  # five scenes


def test_the_sharpest_of_neighbouring_contrasts_stands():
    # Means of three before and after the cuts at 12 and 13: 4 | 1 and 3 | 1.
    found = d.contrasts(scenes(4.0, 4.0, 4.0, 1.0, 1.0, 1.0, 1.0))
    assert [contrast.time_s for contrast in found] == [12.0]


def test_montages_are_runs_of_three_short_shots():
    assert d.montages(scenes(1.0, 1.2, 0.5, 4.0, 1.0, 1.0, 1.5)) == [
        MontageSegment(start=0.0, end=2.7, shots=3, avg_shot_duration=0.9)
    ]
    assert d.montages(np.zeros((0, 2))) == []


def test_a_rhythm_break():
    # The lengths 1 1 1 6 1 1 1 have mean 12/7 and deviation sqrt(42 / 7 - (12 / 7) ** 2) = 1.75.
    assert d.rhythm_breaks(scenes(1.0, 1.0, 1.0, 6.0, 1.0, 1.0, 1.0)) == [
        RhythmBreak(timestamp=3.0, expected_duration=1.0, actual_duration=6.0)
    ]
    assert d.rhythm_breaks(scenes(1.0, 1.0, 6.0)) == []


def test_long_takes_last_twice_the_median():
    assert d.long_takes(np.array([2.0, 5.0, 2.0, 4.9])) == []  # median 3.45
    assert d.long_takes(np.array([2.0, 5.0, 2.0, 2.0])) == [1]
    assert d.long_takes(np.array([1.0, 4.0, 1.0])) == []  # shorter than 5 s
    assert d.long_takes(np.zeros(0)) == []


def test_places():
    ten_s = scenes(1.0, 2.0, 4.0, 2.0, 1.0)  # middles at .5, 2, 5, 8 and 9.5 s
    assert [d.scene_at(ten_s, i, 10.0).position for i in range(5)] == ["intro", "middle", "middle", "middle", "outro"]
    assert d.scene_at(ten_s, 1, 10.0) == Scene(duration=2.0, timestamp="1-3s", position="middle")
    assert d.scene_span(scenes(1.25, 2.0), 1) == "1.2-3.2s"


def test_triples():
    assert d.accelerating_triples(np.array([4.0, 3.0, 2.0, 1.0, 5.0])) == 2
    assert d.accelerating_triples(np.array([4.0, 3.0])) == 0
    assert d.rapid_stretches(scenes(0.5, 0.5, 0.5, 8.5)) == 1  # mean 2.5: .5 is below half of it
    assert d.rapid_stretches(scenes(0.5, 0.5)) == 0


def test_energy_of_few_and_of_many_scenes():
    assert d.energy_curve(scenes(2.0, 0.5)) == [EnergyPoint(time=0.0, energy=0.5), EnergyPoint(time=2.0, energy=2.0)]
    many = d.energy_curve(scenes(*[0.5] * 20, 10.0))  # 20 s in windows of 2 s
    assert [point.time for point in many] == [2.0 * i for i in range(10)]
    assert [point.energy for point in many] == pytest.approx([2.0] * 5 + [0.1] * 5)
