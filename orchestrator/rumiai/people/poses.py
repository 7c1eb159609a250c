"""Bodies of one square view, their posture and which way they are turned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.boxes import area
from rumiai.people.geometry import SquareView, box_of_points, merge
from rumiai.people.observations import FloatArray, Orientation, Pose, Posture
from rumiai.people.tasks import Tasks, image, run

# Landmark numbers of MediaPipe's pose model, the person's left and right.
SHOULDERS: Final = (11, 12)
HIPS: Final = (23, 24)
KNEES: Final = (25, 26)
ANKLES: Final = (27, 28)

# A landmark is seen from this visibility on.
VISIBLE: Final = 0.5
# Two poses are one body when nose and shoulders lie this close on average, in heights of the taller box: the heads of
# two people, even cheek to cheek, are further apart.
_SAME_DISTANCE: Final = 0.1
_NOSE: Final = 0
# Hip angle (shoulder-hip-knee): people stand at 160 to 180 degrees and sit at 80 to 120; between them nothing is said.
_SITTING_HIP_DEG: Final = 125.0
_STANDING_HIP_DEG: Final = 150.0
# Knee angle (hip-knee-ankle) of someone standing; walking bends one knee to about 120, so the straighter leg counts.
_STANDING_KNEE_DEG: Final = 150.0
# The trunk of someone who stands leans less than this from the vertical.
_UPRIGHT_DEG: Final = 40.0
# Shoulders turned by less than this face the camera, by more than 180 minus this they face away.
_FACING_DEG: Final = 35.0


def find_poses(tasks: Tasks, view: SquareView) -> list[Pose]:
    """The bodies in a view (at most one), in frame coordinates."""
    result = run(tasks.poses.detect, image(view.pixels))
    poses = []
    for landmarks, world in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True):
        xyz = np.array([(p.x, p.y, p.z) for p in landmarks], np.float64)
        visibility = np.array([p.visibility for p in landmarks], np.float32)
        presence = np.array([p.presence for p in landmarks], np.float32)
        metres = np.array([(p.x, p.y, p.z) for p in world], np.float64)
        points = view.to_frame(xyz[:, :2])
        inside = ((points >= 0) & (points <= 1)).all(axis=1)
        seen = inside & (visibility >= VISIBLE)
        if not inside.any():
            continue
        depth = (xyz[:, 2:] * view.side_px / view.frame_width_px).astype(np.float32)
        poses.append(
            Pose(
                box=box_of_points(points[seen] if seen.any() else points[inside]),
                landmarks=np.hstack([points, depth, visibility[:, None]]),
                visibility=float(visibility.mean()),
                confidence=float(presence[inside].mean()),
                posture=posture(metres, visibility),
                orientation=orientation(metres, visibility),
            )
        )
    return poses


def merge_poses(poses: Sequence[Pose]) -> tuple[Pose, ...]:
    """Each body once, largest first; of two sightings the surer one."""
    kept = merge(poses, rank=lambda pose: pose.confidence, same=_same_body)
    return tuple(sorted(kept, key=lambda pose: area(pose.box), reverse=True))


def _same_body(a: Pose, b: Pose) -> bool:
    upper = [_NOSE, *SHOULDERS]
    distance = float(np.linalg.norm(a.landmarks[upper, :2] - b.landmarks[upper, :2], axis=1).mean())
    return distance < _SAME_DISTANCE * max(a.box[3], b.box[3])


def _angle_deg(a: npt.NDArray[np.float64], corner: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    u, v = a - corner, b - corner
    lengths = float(np.linalg.norm(u) * np.linalg.norm(v))
    return math.degrees(math.acos(float(np.clip(np.dot(u, v) / max(lengths, 1e-12), -1.0, 1.0))))


def posture(metres: npt.NDArray[np.float64], visibility: FloatArray) -> Posture:
    """Standing or sitting by the angles of hip and knee in space; unknown when legs are not seen or it is neither.

    Args:
        metres: (33, 3) world landmarks: x right, y down, z away from the camera.
        visibility: (33,) 0..1.
    """
    hips, knees, straight = [], [], []
    for shoulder, hip, knee, ankle in zip(SHOULDERS, HIPS, KNEES, ANKLES, strict=True):
        if min(visibility[shoulder], visibility[hip], visibility[knee]) < VISIBLE:
            continue
        hips.append(_angle_deg(metres[shoulder], metres[hip], metres[knee]))
        if visibility[ankle] >= VISIBLE:
            knees.append(_angle_deg(metres[hip], metres[knee], metres[ankle]))
        trunk = metres[shoulder] - metres[hip]
        straight.append(_angle_deg(trunk, np.zeros(3), np.array([0.0, -1.0, 0.0])))
    if not hips or min(straight) > _UPRIGHT_DEG:
        return "unknown"
    if max(hips) < _SITTING_HIP_DEG:
        return "sitting"
    if max(hips) > _STANDING_HIP_DEG and knees and max(knees) > _STANDING_KNEE_DEG:
        return "standing"
    return "unknown"


def orientation(metres: npt.NDArray[np.float64], visibility: FloatArray) -> Orientation:
    """Which way the chest points, by the line of the shoulders in space; unknown unless both are seen.

    ``turned_left`` and ``turned_right`` are the picture's sides.
    """
    left, right = SHOULDERS
    if min(visibility[left], visibility[right]) < VISIBLE:
        return "unknown"
    # Seen from the front the person's left shoulder is at the picture's right: the line points to +x.
    across, away = float(metres[left][0] - metres[right][0]), float(metres[left][2] - metres[right][2])
    turned = math.degrees(math.atan2(away, across))
    if abs(turned) <= _FACING_DEG:
        return "facing_camera"
    if abs(turned) >= 180 - _FACING_DEG:
        return "facing_away"
    # The left shoulder further from the camera than the right: the chest points to the picture's right.
    return "turned_right" if turned > 0 else "turned_left"
