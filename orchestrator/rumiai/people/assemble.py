"""The canonical ``mediapipe`` data from the frames of one video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import Sampling
from rumiai.contracts.persons import witnesses_of
from rumiai.contracts.services import people as told
from rumiai.contracts.services.people import PeopleData, PeopleMetadata
from rumiai.contracts.services.yolo import YoloData
from rumiai.core.boxes import Box
from rumiai.people.actions import assemble_actions
from rumiai.people.emotions import SOURCE
from rumiai.people.expressions import expression
from rumiai.people.observations import PeopleFrame

MODELS: Final = {
    "faces": "face_landmarker with its own detector (BlazeFace short range)",
    "hands": "hand_landmarker",
    "gestures": "gesture_recognizer (canned gestures)",
    "poses": "pose_landmarker_full",
}


def assemble_people(
    frames: Sequence[PeopleFrame],
    sampling: Sampling,
    *,
    speech_segments: Sequence[tuple[float, float]] | None = None,
    objects: YoloData | None = None,
    cuts_s: Sequence[float] = (),
) -> PeopleData:
    """The data of the service ``mediapipe``: all that was seen of people in one video.

    Args:
        frames: The analysed frames, in order.
        sampling: The video's sampling.
        speech_segments: Start and end in seconds of what was said, for the action ``talking``; None when there is no
            transcript.
        objects: The video's objects, whose persons vouch for bodies; None when the detector has no data.
        cuts_s: Instants of new shots, ascending.

    Returns:
        Shares are of all analysed frames; None when there are none. A body without a witness stays in the list and
        counts nowhere.
    """
    faces = tuple(item for frame in frames for item in _faces(frame))
    poses = _vouched([item for frame in frames for item in _poses(frame)], faces, objects, cuts_s)
    standing = {pose.timestamp_s for pose in poses if pose.witness != "none"}
    with_body = [_round(frame.timestamp_s) in standing for frame in frames]
    with_face = [bool(frame.faces) for frame in frames]
    seen = [body or face for body, face in zip(with_body, with_face, strict=True)]
    actions, missing = assemble_actions(_with_counted_bodies(frames, poses), sampling, speech_segments)
    found = PeopleData(
        poses=poses,
        faces=faces,
        hands=tuple(item for frame in frames for item in _hands(frame)),
        gaze=tuple(item for frame in frames for item in _gaze(frame)),
        gestures=tuple(item for frame in frames for item in _gestures(frame)),
        expressions=tuple(item for frame in frames for item in _expressions(frame)),
        actions=tuple(actions),
        presence=_share(seen, 4),
        pose_presence=_share(with_body, 4),
        face_presence=_share(with_face, 4),
        presence_percentage=_share(seen, 2, of=100),
        frames_with_people=sum(seen),
        metadata=_metadata(frames, sampling),
        # A gated frame counts: no person box on it, and nobody on the whole frame that was looked at before.
        observed=tuple(_round(frame.timestamp_s) for frame in frames),
    )
    return found.model_copy(update={"metadata": found.metadata.model_copy(update=_counts(found, missing))})


def _vouched(
    poses: Sequence[told.Pose], faces: Sequence[told.Face], objects: YoloData | None, cuts_s: Sequence[float]
) -> tuple[told.Pose, ...]:
    """The bodies, each with what vouches for it."""
    found = witnesses_of(poses, faces, objects, cuts_s)
    return tuple(pose.model_copy(update={"witness": witness}) for pose, witness in zip(poses, found, strict=True))


def _with_counted_bodies(frames: Sequence[PeopleFrame], poses: Sequence[told.Pose]) -> list[PeopleFrame]:
    """The frames without the bodies that nothing vouches for; ``poses`` are those of the frames, in order."""
    witnesses = iter(poses)
    kept = ([body for body in frame.poses if next(witnesses).witness != "none"] for frame in frames)
    return [replace(frame, poses=tuple(bodies)) for frame, bodies in zip(frames, kept, strict=True)]


def _metadata(frames: Sequence[PeopleFrame], sampling: Sampling) -> PeopleMetadata:
    looks = [frame.look for frame in frames]
    return PeopleMetadata(
        **sampling.metadata(len(frames)),
        model="mediapipe",
        models=dict(MODELS),
        frames_read=len(looks) - looks.count("gated"),
        frames_carried=0,
        # Frames without a person box, after a look at a whole frame that found nobody.
        frames_gated=looks.count("gated"),
        frames_person_crops=looks.count("crops"),
        frames_whole=looks.count("whole"),
    )


def _counts(found: PeopleData, missing: dict[str, str]) -> dict[str, int | dict[str, str]]:
    """The members of the metadata that say how much was found, and which actions were not computed and why."""
    lists = {
        "poses": found.poses, "faces": found.faces, "hands": found.hands, "gaze": found.gaze or (),
        "gestures": found.gestures, "expressions": found.expressions or (),
    }  # fmt: skip
    return {f"{name}_detected": len(items) for name, items in lists.items()} | {"actions_not_computed": missing}


def _share(shown: Sequence[bool], digits: int, of: int = 1) -> float | None:
    """The share of frames, rounded; None without frames."""
    return round(of * (sum(shown) / len(shown)), digits) if shown else None


def _poses(frame: PeopleFrame) -> Iterator[told.Pose]:
    for index, pose in enumerate(frame.poses):
        yield told.Pose(
            timestamp_s=_round(frame.timestamp_s),
            frame_number=frame.frame_number,
            person=index,
            visibility=_round(pose.visibility),
            confidence=_round(pose.confidence),
            bbox=_box(pose.box),
            landmarks=told.Landmarks(_rounded(pose.landmarks)),
            posture=pose.posture,
            orientation=pose.orientation,
        )


def _rounded(landmarks: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    # Python rounds to the nearest decimal. numpy multiplies first, which changes some last digits.
    return np.array([[_round(value) for value in point] for point in landmarks.tolist()], np.float64)


def _faces(frame: PeopleFrame) -> Iterator[told.Face]:
    for index, face in enumerate(frame.faces):
        yield told.Face(
            timestamp_s=_round(frame.timestamp_s),
            frame_number=frame.frame_number,
            count=len(frame.faces),
            face_index=index,
            confidence=_round(face.score),
            bbox=_box(face.box),
        )


def _hands(frame: PeopleFrame) -> Iterator[told.Hands]:
    if frame.hands:
        yield told.Hands(
            timestamp_s=_round(frame.timestamp_s),
            frame_number=frame.frame_number,
            count=len(frame.hands),
            handedness=tuple(hand.handedness for hand in frame.hands),
        )


def _gaze(frame: PeopleFrame) -> Iterator[told.Gaze]:
    face = frame.main_face
    if face is None or face.mesh is None or face.mesh.gaze is None:
        return
    gaze = face.mesh.gaze
    yield told.Gaze(
        timestamp_s=_round(frame.timestamp_s),
        frame_number=frame.frame_number,
        face_index=frame.faces.index(face),
        eye_contact=_round(gaze.eye_contact),
        gaze_direction=gaze.direction,
        gaze_offset_x=_round(gaze.offset_x),
        gaze_offset_y=_round(gaze.offset_y),
        yaw=round(face.mesh.yaw_deg, 1),
        pitch=round(face.mesh.pitch_deg, 1),
        # That of the face: MediaPipe has no confidence for the irises.
        confidence=_round(face.score),
    )


def _gestures(frame: PeopleFrame) -> Iterator[told.Gesture]:
    for hand in frame.hands:
        if hand.gesture is not None:
            yield told.Gesture(
                timestamp_s=_round(frame.timestamp_s),
                frame_number=frame.frame_number,
                type=hand.gesture,
                hand=hand.handedness,
                confidence=_round(hand.gesture_score),
                bbox=_box(hand.box),
                direction=None if hand.direction is None else (_round(hand.direction[0]), _round(hand.direction[1])),
            )


def _expressions(frame: PeopleFrame) -> Iterator[told.FaceExpression]:
    face = frame.main_face
    if face is None or face.mesh is None:
        return
    shows = expression(face.mesh.blendshapes)
    yield told.FaceExpression(
        timestamp_s=_round(frame.timestamp_s),
        frame_number=frame.frame_number,
        face_index=frame.faces.index(face),
        emotion=shows.emotion,
        confidence=_round(shows.confidence),
        source=SOURCE,
    )


def _box(box: Box) -> Box:
    x, y, width, height = (_round(value) for value in box)
    return x, y, width, height


def _round(value: float) -> float:
    return round(float(value), 4)
