"""Every shape that was ever written reads as the canonical one; canonical data reads as itself."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.metadata import AnalysisMetadata
from rumiai.contracts.models import model_of
from rumiai.contracts.results import ServiceStatus
from rumiai.contracts.services.ocr import OcrData
from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.services.whisper import WhisperData
from rumiai.contracts.services.yolo import YoloData
from rumiai.contracts.timeline import Timeline, TimelineEntry, UnifiedAnalysis
from rumiai.errors import ContractError, StoreError
from rumiai.legacy.normalising.common import canonical_box
from rumiai.legacy.services import canonical_form, read_service
from rumiai.legacy.stored import extraction_fps, read_ml_files, read_unified
from rumiai.services import all_services, entries_of, find_service
from rumiai.timeline.build import build
from rumiai.timeline.markers import compute_markers

from ..timeline_samples import FACTS, SERVICES, canonical, results

FRAME = MediaFacts(duration_s=10.0, fps=30.0, width=500, height=1000)
NO_SIZE = MediaFacts(duration_s=10.0, fps=30.0)


def read(service, raw, facts=FRAME):
    """Normalised, checked, and the input untouched."""
    before = copy.deepcopy(raw)
    data = canonical_form(service, raw, facts)
    assert raw == before
    assert canonical_form(service, data, facts) == data
    result = read_service(service, raw, facts)
    assert result.failure is None
    told = result.data.to_json()
    assert told.pop("observed") is not None  # no file of any age lacks it once it is read
    assert told == {key: value for key, value in data.items() if key != "observed"}
    return data


@pytest.mark.parametrize("service", SERVICES)
def test_canonical_data_reads_as_itself(service):
    data = canonical(service)
    assert canonical_form(service, data, FACTS) == data
    assert read_service(service, data, FACTS).to_json() == data


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("wrap", [lambda d: {"data": d}, lambda d: {"success": True, "model_name": "x", "data": d}])
def test_envelopes_are_opened(service, wrap):
    assert canonical_form(service, wrap(canonical(service)), FACTS) == canonical(service)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"metadata": {"processed": True}},
        {"metadata": {"processed": False, "error": "out of memory"}},
        {"success": False, "error": "out of memory", "data": {}},
        {"success": False, "data": {"metadata": {"processed": True}, "segments": [], "objectAnnotations": []}},
    ],
)
def test_no_answer_is_a_failure_with_a_reason_and_never_an_empty_result(service, raw):
    data = canonical_form(service, raw, FRAME)
    assert data["metadata"]["processed"] is False
    assert data["metadata"]["error"]
    assert set(data) == {"metadata"}
    result = read_service(service, raw, FRAME)
    assert (result.data, result.failure) == (None, data["metadata"]["error"])


@pytest.mark.parametrize(
    ("value", "layout", "box"),
    [
        ([0.1, 0.2, 0.3, 0.4], "xyxy", [0.1, 0.2, 0.3, 0.4]),  # small numbers are canonical, whatever the layout
        ([50, 200, 100, 400], "xyxy", [0.1, 0.2, 0.1, 0.2]),
        ([50, 200, 100, 400], "xywh", [0.1, 0.2, 0.2, 0.4]),
        ([[50, 200], [100, 200], [100, 400], [50, 400]], "xywh", [0.1, 0.2, 0.1, 0.2]),
        ([50, 200, 100, 200, 100, 400, 50, 400], "xywh", [0.1, 0.2, 0.1, 0.2]),
        ({"x1": 50, "y1": 200, "x2": 100, "y2": 400}, "xywh", [0.1, 0.2, 0.1, 0.2]),
        ({"left": 0.1, "top": 0.2, "right": 0.2, "bottom": 0.4}, "xywh", [0.1, 0.2, 0.1, 0.2]),
        ({"x": 0.1, "y": 0.2, "width": 0.1, "height": 0.2}, "xyxy", [0.1, 0.2, 0.1, 0.2]),
        ({"left": -0.2, "top": 0.9, "right": 0.2, "bottom": 1.2}, "xywh", [0.0, 0.9, 0.2, 0.1]),
        (["50", "200", "100", "400"], "xyxy", [0.1, 0.2, 0.1, 0.2]),
    ],
)
def test_boxes_of_every_shape(value, layout, box):
    assert canonical_box(value, FRAME, layout) == pytest.approx(box)


@pytest.mark.parametrize("value", [None, [], [1, 2], "0,0,1,1", {"x": 1}, [0, 0, float("nan"), 1], [[1, 2], [3, 4]]])
def test_what_is_no_box(value):
    assert canonical_box(value, FRAME, "xywh") is None


def test_pixels_need_the_frame_size():
    assert canonical_box([50, 200, 100, 400], NO_SIZE, "xywh") is None
    assert canonical_box([0.1, 0.2, 0.1, 0.2], NO_SIZE, "xywh") == [0.1, 0.2, 0.1, 0.2]


def test_boxes_are_in_pixels_of_the_frames_that_their_service_saw():
    """The video is 500 x 1000 pixels; the detector saw it at half of that, as its metadata say."""
    box = {"className": "bottle", "confidence": 0.7, "timestamp": 0.5, "frame_number": 15, "bbox": [25, 100, 50, 200]}
    for meta, expected in (
        ({}, [0.05, 0.1, 0.05, 0.1]),
        ({"width": 250}, [0.05, 0.1, 0.05, 0.1]),  # one side alone is no frame
        ({"width": 250, "height": 500}, [0.1, 0.2, 0.1, 0.2]),
    ):
        data = read("yolo", {"objectAnnotations": [box], "metadata": meta})
        assert data["objectAnnotations"][0]["frames"][0]["bbox"] == pytest.approx(expected)


def test_a_box_far_outside_of_the_frame_is_of_another_one():
    assert canonical_box([700, 1500, 760, 1600], FRAME, "xyxy") is None
    assert canonical_box([450, 900, 550, 1100], FRAME, "xyxy") == pytest.approx([0.9, 0.9, 0.1, 0.1])


def test_width_and_height_are_of_one_place():
    raw = {
        "video_id": "7", "duration": 2.0, "metadata": {"width": 720},
        "ml_data": {"yolo": {"objectAnnotations": [], "metadata": {"processed": True, "width": 360, "height": 640}}},
    }  # fmt: skip
    facts = read_unified(raw).facts
    assert (facts.width, facts.height) == (360, 640)


@given(st.lists(st.floats(-0.5, 1.5), min_size=4, max_size=4))
def test_a_canonical_box_lies_in_the_frame_and_reads_as_itself(numbers):
    box = canonical_box(numbers, FRAME, "xywh")
    if box is not None:
        assert all(0 <= part <= 1 for part in box)
        assert canonical_box(box, FRAME, "xywh") == box


def test_yolo_flat_boxes_are_one_track_each():
    box = {"trackId": "obj_15_39", "className": "bottle", "confidence": 0.7, "timestamp": 0.5, "frame_number": 15}
    data = read("yolo", {"objectAnnotations": [{**box, "bbox": [50, 200, 100, 400]}] * 2, "metadata": {}})
    assert [track["trackId"] for track in data["objectAnnotations"]] == ["object_1", "object_2"]
    first = data["objectAnnotations"][0]
    assert (first["first_seen"], first["last_seen"], first["confirmed"]) == (0.5, 0.5, False)
    assert first["frames"][0]["bbox"] == pytest.approx([0.1, 0.2, 0.1, 0.2])


@pytest.mark.parametrize("name", ["objectAnnotations", "detections", "results", "predictions"])
def test_yolo_tracker_form(name):
    raw = {
        "fps": 30.0,
        "total_tracks": 1,
        name: [
            {
                "trackId": "object_3",
                "entity": {"entityId": "cup", "description": "cup"},
                "confidence": 0.6,
                "frames": [
                    {"frame": 60, "confidence": 0.5, "bbox": {"left": 0.1, "top": 0.2, "right": 0.2, "bottom": 0.4}},
                    {"frame": 45, "timestamp": 1.5, "confidence": 0.7,
                     "bbox": {"left": -0.1, "top": 0.2, "right": 0.2, "bottom": 0.4}},
                ],
            }
        ],
    }  # fmt: skip
    (track,) = read("yolo", raw, MediaFacts(duration_s=10.0))["objectAnnotations"]
    assert (track["className"], track["trackId"], track["first_seen"], track["last_seen"]) == (
        "cup",
        "object_3",
        1.5,
        2,
    )
    assert [frame["frame_number"] for frame in track["frames"]] == [45, 60]
    assert track["frames"][0]["bbox"] == pytest.approx([0.0, 0.2, 0.2, 0.2])


def test_yolo_in_pixels_without_a_frame_size_breaks_its_contract():
    raw = {
        "detections": [{"label": "cup", "confidence": 0.7, "timestamp": 1, "frame": 30, "bbox": [50, 200, 100, 400]}]
    }
    assert "frame size unknown" in read_service("yolo", raw, NO_SIZE).failure


def test_whisper_segments_are_tidied():
    raw = {
        "segments": [
            {"start": "0.0", "end": "1.5", "text": " Hello there. "},
            {"start": 1.5, "end": 2, "text": "[Music]"},
            {"start": 2, "end": 3, "text": "(chimes) [Applause] [ [ ["},
            {"start": 3, "text": "no end"},
            {"start": 4, "end": 5, "text": ""},
            {"start": 5, "end": 6, "text": "(He said) hello", "words": [{"word": " hello", "start": 5.2, "end": 6}]},
        ]
    }
    data = read("whisper", raw)
    assert data["text"] == "Hello there. (He said) hello"
    assert [s["id"] for s in data["segments"]] == [0, 1]
    assert data["segments"][0]["confidence"] is None
    assert data["segments"][1]["words"] == [{"word": "hello", "start": 5.2, "end": 6.0, "probability": None}]
    assert [s["text"] for s in data["non_speech"]] == ["[Music]", "(chimes) [Applause] [ [ ["]
    assert (data["language"], data["duration"], data["metadata"]["segments_dropped"]) == ("unknown", 6.0, 2)


def test_whisper_cpp_and_node():
    cpp = {
        "result": {"language": "es"},
        "transcription": [
            {"timestamps": {"from": "00:00:00,000"}, "offsets": {"from": 0, "to": 1500}, "text": " Hola"}
        ],
    }  # fmt: skip
    data = read("whisper", cpp)
    assert (data["language"], data["segments"][0]["start"], data["segments"][0]["end"]) == ("es", 0.0, 1.5)
    words = [
        {"word": "Hi", "startTime": {"seconds": 0, "nanos": 5e8}, "endTime": {"seconds": 1}, "confidence": 0.8},
        {"word": "you", "startTime": {"seconds": 1}, "endTime": {"seconds": 2, "nanos": 0}, "confidence": 0.8},
    ]
    node = {
        "speechTranscriptions": [{"alternatives": [{"transcript": "Hi you", "confidence": 1.3, "words": words}]}],
        "language": "en",
    }
    data = read("whisper", node)
    (segment,) = data["segments"]
    assert (segment["start"], segment["end"], segment["text"], segment["confidence"]) == (0.5, 2.0, "Hi you", None)
    assert segment["words"][0] == {"word": "Hi", "start": 0.5, "end": 1.0, "probability": 0.8}


def test_ocr_fork_polygons_do_not_break_anything():
    text = {"text": "SALE", "confidence": 0.9, "timestamp": 2.0, "frame_number": 60}
    polygon = [[50, 800], [150, 800], [150, 900], [50, 900]]
    raw = {
        "textAnnotations": [{**text, "bbox": polygon}, {**text, "bbox": [50, 100, 100, 100]}],
        "stickers": [{"bbox": [50, 100, 50, 100], "confidence": 0.7, "type": "sticker", "timestamp": 1.0}],
    }
    data = read("ocr", raw)
    one, two = data["textAnnotations"]
    assert one["bbox"] == pytest.approx([0.1, 0.8, 0.2, 0.1])
    assert [(t["position"], t["size"], t["start"], t["end"]) for t in (one, two)] == [
        ("bottom", "L", 2.0, 2.0),
        ("top", "L", 2.0, 2.0),
    ]
    assert data["stickers"][0]["start"] == 1.0


def test_ocr_frame_details_are_linked_over_time():
    def frame(n, t, *texts):
        elements = [
            {"type": "text", "text": text, "confidence": conf, "category": "overlay_text",
             "bbox": {"x1": x, "y1": 100, "x2": x + 100, "y2": 150}}
            for text, conf, x in texts
        ]  # fmt: skip
        return {"frame": f"frame_{n:04d}_t{t:.2f}.jpg", "text_elements": elements, "creative_elements": []}

    raw = {
        "frame_details": [
            frame(1, 0.0, ("BIG SALE", 0.8, 50)),
            frame(2, 0.5, ("BIG SALF", 0.6, 52), ("other", 0.9, 300)),
            frame(3, 1.0, ("BIG SALE", 0.9, 50)),
            frame(4, 1.5),
            frame(5, 2.0),
            frame(6, 2.5, ("BIG SALE", 0.7, 50)),
        ]
    }
    texts = read("ocr", raw)["textAnnotations"]
    assert [(t["text"], t["start"], t["end"], len(t["sightings"])) for t in texts] == [
        ("BIG SALE", 0.0, 1.25, 3),
        ("other", 0.25, 0.75, 1),
        ("BIG SALE", 2.25, 2.75, 1),
    ]
    assert texts[0]["confidence"] == 0.9


def test_ocr_frames_that_v3_left_out_break_no_text():
    # Two of every three frames extracted at 5 fps.
    element = {"text": "SALE", "confidence": 0.9, "bbox": {"x1": 50, "y1": 100, "x2": 150, "y2": 150}}
    details = [
        {"frame": f"frame_{n:04d}.jpg", "actual_frame_number": 6 * n, "text_elements": [element]}
        for n in range(12)
        if n % 3 != 2
    ]
    (text,) = read("ocr", {"frame_details": details}, MediaFacts(10, 30.0, 500, 1000, 5.0))["textAnnotations"]
    assert (text["timestamp"], text["sightings"][-1]["timestamp"], len(text["sightings"])) == (0.0, 2.0, 8)


def test_mediapipe_fork():
    raw = {
        "poses": [{"timestamp": 0.5, "frame_number": 15, "landmarks": 33, "visibility": 0.8}],
        "faces": [{"timestamp": 1.0, "frame_number": 30, "count": 2, "confidence": 0.9,
                   "bbox": {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}}],
        "gestures": [
            {"type": "none", "confidence": 0.9, "timestamp": 0.5},
            {"type": "Peace_Sign", "hand": "Left", "confidence": 0.8, "timestamp": 0.5, "timestamp_ms": 500},
        ],
        "metadata": {"processed": True, "frames_analyzed": 4},
    }  # fmt: skip
    data = read("mediapipe", raw)
    assert data["poses"][0]["landmarks"] == []
    assert data["faces"][0]["bbox"] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [(g["type"], g["hand"]) for g in data["gestures"]] == [("victory", "left")]
    assert (data["frames_with_people"], data["presence_percentage"]) == (2, 50.0)


def test_mediapipe_v3_frames_and_insights():
    detail = {
        "frame": "frame_0003_t1.50.jpg",
        "faces": [{"type": "face", "bbox": {"x1": 50, "y1": 200, "x2": 100, "y2": 400}, "expression": "happy"}],
        "hands": [{"hand_type": "Right", "gesture": "fist", "confidence": 0.6, "bbox": None}],
        "poses": [{"pose": "standing", "confidence": 0.8, "bbox": {"x1": 0, "y1": 0, "x2": 500, "y2": 1000}}],
    }
    data = read("mediapipe", {"frame_details": [detail]})
    assert {item["timestamp"] for kind in ("faces", "poses", "gestures", "hands") for item in data[kind]} == {1.5}
    assert data["expressions"][0]["emotion"] == "joy"
    assert data["gestures"][0]["type"] == "closed_fist"
    assert data["poses"][0]["posture"] == "standing"
    insights = {
        "insights": {
            "human_presence": 0.4,
            "timeline": {
                "expressions": [{"frame": 1, "expression": "surprised"}, {"frame": 11, "expression": "bored"}],
                "gestures": [{"frame": 11, "gesture": "unknown"}, {"frame": 6, "gesture": "peace_sign"}],
                "poses": [],
            },
        }
    }
    data = read("mediapipe", insights, MediaFacts(duration_s=10, fps=30, sample_fps=5))
    assert [(x["timestamp"], x["emotion"]) for x in data["expressions"]] == [(0.0, "surprise")]
    assert [(g["timestamp"], g["frame_number"], g["type"]) for g in data["gestures"]] == [(1.0, 30, "victory")]
    assert data["presence_percentage"] == 40.0


@pytest.mark.parametrize("key", ["scenes", "shots", "cuts"])
def test_scene_changes_are_the_starts_but_the_first(key):
    raw = {key: [{"start_time": 0, "end_time": 4}, {"start_time": 4, "end_time": 10}], "scene_changes": [0.0, 4.0]}
    data = read("scene_detection", raw)
    assert (data["scene_changes"], data["total_scenes"]) == ([4.0], 2)
    assert [scene["scene_number"] for scene in data["scenes"]] == [1, 2]
    del raw["scene_changes"]
    assert read("scene_detection", raw)["scene_changes"] == [4.0]


def test_bare_cuts_and_single_shots():
    assert [s["end_time"] for s in read("scene_detection", {"cuts": [2.5, 7]})["scenes"]] == [2.5, 7.0, 10.0]
    assert read("scene_detection", {"scenes": [], "metadata": {"processed": True}})["total_scenes"] == 1
    assert canonical_form("scene_detection", {"scenes": []})["metadata"]["processed"] is False


def test_the_invented_minute_of_v3_is_no_scene():
    fake = {"scenes": [{"start_time": 0.0, "end_time": 60.0, "duration": 60.0}], "scene_changes": []}
    assert "ends at 60.0, expected 10.0" in read_service("scene_detection", fake, FRAME).failure


def test_audio_energy_of_the_fork():
    raw = {"energy_level_windows": {"0-4s": 1.0, "4-9s": 0.5}, "energy_variance": 3.5e-05, "climax_timestamp": 2.0,
           "burst_pattern": "steady", "duration": 9.5, "metadata": {"processed": True, "success": True}}  # fmt: skip
    data = read("audio_energy", raw)
    assert data["metadata"]["has_audio"]
    assert "onsets" not in data
    assert canonical_form("audio_energy", raw | {"burst_pattern": "unknown"})["metadata"]["processed"] is False


def test_emotions_of_the_fork():
    raw = {
        "emotions": [{"timestamp": "1.0", "emotion": "happiness", "confidence": 0.7, "face_bbox": [50, 200, 100, 400],
                      "all_scores": {"happiness": 0.7, "sad": 0.3}, "action_units": [6.0]}],
        "sample_rate": 2.0, "dominant_emotion": "happy",
    }  # fmt: skip
    data = read("emotion_detection", raw)
    (item,) = data["emotions"]
    assert (item["emotion"], item["all_scores"], item["action_units"]) == ("joy", {"joy": 0.7, "sadness": 0.3}, [6])
    assert item["valence"] == pytest.approx(0.7 - 0.18)
    assert item["face_bbox"] == pytest.approx([0.1, 0.2, 0.2, 0.4])
    assert (data["metadata"]["sample_fps"], data["dominant_emotion"]) == (2.0, "joy")
    bored = {"emotions": [{**raw["emotions"][0], "emotion": "bored"}]}
    assert "emotions[0].emotion" in read_service("emotion_detection", bored, FRAME).failure


def test_violations_are_short_and_few():
    data = canonical("yolo")
    data["objectAnnotations"][0]["frames"] = [{"timestamp": "x" * 10_000, "bbox": [2, 2, 2, 2]}] * 1000
    problems = YoloData.problems(data)
    assert len(problems) == 21
    assert max(map(len, problems)) < 300


# Whole files


def fork_file():
    return {
        "video_id": "7",
        "metadata": {"id": "7", "duration": 12, "likes": 5, "description": "hi", "width": 576, "height": 1024},
        "duration": 12,
        "ml_data": {
            "yolo": {"objectAnnotations": [{"trackId": "obj_15_0", "className": "person", "confidence": 0.9,
                                            "timestamp": 0.5, "frame_number": 15, "bbox": [0, 0, 288, 512]}],
                     "metadata": {"processed": True}},
            "whisper": canonical("whisper"),
            "ocr": {},
            "scene_detection": {"scenes": [{"scene_number": 1, "start_time": 0, "end_time": 12.3, "duration": 12.3}],
                                "metadata": {"processed": True}},
        },
        "timeline": {
            "video_id": "7", "duration": 12,
            "entries": [
                {"start": 1.0, "end": 2.0, "entry_type": "emotion",
                 "data": {"emotion": "joy", "confidence": 0.9, "source": "feat"}},
                {"start": 3.0, "end": 4.0, "entry_type": "text", "data": {"text": "SALE"}},
            ],
        },
        "temporalMarkers": {"peak_moments": []},
    }  # fmt: skip


def test_fork_file():
    raw = fork_file()
    before = copy.deepcopy(raw)
    analysis = read_unified(raw)
    assert raw == before
    assert analysis.duration_s == 12.3  # the decoder's, which the scenes keep
    assert analysis.metadata.members["scraped_duration"] == 12
    assert {s for s in SERVICES if analysis.ok(s)} == {"yolo", "whisper", "scene_detection", "emotion_detection"}
    (thing,) = analysis.timeline.of_type("object")
    assert thing.data["bbox"] == pytest.approx([0, 0, 0.5, 0.5])
    assert [e.data["emotion"] for e in analysis.timeline.of_type("emotion")] == ["joy"]
    # The service has no data, but what the old timeline says of it is not lost.
    assert [e.data["text"] for e in analysis.timeline.of_type("text")] == ["SALE"]
    assert analysis.reason("ocr") == "did not run; only the old file's timeline entries are left"
    assert analysis.temporal_markers == {"peak_moments": []}
    assert (analysis.metadata.members["likes"], analysis.metadata.members["description"]) == (5, "hi")


def test_nested_data_and_v3_sections_read_like_the_forks():
    raw = fork_file()
    nested = {**raw, "ml_data": {s: {"data": d} for s, d in raw["ml_data"].items() if d}}
    sections = {"yolo": "objectDetection", "whisper": "speechTranscription", "scene_detection": "sceneDetection"}
    v3 = {key: value for key, value in raw.items() if key != "ml_data"}
    v3 |= {section: raw["ml_data"][service] for service, section in sections.items()}
    expected = read_unified(raw)
    assert read_unified(nested) == expected
    assert read_unified(v3) == expected


def test_legacy_strings_are_all_that_is_left_of_some_files():
    raw = {
        "video_id": "7", "duration": 10,
        "timeline": {"entries": [
            {"start": "3s", "end": "5s", "entry_type": "speech", "data": {"text": "hi"}},
            {"start": "1-2s", "type": "text_overlay", "data": {"text": "A"}},
            {"start": "0s", "entry_type": "scene_change", "data": {}},
            {"start": "4s", "end": "2s", "entry_type": "text", "data": "B"},
            {"start": "later", "entry_type": "text", "data": {}},
        ]},
    }  # fmt: skip
    analysis = read_unified(raw)
    assert [(e.start_s, e.end_s, e.entry_type, dict(e.data)) for e in analysis.timeline.entries] == [
        (1.0, None, "text", {"text": "A"}),
        (2.0, 4.0, "text", {"value": "B"}),
        (3.0, 5.0, "speech", {"text": "hi"}),
    ]
    assert not any(analysis.ok(service) for service in SERVICES)


def node_file():
    return {
        "video_id": "user_9", "duration_seconds": 40.0, "fps": 30.0, "total_frames": 120,
        "static_metadata": {"captionText": "hello", "duration": 40, "stats": {"views": 100, "likes": 5},
                            "author": "me", "hashtags": ["fun"]},
        "metadata_summary": {"transcript": "Hi you.", "speechSegments": [{"start": 1, "end": 2, "text": "Hi you."}]},
        "timelines": {
            "textOverlayTimeline": {"-1-0s": {"texts": ["START"]}, "59-60s": {"text": "SALE", "position": "top"}},
            "objectTimeline": {"30-31s": {"objects": {"person": 2}}},
            "gestureTimeline": {"45-46s": {"gestures": ["peace_sign", "none"], "confidence": 0.8}},
            "expressionTimeline": {"45-46s": {"expression": "happy"}},
            "sceneChangeTimeline": {"543-544s": {"type": "cut"}},
        },
    }  # fmt: skip


def test_node_keys_are_frame_numbers():
    analysis = read_unified(node_file())
    seen = {kind: [e.start_s for e in analysis.timeline.of_type(kind)] for kind in analysis.timeline.counts()}
    # 40 s of 30 fps were extracted at 3 fps; cuts are numbered in the source.
    assert seen["text"] == [0.0, pytest.approx(59 / 3)]
    assert seen["object"] == [10.0, 10.0]
    assert seen["gesture"] == seen["emotion"] == [15.0]
    assert seen["scene_change"] == [pytest.approx(18.1)]
    assert seen["speech"] == [1.0]
    assert [scene.end_s for scene in analysis.get(ScenesData).scenes] == [pytest.approx(18.1), 40.0]
    assert analysis.get(WhisperData).text == "Hi you."
    assert analysis.get(OcrData) is None
    video = analysis.metadata.video
    assert (video.description, video.views, video.username) == ("hello", 100, "me")
    faster = read_unified(node_file(), MediaFacts(sample_fps=6.0))
    assert [e.start_s for e in faster.timeline.of_type("object")] == [5.0, 5.0]


@pytest.mark.parametrize(
    ("duration", "fps", "stated", "rate"),
    [(20, 30, None, 5), (20, 29.97, None, 29.97 / 5), (40, None, None, 3), (90, 25, None, 25 / 12), (90, 30, 2, 2)],
)
def test_extraction_rate(duration, fps, stated, rate):
    assert extraction_fps(duration, fps, stated) == pytest.approx(rate)


def test_files_that_say_too_little_are_errors():
    with pytest.raises(ContractError, match="video_id"):
        read_unified({"duration": 5})
    with pytest.raises(ContractError, match="duration"):
        read_unified({"video_id": "7"})
    with pytest.raises(ContractError, match="pipeline_details"):
        read_unified({"schema_version": "3.0", "video_id": "7", "duration": 5.0, "metadata": {}, "ml_data": {}})


def test_ml_files_rebuild_the_analysis(tmp_path):
    built = build("7", AnalysisMetadata({"id": "7"}), FACTS, results(), entries_of)
    for service, names in ((service.name, service.files) for service in all_services()):
        path = tmp_path / names[0].format(id="7_1" if service == "yolo" else "7")
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(canonical(service)), encoding="utf-8")
    again = read_ml_files(tmp_path, "7", metadata={"id": "7"})
    assert again.timeline == built.timeline
    assert again.ml_data == built.ml_data
    scraped = tmp_path / "temp/7_apify.json"
    scraped.parent.mkdir()
    scraped.write_text('{"id": "7", "text": "caption", "playCount": 9}')
    (tmp_path / find_service("ocr").file.format(id="7")).write_text("{broken")
    again = read_ml_files(tmp_path, "7")
    assert (again.metadata.members["description"], again.metadata.members["views"]) == ("caption", 9)
    assert "could not be read" in again.reason("ocr")
    assert again.ok("yolo")


def test_ml_files_that_are_not_there(tmp_path):
    with pytest.raises(StoreError, match="no ML output"):
        read_ml_files(tmp_path, "7")
    with pytest.raises(StoreError, match="one path component"):
        read_ml_files(tmp_path, "../7")


# load(save(x)) == x

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-10, 10)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
payloads = st.dictionaries(st.text(max_size=4), json_values, max_size=3)
extras = st.dictionaries(st.text("xyz", min_size=1, max_size=4), json_values, max_size=3)


@st.composite
def analyses(draw):
    duration = draw(st.floats(0.1, 1e4))
    entries = [
        TimelineEntry(start * duration, kind, data, None if share is None else (start + share) * duration)
        for start, share, kind, data in draw(
            st.lists(
                st.tuples(st.floats(0, 1), st.none() | st.floats(0, 1), st.sampled_from(["text", "object"]), payloads),
                max_size=6,
            )
        )
    ]
    ok = draw(st.sets(st.sampled_from(SERVICES)))
    return UnifiedAnalysis(
        video_id=draw(st.text(min_size=1, max_size=5)),
        duration_s=duration,
        metadata=AnalysisMetadata(draw(payloads)),
        ml_data={service: model_of(service).from_json(canonical(service) | draw(extras)) for service in sorted(ok)},
        pipeline_details={s: ServiceStatus(s in ok, None if s in ok else draw(st.text())) for s in SERVICES},
        timeline=Timeline.from_entries("v", duration, entries),
        temporal_markers=draw(st.none() | payloads.filter(bool)),
        processing_metadata=draw(payloads),
    )


@settings(max_examples=60, deadline=None)
@given(analyses())
def test_what_was_saved_loads_as_it_was(analysis):
    saved = json.loads(json.dumps(analysis.to_dict(), allow_nan=False))
    before = copy.deepcopy(saved)
    assert read_unified(saved) == analysis
    assert saved == before


def damaged(raw, data):
    """``raw`` with up to three members replaced by anything."""
    for _ in range(data.draw(st.integers(1, 3))):
        node = raw
        while keys := sorted(node) if isinstance(node, dict) else list(range(len(node))):
            key = data.draw(st.sampled_from(keys))
            if isinstance(node[key], dict | list) and data.draw(st.booleans()):
                node = node[key]
                continue
            node[key] = data.draw(json_values)
            break
    return raw


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SERVICES), st.data())
def test_no_raw_data_makes_a_reader_stumble(service, data):
    raw = damaged(canonical(service), data)
    assert all(isinstance(problem, str) for problem in model_of(service).problems(raw))
    analysis = build("v", AnalysisMetadata(), FACTS, {service: read_service(service, raw, FACTS)}, entries_of)
    assert analysis.ok(service) or analysis.reason(service)
    saved = json.loads(json.dumps(analysis.to_dict(), allow_nan=False))
    assert read_unified(saved) == analysis


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([fork_file, node_file]), st.data())
def test_a_damaged_old_file_is_read_or_refused(make, data):
    raw = damaged(make(), data)
    before = copy.deepcopy(raw)
    try:
        analysis = read_unified(raw)
    except ContractError:
        return
    assert raw == before
    compute_markers(analysis)
    assert read_unified(json.loads(json.dumps(analysis.to_dict(), allow_nan=False))) == analysis
