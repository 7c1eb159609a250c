"""The call-to-action window: the last 15 % of a video, where it asks for something."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.contracts.lexicons import find_ctas
from rumiai.contracts.payloads import name_of, segment_of
from rumiai.contracts.services.whisper import Segment, Word
from rumiai.contracts.timeline import Timeline, TimelineEntry, UnifiedAnalysis
from rumiai.core.intervals import length, union
from rumiai.core.joined_words import JoinedWords
from rumiai.core.json_values import JsonValue
from rumiai.timeline.elements import Element
from rumiai.timeline.entries import is_left_out
from rumiai.timeline.looked import Looked
from rumiai.timeline.moments import TextMoment, clipped, listed, moment, object_counts, text_moments

_WINDOW_SHARE: Final = 0.15
# Shorter, and a window of a short video holds not one sentence.
_MIN_WINDOW_S: Final = 3.0
_MAX_CTAS: Final = 8
_MAX_FOCUS: Final = 3
_MAX_CONTEXT_CHARS: Final = 100


@dataclass(frozen=True)
class CallToAction:
    """A phrase that asks for something.

    Attributes:
        time_s: Of its first word where words are timed, else of the text or segment that it stands in.
        phrase: As the lexicon finds it.
        context: What it stands in, at most 100 characters.
        entry_type: ``text`` or ``speech``.
        kind: ``follow``, ``like``, ``buy``, ... of the lexicon.
    """

    time_s: float
    phrase: str
    context: str
    entry_type: str
    kind: str

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        about = {"keyword": self.phrase, "context": self.context, "type": self.entry_type, "cta_type": self.kind}
        return {**moment(self.time_s), **about}


@dataclass(frozen=True)
class GestureSync:
    """Share of the window's speech segments that a gesture overlaps; None where it is not known."""

    gestures: int | None
    segments: int | None
    ratio: float | None

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {"gesture_count": self.gestures, "speech_count": self.segments, "sync_ratio": self.ratio}


@dataclass(frozen=True)
class SpeechEmphasis:
    """How much is said in the window; None where it is not known."""

    spoken_s: float | None = None
    words: float | None = None
    words_per_second: float | None = None
    segments: int | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {
            "speech_duration": self.spoken_s,
            "word_count": self.words,
            "words_per_second": self.words_per_second,
            "segment_count": self.segments,
        }


@dataclass(frozen=True)
class CtaWindow:
    """The window's markers, in the order of the file; None where nothing looked, ``sync`` where it was left out."""

    start_s: float
    end_s: float
    calls: Sequence[CallToAction] | None
    sync: GestureSync | None
    focus: Sequence[str] | None
    emphasis: SpeechEmphasis
    texts: Sequence[TextMoment] | None

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {
            "time_range": f"{int(self.start_s)}-{math.ceil(self.end_s)}s",
            "start": self.start_s,
            "end": self.end_s,
            "cta_appearances": listed(self.calls),
            **({} if self.sync is None else {"gesture_sync": self.sync.to_dict()}),
            "object_focus": None if self.focus is None else list(self.focus),
            "speech_emphasis": self.emphasis.to_dict(),
            "text_overlays": listed(self.texts),
        }


def window_of(duration_s: float) -> tuple[float, float]:
    """The last 15 % of the video, at least 3 s, or the whole of a shorter one."""
    return max(0.0, duration_s - max(_WINDOW_SHARE * duration_s, _MIN_WINDOW_S)), duration_s


def cta_window(analysis: UnifiedAnalysis, elements: Sequence[Element], looked: Looked) -> CtaWindow:
    """The window's markers; None where the service has no data or looked at nothing of the window."""
    start, end = window_of(analysis.duration_s)
    timeline = analysis.timeline
    # Closed at the end of the video, as Timeline.in_range is.
    objects = object_counts(elements, start, math.nextafter(end, math.inf))[:_MAX_FOCUS]
    return CtaWindow(
        start_s=start,
        end_s=end,
        calls=looked.known(_appearances(timeline, start, end), start, end, "text", "speech"),
        sync=_gesture_sync(timeline, looked, start, end),
        focus=looked.known([item.class_name for item in objects], start, end, "object"),
        emphasis=_speech_emphasis(timeline, start, end) if looked.at_all(start, end, "speech") else SpeechEmphasis(),
        texts=looked.known(text_moments(timeline, start, end), start, end, "text"),
    )


