"""Boxes of people: by hand, and against counting the points of a fine grid."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.person_framing import boxes as b

NONE = np.zeros((0, 4))
NO_SAMPLES = np.zeros(0, dtype=np.int64)


def test_corners_stay_inside_the_frame():
    corners = b.corners_of(np.array([[-0.5, 0.9, 0.75, 0.5]]))
    assert corners == pytest.approx(np.array([[0.0, 0.9, 0.25, 1.0]]))
    assert b.areas_of(corners) == pytest.approx([0.025])


def test_a_margin_of_two_percent():
    boxes = np.array([[0.02, 0.5, 0.5, 0.25], [0.019, 0.5, 0.5, 0.25], [0.5, 0.5, 0.25, 0.49], [np.nan] * 4])
    assert b.within_margin(boxes).tolist() == [True, False, False, False]
    assert b.within_margin(NONE).tolist() == []


def test_two_boxes_together():
    a = np.array([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.1, 0.1]])
    c = np.array([[0.25, 0.25, 0.75, 0.75], [0.0, 0.0, 0.5, 0.5], [0.9, 0.9, 1.0, 1.0]])
    assert b.pair_areas(a, c) == pytest.approx([0.5 - 0.0625, 0.25, 0.02])


def test_areas_of_unions():
    assert b.raster_area(NONE) == 0.0
    assert b.raster_area(np.array([[-0.5, 0.9, 0.75, 0.5]])) == pytest.approx(0.025, abs=0.005)  # beyond the frame
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(0, 1, 500), np.linspace(0, 1, 500))
    for count in (1, 2, 2, 2, 3, 40):
        many = rng.random((count, 4)) * [0.5, 0.5, 0.5, 0.5]
        inside = np.zeros(x.shape, dtype=bool)
        for left, top, width, height in many:
            inside |= (x >= left) & (x < left + width) & (y >= top) & (y < top + height)
        assert b.union_area(b.corners_of(many)) == pytest.approx(inside.mean(), abs=0.01)
        assert b.raster_area(many) == pytest.approx(inside.mean(), abs=0.01)
        shares = b.covered_shares(many, np.full(count, 1), 3)
        assert shares == pytest.approx([0.0, b.union_area(b.corners_of(many)), 0.0])


def test_covered_shares_by_sample():
    left, right, whole = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0]
    boxes = np.array([left, whole, right, left, right, left])
    found = b.covered_shares(boxes, np.array([3, 0, 3, 2, 2, 2]), 4)
    assert found == pytest.approx([1.0, 0.0, 0.75, 0.75])
    assert b.covered_shares(NONE, NO_SAMPLES, 2).tolist() == [0.0, 0.0]


def test_the_largest_box_of_each_sample():
    boxes = np.array([[0.0, 0.0, 0.2, 0.2], [0.4, 0.4, 0.4, 0.2], [0.1, 0.1, 0.1, 0.1]])
    largest = b.largest_boxes(boxes, np.array([0, 0, 2]), 3)
    assert largest[0].tolist() == [0.4, 0.4, 0.4, 0.2]
    assert np.isnan(largest[1]).all()
    assert b.centres_of(largest)[[0, 2]] == pytest.approx(np.array([[0.6, 0.5], [0.15, 0.15]]))
    assert np.isnan(b.largest_boxes(NONE, NO_SAMPLES, 1)).all()
