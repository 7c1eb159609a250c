"""OCR: texts and stickers of any shape to canonical appearances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.services.ocr import position_of
from rumiai.core.boxes import distance, iou
from rumiai.core.json_values import JsonValue
from rumiai.core.numbers import number
from rumiai.core.text import same_text
from rumiai.legacy.normalising.common import (
    Record,
    box_of,
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

_TEXTS: Final = ("textAnnotations", "text_annotations", "texts")
_BOXES: Final = ("bbox", "box", "bounding_box", "boundingBox")
# Shares of the frame height between small, medium and large text.
_SMALL_BELOW: Final = 0.025
_MEDIUM_BELOW: Final = 0.05
# When lines of two frames are one text.
_SAME_IOU: Final = 0.3
_SAME_CENTRE: Final = 0.05
# Frames that follow each other may lie this many sampling steps apart: a nearest frame is never exactly on the grid.
_CONSECUTIVE_STEPS: Final = 1.5


def normalise_ocr(data: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """Canonical appearances; lines listed frame by frame (``frame_details``) are linked over time first."""
    facts = facts_of(data, facts)
    texts, stickers = listed(data, *_TEXTS), listed(data, "stickers") or []
    details = listed(data, "frame_details")
    if texts is None and details is None:
        return failure(data, facts)
    metadata = metadata_of(data, facts, answered=True)
    if not metadata["processed"]:
        return {"metadata": metadata}
    if texts is None:
        frames = details or []
        step = _step(frames, facts)
        texts = _linked(_lines(frames, "text_elements", facts), step, facts)
        stickers = _linked(_lines(frames, "creative_elements", facts), step, facts)
    kept = without(data, "metadata", "stickers", "frame_details", *_TEXTS)
    return {
        **kept,
        "textAnnotations": [_text(item, place, facts) for place, item in enumerate(texts, start=1)],
        "stickers": [_sticker(item, place, facts) for place, item in enumerate(stickers, start=1)],
        "metadata": metadata,
    }


def size_of(box: Sequence[float]) -> str:
    """``S``, ``M`` or ``L`` by the box's height."""
    return "S" if box[3] < _SMALL_BELOW else "M" if box[3] < _MEDIUM_BELOW else "L"


def _appearance(item: Record, name: str, facts: MediaFacts) -> dict[str, JsonValue]:
    box = canonical_box(first(item, *_BOXES), facts, "xywh")
    seen = [_sighting(entry, facts) for entry in records(item.get("sightings"))]
    t_s = seconds_of(item, facts)
    if t_s is None and seen:
        t_s = number(seen[0]["timestamp"])
    start, end = number(item.get("start")), number(item.get("end"))
    # A file that keeps the first sighting only does not say how long a text stood: it is known at that instant.
    start = t_s if start is None else start
    out = without(item, *_BOXES, "frame_number", "frame", "sightings", "time", "start", "end")
    return out | {
        "id": str(item.get("id") or name),
        "start": start,
        "end": start if end is None else end,
        "timestamp": t_s if t_s is not None else start,
        "confidence": number(item.get("confidence")),
        "bbox": box,
        **({"sightings": seen or [_sighting(item, facts)]} if "text" in item else {"sightings": seen} if seen else {}),
    }


def _sighting(item: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    t_s = seconds_of(item, facts)
    return {
        **without(item, *_BOXES, "frame", "text", "category", "type", "start", "end", "id", "position", "size"),
        "timestamp": t_s,
        "frame_number": frame_number_of(item, t_s, facts),
        "confidence": number(item.get("confidence")),
        "bbox": canonical_box(first(item, *_BOXES), facts, "xywh"),
    }


def _text(item: Record, place: int, facts: MediaFacts) -> dict[str, JsonValue]:
    out = _appearance({**item, "text": item.get("text")}, f"text_{place}", facts)
    box = box_of(out["bbox"])
    out["position"] = item.get("position") or (position_of(box) if box else "unknown")
    out["size"] = item.get("size") if item.get("size") in ("S", "M", "L") else size_of(box) if box else "unknown"
    out["category"] = item.get("category") or "overlay_text"
    return out


def _sticker(item: Record, place: int, facts: MediaFacts) -> dict[str, JsonValue]:
    out = _appearance(item, f"sticker_{place}", facts)
    return out | {"type": str(first(item, "type", "element") or "sticker")}


def _lines(details: list[Record], kind: str, facts: MediaFacts) -> list[Record]:
    """The elements of v3's frames, one record per element and frame, boxes normalised."""
    lines: list[Record] = []
    for detail in details:
        frame = {key: detail[key] for key in ("frame", "actual_frame_number", "timestamp") if key in detail}
        t_s = seconds_of(frame, facts)
        for element in records(detail.get(kind)):
            label = element.get("element")
            kept = without(element, "type", "element", "bbox")
            lines.append(
                {
                    **kept,
                    **({"type": label} if kind == "creative_elements" else {"text": element.get("text")}),
                    "timestamp": t_s,
                    "frame_number": frame_number_of(frame, t_s, facts),
                    "bbox": canonical_box(element.get("bbox"), facts, "xywh"),
                }
            )
    return sorted(lines, key=lambda line: (line["timestamp"] is None, _at(line)))


def _at(line: Record) -> float:
    return number(line["timestamp"]) or 0.0


def _step(details: list[Record], facts: MediaFacts) -> float:
    """Mean seconds between two analysed frames: v3 left out every second or third of those it had extracted."""
    times = sorted({time for detail in details if (time := seconds_of(detail, facts)) is not None})
    return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0


def _linked(lines: list[Record], step: float, facts: MediaFacts) -> list[Record]:
    """Appearances: lines of consecutive frames in one place with one wording."""
    tracks: list[list[Record]] = []
    live: list[list[Record]] = []
    for line in lines:
        if line["timestamp"] is None:
            tracks.append([line])
            continue
        t_s = _at(line)
        live = [track for track in live if t_s - _at(track[-1]) <= _CONSECUTIVE_STEPS * step]
        track = next((old for old in live if _at(old[-1]) < t_s and _is_same(old[-1], line)), None)
        if track is None:
            track = []
            tracks.append(track)
            live.append(track)
        track.append(line)
    return [_merged(track, step / 2, facts.duration_s) for track in tracks]


def _is_same(old: Record, new: Record) -> bool:
    if old.get("type") != new.get("type"):
        return False
    if not same_text(str(old.get("text") or ""), str(new.get("text") or "")):
        return False
    a, b = box_of(old["bbox"]), box_of(new["bbox"])
    return a is not None and b is not None and (iou(a, b) >= _SAME_IOU or distance(a, b) < _SAME_CENTRE)


def _merged(track: list[Record], half_step_s: float, duration_s: float | None) -> dict[str, JsonValue]:
    best = max(track, key=lambda line: number(line.get("confidence")) or 0.0)
    if track[0]["timestamp"] is None:
        return dict(best)
    begin, end = _at(track[0]), _at(track[-1])
    limit = math.inf if duration_s is None else duration_s
    times = {"timestamp": begin, "start": max(0.0, begin - half_step_s), "end": min(limit, end + half_step_s)}
    return {**without(best, "frame_number"), **times, "sightings": track}