def _appearances(timeline: Timeline, start_s: float, end_s: float) -> list[CallToAction]:
    """Calls to action, one per phrase and entry, by time; of more than eight the first of every kind go first."""
    entries = [entry for entry in timeline.in_range(start_s, end_s, "text", "speech") if not is_left_out(entry)]
    found = [call for entry in entries for call in _calls_in(entry, start_s)]
    found.sort(key=lambda call: (call.time_s, call.phrase, call.entry_type, call.context))
    seen: Counter[str] = Counter()
    ranked = []
    for call in found:
        ranked.append((seen[call.kind], call.time_s, call))
        seen[call.kind] += 1
    ranked.sort(key=lambda rank: rank[:2])
    return sorted((call for *_, call in ranked[:_MAX_CTAS]), key=lambda call: (call.time_s, call.phrase))


def _calls_in(entry: TimelineEntry, start_s: float) -> list[CallToAction]:
    """The entry's calls to action, each phrase once."""
    words = (segment_of(entry).words or ()) if entry.entry_type == "speech" else ()
    said = name_of(entry)
    context = clipped(said, _MAX_CONTEXT_CHARS)
    if not words:
        timed = [(entry.start_s, match.kind, match.phrase) for match in find_ctas(said)]
    else:
        # A segment may begin before the window: only what is said in it counts.
        timed = [call for call in _timed_ctas(words) if call[0] >= start_s]
    first = {phrase: (time_s, kind) for time_s, kind, phrase in reversed(timed)}
    return [CallToAction(time_s, phrase, context, entry.entry_type, kind) for phrase, (time_s, kind) in first.items()]


def _timed_ctas(words: Sequence[Word]) -> list[tuple[float, str, str]]:
    """(time, kind, phrase) of each call to action, at the time of its first word."""
    spelled = [word.word for word in words]
    joined = JoinedWords(spelled)
    found = find_ctas(" ".join(spelled))
    return [(words[joined.at(match.start)].start_s, match.kind, match.phrase) for match in found]


def _gesture_sync(timeline: Timeline, looked: Looked, start_s: float, end_s: float) -> GestureSync:
    seen, heard = looked.at_all(start_s, end_s, "gesture"), looked.at_all(start_s, end_s, "speech")
    gestures, speech = timeline.in_range(start_s, end_s, "gesture"), timeline.in_range(start_s, end_s, "speech")
    together = sum(any(_overlap(segment, gesture) for gesture in gestures) for segment in speech)
    return GestureSync(
        gestures=len(gestures) if seen else None,
        segments=len(speech) if heard else None,
        ratio=together / len(speech) if seen and heard and speech else None,
    )


def _overlap(segment: TimelineEntry, gesture: TimelineEntry) -> bool:
    stop = segment.start_s if segment.end_s is None else segment.end_s
    return gesture.overlaps(segment.start_s, stop)


def _speech_emphasis(timeline: Timeline, start_s: float, end_s: float) -> SpeechEmphasis:
    """Speech in the window; segments and words at its edge count in part."""
    segments = timeline.in_range(start_s, end_s, "speech")
    parts = [(max(segment.start_s, start_s), min(segment.end_s or segment.start_s, end_s)) for segment in segments]
    spoken = length(union(parts))
    words = sum(_words_in(entry, segment_of(entry), start_s, end_s) for entry in segments)
    return SpeechEmphasis(
        spoken_s=round(spoken, 3),
        words=round(words, 3),
        words_per_second=round(words / spoken, 3) if spoken > 0 else None,
        segments=len(segments),
    )


def _words_in(entry: TimelineEntry, segment: Segment, start_s: float, end_s: float) -> float:
    if segment.words:
        # A word belongs to the window that holds its middle.
        return float(sum(start_s <= (word.start_s + word.end_s) / 2 <= end_s for word in segment.words))
    inside = min(entry.end_s or 0.0, end_s) - max(entry.start_s, start_s)
    share = inside / entry.duration_s if entry.duration_s > 0 else 1.0
    return share * len(segment.text.split())
