"""The measures of one video's speech, each computed once; several blocks and further metrics read the same ones.

Here the evidence is taken apart; the metrics themselves take arrays and values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from rumiai.contracts.lexicons import find_ctas, find_hooks, urgency_level
from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Floats
from rumiai.core.intervals import length, touched
from rumiai.core.text import joined
from rumiai.metrics.evidence.sound import Audio, Segment
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.shared.bins import equal_windows, span, windows_of
from rumiai.metrics.shared.phrases import SpokenPhrase, spoken_phrases
from rumiai.metrics.shared.statistics import clamp, mean_known, ratio
from rumiai.metrics.shared.words import count_among, sentiment
from rumiai.metrics.speech_analysis import energy, manner, pauses, phrases, rate, repetition, wording
from rumiai.metrics.speech_analysis.seen import SeenMeasures
from rumiai.metrics.speech_analysis.transcript import Transcript, bare, mean_confidence

_MUMBLED: Final = 0.6  # confidence


@dataclass(frozen=True)
class SpeechMeasures:
    """Speech of one video.

    Times are seconds from the start of the video. Where nothing else is said, counts are 0 and lists are empty without
    words. Each formula and its source stand at the function that the property calls.

    Attributes:
        evidence: Of the video.
        transcript: Of the video.
    """

    evidence: Evidence
    transcript: Transcript

    @property
    def duration_s(self) -> float:
        """Length of the video, seconds."""
        return self.evidence.duration_s

    @property
    def audio(self) -> Audio | None:
        """Energy, onsets and noise of the sound; None when unknown."""
        return self.evidence.audio

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Segments of the transcript, by start; () for none."""
        return self.transcript.segments

    @cached_property
    def seen(self) -> SeenMeasures:
        """What is seen while somebody speaks, and the measures of it."""
        return SeenMeasures(self.evidence, self.transcript)

    # How much and how fast.

    @property
    def heard(self) -> Observed:
        """When the sound was listened to and could be made out; rates and shares divide by its seconds."""
        return self.evidence.seen("whisper")

    @property
    def lost(self) -> bool:
        """Whether speech was heard that could not be decoded: more than 0 s of it."""
        return self.transcript.speech.lost_s > 0

    @property
    def voiced_s(self) -> Floats:
        """``(v, 2)`` union of the time in which somebody speaks (:func:`voiced_spans`); ``(0, 2)`` for none."""
        return self.evidence.voiced_or_silent_s

    @cached_property
    def speech_s(self) -> float:
        """Seconds in which somebody speaks; 0 for none (speechCoreMetrics, ``speechDuration``)."""
        return length(self.voiced_s)

    @cached_property
    def coverage(self) -> float:
        """Share of the time listened to in which somebody speaks, 0..1; 0 for none."""
        return rate.coverage(self.voiced_s, self.heard.seconds)

    @property
    def present(self) -> bool:
        """Whether there is enough speech to be described: 10 % of the time listened to and five words."""
        return rate.is_speech_present(self.coverage, self.transcript.total_words)

    @cached_property
    def words_per_minute(self) -> float | None:
        """Words per minute of voiced time, at least 0; None without voiced time."""
        return rate.words_per_minute(self.transcript.total_words, self.speech_s)

    @cached_property
    def edges_s(self) -> Floats:
        """``(w + 1,)`` ends of the 5 s windows, seconds; the last may be shorter."""
        return windows_of(self.duration_s, rate.WINDOW_S)

    @property
    def window_labels(self) -> list[str]:
        """The w labels of these windows, ``"a-bs"``."""
        edges = self.edges_s.tolist()
        return [span(start, end) for start, end in pairwise(edges)]

    @cached_property
    def window_rates(self) -> Floats:
        """``(w,)`` words per second of the 5 s windows, 0 without words; NaN where less than half was listened to."""
        rates = rate.window_rates(self.transcript.word_spans_s, self.transcript.word_weights, self.edges_s)
        return np.where(self.heard.windows(self.edges_s), rates, np.nan)

    @cached_property
    def rate_spread(self) -> float | None:
        """Coefficient of variation of the rates of the windows with speech, at least 0; None for fewer than two."""
        return rate.rate_spread(rate.spoken_rates(self.window_rates, self.edges_s, self.voiced_s))

    @cached_property
    def acceleration(self) -> float | None:
        """How much more is said in the second half of the video, -1..1 (:func:`rate.acceleration`)."""
        return rate.acceleration(self.transcript.word_spans_s[:, 0], self.transcript.word_weights, self.heard)

    @property
    def rhythm_type(self) -> rate.RhythmType | None:
        """Rhythm in the words of the older form; None with too little speech, or fewer than two windows with speech."""
        per_minute = 60 * len(self.pauses_s) / self.heard.seconds
        return rate.rhythm_type(self.rate_spread, self.acceleration, per_minute) if self.present else None

    @cached_property
    def pauses_s(self) -> Floats:
        """``(p, 2)`` gaps of 0.5 s or more between words, wholly listened to; ``(0, 2)`` for fewer than two words."""
        return pauses.pauses_between(self.transcript.word_spans_s, self.duration_s, self.heard.spans_s)

    @cached_property
    def pause_lengths_s(self) -> Floats:
        """``(p,)`` lengths of the pauses, seconds."""
        lengths: Floats = self.pauses_s[:, 1] - self.pauses_s[:, 0]
        return lengths

    @cached_property
    def silences_s(self) -> Floats:
        """``(q, 2)`` stretches of 1 s or more that were listened to and hold no word; the video's ends included."""
        return pauses.silences_between(self.transcript.word_spans_s, self.duration_s, self.heard.spans_s)

    def silence_purposes(self) -> list[str | None]:
        """What each of these silences seems to serve (:func:`silence_purpose`).

        Returns:
            q words; None where it depends on texts and gestures that were not both looked for in half of the silence.
        """
        seen = [(text.start_s, text.end_s) for text in self.evidence.texts or ()]
        seen += [(gesture.start_s, gesture.end_s) for gesture in self.evidence.gestures or ()]
        starts_s, ends_s = self.silences_s.T
        shown = touched(seen, starts_s, ends_s).tolist()
        asked = np.all(
            [self.evidence.seen(name).around(starts_s, ends_s, 0.0) for name in ("ocr", "mediapipe")], axis=0
        )
        return [
            pauses.silence_purpose(start_s, end_s, self.duration_s, shown=there or (False if known else None))
            for (start_s, end_s), there, known in zip(self.silences_s.tolist(), shown, asked.tolist(), strict=True)
        ]

    # How surely it was recognised.

    @property
    def confidences(self) -> list[float | None]:
        """The recogniser's confidence in each segment, 0..1; None when unknown."""
        return [segment.confidence for segment in self.segments]

    @cached_property
    def confidence(self) -> float | None:
        """Mean confidence of the segments, 0..1, each weighing the same; None when none is known."""
        return mean_known(self.confidences)

    @cached_property
    def clarity(self) -> float | None:
        """Confidence of the segments weighted by their lengths, 0..1; None when none is known."""
        return mean_confidence(self.confidences, [s.end_s - s.start_s for s in self.segments])

    @cached_property
    def mumbled(self) -> list[tuple[Segment, float]]:
        """Segments whose confidence is known and below 0.6, with it; empty for none."""
        return [(s, s.confidence) for s in self.segments if s.confidence is not None and s.confidence < _MUMBLED]

    # The sound.

    @cached_property
    def voiced_energy(self) -> energy.VoicedEnergy | None:
        """Linear energy inside the speech, 1.0 at full scale; None without an energy curve, empty without speech."""
        audio = self.audio
        if audio is None or audio.curve is None or not audio.curve.size:
            return None
        return energy.voiced_energy(audio.curve, audio.curve_hz, self.voiced_s)

    @cached_property
    def stressed_words(self) -> list[int] | None:
        """Indices of up to ten words on which the energy peaks; None without energy curve or times of words."""
        if self.voiced_energy is None or (self.transcript.words and not self.transcript.timed):
            return None
        return energy.stressed_words(self.voiced_energy, self.transcript.word_spans_s)

    @cached_property
    def climax(self) -> energy.Climax | None:
        """The loudest instant of the speech; None without energy curve, speech or any sound."""
        if self.voiced_energy is None or self.audio is None or self.audio.curve is None:
            return None
        return energy.energy_climax(self.voiced_energy, float(self.audio.curve.max()))

    @cached_property
    def bursts(self) -> list[energy.Burst]:
        """Segments that are spoken fast and 5 s windows that are loud, by start.

        Without energy only the former; without a rate of the whole nothing is fast.
        """
        windows = () if self.audio is None else self.audio.windows
        spans_s, words = self.transcript.segment_spans_s, self.transcript.segment_words
        usual_wpm = self.words_per_minute
        found = [] if usual_wpm is None else energy.rapid_segments(spans_s, words, usual_wpm, windows)
        for start_s, end_s, level in energy.loud_windows(windows, self.duration_s):
            found.append(energy.Burst(start_s, end_s, self._words_within(start_s, end_s), level, "high_energy"))
        return sorted(found, key=lambda burst: (burst.start_s, burst.end_s, burst.kind))

    def _words_within(self, start_s: float, end_s: float) -> float:
        words_s, weights = self.transcript.word_spans_s, self.transcript.word_weights
        before, after = rate.words_until(words_s, weights, np.array([start_s, end_s]), self.duration_s)
        return float(after - before)

    @cached_property
    def burst_pattern(self) -> energy.BurstPattern | None:
        """Where the bursts lie, by their mean start; "none" without any.

        None without any where no energy tells whether there is a loud one, and where less than half of a half of the
        video was listened to: the bursts of the rest may lie anywhere.
        """
        if not self.heard.windows(equal_windows(self.duration_s, 2)).all() or not (self.bursts or self.audio):
            return None
        return energy.burst_pattern([burst.start_s for burst in self.bursts], self.duration_s)

    # The wording.

    @cached_property
    def diversity(self) -> float | None:
        """Distinct words / words, in (0, 1]; None without words. It falls with the length of the text."""
        return wording.type_token_ratio(self.transcript.vocabulary) if self.transcript.total_words else None

    @property
    def unique_words(self) -> int:
        """Number of distinct words; in scripts without blanks their share of the words as they are counted."""
        return 0 if self.diversity is None else round(self.diversity * self.transcript.total_words)

    @cached_property
    def fillers(self) -> int:
        """Number of fillers ("um", "you know", "like" where it fills)."""
        return wording.filler_count(self.transcript.tokens, self.transcript.text)

    @property
    def filler_share(self) -> float | None:
        """Fillers / words, 0..1; None without words."""
        return ratio(self.fillers, self.transcript.total_words)

    @cached_property
    def direct_address(self) -> int:
        """How often the listener is addressed: you, your, you're, you'll, you've."""
        return count_among(self.transcript.tokens, wording.ADDRESS_WORDS)

    @cached_property
    def inclusive_share(self) -> float | None:
        """we, us, our, let's / words, 0..1; None without words."""
        return ratio(count_among(self.transcript.tokens, wording.INCLUSIVE_WORDS), self.transcript.total_words)

    @cached_property
    def sentences(self) -> list[str]:
        """Sentences of the transcript with their end marks; its segments where it has no end mark."""
        return wording.split_sentences(self.transcript.text, [segment.text for segment in self.segments])

    @cached_property
    def questions(self) -> int:
        """Number of sentences that ask."""
        return wording.question_count(self.sentences)

    @cached_property
    def repeated(self) -> list[repetition.RepeatedPhrase]:
        """Phrases of two or three words that are said more than once, the most frequent first."""
        return repetition.repeated_phrases([token for token, _ in self.transcript.token_words])

    def spelled(self, phrase: repetition.RepeatedPhrase) -> str:
        """A repeated phrase as it is first said.

        Args:
            phrase: One of :attr:`repeated`.

        Returns:
            Its words without the punctuation around them; a word of several tokens stands once.
        """
        first, words = phrase.first_token[0], self.transcript.words
        places = dict.fromkeys(i for _, i in self.transcript.token_words[first : first + phrase.size])
        return joined(bare(words[i].text) for i in places)

    def times_of(self, phrase: repetition.RepeatedPhrase) -> list[float]:
        """When a repeated phrase is said.

        Args:
            phrase: One of :attr:`repeated`.

        Returns:
            The start of its first word, seconds, for each saying.
        """
        words, tokens = self.transcript.words, self.transcript.token_words
        return [words[tokens[first][1]].start_s for first in phrase.first_token]

    # Phrases.

    @cached_property
    def hooks(self) -> tuple[SpokenPhrase, ...]:
        """Phrases on the lists of hooks, by start (speechKeyEvents, ``hookPhrases``)."""
        return spoken_phrases(self.segments, find_hooks)

    @cached_property
    def ctas(self) -> tuple[SpokenPhrase, ...]:
        """Phrases on the lists of calls to action, by start (speechKeyEvents, ``ctaPhrases``)."""
        return spoken_phrases(self.segments, find_ctas)

    @cached_property
    def transitions(self) -> tuple[SpokenPhrase, ...]:
        """Phrases that lead to the next thought, by start (speechKeyEvents, ``transitionPhrases``)."""
        return spoken_phrases(self.segments, phrases.find_transitions)

    def starts_of(self, found: Sequence[SpokenPhrase]) -> list[float]:
        """When phrases begin; a recogniser's times may lie beyond the end of the video.

        Args:
            found: Phrases, in any order, which is kept.

        Returns:
            Seconds, within the video; empty for none.
        """
        return [clamp(phrase.start_s, 0.0, self.duration_s) for phrase in found]

    @property
    def opening_strength(self) -> float | None:
        """Strength of the hooks in the first 5 s, 0.5 or 1; None when no listed one is there."""
        return phrases.opening_strength([hook.start_s for hook in self.hooks])

    @cached_property
    def cta_urgencies(self) -> list[phrases.CtaUrgency]:
        """Urgency of each of ``ctas``: by the words around it, else by its place in the video."""
        words = self.transcript.words
        starts_s = np.array([word.start_s for word in words])
        found = []
        for cta in self.ctas:
            context = words[phrases.words_around(starts_s, cta.start_s, cta.end_s)]
            urgency = urgency_level(" ".join(word.text for word in context))
            found.append(phrases.cta_urgency(urgency, cta.start_s, self.duration_s))
        return found

    @cached_property
    def cta_clusters(self) -> list[phrases.Cluster]:
        """Two or more calls to action, each less than 5 s after the one before, by start."""
        return phrases.cta_clusters(self.starts_of(self.ctas))

    # The manner.

    @cached_property
    def listing(self) -> bool:
        """Whether things are counted up: two transitions of the kind "sequence"."""
        return manner.is_listing([transition.kind for transition in self.transitions])

    @cached_property
    def delivery(self) -> manner.Delivery | None:
        """Manner of speaking; "none" when nobody speaks, None with too few words to tell, or lost speech only."""
        if not self.present:
            return None if self.transcript.total_words or self.lost else "none"
        return manner.delivery_style(
            [cta.kind for cta in self.ctas],
            instructs=manner.is_instruction(self.sentences, listing=self.listing),
            narrates=manner.is_narration(self.transcript.tokens),
        )

    @property
    def tone(self) -> manner.Tone | None:
        """Tone of the words and of their pace; None with too few words to tell, and where no rule fits."""
        if not self.present:
            return None
        return manner.tone_category(
            urgent="high" in self.cta_urgencies,
            exclaimed=wording.exclamation_share(self.sentences),
            sentiment=sentiment(self.transcript.text).category,
            words_per_minute=self.words_per_minute,
        )
