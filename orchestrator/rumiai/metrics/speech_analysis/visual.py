"""Speech against gestures, faces and overlays (docs: analyses, 5.2 and 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from rumiai.contracts.lexicons import EMOTIONS
from rumiai.core.arrays import Bools, Floats
from rumiai.core.intervals import as_intervals, inside, intersect, length, overlap_s, touched, union
from rumiai.metrics.evidence.types import Segment
from rumiai.metrics.shared.spoken_tone import spoken_tones, tone_agreement
from rumiai.metrics.shared.statistics import clamp, mean, mean_known, ratio
from rumiai.metrics.shared.words import content_words
from rumiai.metrics.speech_analysis.pacing import quote
from rumiai.metrics.speech_analysis.words import Spoken

_OVERLAY_S: Final = 1.5
_OFF_CAMERA: Final = 0.2
_QUOTED_WORDS: Final = 6
_PEAK_INTENSITY: Final = 0.6


@dataclass(frozen=True)
class Visual:
    """What is seen while somebody speaks."""

    spoken: Spoken

    @cached_property
    def gesture_sync(self) -> float | None:
        """Segments that a gesture overlaps / segments; None without either's data, or without segments."""
        gestures, spans = self.spoken.evidence.gestures, self.spoken.segment_spans_s()
        if gestures is None:
            return None
        return mean(touched([(g.start_s, g.end_s) for g in gestures], spans[:, 0], spans[:, 1]))

    @cached_property
    def expression_alignment(self) -> float | None:
        """Segments whose words and face have one tone / those where both have one."""
        faces, speech = self.spoken.evidence.expressions, self.spoken.evidence.speech
        return None if faces is None or speech is None else tone_agreement(spoken_tones(speech.segments, faces))

    @cached_property
    def _words(self) -> dict[str, Floats]:
        """Content words and, by start, the times at which they are said: ``(n, 2)``."""
        found: dict[str, list[tuple[float, float]]] = {}
        for word in self.spoken.speech.words:
            for token in content_words(word.text):
                found.setdefault(token, []).append((word.start_s, word.end_s))
        return {token: np.array(times) for token, times in found.items()}

    @cached_property
    def text_overlap(self) -> float | None:
        """Content words of the overlays said within 1.5 s of them / all; None without such words or without speech."""
        texts = self.spoken.evidence.texts
        if texts is None or not self.spoken.speech.words:
            return None
        said = [
            self._said(token, text.start_s - _OVERLAY_S, text.end_s + _OVERLAY_S)
            for text in texts
            for token in content_words(text.text)
        ]
        return mean(said)

    def _said(self, token: str, start_s: float, end_s: float) -> bool:
        times = self._words.get(token)
        if times is None:
            return False
        index = int(np.searchsorted(times[:, 0], end_s, side="right")) - 1
        return index >= 0 and bool(times[index, 1] >= start_s)

    @cached_property
    def face_spans_s(self) -> Floats | None:
        """Sampling steps that begin with a face, as a union; None where faces are unknown."""
        people = self.spoken.evidence.people
        if people is None:
            return None
        starts = people.grid.nominal_s[people.faces.per_sample > 0]
        return union(np.stack([starts, starts + people.grid.step_s], axis=1), until_s=self.spoken.duration_s)

    @cached_property
    def face_share(self) -> float | None:
        """Time with a face during speech / speech; None without speech or faces' data."""
        if self.face_spans_s is None:
            return None
        share = ratio(length(intersect(self.spoken.voiced_s, self.face_spans_s)), self.spoken.speech_s)
        return None if share is None else clamp(share)

    @property
    def coherence(self) -> float | None:
        """Mean of what is known."""
        return mean_known([self.gesture_sync, self.expression_alignment, self.text_overlap, self.face_share])

    @cached_property
    def _off_camera(self) -> Bools | None:
        if self.face_spans_s is None:
            return None
        spans = self.spoken.segment_spans_s()
        with_face = overlap_s(self.face_spans_s, spans[:, 0], spans[:, 1])
        return np.asarray(with_face < _OFF_CAMERA * (spans[:, 1] - spans[:, 0]))

    def off_camera(self) -> list[dict[str, Any]] | None:
        """Segments of whose time less than 20 % shows a face; None where faces are unknown."""
        if self._off_camera is None:
            return None
        spans = self.spoken.segment_spans_s()
        return [
            {"start": float(start), "end": float(end), "speechContent": segment.text}
            for segment, (start, end), off in zip(self.spoken.segments, spans, self._off_camera, strict=True)
            if off
        ]

    @property
    def speech_only(self) -> float | None:
        """Time of the segments off camera / time of all segments."""
        if self._off_camera is None:
            return None
        lengths = np.diff(self.spoken.segment_spans_s(), axis=1)[:, 0]
        return ratio(float(lengths[self._off_camera].sum()), float(lengths.sum()))

    @cached_property
    def emphasis(self) -> list[dict[str, Any]] | None:
        """Gestures during speech with the words they go with; None where gestures are unknown.

        ``alignment`` is the share of the gesture's time in which a word is spoken.
        """
        gestures = self.spoken.evidence.gestures
        if gestures is None:
            return None
        times = as_intervals([(g.start_s, g.end_s) for g in gestures])
        seconds = overlap_s(union(self.spoken.word_spans_s), times[:, 0], times[:, 1])
        starts, ends = self.spoken.segment_spans_s().T
        # The last segment that has begun when the gesture ends.
        places = np.searchsorted(starts, np.maximum(times[:, 0], times[:, 1] - 1e-9), side="right") - 1
        found = []
        for gesture, spoken_s, index in zip(gestures, seconds.tolist(), places.tolist(), strict=True):
            if spoken_s <= 0 or index < 0 or ends[index] <= gesture.start_s:
                continue
            words = _quoted(self.spoken.segments[index], gesture.start_s, gesture.end_s)
            if words:
                at, share = min(gesture.start_s, self.spoken.duration_s), spoken_s / (gesture.end_s - gesture.start_s)
                found.append({"timestamp": at, "speech": words, "gesture": gesture.kind, "alignment": clamp(share)})
        return found

    @property
    def expression_variety(self) -> float | None:
        """Distinct expressions during speech / 7; None without expression data."""
        faces = self.spoken.evidence.expressions
        if faces is None:
            return None
        voiced = inside(self.spoken.voiced_s, faces.times_s)
        return len({label for label, speaking in zip(faces.labels, voiced, strict=True) if speaking}) / len(EMOTIONS)

    def alignment(self) -> dict[str, Any]:
        """Gestures on words, strong expressions while speaking; nothing measures lips."""
        faces, moments = self.spoken.evidence.expressions, self.emphasis
        peaks = None
        if faces is not None:
            strong = inside(self.spoken.voiced_s, faces.times_s) & (faces.intensities > _PEAK_INTENSITY)
            peaks = [{"timestamp": float(faces.times_s[i]), "emotion": faces.labels[i]} for i in np.flatnonzero(strong)]
        return {
            "gesture_emphasis_moments": moments,
            "expression_peaks_during_speech": peaks,
            "lip_sync_quality": None,
            "body_language_congruence": mean_known([self.gesture_sync, self.expression_alignment]),
        }


def _quoted(segment: Segment, start_s: float, end_s: float) -> str | None:
    """The first words of a segment that a gesture overlaps; None for none."""
    overlapped = [i for i, word in enumerate(segment.words) if word.start_s < end_s and word.end_s > start_s]
    return quote(segment, overlapped[0], min(overlapped[-1] + 1, overlapped[0] + _QUOTED_WORDS)) if overlapped else None
