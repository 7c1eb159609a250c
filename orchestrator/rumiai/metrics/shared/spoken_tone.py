"""Tone of what is said against the expression of the face that is seen meanwhile.

Source: docs/analyses.md, emotional_journey (emotionalInteractions, multimodalCoherence) and speech_analysis
(speechInteractions, expressionAlignment).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from rumiai.contracts.lexicons import Emotion
from rumiai.core.arrays import Floats
from rumiai.metrics.shared.statistics import mean
from rumiai.metrics.shared.words import TimedText, sentiment

_TONED: Final = 0.1  # |mean valence| above which a face has a tone


@dataclass(frozen=True)
class SpokenTone:
    """One transcript segment whose words and whose face both have a tone.

    Attributes:
        start_s: Start of the segment, seconds.
        end_s: End of the segment, seconds.
        emotion: Label that contributes most to the tone of the face.
        sentiment: Tone of the words.
        congruent: Whether words and face are both positive or both negative.
    """

    start_s: float
    end_s: float
    emotion: Emotion
    sentiment: Literal["positive", "negative"]
    congruent: bool


def spoken_tones(
    segments: Iterable[TimedText], times_s: Floats, labels: Sequence[Emotion], valences: Floats
) -> list[SpokenTone]:
    """Compare the sentiment of each segment with the mean valence of the face during it.

    Args:
        segments: Text, start and end of the transcript segments.
        times_s: ``(n,)`` instants of the expression samples, ascending.
        labels: ``n`` emotions.
        valences: ``(n,)`` valence of each, -1..1.

    Returns:
        One entry per segment that has positive or negative words and a mean valence beyond +-0.1, in order. Empty
        without segments or samples.
    """
    sums = np.concatenate([[0.0], np.cumsum(valences)])
    found = []
    for text, start_s, end_s in segments:
        words = sentiment(text)
        first, stop = (int(i) for i in np.searchsorted(times_s, [start_s, end_s]))
        if words.category not in ("positive", "negative") or first == stop:
            continue
        valence = float(sums[stop] - sums[first]) / (stop - first)
        if abs(valence) > _TONED:
            emotion = strongest_label(labels[first:stop], valences[first:stop], positive=valence > 0)
            congruent = (valence > 0) == (words.polarity > 0)
            found.append(SpokenTone(start_s, end_s, emotion, words.category, congruent))
    return found


def strongest_label(labels: Sequence[Emotion], valences: Floats, *, positive: bool) -> Emotion:
    """The label that contributes most valence of one sign.

    Args:
        labels: ``(n,)`` labels, at least one.
        valences: ``(n,)`` valence of each, -1..1.
        positive: Whether the largest positive or the largest negative sum is asked for.

    Returns:
        The label; the alphabetically first on ties.
    """
    weights: dict[Emotion, float] = {}
    for label, valence in zip(labels, valences.tolist(), strict=True):
        weights[label] = weights.get(label, 0.0) + valence
    sign = 1 if positive else -1
    return min(weights, key=lambda label: (-sign * weights[label], label))


def tone_agreement(tones: Sequence[SpokenTone] | None) -> float | None:
    """Share of segments in which words and face have the same tone.

    Args:
        tones: Compared segments; None when speech or faces are unknown.

    Returns:
        Congruent / compared segments, 0..1. None when nothing can be compared.
    """
    return mean([tone.congruent for tone in tones or ()])
