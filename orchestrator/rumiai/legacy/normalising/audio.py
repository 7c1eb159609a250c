"""Audio energy and emotion: their historical files to canonical data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.lexicons import VALENCE_WEIGHTS, canonical_emotion
from rumiai.core.json_values import JsonValue
from rumiai.core.numbers import number
from rumiai.legacy.normalising.common import (
    Record,
    canonical_box,
    facts_of,
    failure,
    frame_number_of,
    integer,
    listed,
    metadata_of,
    seconds_of,
    without,
)

_LISTS_OF_SECONDS: Final = ("onsets", "beats")


def normalise_audio_energy(data: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """Canonical audio energy; what older files did not measure (onsets, tempo, noise) stays absent: unknown."""
    windows = data.get("energy_level_windows")
    if not isinstance(windows, Mapping):
        return failure(data, facts)
    metadata = metadata_of(data, MediaFacts(), answered=True)
    if not metadata["processed"] or data.get("burst_pattern") == "unknown":
        metadata["processed"] = False
        metadata.setdefault("error", "the analyser wrote its failure pattern (burst_pattern unknown)")
        return {"metadata": metadata}
    metadata.setdefault("has_audio", bool(windows))
    numbers = ("energy_variance", "climax_timestamp", "duration")
    lists = {key: _seconds(value) for key in _LISTS_OF_SECONDS if isinstance(value := data.get(key), list)}
    return {
        **without(data, "metadata"),
        "energy_level_windows": {str(key): number(value) for key, value in windows.items()},
        **{key: number(data.get(key)) for key in numbers},
        **lists,
        "burst_pattern": data.get("burst_pattern"),
        "metadata": metadata,
    }


def _seconds(values: list[object]) -> list[float]:
    return [found for value in values if (found := number(value)) is not None]


def normalise_emotion(data: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """Canonical emotions in the shared vocabulary; a label that is in none stays, and fails the contract."""
    found = listed(data, "emotions")
    if found is None:
        return failure(data, facts)
    facts = facts_of(data, facts)
    if facts.sample_fps is None and (rate := number(data.get("sample_rate"))):
        facts = facts.filled_from(MediaFacts(sample_fps=rate))
    metadata = metadata_of(data, facts, answered=True)
    if not metadata["processed"]:
        return {"metadata": metadata}
    if facts.sample_fps is not None:
        metadata.setdefault("sample_fps", facts.sample_fps)
    dominant = data.get("dominant_emotion")
    return {
        **without(data, "metadata"),
        "emotions": [emotion_of(item, facts) for item in found],
        "dominant_emotion": (canonical_emotion(dominant) or dominant) if isinstance(dominant, str) else None,
        "metadata": metadata,
    }


def emotion_of(item: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """One face's emotion at one instant."""
    label = item.get("emotion") if item.get("emotion") is not None else item.get("expression")
    t_s = seconds_of(item, facts)
    out = {
        **without(item, "expression"),
        "timestamp": t_s,
        "emotion": (canonical_emotion(label) or label) if isinstance(label, str) else None,
        "confidence": number(item.get("confidence")),
    }
    if isinstance(item.get("frame_number"), int | float | str):
        out["frame_number"] = frame_number_of(item, t_s, facts)
    if isinstance(scores := item.get("all_scores"), Mapping):
        read = {canonical_emotion(str(key)) or str(key): number(value) for key, value in scores.items()}
        out["all_scores"] = read
        if number(item.get("valence")) is None and all(value is not None for value in read.values()):
            out["valence"] = sum((value or 0.0) * VALENCE_WEIGHTS.get(key, 0.0) for key, value in read.items())
    if isinstance(units := item.get("action_units"), list):
        out["action_units"] = [unit for value in units if (unit := integer(value)) is not None]
    if "face_bbox" in item:
        out["face_bbox"] = canonical_box(item["face_bbox"], facts, "xywh")
    return out
