"""What the scenes show, by hand."""

from __future__ import annotations

import numpy as np

from rumiai.metrics.scene_pacing.content import (
    complexity_changes,
    complexity_of,
    mean_scene_load,
    shot_changes_at_cuts,
)


def test_scenes_weigh_the_same():
    # Scene 0: 4 and 2 objects on two frames; scene 1: none on one; scene 2 has no frame.
    assert mean_scene_load(np.array([0, 0, 1]), np.array([4, 2, 0]), 3) == 1.5
    assert mean_scene_load(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 3) is None
    assert [complexity_of(load) for load in (1.9, 2.0, 4.9, 5.0)] == ["low", "moderate", "moderate", "high"]


def test_a_change_of_more_than_two_classes():
    scene_of_box = np.array([0, 0, 0, 0, 2, 2])
    class_of_box = np.array([0, 1, 2, 2, 0, 1])  # 3, 0 and 2 classes
    assert complexity_changes(scene_of_box, class_of_box, 3) == 1
    assert complexity_changes(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 3) == 0


def test_shot_types_at_cuts():
    times_s, labels = [0.0, 1.0, 2.0, 3.0], ["close", "close", "wide", "wide"]
    assert shot_changes_at_cuts(np.array([2.0]), times_s, labels, 1.0) == 1
    assert shot_changes_at_cuts(np.array([2.4]), times_s, labels, 1.0) == 1  # half a step tells no difference
    assert shot_changes_at_cuts(np.array([1.0, 3.0]), times_s, labels, 1.0) == 0
    assert shot_changes_at_cuts(np.array([0.2, 9.0]), times_s, labels, 1.0) == 0  # no sample on one side
    assert shot_changes_at_cuts(np.array([2.0]), [], [], 1.0) == 0
