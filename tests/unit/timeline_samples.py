"""Small canonical data of every service, of one 12 s clip of 576 x 1024 at 30 fps sampled at 2 fps, written by hand."""

from __future__ import annotations

import copy

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.results import ServiceResult
from rumiai.services import all_services

FACTS = MediaFacts(duration_s=12.0, fps=30.0, width=576, height=1024)

_META = {
    "processed": True, "frames_analyzed": 24, "frames_expected": 24, "sample_fps": 2.0, "width": 576, "height": 1024,
    "fps": 30.0, "duration": 12.0,
}  # fmt: skip


def _seen(t, box, confidence=0.8):
    return {"timestamp": t, "frame_number": round(t * 30), "confidence": confidence, "bbox": box}


_YOLO = {
    "objectAnnotations": [
        {
            "trackId": "object_1", "className": "person", "confidence": 0.75, "first_seen": 0.0, "last_seen": 1.0,
            "frames": [
                _seen(0.0, [0.1, 0.2, 0.4, 0.6], 0.7),
                _seen(0.5, [0.2, 0.2, 0.4, 0.6], 0.8),
                _seen(1.0, [0.3, 0.2, 0.4, 0.6], 0.75),
            ],
        },
        {
            "trackId": "object_2", "className": "cup", "confidence": 0.65, "first_seen": 10.0, "last_seen": 10.0,
            "confirmed": False, "frames": [_seen(10.0, [0.5, 0.5, 0.1, 0.1], 0.65)],
        },
    ],
    "metadata": {**_META, "model": "YOLOv8n", "objects_detected": 4, "tracks": 2},
}  # fmt: skip

_WHISPER = {
    "text": "Wait for it. Hit like and follow me.",
    "language": "en",
    "duration": 11.5,
    "segments": [
        {
            "id": 0, "start": 0.2, "end": 1.0, "text": "Wait for it.", "confidence": 0.9,
            "words": [
                {"word": "Wait", "start": 0.2, "end": 0.4, "probability": 0.9},
                {"word": "for", "start": 0.4, "end": 0.6, "probability": 0.9},
                {"word": "it.", "start": 0.6, "end": 1.0, "probability": 0.9},
            ],
        },
        {
            "id": 1, "start": 9.5, "end": 11.5, "text": "Hit like and follow me.", "confidence": 0.8,
            "words": [
                {"word": "Hit", "start": 9.5, "end": 9.75, "probability": 0.8},
                {"word": "like", "start": 9.75, "end": 10.0, "probability": 0.8},
                {"word": "and", "start": 10.0, "end": 10.5, "probability": 0.8},
                {"word": "follow", "start": 10.5, "end": 11.0, "probability": 0.8},
                {"word": "me.", "start": 11.0, "end": 11.5, "probability": 0.8},
            ],
        },
    ],
    "metadata": {"processed": True, "has_audio": True, "model": "whisper-base"},
}  # fmt: skip

_OCR = {
    "textAnnotations": [
        {
            "id": "text_1", "text": "STOP SCROLLING", "start": 0.0, "end": 3.25, "timestamp": 0.0, "confidence": 0.93,
            "bbox": [0.21, 0.35, 0.58, 0.06], "position": "center", "size": "L", "category": "overlay_text",
            "sightings": [{**_seen(0.0, [0.21, 0.35, 0.58, 0.06], 0.93), "contrast": 0.84}],
        }
    ],
    "stickers": [
        {
            "id": "sticker_1", "type": "graphic_overlay", "start": 1.75, "end": 4.25, "timestamp": 2.0,
            "confidence": 0.6, "bbox": [0.7, 0.12, 0.14, 0.09],
        }
    ],
    "metadata": {**_META, "engine": "easyocr-1.7"},
}  # fmt: skip

