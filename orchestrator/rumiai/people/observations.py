"""What was seen of people on one frame, as values.

Conventions: boxes are ``(x, y, width, height)`` and points ``(x, y)``, normalised to 0..1 of the frame, origin top
left. Boxes are clipped to the frame; points may lie outside of it. ``left`` and ``right`` of hands and body are the
person's own, those of directions are the picture's. Degrees of head yaw are positive towards the picture's right,
those of pitch positive upwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import freeze_arrays
from rumiai.core.boxes import Box

FloatArray = npt.NDArray[np.float32]

GazeDirection = Literal["camera", "left", "right", "up", "down"]
Posture = Literal["standing", "sitting", "unknown"]
Orientation = Literal["facing_camera", "turned_left", "turned_right", "facing_away", "unknown"]
# How a frame was analysed. gated: not at all. crops: faces on the whole frame, bodies and hands on the persons' crops.
# whole: everything on the whole frame, because no person is known.
Look = Literal["gated", "crops", "whole"]


class Person(NamedTuple):
    """Where the object detector sees a person, and its score, 0..1."""

    box: Box
    score: float


@dataclass(frozen=True)
class Gaze:
    """Where a face looks.

    Attributes:
        offset_x: Iris centre minus eye centre, in eye widths, mean of both eyes; positive to the picture's right.
        offset_y: The same downwards.
        eye_contact: Score 0..1; 0.0 when not looking at the camera.
        direction: ``camera`` or where to.
    """

    offset_x: float
    offset_y: float
    eye_contact: float
    direction: GazeDirection


@dataclass(frozen=True)
class FaceMesh:
    """What the landmark model says of one face.

    Attributes:
        blendshapes: The 51 ARKit coefficients by name, 0..1.
        yaw_deg: Head turned to the picture's right (+) or left (-).
        pitch_deg: Head raised (+) or lowered (-).
        mouth_open: Gap between the inner lips over the mouth's width; 0.0 closed.
        gaze: None when the eyes are closed.
    """

    blendshapes: Mapping[str, float]
    yaw_deg: float
    pitch_deg: float
    mouth_open: float
    gaze: Gaze | None


@dataclass(frozen=True)
class Face:
    """One face. ``score`` is the face detector's own, 0..1; ``mesh`` is None when no landmarks could be placed."""

    box: Box
    score: float
    mesh: FaceMesh | None = None


@dataclass(frozen=True)
class Hand:
    """One hand.

    Attributes:
        box: Around its 21 landmarks.
        handedness: The person's own left or right.
        handedness_score: 0..1.
        landmarks: (21, 2) float32.
        gesture: In RumiAI's vocabulary; None when it makes none.
        gesture_score: 0..1; 0.0 without a gesture.
        direction: Unit vector in the picture (x right, y down) from wrist to index finger tip, for ``pointing`` only.
    """

    box: Box
    handedness: Literal["left", "right"]
    handedness_score: float
    landmarks: FloatArray
    gesture: str | None = None
    gesture_score: float = 0.0
    direction: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        freeze_arrays(self, landmarks=(np.float32, 21, 2))


@dataclass(frozen=True)
class Pose:
    """One body.

    Attributes:
        box: Around its visible landmarks.
        landmarks: (33, 4) float32 x, y, z, visibility; z in frame widths, negative towards the camera.
        visibility: Mean over the 33 landmarks, 0..1: how much of the body is seen.
        confidence: Mean presence of the landmarks that lie inside the frame, 0..1.
    """

    box: Box
    landmarks: FloatArray
    visibility: float
    confidence: float
    posture: Posture = "unknown"
    orientation: Orientation = "unknown"

    def __post_init__(self) -> None:
        freeze_arrays(self, landmarks=(np.float32, 33, 4))


@dataclass(frozen=True)
class PeopleFrame:
    """Everything seen of people on one frame, largest first in each tuple.

    ``persons`` is the number of person boxes that were given, None when the object detector was not available.
    """

    timestamp_s: float
    frame_number: int
    look: Look
    persons: int | None = None
    faces: tuple[Face, ...] = field(default=())
    hands: tuple[Hand, ...] = field(default=())
    poses: tuple[Pose, ...] = field(default=())

    @property
    def main_face(self) -> Face | None:
        """The largest face that has landmarks: gaze and expression are told of it."""
        return next((face for face in self.faces if face.mesh is not None), None)
