"""Boxes of people: areas of their unions, centres, and the steps between these."""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.core.arrays import Floats, Ints
from rumiai.core.boxes import to_corners
from rumiai.metrics.evidence.types import Detections
from rumiai.metrics.shared.statistics import clamp

_CELLS: Final = 256  # per side of the raster on which the boxes of a whole video are united


def largest_centres(found: Detections, sample: Ints, count: int) -> Floats:
    """``(count, 2)`` centre of the largest box of each sample; NaN without one."""
    centres = np.full((count, 2), np.nan)
    order = np.argsort(found.areas, kind="stable")
    boxes = found.boxes[order]
    centres[sample[order]] = boxes[:, :2] + boxes[:, 2:] / 2  # of several the last written is the largest
    return centres


def group_means(group: Ints, values: Floats, count: int) -> Floats:
    """Mean of the values of each group, ``(count,)``; NaN values do not count, NaN for none."""
    known = ~np.isnan(values)
    total = np.bincount(group[known], weights=values[known], minlength=count)
    number = np.bincount(group[known], minlength=count)
    return np.divide(total, number, out=np.full(count, np.nan), where=number > 0)


def steps_between(centres: Floats) -> Floats:
    """``(n - 1,)`` distances between neighbours, ``(n, 2)``; NaN where either is."""
    steps = np.diff(centres, axis=0)
    lengths: Floats = np.hypot(steps[:, 0], steps[:, 1])
    return lengths


def corners_of(boxes: Floats) -> Floats:
    """Boxes, ``(n, 4)`` x, y, width, height, as left, top, right, bottom inside the frame."""
    corners: Floats = np.clip(to_corners(boxes), 0.0, 1.0)
    return corners


def areas_of(corners: Floats) -> Floats:
    """``(n,)`` share of the frame of each box."""
    areas: Floats = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    return areas


def pair_areas(a: Floats, b: Floats) -> Floats:
    """``(n,)`` share that each box of ``a`` covers together with that of ``b``."""
    shared = np.concatenate([np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])], axis=1)
    shared[:, 2:] = np.maximum(shared[:, :2], shared[:, 2:])
    areas: Floats = areas_of(a) + areas_of(b) - areas_of(shared)
    return areas


def union_area(corners: Floats) -> float:
    """Exact share of the frame that a few boxes, ``(n, 4)`` left, top, right, bottom, cover together."""
    xs, ys = np.unique(corners[:, [0, 2]]), np.unique(corners[:, [1, 3]])
    covered = np.zeros((xs.size - 1, ys.size - 1), dtype=np.bool_)
    for x0, y0, x1, y1 in corners:
        i, j = np.searchsorted(xs, [x0, x1])
        k, m = np.searchsorted(ys, [y0, y1])
        covered[i:j, k:m] = True
    return clamp(float(np.diff(xs) @ covered @ np.diff(ys)))


def raster_area(boxes: Floats) -> float:
    """Share of the frame that any number of boxes covers, on a raster: a side is off by half a cell at most."""
    steps = np.zeros((_CELLS + 1, _CELLS + 1), dtype=np.int64)
    x0, y0, x1, y1 = np.rint(corners_of(boxes) * _CELLS).astype(np.int64).T
    for x, y, sign in ((x0, y0, 1), (x1, y0, -1), (x0, y1, -1), (x1, y1, 1)):
        np.add.at(steps, (x, y), sign)
    covered = steps.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0
    return float(covered.mean())
