"""A video in which every service finds enough for every metric to be told, and its poorer forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rumiai.contracts.metadata import VideoMetadata

from .metrics_videos import expression, face, gesture, objects, segment, sticker, text

DURATION_S = 60.0
SERVICES = ("yolo", "whisper", "ocr", "mediapipe", "scene_detection", "audio_energy", "emotion_detection")
_STEP_S = 0.1
_TIMES = [round(k * _STEP_S, 1) for k in range(round(DURATION_S / _STEP_S))]
# Scenes of 2 s, a montage, scenes that are held, and a closing run.
_CUTS = [2.0, 4.0, 6.0, 8.0, 9.0, 9.9, 10.8, 11.7, 13.0, 20.0, 28.0, 34.0, 40.0, 43.0, 45.0, 47.0]
_CUTS += [50.0, 52.0, 54.0, 57.0]


def _body(time_s: float) -> dict[str, Any]:
    points = [{"i": i, "x": 0.5, "y": i / 33, "z": 0.0, "v": 0.9} for i in range(33)]
    return {
        "timestamp": time_s, "frame_number": 0, "confidence": 0.9, "bbox": [0.2, 0.1, 0.5, 0.8], "landmarks": points,
        "posture": "standing", "orientation": "facing_camera",
    }  # fmt: skip


def _looks(time_s: float) -> dict[str, Any]:
    return {
        "timestamp": time_s, "frame_number": 0, "confidence": 0.9, "eye_contact": 0.9 if time_s < 20 else 0.2,
        "gaze_direction": "camera",
    }  # fmt: skip


def _mood(time_s: float) -> str:
    """Changes exactly on every sixth beat of one and a half seconds."""
    return ("sadness", "neutral", "joy", "surprise", "neutral", "joy", "neutral")[int(time_s // 9) % 7]


def _faces() -> list[dict[str, Any]]:
    sized = [face(t, 0.3 if t < 6 else 0.12 if t < 30 else 0.05 + 0.001 * (t % 6)) for t in _TIMES]
    for item in sized:
        side = item["bbox"][2]
        item["bbox"] = [0.4 - side / 2, max(0.03, 0.33 - side / 2), side, side]
    second = [face(t, 0.09) for t in _TIMES if 15 <= t < 20]
    for item in second:
        item["bbox"] = [0.65, 0.1, 0.3, 0.3]
    return sized + second


def _metadata() -> VideoMetadata:
    return VideoMetadata(
        "v", description="Wait for it! I love this. Why? #coffee #fyp @bob \U0001f525 link in bio now", views=1000,
        likes=100, comments=10, shares=5, saves=2, create_time=datetime(2026, 1, 2, 3, 4, tzinfo=UTC), username="bob",
        author={"nickName": "Bob", "verified": True, "fans": 20000}, text_language="en",
        music={"musicId": "1", "musicName": "a", "musicAuthor": "b", "musicOriginal": True},
    )  # fmt: skip


def _said() -> list[dict[str, Any]]:
    return [
        segment("Hey, stop scrolling! Did you know this amazing coffee secret?", 0.0, 4.0),
        segment("First, I went home and I made some coffee. I love it so much.", 5.0, 9.0, confidence=0.5),
        segment("um I tasted coffee beans, coffee beans all day", 14.0, 17.0),
        segment("Finally it is the best thing ever, I laughed a lot", 30.0, 36.0),
        segment("fast words go on and on and on and on and on and on now", 40.0, 42.5),
        segment("Follow me now and comment below. Link in bio", 55.0, 59.0),
    ]


def rich(**changes: Any) -> dict[str, Any]:
    """Arguments of ``analysis``."""
    curve = [0.05 + (0.5 if k % 15 == 0 else 0.0) + 0.001 * k for k in range(600)]
    return {
        "duration_s": DURATION_S,
        "sample_fps": 1 / _STEP_S,
        "texts": [
            text("STOP scrolling coffee", 2.0, 5.0), text("Follow me", 55.0, 59.0, bbox=[0.1, 0.8, 0.5, 0.05]),
            text("COFFEE SALE 50%", 4.0, 8.0, bbox=[0.2, 0.6, 0.3, 0.1]),
            text("why?", 28.0, 30.0, bbox=[0.1, 0.1, 0.2, 0.04]),
            text("everyone loves it", 34.0, 36.0), text("three", 43.0, 46.0),
            text("two", 45.0, 48.0, bbox=[0.2, 0.6, 0.4, 0.1]),
            text("one", 47.0, 49.0, bbox=[0.2, 0.2, 0.4, 0.1]),
        ],
        "stickers": [sticker(2.0, 5.0), sticker(40.0, 42.0, bbox=[0.1, 0.1, 0.2, 0.2])],
        "detections": objects("person", _TIMES[:450]) + objects("cup", _TIMES[::2]) + objects("dog", _TIMES[100:300]),
        "faces": _faces(),
        "poses": [_body(t) for t in _TIMES if t < 40],
        "gaze": [_looks(t) for t in _TIMES],
        "gestures": [gesture(t) for t in (2.0, 2.1, 9.0, 9.1, 18.0, 18.1, 34.0, 45.0, 54.0)],
        "expressions": [expression(t, _mood(t), 0.9) for t in _TIMES],
        "emotions": [expression(t, _mood(t), 0.9) for t in _TIMES],
        "actions": [{"action": "talking", "start": 0.0, "end": 9.0, "confidence": 0.8}],
        "segments": _said(),
        "cuts": _CUTS,
        "types": ["cut"] * (len(_CUTS) - 1) + ["fade"],
        "audio": {
            "beats": [*_CUTS[:5], *_CUTS[8:], 31.0, 37.0], "onsets": [*_CUTS, 28.5, 55.0], "rms_curve": curve,
            "energy_level_windows": {f"{k}-{k + 5}s": 0.3 + 0.01 * k for k in range(0, 60, 5)}, "tempo_bpm": 40.0,
        },
        "metadata": _metadata(),
        "missing": (),
        **changes,
    }  # fmt: skip
