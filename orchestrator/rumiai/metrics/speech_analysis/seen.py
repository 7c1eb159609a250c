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
        """``(g, 2)`` spans of the gestures; None when unknown."""
        gestures = self.evidence.gestures
        return None if gestures is None else as_intervals([(g.start_s, g.end_s) for g in gestures])

    @cached_property
    def gesture_sync(self) -> float | None:
        """Segments that a gesture overlaps / segments; None when gestures are unknown."""
        if self.gestures_s is None:
            return None
        return visual.gesture_sync(self.transcript.segment_spans_s[self.looked_at], self.gestures_s)

    @cached_property
    def looked_at(self) -> Bools:
        """``(m,)`` during which segments people were looked for."""
        return visual.seen_segments(self.transcript.segment_spans_s, self.evidence.seen("mediapipe").spans_s)

    @cached_property
    def expression_alignment(self) -> float | None:
        """Segments whose words and face have one tone / those where both have one."""
        faces = self.evidence.expressions
        return None if faces is None else tone_agreement(tones_of(self.transcript.speech.segments, faces))

    @cached_property
    def text_overlap(self) -> float | None:
        """Content words of the overlays that are said / all; None when overlays are unknown, and without speech."""
        texts = self.evidence.texts
        if texts is None or not self.transcript.words:
            return None
        said = visual.times_by_word(timed_texts(self.transcript.words))
        return visual.text_overlap(said, timed_texts(texts))

    @cached_property
    def faces_s(self) -> Floats | None:
        """``(f, 2)`` union of the time with a face; None when faces are unknown."""
        people = self.evidence.people
        if people is None:
            return None
        seen_s = people.grid.nominal_s[people.faces.per_sample > 0]
        return visual.sampled_spans(seen_s, people.grid.step_s, self.evidence.duration_s)

    @cached_property
    def face_share(self) -> float | None:
        """Time with a face during speech / time of speech; None when faces are unknown."""
        if self.faces_s is None:
            return None
        voiced_s = intersect(self.evidence.voiced_or_silent_s, self.evidence.seen("mediapipe").spans_s)
        return face_share_of_speech(voiced_s, self.faces_s)

    @property
    def coherence(self) -> float | None:
        """Mean of the alignments with gestures, face, overlays and camera that are known, at least two."""
        return mean_of_several([self.gesture_sync, self.expression_alignment, self.text_overlap, self.face_share])

    @cached_property
    def off_camera(self) -> Bools | None:
        """``(m,)`` which segments hardly show a face; None when faces are unknown."""
        if self.faces_s is None:
            return None
        return visual.off_camera(self.transcript.segment_spans_s, self.faces_s) & self.looked_at

    @cached_property
    def gestures_on_words(self) -> list[GestureOnWords] | None:
        """Gestures during speech with the words that they go with; None when gestures are unknown."""
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
