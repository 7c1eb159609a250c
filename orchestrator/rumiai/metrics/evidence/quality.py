"""Quality of every service and of every part of the metadata, as :mod:`confidence` defines it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.services import (
    AudioData,
    ExpressionsData,
    OcrData,
    PeopleData,
    ScenesData,
    ServiceMetadata,
    WhisperData,
    YoloData,
)
from rumiai.contracts.services.people import Face, Gesture, Pose
from rumiai.contracts.timeline import UnifiedAnalysis
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
        data = analysis.ml_data.get(service) if analysis.ok(service) else None
        if data is None:
            of[name] = Quality(False, 0.0, reason=analysis.reason(service) or "no data")
        else:
            confidence, answer = _FINDS[name](data)
            of[name] = Quality(True, clamp(confidence) * answer, confidence)
    people = analysis.get(PeopleData)
    if not of["emotion"].ok and people is not None and people.expressions is not None:
        confidence = found_confidence([item.confidence for item in people.expressions])
        of["emotion"] = Quality(True, clamp(confidence) * _answered(people.metadata), confidence)
    present = metadata_parts(metadata)
    for part in METADATA_PARTS:
        of[part] = Quality(present[part], float(present[part]), reason=None if present[part] else "not in the metadata")
    ocr = analysis.get(OcrData)
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


def unsupported_script(ocr: OcrData) -> bool:
    """Whether text was seen but nothing of it could be read: a script outside the OCR languages is suspected."""
    best = ocr.metadata.best_confidence
    return bool(ocr.metadata.regions_detected) and best is not None and best < _UNREAD_BELOW


def _answered(metadata: ServiceMetadata) -> float:
    return answered(metadata.frames_answered, metadata.frames_expected)


def _ocr(data: OcrData) -> tuple[float, float]:
    answer, metadata = _answered(data.metadata), data.metadata
    if unsupported_script(data) and metadata.best_confidence is not None:
        mean = metadata.mean_confidence
        return metadata.best_confidence if mean is None else mean, answer
    found: list[float | None] = [item.confidence for item in data.texts]
    found += [item.confidence for item in data.stickers]
    return found_confidence(found), answer


def _yolo(data: YoloData) -> tuple[float, float]:
    found: list[float | None] = [seen.confidence for track in data.tracks for seen in track.frames]
    return found_confidence(found), _answered(data.metadata)


def _mediapipe(data: PeopleData) -> tuple[float, float]:
    items: list[Face | Pose | Gesture] = [*data.faces, *data.poses, *data.gestures]
    return found_confidence([item.confidence for item in items]), _answered(data.metadata)


def _whisper(data: WhisperData) -> tuple[float, float]:
    return found_confidence([segment.confidence for segment in data.segments]), 1.0


def _scenes(data: ScenesData) -> tuple[float, float]:
    scores = data.change_confidences
    confidence = 1.0 if not data.changes_s else UNSCORED if scores is None else found_confidence(list(scores))
    return confidence, _answered(data.metadata)


def _emotion(data: ExpressionsData) -> tuple[float, float]:
    done = data.metadata.frames_answered
    done = data.frames_analyzed if done is None else done
    return found_confidence([item.confidence for item in data.emotions]), answered(done, data.metadata.frames_expected)


def _audio(data: AudioData) -> tuple[float, float]:
    return 1.0, 1.0


_FINDS: Final[Mapping[str, Callable[[Any], tuple[float, float]]]] = {
    "ocr": _ocr, "yolo": _yolo, "mediapipe": _mediapipe, "whisper": _whisper, "scenes": _scenes,
    "emotion": _emotion, "audio": _audio,
}  # fmt: skip
