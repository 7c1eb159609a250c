"""A transcript in the forms that the metrics read: tokens, arrays of times, segments that can be quoted.

Conventions: times are seconds from the start of the video; spans are ``(n, 2)`` arrays of start and end, cut to the
video; words and segments stand in the order of their starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.core.intervals import as_intervals
from rumiai.core.text import joined
from rumiai.metrics.evidence.sound import Segment, Speech, Word
from rumiai.metrics.shared.statistics import mean
from rumiai.metrics.shared.words import tokens, word_count

_CONTEXT_WORDS: Final = 3  # on either side of an instant that is quoted
_QUOTED_WORDS: Final = 6
_PUNCTUATION: Final = " \t.,;:!?\"'()[]\u2026\u201c\u201d\u2018\u2019"


@dataclass(frozen=True)
class Transcript:
    """What is said in one video.

    Attributes:
        speech: The transcript as it was recognised.
        duration_s: Length of the video.
    """

    speech: Speech
    duration_s: float

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Its segments by start; words without times are spelled as in the text, so that they can be quoted."""
        return tuple(s if s.timed else replace(s, words=spelled(s)) for s in self.speech.segments)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """All words by start, those without times of their own included; () without segments."""
        return replace(self.speech, segments=self.segments).words

    @cached_property
    def text(self) -> str:
        """The texts of the segments, joined, by time; without any, the text of the transcript; "" for no speech."""
        return joined(segment.text for segment in self.segments) or self.speech.text.strip()

    @cached_property
    def tokens(self) -> list[str]:
        """Words of the text in order (:func:`tokens`), lower case, without punctuation; empty for none."""
        return tokens(self.text)

    @cached_property
    def total_words(self) -> int:
        """Number of words with a letter or digit; in scripts without blanks one per 1.7 characters. 0 for none.

        Source: docs/analyses.md, speechCoreMetrics, ``totalWords``.
        """
        return word_count(self.text)

    @cached_property
    def vocabulary(self) -> list[str]:
        """Words in a form in which they can be compared; empty for none.

        The tokens of the text; where its script has no blanks, those of the words as the recogniser parts them.
        """
        if len(self.tokens) == self.total_words:
            return self.tokens
        return [token for word in self.words for token in tokens(word.text)] or self.tokens

    @property
    def timed(self) -> bool:
        """Whether any word has a time of its own; False without words."""
        return any(segment.timed for segment in self.speech.segments)

    @cached_property
    def word_spans_s(self) -> Floats:
        """``(n, 2)`` start and end of the words in seconds, by start, cut to the video; ``(0, 2)`` for none."""
        return np.clip(as_intervals([(w.start_s, w.end_s) for w in self.words]), 0.0, self.duration_s)

    @cached_property
    def word_weights(self) -> Floats:
        """``(n,)`` how many words each timed word counts for; their sum is ``total_words``.

        A word in a script without blanks may count for several, a mark for none; zeros when all count for none.
        """
        counts = np.array([word_count(word.text) for word in self.words], dtype=np.float64)
        total = counts.sum()
        return counts * (self.total_words / total) if total else counts

    @cached_property
    def segment_spans_s(self) -> Floats:
        """``(m, 2)`` start and end of the segments in seconds, cut to the video; ``(0, 2)`` for none."""
        return np.clip(as_intervals([(s.start_s, s.end_s) for s in self.segments]), 0.0, self.duration_s)

    @cached_property
    def segment_words(self) -> list[int]:
        """Number of words of each segment, counted as ``total_words``."""
        return [word_count(segment.text) for segment in self.segments]

    @cached_property
    def token_words(self) -> list[tuple[str, int]]:
        """Every token of the words by start: the token, and the index of its word in ``words``."""
        return [(token, i) for i, word in enumerate(self.words) for token in tokens(word.text)]


def spelled(segment: Segment) -> tuple[Word, ...]:
    """Words for a segment whose words have no times: what stands between the blanks of its text.

    Args:
        segment: With its text and its times.

    Returns:
        Words in order, each with an equal share of the segment's time, not timed; () for no text.
    """
    words = segment.text.split()
    edges = np.linspace(segment.start_s, segment.end_s, len(words) + 1).tolist()
    return tuple(Word(word, a, b, None, False) for word, a, b in zip(words, edges, edges[1:], strict=False))


