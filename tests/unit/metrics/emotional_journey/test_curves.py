"""Curves of the emotions and their shape, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rumiai.metrics.emotional_journey import curves as c
from rumiai.metrics.shared.labels import LabelRun

NAN = np.nan
NONE = np.zeros(0, dtype=np.int64)


def test_the_label_with_most_confidence_in_a_group():
    groups = np.array([0, 0, 0, 2, 2])
    labels = ["joy", "anger", "joy", "fear", "disgust"]
    found = c.strongest_labels(groups, labels, np.array([0.3, 0.5, 0.3, 0.4, 0.4]), 3)
    assert found == ["joy", None, "disgust"]  # .6 against .5; of equals the alphabetically first
    assert c.strongest_labels(NONE, [], np.zeros(0), 1) == [None]


def test_the_most_frequent_label_of_each_group():
    assert c.held_labels(np.array([4, 4, 4, 1]), ["joy", "joy", "anger", "fear"]) == ["fear", "joy"]
    assert c.held_labels(NONE, []) == []


def test_diversity_is_entropy_over_that_of_seven():
    assert c.emotional_diversity(["joy"] * 5) == 0.0
    assert c.emotional_diversity(["joy", "anger"]) == pytest.approx(math.log(2) / math.log(7))
    seven = ["joy", "sadness", "anger", "fear", "surprise", "disgust", "neutral"]
    assert c.emotional_diversity(seven) == pytest.approx(1.0)
    assert c.emotional_diversity([]) is None


def test_running_mean_of_the_known_bins_before():
    found = c.running_mean(np.array([0.2, NAN, 0.4, 0.9, 0.1]), 2)
    assert found.tolist() == pytest.approx([NAN, 0.2, 0.2, 0.4, 0.65], nan_ok=True)


def test_thirds():
    parts = c.split_thirds(np.array([0, 1, 3, 6]), 7)  # outer thirds of two bins
    assert [part.tolist() for part in parts] == [[0, 1], [3], [6]]
    assert c.third_means(np.array([0.2, 0.4, NAN, NAN, NAN, -1.0, 0.0])) == (pytest.approx(0.3), None, -0.5)


def test_arcs():
    assert c.emotional_arc((0.0, None, 0.3), 0.9, 9.0) == "rising"
    assert c.emotional_arc((0.3, 0.0, 0.0), 0.9, 9.0) == "falling"
    assert c.emotional_arc((0.0, 0.0, 0.2), 0.31, 4.0) == "rollercoaster"
    assert c.emotional_arc((0.0, 0.0, 0.2), 0.3, 4.0) == "stable"
    assert c.emotional_arc((0.0, 0.0, 0.2), 0.31, 3.9) == "stable"
    assert c.emotional_arc((0.0, 0.0, None), 0.31, 4.0) == "rollercoaster"
    assert c.emotional_arc((None, 0.0, 0.2), None, 0.0) is None


def test_trajectories():
    def shape(first, middle, last):
        return c.trajectory(np.repeat([first, middle, last], 3))

    assert shape(0.0, 0.0, 0.31) == "ascending"
    assert shape(0.31, 0.0, 0.0) == "descending"
    assert shape(0.3, 0.0, 0.3) == "u-shaped"
    assert shape(0.0, 0.3, 0.0) == "inverted-u"
    assert shape(0.0, 0.19, 0.0) == "flat"
    assert c.trajectory(np.array([0.1] * 8 + [NAN])) is None  # two known bins in the last third


def test_smoothness_is_about_the_jumps_between_runs():
    runs = (LabelRun("joy", 0, 2), LabelRun("anger", 2, 3), LabelRun("joy", 3, 4))
    valences = np.array([0.6, 1.0, -0.2, 0.4])  # means .8, -.2, .4: jumps 1.0 and .6
    assert c.transition_smoothness(valences, runs) == pytest.approx(1 - 0.8 / 2)
    assert c.transition_smoothness(valences, runs[:1]) is None
    assert c.transition_smoothness(np.zeros(0), ()) is None


def test_shares_of_changes():
    assert (c.stability_score(2, 9), c.stability_score(0, 1), c.stability_score(0, 0)) == (0.75, None, None)
    assert (c.change_rate(2, 5), c.change_rate(9, 5), c.change_rate(0, 1)) == (0.5, 1.0, None)
