"""Boxes against a count of unit cells: on a grid of whole numbers areas are numbers of cells."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.core.boxes import (
    area,
    centre,
    distance,
    intersection,
    intersection_matrix,
    iou,
    iou_matrix,
    overlap_of_smaller,
    to_corners,
    to_xywh,
)

SIDE = 12
boxes = st.tuples(*[st.integers(0, SIDE // 2)] * 4)
shares = st.floats(0, 1)
any_boxes = st.tuples(shares, shares, shares, shares)


def cells(box) -> np.ndarray:
    """(SIDE, SIDE) bool, True where a cell lies in the box."""
    x, y, width, height = box
    found = np.zeros((SIDE, SIDE), bool)
    found[y : y + height, x : x + width] = True
    return found


@settings(max_examples=200, deadline=None)
@given(boxes, boxes)
def test_one_pair_against_cells(a, b):
    one, two = cells(a), cells(b)
    shared, union, smaller = (one & two).sum(), (one | two).sum(), min(one.sum(), two.sum())
    assert area(a) == one.sum()
    assert intersection(a, b) == intersection(b, a) == shared
    assert iou(a, b) == pytest.approx(shared / union if union else 0.0)
    assert overlap_of_smaller(a, b) == pytest.approx(shared / smaller if smaller else 0.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_matrices_against_cells(a, b):
    shared = np.array([[(cells(p) & cells(q)).sum() for q in b] for p in a]).reshape(len(a), len(b))
    union = np.array([[(cells(p) | cells(q)).sum() for q in b] for p in a]).reshape(len(a), len(b))
    assert (intersection_matrix(a, b) == shared).all()
    np.testing.assert_allclose(iou_matrix(a, b), np.where(union > 0, shared / np.maximum(union, 1), 0.0))
    assert iou_matrix(a, b).shape == (len(a), len(b))


@settings(max_examples=200, deadline=None)
@given(any_boxes, any_boxes)
def test_the_matrix_is_the_pair_for_any_numbers(a, b):
    assert iou_matrix([a], [b])[0, 0] == pytest.approx(iou(a, b), abs=1e-9)
    assert 0.0 <= iou(a, b) <= 1.0 + 1e-9
    np.testing.assert_allclose(to_xywh(to_corners([a, b])), [a, b], atol=1e-12)


def test_centres_by_hand():
    assert centre((1, 2, 4, 6)) == (3, 5)
    assert distance((0, 0, 2, 2), (3, 4, 2, 2)) == math.hypot(3, 4)
    assert to_corners([(1, 2, 3, 4)]).tolist() == [[1, 2, 4, 6]]


def test_empty_and_touching_boxes_share_nothing():
    assert iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0.0
    assert iou((0, 0, 1, 1), (1, 0, 1, 1)) == 0.0
    assert overlap_of_smaller((0, 0, 0, 1), (0, 0, 1, 1)) == 0.0
    assert iou_matrix([], [(0, 0, 1, 1)]).shape == (0, 1)
    assert to_corners([]).shape == (0, 4)
