"""Build the unified analysis from the services' results; a failed service is listed with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.metadata import AnalysisMetadata
from rumiai.contracts.models import service_names
from rumiai.contracts.observed import observed_of
from rumiai.contracts.results import DID_NOT_RUN, ServiceName, ServiceResult, ServiceStatus
from rumiai.contracts.services.base import ServiceData
from rumiai.contracts.timeline import Timeline, TimelineEntry, UnifiedAnalysis
from rumiai.core.json_values import JsonObject
from rumiai.errors import ContractError

# A scrape rounds to whole seconds: only a larger difference means another video or a wrong one.
_DURATION_TOLERANCE_S: Final = 1.0
# No video is longer; a damaged file's number would cost memory for every second that it claims.
_MAX_DURATION_S: Final = 86_400.0


class EntriesOf(Protocol):
    """Makes entries of a service's data, as the registry of services does."""

    def __call__(
        self, name: ServiceName, data: ServiceData, *, instead_of: ServiceName | None = None
    ) -> Iterable[TimelineEntry]:
        """What the data puts on the timeline; with ``instead_of`` only what it says in place of that service."""


def build(
    video_id: str,
    metadata: AnalysisMetadata,
    facts: MediaFacts,
    results: Mapping[ServiceName, ServiceResult],
    entries_of: EntriesOf,
    processing: JsonObject | None = None,
) -> UnifiedAnalysis:
    """Make the timeline of every service's data, and list what is missing with its reason.

    Args:
        video_id: The safe id.
        metadata: What the source says; its duration becomes ``scraped_duration``.
        facts: What the file says; the duration is required, there is no default.
        results: What ran; a registered service that is missing here "did not run".
        entries_of: What a service's data puts on the timeline, also in place of a service without data, as the
            registry of services knows it.
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
    ml_data: dict[str, ServiceData] = {}
    details: dict[str, ServiceStatus] = {}
    entries: list[TimelineEntry] = []
    for service in dict.fromkeys((*service_names(), *results)):
        result = results.get(service)
        details[service] = DID_NOT_RUN if result is None else result.status
        if result is not None and result.data is not None:
            ml_data[service] = result.data
            entries += entries_of(service, result.data)
    for missing in (service for service in details if service not in ml_data):
        for service, data in ml_data.items():
            entries += entries_of(service, data, instead_of=missing)
    frame_s = 1 / facts.fps if facts.fps else 0.0
    observed = {service: observed_of(data, facts.duration_s).stretches for service, data in ml_data.items()}
    timeline = Timeline.from_entries(video_id, facts.duration_s, entries, frame_s, observed)
    return UnifiedAnalysis(
        video_id=video_id,
        duration_s=facts.duration_s,
        metadata=metadata.with_file(facts),
        ml_data=ml_data,
        pipeline_details=details,
        timeline=timeline,
        processing_metadata={
            **(processing or {}),
            **entry_counts(timeline),
            "warnings": _warnings(metadata, facts.duration_s),
        },
    )


def _warnings(metadata: AnalysisMetadata, duration_s: float) -> list[str]:
    """Warnings where the source's duration and the file's differ."""
    scraped_s = metadata.scraped_duration_s
    if scraped_s is None or abs(scraped_s - duration_s) <= _DURATION_TOLERANCE_S:
        return []
    return [f"the scrape says {scraped_s:g} s, the file lasts {duration_s:g} s"]


def entry_counts(timeline: Timeline) -> JsonObject:
    """Entry counts of a timeline, as ``processing_metadata`` has them."""
    return {
        "timeline_entries": len(timeline.entries),
        "entries_dropped": timeline.dropped,
        "entry_types": timeline.counts(),
        "duration": timeline.duration_s,
    }
