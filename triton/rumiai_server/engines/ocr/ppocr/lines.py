"""Lines cut out of pictures, level and as high as the recogniser wants them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Height at which the recogniser sees a line.
LINE_HEIGHT_PX = 48
# From this ratio of height to width on, a region is taken to be a line that runs upwards or downwards.
_UPRIGHT_RATIO = 1.5


def cut_line(picture: NDArray[np.uint8], quad: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Straighten one region of an RGB picture.

    Args:
        picture: (h, w, 3) uint8.
        quad: (4, 2) float32 corners x, y, clockwise from the upper left.

    Returns:
        The line, and the quad so turned that its first corner is the one at which the line begins. A region much
        higher than wide comes out turned by 90 degrees, so that what ran downwards is level.
    """
    width = int(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[2] - quad[3])))
    height = int(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2])))
    to = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    # The part that holds the region, and what the filter reaches beside it: warping needs no more.
    left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 3, 0)
    right, bottom = np.ceil(quad.max(axis=0)).astype(int) + 4
    part = picture[top:bottom, left:right]
    matrix = cv2.getPerspectiveTransform(quad - np.array([left, top], dtype=np.float32), to)
    line = cv2.warpPerspective(part, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if height / width >= _UPRIGHT_RATIO:
        return np.asarray(np.rot90(line)), np.roll(quad, -1, axis=0)
    return np.asarray(line), quad


def turned(line: NDArray[np.uint8], quad: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A line upside down, and its quad from the corner at which it begins then."""
    return np.ascontiguousarray(line[::-1, ::-1]), np.roll(quad, 2, axis=0)


def fitted_width(line: NDArray[np.uint8]) -> int:
    """Its width in pixels at the recogniser's height."""
    return max(math.ceil(LINE_HEIGHT_PX * line.shape[1] / line.shape[0]), 1)


def as_input(line: NDArray[np.uint8], width: int) -> NDArray[np.float32]:
    """(3, 48, width) float32 BGR, -1..1, of a line; narrower ones are filled up on the right with 0, wider squeezed."""
    own = min(fitted_width(line), width)
    scaled = cv2.resize(line, (own, LINE_HEIGHT_PX))
    out = np.zeros((3, LINE_HEIGHT_PX, width), dtype=np.float32)
    out[:, :, :own] = (scaled[..., ::-1].transpose(2, 0, 1) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    return out
