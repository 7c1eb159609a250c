"""Overlays against speech, gestures, cuts and sound (docs: analyses, 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np

from rumiai.core.intervals import as_intervals, near, touched
from rumiai.metrics.evidence.types import Evidence, Gesture, Speech, TextTrack
from rumiai.metrics.shared.statistics import mean, mean_known, ratio
from rumiai.metrics.shared.words import content_words
from rumiai.metrics.visual_overlay_analysis.overlays import Overlays
from rumiai.metrics.visual_overlay_analysis.text import spoken_share

Relation = Literal["match", "precedes", "follows", "unrelated"]
Coordination = Literal["aligned", "misaligned", "neutral"]

_MATCH_S: Final = 1.0
_NEAR_S: Final = 5.0
_GESTURE_S: Final = 1.0
_EMPHASIS_S: Final = 0.3
_SAME_SHARE: Final = 0.5
_ALIGNED: Final = ("pointing", "thumbs_up")


class _Spoken:
    """Content words by time."""

    def __init__(self, speech: Speech) -> None:
        self._words = [(w.start_s, content_words(w.text)) for w in speech.words]
        self._starts = np.array([start for start, _ in self._words])
        self._reach = np.maximum.accumulate(speech.word_times_s[:, 1]) if self._words else self._starts

    def between(self, start_s: float, end_s: float) -> set[str]:
        """Content words that overlap the closed window."""
        first = int(np.searchsorted(self._reach, start_s))
        last = int(np.searchsorted(self._starts, end_s, side="right"))
        return {word for _, found in self._words[first:last] for word in found}


@dataclass(frozen=True)
class Sync:
    """How the texts go with what is said and shown."""

    overlays: Overlays
    evidence: Evidence

    @cached_property
    def relations(self) -> list[Relation] | None:
        """How each text stands to the speech; None when speech is unknown."""
        if self.evidence.speech is None:
            return None
        spoken = _Spoken(self.evidence.speech)
        return [self._relation(text, spoken) for text in self.overlays.texts]

    def _relation(self, text: TextTrack, spoken: _Spoken) -> Relation:
        def said(start_s: float, end_s: float) -> bool:
            return spoken_share(text.text, spoken.between(start_s, end_s)) >= _SAME_SHARE

        if said(text.start_s - _MATCH_S, text.end_s + _MATCH_S):
            return "match"
        if said(text.end_s, text.end_s + _NEAR_S):
            return "precedes"
        return "follows" if said(text.start_s - _NEAR_S, text.start_s) else "unrelated"

    @cached_property
    def with_gesture(self) -> list[bool]:
        """Whether each text has a gesture within 1 s."""
        spans = [(g.start_s, g.end_s) for g in self.evidence.gestures or ()]
        texts = self.overlays.text_spans_s
        return [bool(found) for found in touched(spans, texts[:, 0], texts[:, 1], _GESTURE_S)]

    @cached_property
    def coordination(self) -> list[Coordination]:
        """How each text stands to the gestures within 1 s of it; neutral without any."""
        gestures = sorted((g for g in self.evidence.gestures or () if g.kind in _ALIGNED), key=lambda g: g.start_s)
        starts = np.array([g.start_s for g in gestures])
        reach = np.maximum.accumulate(np.array([g.end_s for g in gestures])) if gestures else starts
        result: list[Coordination] = []
        for text in self.overlays.texts:
            first = int(np.searchsorted(reach, text.start_s - _GESTURE_S - 1e-9))
            last = int(np.searchsorted(starts, text.end_s + _GESTURE_S + 1e-9, side="right"))
            close = [g for g in gestures[first:last] if g.end_s >= text.start_s - _GESTURE_S - 1e-9]
            if any(not points_away(g, text) for g in close):
                result.append("aligned")
            else:
                result.append("misaligned" if close else "neutral")
        return result

    @property
    def text_speech(self) -> float | None:
        """Texts whose words are spoken while they stand / texts; None without texts or speech data."""
        return None if self.relations is None else mean([relation == "match" for relation in self.relations])

    @property
    def text_gesture(self) -> float | None:
        """Texts with an aligned gesture / texts with a gesture; None without any of those."""
        if self.evidence.gestures is None:
            return None
        return ratio(self.coordination.count("aligned"), sum(self.with_gesture))

    @property
    def coherence(self) -> float | None:
        """Mean of the two that are known."""
        return mean_known([self.text_speech, self.text_gesture])

    def emphasis(self) -> float | None:
        """Starts within 0.3 s of a cut, an energy rise or a gesture / starts; None without starts or any of these."""
        audio, shots, gestures = self.evidence.audio, self.evidence.shots, self.evidence.gestures
        known = [
            None if shots is None else shots.cuts_s,
            None if audio is None else audio.onsets_s,
            None if gestures is None else np.array([g.start_s for g in gestures]),
        ]
        targets = [found for found in known if found is not None]
        if not targets:
            return None
        return mean(near(self.overlays.starts_s, np.concatenate(targets), _EMPHASIS_S))

    def spoken(self, index: int) -> bool:
        """Whether the words of a text are spoken while it stands."""
        return self.relations is not None and self.relations[index] == "match"

    def moments(self) -> list[dict[str, Any]] | None:
        """All texts with matching speech or a gesture; None when either could not be looked for."""
        if self.relations is None or self.evidence.gestures is None:
            return None
        return [
            {"timestamp": text.start_s, "textContent": text.text, "hasSpeech": self.spoken(i), "hasGesture": gesture}
            for i, (text, gesture) in enumerate(zip(self.overlays.texts, self.with_gesture, strict=True))
            if gesture or self.spoken(i)
        ]

    def cta_matrix(self) -> dict[str, int] | None:
        """Texts with a call to action by what overlaps them in time; None when gestures are unknown."""
        if self.evidence.gestures is None:
            return None
        spans = self.overlays.text_spans_s
        gesture = touched([(g.start_s, g.end_s) for g in self.evidence.gestures], spans[:, 0], spans[:, 1])
        stickers = as_intervals([(s.start_s, s.end_s) for s in self.overlays.stickers])
        sticker = touched(stickers, spans[:, 0], spans[:, 1])
        matrix = dict.fromkeys(("text_only", "text_gesture", "text_sticker", "all_three"), 0)
        for found, with_gesture, with_sticker in zip(self.overlays.ctas, gesture, sticker, strict=True):
            if found:
                key = (
                    "all_three" if with_gesture and with_sticker else "text_gesture" if with_gesture else "text_sticker"
                )
                matrix[key if with_gesture or with_sticker else "text_only"] += 1
        return matrix


def points_away(gesture: Gesture, text: TextTrack) -> bool:
    """Whether a pointing finger points away from the box of the text; False where that cannot be told."""
    if gesture.direction is None or gesture.box is None or text.centre is None:
        return False
    x, y = gesture.box[0] + gesture.box[2] / 2, gesture.box[1] + gesture.box[3] / 2
    dx, dy = text.centre[0] - x, text.centre[1] - y
    return gesture.direction[0] * dx + gesture.direction[1] * dy < 0
