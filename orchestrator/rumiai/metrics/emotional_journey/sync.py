"""Expressions against gestures, sound, beats and caption.

Source: docs/analyses.md, emotionalCoreMetrics, emotionalDynamics (``tempoEmotionSync``) and emotionalInteractions.
Spans are ``(n, 2)`` arrays of start and end in seconds; curves as in
:mod:`rumiai.metrics.emotional_journey.curves`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rumiai.core.arrays import Bools, Floats, freeze_arrays
from rumiai.core.intervals import (
    as_intervals,
    chance_within,
    inside,
    intersect,
    length,
    near,
    overlap_s,
    touched,
    union,
)
from rumiai.metrics.emotional_journey.curves import third_means
from rumiai.metrics.shared.statistics import clamp, mean, ratio

# Gestures that go with an emotion. Fear and disgust have none listed, neutral goes with all: these are not compared.
COMPATIBLE_GESTURES: Final[Mapping[str, frozenset[str]]] = {
    "joy": frozenset({"thumbs_up", "victory", "love", "pointing", "open_palm"}),
    "surprise": frozenset({"pointing", "open_palm"}),
    "anger": frozenset({"closed_fist", "thumbs_down"}),
    "sadness": frozenset({"closed_fist", "thumbs_down"}),
}
_GESTURE_S: Final = 1.0
_BEAT_S: Final = 0.25
_FINEST_STEP_S: Final = 0.1
_EPSILON: Final = 1e-9  # differences of sums of binary fractions that are equal


@dataclass(frozen=True)
class GestureOverlap:
    """Where gestures meet expressions, as unions of spans.

    Attributes:
        compared_s: ``(n, 2)`` where any gesture meets an emotion that has compatible gestures.
        compatible_s: ``(m, 2)`` where the gesture is one of these.
    """

    compared_s: Floats
    compatible_s: Floats

    def __post_init__(self) -> None:
        freeze_arrays(self, compared_s=(np.float64, "n", 2), compatible_s=(np.float64, "m", 2))


def gesture_overlap(
    expression_spans_s: Floats, labels: Sequence[str], gesture_spans_s: Floats, kinds: Sequence[str]
) -> GestureOverlap:
    """Intersect gestures with the expressions that they could go with.

    Args:
        expression_spans_s: ``(n, 2)`` time that each expression sample stands for.
        labels: ``(n,)`` emotion of each.
        gesture_spans_s: ``(m, 2)`` time of each gesture.
        kinds: ``(m,)`` kind of each gesture.

    Returns:
        The overlaps; empty spans without expressions or gestures.
    """
    gestures, compared, compatible = union(gesture_spans_s), [as_intervals([])], [as_intervals([])]
    for emotion, listed in COMPATIBLE_GESTURES.items():
        shown = union(expression_spans_s[[label == emotion for label in labels]])
        compared.append(intersect(shown, gestures))
        compatible.append(intersect(shown, union(gesture_spans_s[[kind in listed for kind in kinds]])))
    return GestureOverlap(union(np.concatenate(compared)), union(np.concatenate(compatible)))


def gesture_alignment(overlap: GestureOverlap) -> float | None:
    """Seconds in which a gesture is compatible with the face / seconds in which they are compared.

    Source: docs/analyses.md, emotionalCoreMetrics, ``gestureEmotionAlignment``, with the pairs of
    :data:`COMPATIBLE_GESTURES`.

    Args:
        overlap: Where gestures meet expressions.

    Returns:
        In 0..1; None when they never meet.
    """
    share = ratio(length(overlap.compatible_s), length(overlap.compared_s))
    return None if share is None else clamp(share)


def gesture_alignment_by_bin(overlap: GestureOverlap, edges_s: Floats) -> list[float | None]:
    """The alignment within each bin.

    Args:
        overlap: Where gestures meet expressions.
        edges_s: ``(N + 1,)`` edges of the bins in seconds.

    Returns:
        ``(N,)`` shares in 0..1; None for a bin in which they do not meet.
    """
    compared, compatible = (overlap_s(s, edges_s[:-1], edges_s[1:]) for s in (overlap.compared_s, overlap.compatible_s))
    return [
        clamp(float(fits / meets)) if meets > _EPSILON else None
        for fits, meets in zip(compatible, compared, strict=True)
    ]


def gestures_at(spans_s: Floats, edges_s: Floats) -> Bools:
    """Whether a gesture is seen in each bin.

    Args:
        spans_s: ``(m, 2)`` time of each gesture, seconds.
        edges_s: ``(N + 1,)`` edges of the bins in seconds.

    Returns:
        ``(N,)`` flags, True where any gesture overlaps the bin; all False without gestures.
    """
    return touched(spans_s, edges_s[:-1], edges_s[1:])


def gesture_reinforcement(peak_spans_s: Floats, gesture_spans_s: Floats) -> float | None:
    """Emotion peaks with a gesture within 1 s / peaks.

    Source: docs/analyses.md, emotionalInteractions, ``gestureReinforcement``.

    Args:
        peak_spans_s: ``(n, 2)`` bins of the peaks.
        gesture_spans_s: ``(m, 2)`` time of each gesture.

    Returns:
        In 0..1, 0 without gestures; None without peaks.
    """
    return mean(touched(gesture_spans_s, peak_spans_s[:, 0], peak_spans_s[:, 1], _GESTURE_S))


def mood_congruence(energy: Floats, arousal: Floats) -> float | None:
    """Whether sound and face rise and fall together: 1 - mean over the thirds of |rank difference| / 2.

    Source: docs/analyses.md, emotionalInteractions, ``audioMoodCongruence``. The ranks 1..3 are those of the third's
    mean among the thirds; equal means share their mean rank (footrule of Spearman, scaled by its largest term).

    Args:
        energy: ``(N,)`` energy curve of the sound.
        arousal: ``(N,)`` arousal curve of the face.

    Returns:
        In 0..1; None for fewer than three bins and where a third lacks either.
    """
    energies, arousals = third_means(energy), third_means(arousal)
    if energy.size < len(energies) or None in energies or None in arousals:
        return None
    difference = np.abs(shared_ranks(np.array(energies)) - shared_ranks(np.array(arousals)))
    return float(1 - difference.mean() / 2)


def shared_ranks(values: Floats) -> Floats:
    """Ranks of some values, the smallest 1.

    Args:
        values: ``(n,)`` numbers.

    Returns:
        ``(n,)`` ranks in 1..n; values within 1e-9 are equal and share the mean of their ranks.
    """
    below = (values[None, :] < values[:, None] - _EPSILON).sum(axis=1)
    equal = (np.abs(values[None, :] - values[:, None]) <= _EPSILON).sum(axis=1)
    ranks: Floats = below + (equal + 1) / 2
    return ranks


def beat_sync(changes_s: Floats, beats_s: Floats, step_s: float, looked_s: Floats) -> float | None:
    """Share of emotion changes within 0.25 s of a beat, less the chance of that: p - c.

    The chance is not divided out, as for cuts on beats: the value reaches 1 - c at most.

    Source: docs/analyses.md, emotionalDynamics, ``tempoEmotionSync``.

    Args:
        changes_s: ``(n,)`` instants of the changes of the smoothed label, seconds.
        beats_s: ``(m,)`` instants of the beats, seconds, ascending.
        step_s: Sampling step of the expressions, seconds.
        looked_s: ``(k, 2)`` union of the time in which expressions and beats were looked for; a change outside of it
            counts for nothing.

    Returns:
        In 0..1. None without changes or with fewer than two beats, and where change or beat is too coarse to tell:
        a step above 0.1 s, or a quarter of the median beat not longer than 0.25 s.
    """
    changes_s = changes_s[inside(looked_s, changes_s)]
    if not changes_s.size or beats_s.size < 2 or step_s > _FINEST_STEP_S + _EPSILON:
        return None
    if float(np.median(np.diff(beats_s))) / 4 <= _BEAT_S:
        return None
    share = float(near(changes_s, beats_s, _BEAT_S).mean())
    return clamp(share - chance_within(beats_s, _BEAT_S, looked_s))


def caption_alignment(polarity: float, valences: Floats) -> float | None:
    """1 - |polarity of the caption - mean valence of the face| / 2.

    Source: docs/analyses.md, emotionalInteractions, ``captionEmotionAlignment``.

    Args:
        polarity: Of the caption, -1..1.
        valences: ``(n,)`` valence of each sample.

    Returns:
        In 0..1; None without samples.
    """
    valence = mean(valences)
    return None if valence is None else clamp(1 - abs(polarity - valence) / 2)
