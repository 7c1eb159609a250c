"""Canonical data to timeline entries, one pure builder per service (timeline.md 4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from rumiai.contracts.results import ServiceName
from rumiai.contracts.timeline import TimelineEntry
from rumiai.core.cuts import ADAPTIVE_THRESHOLD, cut_confidence
from rumiai.legacy.normalising.common import Record, number, records
from rumiai.legacy.normalising.ocr import position_of

# Sightings this many sampling steps apart are consecutive: a nearest frame is never exactly on the grid.
CONSECUTIVE_STEPS: Final = 1.5
_WINDOW: Final = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)s?")

Entries = Iterator[TimelineEntry]


def step_s(data: Record) -> float:
    """Seconds between two analysed frames; 0.0 where the file does not say."""
    rate = number((data.get("metadata") or {}).get("sample_fps"))
    return 1.0 / rate if rate else 0.0


def _pick(item: Record, *keys: str) -> dict[str, Any]:
    return {key: _plain(item[key]) for key in keys if key in item}


def _plain(value: Any) -> Any:
    # Tuples become lists, so that an entry equals what is read back of it.
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _mean_box(frames: list[Record]) -> list[float]:
    return [sum(frame["bbox"][i] for frame in frames) / len(frames) for i in range(4)]


def _confidence(item: Record) -> float:
    return number(item.get("confidence")) or 0.0


def object_entries(data: Record) -> Entries:
    """One entry per track: first sighting to last sighting and half a step."""
    half = step_s(data) / 2
    for track in records(data["objectAnnotations"]):
        frames = records(track["frames"])
        times = [frame["timestamp"] for frame in frames]
        best = max(frames, key=_confidence)
        payload = {
            "class": track["className"],
            "confidence": track["confidence"],
            "bbox": list(best["bbox"]),
            "track_id": track["trackId"],
            "count_samples": len(frames),
            "mean_bbox": _mean_box(frames),
        }
        yield TimelineEntry(min(times), "object", payload | _pick(track, "confirmed"), max(times) + half)


def speech_entries(data: Record) -> Entries:
    """One entry per segment."""
    for segment in records(data["segments"]):
        payload = {
            "text": segment["text"],
            "confidence": segment.get("confidence"),
            "language": data["language"],
            "words": _plain(segment.get("words") or []),
        }
        yield TimelineEntry(segment["start"], "speech", payload, segment["end"])


def ocr_entries(data: Record) -> Entries:
    """One entry per appearance of a text or sticker, over the time that it was seen."""
    for item in records(data["textAnnotations"]):
        payload = _pick(item, "id", "text", "position", "size", "category", "confidence", "bbox")
        yield TimelineEntry(item["start"], "text", payload, item["end"])
    for item in records(data["stickers"]):
        payload = _pick(item, "id", "type", "confidence", "bbox") | {"position": position_of(item["bbox"])}
        yield TimelineEntry(item["start"], "sticker", payload, item["end"])


def scene_entries(data: Record) -> Entries:
    """Scenes, and a change where each but the first starts."""
    scenes, changes = records(data["scenes"]), data["scene_changes"]
    scores = data.get("scene_change_scores") or [None] * len(changes)
    kinds = data.get("transition_types") or []
    kinds = kinds if len(kinds) == len(changes) else ["cut"] * len(changes)
    threshold = number(data["metadata"].get("adaptive_threshold")) or ADAPTIVE_THRESHOLD
    for index, scene in enumerate(scenes):
        payload = {"scene_index": index, "duration": scene["duration"]}
        yield TimelineEntry(scene["start_time"], "scene", payload, scene["end_time"])
    for index, (time, score, kind) in enumerate(zip(changes, scores, kinds, strict=True), start=1):
        sure = None if score is None else cut_confidence(score, threshold)
        payload = {"transition_type": kind, "scene_index": index, "confidence": sure}
        yield TimelineEntry(time, "scene_change", payload)


def people_entries(data: Record) -> Entries:
    """Poses, faces and gaze at their instants; gestures and actions over theirs."""
    for item in records(data["poses"]):
        payload = _pick(item, "person", "visibility", "confidence", "posture", "orientation", "bbox")
        yield TimelineEntry(item["timestamp"], "pose", payload)
    for item in records(data["faces"]):
        payload = _pick(item, "bbox", "confidence", "count", "face_index") | {"source": "mediapipe"}
        yield TimelineEntry(item["timestamp"], "face", payload)
    for item in records(data.get("gaze")):
        payload = _pick(item, "eye_contact", "gaze_direction", "confidence", "yaw", "pitch")
        yield TimelineEntry(item["timestamp"], "gaze", payload)
    yield from _gesture_entries(records(data["gestures"]), step_s(data))
    for item in records(data.get("actions")):
        start = item["start"] if "start" in item else item["timestamp"]
        end = item.get("end")
        yield TimelineEntry(start, "action", _pick(item, "action", "confidence"), end)


def _gesture_entries(gestures: list[Record], step: float) -> Entries:
    """Equal gestures in consecutive samples as one interval, from the first to half a step after the last."""
    runs: dict[tuple[str, str], list[list[Record]]] = {}
    for item in sorted(gestures, key=lambda item: item["timestamp"]):
        of_kind = runs.setdefault((item["type"], item.get("hand") or ""), [])
        if of_kind and item["timestamp"] - of_kind[-1][-1]["timestamp"] <= CONSECUTIVE_STEPS * step:
            of_kind[-1].append(item)
        else:
            of_kind.append([item])
    for run in (run for of_kind in runs.values() for run in of_kind):
        best = max(run, key=_confidence)
        payload = _pick(best, "type", "hand", "confidence", "bbox", "direction") | {"count_samples": len(run)}
        end = run[-1]["timestamp"] + step / 2
        yield TimelineEntry(run[0]["timestamp"], "gesture", payload, end if end > run[0]["timestamp"] else None)


def emotion_entries(data: Record) -> Entries:
    """Each sample's emotion until the next sample."""
    metadata = data["metadata"]
    marks = {"source": metadata.get("source", "feat"), "model": metadata.get("model")}
    yield from _emotions(records(data["emotions"]), step_s(data), marks)


def expression_entries(data: Record) -> Entries:
    """MediaPipe's expressions, as emotions: what stands in where no emotion detector ran."""
    marks = {"source": "blendshapes", "model": "mediapipe"}
    yield from _emotions(records(data.get("expressions")), step_s(data), marks)


def _emotions(items: Iterable[Record], step: float, marks: Record) -> Entries:
    keys = ("emotion", "confidence", "all_scores", "action_units", "au_intensities", "valence", "face_index")
    for item in items:
        payload = {**marks, **_pick(item, *keys, "source")}
        payload["has_action_units"] = bool(item.get("action_units"))
        start = item["timestamp"]
        yield TimelineEntry(start, "emotion", payload, start + step if step else None)


def audio_entries(data: Record) -> Entries:
    """One entry per window of the energy curve."""
    for key, level in data["energy_level_windows"].items():
        match = _WINDOW.fullmatch(key)
        if match is None:
            raise ValueError(f"energy_level_windows: got key {key!r}, expected 'a-bs'")
        yield TimelineEntry(float(match[1]), "audio_energy", {"level": level}, float(match[2]))


ENTRY_BUILDERS: Final[Mapping[ServiceName, Callable[[Record], Entries]]] = {
    "yolo": object_entries, "whisper": speech_entries, "ocr": ocr_entries, "mediapipe": people_entries,
    "scene_detection": scene_entries, "audio_energy": audio_entries, "emotion_detection": emotion_entries,
}  # fmt: skip
