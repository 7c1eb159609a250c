"""Faces of one frame: detected on the whole frame and at the heads of the persons, merged, then given landmarks.

The detector also answers to animals, fruit and drawings. What counts as a face, and on which pictures the limits were
chosen, is in docs/design/people.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from rumiai.core.boxes import Box, area, centre
from rumiai.people.gaze import CLOSED_EYE, gaze, head_angles, iris_offset, mouth_open
from rumiai.people.geometry import (
    Image,
    SquareView,
    box_of_points,
    merge,
    same_thing,
    square_around,
    square_of_box,
)
from rumiai.people.observations import Face, FaceMesh, Person
from rumiai.people.tasks import Tasks, image, run

# A head is looked for in a square at the top of a person's box, this many times the box's shorter side ...
_HEAD_SQUARE: Final = 1.2
# ... of which this share lies above the box, since boxes cut hair.
_ABOVE_BOX: Final = 0.1
# The landmarker finds the face again in a square of this many detection widths: half of the picture is face.
_MESH_SQUARE: Final = 2.0
# A detection with landmarks is a face within a person's box; without one it needs this score. Animals and things reach
# 0.73 (0.72 when drawn), the faces of real clips that no box holds 0.8 and more.
_MIN_SCORE_WITHOUT_PERSON: Final = 0.75
# A detection without landmarks (a profile, a face of a crowd) needs this score and a sure person, or the other score.
_MIN_SCORE_WITHOUT_MESH: Final = 0.75
_MIN_SCORE_ALONE: Final = 0.9
_SURE_PERSON: Final = 0.5
# A face is drawn when more than this share of its points differ from both neighbours by at most one level, at a size at
# which skin has a gradient. Drawn ones have 0.30 to 0.68, filmed ones at most 0.24.
_DRAWN_SHARE: Final = 0.28
_DRAWN_SIDE_PX: Final = 64
# In fewer pixels it cannot be told: enlarging makes its own gradients.
_DRAWN_LEAST_PX: Final = 32
# A person's crop never needs more margin than this to hold the head.
_BODY_MARGIN: Final = 0.1


@dataclass(frozen=True)
class _Candidate:
    box: Box
    score: float


def _detect(tasks: Tasks, pixels: Image) -> list[tuple[float, float, float, float, float]]:
    """Corners in pixels and score of every face that the detector sees."""
    found = []
    for detection in run(tasks.face_detector.detect, image(pixels)).detections:
        box = detection.bounding_box
        corners = (box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height)
        found.append((*corners, float(detection.categories[0].score)))
    return found


def _candidates_in(tasks: Tasks, view: SquareView) -> list[_Candidate]:
    return [_Candidate(view.box_to_frame(*corners), score) for *corners, score in _detect(tasks, view.pixels)]


def _candidates_of_frame(tasks: Tasks, frame: Image) -> list[_Candidate]:
    height, width = frame.shape[:2]
    # The frame as it is, without a copy: the detector fits any shape into its own square.
    whole = SquareView(frame[:0], 0, 0, width, height)
    return [_Candidate(whole.box_to_frame(*corners), score) for *corners, score in _detect(tasks, frame)]


def _head_view(frame: Image, person: Box) -> SquareView:
    height, width = frame.shape[:2]
    side = min(person[2] * width, person[3] * height) * _HEAD_SQUARE
    centre_y = person[1] * height + side * (0.5 - _ABOVE_BOX)
    return square_around(frame, (person[0] + person[2] / 2) * width, centre_y, side)


def _has_face(person: Box, candidates: Sequence[_Candidate]) -> bool:
    """Whether a face was already found whose centre lies in the upper half of a person's box."""
    x, y, w, h = person
    return any(_holds((x, y, w, h / 2), *centre(c.box)) for c in candidates)


def _mesh(tasks: Tasks, frame: Image, candidate: _Candidate) -> tuple[FaceMesh, Box] | None:
    """Place landmarks on a detected face: the mesh and the box of its landmarks; None where none can be placed."""
    height, width = frame.shape[:2]
    x, y, w, h = candidate.box
    side = max(w * width, h * height) * _MESH_SQUARE
    view = square_around(frame, (x + w / 2) * width, (y + h / 2) * height, side)
    result = run(tasks.face_landmarker.detect, image(view.pixels))
    if not result.face_landmarks:
        return None
    points = np.array([(p.x, p.y) for p in result.face_landmarks[0]], np.float64)
    box = box_of_points(view.to_frame(points))
    if not same_thing(box, candidate.box):
        return None
    return _read_mesh(points, result.face_blendshapes[0], result.facial_transformation_matrixes[0]), box


