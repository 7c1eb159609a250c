"""PaddleOCR's small text detector: the lines of a picture as rotated rectangles.

The network answers for each pixel how surely it lies within a line of text, shrunk. Around each island of sure pixels
goes the smallest rectangle, grown again by what shrinking took (differentiable binarisation, arXiv 1911.08947). Sizes,
rounding and order are RapidOCR's, so that the same lines come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pyclipper

from rumiai.core.arrays import freeze_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.ppocr.network import Network

# The network halves its input five times.
_SIDE_MULTIPLE_PX = 32
# Its input is -1 .. 1.
_MEAN, _SCALE = 127.5, 1 / 127.5
# Answer from which a pixel is text, and mean answer from which an island is a line; RapidOCR's defaults.
_PIXEL_THRESHOLD, _BOX_THRESHOLD = 0.3, 0.5
# How much of area / perimeter an island grows by; RapidOCR's default.
_UNCLIP_RATIO = 1.6
# Islands and rectangles that are thinner are specks, in pixels of the network's input and of the picture.
_MIN_ISLAND_PX, _MIN_GROWN_PX, _MIN_SIDE_PX = 3, 5, 3
_MAX_LINES = 1000
# Lines whose upper left corners differ by less in height stand side by side.
_SAME_LINE_PX = 10


@dataclass(frozen=True)
class Regions:
    """Where a picture holds lines of text, from top to bottom, side by side ones from left to right.

    Attributes:
        quads: (m, 4, 2) float32 corners x, y in whole pixels of the picture, clockwise from the upper left.
        scores: (m,) float32 how sure the detector is, 0..1.
    """

    quads: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        freeze_arrays(self, quads=(np.float32, "m", 4, 2), scores=(np.float32, "m"))


class LineDetector:
    """The detector; several threads may call it.

    Args:
        network: ``PP-OCRv6_det_small``.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def find(self, pictures: Sequence[NDArray[np.uint8]], longest_side_px: float) -> list[Regions]:
        """Look at pictures in one pass.

        Args:
            pictures: (h, w, 3) uint8 RGB each; their canvases have one shape.
            longest_side_px: To which the longest side of each is scaled.

        Returns:
            The lines of each.
        """
        shape = canvas_shape(pictures[0], longest_side_px)
        canvases = [_scaled(picture, shape) for picture in pictures]
        batch = cv2.dnn.blobFromImages(canvases, _SCALE, mean=(_MEAN,) * 3, swapRB=True)
        [answers] = self._network(np.asarray(batch, dtype=np.float32))
        return [lines_of(maps[0], *picture.shape[:2]) for maps, picture in zip(answers, pictures, strict=True)]


def _scaled(picture: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    if picture.shape[:2] == shape:
        return picture
    return np.asarray(cv2.resize(picture, (shape[1], shape[0])), dtype=np.uint8)


def canvas_shape(picture: NDArray[np.uint8], longest_side_px: float) -> tuple[int, int]:
    """Height and width at which the network sees a picture: its shape, both sides rounded to multiples of 32."""
    scale = longest_side_px / max(picture.shape[:2])
    height, width = (max(round(int(side * scale) / _SIDE_MULTIPLE_PX), 1) for side in picture.shape[:2])
    return height * _SIDE_MULTIPLE_PX, width * _SIDE_MULTIPLE_PX


def lines_of(answers: NDArray[np.float32], height: int, width: int) -> Regions:
    """The lines in an (h, w) map of answers, in pixels of the (height, width) picture."""
    text = cv2.dilate((answers > _PIXEL_THRESHOLD).view(np.uint8), np.ones((2, 2), dtype=np.uint8))
    outlines, _ = cv2.findContours(text, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    seen, sides = np.array(answers.shape[::-1], dtype=np.float32), np.array([width, height], dtype=np.float32)
    quads, scores = [], []
    for outline in outlines[:_MAX_LINES]:
        island, side = _smallest_rectangle(outline)
        if side < _MIN_ISLAND_PX:
            continue
        score = _mean_within(answers, island)
        grown, side = _smallest_rectangle(_grown(island))
        if score < _BOX_THRESHOLD or side < _MIN_GROWN_PX:
            continue
        quad = np.clip(clockwise(np.round(grown / seen * sides)), 0, sides - 1)
        across, down = (int(np.linalg.norm(quad[0] - quad[corner])) for corner in (1, 3))
        if min(across, down) > _MIN_SIDE_PX:
            quads.append(quad)
            scores.append(score)
    if not quads:
        return Regions(np.zeros((0, 4, 2), dtype=np.float32), np.zeros(0, dtype=np.float32))
    order = _reading_order(np.stack(quads))
    return Regions(np.stack(quads)[order], np.array(scores, dtype=np.float32)[order])


def _smallest_rectangle(points: NDArray[np.int32]) -> tuple[NDArray[np.float32], float]:
    """Its corners, clockwise from the upper left, and its shorter side."""
    rectangle = cv2.minAreaRect(points)
    return clockwise(cv2.boxPoints(rectangle)), min(rectangle[1])


def clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the upper left one: the upper of the two leftmost ones."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = (pair[np.argsort(pair[:, 1], kind="stable")] for pair in (by_x[:2], by_x[2:]))
    return np.array([left[0], right[0], right[1], left[1]], dtype=np.float32)


def _mean_within(answers: NDArray[np.float32], quad: NDArray[np.float32]) -> float:
    """Mean answer over the pixels within a quadrilateral."""
    last = np.array([answers.shape[1] - 1, answers.shape[0] - 1])
    left, top = np.clip(np.floor(quad.min(axis=0)).astype(int), 0, last)
    right, bottom = np.clip(np.ceil(quad.max(axis=0)).astype(int), 0, last)
    mask = np.zeros((bottom - top + 1, right - left + 1), dtype=np.uint8)
    cv2.fillPoly(mask, [(quad - np.array([left, top])).astype(np.int32)], 1)
    return float(cv2.mean(answers[top : bottom + 1, left : right + 1], mask)[0])


def _grown(quad: NDArray[np.float32]) -> NDArray[np.int32]:
    """Points around a quadrilateral, as far from it as shrinking had moved its edges."""
    x, y = quad[:, 0].astype(np.float64), quad[:, 1].astype(np.float64)
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    perimeter = float(np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1).sum())
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(quad, pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    outlines = offset.Execute(area * _UNCLIP_RATIO / perimeter)
    return np.concatenate([np.array(outline, dtype=np.int32) for outline in outlines])


def _reading_order(quads: NDArray[np.float32]) -> NDArray[np.intp]:
    by_height = np.argsort(quads[:, 0, 1], kind="stable")
    tops = quads[by_height, 0, 1]
    rows = np.concatenate([[0], np.cumsum(np.diff(tops) >= _SAME_LINE_PX)])
    return np.asarray(by_height[np.lexsort((quads[by_height, 0, 0], rows))])
