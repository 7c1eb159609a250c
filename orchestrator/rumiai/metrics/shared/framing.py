"""Shot types from the size of faces and bodies.

Source: docs/analyses.md, personFramingCoreMetrics and personFramingDynamics.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from rumiai.core.arrays import Bools, Floats, Ints

Shot = Literal["none", "wide", "medium", "close"]

SHOTS: Final[tuple[Shot, ...]] = ("none", "wide", "medium", "close")

_CLOSE_ABOVE: Final = 0.25  # share of the frame that the largest face covers
_MEDIUM_ABOVE: Final = 0.08
_TALL: Final = 0.9  # a body of this height without hips is cut by the frame
_VISIBLE: Final = 0.5
_SHOULDERS, _HIPS = [11, 12], [23, 24]


def shot_codes(face_areas: Floats, persons: Ints, bodies: Ints, cut_bodies: Ints) -> Ints:
    """Shot type of each sampled frame, by what of a person is seen.

    Close for a face above 25 % of the frame, medium above 8 %, wide for a smaller one. Without a face, medium for a
    body that the frame cuts, wide for another body or a person's box.

    Args:
        face_areas: ``(k,)`` share of the frame that the largest face covers; 0 without a face.
        persons: Indices of the frames with a person's box.
        bodies: Indices of the frames with a body.
        cut_bodies: Indices of those whose body is cut by the frame (:func:`is_cut_body`).

    Returns:
        ``(k,)`` indices into ``SHOTS``; 0 where nobody is seen.
    """
    codes = np.zeros(face_areas.size, dtype=np.int64)
    codes[persons] = 1
    codes[bodies] = 1
    codes[cut_bodies] = 2
    codes[face_areas > 0] = 1
    codes[face_areas > _MEDIUM_ABOVE] = 2
    codes[face_areas > _CLOSE_ABOVE] = 3
    return codes


def is_cut_body(heights: Floats, visibility: Floats) -> Bools:
    """Whether the frame cuts a body: nearly as tall as the frame, with both shoulders and without hips.

    Args:
        heights: ``(n,)`` heights of the bodies in shares of the frame.
        visibility: ``(n, 33)`` visibility of their landmarks, NaN where unknown.

    Returns:
        ``(n,)`` flags.
    """
    shoulders = (visibility[:, _SHOULDERS] > _VISIBLE).all(axis=1)
    hips = (visibility[:, _HIPS] > _VISIBLE).any(axis=1)
    return np.asarray((heights > _TALL) & shoulders & ~hips)


def nearest_samples(times_s: Floats, step_s: float, count: int) -> Ints:
    """Sample of a grid that is nearest to each instant.

    Args:
        times_s: ``(n,)`` instants, seconds.
        step_s: Sampling step of the grid.
        count: Number of its samples, at least one.

    Returns:
        ``(n,)`` indices within the grid.
    """
    return np.asarray(np.clip(np.rint(times_s / step_s), 0, count - 1), dtype=np.int64)
