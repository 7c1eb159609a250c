"""Where a picture may hold text, from one cheap look by PaddleOCR's small detector.

It only says where to look. Boxes and texts stay EasyOCR's: CRAFT, ten times as dear per pixel, is run over these places
alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from rumiai_server.engines.ocr.ppocr.graph import read_model
from rumiai_server.engines.ocr.ppocr.network import OrtNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# Longest side in pixels at which it sees a picture. Of 175 drawn captions, a few of them too faint to be read, 161
# answer at 480, 168 at 640 and 171 at 736.
LOCATE_SIZE_PX = 736
# Answer from which a pixel may be text. The network is sure of most of what it sees at all: from 0.3 down to 0.05 the
# places grow by a sixth, and a few faint words come in.
_SUSPICION = 0.05
# Answers smaller than this are specks; a line of letters of 12 px, 1 % of a portrait frame's height, is larger.
_MIN_AREA_PX, _MIN_HEIGHT_PX = 12, 3
# The network halves its input five times.
_SIDE_MULTIPLE_PX = 32
# Its input is -1 .. 1.
_MEAN, _SCALE = 127.5, 1 / 127.5


class Place(NamedTuple):
    """Where a line of text may be, in pixels of the picture; ``height`` is across the line, however it is turned."""

    left: float
    top: float
    right: float
    bottom: float
    height: float


class TextLocator:
    """PaddleOCR's PP-OCRv6 small detector on the CPU, on the thread that calls it; several threads may.

    Args:
        path: ``PP-OCRv6_det_small.onnx``.

    Raises:
        WeightsError: The file is missing or holds no network.
    """

    def __init__(self, path: Path) -> None:
        model = read_model(path)
        self._network = OrtNetwork(model, [model.graph.output[0].name], threads=1)

    def locate(self, picture: NDArray[np.uint8], mag_ratio: float = 1.0) -> list[Place]:
        """Look at one picture.

        Args:
            picture: (h, w, 3) uint8 RGB.
            mag_ratio: Magnification before the bound on the longest side applies.

        Returns:
            The places, which may overlap; none where nothing looks like text.
        """
        longest = max(picture.shape[:2])
        scale = min(LOCATE_SIZE_PX, longest * mag_ratio) / longest
        height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
        # Averaging is for making smaller; magnifying, it would repeat pixels.
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas = np.zeros((*(_round_up(side) for side in (height, width)), 3), dtype=np.uint8)
        canvas[:height, :width] = cv2.resize(picture, (width, height), interpolation=way)
        batch = cv2.dnn.blobFromImage(canvas, _SCALE, mean=(_MEAN,) * 3, swapRB=True)
        [answers] = self._network(np.asarray(batch, dtype=np.float32))
        return [Place(*(value / scale for value in place)) for place in _places(answers[0, 0, :height, :width])]


def _places(answers: NDArray[np.float32]) -> Iterator[Place]:
    """Those of an (h, w) map of answers, in its pixels."""
    suspected = (answers > _SUSPICION).view(np.uint8)
    # Joins what one pixel parts: faint places fall apart into a chessboard.
    joined = cv2.dilate(suspected, np.ones((3, 3), dtype=np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for label, (left, top, width, height, _) in enumerate(stats[1:], start=1):
        window = np.s_[top : top + height, left : left + width]
        y, x = np.nonzero((labels[window] == label) & (suspected[window] != 0))
        if len(x) < _MIN_AREA_PX:
            continue
        _, sides, _ = cv2.minAreaRect(np.stack([x, y], axis=1).astype(np.int32))
        across = min(sides) + 1  # between the centres of pixels
        if across >= _MIN_HEIGHT_PX:
            yield Place(left + x.min(), top + y.min(), left + x.max() + 1, top + y.max() + 1, across)


def _round_up(side_px: int) -> int:
    return -(-side_px // _SIDE_MULTIPLE_PX) * _SIDE_MULTIPLE_PX
