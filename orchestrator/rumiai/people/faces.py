"""Faces of one frame: detected on the whole frame and at the heads of the persons, merged, then given landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rumiai.core.boxes import Box, area
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
from rumiai.people.observations import Face, FaceMesh
from rumiai.people.tasks import Tasks, image, run

# A head is looked for in a square at the top of a person's box, this many times the box's shorter side ...
_HEAD_SQUARE: Final = 1.2
# ... of which this share lies above the box, since boxes cut hair.
_ABOVE_BOX: Final = 0.1
# The landmarker finds the face again in a square of this many detection widths: half of the picture is face.
_MESH_SQUARE: Final = 2.0
# A detection on which no landmarks can be placed (a profile, or no face at all) counts from this score on: in pictures
# at hand profiles have 0.77 to 0.89, chance detections 0.43 to 0.57.
_MIN_SCORE_WITHOUT_MESH: Final = 0.75
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
    return any(x <= c.box[0] + c.box[2] / 2 <= x + w and y <= c.box[1] + c.box[3] / 2 <= y + h / 2 for c in candidates)


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


def find_faces(tasks: Tasks, frame: Image, persons: Sequence[Box], *, whole: bool, max_meshes: int) -> tuple[Face, ...]:
    """All faces of ``frame`` (h, w, 3), largest first.

    Args:
        tasks: The models.
        frame: uint8 RGB, contiguous.
        persons: Boxes at whose head to look where the whole frame shows no face.
        whole: Whether to look at the whole frame.
        max_meshes: How many faces, largest first, get landmarks; the others need a surer detection.
    """
    found = _candidates_of_frame(tasks, frame) if whole else []
    for person in persons:
        if not _has_face(person, found):
            at_head = _candidates_in(tasks, _head_view(frame, person))
            found += at_head or _candidates_in(tasks, square_of_box(frame, person, _BODY_MARGIN))
    merged = merge(found, rank=lambda c: c.score, same=lambda a, b: same_thing(a.box, b.box))
    faces: list[Face] = []
    placed: list[Box] = []
    for index, candidate in enumerate(sorted(merged, key=lambda c: area(c.box), reverse=True)):
        found_mesh = _mesh(tasks, frame, candidate) if index < max_meshes else None
        if found_mesh is not None:
            mesh, box = found_mesh
            # Two detections beside each other may lead the landmarks to one face.
            if not any(same_thing(box, other) for other in placed):
                placed.append(box)
                faces.append(Face(candidate.box, candidate.score, mesh))
        elif candidate.score >= _MIN_SCORE_WITHOUT_MESH:
            faces.append(Face(candidate.box, candidate.score))
    return tuple(faces)
