"""Summary of a unified analysis, for the report and for the table at the end of a run."""

from __future__ import annotations

from dataclasses import replace

from rumiai.contracts.outcome import ServiceOutcome, Summary
from rumiai.contracts.services.base import ServiceData
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.json_values import JsonValue
from rumiai.services import all_services


def summarise(analysis: UnifiedAnalysis) -> Summary:
    """Duration, frame size and rate, then what each service adds: shots, words, texts, objects, people."""
    file = analysis.facts
    facts: dict[str, JsonValue] = {
        "duration_s": round(analysis.duration_s, 3),
        "size": [file.width, file.height],
        "fps": file.fps,
    }
    size = f", {file.width}x{file.height}" if file.width else ""
    lines = [("duration", f"{analysis.duration_s:.1f} s{size}")]
    for service in sorted(all_services(), key=lambda service: service.summary_place):
        part = service.summary(analysis.get(service.data_model()))
        facts |= part.facts
        lines += part.lines
    return Summary(facts, tuple(lines))


def service_outcome(analysis: UnifiedAnalysis, name: str, seconds: float, *, cached: bool) -> ServiceOutcome:
    """How one service fared: whether it has data and why not, where it ran, on how many frames.

    Args:
        analysis: Of the video.
        name: Of the service.
        seconds: Of work or waiting, when the result was made.
        cached: Whether an earlier run made it.
    """
    told = ServiceOutcome(analysis.ok(name), analysis.reason(name), seconds, cached)
    data = analysis.ml_data.get(name)
    if not isinstance(data, ServiceData):
        return told
    made = data.metadata
    return replace(told, device=made.device, frames=made.frames_answered, sample_fps=made.sample_fps)
