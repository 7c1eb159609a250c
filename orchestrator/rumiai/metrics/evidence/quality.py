"""q(service) of every service and metadata part of an analysis (docs: analyses, 0.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.cuts import ADAPTIVE_THRESHOLD, cut_confidence
from rumiai.metrics.evidence.confidence import (
    METADATA_PARTS,
    SERVICE_OF,
    UNSCORED,
    Quality,
    Services,
    answered,
    found_confidence,
)
from rumiai.metrics.shared.statistics import clamp

_UNREAD_BELOW: Final = 0.1  # best recogniser confidence below which a script is suspected (ml_outputs 5.3)


def services_of(analysis: UnifiedAnalysis, metadata: VideoMetadata) -> Services:
    """The quality of all services and metadata parts."""
    of: dict[str, Quality] = {}
    for name, service in SERVICE_OF.items():
        data = analysis.data(service)
        if data is None:
            of[name] = Quality(False, 0.0, reason=analysis.reason(service) or "no data")
        else:
            confidence, answer = _FINDS[name](data)
            of[name] = Quality(True, clamp(confidence) * answer, confidence)
    people = analysis.data("mediapipe")
    if not of["emotion"].ok and people is not None and "expressions" in people:
        confidence = found_confidence([item.get("confidence") for item in people["expressions"]])
        of["emotion"] = Quality(True, clamp(confidence) * answered(people.get("metadata", {})), confidence)
    present = metadata_parts(metadata)
    for part in METADATA_PARTS:
        of[part] = Quality(present[part], float(present[part]), reason=None if present[part] else "not in the metadata")
    ocr = analysis.data("ocr")
    return Services(of, ocr is not None and unsupported_script(ocr))


def metadata_parts(metadata: VideoMetadata) -> dict[str, bool]:
    """Which parts of the metadata are there."""
    counts = (metadata.views, metadata.likes, metadata.comments, metadata.shares, metadata.saves)
    return {
        "caption": metadata.description is not None,
        # A caption that is known tells its tags, even that it has none.
        "hashtags": metadata.hashtags is not None or metadata.description is not None,
        "stats": any(count is not None for count in counts),
        "createTime": metadata.create_time is not None,
        "author": bool(metadata.author) or metadata.username is not None,
    }


def unsupported_script(ocr: Mapping[str, Any]) -> bool:
    """Whether text was seen but nothing of it could be read: a script outside the OCR languages is suspected."""
    metadata = ocr.get("metadata", {})
    best = metadata.get("best_confidence")
    return bool(metadata.get("regions_detected")) and best is not None and best < _UNREAD_BELOW


def _of_lists(data: Mapping[str, Any], *names: str) -> tuple[float, float]:
    found = [item.get("confidence") for name in names for item in data.get(name) or ()]
    return found_confidence(found), answered(data.get("metadata", {}))


def _ocr(data: Mapping[str, Any]) -> tuple[float, float]:
    if unsupported_script(data):
        metadata = data["metadata"]
        return float(metadata.get("mean_confidence", metadata["best_confidence"])), answered(metadata)
    return _of_lists(data, "textAnnotations", "stickers")


def _yolo(data: Mapping[str, Any]) -> tuple[float, float]:
    found = [frame.get("confidence") for item in data.get("objectAnnotations", ()) for frame in item.get("frames", ())]
    return found_confidence(found), answered(data.get("metadata", {}))


def _mediapipe(data: Mapping[str, Any]) -> tuple[float, float]:
    return _of_lists(data, "faces", "poses", "gestures")


def _whisper(data: Mapping[str, Any]) -> tuple[float, float]:
    return found_confidence([segment.get("confidence") for segment in data.get("segments", ())]), 1.0


def _scenes(data: Mapping[str, Any]) -> tuple[float, float]:
    metadata = data.get("metadata", {})
    scores, cuts = data.get("scene_change_scores"), data.get("scene_changes") or ()
    threshold = metadata.get("adaptive_threshold") or ADAPTIVE_THRESHOLD
    if not cuts:
        confidence = 1.0
    elif not scores:
        confidence = UNSCORED
    else:
        confidence = found_confidence([cut_confidence(score, threshold) for score in scores])
    return confidence, answered(metadata)


def _emotion(data: Mapping[str, Any]) -> tuple[float, float]:
    frames = {"frames_analyzed": data.get("frames_analyzed"), **data.get("metadata", {})}
    return found_confidence([item.get("confidence") for item in data.get("emotions", ())]), answered(frames)


def _audio(data: Mapping[str, Any]) -> tuple[float, float]:
    return 1.0, 1.0


_FINDS: Final = {
    "ocr": _ocr, "yolo": _yolo, "mediapipe": _mediapipe, "whisper": _whisper, "scenes": _scenes,
    "emotion": _emotion, "audio": _audio,
}  # fmt: skip
