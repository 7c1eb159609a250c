"""How the strokes of a line look: an editor's are of one colour, crisp, level, and stand apart from what is behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import freeze_arrays

Rgb = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]

# Lines are brought to this height, so that all measures are in shares of it; larger ones lose nothing but cost.
_HEIGHT_PX: Final = 32
# A longer line is looked at in its middle: its strokes are all alike.
_MAX_WIDTH_PX: Final = 320
# Room around a line, in shares of its height: what is behind the text without its outline.
_MARGIN: Final = 0.35
# Wider than the strokes of a bold face, which are a fifth of the line's height.
_STROKE: Final = 0.4
# Share of the strongest response from which a pixel is ink.
_INK: Final = 0.6
# Pixels of ink below which nothing can be said.
_MIN_INK_PX: Final = 12
# Lines at least this many times as long as high have a slope that can be told.
_MIN_ASPECT: Final = 2.5
# A box at least so much lower is tighter, and a line is looked at in its own part when that is such a share of it.
_LOWER: Final = 0.9
_OWN_SHARE: Final = 0.2
# Names of the columns.
COLUMNS: Final = (
    "ink_spread", "ink_level", "near_spread", "outline", "sharpness", "background_sharpness", "slope", "red", "green",
    "blue",
)  # fmt: skip


@dataclass(frozen=True)
class FrameLooks:
    """How the lines of one frame look; row i of each array is line i.

    Attributes:
        boxes: (m, 4) float32 x, y, width, height, normalised.
        values: (m, 10) float32, columns as ``COLUMNS``; NaN where it cannot be told. ``ink_spread`` is the mean
            deviation of the strokes' colour, ``ink_level`` their luminance, ``near_spread`` the deviation right beside
            the strokes, ``outline`` how much darker (or lighter) than farther away that is, all in shares of 255;
            ``sharpness`` the steepest step per pixel as a share of the contrast, ``background_sharpness`` the same of
            what is around, ``slope`` the rise of the baseline per unit of length, then the strokes' colour.
    """

    boxes: Floats32
    values: Floats32

    def __post_init__(self) -> None:
        freeze_arrays(self, boxes=(np.float32, "m", 4), values=(np.float32, "m", len(COLUMNS)))


def look_at(image: Rgb, boxes: npt.NDArray[np.float32]) -> FrameLooks:
    """Look at the lines of a frame.

    Args:
        image: (height, width, 3) uint8 RGB.
        boxes: (m, 4) x, y, width, height, normalised.
    """
    values = np.full((len(boxes), len(COLUMNS)), np.nan, np.float32)
    all_boxes = boxes.astype(np.float64)
    for row, box in zip(values, all_boxes, strict=True):
        found = _look(*_cut(image, box, tighter(all_boxes, box)))
        if found is not None:
            row[:] = found
    return FrameLooks(boxes.astype(np.float32), values)


def tighter(boxes: npt.NDArray[np.float64], box: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The lower boxes that a box overlaps: what lies in them belongs to their lines, not to its own.

    The upright box of a slanted line reaches over the lines beside it.

    Args:
        boxes: (m, 4) x, y, width, height.
        box: (4,), one of them or another.

    Returns:
        (k, 4), k <= m.
    """
    x, y, w, h = boxes.T
    apart = (x >= box[0] + box[2]) | (x + w <= box[0]) | (y >= box[1] + box[3]) | (y + h <= box[1])
    return np.asarray(boxes[~apart & (h < _LOWER * box[3])], np.float64)


