"""From the services' results to the unified analysis (timeline.md 5): validated, isolated, nothing assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.results import SERVICES, MLAnalysisResult, ServiceName
from rumiai.contracts.timeline import Timeline, TimelineEntry, UnifiedAnalysis
from rumiai.errors import ContractError
from rumiai.legacy.normalising.common import number
from rumiai.timeline.entries import ENTRY_BUILDERS, expression_entries
from rumiai.timeline.validate import check, normalise

# A scrape rounds to whole seconds: only a larger difference means another video or a wrong one.
_DURATION_TOLERANCE_S: Final = 1.0
# No video is longer; a damaged file's number would cost memory for every second that it claims.
_MAX_DURATION_S: Final = 86_400.0
# What a builder may raise on data that its contract let through; anything else is a bug of ours and must be seen.
_DATA_ERRORS: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


def build(
    video_id: str,
    metadata: Mapping[str, Any],
    facts: MediaFacts,
    results: Mapping[ServiceName, MLAnalysisResult],
    processing: Mapping[str, Any] | None = None,
) -> UnifiedAnalysis:
    """Validate every service's data, make the timeline of what holds, and list what is missing with its reason.

    A service that fails its contract, or whose entries cannot be built, is failed as a whole: none of its entries stay.

    Args:
        video_id: The safe id.
        metadata: ``VideoMetadata.to_dict()``; its duration becomes ``scraped_duration``.
        facts: What the file says; the duration is required, there is no default.
        results: What ran; a service that is missing here "did not run".
        processing: More members for ``processing_metadata`` (versions, stage seconds).

    Raises:
        ContractError: The duration is unknown, or longer than a day.
    """
    if facts.duration_s is None:
        raise ContractError(
            f"{video_id}: got no duration, expected the decoder's", hint="probe the file before building its timeline"
        )
    if facts.duration_s > _MAX_DURATION_S:
        raise ContractError(
            f"{video_id}: got {facts.duration_s:g} s, expected at most a day", hint="is the file damaged?"
        )
    ml_data: dict[str, dict[str, Any]] = {}
    details: dict[str, dict[str, Any]] = {}
    entries: list[TimelineEntry] = []
    for service in SERVICES:
        data, reason = _canonical(service, results.get(service), facts)
        if data is not None:
            made, reason = _entries(service, data)
            entries += made
        details[service] = {"ok": reason is None, "reason": reason}
        if reason is None and data is not None:
            ml_data[service] = data
    if "emotion_detection" not in ml_data and "mediapipe" in ml_data:
        entries += expression_entries(ml_data["mediapipe"])
    frame_s = 1 / facts.fps if facts.fps else 0.0
    timeline = Timeline.from_entries(video_id, facts.duration_s, entries, frame_s)
    merged, warnings = _metadata(metadata, facts)
    return UnifiedAnalysis(
        video_id=video_id,
        duration_s=facts.duration_s,
        metadata=merged,
        ml_data=ml_data,
        pipeline_details=details,
        timeline=timeline,
        processing_metadata={**(processing or {}), **entry_counts(timeline), "warnings": warnings},
    )


def _canonical(
    service: ServiceName, result: MLAnalysisResult | None, facts: MediaFacts
) -> tuple[dict[str, Any] | None, str | None]:
    """The service's canonical data, or why there is none."""
    if result is None:
        return None, "did not run"
    if not result.success:
        return None, result.error or "failed without a reason"
    try:
        data = normalise(service, result.data, facts)
    except _DATA_ERRORS as error:
        return None, f"its data could not be read: {_describe(error)}"
    if not data["metadata"]["processed"]:
        return None, str(data["metadata"]["error"])
    broken = check(service, data)
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        return None, f"its data breaks its contract: {broken[0]}{more}"
    return data, None


def _entries(service: ServiceName, data: Mapping[str, Any]) -> tuple[list[TimelineEntry], str | None]:
    try:
        return list(ENTRY_BUILDERS[service](data)), None
    except _DATA_ERRORS as error:
        return [], f"its timeline entries could not be built: {_describe(error)}"


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def _metadata(metadata: Mapping[str, Any], facts: MediaFacts) -> tuple[dict[str, Any], list[str]]:
    """The metadata with the file's own facts, and what does not fit together."""
    scraped = number(metadata.get("scraped_duration", metadata.get("duration")))
    out = {**metadata, "scraped_duration": scraped, "duration": facts.duration_s}
    known = {"width": facts.width, "height": facts.height, "fps": facts.fps}
    out |= {key: value for key, value in known.items() if value is not None}
    warnings = []
    if scraped is not None and abs(scraped - (facts.duration_s or 0.0)) > _DURATION_TOLERANCE_S:
        warnings.append(f"the scrape says {scraped:g} s, the file lasts {facts.duration_s:g} s")
    return out, warnings


def entry_counts(timeline: Timeline) -> dict[str, Any]:
    """What ``processing_metadata`` says of a timeline."""
    return {
        "timeline_entries": len(timeline.entries),
        "entries_dropped": timeline.dropped,
        "entry_types": timeline.counts(),
        "duration": timeline.duration_s,
    }
