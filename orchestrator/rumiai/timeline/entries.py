"""Canonical data to timeline entries, one pure builder per service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from rumiai.contracts.payloads import text_of
from rumiai.contracts.services import (
    AudioData,
    ExpressionsData,
    OcrData,
    PeopleData,
    ScenesData,
    ServiceModel,
    WhisperData,
    YoloData,
)
from rumiai.contracts.services.expressions import EmotionSample
from rumiai.contracts.services.ocr import position_of
from rumiai.contracts.services.people import FaceExpression, Gesture
from rumiai.contracts.services.scenes import Transition
from rumiai.contracts.services.yolo import ObjectSighting
from rumiai.contracts.timeline import TimelineEntry

# Sightings this many sampling steps apart are consecutive: a nearest frame is never exactly on the grid.
CONSECUTIVE_STEPS: Final = 1.5

Entries = Iterator[TimelineEntry]


class _Weighed(Protocol):
    @property
    def confidence(self) -> float | None: ...


def is_watermark(entry: TimelineEntry) -> bool:
    """Whether an entry is a platform's watermark: in no count and in no marker."""
    return entry.entry_type == "text" and text_of(entry).is_watermark


def _pick(item: ServiceModel, *names: str) -> dict[str, Any]:
    """Those members that were told, as JSON types."""
    return {name: _plain(getattr(item, name)) for name in names if name in item.model_fields_set}


def _plain(value: Any) -> Any:
    # Tuples become lists, so that an entry equals what is read back of it.
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _mean_box(frames: Sequence[ObjectSighting]) -> list[float]:
    return [sum(frame.bbox[i] for frame in frames) / len(frames) for i in range(4)]


def _confidence(item: _Weighed) -> float:
    return item.confidence or 0.0


def object_entries(data: YoloData) -> Entries:
    """One entry per track: first sighting to last sighting and half a step."""
    half = data.metadata.step_s / 2
    for track in data.tracks:
        times = [frame.timestamp_s for frame in track.frames]
        payload = {
            "class": track.class_name,
            "confidence": track.confidence,
            "bbox": list(max(track.frames, key=_confidence).bbox),
            "track_id": track.track_id,
            "count_samples": len(track.frames),
            "mean_bbox": _mean_box(track.frames),
        }
        yield TimelineEntry(min(times), "object", payload | _pick(track, "confirmed"), max(times) + half, track)


def speech_entries(data: WhisperData) -> Entries:
    """One entry per segment."""
    for segment in data.segments:
        payload = {
            "text": segment.text,
            "confidence": segment.confidence,
            "language": data.language,
            "words": [word.to_json() for word in segment.words or ()],
        }
        yield TimelineEntry(segment.start_s, "speech", payload, segment.end_s, segment)


def ocr_entries(data: OcrData) -> Entries:
    """One entry per appearance of a text or sticker, over the time that it was seen."""
    for text in data.texts:
        payload = _pick(text, "id", "text", "position", "size", "category", "confidence", "bbox")
        yield TimelineEntry(text.start_s, "text", payload, text.end_s, text)
    for sticker in data.stickers:
        payload = _pick(sticker, "id", "type", "confidence", "bbox") | {"position": position_of(sticker.bbox)}
        yield TimelineEntry(sticker.start_s, "sticker", payload, sticker.end_s, sticker)


def scene_entries(data: ScenesData) -> Entries:
    """Scenes, and a change where each but the first starts."""
    changes = data.changes_s
    kinds = data.transition_types or ()
    kinds = kinds if len(kinds) == len(changes) else ("cut",) * len(changes)
    confidences = data.change_confidences or (None,) * len(changes)
    for index, scene in enumerate(data.scenes):
        payload = {"scene_index": index, "duration": scene.duration_s}
        yield TimelineEntry(scene.start_s, "scene", payload, scene.end_s, scene)
    for index, (time_s, confidence, kind) in enumerate(zip(changes, confidences, kinds, strict=True), start=1):
        change = {"transition_type": kind, "scene_index": index, "confidence": confidence}
        yield TimelineEntry(time_s, "scene_change", change, source=Transition(start_s=time_s, end_s=time_s, type=kind))


def people_entries(data: PeopleData) -> Entries:
    """Poses, faces and gaze at their instants; gestures and actions over theirs."""
    for pose in data.poses:
        payload = _pick(pose, "person", "visibility", "confidence", "posture", "orientation", "bbox")
        yield TimelineEntry(pose.timestamp_s, "pose", payload, source=pose)
    for face in data.faces:
        payload = _pick(face, "bbox", "confidence", "count", "face_index") | {"source": "mediapipe"}
        yield TimelineEntry(face.timestamp_s, "face", payload, source=face)
    for gaze in data.gaze or ():
        payload = _pick(gaze, "eye_contact", "gaze_direction", "confidence", "yaw", "pitch")
        yield TimelineEntry(gaze.timestamp_s, "gaze", payload, source=gaze)
    yield from _gesture_entries(data.gestures, data.metadata.step_s)
    for action in data.actions or ():
        payload = _pick(action, "action", "confidence")
        yield TimelineEntry(action.begins_s, "action", payload, action.end_s, action)


def _gesture_entries(gestures: Iterable[Gesture], step_s: float) -> Entries:
    """Equal gestures in consecutive samples as one interval, from the first to half a step after the last."""
    runs: dict[tuple[str, str], list[list[Gesture]]] = {}
    for item in sorted(gestures, key=lambda gesture: gesture.timestamp_s):
        of_kind = runs.setdefault((item.type, item.hand or ""), [])
        if of_kind and item.timestamp_s - of_kind[-1][-1].timestamp_s <= CONSECUTIVE_STEPS * step_s:
            of_kind[-1].append(item)
        else:
            of_kind.append([item])
    for run in (run for of_kind in runs.values() for run in of_kind):
        best = max(run, key=_confidence)
        payload = _pick(best, "type", "hand", "confidence", "bbox", "direction") | {"count_samples": len(run)}
        start_s, end_s = run[0].timestamp_s, run[-1].timestamp_s + step_s / 2
        yield TimelineEntry(start_s, "gesture", payload, end_s if end_s > start_s else None, best)


def emotion_entries(data: ExpressionsData) -> Entries:
    """Each sample's emotion until the next sample."""
    marks = {"source": data.metadata.source or "feat", "model": data.metadata.model}
    yield from _emotions(data.emotions, data.metadata.step_s, marks)


def expression_entries(data: PeopleData) -> Entries:
    """MediaPipe's expressions, as emotions: what stands in where no emotion detector ran."""
    marks = {"source": "blendshapes", "model": "mediapipe"}
    yield from _emotions(data.expressions or (), data.metadata.step_s, marks)


def _emotions(
    items: Iterable[EmotionSample | FaceExpression], step_s: float, marks: Mapping[str, str | None]
) -> Entries:
    keys = ("emotion", "confidence", "all_scores", "action_units", "au_intensities", "valence", "face_index", "source")
    for item in items:
        payload = {**marks, **_pick(item, *keys)}
        payload["has_action_units"] = bool(item.action_units)
        end_s = item.timestamp_s + step_s if step_s else None
        yield TimelineEntry(item.timestamp_s, "emotion", payload, end_s, item)


def audio_entries(data: AudioData) -> Entries:
    """One entry per window of the energy curve."""
    for window in data.windows:
        yield TimelineEntry(window.start_s, "audio_energy", {"level": window.level}, window.end_s)
