"""A service's data from any shape that was ever written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.results import ServiceName, ServiceResult
from rumiai.core.json_values import JsonValue
from rumiai.legacy.leniency import read_leniently
from rumiai.legacy.normalising.audio import normalise_audio_energy, normalise_emotion
from rumiai.legacy.normalising.common import Record
from rumiai.legacy.normalising.mediapipe import normalise_mediapipe
from rumiai.legacy.normalising.ocr import normalise_ocr
from rumiai.legacy.normalising.scenes import normalise_scenes
from rumiai.legacy.normalising.whisper import normalise_whisper
from rumiai.legacy.normalising.yolo import normalise_yolo
from rumiai.legacy.observing import with_observed

_NORMALISERS: Final[Mapping[ServiceName, Callable[[Record, MediaFacts], dict[str, JsonValue]]]] = {
    "yolo": normalise_yolo, "whisper": normalise_whisper, "ocr": normalise_ocr, "mediapipe": normalise_mediapipe,
    "scene_detection": normalise_scenes, "audio_energy": normalise_audio_energy,
    "emotion_detection": normalise_emotion,
}  # fmt: skip
# What a reader may raise on data that is damaged; anything else is a bug of ours and must be seen.
_DATA_ERRORS: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
_REASON_CHARS: Final = 200


def read_service(
    service: ServiceName, raw: Record, facts: MediaFacts | None = None, version: str = "unknown"
) -> ServiceResult:
    """A service's result from its stored data, in any shape; ``raw`` stays as it is.

    An envelope (``{"model_name": .., "data": {..}}``) or a nested ``{"data": {..}}`` is opened first. Data that cannot
    be read, holds no answer or breaks its contract is a failed service with the reason. Canonical data reads as itself.

    Args:
        service: Whose data it is.
        raw: The file's content.
        facts: What is known of the video; a service's own metadata fill in what is not.
        version: Of the model, where it is known.
    """
    try:
        data = canonical_form(service, raw, facts)
    except _DATA_ERRORS as error:
        reason = f"its data could not be read: {type(error).__name__}: {error}"
        return ServiceResult.failed(service, version, reason[:_REASON_CHARS])
    return with_observed(read_leniently(service, version, data), None if facts is None else facts.duration_s)


def canonical_form(service: ServiceName, raw: Record, facts: MediaFacts | None = None) -> dict[str, JsonValue]:
    """Stored data in the canonical form's JSON, a new object; what cannot be known is None.

    Data without an answer gives ``processed: false`` with a reason.
    """
    normalise = _NORMALISERS.get(service)
    # A plugin's data has one shape: its own.
    return dict(opened(raw)) if normalise is None else normalise(opened(raw), facts or MediaFacts())


def opened(raw: Record) -> Record:
    """The data inside an envelope or a nested ``data``; what has metadata of its own is data already."""
    inner = raw.get("data")
    if not isinstance(inner, Mapping) or "metadata" in raw:
        return raw
    # An envelope that reports failure outweighs what its data says.
    if raw.get("success") is False or raw.get("error"):
        return {"error": raw.get("error") or "the service reported no success"}
    return opened(inner)