_MEDIAPIPE = {
    "poses": [
        {
            "timestamp": 0.5, "frame_number": 15, "person": 0, "visibility": 0.81, "confidence": 0.81,
            "bbox": [0.2, 0.1, 0.6, 0.88], "landmarks": [{"i": 0, "x": 0.5, "y": 0.2, "z": -0.3, "v": 0.99}],
            "posture": "standing", "orientation": "facing_camera",
        }
    ],
    "faces": [
        {
            "timestamp": 0.5, "frame_number": 15, "count": 1, "face_index": 0, "confidence": 0.96,
            "bbox": [0.3, 0.35, 0.39, 0.22],
        }
    ],
    "hands": [{"timestamp": 0.5, "frame_number": 15, "count": 1, "handedness": ["right"]}],
    "gaze": [
        {
            "timestamp": 0.5, "frame_number": 15, "eye_contact": 0.82, "gaze_direction": "camera", "yaw": 3.0,
            "pitch": -1.5, "confidence": 0.9,
        }
    ],
    "gestures": [
        {
            "timestamp": t, "frame_number": round(t * 30), "type": "pointing", "hand": "right",
            "confidence": confidence,
            "bbox": [0.62, 0.55, 0.12, 0.09], "direction": [-0.8, -0.6],
        }
        for t, confidence in ((10.0, 0.7), (10.5, 0.9), (11.5, 0.8))
    ],
    "expressions": [{"timestamp": 0.5, "emotion": "joy", "confidence": 0.7, "source": "blendshapes"}],
    "presence_percentage": 4.2, "frames_with_people": 1,
    "metadata": dict(_META),
}  # fmt: skip

_SCENES = {
    "scenes": [
        {
            "scene_number": n, "scene_index": n - 1, "start_time": start, "end_time": end, "duration": end - start,
            "start_frame": round(start * 30), "end_frame": round(end * 30),
        }
        for n, (start, end) in enumerate(((0.0, 3.5), (3.5, 3.75), (3.75, 12.0)), start=1)
    ],
    "scene_changes": [3.5, 3.75], "scene_change_scores": [4.5, 30.0], "transition_types": ["cut", "cut"],
    "total_scenes": 3,
    "metadata": {
        "processed": True, "detector": "adaptive", "adaptive_threshold": 3.0, "fps": 30.0, "duration": 12.0,
        "width": 576, "height": 1024,
    },
}  # fmt: skip

_AUDIO = {
    "energy_level_windows": {"0-5s": 1.0, "5-10s": 0.81, "10-12s": 0.42}, "energy_variance": 0.058,
    "climax_timestamp": 3.2, "burst_pattern": "front_loaded", "duration": 12.0, "tempo_bpm": 118.0,
    "onsets": [0.02, 0.51], "beats": [0.51, 1.02], "silence_ratio": 0.04,
    "metadata": {"processed": True, "has_audio": True, "method": "rms"},
}  # fmt: skip

_EMOTION = {
    "emotions": [
        {
            "timestamp": 1.0, "emotion": "joy", "confidence": 0.74, "all_scores": {"joy": 0.75, "neutral": 0.25},
            "action_units": [6, 12], "au_intensities": {"6": 0.7, "12": 0.9}, "face_bbox": [0.26, 0.27, 0.38, 0.29],
            "valence": 0.75,
        },
        {"timestamp": 1.5, "emotion": "surprise", "confidence": 0.9, "all_scores": {"surprise": 0.9}, "valence": 0.27},
    ],
    "dominant_emotion": "joy",
    "metadata": {**_META, "model": "feat-0.6"},
}  # fmt: skip

_ALL = {
    "yolo": _YOLO, "whisper": _WHISPER, "ocr": _OCR, "mediapipe": _MEDIAPIPE, "scene_detection": _SCENES,
    "audio_energy": _AUDIO, "emotion_detection": _EMOTION,
}  # fmt: skip


# Ours, in the order of files and tables; with them the models of their data are registered.
SERVICES = tuple(service.name for service in all_services())


def canonical(service):
    """A fresh copy of the service's data, which looked at the whole video of 12 s."""
    whole = [[0.0, 12.0]] if service in ("whisper", "audio_energy", "scene_detection") else [k / 2 for k in range(24)]
    return {"observed": whole, **copy.deepcopy(_ALL[service])}


def results(**replaced):
    """All services' results; a keyword replaces one service's data, None leaves it out."""
    data = {service: canonical(service) for service in SERVICES} | replaced
    return {service: ServiceResult.read(service, "1", d) for service, d in data.items() if d is not None}