def _read_mesh(points: Any, categories: Any, matrix: Any) -> FaceMesh:
    blendshapes = {c.category_name: float(c.score) for c in categories if c.category_name != "_neutral"}
    yaw, pitch = head_angles(matrix)
    closed = (blendshapes["eyeBlinkLeft"] + blendshapes["eyeBlinkRight"]) / 2 > CLOSED_EYE
    return FaceMesh(
        blendshapes=blendshapes,
        yaw_deg=yaw,
        pitch_deg=pitch,
        mouth_open=mouth_open(points),
        gaze=None if closed else gaze(*iris_offset(points), yaw),
    )


def _person_score(candidate: _Candidate, persons: Sequence[Person]) -> float:
    """Score of the surest person whose box holds the centre of a detection; 0.0 when none does."""
    x, y = centre(candidate.box)
    return max((p.score for p in persons if _holds(p.box, x, y)), default=0.0)


def _holds(box: Box, x: float, y: float) -> bool:
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]


def is_drawn(frame: Image, box: Box) -> bool:
    """Whether what lies in ``box`` of ``frame`` (h, w, 3) has areas of one colour, as drawings have and skin has not.

    False where the box is too small to tell.
    """
    height, width = frame.shape[:2]
    x, y = int(box[0] * width), int(box[1] * height)
    part = frame[y : y + math.ceil(box[3] * height), x : x + math.ceil(box[2] * width)]
    if min(part.shape[:2]) < _DRAWN_LEAST_PX:
        return False
    how = cv2.INTER_AREA if part.shape[0] > _DRAWN_SIDE_PX else cv2.INTER_LINEAR
    small = cv2.resize(part, (_DRAWN_SIDE_PX, _DRAWN_SIDE_PX), interpolation=how).astype(np.int16)
    across = np.abs(np.diff(small, axis=1)).max(axis=2)[:-1] <= 1
    down = np.abs(np.diff(small, axis=0)).max(axis=2)[:, :-1] <= 1
    return float((across & down).mean()) > _DRAWN_SHARE


def _face(tasks: Tasks, frame: Image, candidate: _Candidate, person: float, *, mesh: bool) -> tuple[Face, Box] | None:
    """A detection as a face and the box of its landmarks, if it is one.

    Args:
        tasks: The models.
        frame: The frame.
        candidate: The detection.
        person: Score of the person that it belongs to; 0.0 without one.
        mesh: Whether to place landmarks.
    """
    if candidate.score < _MIN_SCORE_WITHOUT_PERSON and not person:
        return None
    placed = _mesh(tasks, frame, candidate) if mesh else None
    is_sure = candidate.score >= (_MIN_SCORE_WITHOUT_MESH if person >= _SURE_PERSON else _MIN_SCORE_ALONE)
    if (placed is None and not is_sure) or is_drawn(frame, candidate.box):
        return None
    return Face(candidate.box, candidate.score, placed[0] if placed else None), placed[1] if placed else candidate.box


def find_faces(
    tasks: Tasks, frame: Image, persons: Sequence[Person], *, whole: bool, max_meshes: int
) -> tuple[Face, ...]:
    """All faces of ``frame`` (h, w, 3), largest first.

    Args:
        tasks: The models.
        frame: uint8 RGB, contiguous.
        persons: At whose head to look where the whole frame shows no face.
        whole: Whether to look at the whole frame.
        max_meshes: How many faces, largest first, get landmarks; the others need a surer detection.
    """
    found = _candidates_of_frame(tasks, frame) if whole else []
    for person in persons:
        if not _has_face(person.box, found):
            at_head = _candidates_in(tasks, _head_view(frame, person.box))
            found += at_head or _candidates_in(tasks, square_of_box(frame, person.box, _BODY_MARGIN))
    merged = merge(found, rank=lambda c: c.score, same=lambda a, b: same_thing(a.box, b.box))
    faces: list[Face] = []
    meshes: list[Box] = []
    for candidate in sorted(merged, key=lambda c: area(c.box), reverse=True):
        wanted = len(meshes) < max_meshes
        face = _face(tasks, frame, candidate, _person_score(candidate, persons), mesh=wanted)
        if face is None:
            continue
        if face[0].mesh is not None:
            # Two detections beside each other may lead the landmarks to one face.
            if any(same_thing(face[1], other) for other in meshes):
                continue
            meshes.append(face[1])
        faces.append(face[0])
    return tuple(faces)
