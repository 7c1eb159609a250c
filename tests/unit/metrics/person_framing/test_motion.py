"""Movement and zoom by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.person_framing import motion as m
from rumiai.metrics.shared.bins import Bins

NAN = np.nan


def walk(xs, scene_of=None, persons=None, step_s=0.5):
    """Positions of somebody whose face is at these places, sampled every ``step_s``."""
    grid_s = np.arange(len(xs)) * step_s
    faces, others = (
        np.stack([values, np.where(np.isnan(values), NAN, 0.5)], axis=1)
        for values in (np.array(xs), np.full(len(xs), NAN) if persons is None else np.array(persons))
    )
    scenes = np.zeros(len(xs), dtype=np.int64) if scene_of is None else np.array(scene_of)
    return m.positions_of(grid_s, grid_s, step_s, scenes, faces, others, 9 / 16)


def test_speeds_per_half_second():
    found = walk([0.1, 0.2, 0.2, 0.5])
    assert found.speeds.tolist() == pytest.approx([NAN, 0.2, 0.0, 0.6], nan_ok=True)
    assert found.speed == pytest.approx(0.2)
    assert walk([0.1]).speed is None
    assert walk([]).speeds.size == 0


def test_finer_sampling_gives_the_same_speed():
    # .1 per second in steps of 1/4 s: the means of half seconds lie .05 apart.
    found = walk([0.1, 0.125, 0.15, 0.175], step_s=0.25)
    assert found.times_s.tolist() == [0.125, 0.625]
    assert found.speed == pytest.approx(0.1)


def test_cuts_and_gaps_are_no_movement():
    assert walk([0.1, 0.2, 0.8, 0.9], scene_of=[0, 0, 1, 1]).speeds.tolist() == pytest.approx(
        [NAN, 0.2, NAN, 0.2], nan_ok=True
    )
    assert walk([0.1, NAN, 0.9]).speed is None


def test_the_person_counts_where_there_is_no_face():
    found = walk([0.1, 0.2, NAN, NAN], persons=[0.5, 0.5, 0.5, 0.55])
    assert found.speeds.tolist() == pytest.approx([NAN, 0.2, 0.0, 0.1], nan_ok=True)


def test_group_means_and_distances():
    found = m.group_means(np.array([0, 0, 2, 2]), np.array([1.0, 3.0, NAN, 5.0]), 3)
    assert found.tolist() == pytest.approx([2.0, NAN, 5.0], nan_ok=True)


def test_the_same_way_across_and_down_has_the_same_speed():
    """A face that goes 72 px in half a second in a portrait of 720 x 1280."""
    still, moved = np.full((2, 2), NAN), 72 / np.array([720, 1280])
    times, same = np.array([0.0, 0.5]), np.zeros(2, dtype=np.int64)
    for step in (moved * [1, 0], moved * [0, 1]):
        faces = np.array([[0.5, 0.5], [0.5 + step[0], 0.5 + step[1]]])
        found = m.positions_of(times, times, 0.5, same, faces, still, 720 / 1280)
        assert found.speed == pytest.approx(0.2)


def test_stability():
    assert [m.stability_of(speed) for speed in (None, 0.0, 0.15, 0.9)] == [None, 1.0, 0.5, 0.0]
    positions = m.Positions(np.array([0.1, 0.6, 2.0, 2.5]), np.array([NAN, 0.15, 0.0, 0.3]))
    assert m.stability_by_bin(positions, Bins(3.0)) == [0.5, None, 0.5]


def test_movement_words():
    assert [m.movement_pattern(speed) for speed in (None, 0.019, 0.02, 0.1)] == [None, "static", "gradual", "dynamic"]


def test_zooms_inside_scenes():
    def trend(areas, scene_of):
        return m.zoom_trend(np.arange(len(areas)) * 1.0, np.array(areas), np.array(scene_of, dtype=np.int64))

    assert trend([0.09, 0.1, 0.11], [0, 0, 0]) == "in"  # .02 of .1
    assert trend([0.11, 0.1, 0.09], [0, 0, 0]) == "out"
    assert trend([0.095, 0.1, 0.105], [0, 0, 0]) == "stable"
    assert trend([0.1, 0.2, 0.3, 0.3, 0.2, 0.1], [0, 0, 0, 1, 1, 1]) == "varied"
    assert trend([0.1, 0.1, 0.1, 0.9, 0.9, 0.9], [0, 0, 0, 1, 1, 1]) == "stable"
    assert trend([0.1, 0.9], [0, 0]) is None
    assert trend([], []) is None
