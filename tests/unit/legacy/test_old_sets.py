"""Sets of ML outputs as older versions wrote them: every subset in every shape is read, and nothing is invented."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.services.people import PeopleData
from rumiai.legacy.stored import read_ml_files
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import ANALYSES, family
from rumiai.services import find_service

DURATION_S, FPS = 12.0, 30.0
PROCESSED = {"processed": True}


def at(t_s, **more):
    return {"timestamp": t_s, "frame_number": round(t_s * FPS), **more}


CORNERS = {"left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}
# What the frame extraction of version 3 wrote: the only place where the size of the picture stands.
FRAMES = {"video_id": "7", "fps": FPS, "frame_count": 60, "width": 576, "height": 1024, "duration": DURATION_S}
# Shapes whose boxes are in pixels: without the size of the frame nothing can be said of where they are.
IN_PIXELS = {("yolo", "flat"), ("ocr", "fork"), ("ocr", "polygon"), ("ocr", "frames")}
# Each service's historical shapes, by name.
SHAPES = {
    "yolo": {
        "flat": {
            "objectAnnotations": [
                at(0.5, trackId="obj_15_39", className="bottle", confidence=0.7, bbox=[50, 200, 100, 400])
            ],
            "metadata": {**PROCESSED, "frames_analyzed": 24, "objects_detected": 1},
        },
        "tracker": {
            "fps": FPS,
            "total_frames": 360,
            "objectAnnotations": [
                {
                    "trackId": "object_1",
                    "entity": {"entityId": "cup", "description": "cup"},
                    "confidence": 0.9,
                    "frames": [
                        {"frame": 15 * i, "confidence": 0.9, "bbox": CORNERS} for i in range(4)
                    ],
                }
            ],
        },
        "predictions": {"predictions": [], "metadata": PROCESSED},
    },
    "whisper": {
        "fork": {
            "text": "Wait for it.", "language": "unknown", "duration": 1.0, "metadata": {**PROCESSED, "success": True},
            "segments": [{"id": 0, "start": 0.0, "end": 1.0, "text": "Wait for it.", "words": []}],
        },
        "cpp": {
            "result": {"language": "en"},
            "transcription": [{"offsets": {"from": 0, "to": 900}, "text": " Wait."}],
        },
        "node": {
            "speechTranscriptions": [
                {
                    "alternatives": [
                        {"transcript": "Hi you", "confidence": 1.2,
                         "words": [{"word": "Hi", "startTime": {"seconds": 1}, "endTime": {"seconds": 2}}]}
                    ],
                    "languageCode": "en-us",
                }
            ]
        },
    },
    "ocr": {
        "fork": {
            "textAnnotations": [at(1.0, text="SALE", confidence=0.9, bbox=[10, 20, 100, 40])],
            "stickers": [at(2.0, bbox=[1, 2, 3, 4], confidence=0.7, type="sticker")],
            "metadata": {**PROCESSED, "frames_analyzed": 24, "unique_texts": 1},
        },
        "polygon": {
            "text_annotations": [at(1.0, text="SALE", confidence=0.9, bbox=[[10, 20], [110, 20], [110, 60], [10, 60]])],
            "metadata": PROCESSED,
        },
        "frames": {
            "frame_details": [
                {"frame": "frame_0001_t0.40.jpg", "text_elements": [
                    {"type": "text", "text": "SALE", "confidence": 0.9, "bbox": {"x1": 1, "y1": 2, "x2": 30, "y2": 9}}
                ], "creative_elements": []}
            ],
            "insights": {"video_duration": DURATION_S},
        },
    },
    "mediapipe": {
        "fork": {
            "poses": [at(0.0, landmarks=33, visibility=0.8)],
            "faces": [at(i / 2, count=1, confidence=0.9) for i in range(20)],
            "hands": [], "gaze": [], "gestures": [at(0.0, type="none", confidence=0.9, hand="left")],
            "presence_percentage": 80.0, "frames_with_people": 20, "metadata": {**PROCESSED, "frames_analyzed": 24},
        },
        "frames": {
            "frame_details": [
                {"frame": "frame_0001_t0.00.jpg", "hands": [], "poses": [], "faces": [
                    {"bbox": {"x1": 9, "y1": 9, "x2": 60, "y2": 70}, "expression": "happy", "confidence": 0.9}
                ]}
            ],
            "insights": {"total_frames": 60, "human_presence": 0.4},
        },
    },
    "scene_detection": {
        "fork": {
            "scenes": [
                {"scene_number": 1, "start_time": 0.0, "end_time": 5.0, "duration": 5.0},
                {"scene_number": 2, "start_time": 5.0, "end_time": DURATION_S, "duration": 7.0},
            ],
            "total_scenes": 2, "metadata": PROCESSED,
        },
        "cuts": {"scene_changes": [0.0, 5.0], "metadata": {**PROCESSED, "duration": DURATION_S}},
    },
    "audio_energy": {
        "fork": {
            "energy_level_windows": {"0-4s": 1.0, "4-9s": 0.4}, "energy_variance": 1e-5, "climax_timestamp": 2.0,
            "burst_pattern": "front_loaded", "duration": DURATION_S, "metadata": {**PROCESSED, "success": True},
        },
    },
    "emotion_detection": {
        "fork": {
            "emotions": [
                {"timestamp": 1.0, "emotion": "happiness", "confidence": 0.8, "face_bbox": [10, 10, 50, 50],
                 "action_units": [12], "au_intensities": {"12": 0.9}}
            ],
            "dominant_emotion": "joy", "video_duration": DURATION_S, "sample_rate": 2.0, "frames_analyzed": 24,
        },
        "nobody": {
            "emotions": [], "metrics": {"video_type": "no_people"}, "video_duration": DURATION_S, "frames_analyzed": 24,
            "metadata": PROCESSED,
        },
    },
}  # fmt: skip
# Each states the length of the video, so that a set with one of them can be built.
ENERGY = {"audio_energy": "fork"}


def rebuilt(chosen, sized=True):
    """The analysis of a set of files: service -> name of the shape; ``sized`` with those of the frame extraction."""
    with tempfile.TemporaryDirectory() as folder:
        if sized:
            about = Path(folder) / "frame_outputs/7/metadata.json"
            about.parent.mkdir(parents=True)
            about.write_text(json.dumps(FRAMES), encoding="utf-8")
        for service, shape in chosen.items():
            path = Path(folder) / find_service(service).file.format(id="7")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(SHAPES[service][shape]), encoding="utf-8")
        return read_ml_files(Path(folder), "7")


def measured(analysis):
    evidence = read_evidence(analysis)
    return {name: family(name).compute(evidence) for name in ANALYSES}


sets = st.fixed_dictionaries(
    {}, optional={service: st.sampled_from(sorted(shapes)) for service, shapes in SHAPES.items()}
)


@settings(max_examples=60, deadline=None)
@given(sets, st.booleans())
def test_every_set_of_old_files_is_read_and_measured(chosen, sized):
    chosen = ENERGY | chosen
    analysis = rebuilt(chosen, sized)
    assert analysis.duration_s == DURATION_S
    readable = {service for service, shape in chosen.items() if sized or (service, shape) not in IN_PIXELS}
    for service in SHAPES:
        # What was there is read; what was not, or cannot be, is missing with a reason.
        assert analysis.ok(service) == (service in readable), analysis.reason(service)
        assert service in readable or analysis.reason(service)
    blocks = {name: found.blocks_json() for name, found in measured(analysis).items()}
    json.dumps(blocks, allow_nan=False)
    if "mediapipe" not in chosen:
        assert blocks["person_framing"]["CoreMetrics"]["faceVisibilityRate"] is None
    if "ocr" not in readable:
        assert blocks["visual_overlay_analysis"]["CoreMetrics"]["totalTextOverlays"] is None
    if "scene_detection" not in chosen:
        assert blocks["scene_pacing"]["CoreMetrics"]["totalScenes"] is None


@pytest.mark.parametrize(("service", "shape"), [(s, shape) for s, shapes in SHAPES.items() for shape in shapes])
def test_every_shape_is_read_by_itself(service, shape):
    assert rebuilt(ENERGY | {service: shape}).ok(service)


def test_faces_without_boxes_are_seen_and_have_no_size():
    analysis = rebuilt(ENERGY | {"mediapipe": "fork"})
    core = measured(analysis)["person_framing"].blocks_json()["CoreMetrics"]
    assert len(analysis.get(PeopleData).faces) == 20
    assert core["faceVisibilityRate"] > 0
    assert core["averageFaceSize"] is None


def test_boxes_in_pixels_of_an_unknown_frame_are_no_boxes():
    analysis = rebuilt(ENERGY | {"mediapipe": "frames"}, sized=False)
    (face,) = analysis.get(PeopleData).faces
    assert face.bbox is None
    analysis = rebuilt(ENERGY | {"yolo": "flat"}, sized=False)
    assert "frame size unknown" in analysis.reason("yolo")
