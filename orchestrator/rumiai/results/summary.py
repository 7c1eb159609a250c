"""What a person wants to see of one video at a glance, taken from its unified analysis."""

from __future__ import annotations

from typing import Any, Final

from rumiai.contracts.services import OcrData, PeopleData, ScenesData, WhisperData, YoloData
from rumiai.contracts.timeline import UnifiedAnalysis

# More would not fit a line of the terminal.
_MOST_TEXTS: Final = 6
_MOST_OBJECTS: Final = 6
_PERSON: Final = "person"


def summarise(analysis: UnifiedAnalysis) -> dict[str, Any]:
    """Duration, shots, words, first sentence, on-screen texts, objects and people.

    Returns:
        JSON types; a member whose service has no data is null.
    """
    return {
        "duration_s": round(analysis.duration_s, 3),
        "size": [analysis.metadata.get("width"), analysis.metadata.get("height")],
        "fps": analysis.metadata.get("fps"),
        **_shots(analysis.get(ScenesData)),
        **_speech(analysis.get(WhisperData)),
        **_texts(analysis.get(OcrData)),
        **_objects(analysis.get(YoloData)),
        **_people(analysis.get(PeopleData)),
    }


def _shots(data: ScenesData | None) -> dict[str, Any]:
    return {"shots": data.total_scenes if data else None, "cuts_s": list(data.changes_s) if data else None}


def _speech(data: WhisperData | None) -> dict[str, Any]:
    if data is None:
        return {"words": None, "language": None, "first_sentence": None}
    first = data.segments[0].text if data.segments else None
    return {"words": len(data.text.split()), "language": data.language, "first_sentence": first}


def _texts(data: OcrData | None) -> dict[str, Any]:
    if data is None:
        return {"texts": None, "text_count": None}
    shown = [f"{item.text} ({item.start_s:.1f}-{item.end_s:.1f} s)" for item in data.texts]
    return {"texts": shown[:_MOST_TEXTS], "text_count": len(shown)}


def _objects(data: YoloData | None) -> dict[str, Any]:
    """For each class the share of frames that show it; tracks fragment, so they are not counted."""
    if data is None:
        return {"objects": None, "object_class_count": None, "frames_with_person": None}
    frames: dict[str, set[float]] = {}
    for track in data.tracks:
        seen = frames.setdefault(track.class_name, set())
        seen.update(sighting.timestamp_s for sighting in track.frames)
    total = data.metadata.frames_analyzed or 1
    ranked = sorted(frames.items(), key=lambda item: (-len(item[1]), item[0]))
    persons = len(frames.get(_PERSON, ())) / total
    shares = {name: round(len(seen) / total, 3) for name, seen in ranked[:_MOST_OBJECTS]}
    return {"objects": shares, "object_class_count": len(ranked), "frames_with_person": round(persons, 3)}


def _people(data: PeopleData | None) -> dict[str, Any]:
    if data is None:
        return {"presence_percentage": None, "most_faces": None, "gestures": None}
    gestures = sorted({gesture.type for gesture in data.gestures})
    most = max((face.count or 0 for face in data.faces), default=0)
    return {"presence_percentage": data.presence_percentage, "most_faces": most, "gestures": gestures}
