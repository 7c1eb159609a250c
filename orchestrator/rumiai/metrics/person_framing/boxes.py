"""Boxes of people: areas, unions, centres.

Boxes are ``(n, 4)`` x, y, width, height, corners ``(n, 4)`` left, top, right, bottom, both in shares of the frame.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.core.arrays import Bools, Floats, Ints
from rumiai.core.boxes import to_corners
from rumiai.metrics.shared.statistics import clamp

_CELLS: Final = 256  # per side of the raster on which the boxes of a whole video are united
_MARGIN: Final = 0.02  # share of the frame that is left free around what is fully inside it


def corners_of(boxes: Floats) -> Floats:
    """Corners of boxes, clipped to the frame.

    Args:
        boxes: ``(n, 4)`` boxes.

    Returns:
        ``(n, 4)`` corners in 0..1; NaN for NaN.
    """
    corners: Floats = np.clip(to_corners(boxes), 0.0, 1.0)
    return corners


def areas_of(corners: Floats) -> Floats:
    """Share of the frame that each box covers.

    Args:
        corners: ``(n, 4)`` corners, clipped to the frame.

    Returns:
        ``(n,)`` shares in 0..1; NaN for NaN.
    """
    areas: Floats = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    return areas


def within_margin(boxes: Floats) -> Bools:
    """Whether each box keeps 2 % of the frame free on every side.

    Source: docs/analyses.md, personFramingInteractions, ``gestureFramingSync``.

    Args:
        boxes: ``(n, 4)`` boxes.

    Returns:
        ``(n,)`` flags; False for a box of NaN.
    """
    corners = to_corners(boxes)
    return np.asarray((corners[:, :2] >= _MARGIN).all(axis=1) & (corners[:, 2:] <= 1 - _MARGIN).all(axis=1))


def pair_areas(a: Floats, b: Floats) -> Floats:
    """Exact share of the frame that each box covers together with its partner: a + b - what they share.

    Args:
        a: ``(n, 4)`` corners, clipped to the frame.
        b: ``(n, 4)`` corners of the partners, likewise.

    Returns:
        ``(n,)`` shares in 0..1.
    """
    shared = np.concatenate([np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])], axis=1)
    shared[:, 2:] = np.maximum(shared[:, :2], shared[:, 2:])
    areas: Floats = areas_of(a) + areas_of(b) - areas_of(shared)
    return areas


def union_area(corners: Floats) -> float:
    """Exact share of the frame that a few boxes cover together.

    Args:
        corners: ``(n, 4)`` corners, n >= 1; the work grows with n cubed.

    Returns:
        In 0..1.
    """
    xs, ys = np.unique(corners[:, [0, 2]]), np.unique(corners[:, [1, 3]])
    covered = np.zeros((xs.size - 1, ys.size - 1), dtype=np.bool_)
    for x0, y0, x1, y1 in corners:
        i, j = np.searchsorted(xs, [x0, x1])
        k, m = np.searchsorted(ys, [y0, y1])
        covered[i:j, k:m] = True
    return clamp(float(np.diff(xs) @ covered @ np.diff(ys)))


def raster_area(boxes: Floats) -> float:
    """Share of the frame that any number of boxes covers together, on a raster of 256 x 256 cells.

    Args:
        boxes: ``(n, 4)`` boxes.

    Returns:
        In 0..1, each side off by half a cell at most; 0 without boxes.
    """
    steps = np.zeros((_CELLS + 1, _CELLS + 1), dtype=np.int64)
    x0, y0, x1, y1 = np.rint(corners_of(boxes) * _CELLS).astype(np.int64).T
    for x, y, sign in ((x0, y0, 1), (x1, y0, -1), (x0, y1, -1), (x1, y1, 1)):
        np.add.at(steps, (x, y), sign)
    covered = steps.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0
    return float(covered.mean())


def covered_shares(boxes: Floats, sample: Ints, count: int) -> Floats:
    """Share of the frame that the boxes of each sample cover together.

    Args:
        boxes: ``(n, 4)`` boxes.
        sample: ``(n,)`` sample of each box.
        count: Number of samples, k.

    Returns:
        ``(k,)`` shares in 0..1; 0 for a sample without boxes.
    """
    covered = np.zeros(count)
    order = np.argsort(sample, kind="stable")
    samples, firsts, sizes = np.unique(sample[order], return_index=True, return_counts=True)
    corners = corners_of(boxes[order])
    alone, pairs = firsts[sizes == 1], firsts[sizes == 2]
    covered[samples[sizes == 1]] = areas_of(corners[alone])
    covered[samples[sizes == 2]] = pair_areas(corners[pairs], corners[pairs + 1])
    for index, first, size in zip(samples, firsts, sizes, strict=True):
        if size > 2:
            covered[index] = union_area(corners[first : first + size])
    return covered


def largest_boxes(boxes: Floats, sample: Ints, count: int) -> Floats:
    """The largest box of each sample.

    Args:
        boxes: ``(n, 4)`` boxes, NaN where the place is not known.
        sample: ``(n,)`` sample of each box.
        count: Number of samples, k.

    Returns:
        ``(k, 4)`` boxes, the last listed of equally large ones; NaN for a sample without any that is known.
    """
    largest = np.full((count, 4), np.nan)
    placed = ~np.isnan(boxes).any(axis=1)
    boxes, sample = boxes[placed], sample[placed]
    order = np.argsort(boxes[:, 2] * boxes[:, 3], kind="stable")
    largest[sample[order]] = boxes[order]  # of several the last written is the largest
    return largest


def centres_of(boxes: Floats) -> Floats:
    """Centres of boxes.

    Args:
        boxes: ``(n, 4)`` boxes.

    Returns:
        ``(n, 2)`` x, y in shares of the frame; NaN for NaN.
    """
    centres: Floats = boxes[:, :2] + boxes[:, 2:] / 2
    return centres
