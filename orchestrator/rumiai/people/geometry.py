"""Square views into a frame, and the merging of what was seen twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import freeze_arrays
from rumiai.core.boxes import Box, iou, overlap_of_smaller
from rumiai.people.observations import FloatArray

Item = TypeVar("Item")
Image = npt.NDArray[np.uint8]

# Two sightings are one thing when they share this much of their union, or of the smaller one (a view may cut it).
_SAME_IOU = 0.4
_SAME_OF_SMALLER = 0.7


def same_thing(a: Box, b: Box) -> bool:
    """Whether two boxes of one kind of thing, seen in different views, are of one thing."""
    return iou(a, b) >= _SAME_IOU or overlap_of_smaller(a, b) >= _SAME_OF_SMALLER


def clip_box(x0: float, y0: float, x1: float, y1: float) -> Box:
    """The box between two corners, clipped to the unit square; width or height 0.0 when it lies outside."""
    left, top = min(max(x0, 0.0), 1.0), min(max(y0, 0.0), 1.0)
    right, bottom = min(max(x1, 0.0), 1.0), min(max(y1, 0.0), 1.0)
    return (left, top, max(0.0, right - left), max(0.0, bottom - top))


def box_of_points(points: FloatArray) -> Box:
    """The clipped box around ``points`` (k >= 1, 2)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return clip_box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def merge(items: Sequence[Item], *, rank: Callable[[Item], float], same: Callable[[Item, Item], bool]) -> list[Item]:
    """Keep of each group of the same thing the one of highest rank; the order is that of rank, highest first."""
    kept: list[Item] = []
    for item in sorted(items, key=rank, reverse=True):
        if not any(same(item, other) for other in kept):
            kept.append(item)
    return kept


@dataclass(frozen=True)
class SquareView:
    """A square piece of a frame, black where it leaves the frame or the part that was asked for.

    MediaPipe's landmark models are only exact on square images, so everything but face detection works on these.

    Attributes:
        pixels: (side, side, 3) uint8 RGB, contiguous: a copy.
        x0_px: Column of the frame at which the view begins; may be negative.
        y0_px: Row of the frame at which the view begins; may be negative.
        frame_width_px: Of the frame.
        frame_height_px: Of the frame.
    """

    pixels: Image
    x0_px: int
    y0_px: int
    frame_width_px: int
    frame_height_px: int

    def __post_init__(self) -> None:
        freeze_arrays(self, pixels=(np.uint8, "height", "width", 3))

    @property
    def side_px(self) -> int:
        """Length of a side."""
        return len(self.pixels)

    def to_frame(self, points: npt.NDArray[np.float64]) -> FloatArray:
        """Points (k, 2) normalised to this view, as points normalised to the frame, float32."""
        origin = np.array([self.x0_px, self.y0_px], np.float64)
        size = np.array([self.frame_width_px, self.frame_height_px], np.float64)
        moved: FloatArray = ((origin + points * self.side_px) / size).astype(np.float32)
        return moved

    def box_to_frame(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """Two corners in pixels of this view, as a clipped box of the frame."""
        return clip_box(
            (self.x0_px + x0) / self.frame_width_px,
            (self.y0_px + y0) / self.frame_height_px,
            (self.x0_px + x1) / self.frame_width_px,
            (self.y0_px + y1) / self.frame_height_px,
        )


def _cut(image: Image, x0: int, y0: int, side: int, part: tuple[int, int, int, int]) -> SquareView:
    """The square at ``x0, y0``, filled only where it meets ``part`` (x0, y0, x1, y1 inside the frame)."""
    height, width = image.shape[:2]
    left, top, right, bottom = max(x0, part[0]), max(y0, part[1]), min(x0 + side, part[2]), min(y0 + side, part[3])
    whole = left == x0 and top == y0 and right == x0 + side and bottom == y0 + side
    if whole:
        pixels = np.ascontiguousarray(image[top:bottom, left:right])
    else:
        pixels = np.zeros((side, side, 3), np.uint8)
        if right > left and bottom > top:
            pixels[top - y0 : bottom - y0, left - x0 : right - x0] = image[top:bottom, left:right]
    return SquareView(pixels, x0, y0, width, height)


def square_around(image: Image, centre_x_px: float, centre_y_px: float, side_px: float) -> SquareView:
    """The square of ``side_px`` (at least 1) around a point of ``image`` (h, w, 3), black outside of the frame."""
    side = max(1, round(side_px))
    x0, y0 = round(centre_x_px - side / 2), round(centre_y_px - side / 2)
    return _cut(image, x0, y0, side, (0, 0, image.shape[1], image.shape[0]))


def square_of_box(image: Image, box: Box, margin: float) -> SquareView:
    """The smallest square that holds ``box`` with a margin (share of its width and height) on every side.

    What lies in the square but outside of the box and its margin is black, so that neighbours are not seen.
    """
    height, width = image.shape[:2]
    x, y, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    left, right = max(0, int(x - margin * w)), min(width, int(np.ceil(x + w + margin * w)))
    top, bottom = max(0, int(y - margin * h)), min(height, int(np.ceil(y + h + margin * h)))
    side = max(1, right - left, bottom - top)
    x0, y0 = left - (side - (right - left)) // 2, top - (side - (bottom - top)) // 2
    return _cut(image, x0, y0, side, (left, top, right, bottom))
