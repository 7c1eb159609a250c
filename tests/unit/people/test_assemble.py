"""The canonical people and emotion data, from frames that are made by hand."""

import json
import math

import numpy as np
import pytest

from rumiai.contracts.frames import Sampling
from rumiai.contracts.services.yolo import ObjectSighting, ObjectTrack, YoloData, YoloMetadata
from rumiai.people import PeopleFrame, assemble_emotions, assemble_people
from rumiai.people.expressions import UNITS
from rumiai.people.observations import Face, FaceMesh, Gaze, Hand, Pose


def _sampling(n: int, fps: float = 2.0) -> Sampling:
    return Sampling(width=720, height=1280, fps=30.0, duration_s=n / fps, sample_fps=fps, frames_expected=n)


def _mesh(au: dict[int, float] | None = None, *, mouth: float = 0.0, gaze: Gaze | None = None) -> FaceMesh:
    shapes = {
        name: UNITS[unit].rest + value * (UNITS[unit].full - UNITS[unit].rest)
        for unit, value in (au or {}).items()
        for name in UNITS[unit].shapes
    }
    return FaceMesh(blendshapes=shapes, yaw_deg=3.04, pitch_deg=-1.5, mouth_open=mouth, gaze=gaze)


_SMILE = {12: 1.0}
_FACE_BOX = (0.3, 0.2, 0.2, 0.1)


def _face(mesh: FaceMesh | None = None, score: float = 0.9, box=_FACE_BOX) -> Face:
    return Face(box=box, score=score, mesh=mesh)


def _hand(x: float = 0.5, gesture: str | None = None, score: float = 0.0, side="right") -> Hand:
    points = np.full((21, 2), 0.5, np.float32)
    points[:, 0] = x
    direction = (-0.8, -0.6) if gesture == "pointing" else None
    return Hand((x - 0.05, 0.45, 0.1, 0.1), side, 0.95, points, gesture, score, direction)


def _pose(posture="standing", confidence: float = 0.9) -> Pose:
    return Pose((0.2, 0.1, 0.6, 0.88), np.zeros((33, 4), np.float32), 0.81, confidence, posture, "facing_camera")


def _frames(*seen: dict, fps: float = 2.0) -> list[PeopleFrame]:
    return [PeopleFrame(i / fps, i * 15, **({"look": "crops"} | what)) for i, what in enumerate(seen)]


def _strict(data):
    return json.loads(json.dumps(data.to_json(), allow_nan=False))


def _person(n: int) -> YoloData:
    """A person around the pose on every frame."""
    seen = tuple(
        ObjectSighting(timestamp_s=i / 2, frame_number=i * 15, confidence=0.9, bbox=(0.2, 0.1, 0.6, 0.88))
        for i in range(n)
    )
    track = ObjectTrack(track_id="object_1", class_name="person", confidence=0.9, frames=seen)
    return YoloData(tracks=(track,), metadata=YoloMetadata(processed=True))


def test_a_body_that_nothing_vouches_for_counts_nowhere_and_stays_in_the_file():
    frames = _frames({"poses": (_pose(),)}, {"poses": (_pose("sitting"),)}, {}, {})
    data = assemble_people(frames, _sampling(4))
    assert [pose.witness for pose in data.poses] == ["none", "none"]
    assert (data.presence, data.pose_presence, data.frames_with_people, data.actions) == (0.0, 0.0, 0, ())
    assert data.found_confidences == []
    assert assemble_people(frames, _sampling(4), objects=_person(2)).presence == 0.5


def test_presence_counts_frames_with_a_pose_or_a_face():
    frames = _frames(
        {"faces": (_face(),)}, {"poses": (_pose(),)}, {"faces": (_face(),), "poses": (_pose(),)}, {"look": "gated"},
        {"look": "whole"}, {"hands": (_hand(),), "look": "whole"}, {"look": "gated"}, {"look": "gated"},
    )  # fmt: skip
    data = _strict(assemble_people(frames, _sampling(8), objects=_person(8)))
    assert data["presence"] == 0.375
    assert data["presence_percentage"] == 37.5
    assert data["frames_with_people"] == 3
    assert data["pose_presence"] == 0.25
    assert data["face_presence"] == 0.25
    metadata = data["metadata"]
    assert metadata["frames_analyzed"] == metadata["frames_expected"] == 8
    assert (metadata["frames_read"], metadata["frames_carried"], metadata["frames_gated"]) == (5, 0, 3)
    assert (metadata["frames_person_crops"], metadata["frames_whole"]) == (3, 2)
    assert (metadata["width"], metadata["height"], metadata["sample_fps"], metadata["duration"]) == (
        720,
        1280,
        2.0,
        4.0,
    )
    assert metadata["processed"] is True


