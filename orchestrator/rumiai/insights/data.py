"""The data part of a prompt, between what was measured and the JSON that a model reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rumiai.core.json_values import JsonValue

Json = JsonValue
Fields = dict[str, Json]


@dataclass(frozen=True)
class PromptData:
    """What a model is told of one video for one analysis.

    Attributes:
        duration_s: Of the video.
        language: Of its speech; None when unknown.
        metrics: Block -> field -> computed value; ``more`` holds metrics without a field.
        evidence: Part -> what was seen or heard.
        services: The services that ran.
        missing: Services that did not, each with its reason.
        markers: Temporal markers, by their name.
        truncated: What was taken away to make the data fit, one sentence a step.
    """

    duration_s: float
    language: str | None
    metrics: dict[str, Fields]
    evidence: Fields
    services: tuple[str, ...]
    missing: Json
    markers: Fields
    truncated: tuple[str, ...] = ()

    def to_dict(self) -> Fields:
        """The JSON form."""
        quality: Fields = {"services": dict.fromkeys(self.services, "ok"), "missing": self.missing}
        if self.truncated:
            quality["truncated"] = list(self.truncated)
        metrics: Fields = {block: dict(fields) for block, fields in self.metrics.items()}
        return {
            "video": {"duration": self.duration_s, "language": self.language},
            "metrics": metrics,
            "evidence": self.evidence,
            "data_quality": quality,
            "markers": self.markers,
        }

    @property
    def text(self) -> str:
        """The compact JSON."""
        return to_json(self.to_dict())

    @property
    def size_bytes(self) -> int:
        """UTF-8 bytes of the compact JSON."""
        return len(self.text.encode())

    @property
    def speech(self) -> list[tuple[float, float, str]]:
        """The transcript that it holds: start and end in seconds, text."""
        return [(float(start), float(end), str(text)) for start, end, text in _triples(self.evidence.get("speech"))]


def _triples(value: Json) -> list[list[Any]]:
    return [item for item in value if isinstance(item, list)] if isinstance(value, list) else []


def to_json(value: Json) -> str:
    """Compact JSON in which no text can close the tag around it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e")
