"""A unified analysis from files of any age. Never changes what it is given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.lexicons import canonical_gesture
from rumiai.contracts.metadata import AnalysisMetadata, VideoMetadata
from rumiai.contracts.models import service_names
from rumiai.contracts.results import ServiceName, ServiceStatus
from rumiai.contracts.services.base import ServiceData
from rumiai.contracts.timeline import SCHEMA_VERSION, Timeline, TimelineEntry, Timestamp, UnifiedAnalysis
from rumiai.core.json_values import JsonValue
from rumiai.core.numbers import number
from rumiai.errors import ContractError, StoreError
from rumiai.legacy.leniency import read_leniently
from rumiai.legacy.node import node_entries, node_metadata, node_results, source_fps
from rumiai.legacy.normalising.common import Record, first, mapping, records
from rumiai.legacy.observing import with_observed
from rumiai.legacy.scene_labels import read_scene_labels
from rumiai.legacy.services import opened, read_service
from rumiai.services import all_services, entries_of, service_of_entries
from rumiai.timeline.build import build, entry_counts

# Older Node code wrote ids with these additions.
ID_FORMS: Final = ("{}", "user_{}", "{}_1", "user_{}_1")

_V3_SECTIONS: Final[Mapping[ServiceName, str]] = {
    "yolo": "objectDetection", "mediapipe": "humanAnalysis", "ocr": "creativeAnalysis",
    "scene_detection": "sceneDetection", "whisper": "speechTranscription",
}  # fmt: skip
_TYPE_SYNONYMS: Final[Mapping[str, str]] = {"text_overlay": "text"}
_SCENE_LABELS: Final = "local_analysis_outputs/scene_labels/{id}_labels.json"
_OF_THE_SOUND: Final = ("whisper", "audio_energy")
# A scrape's whole seconds against the decoder's duration, which the last scene's end keeps.
_ROUNDING_S: Final = 1.0


def read_unified(raw: Record, facts: MediaFacts | None = None) -> UnifiedAnalysis:
    """The unified analysis that a ``unified_analysis/<id>.json`` of any version holds.

    Canonical files come back as they were saved. Older ones (v3's sections, the fork's ``ml_data``, nested ``data``,
    Node's frame-numbered timelines) are normalised, checked and built anew; a service whose data does not hold keeps
    the file's own timeline entries and is listed as failed. ``facts`` outweighs what the file says of itself: give the
    frame size where it has boxes in pixels.

    Raises:
        ContractError: No video id or no duration, or a canonical file that lacks a required member.
    """
    if raw.get("schema_version") == SCHEMA_VERSION:
        try:
            return UnifiedAnalysis.from_dict({**raw, **_sound_services(raw)})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ContractError(f"unified analysis {raw.get('video_id')}: {error!r}"[:300]) from error
    video_id = str(first(raw, "video_id", "id") or "")
    if not video_id:
        raise ContractError("unified analysis: got no video_id", hint="is this a unified_analysis file?")
    services = {**node_results(raw), **_service_data(raw)}
    known = _file_facts(raw, services, facts or MediaFacts())
    results = {service: read_service(service, data, known) for service, data in services.items()}
    processing = mapping(raw.get("processing_metadata"))
    analysis = build(video_id, AnalysisMetadata(_read_metadata(raw)), known, results, entries_of, processing)
    analysis = _with_old_entries(analysis, [*_old_entries(raw), *node_entries(raw, known)], known)
    markers = mapping(raw.get("temporal_markers", raw.get("temporalMarkers")))
    return replace(analysis, temporal_markers=markers or None)


def read_ml_files(
    root: Path, video_id: str, facts: MediaFacts | None = None, metadata: Record | None = None
) -> UnifiedAnalysis:
    """Rebuild a unified analysis from the services' files below ``root``, in the layout of docs/outputs.md.

    ``metadata`` defaults to the scraped item ``temp/<id>_apify.json`` where there is one; version 3's labels of the
    picture are added to it as ``scene_labels``. A file that cannot be parsed fails its service.

    Raises:
        StoreError: No service has a file.
        ContractError: Neither ``facts`` nor a file says how long the video is.
    """
    services: dict[ServiceName, Record] = {}
    for service in all_services():
        path = _found(root, service.files, video_id)
        if path is not None:
            services[service.name] = opened(_load(path))
    if not services:
        raise StoreError(
            f"{root}: got no ML output of {video_id}, expected at least one of its {len(all_services())} files"
        )
    frames = _found(root, ("frame_outputs/{id}/metadata.json",), video_id)
    about = dict(_load(frames)) if frames is not None else {}
    if (count := number(about.get("frame_count"))) and (seconds := number(about.get("duration"))):
        about["sample_fps"] = count / seconds
    if metadata is None:
        item = _found(root, ("temp/{id}_apify.json",), video_id)
        scraped = VideoMetadata.from_apify(_load(item)) if item is not None else VideoMetadata.local(video_id)
        metadata = scraped.to_dict()
    labels = _found(root, (_SCENE_LABELS,), video_id)
    if labels is not None and (read := read_scene_labels(_load(labels))):
        metadata = {**metadata, "scene_labels": read}
    known = _file_facts(about, services, facts or MediaFacts())
    results = {service: read_service(service, data, known) for service, data in services.items()}
    return build(video_id, AnalysisMetadata(metadata), known, results, entries_of)


def _found(root: Path, names: tuple[str, ...], video_id: str) -> Path | None:
    if Path(video_id).name != video_id:
        raise StoreError(f"got video id {video_id!r}, expected one path component")
    forms = [form.format(video_id) for form in ID_FORMS]
    candidates = (root / name.format(id=form) for form in forms for name in names)
    return next((path for path in candidates if path.is_file()), None)


def _load(path: Path) -> Record:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return {"error": f"{path.name} could not be read: {error}"[:200]}
    return value if isinstance(value, Mapping) else {"error": f"{path.name} holds no object"}


def _sound_services(raw: Record) -> dict[str, object]:
    """The services' data of a canonical file, validated; one that breaks its contract is listed as failed."""
    data: dict[str, ServiceData] = {}
    details = {service: mapping(detail) for service, detail in mapping(raw["pipeline_details"]).items()}
    for service, stored in mapping(raw["ml_data"]).items():
        result = with_observed(read_leniently(service, "stored", mapping(stored)), number(raw["duration"]))
        if result.data is not None:
            data[service] = result.data
        else:
            details[service] = {"ok": False, "reason": result.failure}
    return {"ml_data": data, "pipeline_details": details}


def _service_data(raw: Record) -> dict[ServiceName, Record]:
    """Each service's raw data, wherever this version put it; services of which the file has nothing are absent."""
    found: dict[ServiceName, Record] = {}
    ml_data = mapping(raw.get("ml_data"))
    results = mapping(raw.get("ml_results"))
    for service in service_names():
        candidates = (ml_data.get(service), raw.get(_V3_SECTIONS.get(service, "")), results.get(service))
        data = next((item for item in candidates if isinstance(item, Mapping) and item), None)
        if data is not None:
            found[service] = opened(data)
    if "emotion_detection" not in found and (emotions := _emotions_of_timeline(raw)):
        # The fork kept its emotions in the timeline only.
        found["emotion_detection"] = {"emotions": emotions, "metadata": {"processed": True, "model": "unknown"}}
    return found


def _emotions_of_timeline(raw: Record) -> list[dict[str, JsonValue]]:
    return [{**e.data, "timestamp": e.start_s} for e in _old_entries(raw) if e.entry_type == "emotion"]


def _old_entries(raw: Record) -> Iterator[TimelineEntry]:
    """The entries of the file's own timeline, historical time strings read; what cannot be read is left out."""
    known = service_of_entries()
    for item in records(mapping(raw.get("timeline")).get("entries")):
        start, end = Timestamp.from_value(item.get("start")), Timestamp.from_value(item.get("end"))
        kind = str(first(item, "entry_type", "type") or "unknown")
        kind = _TYPE_SYNONYMS.get(kind, kind)
        if start is None or kind not in known or _is_nothing(kind, start, item):
            continue
        if end is not None and end < start:
            start, end = end, start
        entry = TimelineEntry.from_dict({**item, "start": start, "end": None, "entry_type": kind})
        yield replace(entry, end_s=end.seconds if end is not None else None)


def _is_nothing(kind: str, start: Timestamp, item: Record) -> bool:
    """Entries that older versions wrote of nothing: a cut at the start, the gesture ``none``."""
    if kind == "gesture":
        return canonical_gesture(str(mapping(item.get("data")).get("type") or "none")) is None
    return kind == "scene_change" and start.seconds == 0.0


def _with_old_entries(analysis: UnifiedAnalysis, old: list[TimelineEntry], facts: MediaFacts) -> UnifiedAnalysis:
    """Entries of services without usable data are all that is left of them: kept, the service failed."""
    service_of = service_of_entries()
    kept = [entry for entry in old if not analysis.ok(service_of[entry.entry_type])]
    if not kept:
        return analysis
    details = dict(analysis.pipeline_details)
    for service in {service_of[entry.entry_type] for entry in kept}:
        reason = f"{analysis.reason(service)}; only the old file's timeline entries are left"
        details[service] = ServiceStatus(False, reason)
    timeline = Timeline.from_entries(
        analysis.video_id, analysis.duration_s, [*analysis.timeline.entries, *kept], 1 / facts.fps if facts.fps else 0.0
    )
    old_timeline = analysis.timeline
    timeline = replace(timeline, dropped=timeline.dropped + old_timeline.dropped, observed=old_timeline.observed)
    processing = {**analysis.processing_metadata, **entry_counts(timeline)}
    return replace(analysis, timeline=timeline, pipeline_details=details, processing_metadata=processing)


def _read_metadata(raw: Record) -> dict[str, JsonValue]:
    given = mapping(raw.get("metadata")) or mapping(raw.get("video_metadata")) or node_metadata(raw)
    canonical = VideoMetadata.from_dict({**given, "id": given.get("id") or raw.get("video_id")}).to_dict()
    known = {key: value for key, value in canonical.items() if value is not None}
    return {**canonical, **given, **known}


def _file_facts(raw: Record, services: Mapping[ServiceName, Record], given: MediaFacts) -> MediaFacts:
    """What is known of the file: from the caller, the file, its metadata, then the services' own metadata."""
    metadata = mapping(raw.get("metadata"))
    own = [mapping(data.get("metadata")) for data in services.values()]
    width, height = _frame_size(metadata, raw, *own)
    facts = given.filled_from(
        MediaFacts(
            duration_s=_stated_duration(raw, services),
            fps=source_fps(raw) or _positive(metadata.get("fps"), *(meta.get("fps") for meta in own)),
            width=width,
            height=height,
            sample_fps=_positive(raw.get("sample_fps"), raw.get("extraction_fps")),
        )
    )
    if facts.sample_fps is None and facts.duration_s is not None:
        return replace(facts, sample_fps=extraction_fps(facts.duration_s, facts.fps, raw.get("fps")))
    return facts


def extraction_fps(duration_s: float, fps: float | None, stated: object = None) -> float:
    """At which rate older versions extracted frames: what the file states, else by length.

    A stated rate of at most 10 is no camera's: it is the extraction's. The step was a whole number of source frames.
    """
    if (rate := number(stated)) is not None and 0 < rate <= 10:
        return rate
    target = 5.0 if duration_s < 30 else 3.0 if duration_s < 60 else 2.0
    return fps / max(1, int(fps / target)) if fps is not None else target


def _stated_duration(raw: Record, services: Mapping[ServiceName, Record]) -> float | None:
    """The video's length by the file, its metadata, the services of the picture, then the services of the sound.

    The sound may end before the picture does, so that its length is the last resort: it is the least that is known.
    """
    own = {name: mapping(data.get("metadata")) for name, data in services.items()}
    stated = _positive(
        first(raw, "duration", "duration_seconds"),
        mapping(raw.get("metadata")).get("duration"),
        *(meta.get("duration") for name, meta in own.items() if name not in _OF_THE_SOUND),
        *(value for data in services.values() for value in _lengths_beside_metadata(data)),
    )
    shown = _decoder_duration(stated, services.get("scene_detection"))
    if shown is not None:
        return shown
    heard = [_positive(data.get("audio_duration"), own[name].get("audio_duration")) for name, data in services.items()]
    energy = _positive(services.get("audio_energy", {}).get("duration"))
    return max((length_s for length_s in (*heard, energy) if length_s is not None), default=None)


def _lengths_beside_metadata(data: Record) -> Iterator[float | None]:
    """Where older files of the picture state the video's length: emotions, v3's insights, the tracker's counts."""
    yield number(data.get("video_duration"))
    yield number(mapping(data.get("insights")).get("video_duration"))
    frames, fps = number(data.get("total_frames")), number(data.get("fps"))
    yield frames / fps if frames is not None and fps is not None and fps > 0 else None


def _decoder_duration(stated: float | None, scenes: Record | None) -> float | None:
    ends = [number(first(scene, "end_time", "end")) for scene in records((scenes or {}).get("scenes"))]
    last = max((end for end in ends if end is not None), default=None)
    if last is not None and last > 0 and (stated is None or abs(last - stated) <= _ROUNDING_S):
        return last
    return stated


def _positive(*values: object) -> float | None:
    return next((found for value in values if (found := number(value)) is not None and found > 0), None)


def _frame_size(*places: Record) -> tuple[int | None, int | None]:
    """Width and height in pixels, from the first place that tells both: two places may tell of different frames."""
    sizes = ((number(place.get("width")), number(place.get("height"))) for place in places)
    known = ((int(width), int(height)) for width, height in sizes if width and height and width >= 1 and height >= 1)
    return next(known, (None, None))
