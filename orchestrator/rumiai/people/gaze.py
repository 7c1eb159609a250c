"""Head direction, gaze and mouth opening from a face's 478 landmarks and its transformation matrix.

Landmarks are in pixels of a square view (only ratios are used): x right, y down. Indices are those of MediaPipe's face
mesh with irises.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.people.observations import Gaze, GazeDirection

# Iris centre and the two corners of each eye: the person's right eye, then the left.
_EYES: Final = ((468, 33, 133), (473, 362, 263))
_LIPS: Final = (13, 14)  # inner upper and inner lower lip
_MOUTH_CORNERS: Final = (78, 308)  # inner corners

# A face looks at the camera when the offset ratio is below the first and the head is turned by less than the second.
LOOKING_OFFSET: Final = 0.15
LOOKING_YAW_DEG: Final = 20.0
# A lid that covers more of the eye than this hides the iris: its landmark is then a guess.
CLOSED_EYE: Final = 0.6


def head_angles(matrix: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Yaw and pitch in degrees from a facial transformation matrix (4, 4): see ``observations`` for the signs.

    The third column is where the canonical face's forward axis points in MediaPipe's metric space (x right, y up, z
    towards the viewer).
    """
    x, y, z = (float(value) for value in matrix[:3, 2])
    return math.degrees(math.atan2(x, z)), math.degrees(math.atan2(y, math.hypot(x, z)))


def iris_offset(points: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Iris centre minus the middle of the eye's corners, over the distance of the corners; mean of both eyes.

    Args:
        points: (478, 2) landmarks.
    """
    offsets = []
    for iris, outer, inner in _EYES:
        width = max(float(np.linalg.norm(points[outer] - points[inner])), 1e-9)
        offsets.append((points[iris] - (points[outer] + points[inner]) / 2) / width)
    x, y = np.mean(offsets, axis=0)
    return float(x), float(y)


def mouth_open(points: npt.NDArray[np.float64]) -> float:
    """Gap between the inner lips over the distance of the mouth's inner corners."""
    gap = float(np.linalg.norm(points[_LIPS[0]] - points[_LIPS[1]]))
    width = float(np.linalg.norm(points[_MOUTH_CORNERS[0]] - points[_MOUTH_CORNERS[1]]))
    return gap / max(width, 1e-9)


def gaze(offset_x: float, offset_y: float, yaw_deg: float) -> Gaze:
    """Eye contact and direction from the iris offset (in eye widths) and the head's yaw.

    A head turned by 20 degrees or more looks where it is turned to; else the larger part of the iris offset tells.
    """
    ratio = math.hypot(offset_x, offset_y)
    if ratio < LOOKING_OFFSET and abs(yaw_deg) < LOOKING_YAW_DEG:
        score = (1 - ratio / LOOKING_OFFSET) * (1 - abs(yaw_deg) / LOOKING_YAW_DEG)
        return Gaze(offset_x, offset_y, score, "camera")
    direction: GazeDirection
    if abs(yaw_deg) >= LOOKING_YAW_DEG:
        direction = "right" if yaw_deg > 0 else "left"
    elif abs(offset_x) >= abs(offset_y):
        direction = "right" if offset_x > 0 else "left"
    else:
        direction = "down" if offset_y > 0 else "up"
    return Gaze(offset_x, offset_y, 0.0, direction)
