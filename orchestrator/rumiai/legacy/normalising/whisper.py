"""Whisper: segments of any shape to canonical segments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.timeline import Timestamp
from rumiai.core.json_values import JsonValue
from rumiai.core.numbers import number
from rumiai.core.text import joined
from rumiai.legacy.normalising.common import (
    Record,
    failure,
    first,
    listed,
    metadata_of,
    records,
    without,
)

# "(chimes)", "[Music]", "*applause*": a sound is named, nothing is said.
_SOUND_TAG: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|\uff08[^\uff08\uff09]*\uff09|\*[^*]*\*")
_NODE: Final = "speechTranscriptions"


def normalise_whisper(data: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """Canonical transcript: items without start, end or text are dropped and counted, sound tags set apart."""
    given = listed(data, "segments", "transcription")
    if not given and (node := listed(data, _NODE)):
        given = [_from_node(item) for item in node]
    if given is None:
        return failure(data, facts)
    metadata = metadata_of(data, MediaFacts(), answered=True)
    if not metadata["processed"]:
        return {"metadata": metadata}
    read = [segment for item in given if (segment := _segment(item)) is not None]
    if dropped := len(given) - len(read):
        metadata["segments_dropped"] = dropped
    spoken = [segment for segment in read if _says_something(str(segment["text"]))]
    sounds = [segment for segment in read if not _says_something(str(segment["text"]))]
    for place, segment in enumerate(spoken):
        segment["id"] = place
    text = data.get("text")
    if not isinstance(text, str) or sounds or (not text.strip() and spoken):
        text = joined(str(segment["text"]) for segment in spoken)
    non_speech = [without(item) for item in records(data.get("non_speech"))] + sounds
    result = data.get("result")
    language = first(data, "language") or (result.get("language") if isinstance(result, Mapping) else None)
    duration = number(data.get("duration"))
    last_s = max((number(segment["end"]) or 0.0 for segment in spoken), default=0.0)
    return {
        **without(data, "metadata", "segments", "transcription", "result", _NODE, "transcript", "wordCount"),
        "text": text,
        "segments": spoken,
        **({"non_speech": non_speech} if non_speech else {}),
        "language": str(language) if language else "unknown",
        "duration": duration if duration is not None else last_s,
        "metadata": metadata,
    }


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in _SOUND_TAG.sub("", text))


def _segment(item: Record) -> dict[str, JsonValue] | None:
    offsets = item.get("offsets")
    if isinstance(offsets, Mapping):  # whisper.cpp, in milliseconds
        start, end = (None if (ms := number(offsets.get(key))) is None else ms / 1000 for key in ("from", "to"))
    else:
        start, end = _seconds(first(item, "start", "start_time")), _seconds(first(item, "end", "end_time"))
    text = item.get("text")
    if start is None or end is None or not isinstance(text, str) or not text.strip():
        return None
    words = [word for entry in records(item.get("words")) if (word := _word(entry)) is not None]
    return {
        **without(item, "start", "end", "start_time", "end_time", "offsets", "timestamps", "text", "words", "tokens"),
        "start": start,
        "end": end,
        "text": text.strip(),
        "confidence": number(item.get("confidence")),
        "words": words,
    }


def _word(item: Record) -> dict[str, JsonValue] | None:
    start, end = _seconds(first(item, "start", "startTime")), _seconds(first(item, "end", "endTime"))
    text = first(item, "word", "text")
    if start is None or end is None or not isinstance(text, str) or not text.strip():
        return None
    return {
        **without(item, "startTime", "endTime", "confidence", "text"),
        "word": text.strip(),
        "start": start,
        "end": end,
        "probability": number(first(item, "probability", "confidence")),
    }


def _from_node(item: Record) -> dict[str, JsonValue]:
    alternatives = records(item.get("alternatives"))
    best: Record = alternatives[0] if alternatives else {}
    words = records(best.get("words"))
    confidence = number(best.get("confidence"))
    return {
        "start": first(words[0], "startTime", "start") if words else first(item, "start", "startTime"),
        "end": first(words[-1], "endTime", "end") if words else first(item, "end", "endTime"),
        "text": best.get("transcript"),
        # The Node service added 1.5 to a log-probability: above 1 it says nothing.
        "confidence": confidence if confidence is not None and 0 <= confidence <= 1 else None,
        "words": words,
    }


def _seconds(value: object) -> float | None:
    stamp = Timestamp.from_value(value)
    return None if stamp is None else stamp.seconds
