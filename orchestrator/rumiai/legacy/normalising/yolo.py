"""YOLO: tracks of any shape, or single boxes, to canonical tracks."""

from __future__ import annotations

from collections.abc import Mapping

from rumiai.contracts.facts import MediaFacts
from rumiai.core.json_values import JsonValue
from rumiai.core.numbers import number
from rumiai.legacy.normalising.common import (
    Record,
    canonical_box,
    facts_of,
    failure,
    first,
    frame_number_of,
    listed,
    metadata_of,
    records,
    seconds_of,
    without,
)

_LISTS = ("objectAnnotations", "detections", "results", "predictions")
_FRAMES = ("frames", "detections", "instances")
_BOXES = ("bbox", "box", "bounding_box", "boundingBox")
_NAMES = ("className", "class", "label", "class_name")


def normalise_yolo(data: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """Canonical tracks; a box that stands alone becomes a track of one frame, for a flat file's ids name no object."""
    annotations = listed(data, *_LISTS)
    if annotations is None:
        return failure(data, facts)
    facts = facts_of(data, facts)
    metadata = metadata_of(data, facts, answered=True)
    if not metadata["processed"]:
        return {"metadata": metadata}
    tracks = [_track(item, place, facts) for place, item in enumerate(annotations, start=1)]
    metadata.setdefault("objects_detected", sum(len(records(track["frames"])) for track in tracks))
    metadata["tracks"] = len(tracks)
    return {**without(data, "metadata", *_LISTS), "objectAnnotations": tracks, "metadata": metadata}


def _track(item: Record, place: int, facts: MediaFacts) -> dict[str, JsonValue]:
    frames = listed(item, *_FRAMES)
    flat = not frames
    seen = [_sighting(frame, facts) for frame in (frames or [item])]
    seen.sort(key=lambda sighting: (sighting["timestamp"] is None, number(sighting["timestamp"]) or 0.0))
    times = [time for sighting in seen if (time := number(sighting["timestamp"])) is not None]
    scores = [score for sighting in seen if (score := number(sighting["confidence"])) is not None]
    own = number(first(item, "confidence", "score"))
    track_id = first(item, "trackId", "track_id", "id")
    dropped = (*_FRAMES, *_BOXES, *_NAMES, "trackId", "track_id", "entity", "score")
    kept = without(item, *dropped, "timestamp", "time", "frame", "frame_number") if flat else without(item, *dropped)
    return {
        **kept,
        **({"confirmed": False} if flat else {}),
        "trackId": f"object_{place}" if flat or track_id is None else str(track_id),
        "className": class_name(item),
        "confidence": own if own is not None else (sum(scores) / len(scores) if scores else None),
        "first_seen": min(times, default=None),
        "last_seen": max(times, default=None),
        "frames": seen,
    }


def _sighting(frame: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    t_s = seconds_of(frame, facts)
    return {
        "timestamp": t_s,
        "frame_number": frame_number_of(frame, t_s, facts),
        "confidence": number(first(frame, "confidence", "score")),
        "bbox": canonical_box(first(frame, *_BOXES), facts, "xyxy"),
    }


def class_name(item: Record) -> str | None:
    """The object's class under any of its historical names; None when there is none."""
    entity = item.get("entity")
    name = first(item, *_NAMES) or (first(entity, "description", "entityId") if isinstance(entity, Mapping) else None)
    return str(name) if name is not None else None
