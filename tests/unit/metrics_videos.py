"""Small videos with known content, through the real timeline builder and through load(save(x)), as every run does."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.metadata import AnalysisMetadata, VideoMetadata
from rumiai.contracts.models import service_names
from rumiai.contracts.results import ServiceResult
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.legacy.services import read_service
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.registry import family
from rumiai.services import entries_of
from rumiai.timeline.build import build

BOX = (0.2, 0.4, 0.4, 0.1)


def text(content: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    box = list(more.pop("bbox", BOX))
    contrast = more.pop("contrast", 0.8)
    sight = {"confidence": 0.9, "bbox": box, "contrast": contrast}
    return {
        "text": content, "start": start, "end": end, "timestamp": start, "confidence": 0.9, "bbox": box,
        "position": "center", "size": "L", "category": "overlay_text",
        "sightings": [{"timestamp": start, "frame_number": 0, **sight}, {"timestamp": end, "frame_number": 9, **sight}],
        **more,
    }  # fmt: skip


def sticker(start: float, end: float, **more: Any) -> dict[str, Any]:
    box = {"bbox": [0.7, 0.1, 0.1, 0.1], "confidence": 0.6, "type": "graphic_overlay"}
    return {"start": start, "end": end, "timestamp": start, **box, **more}


def segment(content: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    """A segment whose words share its time equally."""
    spoken = content.split()
    step = (end - start) / max(1, len(spoken))
    words = [
        {"word": word, "start": start + i * step, "end": start + (i + 1) * step, "probability": 0.9}
        for i, word in enumerate(spoken)
    ]
    return {"start": start, "end": end, "text": content, "confidence": 0.9, "words": words, **more}


def objects(name: str, times: Iterable[float], copies: int = 1) -> list[dict[str, Any]]:
    frames = [{"timestamp": t, "frame_number": round(t * 30), "confidence": 0.8, "bbox": list(BOX)} for t in times]
    return [{"className": name, "confidence": 0.8, "frames": frames} for _ in range(copies)]


def face(time: float, area: float) -> dict[str, Any]:
    side = math.sqrt(area)
    return {"timestamp": time, "frame_number": 0, "count": 1, "confidence": 1.0, "bbox": [0.0, 0.0, side, side]}


def gesture(time: float, kind: str = "pointing", **more: Any) -> dict[str, Any]:
    return {
        "timestamp": time, "frame_number": 0, "type": kind, "hand": "right", "confidence": 0.8,
        "bbox": [0.8, 0.4, 0.1, 0.1], "direction": None, **more,
    }  # fmt: skip


def expression(time: float, label: str, confidence: float = 0.8) -> dict[str, Any]:
    return {"timestamp": time, "emotion": label, "confidence": confidence, "source": "blendshapes"}


def analysis(
    duration_s: float = 12.0,
    *,
    texts: Sequence[Mapping[str, Any]] = (),
    stickers: Sequence[Mapping[str, Any]] = (),
    detections: Sequence[Mapping[str, Any]] = (),
    faces: Sequence[Mapping[str, Any]] = (),
    poses: Sequence[Mapping[str, Any]] = (),
    gaze: Sequence[Mapping[str, Any]] = (),
    gestures: Sequence[Mapping[str, Any]] = (),
    expressions: Sequence[Mapping[str, Any]] = (),
    emotions: Sequence[Mapping[str, Any]] = (),
    actions: Sequence[Mapping[str, Any]] | None = None,
    segments: Sequence[Mapping[str, Any]] = (),
    cuts: Sequence[float] = (),
    scores: Sequence[float] | None = None,
    types: Sequence[str] | None = None,
    audio: Mapping[str, Any] | None = None,
    metadata: VideoMetadata | None = None,
    missing: Mapping[str, str] | Iterable[str] = ("emotion_detection",),
    sample_fps: float = 2.0,
    ocr_meta: Mapping[str, Any] | None = None,
    unread: Sequence[Mapping[str, Any]] | None = None,
    language: str = "en",
) -> UnifiedAnalysis:
    """The unified analysis of a video on which every service but the missing ones ran."""
    frames = math.ceil(duration_s * sample_fps)
    meta = {
        "processed": True, "frames_analyzed": frames, "frames_expected": frames, "sample_fps": sample_fps,
        "width": 576, "height": 1024, "fps": 30.0, "duration": duration_s,
    }  # fmt: skip
    ends = [0.0, *cuts, duration_s]
    scenes = [
        {"scene_number": i + 1, "scene_index": i, "start_time": a, "end_time": b, "duration": b - a,
         "start_frame": round(a * 30), "end_frame": round(b * 30)}
        for i, (a, b) in enumerate(pairwise(ends))
    ]  # fmt: skip
    data: dict[str, dict[str, Any]] = {
        "yolo": {
            "objectAnnotations": [{**d, "trackId": f"object_{i}"} for i, d in enumerate(detections)],
            "metadata": dict(meta),
        },
        "whisper": {
            "text": " ".join(s["text"] for s in segments), "language": language, "duration": duration_s,
            "segments": list(segments), "metadata": {"processed": True, "success": True, "has_audio": True},
        },
        "ocr": {
            "textAnnotations": list(texts), "stickers": list(stickers),
            "metadata": {**meta, "frames_read": frames, "frames_carried": 0, "frames_gated": 0, **(ocr_meta or {})},
            **({} if unread is None else {"unread": list(unread)}),
        },
        "mediapipe": {
            "faces": list(faces), "poses": list(poses), "hands": [], "gaze": list(gaze), "gestures": list(gestures),
            "expressions": list(expressions), "presence_percentage": 0.0, "frames_with_people": 0,
            "metadata": dict(meta), **({} if actions is None else {"actions": list(actions)}),
        },
        "scene_detection": {
            "scenes": scenes, "scene_changes": list(cuts),
            "scene_change_scores": [6.0] * len(cuts) if scores is None else list(scores),
            "transition_types": ["cut"] * len(cuts) if types is None else list(types), "total_scenes": len(scenes),
            "metadata": {"processed": True, "adaptive_threshold": 3.0, "fps": 30.0, "duration": duration_s},
        },
        "audio_energy": {
            "energy_level_windows": {}, "energy_variance": 0.05, "climax_timestamp": 1.0, "burst_pattern": "steady",
            "duration": duration_s, "tempo_bpm": None, "onsets": [], "beats": [], "silence_ratio": 0.1, "snr_db": 20.0,
            "metadata": {"processed": True, "has_audio": True, "rms_curve_hz": 10.0}, **(audio or {}),
        },
        "emotion_detection": {
            "emotions": list(emotions), "sample_rate": sample_fps, "frames_analyzed": frames, "dominant_emotion": None,
            "metadata": {"processed": True, "frames_expected": frames},
        },
    }  # fmt: skip
    facts = MediaFacts(duration_s, 30.0, 576, 1024, sample_fps)
    reasons = dict(missing) if isinstance(missing, Mapping) else dict.fromkeys(missing, "out of memory")
    results = {
        name: ServiceResult.failed(name, "1", reasons[name])
        if name in reasons
        else read_service(name, data[name], facts)
        for name in service_names()
    }
    built = build("v", AnalysisMetadata.of(metadata or VideoMetadata.local("v")), facts, results, entries_of)
    broken = {s: reason for s, reason in built.errors().items() if s not in reasons}
    assert not broken, broken
    return UnifiedAnalysis.from_dict(json.loads(json.dumps(built.to_dict(), allow_nan=False)))


@dataclass(frozen=True)
class Written:
    """A family's result as its files hold it."""

    blocks: dict[str, dict[str, Any]]
    precompute: dict[str, Any]


def computed(name: str, evidence: Evidence) -> Written:
    """One family's result of some evidence."""
    found = family(name).compute(evidence)
    return Written(found.blocks_json(), found.precompute_json())


def result(name: str, duration_s: float = 12.0, **content: Any) -> Written:
    """One family's result of a video."""
    return computed(name, read_evidence(analysis(duration_s, **content)))


def flat(found: Written) -> dict[str, Any]:
    """All fields of all blocks but the confidences, by field name."""
    return {key: value for block in found.blocks.values() for key, value in block.items() if key != "confidence"}
