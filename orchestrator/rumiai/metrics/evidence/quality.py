"""Quality of every service and of every part of the metadata, as :mod:`confidence` defines it."""

from __future__ import annotations

from collections import Counter

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.models import all_models
from rumiai.contracts.services.ocr import OcrData
from rumiai.contracts.services.people import PeopleData
from rumiai.contracts.services.whisper import WhisperData
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.evidence.confidence import (
    METADATA_PARTS,
    Quality,
    Services,
    answered,
    found_confidence,
)
from rumiai.metrics.shared.statistics import clamp


def services_of(analysis: UnifiedAnalysis, metadata: VideoMetadata) -> Services:
    """The quality of all services and metadata parts."""
    of: dict[str, Quality] = {}
    for model in all_models():
        data = analysis.get(model)
        if data is None:
            quality = Quality(False, 0.0, reason=analysis.reason(model.service) or "no data")
        else:
            quality = quality_of(data.found_confidences, answered(data.frames_answered, data.metadata.frames_expected))
        of[model.name_in_weights()] = quality
    people = analysis.get(PeopleData)
    if not of["emotion"].ok and people is not None and people.expressions is not None:
        faces = [item.confidence for item in people.expressions]
        of["emotion"] = quality_of(faces, answered(people.frames_answered, people.metadata.frames_expected))
    present = metadata_parts(metadata)
    for part in METADATA_PARTS:
        of[part] = Quality(present[part], float(present[part]), reason=None if present[part] else "not in the metadata")
    ocr = analysis.get(OcrData)
    return Services(of, _unread(analysis), () if ocr is None else ocr.kind_remarks)


def _unread(analysis: UnifiedAnalysis) -> dict[str, int]:
    """Script -> how many texts in it could not be read."""
    ocr, speech = analysis.get(OcrData), analysis.get(WhisperData)
    if ocr is None:
        return {}
    language = speech.language if speech is not None and speech.segments else None
    return dict(Counter(item.script_guess for item in ocr.unread_writing(language)))


def quality_of(confidences: list[float | None], answer: float) -> Quality:
    """C x r of a service that ran: mean confidence of its finds by the share of frames that it answered."""
    confidence = found_confidence(confidences)
    return Quality(True, clamp(confidence) * answer, confidence)


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
