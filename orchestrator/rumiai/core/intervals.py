"""Sets of time intervals, as arrays of shape ``(n, 2)`` in seconds; sweeps over sorted ends, never all pairs.

A *union* is sorted and disjoint. Intervals are half-open, so touching ones join and do not overlap.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Bools, Floats

_EPSILON_S: Final = 1e-9  # sums of binary fractions miss a border by less


def as_intervals(pairs: npt.ArrayLike) -> Floats:
    """Any list of (start, end) pairs as an ``(n, 2)`` array; ``(0, 2)`` for none."""
    return np.asarray(pairs, dtype=np.float64).reshape(-1, 2)


def union(pairs: npt.ArrayLike, *, gap_s: float = 0.0, pad_s: float = 0.0, until_s: float | None = None) -> Floats:
    """Disjoint, sorted union.

    Args:
        pairs: Intervals in any order; empty ones vanish.
        gap_s: Intervals that lie less than this apart are joined.
        pad_s: Added at both ends first.
        until_s: When given, everything is clipped to ``[0, until_s]``.
    """
    spans = as_intervals(pairs)
    spans = spans[spans[:, 1] > spans[:, 0]]
    spans = spans + np.array([-pad_s, pad_s])
    if until_s is not None:
        spans = np.clip(spans, 0.0, until_s)
        spans = spans[spans[:, 1] > spans[:, 0]]
    if not len(spans):
        return as_intervals([])
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    reach = np.maximum.accumulate(spans[:, 1])
    apart = spans[1:, 0] - reach[:-1]
    new = np.concatenate([[True], (apart > 0) & (apart >= gap_s)])
    last = np.concatenate([np.flatnonzero(new)[1:] - 1, [len(spans) - 1]])
    joined: Floats = np.stack([spans[new, 0], reach[last]], axis=1)
    return joined


def length(spans: Floats) -> float:
    """Sum of the intervals' seconds, which is the time that a union covers; 0 for none."""
    return float((spans[:, 1] - spans[:, 0]).sum())


def complement(spans: Floats, duration_s: float) -> Floats:
    """The gaps of a union within ``[0, duration_s)``."""
    edges = np.concatenate([[0.0], spans.ravel(), [duration_s]]).reshape(-1, 2)
    free: Floats = edges[edges[:, 1] > edges[:, 0]]
    return free


def intersect(a: Floats, b: Floats) -> Floats:
    """Intersection of two unions, as a union."""
    if not len(a) or not len(b):
        return as_intervals([])
    edges = np.unique(np.concatenate([a.ravel(), b.ravel()]))
    middles = (edges[:-1] + edges[1:]) / 2
    both = inside(a, middles) & inside(b, middles)
    return union(np.stack([edges[:-1], edges[1:]], axis=1)[both])


def inside(spans: Floats, times_s: npt.ArrayLike) -> Bools:
    """Whether each instant lies in a union (half-open)."""
    times = np.asarray(times_s, dtype=np.float64)
    if not len(spans):
        return np.zeros(times.shape, dtype=np.bool_)
    index = np.searchsorted(spans[:, 0], times, side="right") - 1
    found: Bools = (index >= 0) & (times < spans[np.maximum(index, 0), 1])
    return found


def overlap_s(spans: Floats, starts_s: npt.ArrayLike, ends_s: npt.ArrayLike) -> Floats:
    """Seconds that each interval ``[start, end)`` shares with a union."""
    return covered_until(spans, ends_s) - covered_until(spans, starts_s)


def covered_until(spans: Floats, times_s: npt.ArrayLike) -> Floats:
    """Seconds of a union that lie before each instant."""
    times = np.asarray(times_s, dtype=np.float64)
    if not len(spans):
        return np.zeros(times.shape)
    before: Floats = np.concatenate([[0.0], np.cumsum(spans[:, 1] - spans[:, 0])])
    index = np.searchsorted(spans[:, 0], times, side="right")
    cut = np.where(index > 0, np.maximum(spans[np.maximum(index - 1, 0), 1] - times, 0.0), 0.0)
    result: Floats = before[index] - cut
    return result


def touched(pairs: npt.ArrayLike, starts_s: npt.ArrayLike, ends_s: npt.ArrayLike, margin_s: float = 0.0) -> Bools:
    """Whether each ``[start, end)`` overlaps any of the intervals, or lies within the margin of one (inclusive).

    An instant (end = start) is in the interval that holds it.
    """
    spans = as_intervals(pairs)
    starts, ends = np.asarray(starts_s, dtype=np.float64), np.asarray(ends_s, dtype=np.float64)
    if not len(spans):
        return np.zeros(starts.shape, dtype=np.bool_)
    order = np.argsort(spans[:, 0], kind="stable")
    begins, reach = spans[order, 0], np.maximum.accumulate(spans[order, 1])
    if margin_s:
        index = np.searchsorted(begins, ends + margin_s + _EPSILON_S, side="right") - 1
        return np.asarray((index >= 0) & (reach[np.maximum(index, 0)] >= starts - margin_s - _EPSILON_S))
    sides = np.where(ends > starts, np.searchsorted(begins, ends, "left"), np.searchsorted(begins, ends, "right"))
    index = sides - 1
    return np.asarray((index >= 0) & (reach[np.maximum(index, 0)] > starts))


def near(points_s: npt.ArrayLike, targets_s: npt.ArrayLike, tolerance_s: float) -> Bools:
    """Whether each point has a target within the tolerance (inclusive)."""
    points, targets = np.asarray(points_s, dtype=np.float64), np.sort(np.asarray(targets_s, dtype=np.float64))
    if not targets.size:
        return np.zeros(points.shape, dtype=np.bool_)
    right = np.clip(np.searchsorted(targets, points), 0, targets.size - 1)
    left = np.maximum(right - 1, 0)
    distance = np.minimum(np.abs(targets[right] - points), np.abs(targets[left] - points))
    found: Bools = distance <= tolerance_s + _EPSILON_S
    return found


def chance_within(targets_s: npt.ArrayLike, tolerance_s: float, spans_s: Floats) -> float:
    """Share of the time of a union that lies within the tolerance of a target: how often a random instant would hit.

    Args:
        targets_s: ``(n,)`` instants.
        tolerance_s: Largest distance of a hit.
        spans_s: ``(m, 2)`` union of the time from which the random instant is taken.

    Returns:
        0..1; 1 for no time.
    """
    targets = np.asarray(targets_s, dtype=np.float64)
    around = union(np.stack([targets - tolerance_s, targets + tolerance_s], axis=-1))
    whole_s = length(spans_s)
    return length(intersect(around, spans_s)) / whole_s if whole_s else 1.0


def most_at_once(starts_s: npt.ArrayLike, ends_s: npt.ArrayLike) -> int:
    """Largest number of intervals that hold at one instant; 0 for none."""
    starts, ends = np.asarray(starts_s, dtype=np.float64), np.asarray(ends_s, dtype=np.float64)
    if not starts.size:
        return 0
    times = np.concatenate([starts, ends])
    steps = np.concatenate([np.ones(starts.size), -np.ones(ends.size)])
    order = np.lexsort((steps, times))  # at one instant what ends goes first: intervals are half-open
    return max(1, int(np.cumsum(steps[order]).max()))
