"""Read the payload of a timeline entry as the service's model that it was made from.

An entry that was built from a service's data carries the model as its ``source``. An entry that was read from a file
has its payload alone, and an older file may hold entries of a service whose data it lacks. This module is the only one
that reads payloads. It does so leniently: a member that cannot be read counts as not told.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from rumiai.contracts.services.base import ServiceModel
from rumiai.contracts.services.expressions import EmotionSample
from rumiai.contracts.services.ocr import Sticker, TextAnnotation
from rumiai.contracts.services.people import Action, Face, FaceExpression, Gaze, Gesture, Pose
from rumiai.contracts.services.scenes import Transition
from rumiai.contracts.services.whisper import Segment, Word
from rumiai.contracts.services.yolo import ObjectTrack
from rumiai.contracts.timeline import TimelineEntry
from rumiai.core.boxes import Box

# What tells an entry's thing from others of its type.
_NAME_KEYS: Final[Mapping[str, str]] = {
    "object": "class", "sticker": "id", "gesture": "type", "action": "action", "emotion": "emotion",
    "scene_change": "transition_type", "pose": "person", "face": "face_index", "gaze": "gaze_direction",
}  # fmt: skip


def text_of(entry: TimelineEntry) -> TextAnnotation:
    """The text of an entry of type ``text``; its box has no size where a file has none."""
    if isinstance(entry.source, TextAnnotation):
        return entry.source
    data = entry.data
    told = {key: _string(data[key]) for key in ("position", "category", "kind") if key in data}
    return TextAnnotation.model_construct(
        {"text", "bbox", *told},
        text=str(data.get("text") or ""),
        bbox=_box(data.get("bbox")) or (0.0, 0.0, 0.0, 0.0),
        start_s=entry.start_s,
        end_s=_end_s(entry),
        **told,
    )


def segment_of(entry: TimelineEntry) -> Segment:
    """The segment of an entry of type ``speech``; words of a file that cannot be read are left out."""
    if isinstance(entry.source, Segment):
        return entry.source
    words = []
    told = entry.data.get("words")
    for item in told if isinstance(told, list) else ():
        with contextlib.suppress(ValidationError):
            words.append(Word.model_validate(item))
    text = str(entry.data.get("text") or "")
    return Segment.model_construct(text=text, words=tuple(words), start_s=entry.start_s, end_s=_end_s(entry))


def emotion_of(entry: TimelineEntry) -> EmotionSample | FaceExpression:
    """The sample of an entry of type ``emotion``; its label is None where a file does not tell it."""
    if isinstance(entry.source, EmotionSample | FaceExpression):
        return entry.source
    return FaceExpression.model_construct(
        timestamp_s=entry.start_s,
        emotion=_string(entry.data.get("emotion")),
        confidence=_number(entry.data.get("confidence")),
    )


def gesture_of(entry: TimelineEntry) -> Gesture:
    """The surest gesture of an entry of type ``gesture``; its type is empty where a file does not tell it."""
    if isinstance(entry.source, Gesture):
        return entry.source
    data = entry.data
    kind, hand = data.get("type"), data.get("hand")
    return Gesture.model_construct(
        timestamp_s=entry.start_s,
        type="" if kind is None else str(kind),
        hand=None if hand is None else str(hand),
        confidence=_number(data.get("confidence")),
        bbox=_box(data.get("bbox")),
        direction=_pair(data.get("direction")),
    )


def name_of(entry: TimelineEntry) -> str:
    """What tells an entry from others of its type: class, words or index of the face; empty when unknown."""
    if entry.entry_type == "text":
        return text_of(entry).text
    if entry.entry_type == "speech":
        return segment_of(entry).text
    source = entry.source
    if source is None:
        return str(entry.data.get(_NAME_KEYS.get(entry.entry_type, ""), ""))
    return _name(source)


def _name(source: ServiceModel) -> str:
    match source:
        case ObjectTrack():
            return source.class_name
        case Gesture() | Transition():
            return source.type
        case Action():
            return source.action
        case Sticker():
            return _if_told(source, "id", source.id)
        case EmotionSample() | FaceExpression():
            return _if_told(source, "emotion", source.emotion)
        case Pose():
            return _if_told(source, "person", source.person)
        case Face():
            return _if_told(source, "face_index", source.face_index)
        case Gaze():
            return _if_told(source, "gaze_direction", source.gaze_direction)
        case _:
            return ""


def _if_told(source: ServiceModel, member: str, value: object) -> str:
    return str(value) if member in source.model_fields_set else ""


def _end_s(entry: TimelineEntry) -> float:
    return entry.start_s if entry.end_s is None else entry.end_s


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _box(value: object) -> Box | None:
    sides = _numbers(value, 4)
    return (sides[0], sides[1], sides[2], sides[3]) if sides else None


def _pair(value: object) -> tuple[float, float] | None:
    parts = _numbers(value, 2)
    return (parts[0], parts[1]) if parts else None


def _numbers(value: object, count: int) -> list[float]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != count:
        return []
    found = [known for item in value if (known := _number(item)) is not None]
    return found if len(found) == count else []