def _cut(
    image: Rgb, box: npt.NDArray[np.float64], others: npt.NDArray[np.float64]
) -> tuple[Rgb, int, npt.NDArray[np.bool_]]:
    """The line with its margin, at most ``_HEIGHT_PX`` high, the margin in pixels, and which pixels are its own."""
    rows, columns = image.shape[:2]
    x, y, w, h = box * (columns, rows, columns, rows)
    if w > h * _MAX_WIDTH_PX / _HEIGHT_PX:
        x, w = x + (w - h * _MAX_WIDTH_PX / _HEIGHT_PX) / 2, h * _MAX_WIDTH_PX / _HEIGHT_PX
    margin = _MARGIN * min(h, w)
    left, top = max(int(x - margin), 0), max(int(y - margin), 0)
    right, bottom = min(int(np.ceil(x + w + margin)), columns), min(int(np.ceil(y + h + margin)), rows)
    part = image[top:bottom, left:right]
    own = np.ones(part.shape[:2], np.uint8)
    for other_x, other_y, other_w, other_h in others * (columns, rows, columns, rows):
        over_x = slice(max(int(other_x) - left, 0), max(int(np.ceil(other_x + other_w)) - left, 0))
        own[max(int(other_y) - top, 0) : max(int(np.ceil(other_y + other_h)) - top, 0), over_x] = 0
    scale = _HEIGHT_PX / max(h, 1.0)
    if scale < 1.0 and part.size:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        own = np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return part, max(1, round(margin * min(scale, 1.0))), own.astype(np.bool_)


def _look(part: Rgb, margin_px: int, own: npt.NDArray[np.bool_]) -> Sequence[float] | None:
    """The columns of one line; None where there are no strokes."""
    if min(part.shape[:2]) < 2 * margin_px + 4:
        return None
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    height = part.shape[0] - 2 * margin_px
    inside = np.zeros(grey.shape, np.bool_)
    inside[margin_px:-margin_px, margin_px:-margin_px] = True
    if (inside & own).sum() >= _OWN_SHARE * inside.sum():
        inside &= own
    ink, sign = _ink(grey, inside, height)
    if int(ink.sum()) < _MIN_INK_PX:
        return None
    near_px = max(1, round(height / 16))
    grown = cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8))
    near = cv2.dilate(grown, np.ones((2 * near_px + 1,) * 2, np.uint8)).astype(np.bool_) & ~grown.astype(np.bool_)
    far = ~cv2.dilate(grown, np.ones((4 * near_px + 3,) * 2, np.uint8)).astype(np.bool_)
    colours = part[ink].astype(np.float32)
    colour = np.median(colours, axis=0)
    beside = grey[near].astype(np.float32) if near.any() else np.zeros(1, np.float32)
    beyond = float(np.median(grey[far])) if far.any() else float(np.median(beside))
    level, side = float(np.median(grey[ink])), float(np.median(beside))
    steps = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).astype(np.float32)
    low, high = np.percentile(grey[inside], (3, 97))
    contrast = max(float(high - low), 8.0)
    return (
        float(np.abs(colours - colour).mean()) / 255,
        level / 255,
        float(np.abs(beside - side).mean()) / 255,
        sign * (beyond - side) / 255,
        float(np.percentile(steps[inside], 90)) / contrast,
        float(np.percentile(steps[far], 90)) / 255 if far.any() else np.nan,
        _slope(ink),
        *(float(value) / 255 for value in colour),
    )


def _ink(grey: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_], height: int) -> tuple[npt.NDArray[np.bool_], int]:
    """The strokes' cores, and whether they are light (1) or dark (-1)."""
    kernel = np.ones((max(3, round(height * _STROKE)),) * 2, np.uint8)
    light = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel)
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel)
    # An outline is darker than both sides too, but thinner than the letters: what is brighter in sum is the ink.
    strong, sign = (light, 1) if light[inside].sum() >= dark[inside].sum() else (dark, -1)
    threshold = max(_INK * float(np.percentile(strong[inside], 97)), 8.0)
    return np.asarray((strong >= threshold) & inside, np.bool_), sign


def _slope(ink: npt.NDArray[np.bool_]) -> float:
    """Rise per unit of length of the strokes' middle line; NaN for a short line."""
    rows, columns = np.nonzero(ink)
    if float(np.ptp(columns)) < _MIN_ASPECT * max(float(np.ptp(rows)), 1.0):
        return float("nan")
    x = columns - columns.mean()
    return float((x * (rows - rows.mean())).sum() / max(float((x * x).sum()), 1e-9))
