"""Whether a text comes or goes while its surroundings stay, or stays through a cut while they change.

What is laid over a picture does both, writing in the scene neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.boxes import Box

# Grey levels that a text changes by at least when it comes; noise and compression stay below.
_CHANGES: Final = 4.0
# Added to both sides of the ratio, so that noise over noise is nothing.
_NOISE: Final = 2.0
# Doublings of the change from which a larger one says no more.
_MOST: Final = 3.0
# How far the surroundings reach, in heights of the text and at least in pixels.
_RING_HEIGHTS: Final = 1.5
_RING_PX: Final = 10


def suddenness(images: npt.NDArray[np.uint8], box: Box, others: Sequence[Box]) -> float | None:
    """How much more a text changed than its surroundings, 0..1, at the frame where that is most.

    Args:
        images: (n, h, w) uint8 consecutive small frames, from before to after the change.
        box: Of the text, normalised.
        others: Further lines, which are no surroundings: they may come at the same time.

    Returns:
        min(log2(inside / around), 3) / 3, where both are mean changes in grey levels plus 2, at least 0; None where
        the text hardly changed (it was there before, but was not read), or without two frames or surroundings.
    """
    if len(images) < 2:
        return None
    window = _window(images.shape[1:], box)
    inside, around = (mask[window] for mask in _masks(images.shape[1:], box, others))
    if not inside.any() or not around.any():
        return None
    frames = images[:, *window].astype(np.int16)
    # One step to the next frame, and the whole way for what fades in.
    steps = [np.abs(b - a) for a, b in pairwise(frames)] + [np.abs(frames[-1] - frames[0])]
    best: float | None = None
    for step in steps:
        within, beside = float(step[inside].mean()), float(step[around].mean())
        if within >= _CHANGES:
            best = max(best or 0.0, float(np.log2((within + _NOISE) / (beside + _NOISE))))
    return None if best is None else min(best, _MOST) / _MOST


def constancy(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8], box: Box, others: Sequence[Box]) -> float:
    """How much less a text changed than its surroundings at a cut, 0..1.

    Args:
        before: (h, w) uint8, the last small frame before the cut.
        after: The first one of the new shot.
        box: Of the text, normalised.
        others: Further lines, which are no surroundings.

    Returns:
        min(log2(around / inside), 3) / 3, where both are mean changes in grey levels plus 2, at least 0; 0.0 without
        surroundings.
    """
    inside, around = _masks(before.shape, box, others)
    if not inside.any() or not around.any():
        return 0.0
    step = np.abs(after.astype(np.int16) - before)
    ratio = float(np.log2((float(step[around].mean()) + _NOISE) / (float(step[inside].mean()) + _NOISE)))
    return min(max(ratio, 0.0), _MOST) / _MOST


def _window(shape: tuple[int, ...], box: Box) -> tuple[slice, slice]:
    """The part of the frame that holds the text and its surroundings."""
    left, top, right, bottom = _sides(shape, box, _room_px(shape, box))
    return slice(top, bottom), slice(left, right)


def _room_px(shape: tuple[int, ...], box: Box) -> float:
    return max(_RING_HEIGHTS * box[3] * shape[0], _RING_PX)


def _masks(
    shape: tuple[int, ...], box: Box, others: Sequence[Box]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Pixels of the text, and of its surroundings without other texts."""
    inside = _filled(shape, box, 0.0)
    around = _filled(shape, box, _room_px(shape, box)) & ~_filled(shape, box, 2.0)
    for other in others:
        around &= ~_filled(shape, other, 1.0)
    return inside, around


def _filled(shape: tuple[int, ...], box: Box, room_px: float) -> npt.NDArray[np.bool_]:
    left, top, right, bottom = _sides(shape, box, room_px)
    mask = np.zeros(shape[:2], np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def _sides(shape: tuple[int, ...], box: Box, room_px: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels of a box with room around it."""
    rows, columns = shape[:2]
    left, top = max(int(box[0] * columns - room_px), 0), max(int(box[1] * rows - room_px), 0)
    right, bottom = np.ceil((box[0] + box[2]) * columns + room_px), np.ceil((box[1] + box[3]) * rows + room_px)
    return left, top, max(int(right), 0), max(int(bottom), 0)
