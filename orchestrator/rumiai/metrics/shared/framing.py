"""Shot types from the width of the face and the joints that are seen.

A close shot ends at the chest, a medium one between chest and knees, a wide one shows a figure down to its feet. What
is seen of the body decides where joints are known; else how many face heights fit below the face. The widths of faces
are shares of the frame's short side, so that portrait and landscape agree. The limits were chosen on labelled crops of
photographs (``bench/people.py``); docs/design/people.md has the figures.

Source: docs/analyses.md, personFramingCoreMetrics and personFramingDynamics.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from rumiai.core.arrays import Bools, Floats, Ints

Shot = Literal["close", "medium", "wide", "none"]

SHOTS: Final[tuple[Shot, ...]] = ("none", "wide", "medium", "close")
_NONE, _WIDE, _MEDIUM, _CLOSE = range(4)

# Face widths in short sides of the frame: from the first on it fills a close shot, up to the second it is a figure.
_CLOSE_WIDTH: Final = 0.6
_WIDE_WIDTH: Final = 0.11
# Face heights below the chin: a chest is 2, a waist 3, a figure 8 of them.
_MEDIUM_ROOM: Final = 2.4
_WIDE_ROOM: Final = 7.0
_VISIBLE: Final = 0.5
# Joints at the very edge are guesses about what lies beyond it.
_EDGE: Final = 0.985
_HIPS_AND_KNEES, _ANKLES = [23, 24, 25, 26], [27, 28]
# A person's box without face and joints is a figure unless the lower edge of the frame cuts it and it is this tall.
_CUT_BELOW: Final = 0.97
_CUT_HEIGHT: Final = 0.6

# How far down a body is seen.
UPPER, LOWER, FEET = range(3)


def largest_of(boxes: Floats, sample: Ints, count: int) -> Floats:
    """The main box of each sample: the largest one, the last of equally large ones.

    Args:
        boxes: ``(n, 4)`` boxes x, y, width, height; a box that is not known (NaN) is none.
        sample: ``(n,)`` sample of each.
        count: Number of samples.

    Returns:
        ``(count, 4)`` boxes; NaN for a sample without any.
    """
    largest = np.full((count, 4), np.nan)
    known = ~np.isnan(boxes).any(axis=1)
    order = np.argsort(boxes[known, 2] * boxes[known, 3], kind="stable")
    largest[sample[known][order]] = boxes[known][order]
    return largest


def extent_of(landmarks: Floats) -> Ints:
    """How far down each body is seen inside the frame.

    Args:
        landmarks: ``(n, 33, 4)`` x, y, z, visibility; NaN where unknown.

    Returns:
        ``(n,)`` ``FEET`` with an ankle, ``LOWER`` with a hip or a knee, else ``UPPER``.
    """
    x, y, visibility = landmarks[:, :, 0], landmarks[:, :, 1], landmarks[:, :, 3]
    seen = (visibility >= _VISIBLE) & (x >= 0) & (x <= 1) & (y >= 0) & (y <= _EDGE)
    extent = np.full(len(landmarks), UPPER, dtype=np.int64)
    extent[seen[:, _HIPS_AND_KNEES].any(axis=1)] = LOWER
    extent[seen[:, _ANKLES].any(axis=1)] = FEET
    return extent


def holds_nose(faces: Floats, landmarks: Floats) -> Bools:
    """Whether each body is that of the face beside it: its nose lies on the face, or within 0.3 of its sides around it.

    The slack is a rule of ours: face box and pose are found apart and do not agree to the pixel.

    Args:
        faces: ``(n, 4)`` boxes of faces, x, y, width, height in shares of the frame; NaN where there is none.
        landmarks: ``(n, 33, 4)`` x, y, z, visibility of the body beside each; the nose is the first. NaN where unknown.

    Returns:
        ``(n,)`` flags; False where the face or the nose is NaN.
    """
    nose = landmarks[:, 0, :2]
    slack = 0.3 * faces[:, 2:]
    low, high = faces[:, :2] - slack, faces[:, :2] + faces[:, 2:] + slack
    return np.asarray(((nose >= low) & (nose <= high)).all(axis=1))


def shot_codes(faces: Floats, extents: Ints, persons: Floats, bodies: Bools, aspect: float | None) -> Ints:
    """Shot type of each sampled frame, by what of its main person is seen.

    Args:
        faces: ``(k, 4)`` largest face; NaN without one.
        extents: ``(k,)`` how far down the main person's body is seen; ``UPPER`` where no body tells.
        persons: ``(k, 4)`` largest person's box; NaN without one.
        bodies: ``(k,)`` whether a body is seen.
        aspect: Width of the frame over its height; None where it is not known: then widths do not decide.

    Returns:
        ``(k,)`` indices into ``SHOTS``; 0 where nobody is seen.
    """
    has_face, has_person = ~np.isnan(faces[:, 0]), ~np.isnan(persons[:, 0])
    width = faces[:, 2] * max(1.0, aspect) if aspect is not None else np.full(len(faces), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        room = (1 - faces[:, 1] - faces[:, 3]) / faces[:, 3]
    cut = (persons[:, 1] + persons[:, 3] > _CUT_BELOW) & (persons[:, 3] >= _CUT_HEIGHT)
    lower = extents == LOWER
    rules: list[tuple[Bools, int | Ints]] = [
        (extents == FEET, _WIDE),
        (has_face & (width >= _CLOSE_WIDTH), _CLOSE),
        (has_face & ((width <= _WIDE_WIDTH) | (room >= _WIDE_ROOM)), _WIDE),
        (lower | (has_face & (room >= _MEDIUM_ROOM)), _MEDIUM),
        (has_face, _CLOSE),
        (has_person, np.where(cut, _MEDIUM, _WIDE)),
        (bodies, _MEDIUM),
    ]
    codes = np.select([rule for rule, _ in rules], [np.asarray(code) for _, code in rules], default=_NONE)
    return np.asarray(codes, dtype=np.int64)


def nearest_samples(times_s: Floats, grid_s: Floats) -> Ints:
    """Sample of a grid that is nearest to each instant; the earlier one of two that are equally near.

    Args:
        times_s: ``(n,)`` instants, seconds.
        grid_s: ``(k,)`` instants of the grid's samples, ascending, at least one. They need be neither evenly spaced nor
            begin at 0: what was not looked at has none.

    Returns:
        ``(n,)`` indices within the grid.
    """
    after = np.searchsorted(grid_s, times_s)
    earlier, later = (np.clip(at, 0, grid_s.size - 1) for at in (after - 1, after))
    return np.asarray(np.where(times_s - grid_s[earlier] <= grid_s[later] - times_s, earlier, later), dtype=np.int64)
