"""MediaPipe: per-kind lists, per-frame details or a timeline of frame numbers to canonical lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.lexicons import canonical_emotion, canonical_gesture
from rumiai.core.json_values import JsonValue
from rumiai.core.numbers import number
from rumiai.legacy.normalising.audio import emotion_of
from rumiai.legacy.normalising.common import (
    Record,
    canonical_box,
    facts_of,
    failure,
    first,
    frame_number_of,
    metadata_of,
    records,
    seconds_of,
    without,
)

KINDS: Final = ("poses", "faces", "hands", "gaze", "gestures", "expressions")


def normalise_mediapipe(data: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """Canonical lists; ``none`` is no gesture, an expression outside the vocabulary is none."""
    facts = facts_of(data, facts)
    kinds, extracted = _lists(data)
    if kinds is None:
        return failure(data, facts)
    metadata = metadata_of(data, facts, answered=True)
    if not metadata["processed"]:
        return {"metadata": metadata}
    expressions = [e for item in kinds["expressions"] if (e := _expression(item, facts, extracted)) is not None]
    # A list that the file does not have was not looked for; one that it has and that is empty was.
    looked_for: dict[str, JsonValue] = {}
    if kinds["gaze"] or isinstance(data.get("gaze"), list | tuple):
        looked_for["gaze"] = [_stamped(item, facts, extracted) for item in kinds["gaze"]]
    if kinds["expressions"] or isinstance(data.get("expressions"), list | tuple):
        looked_for["expressions"] = expressions
    out = {
        **without(data, "metadata", "insights", "frame_details", *KINDS),
        "poses": [_pose(item, facts, extracted) for item in kinds["poses"]],
        "faces": _faces(kinds["faces"], facts, extracted),
        "hands": [_stamped(item, facts, extracted) for item in kinds["hands"]],
        "gestures": [found for item in kinds["gestures"] if (found := _gesture(item, facts, extracted)) is not None],
        **looked_for,
        "metadata": metadata,
    }
    if isinstance(insights := data.get("insights"), Mapping) and (seen := number(insights.get("human_presence"))):
        out.setdefault("presence_percentage", min(100.0, 100.0 * seen))
    return out | _presence(out, metadata)


def _lists(data: Record) -> tuple[dict[str, list[Record]] | None, bool]:
    """The records of each kind, and whether their frame numbers are positions in the list of extracted frames."""
    if any(isinstance(data.get(kind), list | tuple) for kind in KINDS):
        return {kind: records(data.get(kind)) for kind in KINDS}, False
    found: dict[str, list[Record]] = defaultdict(list)
    if isinstance(details := data.get("frame_details"), list):
        for place, detail in enumerate(records(details), start=1):
            _spread(detail, place, found)
        return {kind: found[kind] for kind in KINDS}, True
    insights = data.get("insights")
    timeline = first(insights, "timeline") if isinstance(insights, Mapping) else data.get("timeline")
    if not isinstance(timeline, Mapping):
        return None, False
    found["poses"] = [{**item, "posture": first(item, "pose", "posture")} for item in records(timeline.get("poses"))]
    found["gestures"] = records(timeline.get("gestures"))
    found["expressions"] = records(timeline.get("expressions"))
    return {kind: found[kind] for kind in KINDS}, True


def _spread(detail: Record, place: int, found: dict[str, list[Record]]) -> None:
    """One v3 frame: its faces, hands and poses, each with the frame's time."""
    frame: dict[str, JsonValue] = {key: detail[key] for key in ("frame", "frame_number", "timestamp") if key in detail}
    frame.setdefault("frame_number", place)
    faces, hands = records(detail.get("faces")), records(detail.get("hands"))
    for face in faces:
        found["faces"].append({**without(face, "type", "expression"), **frame, "count": len(faces)})
        if face.get("expression") is not None:
            found["expressions"].append({**frame, "emotion": face["expression"], "source": "landmarks"})
    for hand in hands:
        side = str(hand.get("hand_type") or "").lower() or None
        gesture = {"type": hand.get("gesture"), "hand": side, "confidence": hand.get("confidence")}
        found["gestures"].append({**frame, **gesture, "bbox": hand.get("bbox")})
    if hands:
        sides = [str(hand.get("hand_type") or "unknown").lower() for hand in hands]
        found["hands"].append({**frame, "count": len(hands), "handedness": sides})
    for person, pose in enumerate(records(detail.get("poses"))):
        found["poses"].append({**without(pose, "type", "pose"), **frame, "person": person, "posture": pose.get("pose")})


