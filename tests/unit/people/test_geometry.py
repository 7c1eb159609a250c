"""Views into a frame show what they say they show, and give points back to the right place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.core.boxes import area, iou, overlap_of_smaller
from rumiai.people.geometry import (
    box_of_points,
    clip_box,
    merge,
    square_around,
    square_of_box,
)

_share = st.floats(0, 1, width=32)


def _numbered(height: int, width: int) -> np.ndarray:
    """A frame in which every pixel tells its row and column, and none is black."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.full_like(rows, 255)], axis=-1).astype(np.uint8)


def _check(view, frame, part):
    """Every pixel of the view is the frame's at the place that to_frame names, or black outside of ``part``."""
    height, width = frame.shape[:2]
    side = view.side_px
    assert view.pixels.shape == (side, side, 3)
    assert view.pixels.flags.c_contiguous
    rows, columns = np.mgrid[:side, :side]
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1) / side
    at = view.to_frame(centres) * (width, height) - 0.5
    assert np.abs(at - np.round(at)).max() < 1e-2
    x, y = np.round(at).astype(int).T
    seen = view.pixels.reshape(-1, 3)
    inside = (x >= part[0]) & (x < part[2]) & (y >= part[1]) & (y < part[3])
    assert (seen[inside] == frame[y[inside], x[inside]]).all()
    assert (seen[~inside] == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(8, 90), st.integers(8, 90), st.tuples(_share, _share, _share, _share), st.sampled_from([0, 0.1, 0.5])
)
def test_view_of_a_box(height, width, corners, margin):
    x0, x1 = sorted(corners[:2])
    y0, y1 = sorted(corners[2:])
    box = (x0, y0, x1 - x0, y1 - y0)
    frame = _numbered(height, width)
    view = square_of_box(frame, box, margin)
    left, right = (x0 - margin * box[2]) * width, (x1 + margin * box[2]) * width
    top, bottom = (y0 - margin * box[3]) * height, (y1 + margin * box[3]) * height
    part = (max(0, int(left)), max(0, int(top)), min(width, int(np.ceil(right))), min(height, int(np.ceil(bottom))))
    _check(view, frame, part)
    assert view.side_px == max(1, part[2] - part[0], part[3] - part[1])


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 90), st.integers(8, 90), _share, _share, st.floats(0.1, 150))
def test_view_around_a_point(height, width, x, y, side):
    frame = _numbered(height, width)
    view = square_around(frame, x * width, y * height, side)
    _check(view, frame, (0, 0, width, height))
    assert view.side_px == max(1, round(side))


def test_box_of_a_view_in_the_frame_by_hand():
    # A view of 100 pixels that begins at 50, -20 of a 200 x 100 frame: its pixels 10..60 are the frame's 60..110, and
    # its rows 0..40 the frame's -20..20, of which 0..20 exist.
    view = square_around(np.zeros((100, 200, 3), np.uint8), 100, 30, 100)
    assert (view.x0_px, view.y0_px) == (50, -20)
    assert view.box_to_frame(10, 0, 60, 40) == pytest.approx((0.3, 0.0, 0.25, 0.2))


def test_boxes_by_hand():
    a, b = (0.0, 0.0, 0.4, 0.4), (0.2, 0.2, 0.4, 0.4)
    assert iou(a, b) == pytest.approx(0.04 / 0.28)
    assert overlap_of_smaller((0.1, 0.1, 0.1, 0.1), a) == pytest.approx(1.0)
    assert iou(a, (0.5, 0.5, 0.1, 0.1)) == 0.0
    assert iou((0.1, 0.1, 0.0, 0.0), (0.1, 0.1, 0.0, 0.0)) == 0.0
    assert clip_box(-0.5, 0.25, 0.5, 1.5) == (0.0, 0.25, 0.5, 0.75)
    assert clip_box(1.2, 1.2, 1.4, 1.4)[2:] == (0.0, 0.0)
    points = np.array([[0.25, 0.5], [0.75, 1.25]], np.float32)
    assert box_of_points(points) == (0.25, 0.5, 0.5, 0.5)


def test_of_two_sightings_the_better_is_kept():
    items = [((0.0, 0.0, 0.4, 0.4), 0.6), ((0.01, 0.0, 0.4, 0.4), 0.9), ((0.6, 0.6, 0.2, 0.2), 0.5)]
    kept = merge(items, rank=lambda item: item[1], same=lambda a, b: iou(a[0], b[0]) > 0.5)
    assert [score for _, score in kept] == [0.9, 0.5]
    assert area(kept[0][0]) == pytest.approx(0.16)
    assert merge([], rank=lambda item: 0, same=lambda a, b: True) == []
