"""Overlays against speech, gestures, cuts and sound.

Source: docs/analyses.md, visual_overlay_analysis. Conventions: spans are ``(n, 2)`` start and end in seconds; a gesture
or a word is near a text when the time between them is at most the tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Bools, Floats, freeze_arrays
from rumiai.core.intervals import as_intervals, chance_within, inside, intersect, near, touched, union
from rumiai.metrics.evidence.sound import Speech
from rumiai.metrics.evidence.types import Evidence, Gesture, TextTrack
from rumiai.metrics.shared.statistics import above_chance, chance_of_hits, mean, ratio
from rumiai.metrics.shared.words import content_words
from rumiai.metrics.visual_overlay_analysis.blocks import MultimodalMoment
from rumiai.metrics.visual_overlay_analysis.overlays import Overlays
from rumiai.metrics.visual_overlay_analysis.text import spoken_share

Relation = Literal["match", "precedes", "follows", "unrelated"]
Coordination = Literal["aligned", "misaligned", "neutral"]

_MATCH_S: Final = 1.0
_NEAR_S: Final = 5.0
_GESTURE_S: Final = 1.0
_EMPHASIS_S: Final = 0.3
_BY_CHANCE: Final = 0.05
_SAME_SHARE: Final = 0.5
_EPSILON_S: Final = 1e-9  # sums of binary fractions miss a border by less
_POINTING: Final = ("pointing", "thumbs_up")  # gestures that can go with a text


class _SpokenWords:
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


def speech_relations(texts: Sequence[TextTrack], speech: Speech, heard: Observed) -> list[Relation | None]:
    """How each text stands to the speech.

    At least half of its content words are spoken: while it stands, give or take 1 s (``match``), in the 5 s after it
    (``precedes``), in the 5 s before it (``follows``); else ``unrelated``.

    Args:
        texts: n text tracks.
        speech: The transcript.
        heard: When the sound was listened to.

    Returns:
        n relations; None for a text without a match of whose time, give or take 1 s, less than half was listened to,
        and for all texts of a video without sound.
    """
    if not speech.has_audio:
        return [None] * len(texts)
    spoken, spans_s = _SpokenWords(speech), as_intervals([(text.start_s, text.end_s) for text in texts])
    asked = heard.around(spans_s[:, 0], spans_s[:, 1], _MATCH_S).tolist()
    found = [_relation(text, spoken) for text in texts]
    return [word if there or word == "match" else None for word, there in zip(found, asked, strict=True)]


def _relation(text: TextTrack, spoken: _SpokenWords) -> Relation:
    def said(start_s: float, end_s: float) -> bool:
        return spoken_share(text.text, spoken.between(start_s, end_s)) >= _SAME_SHARE

    if said(text.start_s - _MATCH_S, text.end_s + _MATCH_S):
        return "match"
    if said(text.end_s, text.end_s + _NEAR_S):
        return "precedes"
    return "follows" if said(text.start_s - _NEAR_S, text.start_s) else "unrelated"


def gesture_relations(
    texts: Sequence[TextTrack], gestures: Sequence[Gesture], looked: Observed
) -> list[Coordination | None]:
    """How each text stands to the pointing fingers and raised thumbs within 1 s of it.

    ``aligned`` when one does not point away from the text, ``misaligned`` when all do, ``neutral`` without any.

    Args:
        texts: n text tracks.
        gestures: Gestures, in any order.
        looked: When gestures were looked for.

    Returns:
        n relations; None for a text without a gesture of whose time, give or take 1 s, less than half was looked at.
    """
    pointing = sorted((g for g in gestures if g.kind in _POINTING), key=lambda g: g.start_s)
    starts = np.array([g.start_s for g in pointing])
    reach = np.maximum.accumulate(np.array([g.end_s for g in pointing])) if pointing else starts
    spans_s = as_intervals([(text.start_s, text.end_s) for text in texts])
    asked = looked.around(spans_s[:, 0], spans_s[:, 1], _GESTURE_S).tolist()
    result: list[Coordination | None] = []
    for text, there in zip(texts, asked, strict=True):
        first = int(np.searchsorted(reach, text.start_s - _GESTURE_S - _EPSILON_S))
        last = int(np.searchsorted(starts, text.end_s + _GESTURE_S + _EPSILON_S, side="right"))
        close = [g for g in pointing[first:last] if g.end_s >= text.start_s - _GESTURE_S - _EPSILON_S]
        if any(not points_away(g, text) for g in close):
            result.append("aligned")
        else:
            result.append("misaligned" if close else "neutral" if there else None)
    return result


def points_away(gesture: Gesture, text: TextTrack) -> bool:
    """Whether a pointing finger points away from a text: by more than 90° from the way to the middle of its box.

    Args:
        gesture: With its box and direction.
        text: With its box.

    Returns:
        False where that cannot be told, without a direction or one of the boxes.
    """
    if gesture.direction is None or gesture.box is None or text.centre is None:
        return False
    x, y = gesture.box[0] + gesture.box[2] / 2, gesture.box[1] + gesture.box[3] / 2
    dx, dy = text.centre[0] - x, text.centre[1] - y
    return gesture.direction[0] * dx + gesture.direction[1] * dy < 0


def emphasis_alignment(starts_s: Floats, targets_s: Sequence[Floats | None], looked_s: Floats) -> float | None:
    """Starts within 0.3 s of a cut, an energy rise or the start of a gesture, above chance: (p - c) / (1 - c).

    p is the share of the starts, c the share of the time in which they can lie that lies so near to a target. Energy
    rises so often that c is mostly 0.7 and more. Source: docs/analyses.md, overlaysInteractions,
    ``visualEmphasisAlignment``; the correction is that of Cohen's kappa, the test a one-sided binomial one.

    Args:
        starts_s: ``(n,)`` starts of overlays.
        targets_s: Instants of each sort; None for a sort that is unknown.
        looked_s: ``(m, 2)`` union of the time in which overlays and any of these were looked for; a start outside of it
            counts for nothing.

    Returns:
        In (0, 1]. None for no starts, when no sort is known, and where chance gives so many hits in 5 % of the cases.
    """
    known = [found for found in targets_s if found is not None]
    targets = np.concatenate(known) if known else np.zeros(0)
    hits = near(starts_s[inside(looked_s, starts_s)], targets, _EMPHASIS_S)
    chance = chance_within(targets, _EMPHASIS_S, looked_s) if targets.size else 1.0
    if not hits.size or chance_of_hits(int(hits.sum()), hits.size, chance) >= _BY_CHANCE:
        return None
    return above_chance(mean(hits), chance)


def cta_matrix(
    text_spans_s: Floats, has_cta: Sequence[bool], gesture_spans_s: Floats, sticker_spans_s: Floats
) -> dict[str, int]:
    """Texts with a call to action by what overlaps them in time.

    Args:
        text_spans_s: ``(n, 2)``.
        has_cta: Whether each of the n texts has a call to action.
        gesture_spans_s: ``(g, 2)``.
        sticker_spans_s: ``(s, 2)``.

    Returns:
        Counts of ``text_only``, ``text_gesture``, ``text_sticker`` and ``all_three``.
    """
    matrix = dict.fromkeys(("text_only", "text_gesture", "text_sticker", "all_three"), 0)
    gestured = touched(gesture_spans_s, text_spans_s[:, 0], text_spans_s[:, 1])
    stickered = touched(sticker_spans_s, text_spans_s[:, 0], text_spans_s[:, 1])
    for cta, gesture, sticker in zip(has_cta, gestured, stickered, strict=True):
        if cta:
            both = "all_three" if sticker else "text_gesture"
            matrix[both if gesture else "text_sticker" if sticker else "text_only"] += 1
    return matrix


def _looked_for_both(overlays: Overlays, evidence: Evidence) -> Floats:
    """``(m, 2)`` union of the time in which overlays, and cuts, sound or gestures, were looked for."""
    others = [evidence.seen(name).spans_s for name in ("scenes", "audio", "mediapipe")]
    return intersect(overlays.observed.spans_s, union(np.concatenate(others)))


@dataclass(frozen=True)
class Sync:
    """How the texts of one video go with what is said and shown; None is unknown.

    Attributes:
        overlays: The overlays.
        relations: Of each text to the speech.
        gestured: ``(texts,)`` whether each text has a gesture within 1 s.
        coordination: Of each text to the gestures.
        gesture_spans_s: ``(g, 2)``.
        emphasis: Share of the starts with a cut, energy rise or gesture, above chance.
    """

    overlays: Overlays
    relations: list[Relation | None] | None
    gestured: Bools | None
    coordination: list[Coordination | None] | None
    gesture_spans_s: Floats | None
    emphasis: float | None

    def __post_init__(self) -> None:
        freeze_arrays(self, gestured=(np.bool_, len(self.overlays.texts)), gesture_spans_s=(np.float64, "g", 2))

    @classmethod
    def of(cls, overlays: Overlays, evidence: Evidence) -> Sync:
        """The overlays of a video against its speech, gestures, cuts and energy rises.

        Args:
            overlays: Texts and stickers.
            evidence: Of the same video.

        Returns:
            The relations; None for what speech or gestures would tell where they are unknown.
        """
        speech, gestures, texts = evidence.speech, evidence.gestures, overlays.text_spans_s
        spans = None if gestures is None else as_intervals([(g.start_s, g.end_s) for g in gestures])
        sorts = (
            None if evidence.shots is None else evidence.shots.cuts_s,
            None if evidence.audio is None else evidence.audio.onsets_s,
            None if spans is None else spans[:, 0],
        )
        return cls(
            overlays=overlays,
            relations=None if speech is None else speech_relations(overlays.texts, speech, evidence.seen("whisper")),
            gestured=None if spans is None else touched(spans, texts[:, 0], texts[:, 1], _GESTURE_S),
            coordination=None
            if gestures is None
            else gesture_relations(overlays.texts, gestures, evidence.seen("mediapipe")),
            gesture_spans_s=spans,
            emphasis=emphasis_alignment(overlays.starts_s, sorts, _looked_for_both(overlays, evidence)),
        )

    @property
    def known_relations(self) -> list[Relation]:
        """Of the texts around whose time the sound was listened to; empty when the speech is unknown."""
        return [relation for relation in self.relations or () if relation is not None]

    @property
    def text_speech(self) -> float | None:
        """Texts whose words are spoken while they stand, give or take 1 s / texts of which that is known, 0..1.

        None without such texts, when the speech is unknown, and without sound. Source: docs/analyses.md,
        overlaysInteractions, ``textSpeechSync``.
        """
        return mean([relation == "match" for relation in self.known_relations])

    @property
    def text_gesture(self) -> float | None:
        """Texts with an aligned gesture / texts with any gesture within 1 s, 0..1.

        None when no text has a gesture, and when gestures are unknown. Source: docs/analyses.md, overlaysInteractions,
        ``overlayGestureCoordination``.
        """
        if self.coordination is None or self.gestured is None:
            return None
        return ratio(self.coordination.count("aligned"), int(self.gestured.sum()))

    def is_spoken(self, index: int) -> bool:
        """Whether the words of a text are spoken while it stands, give or take 1 s.

        Args:
            index: Of the text.

        Returns:
            False, too, when the speech is unknown.
        """
        return self.relations is not None and self.relations[index] == "match"

    def moments(self) -> list[MultimodalMoment] | None:
        """The texts that something reinforces: matching speech, or a gesture within 1 s.

        Source: docs/analyses.md, overlaysInteractions, ``multimodalMoments``.

        Returns:
            All of them, in the order of the texts; empty for none. None when speech or gestures are unknown, also for
            every single text.
        """
        if self.relations is None or self.gestured is None or self.coordination is None:
            return None
        rows = list(zip(self.overlays.texts, self.relations, self.gestured.tolist(), self.coordination, strict=True))
        if rows and not any(relation is not None and way is not None for _, relation, _, way in rows):
            return None
        return [
            MultimodalMoment(
                timestamp=text.start_s,
                text_content=text.text,
                has_speech=None if relation is None else relation == "match",
                has_gesture=None if way is None and not gesture else gesture,
            )
            for text, relation, gesture, way in rows
            if gesture or relation == "match"
        ]

    def cta_matrix(self) -> dict[str, int] | None:
        """Texts with a call to action by what overlaps them in time (:func:`cta_matrix`).

        Source: docs/analyses.md, overlaysInteractions, ``ctaReinforcementMatrix``.

        Returns:
            Number of texts under each of four names, zeros without such texts; a text around which nobody looked for
            gestures counts under none. None when gestures are unknown.
        """
        if self.gesture_spans_s is None:
            return None
        overlays = self.overlays
        known = self.coordination or [None] * len(overlays.texts)
        has_cta = [bool(found) and way is not None for found, way in zip(overlays.ctas, known, strict=True)]
        return cta_matrix(overlays.text_spans_s, has_cta, self.gesture_spans_s, overlays.sticker_spans_s)
