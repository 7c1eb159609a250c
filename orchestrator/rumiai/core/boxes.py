"""Axis-aligned boxes: areas, overlaps, distances, forms.

A box is x, y, width, height (left, top, then the sides), in any one unit; normalised boxes are in shares of the frame.
*Corners* are left, top, right, bottom. Functions of one pair take tuples, functions of many take arrays.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Floats

Box = tuple[float, float, float, float]
AnyBox = Sequence[float]  # x, y, width, height as JSON or an array's row holds them


def area(box: AnyBox) -> float:
    """Area of a box, in the square of its unit."""
    return box[2] * box[3]


def centre(box: AnyBox) -> tuple[float, float]:
    """Middle of a box."""
    return box[0] + box[2] / 2, box[1] + box[3] / 2


def distance(a: AnyBox, b: AnyBox) -> float:
    """Euclidean distance between the centres of two boxes."""
    (ax, ay), (bx, by) = centre(a), centre(b)
    return math.hypot(ax - bx, ay - by)


def step_lengths(centres: npt.ArrayLike, aspect: float) -> Floats:
    """Distances between neighbouring points, in frame widths.

    Args:
        centres: ``(n, 2)`` points in shares of the frame, of its width and of its height.
        aspect: Width of the frame over its height.

    Returns:
        ``(n - 1,)`` lengths; NaN where either point is. The same movement is as long across as down.
    """
    steps = np.diff(np.asarray(centres, dtype=np.float64).reshape(-1, 2), axis=0)
    lengths: Floats = np.hypot(steps[:, 0], steps[:, 1] / aspect)
    return lengths


def intersection(a: AnyBox, b: AnyBox) -> float:
    """Area that two boxes share; 0.0 for boxes that only touch."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def iou(a: AnyBox, b: AnyBox) -> float:
    """Intersection over union of two boxes, 0..1; 0.0 when both are empty."""
    shared = intersection(a, b)
    union = area(a) + area(b) - shared
    return shared / union if union > 0 else 0.0


def overlap_of_smaller(a: AnyBox, b: AnyBox) -> float:
    """Share of the smaller box that lies in the other, 0..1; 0.0 when the smaller is empty."""
    smaller = min(area(a), area(b))
    return intersection(a, b) / smaller if smaller > 0 else 0.0


def union(boxes: Iterable[AnyBox]) -> Box:
    """The smallest box around some, at least one."""
    corners = [(x, y, x + w, y + h) for x, y, w, h in boxes]
    left, top = min(c[0] for c in corners), min(c[1] for c in corners)
    return left, top, max(c[2] for c in corners) - left, max(c[3] for c in corners) - top


def to_corners(boxes: npt.ArrayLike) -> Floats:
    """(n, 4) boxes as (n, 4) float64 corners."""
    xywh = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]), axis=1)


def to_xywh(corners: npt.ArrayLike) -> Floats:
    """(n, 4) corners as (n, 4) float64 boxes; exact inverse of ``to_corners`` up to rounding."""
    sides = np.asarray(corners, dtype=np.float64).reshape(-1, 4)
    return np.concatenate((sides[:, :2], sides[:, 2:] - sides[:, :2]), axis=1)


def intersection_matrix(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Areas that boxes share, each of ``a`` (n, 4) with each of ``b`` (m, 4): (n, m) float64."""
    one, two = to_corners(a)[:, None], to_corners(b)[None]
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    shared: Floats = np.clip(sides, 0.0, None).prod(-1)
    return shared


def iou_matrix(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Intersection over union of each box of ``a`` (n, 4) with each of ``b`` (m, 4).

    Returns:
        (n, m) float64 in 0..1; 0.0 where both boxes are empty. No boxes give a matrix without rows or columns.
    """
    shared = intersection_matrix(a, b)
    areas_a, areas_b = (np.asarray(boxes, dtype=np.float64).reshape(-1, 4)[:, 2:].prod(-1) for boxes in (a, b))
    union = areas_a[:, None] + areas_b[None] - shared
    ratio: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio
