"""Whether a text moves with the picture around it, by sparse optical flow through the grey frames between sightings.

A text that was laid over the picture stays where it is while the picture moves; writing in the scene goes along. Where
nothing moves neither can be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rumiai.core.boxes import Box
from rumiai.inference.text_kinds.appearance import tighter

Grey = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float32]

# Steps of the chain of flows: at 10 Hz a fast pan moves by less than the pyramid can follow.
STEP_S: Final = 0.1
# Points sought in the whole picture and in each text.
_BACKGROUND_POINTS: Final = 90
_TEXT_POINTS: Final = 8
_QUALITY: Final = 0.02
_WINDOW_PX: Final = 11
_LEVELS: Final = 2
# How far around a text its surroundings reach, in its heights, and at least in pixels.
_RING_HEIGHTS: Final = 2.0
_RING_PX: Final = 28.0
_MIN_POINTS: Final = 4
# Pixels of the small frames below which motion may be noise, and from which it counts in full.
_MOVES_PX: Final = 0.45
_MOVES_WELL_PX: Final = 2.5
# Spread of the shifts of one text's points, or of its surroundings', from which they are taken for lost.
_MOST_SPREAD_PX: Final = 1.5
# Mean difference in grey levels of two small frames below which nothing in them moves.
_STILL: Final = 0.5


@dataclass(frozen=True)
class Motion:
    """How one text moved between two sightings, in pixels of the small frames.

    Attributes:
        weight: How much can be said, 0..1: by how far its surroundings moved.
        along: 0 when it stayed, 1 when it moved as its surroundings did.
        alone: Whether it moved while its surroundings stood still.
    """

    weight: float
    along: float
    alone: bool


def follow(frames: Sequence[Grey], boxes: Sequence[Box], others: Sequence[Box]) -> list[Motion | None]:
    """Follow texts through consecutive small frames.

    Args:
        frames: (h, w) uint8 each, at least two for an answer; the boxes hold on the first.
        boxes: Of the texts, normalised.
        others: Further lines on the first frame, whose points are no surroundings.

    Returns:
        One for each text; None where too few points could be followed, or the whole picture stands still.
    """
    if len(frames) < 2 or not boxes or float(cv2.absdiff(frames[0], frames[-1]).mean()) < _STILL:
        return [None] * len(boxes)
    sides = _pixel_sides([*boxes, *others], frames[0].shape)
    table = np.array([*boxes, *others], np.float64)
    hidden = [_pixel_sides(tighter(table, box), frames[0].shape) for box in table[: len(boxes)]]
    inner = [_points_in(frames[0], side, hides) for side, hides in zip(sides, hidden, strict=False)]
    background = _background_points(frames[0], sides)
    start = np.concatenate([background, *inner]).astype(np.float32)
    if len(start) == 0:
        return [None] * len(boxes)
    moved, ok = _chain(frames, start)
    shift = moved - start
    count = len(background)
    camera = _camera(background[ok[:count]], moved[:count][ok[:count]])
    found: list[Motion | None] = []
    for side, points in zip(sides, inner, strict=False):
        own = slice(count, count + len(points))
        ring = _ring(side, background) & ok[: len(background)]
        local = shift[: len(background)][ring] - camera(background[ring])
        found.append(_judged(points[ok[own]], shift[own][ok[own]], camera, local))
        count += len(points)
    return found


def _judged(points: Points, shift: Points, camera: _Camera, local: Points) -> Motion | None:
    if len(points) < _MIN_POINTS or (len(local) < _MIN_POINTS and not camera.known):
        return None
    if len(local) >= _MIN_POINTS and _spread(local) > _MOST_SPREAD_PX:
        return None
    expected = camera(points) + (np.median(local, axis=0) if len(local) >= _MIN_POINTS else 0.0)
    if min(_spread(shift), _spread(shift - expected)) > _MOST_SPREAD_PX:
        return None
    size = float(np.median(np.linalg.norm(expected, axis=1)))
    stayed = float(np.median(np.linalg.norm(shift, axis=1)))
    went = float(np.median(np.linalg.norm(shift - expected, axis=1)))
    weight = float(np.clip((size - _MOVES_PX) / (_MOVES_WELL_PX - _MOVES_PX), 0.0, 1.0))
    return Motion(weight, stayed / max(stayed + went, 1e-6), size < _MOVES_PX and stayed > 2 * _MOVES_PX)


def _spread(shift: Points) -> float:
    """Median distance from the common shift, in pixels: points that go their own ways were not followed."""
    return float(np.median(np.linalg.norm(shift - np.median(shift, axis=0), axis=1)))


class _Camera:
    """The motion of the whole picture, a turn, a scale and a shift; none where too few points agree."""

    def __init__(self, matrix: npt.NDArray[np.float64] | None) -> None:
        self.known = matrix is not None
        self._matrix = np.eye(2, 3) if matrix is None else matrix

    def __call__(self, points: Points) -> Points:
        """(n, 2) shift of each point."""
        return np.asarray(points @ self._matrix[:, :2].T + self._matrix[:, 2] - points, np.float32)


def _camera(before: Points, after: Points) -> _Camera:
    if len(before) < 2 * _MIN_POINTS:
        return _Camera(None)
    matrix, _ = cv2.estimateAffinePartial2D(before, after, ransacReprojThreshold=1.0, maxIters=200)
    return _Camera(matrix)


def _chain(frames: Sequence[Grey], points: Points) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Where points are at the end, and which were followed all the way."""
    ok = np.ones(len(points), np.bool_)
    at = points.reshape(-1, 1, 2)
    for before, after in pairwise(frames):
        following, status, _ = cv2.calcOpticalFlowPyrLK(
            before, after, at, None, winSize=(_WINDOW_PX, _WINDOW_PX), maxLevel=_LEVELS
        )
        ok &= status.ravel() == 1
        at = following
    return at.reshape(-1, 2), ok