def _stamped(item: Record, facts: MediaFacts, extracted: bool) -> dict[str, JsonValue]:
    t_s = seconds_of(item, facts, extracted=extracted)
    index = None if extracted else frame_number_of(item, t_s, facts)
    if extracted and t_s is not None and facts.fps is not None:
        index = round(t_s * facts.fps)
    return {**without(item, "frame"), "timestamp": t_s, "frame_number": index}


def _pose(item: Record, facts: MediaFacts, extracted: bool) -> dict[str, JsonValue]:
    landmarks = item.get("landmarks")
    out = _stamped({key: value for key, value in item.items() if key != "landmarks"}, facts, extracted)
    out["landmarks"] = [without(point) for point in records(landmarks)]  # older files hold their number only
    out["visibility"] = number(item.get("visibility"))
    out["confidence"] = number(item.get("confidence"))
    out["bbox"] = canonical_box(first(item, "bbox"), facts, "xyxy")
    out["posture"] = item.get("posture") or "unknown"
    out["orientation"] = item.get("orientation") or "unknown"
    return out


def _faces(items: list[Record], facts: MediaFacts, extracted: bool) -> list[dict[str, JsonValue]]:
    out, seen = [], defaultdict[float | None, int](int)
    for item in items:
        face = _stamped(item, facts, extracted)
        t_s = number(face["timestamp"])
        place = seen[t_s]
        seen[t_s] += 1
        index = number(item.get("face_index"))
        out.append(
            {
                **face,
                "count": int(number(item.get("count")) or 1),
                "face_index": place if index is None else int(index),
                "confidence": number(item.get("confidence")),
                "bbox": canonical_box(first(item, "bbox"), facts, "xyxy"),
            }
        )
    return out


def _gesture(item: Record, facts: MediaFacts, extracted: bool) -> dict[str, JsonValue] | None:
    kind = canonical_gesture(str(first(item, "type", "gesture") or "none"))
    if kind is None:
        return None
    out = _stamped(item, facts, extracted)
    out.pop("gesture", None)
    hand = item.get("hand")
    return {
        **out,
        "type": kind,
        "hand": hand.lower() if isinstance(hand, str) else None,
        "confidence": number(item.get("confidence")),
        "bbox": canonical_box(first(item, "bbox"), facts, "xyxy"),
        "direction": item.get("direction") if isinstance(item.get("direction"), list) else None,
    }


def _expression(item: Record, facts: MediaFacts, extracted: bool) -> dict[str, JsonValue] | None:
    stamped = emotion_of({**item, **_stamped(item, facts, extracted)}, facts)
    if "frame_number" not in item:
        del stamped["frame_number"]
    return stamped if canonical_emotion(str(stamped["emotion"])) is not None else None


def _presence(out: Record, metadata: Record) -> dict[str, JsonValue]:
    """Frames with a pose or a face, where the file does not say; None when the frames were not counted."""
    people = {item["timestamp"] for kind in ("poses", "faces") for item in records(out[kind])}
    frames = number(first(metadata, "frames_analyzed", "total_frames"))
    given, share = number(out.get("frames_with_people")), number(out.get("presence_percentage"))
    counted = len(people) if given is None else int(given)
    if share is None and frames:
        share = min(100.0, 100.0 * counted / frames)
    return {"frames_with_people": counted, "presence_percentage": share}