def bare(word: str) -> str:
    """A word without the punctuation around it.

    Args:
        word: As it stands in a text.

    Returns:
        The word; one that is nothing but punctuation stays as it is, and so does "".
    """
    return word.strip(_PUNCTUATION) or word


def quote(segment: Segment, first: int, stop: int) -> str:
    """Words of a segment as its text has them.

    Args:
        segment: A segment with words.
        first: Index of the first word.
        stop: Index behind the last word.

    Returns:
        The words as the text spaces them; the word in the middle where it spaces them in neither known way.
    """
    words = [word.text for word in segment.words[first:stop]]
    for spelling in (" ".join(words), "".join(words)):
        if spelling in segment.text:
            return spelling
    return words[len(words) // 2]


def quote_at(segments: Sequence[Segment], time_s: float) -> str:
    """What is said at an instant: up to seven words of the nearest segment.

    Args:
        segments: At least one segment.
        time_s: The instant, seconds.

    Returns:
        The word whose middle is nearest with three words on either side; the whole text of a segment without words.
    """
    segment = min(segments, key=lambda s: (max(s.start_s - time_s, time_s - s.end_s, 0.0), s.start_s))
    if not segment.words:
        return segment.text
    middles = np.array([(word.start_s + word.end_s) / 2 for word in segment.words])
    nearest = int(np.argmin(np.abs(middles - time_s)))
    return quote(segment, max(0, nearest - _CONTEXT_WORDS), nearest + _CONTEXT_WORDS + 1)


def quote_during(segment: Segment, start_s: float, end_s: float) -> str | None:
    """What is said in a stretch of time.

    Args:
        segment: A segment.
        start_s: Start of the stretch.
        end_s: Its end.

    Returns:
        The first six words of the segment that are under way in it; None when none is.
    """
    overlapped = [i for i, word in enumerate(segment.words) if word.start_s < end_s and word.end_s > start_s]
    if not overlapped:
        return None
    return quote(segment, overlapped[0], min(overlapped[-1] + 1, overlapped[0] + _QUOTED_WORDS))


def mean_confidence(confidences: Sequence[float | None], lengths_s: Sequence[float]) -> float | None:
    """Confidence of the recogniser, each segment weighted by its length.

    Source: docs/analyses.md, speechCoreMetrics, ``speechClarityScore``.

    Args:
        confidences: Of each segment, 0..1; None when unknown.
        lengths_s: Of each segment.

    Returns:
        0..1. None when no confidence is known, or the segments that have one take no time.
    """
    known = [(length, c) for c, length in zip(confidences, lengths_s, strict=True) if c is not None]
    total = sum(length for length, _ in known)
    return sum(length * confidence for length, confidence in known) / total if total else None


def confidence_by_window(
    starts_s: Sequence[float], confidences: Sequence[float | None], edges_s: Floats
) -> list[float | None]:
    """Mean confidence of the segments that start in each window.

    Source: docs/analyses.md, speechQuality, ``clarityByWindow``.

    Args:
        starts_s: Start of each segment.
        confidences: Of each segment, 0..1; None when unknown.
        edges_s: ``(w + 1,)`` ends of the windows.

    Returns:
        One mean per window; None for a window in which no segment of known confidence starts.
    """
    count = len(edges_s) - 1
    found: list[list[float]] = [[] for _ in range(count)]
    for start_s, confidence in zip(starts_s, confidences, strict=True):
        if confidence is not None:
            index = int(np.searchsorted(edges_s, start_s, side="right")) - 1
            found[min(max(index, 0), count - 1)].append(confidence)
    return [mean(window) for window in found]


def longest_segment(segments_s: Floats) -> int | None:
    """Index of the longest segment, the first of equals.

    Args:
        segments_s: ``(m, 2)`` spans of the segments.

    Returns:
        None without segments.
    """
    lengths = np.round(segments_s[:, 1] - segments_s[:, 0], 6)  # differences of equal lengths miss each other by less
    return int(np.argmax(lengths)) if lengths.size else None
