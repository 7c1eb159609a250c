"""Quality of every service and of every part of the metadata, as :mod:`confidence` defines it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.models import all_models
from rumiai.contracts.observed import Observed
from rumiai.contracts.services.base import ServiceData
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
    sample_sureness,
)
from rumiai.metrics.shared.statistics import clamp

# The word lists (hooks, calls to action, fillers, sentiment) are English: in another language half of them is missed.
_LISTED_LANGUAGE: Final = "en"
_FOREIGN: Final = 0.5
LOOKED_AT_NOTHING: Final = "it looked at nothing"


def services_of(analysis: UnifiedAnalysis, metadata: VideoMetadata, observed: Mapping[str, Observed]) -> Services:
    """The quality of all services and metadata parts.

    Args:
        analysis: Of the video.
        metadata: What the source says of it.
        observed: When each service that ran looked, by its name in the weights.

    Returns:
        The quality by the names of the weights; a part of the metadata has 1 or 0. Without an emotion detector the
        expressions of MediaPipe, where it tells any, stand for it.
    """
    of: dict[str, Quality] = {}
    for model in all_models():
        name, data = model.name_in_weights(), analysis.get(model)
        if data is None:
            of[name] = Quality(False, 0.0, reason=analysis.reason(model.service) or "no data")
        else:
            of[name] = quality_of(data, observed[name], data.found_confidences)
    people = analysis.get(PeopleData)
    if not of["emotion"].ok and people is not None and people.expressions is not None:
        of["emotion"] = quality_of(people, observed["mediapipe"], [item.confidence for item in people.expressions])
    present = metadata_parts(metadata)
    for part in METADATA_PARTS:
        there = present[part]
        of[part] = Quality(there, float(there), None, float(there), None if there else "not in the metadata")
    ocr = analysis.get(OcrData)
    remarks = () if ocr is None else ocr.kind_remarks
    return Services(of, _unread(analysis), remarks, analysis.metadata.stills_remark)


def _unread(analysis: UnifiedAnalysis) -> dict[str, int]:
    """Script -> how many texts in it could not be read."""
    ocr, speech = analysis.get(OcrData), analysis.get(WhisperData)
    if ocr is None:
        return {}
    language = speech.language if speech is not None and speech.segments else None
    return dict(Counter(item.script_guess for item in ocr.unread_writing(language)))


def quality_of(data: ServiceData, observed: Observed, confidences: list[float | None] | None) -> Quality:
    """Q = c x r x s x d of a service that ran (:mod:`rumiai.metrics.evidence.confidence`).

    Args:
        data: Its data.
        observed: When it looked.
        confidences: Of each find, 0..1, None where a find has none; None for a service that measures.

    Returns:
        The quality; not ok for a service that looked at nothing.
    """
    if not observed.seconds and data.unclear:
        return Quality(True, 0.0, 0.0)  # it looked, and could make nothing out
    if not observed.seconds:
        return Quality(False, 0.0, reason=LOOKED_AT_NOTHING)
    confidence = clamp(found_confidence(confidences))
    looked = min(observed.share, answered(data.frames_answered, data.metadata.frames_expected))
    foreign = isinstance(data, WhisperData) and data.known_language not in (None, _LISTED_LANGUAGE)
    sound = clamp(data.soundness) * (_FOREIGN if foreign else 1.0)
    samples = None if observed.instants_s is None else int(observed.instants_s.size)
    return Quality(True, confidence * looked * sample_sureness(samples) * sound, confidence, looked)


def metadata_parts(metadata: VideoMetadata) -> dict[str, bool]:
    """Which parts of the metadata are there.

    Args:
        metadata: What the source says of the video.

    Returns:
        Part -> whether the source tells it. Hashtags are told by a caption too, any one count makes the counts.
    """
    counts = (metadata.views, metadata.likes, metadata.comments, metadata.shares, metadata.saves)
    return {
        "caption": metadata.description is not None,
        # A caption that is known tells its tags, even that it has none.
        "hashtags": metadata.hashtags is not None or metadata.description is not None,
        "stats": any(count is not None for count in counts),
        "createTime": metadata.create_time is not None,
        "author": bool(metadata.author) or metadata.username is not None,
    }
