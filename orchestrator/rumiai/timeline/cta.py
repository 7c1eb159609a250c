"""The call-to-action window: the last 15 % of a video, where it asks for something."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

from rumiai.contracts.lexicons import find_ctas
from rumiai.contracts.timeline import Timeline, TimelineEntry, UnifiedAnalysis
from rumiai.core.intervals import length, union
from rumiai.timeline.elements import Element
from rumiai.timeline.entries import is_watermark, timed_words
from rumiai.timeline.moments import clipped, object_counts, text_moments, words_of

_WINDOW_SHARE: Final = 0.15
# Shorter, and a window of a short video holds not one sentence.
_MIN_WINDOW_S: Final = 3.0
_MAX_CTAS: Final = 8
_MAX_FOCUS: Final = 3
_MAX_CONTEXT_CHARS: Final = 100


def window_of(duration_s: float) -> tuple[float, float]:
    """The last 15 % of the video, at least 3 s, or the whole of a shorter one."""
    return max(0.0, duration_s - max(_WINDOW_SHARE * duration_s, _MIN_WINDOW_S)), duration_s


def cta_window(analysis: UnifiedAnalysis, elements: Sequence[Element]) -> dict[str, Any]:
    """The window's markers; numbers whose service failed are null."""
    start, end = window_of(analysis.duration_s)
    timeline = analysis.timeline
    # Closed at the end of the video, as Timeline.in_range is.
    last = math.nextafter(end, math.inf)
    return {
        "time_range": f"{int(start)}-{math.ceil(end)}s",
        "start": start,
        "end": end,
        "cta_appearances": _appearances(timeline, start, end),
        "gesture_sync": _gesture_sync(analysis, start, end),
        "object_focus": [item["class"] for item in object_counts(elements, start, last)[:_MAX_FOCUS]],
        "speech_emphasis": _speech_emphasis(analysis, start, end),
        "text_overlays": text_moments(timeline, start, end),
    }


def _appearances(timeline: Timeline, start_s: float, end_s: float) -> list[dict[str, Any]]:
    """Calls to action, one per phrase and entry, by time; of more than eight the first of every kind go first."""
    found: list[dict[str, Any]] = []
    for entry in timeline.in_range(start_s, end_s, "text", "speech"):
        if is_watermark(entry):
            continue
        context, phrases = words_of(entry), set()
        for time, kind, phrase in _ctas_of(entry):
            # A segment may begin before the window: only what is said in it counts.
            said_before = entry.entry_type == "speech" and time < start_s and bool(timed_words(entry))
            if phrase in phrases or said_before:
                continue
            phrases.add(phrase)
            found.append(
                {
                    "time": time,
                    "timestamp": f"{int(time)}s",
                    "keyword": phrase,
                    "context": clipped(context, _MAX_CONTEXT_CHARS),
                    "type": entry.entry_type,
                    "cta_type": kind,
                }
            )
    found.sort(key=lambda item: (item["time"], item["keyword"], item["type"], item["context"]))
    seen: Counter[str] = Counter()
    ranked = []
    for item in found:
        ranked.append((seen[item["cta_type"]], item["time"], item))
        seen[item["cta_type"]] += 1
    ranked.sort(key=lambda rank: rank[:2])
    return sorted((item for *_, item in ranked[:_MAX_CTAS]), key=lambda item: (item["time"], item["keyword"]))


def _ctas_of(entry: TimelineEntry) -> list[tuple[float, str, str]]:
    """(time, kind, phrase) of each call to action in the entry, at the time of its first word where words are timed."""
    words = timed_words(entry)
    if not words:
        return [(entry.start_s, match.kind, match.phrase) for match in find_ctas(words_of(entry))]
    spelled = [word.word for word in words]
    offsets = [0, *accumulate(len(word) + 1 for word in spelled)]
    return [
        (words[bisect_right(offsets, match.start) - 1].start_s, match.kind, match.phrase)
        for match in find_ctas(" ".join(spelled))
    ]


def _gesture_sync(analysis: UnifiedAnalysis, start_s: float, end_s: float) -> dict[str, Any]:
    """Share of the window's speech segments that a gesture overlaps."""
    timeline = analysis.timeline
    gestures, speech = timeline.in_range(start_s, end_s, "gesture"), timeline.in_range(start_s, end_s, "speech")
    both = analysis.ok("mediapipe") and analysis.ok("whisper")
    together = sum(any(_overlap(segment, gesture) for gesture in gestures) for segment in speech)
    return {
        "gesture_count": len(gestures) if analysis.ok("mediapipe") else None,
        "speech_count": len(speech) if analysis.ok("whisper") else None,
        "sync_ratio": together / len(speech) if both and speech else None,
    }


def _overlap(segment: TimelineEntry, gesture: TimelineEntry) -> bool:
    stop = segment.start_s if segment.end_s is None else segment.end_s
    return gesture.overlaps(segment.start_s, stop)


def _speech_emphasis(analysis: UnifiedAnalysis, start_s: float, end_s: float) -> dict[str, Any]:
    """How much is said in the window; segments and words count by the part of them that lies in it."""
    if not analysis.ok("whisper"):
        return dict.fromkeys(("speech_duration", "word_count", "words_per_second", "segment_count"))
    segments = analysis.timeline.in_range(start_s, end_s, "speech")
    parts = [(max(segment.start_s, start_s), min(segment.end_s or segment.start_s, end_s)) for segment in segments]
    spoken = length(union(parts))
    words = sum(_words_in(segment, start_s, end_s) for segment in segments)
    return {
        "speech_duration": round(spoken, 3),
        "word_count": round(words, 3),
        "words_per_second": round(words / spoken, 3) if spoken > 0 else None,
        "segment_count": len(segments),
    }


def _words_in(segment: TimelineEntry, start_s: float, end_s: float) -> float:
    if words := timed_words(segment):
        # A word belongs to the window that holds its middle.
        return float(sum(start_s <= (word.start_s + word.end_s) / 2 <= end_s for word in words))
    inside = min(segment.end_s or 0.0, end_s) - max(segment.start_s, start_s)
    share = inside / segment.duration_s if segment.duration_s > 0 else 1.0
    return share * len(words_of(segment).split())
