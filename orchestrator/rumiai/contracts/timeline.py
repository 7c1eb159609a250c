"""Time on one clock: timestamps, timeline entries, and the unified analysis that the metrics read.

Times are float seconds from the start of the video. Everything in here is a value, never changed after it was made.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any, Final, TypeVar

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.metadata import AnalysisMetadata
from rumiai.contracts.models import model_of, service_names
from rumiai.contracts.results import DID_NOT_RUN, ServiceName, ServiceStatus
from rumiai.contracts.services.base import ServiceData, ServiceModel, Stretches
from rumiai.core.json_values import JsonObject
from rumiai.core.windows import WindowIndex, is_in_window

Data = TypeVar("Data", bound=ServiceData)

SCHEMA_VERSION: Final = "3.0"

_NUMBER = r"(\d+(?:\.\d+)?)"
_SECONDS = re.compile(rf"{_NUMBER}s?")
_RANGE = re.compile(rf"{_NUMBER}-{_NUMBER}s?")
_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)")


@dataclass(frozen=True, order=True)
class Timestamp:
    """An instant, in seconds from the start of the video; never negative, never NaN."""

    seconds: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.seconds) or self.seconds < 0:
            raise ValueError(f"got {self.seconds!r} seconds, expected a finite number >= 0")

    @classmethod
    def from_value(cls, value: object) -> Timestamp | None:
        """Read a timestamp in any form that was ever written; None when it is none of them.

        Accepts numbers, ``"5"``, ``"5s"``, ``"0.5s"``, ``"a-b"`` and ``"a-bs"`` (the start), ``"M:SS"``, ``"H:MM:SS"``
        (with decimals), and ``{"seconds": .., "nanos": ..}``. Whole strings only. Negative numbers are 0.0.
        """
        seconds: float | None = None
        if isinstance(value, Timestamp):
            return value
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            seconds = float(value)
        elif isinstance(value, Mapping):
            try:
                seconds = float(value.get("seconds", 0) or 0) + float(value.get("nanos", 0) or 0) / 1e9
            except (TypeError, ValueError):
                return None
        elif isinstance(value, str):
            seconds = _parse_text(value.strip())
        if seconds is None or not math.isfinite(seconds):
            return None
        return cls(max(0.0, seconds))


def _parse_text(text: str) -> float | None:
    if match := _SECONDS.fullmatch(text):
        return float(match[1])
    if match := _RANGE.fullmatch(text):
        return float(match[1])
    if match := _CLOCK.fullmatch(text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])
    return None


@dataclass(frozen=True)
class TimelineEntry:
    """Something that happens: from ``start_s`` to ``end_s``, or at one instant when ``end_s`` is None.

    Attributes:
        start_s: Seconds from the start of the video.
        entry_type: One of those that the registered services make.
        data: The payload, as the file holds it; ``payloads`` reads it.
        end_s: Not before ``start_s``.
        source: The part of a service's data that the entry was made of, in memory alone: None after reading a file.
    """

    start_s: float
    entry_type: str
    data: JsonObject
    end_s: float | None = None
    source: ServiceModel | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.end_s is not None and self.end_s < self.start_s:
            raise ValueError(f"{self.entry_type}: got end {self.end_s} before start {self.start_s}")

    @property
    def duration_s(self) -> float:
        """Length in seconds; 0.0 for an instant."""
        return 0.0 if self.end_s is None else self.end_s - self.start_s

    def overlaps(self, start_s: float, end_s: float) -> bool:
        """Whether this entry is in the half-open window ``[start_s, end_s)``; an instant is when it lies in it."""
        return is_in_window(self.start_s, self.end_s, start_s, end_s)

    def contains_time(self, t_s: float, tolerance_s: float = 0.001) -> bool:
        """Whether the entry holds at ``t_s``: ``start <= t < end``, or an instant within the tolerance."""
        if self.end_s is None:
            return abs(t_s - self.start_s) <= tolerance_s
        return self.start_s <= t_s < self.end_s

    def to_dict(self) -> dict[str, Any]:
        """JSON form; ``end`` is absent for an instant."""
        out: dict[str, Any] = {"start": self.start_s, "entry_type": self.entry_type, "data": dict(self.data)}
        if self.end_s is not None:
            out["end"] = self.end_s
        return out

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> TimelineEntry:
        """Read the JSON form, historical time strings included.

        Raises:
            ValueError: There is no readable start.
        """
        start = Timestamp.from_value(raw.get("start"))
        if start is None:
            raise ValueError(f"timeline entry: got start {raw.get('start')!r}, expected seconds")
        end = Timestamp.from_value(raw.get("end"))
        payload = raw.get("data")
        data = payload if isinstance(payload, Mapping) else {} if payload is None else {"value": payload}
        kind = str(raw.get("entry_type") or raw.get("type") or "unknown")
        return cls(start.seconds, kind, dict(data), end.seconds if end is not None else None)


def _entry_order(entry: TimelineEntry) -> tuple[float, float, str]:
    return (entry.start_s, entry.start_s if entry.end_s is None else entry.end_s, entry.entry_type)


def _payload_order(entry: TimelineEntry) -> tuple[bool, str]:
    return entry.end_s is not None, json.dumps(entry.data, sort_keys=True, default=repr)


def _sorted(entries: Iterable[TimelineEntry]) -> tuple[TimelineEntry, ...]:
    """A total order, so that the same entries in any order give the same timeline; payloads are read only for ties."""
    ordered: list[TimelineEntry] = []
    for _, tied in groupby(sorted(entries, key=_entry_order), key=_entry_order):
        group = list(tied)
        ordered.extend(sorted(group, key=_payload_order) if len(group) > 1 else group)
    return tuple(ordered)


@dataclass(frozen=True)
class Timeline:
    """The entries of one video, sorted by start.

    Attributes:
        video_id: The safe id.
        duration_s: Of the video.
        entries: By start.
        dropped: Entries that were left out since they start after the end.
        observed: Service -> when it looked: where it did not, no entry says nothing.
    """

    video_id: str
    duration_s: float
    entries: tuple[TimelineEntry, ...] = ()
    dropped: int = 0
    observed: Mapping[ServiceName, Stretches] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not math.isfinite(self.duration_s) or self.duration_s <= 0:
            raise ValueError(f"timeline of {self.video_id}: got duration {self.duration_s}, expected > 0")

    @classmethod
    def from_entries(
        cls,
        video_id: str,
        duration_s: float,
        entries: Iterable[TimelineEntry],
        frame_s: float = 0.0,
        observed: Mapping[ServiceName, Stretches] | None = None,
    ) -> Timeline:
        """Sort, clamp ends to the duration, and drop (and count) what starts after the end by more than a frame."""
        kept: list[TimelineEntry] = []
        dropped = 0
        for entry in entries:
            if entry.start_s > duration_s + frame_s:
                dropped += 1
                continue
            start = min(entry.start_s, duration_s)
            end = None if entry.end_s is None else max(start, min(entry.end_s, duration_s))
            kept.append(replace(entry, start_s=start, end_s=end))
        return cls(video_id, duration_s, _sorted(kept), dropped, observed or {})

    @cached_property
    def _by_type(self) -> dict[str, WindowIndex[TimelineEntry]]:
        found: dict[str, list[TimelineEntry]] = {}
        for entry in self.entries:
            found.setdefault(entry.entry_type, []).append(entry)
        return {kind: WindowIndex(entries) for kind, entries in found.items()}

    def of_type(self, *kinds: str) -> tuple[TimelineEntry, ...]:
        """Entries of the given types, sorted by start."""
        found = [self._by_type[kind].items for kind in dict.fromkeys(kinds) if kind in self._by_type]
        return found[0] if len(found) == 1 else _sorted(entry for entries in found for entry in entries)

    def in_range(self, start_s: float, end_s: float, *kinds: str) -> tuple[TimelineEntry, ...]:
        """Entries (of the given types, else all) in the half-open window ``[start_s, end_s)``, closed at the end."""
        stop = math.inf if end_s >= self.duration_s else end_s
        indices = [self._by_type[kind] for kind in dict.fromkeys(kinds or self._by_type) if kind in self._by_type]
        return _sorted(entry for index in indices for entry in index.window(start_s, stop))

    def at_time(self, t_s: float, tolerance_s: float = 0.001) -> tuple[TimelineEntry, ...]:
        """Entries that hold at ``t_s``; for sampled detections give half a sampling step as the tolerance."""
        near = self.in_range(t_s - tolerance_s, math.nextafter(t_s + tolerance_s, math.inf))
        return tuple(entry for entry in near if entry.contains_time(t_s, tolerance_s))

    def density_buckets(self, size_s: float = 1.0) -> list[int]:
        """How many entries start in each of the ceil(duration / size) buckets.

        Raises:
            ValueError: ``size_s`` is not positive.
        """
        if size_s <= 0:
            raise ValueError(f"got bucket size {size_s}, expected > 0 seconds")
        buckets = [0] * max(1, math.ceil(self.duration_s / size_s))
        for entry in self.entries:
            buckets[min(int(entry.start_s / size_s), len(buckets) - 1)] += 1
        return buckets

    def merge_with(self, other: Timeline) -> Timeline:
        """Both timelines' entries, identical ones once; the longer duration.

        Raises:
            ValueError: The timelines are of different videos.
        """
        if other.video_id != self.video_id:
            raise ValueError(f"got timelines of {self.video_id!r} and {other.video_id!r}, expected one video's")
        merged: list[TimelineEntry] = []
        for entry in _sorted((*self.entries, *other.entries)):
            if not merged or entry != merged[-1]:
                merged.append(entry)
        return Timeline(
            self.video_id,
            max(self.duration_s, other.duration_s),
            tuple(merged),
            self.dropped + other.dropped,
            {**other.observed, **self.observed},
        )

    def counts(self) -> dict[str, int]:
        """How many entries there are of each type."""
        return {kind: len(index.items) for kind, index in sorted(self._by_type.items())}

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "video_id": self.video_id,
            "duration": self.duration_s,
            "entry_count": len(self.entries),
            "entries_dropped": self.dropped,
            "observed": {service: [list(stretch) for stretch in looked] for service, looked in self.observed.items()},
            "entries": [entry.to_dict() for entry in self.entries],
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Timeline:
        """Read the JSON form."""
        entries = _sorted(TimelineEntry.from_dict(item) for item in raw.get("entries", ()))
        looked = {service: tuple((a, b) for a, b in spans) for service, spans in raw.get("observed", {}).items()}
        return cls(str(raw["video_id"]), float(raw["duration"]), entries, int(raw.get("entries_dropped", 0)), looked)


@dataclass(frozen=True)
class UnifiedAnalysis:
    """Everything known of one video: metadata, the canonical data of each service, timeline and markers.

    Attributes:
        video_id: The safe id, also the file name.
        duration_s: The decoder's, in seconds.
        metadata: What its source and its file say.
        ml_data: service -> its canonical data; services that did not run or failed are absent.
        pipeline_details: service -> whether it succeeded; every service is listed.
        timeline: The entries made from ml_data.
        temporal_markers: What ``rumiai.timeline.markers`` makes of the timeline, as it is written and put into prompts;
            None until made.
        processing_metadata: Counts, versions, stage seconds; nothing that the metrics read.
    """

    video_id: str
    duration_s: float
    metadata: AnalysisMetadata
    ml_data: Mapping[str, ServiceData]
    pipeline_details: Mapping[str, ServiceStatus]
    timeline: Timeline
    temporal_markers: JsonObject | None = None
    processing_metadata: JsonObject = field(default_factory=dict)

    def ok(self, service: str) -> bool:
        """Whether the service ran and succeeded."""
        return self.pipeline_details.get(service, DID_NOT_RUN).ok

    def reason(self, service: str) -> str | None:
        """Why the service has no data; None when it has."""
        status = self.pipeline_details.get(service, DID_NOT_RUN)
        return None if status.ok else status.reason or DID_NOT_RUN.reason

    @property
    def facts(self) -> MediaFacts:
        """What the file says: duration, frame rate and size."""
        return self.metadata.facts(self.duration_s)

    def is_complete(self) -> bool:
        """Whether every service ran and succeeded."""
        return all(self.completion_status().values())

    def completion_status(self) -> dict[str, bool]:
        """Every service, and whether it ran and succeeded."""
        return {service: self.ok(service) for service in dict.fromkeys((*service_names(), *self.pipeline_details))}

    def errors(self) -> dict[str, str]:
        """The services without data, each with its reason."""
        return {service: self.reason(service) or "" for service, ok in self.completion_status().items() if not ok}

    def get(self, model: type[Data]) -> Data | None:
        """A service's canonical data, by its model; None when the service failed or did not run."""
        data = self.ml_data.get(model.service) if self.ok(model.service) else None
        return data if isinstance(data, model) else None

    def to_dict(self) -> dict[str, Any]:
        """The file ``unified_analysis/<id>.json``."""
        out: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "video_id": self.video_id,
            "duration": self.duration_s,
            "metadata": dict(self.metadata.members),
            "pipeline_status": {
                service.removesuffix("_detection"): status.ok for service, status in self.pipeline_details.items()
            },
            "pipeline_details": {s: status.to_json() for s, status in self.pipeline_details.items()},
            "ml_data": {s: d.to_json() for s, d in self.ml_data.items()},
            "timeline": self.timeline.to_dict(),
            "processing_metadata": dict(self.processing_metadata),
        }
        out["pipeline_status"]["temporal"] = self.temporal_markers is not None
        if self.temporal_markers is not None:
            out["temporal_markers"] = dict(self.temporal_markers)
        return out

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> UnifiedAnalysis:
        """Read the canonical file, validating each service's data once; ``legacy`` reads what older versions wrote.

        Raises:
            ContractError: A service's data breaks its contract, or its service is not known.
            KeyError: A required key is missing.
        """
        markers = raw.get("temporal_markers", raw.get("temporalMarkers"))
        return cls(
            video_id=str(raw["video_id"]),
            duration_s=float(raw["duration"]),
            metadata=AnalysisMetadata(dict(raw["metadata"])),
            ml_data={s: model_of(s).from_json(d) for s, d in raw["ml_data"].items()},
            pipeline_details={s: ServiceStatus.from_json(d) for s, d in raw["pipeline_details"].items()},
            timeline=Timeline.from_dict(raw["timeline"]),
            temporal_markers=dict(markers) if markers is not None else None,
            processing_metadata=dict(raw.get("processing_metadata", {})),
        )
