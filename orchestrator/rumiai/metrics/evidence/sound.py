"""What the metric families read of the sound: the transcript and the energy, as typed, sorted values.

Times are float seconds from the start of the video.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rumiai.core.arrays import Floats, freeze_arrays
from rumiai.core.intervals import as_intervals
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.voice import loud_spans


@dataclass(frozen=True)
class Word:
    """A spoken word; ``timed`` is False when its time is a share of its segment's."""

    text: str
    start_s: float
    end_s: float
    probability: float | None
    timed: bool


@dataclass(frozen=True)
class Segment:
    """A stretch of transcript; its words are in the order in which they are spoken."""

    start_s: float
    end_s: float
    text: str
    confidence: float | None
    words: tuple[Word, ...]

    @property
    def timed(self) -> bool:
        """Whether any of its words has a time of its own."""
        return any(word.timed for word in self.words)


@dataclass(frozen=True)
class Speech:
    """The transcript.

    Attributes:
        text: All that is said.
        language: ISO code; None when it is not known.
        has_audio: Whether the video has sound.
        segments: By start.
        lost_s: Seconds of speech that was heard and could not be decoded.
        doubtful_language: Whether it may be written down in a language that is not the one spoken.
    """

    text: str
    language: str | None
    has_audio: bool
    segments: tuple[Segment, ...]
    lost_s: float = 0.0
    doubtful_language: bool = False

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """All words by start."""
        return tuple(sorted((w for s in self.segments for w in s.words), key=lambda w: (w.start_s, w.end_s, w.text)))

    @cached_property
    def word_times_s(self) -> Floats:
        """``(n, 2)`` start and end of every word."""
        return as_intervals([(word.start_s, word.end_s) for word in self.words])

    @property
    def timed_words_s(self) -> Floats:
        """``(n, 2)`` start and end of the words that have times of their own."""
        return as_intervals([(w.start_s, w.end_s) for segment in self.segments for w in segment.words if w.timed])

    @property
    def untimed_segments_s(self) -> Floats:
        """``(m, 2)`` start and end of the segments without such a word."""
        return as_intervals([(s.start_s, s.end_s) for s in self.segments if not s.timed])


@dataclass(frozen=True)
class Audio:
    """Energy of the sound track; None is not measured.

    Attributes:
        windows: (start, end, level 0..1) of the 5 s windows, by start.
        variance: Of the levels, as the service gives it.
        climax_s: Instant of most energy, seconds.
        burst_pattern: Which third is the loudest, ``steady``, or ``none`` of silence.
        onsets_s: ``(n,)`` instants where the energy rises, ascending.
        beats_s: ``(n,)`` instants of the beats, ascending.
        tempo_bpm: Beats per minute.
        snr_db: Signal to noise, dB.
        silence_ratio: Share of the sound that is silent, 0..1.
        curve: ``(n,)`` linear energy (1.0 is full scale); value k covers ``[k, k + 1) / curve_hz`` seconds.
        curve_hz: Values of the curve per second.
    """

    windows: tuple[tuple[float, float, float], ...]
    variance: float | None
    climax_s: float | None
    burst_pattern: str | None
    onsets_s: Floats | None
    beats_s: Floats | None
    tempo_bpm: float | None
    snr_db: float | None
    silence_ratio: float | None
    curve: Floats | None
    curve_hz: float

    def __post_init__(self) -> None:
        freeze_arrays(
            self, onsets_s=(np.float64, "onsets"), beats_s=(np.float64, "beats"), curve=(np.float64, "values")
        )

    @cached_property
    def loud_s(self) -> Floats | None:
        """``(n, 2)`` union of the sound that is not silent; None without a curve."""
        return None if self.curve is None or not self.curve.size else loud_spans(self.curve, self.curve_hz)

    def per_bin(self, bins: Bins) -> Floats:
        """Mean energy of the sound in each bin.

        Args:
            bins: The one-second bins.

        Returns:
            ``(count,)`` linear energy of the curve; without a curve the level of the 5 s window that the middle of the
            bin lies in. NaN where neither was measured.
        """
        if self.curve is not None and self.curve.size:
            times = (np.arange(self.curve.size) + 0.5) / self.curve_hz
            return bins.means(times[times < bins.duration_s], self.curve[times < bins.duration_s])
        levels = np.full(bins.count, np.nan)
        middles = (bins.edges_s[:-1] + bins.edges_s[1:]) / 2
        for start, end, level in self.windows:
            levels[(middles >= start) & (middles < end)] = level
        return levels
