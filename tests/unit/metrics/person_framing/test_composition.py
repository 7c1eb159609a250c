"""Composition and gaze by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.core.intervals import as_intervals
from rumiai.metrics.person_framing import composition as c

NAN = np.nan
NONE = np.zeros(0)
NO_SAMPLES = np.zeros(0, dtype=np.int64)


def test_headroom():
    assert c.headroom(np.array([0.1, 1 / 6, 0.5, 0.6, NAN])) == 0.5
    assert c.headroom(np.array([NAN])) is None


def test_composition_rules():
    assert c.composition_rule(np.array([0.4, 0.6, NAN])) == "center"
    assert c.composition_rule(np.array([0.3, 0.4])) == "thirds"
    assert c.composition_rule(np.array([0.1])) == "offset"
    assert c.composition_rule(np.array([NAN])) is None


def test_social_distances():
    assert [c.social_distance(area) for area in (None, 0.26, 0.25, 0.08, 0.02)] == [
        None, "intimate", "personal", "social", "public",
    ]  # fmt: skip


def test_balance_of_the_two_largest_faces():
    # Sample 0: .3 and .1 (and .05); sample 1: equal faces; sample 2: one face.
    areas, sample = np.array([0.1, 0.3, 0.05, 0.2, 0.2, 0.4]), np.array([0, 0, 0, 1, 1, 2])
    assert c.face_balance(areas, sample) == pytest.approx((0.5 + 1.0) / 2)
    assert c.face_balance(areas[-1:], sample[-1:]) is None
    assert c.face_balance(NONE, NO_SAMPLES) is None


def test_gestures_need_hand_and_face_in_the_frame():
    inside, outside = [0.4, 0.4, 0.2, 0.2], [0.0, 0.4, 0.2, 0.2]
    spans_s = as_intervals([(0.0, 0.4), (0.0, 0.4), (2.0, 2.4)])
    shown = np.array([True, False, False, False, False])
    found = c.gestures_in_frame(spans_s, np.array([inside, outside, inside]), shown, np.arange(5) * 0.5, 0.5)
    assert found == pytest.approx(1 / 3)
    assert c.gestures_in_frame(as_intervals([]), np.zeros((0, 4)), shown, np.arange(5) * 0.5, 0.5) is None


def test_looks():
    assert c.looking(np.array([0.5, 0.49]), np.array([2, 0]), 3).tolist() == [False, False, True]
    assert c.looking(NONE, NO_SAMPLES, 1).tolist() == [False]


def test_gaze():
    def steadiness(*scores):
        return c.gaze_steadiness(np.array(scores))

    assert steadiness(0.5, 0.5, 0.5, 0.5) is None  # four scores
    assert steadiness(0.5, 0.5, 0.5, 0.5, 0.7) == "high"
    assert steadiness(0.3, 0.7, 0.3, 0.7, 0.5) == "medium"  # deviation .179
    assert steadiness(0.0, 1.0, 0.0, 1.0, 0.5) == "low"
    assert c.gaze_steadiness(NONE) is None
