"""The canonical data of objects: a small clip by hand, votes on classes, and what the file gives back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.frames import FrameDetections, Sampling
from rumiai.contracts.services.yolo import YoloData
from rumiai.contracts.tensors import COCO_NAMES
from rumiai.errors import ContractError
from rumiai.inference.object_tracks import track_objects
from rumiai.inference.objects import as_told, assemble_objects, detections_of, persons_of
from rumiai.inference.yolo import DetectionParams

PERSON, DOG, COW = (COCO_NAMES.index(name) for name in ("person", "dog", "cow"))

Box = tuple[float, float, float, float]


def frame(t_s: float, *objects: tuple[int, float, Box]) -> FrameDetections:
    """A frame of a 30 fps video with (class, score, x y width height) objects."""
    return FrameDetections(
        timestamp_s=t_s,
        frame_number=round(t_s * 30),
        boxes=np.array([box for _, _, box in objects], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in objects], np.float32),
        class_ids=np.array([class_id for class_id, _, _ in objects], np.int32),
    )


BOX: Box = (0.4, 0.4, 0.2, 0.2)
SAMPLING = Sampling(width=720, height=1280, fps=30.0, duration_s=2.0, sample_fps=2.0, frames_expected=4)


def test_the_canonical_data_of_a_small_clip():
    frames = [
        frame(0.0, (PERSON, 0.9, BOX), (DOG, 0.3, (0.9, 0.8, 0.2, 0.3))),
        frame(0.5, (PERSON, 0.8, (0.41, 0.4, 0.2, 0.2))),
        frame(1.0),
        frame(1.5, (PERSON, 0.7, BOX)),
    ]
    data = assemble_objects(frames, [1.5], SAMPLING, model="yolov8n", params=DetectionParams(mode="strict")).to_json()
    assert data == {
        "observed": [0.0, 0.5, 1.0, 1.5],
        "objectAnnotations": [
            {
                "trackId": "object_1",
                "className": "person",
                "confidence": 0.85,
                "agreement": 1.0,
                "voted_class": "person",
                "confirmed": True,
                "first_seen": 0.0,
                "last_seen": 0.5,
                "frames": [
                    {"timestamp": 0.0, "frame_number": 0, "confidence": 0.9, "bbox": [0.4, 0.4, 0.2, 0.2]},
                    {"timestamp": 0.5, "frame_number": 15, "confidence": 0.8, "bbox": [0.41, 0.4, 0.2, 0.2]},
                ],
            },
            {
                "trackId": "object_2",
                "className": "dog",
                "confidence": 0.3,
                "agreement": 1.0,
                "voted_class": "dog",
                "confirmed": False,
                "first_seen": 0.0,
                "last_seen": 0.0,
                "frames": [{"timestamp": 0.0, "frame_number": 0, "confidence": 0.3, "bbox": [0.9, 0.8, 0.1, 0.2]}],
            },
            {
                "trackId": "object_3",
                "className": "person",
                "confidence": 0.7,
                "agreement": 1.0,
                "voted_class": "person",
                "confirmed": False,
                "first_seen": 1.5,
                "last_seen": 1.5,
                "frames": [{"timestamp": 1.5, "frame_number": 45, "confidence": 0.7, "bbox": [0.4, 0.4, 0.2, 0.2]}],
            },
        ],
        "metadata": {
            "processed": True,
            "frames_analyzed": 4,
            "frames_expected": 4,
            "sample_fps": 2.0,
            "width": 720,
            "height": 1280,
            "fps": 30.0,
            "duration": 2.0,
            "model": "yolov8n",
            "objects_detected": 4,
            "tracks": 3,
            "conf_threshold": 0.25,
            "iou_threshold": 0.7,
            "mode": "strict",
            "device": None,
        },
    }


def objects_of(*frames, cuts=()):
    return assemble_objects(frames, cuts, SAMPLING, model="m", params=DetectionParams()).tracks


def test_an_object_of_several_names_takes_the_vote_and_counts_when_it_is_clear():
    seen = [(DOG, 0.8), (DOG, 0.7), (COW, 0.5), (DOG, 0.7)]
    tracks = objects_of(*(frame(t / 2, (name, score, BOX)) for t, (name, score) in enumerate(seen)))
    assert [track.class_name for track in tracks] == ["dog", "cow"]
    assert {track.counted_class for track in tracks} == {"dog"}
    assert [track.agreement for track in tracks] == pytest.approx([2.2 / 2.7] * 2, abs=1e-4)
    assert [track.counts for track in tracks] == [True, False]  # one sighting of 0.5 is not enough by itself


def test_an_object_whose_names_do_not_agree_counts_as_nothing():
    # A dog on a skateboard was seen as person, cow, dog and cat in turn, person most of all.
    names = [PERSON, PERSON, COW, DOG, PERSON, DOG, COW, PERSON]
    tracks = objects_of(*(frame(t / 2, (name, 0.66, BOX)) for t, name in enumerate(names)))
    assert {track.counted_class for track in tracks} == {"person"}
    assert [track.agreement for track in tracks] == pytest.approx([0.5] * len(tracks), abs=1e-4)
    assert not any(track.counts for track in tracks)


def test_two_things_that_overlap_are_not_one():
    # A rider hides most of the horse: both are seen at once, and their boxes do not coincide.
    horse, rider = (0.3, 0.4, 0.4, 0.4), (0.3, 0.3, 0.4, 0.4)
    tracks = objects_of(*(frame(t / 2, (DOG, 0.9, horse), (PERSON, 0.8, rider)) for t in range(3)))
    assert [(track.counted_class, track.agreement, track.counts) for track in tracks] == [
        ("dog", 1.0, True),
        ("person", 1.0, True),
    ]


def test_one_box_with_two_names_is_one_object():
    coinciding = (0.4, 0.4, 0.2, 0.21)
    tracks = objects_of(*(frame(t / 2, (DOG, 0.6, BOX), (COW, 0.4, coinciding)) for t in range(2)))
    assert [track.counted_class for track in tracks] == ["dog", "dog"]
    assert [track.agreement for track in tracks] == pytest.approx([0.6, 0.6])


def test_what_takes_a_place_after_a_cut_is_another_object():
    before, after = frame(0.0, (DOG, 0.9, BOX)), frame(0.5, (COW, 0.9, BOX))
    assert [track.agreement for track in objects_of(before, after)] == [0.5, 0.5]
    assert [track.agreement for track in objects_of(before, after, cuts=[0.5])] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("scores", "counts"), [((0.59,), False), ((0.6,), True), ((0.45, 0.45), True), ((0.3, 0.59), False)]
)
def test_a_track_counts_by_its_mean_score_and_one_sighting_needs_more(scores, counts):
    (track,) = objects_of(*(frame(t / 2, (DOG, score, BOX)) for t, score in enumerate(scores)))
    assert track.counts is counts


def test_nothing_seen_is_processed_with_empty_lists():
    data = assemble_objects([frame(0.0), frame(0.5)], [], SAMPLING, model="yolov8n", params=DetectionParams()).to_json()
    assert data["objectAnnotations"] == []
    assert data["metadata"]["processed"] is True
    assert (data["metadata"]["objects_detected"], data["metadata"]["tracks"]) == (0, 0)


unit = st.floats(0, 1, width=32)
detection = st.tuples(st.sampled_from([PERSON, DOG]), unit, st.tuples(unit, unit, unit, unit))
clips = st.dictionaries(st.integers(0, 20), st.lists(detection, max_size=5), max_size=10)


@settings(max_examples=100, deadline=None)
@given(clips, st.lists(st.floats(0, 10), max_size=3))
def test_objects_are_numbered_by_first_sighting_and_lie_in_the_frame(clip, cuts):
    frames = [frame(step / 2, *objects) for step, objects in clip.items()]
    tracks = track_objects(frames, cuts)
    data = assemble_objects(frames, cuts, SAMPLING, model="m", params=DetectionParams()).to_json()
    assert [a["trackId"] for a in data["objectAnnotations"]] == [f"object_{i + 1}" for i in range(len(tracks))]
    firsts = [a["first_seen"] for a in data["objectAnnotations"]]
    assert firsts == sorted(firsts)
    for annotation in data["objectAnnotations"]:
        assert annotation["confirmed"] == (len(annotation["frames"]) >= 2)
        for x, y, w, h in (f["bbox"] for f in annotation["frames"]):
            assert min(x, y, w, h) >= 0
            assert max(x + w, y + h) <= 1 + 1e-9


@settings(max_examples=100, deadline=None)
@given(clips)
def test_a_later_run_reads_from_the_file_what_this_run_gives_on(clip):
    frames = [frame(step / 3, *objects) for step, objects in sorted(clip.items())]
    data = assemble_objects(frames, [], SAMPLING, model="m", params=DetectionParams())
    read = YoloData.from_json(json.loads(json.dumps(data.to_json())))
    expected = [as_told(found) for found in frames if len(found.scores)]
    for got, told in zip(detections_of(read), expected, strict=True):
        assert (got.timestamp_s, got.frame_number) == (told.timestamp_s, told.frame_number)
        assert np.array_equal(got.boxes, told.boxes)
        assert np.array_equal(got.scores, told.scores)
        assert np.array_equal(got.class_ids, told.class_ids)
        assert np.array_equal(persons_of(got).boxes, told.boxes[told.class_ids == PERSON])


def test_what_is_given_on_has_the_digits_of_the_file_surest_first():
    told = as_told(frame(0.5, (DOG, 0.30004, BOX), (PERSON, 0.912349, (0.123456, 0.2, 0.3, 0.4))))
    assert told.class_ids.tolist() == [PERSON, DOG]
    assert told.scores.tolist() == pytest.approx([0.9123, 0.3], abs=1e-7)
    assert told.boxes[0].tolist() == pytest.approx([0.12346, 0.2, 0.3, 0.4], abs=1e-7)


def test_a_class_that_is_not_cocos_is_told():
    data = assemble_objects([frame(0.0, (DOG, 0.9, BOX))], [], SAMPLING, model="m", params=DetectionParams())
    strange = data.model_copy(update={"tracks": (data.tracks[0].model_copy(update={"class_name": "unicorn"}),)})
    with pytest.raises(ContractError, match="object_1: got class 'unicorn', expected one of COCO's"):
        detections_of(strange)
