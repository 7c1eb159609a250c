"""What is said and when: words, pauses and voiced time (docs: analyses, 5.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.core.intervals import as_intervals, complement, covered_until, length, union
from rumiai.metrics.evidence.types import Evidence, Segment, Speech, Word
from rumiai.metrics.shared.bins import windows_of
from rumiai.metrics.shared.statistics import balance, mean, mean_known, ratio
from rumiai.metrics.shared.words import tokens, word_count

WINDOW_S: Final = 5.0
PAUSE_S: Final = 0.5
SILENCE_S: Final = 1.0
_PRESENT_COVERAGE: Final = 0.1
_PRESENT_WORDS: Final = 5
_FRONT_SHARE: Final = 0.2
_MUMBLED: Final = 0.6
_SPOKEN_S: Final = 0.5  # voiced seconds of a window with speech: a word's end that runs into it is none
_EPSILON_S: Final = 1e-9


@dataclass(frozen=True)
class Spoken:
    """The transcript of one video; all times lie within it."""

    transcript: Speech
    evidence: Evidence

    @cached_property
    def speech(self) -> Speech:
        """The transcript; words without times of their own are as it spells them, so that they can be quoted."""
        segments = [s if s.timed else replace(s, words=spelled(s)) for s in self.transcript.segments]
        return replace(self.transcript, segments=tuple(segments))

    @property
    def duration_s(self) -> float:
        """Length of the video."""
        return self.evidence.duration_s

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Stretches of the transcript."""
        return self.speech.segments

    @cached_property
    def text(self) -> str:
        """The transcript."""
        # By time: segments of one instant may stand in any order in the file.
        return " ".join(segment.text for segment in self.segments) or self.speech.text.strip()

    @cached_property
    def tokens(self) -> list[str]:
        """Words in order, lower case, without punctuation."""
        return tokens(self.text)

    @cached_property
    def total_words(self) -> int:
        """Words with a letter or digit; in scripts without blanks one per 1.7 characters."""
        return word_count(self.text)

    @cached_property
    def vocabulary(self) -> list[str]:
        """Words to be compared: the tokens; in scripts without blanks what the transcript counts as words."""
        if len(self.tokens) == self.total_words:
            return self.tokens
        return [token for word in self.speech.words for token in tokens(word.text)] or self.tokens

    @property
    def diversity(self) -> float | None:
        """Distinct / all words; None without words."""
        return ratio(len(set(self.vocabulary)), len(self.vocabulary)) if self.total_words else None

    @property
    def unique_words(self) -> int:
        """Distinct words; in scripts without blanks their share of the words as they are counted."""
        share = self.diversity
        return 0 if share is None else round(share * self.total_words)

    @cached_property
    def word_spans_s(self) -> Floats:
        """``(n, 2)`` start and end of the words by start, within the video."""
        return np.clip(self.speech.word_times_s, 0.0, self.duration_s)

    @cached_property
    def weights(self) -> Floats:
        """``(n,)`` how many words each timed word counts for; their sum is the total."""
        counts = np.array([word_count(word.text) for word in self.speech.words], dtype=np.float64)
        total = counts.sum()
        return counts * (self.total_words / total) if total else counts

    @property
    def timed(self) -> bool:
        """Whether the words have times of their own."""
        return any(word.timed for word in self.speech.words)

    def segment_spans_s(self) -> Floats:
        """``(m, 2)`` start and end of the segments, within the video."""
        return np.clip(as_intervals([(s.start_s, s.end_s) for s in self.segments]), 0.0, self.duration_s)

    @cached_property
    def voiced_s(self) -> Floats:
        """Union of the voiced time."""
        voiced = self.evidence.voiced_s
        assert voiced is not None  # there is a transcript
        return voiced

    @property
    def speech_s(self) -> float:
        """Voiced seconds."""
        return length(self.voiced_s)

    @property
    def coverage(self) -> float:
        """Voiced seconds / duration."""
        return min(1.0, self.speech_s / self.duration_s)

    @property
    def present(self) -> bool:
        """Whether there is enough speech to be described: 10 % of the time and five words."""
        return self.coverage >= _PRESENT_COVERAGE and self.total_words >= _PRESENT_WORDS

    @property
    def words_per_minute(self) -> float:
        """Words per minute of speech; 0 without speech."""
        return 60 * self.total_words / self.speech_s if self.speech_s else 0.0

    @cached_property
    def _covered_s(self) -> Floats:
        return union(self.word_spans_s, until_s=self.duration_s)

    @cached_property
    def pauses_s(self) -> Floats:
        """``(p, 2)`` gaps of 0.5 s or more between words."""
        spans = self._covered_s
        gaps = np.stack([spans[:-1, 1], spans[1:, 0]], axis=1)
        long: Floats = gaps[gaps[:, 1] - gaps[:, 0] >= PAUSE_S - _EPSILON_S]
        return long

    @cached_property
    def silences_s(self) -> Floats:
        """``(q, 2)`` stretches of 1 s or more without a word, before the first and after the last included."""
        gaps = complement(self._covered_s, self.duration_s)
        long: Floats = gaps[gaps[:, 1] - gaps[:, 0] >= SILENCE_S - _EPSILON_S]
        return long

    @cached_property
    def windows_s(self) -> Floats:
        """Edges of the 5 s windows."""
        return windows_of(self.duration_s, WINDOW_S)

    @cached_property
    def window_words(self) -> Floats:
        """Words in each 5 s window, those across a border shared by time."""
        return np.diff(self.words_until(self.windows_s))

    def words_until(self, times_s: Floats) -> Floats:
        """Words before each instant, a word under way by its share."""
        spans, weights = self.word_spans_s, self.weights
        # Breakpoints of a sum of ramps: each word rises from 0 to its weight; an instant one is a step.
        lengths = np.maximum(spans[:, 1] - spans[:, 0], 1e-6)
        slopes = weights / lengths
        points = np.concatenate([spans[:, 0], spans[:, 0] + lengths])
        order = np.argsort(points, kind="stable")
        rate = np.cumsum(np.concatenate([slopes, -slopes])[order])
        points = points[order]
        heights = np.concatenate([[0.0], np.cumsum(rate[:-1] * np.diff(points))])
        if not points.size:
            return np.zeros(len(times_s))
        values: Floats = np.interp(times_s, points, heights, left=0.0, right=float(weights.sum()))
        values = np.where(times_s >= self.duration_s, float(weights.sum()), values)
        return values

    @property
    def window_rates(self) -> Floats:
        """Words per second in each 5 s window."""
        rates: Floats = self.window_words / np.diff(self.windows_s)
        return rates

    @property
    def spoken_rates(self) -> Floats:
        """Words per second of the windows with speech; a last window shorter than half of one says little."""
        enough = np.diff(self.windows_s) >= WINDOW_S / 2
        enough[0] = True
        voiced = np.diff(covered_until(self.voiced_s, self.windows_s)) >= _SPOKEN_S
        rates: Floats = self.window_rates[enough & voiced]
        return rates

    @property
    def acceleration(self) -> float | None:
        """(words of the second half - first) / all, by the words' own times; None without words."""
        if not self.weights.sum():
            return None
        late = self.word_spans_s[:, 0] >= self.duration_s / 2
        return balance(float(self.weights[~late].sum()), float(self.weights[late].sum()))

    @property
    def front_load(self) -> float | None:
        """Words that begin in the first 20 % / words; None without words."""
        early = self.word_spans_s[:, 0] < _FRONT_SHARE * self.duration_s
        return ratio(float(self.weights[early].sum()), float(self.weights.sum()))

    @property
    def confidence(self) -> float | None:
        """Mean confidence of the segments; None where none is known."""
        return mean_known([segment.confidence for segment in self.segments])

    @property
    def clarity(self) -> float | None:
        """Mean confidence of the segments, weighted by their lengths; None where none is known."""
        known = [(s.end_s - s.start_s, s.confidence) for s in self.segments if s.confidence is not None]
        total = sum(seconds for seconds, _ in known)
        return sum(seconds * confidence for seconds, confidence in known) / total if total else None

    def clarity_by_window(self) -> list[float | None]:
        """Mean confidence of the segments that start in each 5 s window."""
        found: list[list[float]] = [[] for _ in range(len(self.windows_s) - 1)]
        for segment in self.segments:
            if segment.confidence is not None:
                index = int(np.searchsorted(self.windows_s, segment.start_s, side="right")) - 1
                found[min(max(index, 0), len(found) - 1)].append(segment.confidence)
        return [mean(confidences) for confidences in found]

    def mumbled(self) -> list[Segment]:
        """Segments whose confidence is known and below 0.6."""
        return [
            segment for segment in self.segments if segment.confidence is not None and segment.confidence < _MUMBLED
        ]

    @cached_property
    def word_counts(self) -> list[int]:
        """Words of each segment."""
        return [word_count(segment.text) for segment in self.segments]


def spelled(segment: Segment) -> tuple[Word, ...]:
    """The words of a segment between its blanks, with equal shares of its time."""
    words = segment.text.split()
    edges = np.linspace(segment.start_s, segment.end_s, len(words) + 1).tolist()
    return tuple(Word(word, a, b, None, False) for word, a, b in zip(words, edges, edges[1:], strict=False))