def _pixel_sides(
    boxes: Iterable[Sequence[float]] | npt.NDArray[np.float64], shape: tuple[int, ...]
) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom of each box in pixels."""
    rows, columns = shape[:2]
    return [
        (int(x * columns), int(y * rows), int(np.ceil((x + w) * columns)), int(np.ceil((y + h) * rows)))
        for x, y, w, h in boxes
    ]


def _points_in(frame: Grey, side: tuple[int, int, int, int], hidden: Iterable[tuple[int, int, int, int]]) -> Points:
    """Points of a text, outside of the tighter boxes that its own overlaps."""
    left, top, right, bottom = side
    part = frame[max(top, 0) : bottom, max(left, 0) : right]
    if min(part.shape) < 3:
        return np.zeros((0, 2), np.float32)
    free = np.full(part.shape, 255, np.uint8)
    for other_left, other_top, other_right, other_bottom in hidden:
        over_x = slice(max(other_left - max(left, 0), 0), max(other_right - max(left, 0), 0))
        free[max(other_top - max(top, 0), 0) : max(other_bottom - max(top, 0), 0), over_x] = 0
    found = cv2.goodFeaturesToTrack(part, _TEXT_POINTS, 0.1, 2, mask=free)
    corner = np.array((max(left, 0), max(top, 0)), np.float32)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2) + corner


def _background_points(frame: Grey, sides: Sequence[tuple[int, int, int, int]]) -> Points:
    free = np.full(frame.shape, 255, np.uint8)
    for left, top, right, bottom in sides:
        free[max(top - 3, 0) : bottom + 3, max(left - 3, 0) : right + 3] = 0
    found = cv2.goodFeaturesToTrack(frame, _BACKGROUND_POINTS, _QUALITY, 6, mask=free)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def _ring(side: tuple[int, int, int, int], points: Points) -> npt.NDArray[np.bool_]:
    left, top, right, bottom = side
    room = max(_RING_HEIGHTS * (bottom - top), _RING_PX)
    x, y = points[:, 0], points[:, 1]
    return (x > left - room) & (x < right + room) & (y > top - room) & (y < bottom + room)
