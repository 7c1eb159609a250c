"""Words that the detector found one by one, joined to the line that they are of.

Typewriter faces and wide spacing part words further than the detector bridges. What lies on one line, is as high and
hardly further apart than a blank is wide, is read as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rumiai_server.engines.ocr.ppocr.detector import clockwise

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The widest gap and the deepest overlap of two boxes, in the height of the lower one. Boxes reach about 0.3 heights
# over the letters at each end, so that words up to one height apart join and columns do not.
_MAX_GAP, _MAX_OVERLAP = 0.4, 0.5
# Heights of one line are at least so like, and its middles at most so far from the line, in heights.
_MIN_HEIGHT_RATIO, _MAX_OFFSET = 0.7, 0.25
# From this ratio of height to width on, a line runs upwards or downwards.
_UPRIGHT_RATIO = 1.5


def join_words(quads: NDArray[np.float32]) -> NDArray[np.float32]:
    """Join quads (m, 4, 2), clockwise from the upper left; the joined stand where their first word stood."""
    waiting = list(quads)
    done: list[NDArray[np.float32]] = []
    while waiting:
        quad = waiting.pop(0)
        for i, other in enumerate(done):
            if _one_line(quad, other):
                # It may reach a third one now.
                done.pop(i)
                waiting.insert(0, _around(quad, other))
                break
        else:
            done.append(quad)
    return np.array(done, dtype=np.float32).reshape(-1, 4, 2)


def _one_line(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    longer, shorter = sorted((one, other), key=lambda quad: max(_sides(quad)), reverse=True)
    across, down = _sides(longer)
    along = longer[3] - longer[0] if down >= _UPRIGHT_RATIO * across else longer[1] - longer[0]
    along = along / max(float(np.linalg.norm(along)), 1.0)
    # How far each reaches along the line and across it. One that lies at another slant is too high for it.
    reach, height = (
        np.array([_span(quad @ axis) for quad in (longer, shorter)]) for axis in (along, along[::-1] * (-1, 1))
    )
    heights = height[:, 1] - height[:, 0]
    least = float(heights.min())
    offset = abs(float(height.mean(axis=1) @ (1, -1)))
    gap = float(reach[:, 0].max() - reach[:, 1].min())
    return (
        least >= _MIN_HEIGHT_RATIO * float(heights.max())
        and offset <= _MAX_OFFSET * least
        and -_MAX_OVERLAP * least <= gap <= _MAX_GAP * least
    )


def _sides(quad: NDArray[np.float32]) -> tuple[float, float]:
    return float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))


def _span(values: NDArray[np.float32]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _around(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    return clockwise(cv2.boxPoints(cv2.minAreaRect(np.concatenate([one, other]))))
