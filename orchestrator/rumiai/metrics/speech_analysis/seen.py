"""The measures of what is seen while somebody speaks, each computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rumiai.core.arrays import Bools, Floats
from rumiai.core.intervals import as_intervals, intersect
from rumiai.metrics.evidence.elements import timed_texts, tones_of
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.shared.spoken_tone import tone_agreement
from rumiai.metrics.shared.statistics import mean_of_several
from rumiai.metrics.shared.voice import face_share_of_speech
from rumiai.metrics.speech_analysis import visual
from rumiai.metrics.speech_analysis.transcript import Transcript, quote_during


@dataclass(frozen=True)
class GestureOnWords:
    """A gesture during speech: its start, kind, the words it goes with, and the share of its time with a word."""

    start_s: float
    kind: str
    words: str
    spoken_share: float


@dataclass(frozen=True)
class SeenMeasures:
    """What is seen of one video while somebody speaks.

    Attributes:
        evidence: Of the video.
        transcript: Of the video.
    """

    evidence: Evidence
    transcript: Transcript

    @cached_property
    def gestures_s(self) -> Floats | None:
        """``(g, 2)`` start and end of the gestures in seconds; ``(0, 2)`` for none, None when unknown."""
        gestures = self.evidence.gestures
        return None if gestures is None else as_intervals([(g.start_s, g.end_s) for g in gestures])

    @cached_property
    def gesture_sync(self) -> float | None:
        """Segments that a gesture overlaps / segments during which people were looked for, 0..1.

        None when gestures are unknown, and without such a segment. Source: docs/analyses.md, speechInteractions,
        ``speechGestureSync``.
        """
        if self.gestures_s is None:
            return None
        return visual.gesture_sync(self.transcript.segment_spans_s[self.looked_at], self.gestures_s)

    @cached_property
    def looked_at(self) -> Bools:
        """``(m,)`` whether people were looked for during at least half of each segment; empty without segments."""
        return visual.seen_segments(self.transcript.segment_spans_s, self.evidence.seen("mediapipe").spans_s)

    @cached_property
    def expression_alignment(self) -> float | None:
        """Segments whose words and face are both positive or both negative / those where both have a tone, 0..1.

        None when expressions are unknown, and when no segment has both. Source: docs/analyses.md, speechInteractions,
        ``speechExpressionAlignment``.
        """
        faces = self.evidence.expressions
        return None if faces is None else tone_agreement(tones_of(self.transcript.speech.segments, faces))

    @cached_property
    def text_overlap(self) -> float | None:
        """Content words of the overlays that are said within 1.5 s of them / content words of the overlays, 0..1.

        None when overlays are unknown, without a content word in them, and without speech. Source: docs/analyses.md,
        speechInteractions, ``speechTextOverlap``.
        """
        texts = self.evidence.texts
        if texts is None or not self.transcript.words:
            return None
        said = visual.times_by_word(timed_texts(self.transcript.words))
        return visual.text_overlap(said, timed_texts(texts))

    @cached_property
    def faces_s(self) -> Floats | None:
        """``(f, 2)`` union of the sampling steps that show a face, seconds; ``(0, 2)`` for none, None when unknown."""
        people = self.evidence.people
        if people is None:
            return None
        seen_s = people.grid.nominal_s[people.faces.per_sample > 0]
        return visual.sampled_spans(seen_s, people.grid.step_s, self.evidence.duration_s)

    @cached_property
    def face_share(self) -> float | None:
        """Seconds with a face during speech / seconds of speech, 0..1; only the time that was looked at counts.

        None when faces are unknown, and without speech in that time. Source: docs/analyses.md, speechInteractions,
        ``faceOnScreenDuringSpeech``.
        """
        if self.faces_s is None:
            return None
        voiced_s = intersect(self.evidence.voiced_or_silent_s, self.evidence.seen("mediapipe").spans_s)
        return face_share_of_speech(voiced_s, self.faces_s)

    @property
    def coherence(self) -> float | None:
        """How well speech and picture go together: mean of the shares for gestures, face, overlays and camera, 0..1.

        The mean is over those that are known; None with fewer than two. Source: docs/analyses.md, speechInteractions,
        ``verbalVisualCoherence``.
        """
        return mean_of_several([self.gesture_sync, self.expression_alignment, self.text_overlap, self.face_share])

    @cached_property
    def off_camera(self) -> Bools | None:
        """``(m,)`` whether each segment shows a face in less than 20 % of its time.

        False for a segment during which people were not looked for; None when faces are unknown.
        Source: docs/analyses.md, speechKeyEvents, ``offCameraSpeechSegments``.
        """
        if self.faces_s is None:
            return None
        return visual.off_camera(self.transcript.segment_spans_s, self.faces_s) & self.looked_at

    @cached_property
    def gestures_on_words(self) -> list[GestureOnWords] | None:
        """Gestures during words with up to six words that they go with, in the order of the gestures.

        The words are those of the last segment that has begun when the gesture ends. Empty for none; None when gestures
        are unknown. Source: docs/analyses.md, speechInteractions, ``multimodalEmphasis``.
        """
        if self.gestures_s is None:
            return None
        shares = visual.spoken_share(self.gestures_s, self.transcript.word_spans_s).tolist()
        places = visual.last_segments(self.transcript.segment_spans_s, self.gestures_s)
        found = []
        for gesture, share, index in zip(self.evidence.gestures or (), shares, places, strict=True):
            if index is None or share <= 0:
                continue
            words = quote_during(self.transcript.segments[index], gesture.start_s, gesture.end_s)
            if words:
                start_s = min(gesture.start_s, self.evidence.duration_s)
                found.append(GestureOnWords(start_s, gesture.kind, words, share))
        return found
