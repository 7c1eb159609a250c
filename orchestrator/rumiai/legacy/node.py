"""The oldest files: Node timelines whose keys look like seconds and are frame numbers."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.lexicons import canonical_emotion, canonical_gesture
from rumiai.contracts.results import ServiceName
from rumiai.contracts.timeline import TimelineEntry
from rumiai.core.json_values import JsonValue
from rumiai.core.numbers import number
from rumiai.legacy.normalising.common import Record, first, mapping, records

_KEY: Final = re.compile(r"(-?\d+)-(\d+)s?")
# Slower than any camera: such an ``fps`` is the rate of extraction.
_CAMERA_FPS_ABOVE: Final = 10.0


def source_fps(raw: Record) -> float | None:
    """The source's frame rate, where the file's ``fps`` is one."""
    rate = number(raw.get("fps"))
    return rate if rate is not None and rate > _CAMERA_FPS_ABOVE else None


def node_results(raw: Record) -> dict[ServiceName, Record]:
    """What a Node file keeps in full: its transcript, and its cuts with the source frame they lie on."""
    summary, timelines = mapping(raw.get("metadata_summary")), mapping(raw.get("timelines"))
    found: dict[ServiceName, Record] = {}
    segments = records(summary.get("speechSegments")) or _speech(timelines)
    if segments or isinstance(summary.get("transcript"), str):
        metadata: Record = {"processed": True, "model": "unknown"}
        found["whisper"] = {"segments": segments, "text": summary.get("transcript"), "metadata": metadata}
    fps = source_fps(raw)
    changes = timelines.get("sceneChangeTimeline")
    if isinstance(changes, Mapping) and fps is not None:
        frames = [frame for key in changes if (frame := frame_of(key)) is not None]
        found["scene_detection"] = {"cuts": [frame / fps for frame in frames], "metadata": {"processed": True}}
    return found


def _speech(timelines: Record) -> list[Record]:
    """Speech keys are seconds: Whisper never saw frames."""
    segments = []
    for key, value in mapping(timelines.get("speechTimeline")).items():
        match, item = _KEY.fullmatch(key), value if isinstance(value, Mapping) else {"text": value}
        start = first(item, "start_time", "start") if match is None else first(item, "start_time", "start") or match[1]
        end = first(item, "end_time", "end") if match is None else first(item, "end_time", "end") or match[2]
        segments.append({**item, "start": start, "end": end})
    return sorted(segments, key=lambda item: number(item["start"]) or 0.0)


def frame_of(key: str) -> int | None:
    """The frame that a key ``"n-(n+1)s"`` names; frame 0 was written ``"-1-0s"``."""
    match = _KEY.fullmatch(key.strip())
    return None if match is None else max(0, int(match[1]))


def node_entries(raw: Record, facts: MediaFacts) -> Iterator[TimelineEntry]:
    """The sampled timelines as entries at their real instants: frame number / extraction rate.

    These files keep no boxes and no frame counts, so the entries are all there is of those services.
    """
    timelines = mapping(raw.get("timelines"))
    if facts.sample_fps is None:
        return
    readers = (
        ("textOverlayTimeline", _texts), ("stickerTimeline", _stickers), ("objectTimeline", _objects),
        ("gestureTimeline", _gestures), ("expressionTimeline", _expressions),
    )  # fmt: skip
    for name, read in readers:
        for key, value in mapping(timelines.get(name)).items():
            frame = frame_of(key)
            if frame is None:
                continue
            for kind, payload in read(value):
                yield TimelineEntry(frame / facts.sample_fps, kind, payload)


Payloads = Iterator[tuple[str, dict[str, JsonValue]]]


def _items(value: object, plural: str) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping) and isinstance(value.get(plural), list):
        return list(value[plural])
    return [value]


def _texts(value: object) -> Payloads:
    for item in _items(value, "texts"):
        record = copy.deepcopy(dict(item)) if isinstance(item, Mapping) else {"text": item}
        if isinstance(record.get("text"), str) and record["text"].strip():
            yield "text", record


def _stickers(value: object) -> Payloads:
    for item in _items(value, "stickers"):
        yield "sticker", copy.deepcopy(dict(item)) if isinstance(item, Mapping) else {"type": str(item)}


def _objects(value: object) -> Payloads:
    counts = value.get("objects") if isinstance(value, Mapping) else None
    if isinstance(counts, Mapping):
        for name, count in counts.items():
            yield from (("object", {"class": name}) for _ in range(int(number(count) or 0)))
        return
    for item in _items(value, "objects"):
        name = first(item, "class", "label", "name", "className") if isinstance(item, Mapping) else item
        if isinstance(name, str):
            yield "object", {"class": name}


def _gestures(value: object) -> Payloads:
    confidence = number(value.get("confidence")) if isinstance(value, Mapping) else None
    for item in _items(value, "gestures"):
        name = first(item, "type", "gesture", "name") if isinstance(item, Mapping) else item
        if isinstance(name, str) and (kind := canonical_gesture(name)) is not None:
            yield "gesture", {"type": kind, "confidence": confidence}


def _expressions(value: object) -> Payloads:
    for item in _items(value, "expressions"):
        name = first(item, "expression", "emotion") if isinstance(item, Mapping) else item
        if isinstance(name, str) and (emotion := canonical_emotion(name)) is not None:
            confidence = number(item.get("confidence")) if isinstance(item, Mapping) else None
            yield "emotion", {"emotion": emotion, "confidence": confidence, "source": "landmarks"}


def node_metadata(raw: Record) -> dict[str, JsonValue]:
    """A Node file's ``static_metadata`` under the names of ``VideoMetadata.to_dict``."""
    static = mapping(raw.get("static_metadata"))
    if not static:
        return {}
    stats, author = mapping(static.get("stats")), static.get("author")
    return {
        "id": raw.get("video_id"),
        "description": static.get("captionText"),
        "hashtags": static.get("hashtags"),
        "duration": static.get("duration"),
        "createTime": static.get("createTime"),
        "author": author if isinstance(author, Mapping) else None,
        "username": author if isinstance(author, str) else None,
        **{key: stats.get(key) for key in ("views", "likes", "comments", "shares", "saves")},
    }