def test_every_face_is_listed_and_gaze_is_the_largest_with_landmarks():
    looks = Gaze(offset_x=0.03, offset_y=-0.04, eye_contact=0.82, direction="camera")
    faces = (
        _face(None, score=0.8, box=(0.1, 0.1, 0.4, 0.3)),
        _face(_mesh(_SMILE, gaze=looks), score=0.96),
        _face(_mesh(), score=0.7, box=(0.7, 0.7, 0.05, 0.05)),
    )
    data = _strict(assemble_people(_frames({"faces": faces}), _sampling(1)))
    assert [(f["face_index"], f["count"], f["confidence"]) for f in data["faces"]] == [
        (0, 3, 0.8), (1, 3, 0.96), (2, 3, 0.7),
    ]  # fmt: skip
    assert data["faces"][1]["bbox"] == list(_FACE_BOX)
    assert data["gaze"] == [
        {
            "timestamp": 0.0, "frame_number": 0, "face_index": 1, "eye_contact": 0.82, "gaze_direction": "camera",
            "gaze_offset_x": 0.03, "gaze_offset_y": -0.04, "yaw": 3.0, "pitch": -1.5, "confidence": 0.96,
        }
    ]  # fmt: skip
    (shown,) = data["expressions"]
    assert (shown["emotion"], shown["source"], shown["face_index"]) == ("joy", "blendshapes", 1)


def test_closed_eyes_have_no_gaze():
    data = assemble_people(_frames({"faces": (_face(_mesh()),)}), _sampling(1)).to_json()
    assert data["gaze"] == []
    assert len(data["expressions"]) == 1


def test_hands_are_counted_and_only_real_gestures_listed():
    hands = (_hand(0.3, "pointing", 0.78), _hand(0.7, side="left"))
    data = _strict(assemble_people(_frames({}, {"hands": hands}), _sampling(2)))
    assert data["hands"] == [{"timestamp": 0.5, "frame_number": 15, "count": 2, "handedness": ["right", "left"]}]
    (gesture,) = data["gestures"]
    assert gesture.pop("bbox") == pytest.approx([0.25, 0.45, 0.1, 0.1])
    assert gesture == {
        "timestamp": 0.5, "frame_number": 15, "type": "pointing", "hand": "right", "confidence": 0.78,
        "direction": [-0.8, -0.6],
    }  # fmt: skip


def test_a_pose_has_all_its_landmarks():
    (pose,) = _strict(assemble_people(_frames({"poses": (_pose(),)}), _sampling(1)))["poses"]
    assert [mark["i"] for mark in pose["landmarks"]] == list(range(33))
    assert set(pose["landmarks"][0]) == {"i", "x", "y", "z", "v"}
    assert (pose["person"], pose["posture"], pose["orientation"]) == (0, "standing", "facing_camera")
    assert (pose["visibility"], pose["confidence"]) == (0.81, 0.9)


def test_no_frames_give_unknown_shares_and_no_crash():
    data = _strict(assemble_people([], _sampling(0)))
    assert data["presence"] is None
    assert data["faces"] == data["actions"] == []
    assert _strict(assemble_emotions([], _sampling(0), "x"))["metrics"]["avg_confidence"] is None


def _actions(frames, n, **options):
    data = assemble_people(frames, _sampling(n), **options).to_json()
    return [(a["action"], a["start"], a["end"], a["confidence"]) for a in data["actions"]], data["metadata"]


def test_talking_needs_a_moving_mouth_and_speech():
    mouths = [0.0, 0.3, 0.0, 0.3, 0.0, 0.3, 0.0, 0.3]
    frames = _frames(*({"faces": (_face(_mesh(mouth=mouth)),)} for mouth in mouths))
    found, _ = _actions(frames, 8, speech_segments=[(0.0, 2.0)])
    assert found == [("talking", 0.0, 1.75, 1.0)]  # samples at 0.0 to 1.5, and half a step
    assert _actions(frames, 8, speech_segments=[])[0] == []
    still = _frames(*({"faces": (_face(_mesh(mouth=0.2)),)} for _ in mouths))
    assert _actions(still, 8, speech_segments=[(0.0, 4.0)])[0] == []
    found, metadata = _actions(frames, 8)
    assert found == []
    assert set(metadata["actions_not_computed"]) == {"talking", "walking", "dancing"}


