"""What a person wants to see of one video at a glance, taken from its unified analysis."""

from __future__ import annotations

from typing import Any

from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.services import all_services


def summarise(analysis: UnifiedAnalysis) -> dict[str, Any]:
    """Duration, frame size and rate, then what each service adds: shots, words, texts, objects, people.

    Returns:
        JSON types; a member whose service has no data is null.
    """
    summary: dict[str, Any] = {
        "duration_s": round(analysis.duration_s, 3),
        "size": [analysis.metadata.get("width"), analysis.metadata.get("height")],
        "fps": analysis.metadata.get("fps"),
    }
    for service in sorted(all_services(), key=lambda service: service.summary_place):
        summary |= service.summary(analysis.get(service.data_model()))
    return summary
