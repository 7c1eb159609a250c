"""Bodies, faces, hands, gaze and gestures on sampled frames: the canonical data of the ``mediapipe`` service."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Annotated, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field, GetCoreSchemaHandler, Strict, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from rumiai.contracts.services.base import (
    Box,
    Count,
    Expected,
    FrameNumber,
    Number,
    Seconds,
    ServiceData,
    ServiceMetadata,
    ServiceModel,
    Share,
    Text,
    interval_problem,
)
from rumiai.core.arrays import freeze_arrays

BODY_POINTS: Final = 33
_AXES: Final = ("x", "y", "z", "v")
_WHOLE_BODY: Final = list(range(BODY_POINTS))
_INDEX: Final = itemgetter("i")
_POINT: Final = itemgetter(*_AXES)
_NUMBERS: Final = frozenset({int, float})
_LANDMARKS_EXPECTED: Final = "a list of {i, x, y, z, v} with finite numbers and i in 0..32"

Percentage = Annotated[float, Strict(), Field(ge=0, le=100), Expected("0..100")]


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The points of one body; in JSON a list of ``{"i", "x", "y", "z", "v"}``.

    One array and no object per point: three hours of video hold millions of them.

    Attributes:
        points: (33, 4) float64, read-only: x, y in shares of the frame, z in frame widths, visibility 0..1; NaN where
            the data does not tell.
    """

    points: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        freeze_arrays(self, points=(np.float64, BODY_POINTS, len(_AXES)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Landmarks) and np.array_equal(self.points, other.points, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]  # an array has no hash

    @classmethod
    def read(cls, raw: object) -> Landmarks:
        """Landmarks from their JSON form; an empty list says that no point is known.

        Raises:
            PydanticCustomError: It is no list of points, a number is not finite, or an index lies outside 0..32.
        """
        if isinstance(raw, Landmarks):
            return raw
        try:
            return cls(_points(raw))
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise PydanticCustomError("contract", "{expected}", {"expected": _LANDMARKS_EXPECTED}) from error

    def to_json(self) -> list[dict[str, Any]]:
        """The JSON form; points and coordinates that are not known are left out."""
        known = ~np.isnan(self.points)
        if known.all():
            return [{"i": i, "x": x, "y": y, "z": z, "v": v} for i, (x, y, z, v) in enumerate(self.points.tolist())]
        return [
            {"i": i} | {axis: value for axis, value, is_known in zip(_AXES, row, told, strict=True) if is_known}
            for i, (row, told) in enumerate(zip(self.points.tolist(), known.tolist(), strict=True))
            if any(told)
        ]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read and written by the two methods above."""
        return core_schema.no_info_plain_validator_function(
            cls.read, serialization=core_schema.plain_serializer_function_ser_schema(cls.to_json)
        )


def _points(raw: Any) -> npt.NDArray[np.float64]:
    if not isinstance(raw, list | tuple):
        raise TypeError(raw)
    points = np.full((BODY_POINTS, len(_AXES)), np.nan)
    if not raw:
        return points
    indices = list(map(_INDEX, raw))
    if indices != _WHOLE_BODY and not all(type(i) is int and 0 <= i < BODY_POINTS for i in indices):
        raise IndexError(indices)
    try:
        flat = list(chain.from_iterable(map(_POINT, raw)))
        rows = _finite(flat)
    except KeyError:
        told = [[point.get(axis) for axis in _AXES] for point in raw]
        _finite([value for point in raw for axis, value in point.items() if axis in _AXES])
        rows = np.array(told, dtype=np.float64)
    points[indices] = rows.reshape(-1, len(_AXES))
    return points


def _finite(numbers: list[Any]) -> npt.NDArray[np.float64]:
    if not _NUMBERS.issuperset(map(type, numbers)):
        raise TypeError(numbers)
    array = np.array(numbers, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(numbers)
    return array


class _Sample(ServiceModel):
    """Something on one sampled frame."""

    timestamp_s: Seconds
    frame_number: FrameNumber | None = None


class Pose(_Sample):
    """One body.

    Attributes:
        timestamp_s: Of the frame.
        frame_number: Index in the source stream.
        person: Place among the frame's bodies, the largest first.
        visibility: Mean over the landmarks, 0..1.
        confidence: 0..1.
        bbox: Around its visible landmarks.
        landmarks: Its points.
        posture: ``standing``, ``sitting`` or ``unknown``.
        orientation: ``facing_camera``, ``turned_left``, ``turned_right``, ``facing_away`` or ``unknown``.
        witness: What vouches for it, ``face``, ``person`` (a person's box) or ``track`` (the same body a moment later
            or earlier); ``none`` does not count as a person. Older files do not tell.
    """

    person: Count | None = None
    visibility: Number | None = None
    confidence: Share | None = None
    bbox: Box | None = None
    landmarks: Landmarks | None = None
    posture: Text | None = None
    orientation: Text | None = None
    witness: Text | None = None


class Face(_Sample):
    """One face; ``count`` is how many the frame shows, ``face_index`` its place among them, the largest first."""

    count: Count | None = None
    face_index: Count | None = None
    confidence: Share | None = None
    bbox: Box | None = None


class Hands(_Sample):
    """The hands of a frame: how many, and the side of each (the person's own)."""

    count: Count | None = None
    handedness: tuple[Text, ...] | None = None
    confidence: Share | None = None
    bbox: Box | None = None


class Gaze(_Sample):
    """Where the largest face looks.

    Attributes:
        timestamp_s: Of the frame.
        frame_number: Index in the source stream.
        face_index: Whose gaze it is.
        eye_contact: 0..1; 0.0 when it does not look at the camera.
        gaze_direction: ``camera``, ``left``, ``right``, ``up`` or ``down`` in the picture.
        gaze_offset_x: Iris centre less eye centre, in eye widths.
        gaze_offset_y: The same downwards.
        yaw: Of the head, in degrees, positive towards the picture's right.
        pitch: Of the head, in degrees, positive upwards.
        confidence: That there is a face, 0..1.
        bbox: Older files may have one.
    """

    face_index: Count | None = None
    eye_contact: Share
    gaze_direction: Text | None = None
    gaze_offset_x: Number | None = None
    gaze_offset_y: Number | None = None
    yaw: Number | None = None
    pitch: Number | None = None
    confidence: Share | None = None
    bbox: Box | None = None


class Gesture(_Sample):
    """A gesture of one hand; ``direction`` is the unit vector in the picture of a hand that points."""

    type: Text
    hand: Text | None = None
    confidence: Share | None = None
    bbox: Box | None = None
    direction: tuple[Number, Number] | None = None


class FaceExpression(_Sample):
    """What the largest face shows, mapped from its blendshapes."""

    face_index: Count | None = None
    emotion: Text | None = None
    confidence: Share | None = None
    source: Text | None = None
    bbox: Box | None = None
    all_scores: dict[str, Number | None] | None = None
    action_units: tuple[Count, ...] | None = None
    au_intensities: dict[str, Number] | None = None
    valence: Number | None = None


class Action(ServiceModel):
    """Something that a person does for a while; an instant where only ``timestamp_s`` is known."""

    action: Text
    timestamp_s: Seconds | None = None
    start_s: Seconds | None = None
    end_s: Seconds | None = None
    confidence: Number | None = None
    count_samples: Count | None = None

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Action:
        if self.end_s is not None and (problem := interval_problem(self.begins_s, self.end_s, may_be_instant=True)):
            raise problem
        return self

    @property
    def begins_s(self) -> float:
        """Its start, as far as it is told; 0.0 where nothing is."""
        return self.start_s if self.start_s is not None else self.timestamp_s or 0.0


class PeopleMetadata(ServiceMetadata):
    """``frames_person_crops`` and ``frames_whole`` say how the frames were looked at."""

    models: dict[str, Text] | None = None
    frames_person_crops: Count | None = None
    frames_whole: Count | None = None
    poses_detected: Count | None = None
    faces_detected: Count | None = None
    hands_detected: Count | None = None
    gaze_detected: Count | None = None
    gestures_detected: Count | None = None
    expressions_detected: Count | None = None
    actions_not_computed: dict[str, Text] | None = None


class PeopleData(ServiceData):
    """All that was seen of people in one video; every list by time.

    Attributes:
        poses: Bodies; those whose ``witness`` is ``none`` count nowhere.
        faces: Faces, the largest of a frame first.
        hands: Frames with hands.
        gaze: Of the largest face; None where it was not computed.
        gestures: Of single hands.
        expressions: Of the largest face; None where they were not computed.
        actions: None where they were not computed.
        presence: Share of the analysed frames with a pose that counts or a face.
        pose_presence: Share with a pose that counts.
        face_presence: Share with a face.
        presence_percentage: ``presence`` in percent.
        frames_with_people: Frames with a pose that counts or a face.
        metadata: How it was made.
    """

    service: ClassVar[str] = "mediapipe"
    entry_types: ClassVar[tuple[str, ...]] = ("pose", "face", "gaze", "gesture", "action")

    poses: tuple[Pose, ...]
    faces: tuple[Face, ...]
    hands: tuple[Hands, ...]
    gaze: tuple[Gaze, ...] | None = None
    gestures: tuple[Gesture, ...]
    expressions: tuple[FaceExpression, ...] | None = None
    actions: tuple[Action, ...] | None = None
    presence: Number | None = None
    pose_presence: Number | None = None
    face_presence: Number | None = None
    presence_percentage: Percentage | None = None
    frames_with_people: Count | None = None
    metadata: PeopleMetadata

    @property
    def found_at_s(self) -> list[float]:
        """Of everything that was seen of people."""
        lists = (self.faces, self.poses, self.hands, self.gaze or (), self.gestures, self.expressions or ())
        return [item.timestamp_s for items in lists for item in items]

    @property
    def found_confidences(self) -> list[float | None]:
        """Of faces, gestures, and the bodies that something vouches for."""
        poses = [pose for pose in self.poses if pose.witness != "none"]
        items: list[Face | Pose | Gesture] = [*self.faces, *poses, *self.gestures]
        return [item.confidence for item in items]