def test_gesturing_is_a_gesture_or_a_hand_that_moves():
    frames = _frames(
        {"hands": (_hand(0.2),)}, {"hands": (_hand(0.21),)}, {"hands": (_hand(0.6),)},
        {"hands": (_hand(0.2, side="left"),)}, {"hands": (_hand(0.2, "victory", 0.7, "left"),)},
    )  # fmt: skip
    found, _ = _actions(frames, 5)
    assert found == [("gesturing", 1.0, 1.25, None), ("gesturing", 2.0, 2.25, 0.7)]


def test_posture_becomes_intervals_that_end_with_a_gap():
    sits, stands = {"poses": (_pose("sitting", 0.8),)}, {"poses": (_pose("standing", 0.6),)}
    found, _ = _actions(_frames(sits, sits, stands, {}, stands), 5, objects=_person(5))
    assert found == [("sitting", 0.0, 0.75, 0.8), ("standing", 1.0, 1.25, 0.6), ("standing", 2.0, 2.25, 0.6)]


def test_emotions_by_hand():
    neutral, smile = {"faces": (_face(_mesh()),)}, {"faces": (_face(_mesh(_SMILE)),)}
    frames = _frames(neutral, neutral, smile, neutral, smile, smile, {}, {"faces": (_face(None),)})
    data = _strict(assemble_emotions(frames, _sampling(8), "v1"))
    assert [e["emotion"] for e in data["emotions"]] == ["neutral", "neutral", "joy", "neutral", "joy", "joy"]
    joy = data["emotions"][2]
    # AU 12 alone: 0.8 of the prototype of joy; neutral is what is left.
    assert joy["all_scores"] == dict.fromkeys(joy["all_scores"], 0.0) | {"joy": 0.8, "neutral": 0.2}
    assert (joy["confidence"], joy["valence"], joy["action_units"], joy["au_intensities"]) == (
        0.8,
        0.8,
        [12],
        {"12": 1},
    )
    assert joy["face_bbox"] == list(_FACE_BOX)
    # The single joy at 1.0 s is half a second long: flicker. The change is where the held joy begins.
    assert data["emotion_transitions"] == [{"timestamp": 2.0, "from": "neutral", "to": "joy"}]
    assert data["dominant_emotion"] == "joy"
    stats = data["processing_stats"]
    assert stats == {
        "total_frames": 8, "successful_frames": 6, "no_face_frames": 2, "video_type": "people_detected",
    }  # fmt: skip
    metrics = data["metrics"]
    assert (metrics["unique_emotions"], metrics["transition_count"]) == (2, 1)
    # Two labels, each half of the samples: ln 2 / ln 7, not 1.
    assert metrics["emotion_diversity"] == pytest.approx(math.log(2) / math.log(7), abs=1e-4)
    assert metrics["avg_confidence"] == pytest.approx((3 * 1.0 + 3 * 0.8) / 6, abs=1e-4)
    assert metrics["detection_rate"] == 0.75
    assert metrics["most_active_aus"] == [12]
    assert data["metadata"]["processed"] is True
    assert "blendshapes" in data["metadata"]["model"]
    assert (data["video_id"], data["frames_analyzed"], data["sample_rate"]) == ("v1", 8, 2.0)


def test_nobody_is_a_success_without_emotions():
    data = _strict(assemble_emotions(_frames({}, {"look": "gated"}), _sampling(2), "v"))
    assert data["emotions"] == data["emotion_transitions"] == []
    assert data["dominant_emotion"] is None
    assert data["processing_stats"]["video_type"] == "no_people"
    assert data["metrics"]["suitable_for_emotion_analysis"] is False
    assert data["metadata"]["processed"] is True


def test_every_number_stands_in_its_range():
    rng = np.random.default_rng(7)
    seen = [
        {"faces": (_face(_mesh({int(u): float(rng.random()) for u in rng.choice(list(UNITS), 5)}), rng.random()),)}
        for _ in range(50)
    ]
    data = _strict(assemble_emotions(_frames(*seen), _sampling(50), "v"))
    for item in data["emotions"]:
        assert sum(item["all_scores"].values()) == pytest.approx(1.0, abs=1e-3)
        assert 0 <= item["confidence"] == max(item["all_scores"].values()) <= 1
        assert all(1 <= unit <= 45 for unit in item["action_units"])
        assert all(0 < value <= 1 for value in item["au_intensities"].values())
        assert -1 <= item["valence"] <= 1
    assert 0 <= data["metrics"]["emotion_diversity"] <= 1
