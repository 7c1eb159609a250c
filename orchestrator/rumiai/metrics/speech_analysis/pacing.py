"""Pace, pauses, bursts and emphasis of speech (docs: analyses, 5.2 and 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.core.intervals import as_intervals, inside, touched
from rumiai.metrics.evidence.types import Audio, Segment, Word
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.series import local_maxima
from rumiai.metrics.shared.statistics import clamp, cv, mean, ratio
from rumiai.metrics.speech_analysis.words import Spoken

_SLOW, _FAST = 1.8, 3.2  # words per second
_STEADY: Final = 0.2
_FLOWING: Final = 0.15
_TREND: Final = 0.2
_RUSHED_WPM: Final = 180.0
_STRATEGIC_S, _DRAMATIC_S, _AWKWARD_S = 1.0, 2.0, 3.0
_STACCATO: Final = 10.0  # pauses per minute
_ENERGETIC, _RAPID = 1.3, 1.95  # times the mean words per minute
_BURST_S: Final = 2.0
_LOUD_WINDOW: Final = 0.9
_STRESSED: Final = 1.5  # deviations above the mean level of the speech
_MOST_STRESSED: Final = 10
_CLIMAX_WORDS: Final = 3  # on either side of the loudest


@dataclass(frozen=True)
class Pace:
    """How the speech of one video moves in time."""

    spoken: Spoken

    @property
    def audio(self) -> Audio | None:
        """The energy of the sound; None when unknown."""
        return self.spoken.evidence.audio

    def curve(self) -> list[dict[str, Any]]:
        """Words per second of the 5 s windows."""
        edges = self.spoken.windows_s.tolist()
        rates = self.spoken.window_rates.tolist()
        return [
            {"timestamp": span(a, b), "wordsPerSecond": rate, "intensity": intensity(rate)}
            for a, b, rate in zip(edges, edges[1:], rates, strict=False)
        ]

    @cached_property
    def spread(self) -> float | None:
        """Coefficient of variation over the windows with speech; None with fewer than two."""
        rates = self.spoken.spoken_rates
        return cv(rates) if rates.size > 1 else None

    @property
    def rhythm(self) -> str | None:
        """Steady, accelerating, decelerating or variable; None with too little speech."""
        if not self.spoken.present or self.spread is None:
            return None
        if self.spread < _STEADY:
            return "steady"
        change = self.spoken.acceleration or 0.0
        if abs(change) <= _TREND:
            return "variable"
        return "accelerating" if change > 0 else "decelerating"

    @property
    def rhythm_type(self) -> str:
        """The older words: flowing, building, staccato, erratic, none."""
        if not self.spoken.present or self.spread is None:
            return "none"
        if self.spread < _FLOWING:
            return "flowing"
        if (self.spoken.acceleration or 0.0) > _TREND:
            return "building"
        per_minute = 60 * len(self.spoken.pauses_s) / self.spoken.duration_s
        return "staccato" if per_minute >= _STACCATO else "erratic"

    @cached_property
    def pause_lengths_s(self) -> Floats:
        """``(p,)`` lengths of the pauses."""
        pauses = self.spoken.pauses_s
        lengths: Floats = pauses[:, 1] - pauses[:, 0]
        return lengths

    @property
    def pause_pattern(self) -> str | None:
        """By number and lengths of the pauses; None with too little speech."""
        if not self.spoken.present:
            return None
        lengths = self.pause_lengths_s
        if not lengths.size and self.spoken.words_per_minute > _RUSHED_WPM:
            return "rushed"
        if (lengths > _DRAMATIC_S).any():
            return "dramatic"
        return "irregular" if (cv(lengths) or 0.0) > 1 else "natural"

    def pauses(self) -> dict[str, Any]:
        """All pauses by kind; the silence before the first and after the last word apart."""
        spans = self.spoken.word_spans_s
        kinds = [pause_kind(float(length)) for length in self.pause_lengths_s]
        first = float(spans[:, 0].min()) if len(spans) else None
        last = float(spans[:, 1].max()) if len(spans) else None
        return {
            "gaps": [
                {"start": float(start), "duration": float(length), "type": kind}
                for (start, _), length, kind in zip(self.spoken.pauses_s, self.pause_lengths_s, kinds, strict=True)
            ],
            "total_pause_time": float(self.pause_lengths_s.sum()),
            "pause_count": len(kinds),
            "longest_pause_duration": float(self.pause_lengths_s.max(initial=0.0)),
            "strategic_pauses": kinds.count("strategic"),
            "awkward_pauses": kinds.count("awkward"),
            "leading_silence": first,
            "trailing_silence": None if last is None else self.spoken.duration_s - last,
        }

    def silences(self) -> list[dict[str, float]]:
        """Stretches of 1 s or more without a word."""
        return [{"start": float(a), "end": float(b), "duration": float(b - a)} for a, b in self.spoken.silences_s]

    def silent_moments(self) -> list[dict[str, Any]]:
        """The same with what they seem to serve: by place, by what is seen meanwhile, by length."""
        evidence, rows = self.spoken.evidence, self.silences()
        seen = [(t.start_s, t.end_s) for t in evidence.texts or ()]
        seen += [(g.start_s, g.end_s) for g in evidence.gestures or ()]
        spans = as_intervals([(row["start"], row["end"]) for row in rows])
        shown = touched(seen, spans[:, 0], spans[:, 1])
        end_s = self.spoken.duration_s
        return [{**row, "purpose": purpose(row, bool(there), end_s)} for row, there in zip(rows, shown, strict=True)]

    @cached_property
    def bursts(self) -> list[dict[str, Any]]:
        """Segments spoken much faster than the mean, and 5 s windows of high energy, by time."""
        found = []
        usual = self.spoken.words_per_minute
        for segment, words in zip(self.spoken.segments, self.spoken.word_counts, strict=True):
            start, end = segment.start_s, min(segment.end_s, self.spoken.duration_s)
            rate = 60 * words / (end - start) if end - start > _BURST_S else 0.0
            if rate > _ENERGETIC * usual:
                kind = "rapid" if rate > _RAPID * usual else "energetic"
                found.append(_burst(start, end, float(words), self._level((start + end) / 2), kind))
        for start, end, level in self.audio.windows if self.audio is not None else ():
            end = min(end, self.spoken.duration_s)
            if level > _LOUD_WINDOW and end > start:
                words_inside = float(np.diff(self.spoken.words_until(np.array([start, end])))[0])
                found.append(_burst(start, end, words_inside, clamp(level), "high_energy"))
        return sorted(found, key=lambda burst: (burst["start"], burst["end"], burst["type"]))

    def _level(self, time_s: float) -> float | None:
        windows = self.audio.windows if self.audio is not None else ()
        index = int(np.searchsorted([start for start, _, _ in windows], time_s, side="right")) - 1
        return clamp(windows[index][2]) if index >= 0 and time_s < windows[index][1] else None

    def burst_pattern(self) -> str:
        """Where the bursts lie: none, front_loaded, climax or distributed."""
        middle = mean([burst["start"] for burst in self.bursts])
        if middle is None:
            return "none"
        place = middle / self.spoken.duration_s
        return "front_loaded" if place < 0.3 else "climax" if place > 0.7 else "distributed"

    @cached_property
    def _levels(self) -> tuple[Floats, Floats] | None:
        """Instants and levels of the energy curve inside the speech; None where there is no curve."""
        if self.audio is None or self.audio.curve is None or not self.audio.curve.size:
            return None
        times = (np.arange(self.audio.curve.size) + 0.5) / self.audio.curve_hz
        voiced = inside(self.spoken.voiced_s, times)
        return times[voiced], self.audio.curve[voiced]

    def word_at(self, time_s: float) -> int | None:
        """Index among the words of the one that is spoken at an instant; of several the last to begin."""
        spans = self.spoken.word_spans_s
        index = int(np.searchsorted(spans[:, 0], time_s, side="right")) - 1
        return index if index >= 0 and time_s < spans[index, 1] else None

    def emphasis(self) -> list[dict[str, Any]] | None:
        """Words on which the energy peaks, the ten strongest, by time; None without energy or times of words."""
        if self._levels is None or (self.spoken.speech.words and not self.spoken.timed):
            return None
        times, levels = self._levels
        if not levels.size:
            return []
        limit = float(levels.mean() + _STRESSED * levels.std())
        strongest: dict[int, float] = {}
        for peak in local_maxima(levels):
            word = self.word_at(float(times[peak]))
            if word is not None and levels[peak] > limit:
                strongest[word] = max(strongest.get(word, 0.0), float(levels[peak]))
        chosen = sorted(strongest, key=lambda word: (-strongest[word], word))[:_MOST_STRESSED]
        spans, words = self.spoken.word_spans_s, self.spoken.speech.words
        return [
            {"timestamp": float(spans[word, 0]), "word": bare(words[word]), "emphasisType": "volume"}
            for word in sorted(chosen)
        ]

    def climax(self) -> dict[str, Any] | None:
        """The energy peak inside the speech, relative to the loudest of the video; None without words or curve."""
        if self._levels is None or self.audio is None or self.audio.curve is None:
            return None
        times, levels = self._levels
        loudest = float(self.audio.curve.max())
        if not levels.size or loudest <= 0:
            return None
        peak = int(np.argmax(levels))
        text = self._around(float(times[peak]))
        return {"timestamp": float(times[peak]), "text": text, "intensity": clamp(float(levels[peak]) / loudest)}

    def _around(self, time_s: float) -> str:
        """What is said at an instant: a few words of one segment, as they are spoken."""
        segment = min(self.spoken.segments, key=lambda s: (max(s.start_s - time_s, time_s - s.end_s, 0.0), s.start_s))
        if not segment.words:
            return segment.text
        middles = np.array([(word.start_s + word.end_s) / 2 for word in segment.words])
        nearest = int(np.argmin(np.abs(middles - time_s)))
        return quote(segment, max(0, nearest - _CLIMAX_WORDS), nearest + _CLIMAX_WORDS + 1)


def quote(segment: Segment, first: int, stop: int) -> str:
    """Words ``[first, stop)`` of a segment as the transcript has them; one word where it spaces them otherwise."""
    words = [word.text for word in segment.words[first:stop]]
    for joined in (" ".join(words), "".join(words)):
        if joined in segment.text:
            return joined
    return words[len(words) // 2]


def bare(word: Word) -> str:
    """A word without the punctuation around it."""
    return word.text.strip(" \t.,;:!?\"'()[]\u2026\u201c\u201d\u2018\u2019") or word.text


def _burst(start: float, end: float, words: float, energy: float | None, kind: str) -> dict[str, Any]:
    length = end - start
    return {
        "start": start, "end": end, "duration": length, "words": words, "wpm": ratio(60 * words, length),
        "energy": energy, "type": kind,
    }  # fmt: skip


def intensity(words_per_second: float) -> str:
    """Word of a rate."""
    return "low" if words_per_second < _SLOW else "moderate" if words_per_second < _FAST else "high"


def pause_kind(seconds: float) -> str:
    """Breath, strategic, dramatic or awkward."""
    limits = ((_STRATEGIC_S, "breath"), (_DRAMATIC_S, "strategic"), (_AWKWARD_S, "dramatic"))
    return next((word for limit, word in limits if seconds < limit), "awkward")


def purpose(silence: dict[str, float], shown: bool, end_s: float) -> str:
    """What a silence seems to serve."""
    if silence["start"] == 0 and silence["end"] >= end_s:
        return "no_speech"
    if silence["start"] == 0:
        return "opening"
    if silence["end"] >= end_s:
        return "closing"
    return "visual_focus" if shown else f"{pause_kind(silence['duration'])}_pause"
