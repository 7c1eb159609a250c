"""The canonical ``mediapipe`` data (ml_outputs 6.3) from the frames of one video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rumiai.contracts.frames import Sampling
from rumiai.people.actions import assemble_actions
from rumiai.people.emotions import SOURCE
from rumiai.people.expressions import expression
from rumiai.people.observations import PeopleFrame, Pose

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
) -> dict[str, Any]:
    """All that was seen of people in one video.

    Args:
        frames: The analysed frames, in order.
        sampling: The video's sampling.
        speech_segments: Start and end in seconds of what was said, for the action ``talking``; None when there is no
            transcript.

    Returns:
        JSON-ready canonical data. Shares are of all analysed frames; null when there are none.
    """
    with_pose = sum(bool(frame.poses) for frame in frames)
    with_face = sum(bool(frame.faces) for frame in frames)
    with_people = sum(bool(frame.poses or frame.faces) for frame in frames)
    presence = with_people / len(frames) if frames else None
    lists = {
        "poses": [item for frame in frames for item in _poses(frame)],
        "faces": [item for frame in frames for item in _faces(frame)],
        "hands": [item for frame in frames for item in _hands(frame)],
        "gaze": [item for frame in frames for item in _gaze(frame)],
        "gestures": [item for frame in frames for item in _gestures(frame)],
        "expressions": [item for frame in frames for item in _expressions(frame)],
    }
    actions, missing = assemble_actions(frames, sampling, speech_segments)
    counts = {f"{name}_detected": len(items) for name, items in lists.items()}
    return {
        **lists,
        "actions": actions,
        "presence": _share(presence),
        "pose_presence": _share(with_pose / len(frames) if frames else None),
        "face_presence": _share(with_face / len(frames) if frames else None),
        "presence_percentage": None if presence is None else round(100 * presence, 2),
        "frames_with_people": with_people,
        "metadata": _metadata(frames, sampling) | counts | {"actions_not_computed": missing},
    }


def _metadata(frames: Sequence[PeopleFrame], sampling: Sampling) -> dict[str, Any]:
    looks = [frame.look for frame in frames]
    return sampling.metadata(len(frames)) | {
        "model": "mediapipe",
        "models": dict(MODELS),
        "frames_read": len(looks) - looks.count("gated"),
        "frames_carried": 0,
        # No person box on them, and nobody found when the whole frame was last looked at.
        "frames_gated": looks.count("gated"),
        "frames_person_crops": looks.count("crops"),
        "frames_whole": looks.count("whole"),
    }


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _at(frame: PeopleFrame) -> dict[str, Any]:
    return {"timestamp": _round(frame.timestamp_s), "frame_number": frame.frame_number}


def _poses(frame: PeopleFrame) -> list[dict[str, Any]]:
    return [
        _at(frame)
        | {
            "person": index,
            "visibility": _round(pose.visibility),
            "confidence": _round(pose.confidence),
            "bbox": [_round(value) for value in pose.box],
            "landmarks": _landmarks(pose),
            "posture": pose.posture,
            "orientation": pose.orientation,
        }
        for index, pose in enumerate(frame.poses)
    ]


def _landmarks(pose: Pose) -> list[dict[str, Any]]:
    return [
        {"i": i, "x": _round(x), "y": _round(y), "z": _round(z), "v": _round(v)}
        for i, (x, y, z, v) in enumerate(pose.landmarks.tolist())
    ]


def _faces(frame: PeopleFrame) -> list[dict[str, Any]]:
    return [
        _at(frame)
        | {
            "count": len(frame.faces),
            "face_index": index,
            "confidence": _round(face.score),
            "bbox": [_round(value) for value in face.box],
        }
        for index, face in enumerate(frame.faces)
    ]


def _hands(frame: PeopleFrame) -> list[dict[str, Any]]:
    if not frame.hands:
        return []
    return [_at(frame) | {"count": len(frame.hands), "handedness": [hand.handedness for hand in frame.hands]}]


def _gaze(frame: PeopleFrame) -> list[dict[str, Any]]:
    face = frame.main_face
    if face is None or face.mesh is None or face.mesh.gaze is None:
        return []
    gaze = face.mesh.gaze
    return [
        _at(frame)
        | {
            "face_index": frame.faces.index(face),
            "eye_contact": _round(gaze.eye_contact),
            "gaze_direction": gaze.direction,
            "gaze_offset_x": _round(gaze.offset_x),
            "gaze_offset_y": _round(gaze.offset_y),
            "yaw": round(face.mesh.yaw_deg, 1),
            "pitch": round(face.mesh.pitch_deg, 1),
            # That there is a face; of the irises' places MediaPipe tells no confidence.
            "confidence": _round(face.score),
        }
    ]


def _gestures(frame: PeopleFrame) -> list[dict[str, Any]]:
    return [
        _at(frame)
        | {
            "type": hand.gesture,
            "hand": hand.handedness,
            "confidence": _round(hand.gesture_score),
            "bbox": [_round(value) for value in hand.box],
            "direction": None if hand.direction is None else [_round(value) for value in hand.direction],
        }
        for hand in frame.hands
        if hand.gesture is not None
    ]


def _expressions(frame: PeopleFrame) -> list[dict[str, Any]]:
    face = frame.main_face
    if face is None or face.mesh is None:
        return []
    shows = expression(face.mesh.blendshapes)
    return [
        _at(frame)
        | {
            "face_index": frame.faces.index(face),
            "emotion": shows.emotion,
            "confidence": _round(shows.confidence),
            "source": SOURCE,
        }
    ]


def _round(value: float) -> float:
    return round(float(value), 4)
