"""Words and tags of the emotional journey, by rule.

Source: docs/analyses.md, emotionalPatterns and emotionalQuality (``analysisReliability``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from rumiai.contracts.blocks.types import Level
from rumiai.contracts.lexicons import Emotion
from rumiai.metrics.emotional_journey.blocks import (
    EmotionalArc,
    EmotionalArchetype,
    JourneyArchetype,
    PacingStrategy,
    Trajectory,
    ViewerJourney,
)
from rumiai.metrics.emotional_journey.curves import NEUTRAL, Thirds
from rumiai.metrics.emotional_journey.transitions import ToneShares

_NEGATIVE, _POSITIVE = -0.1, 0.1  # mean valence of a third
_QUICK_PER_MINUTE: Final = 6.0
_VARIETY: Final = 3  # more labels than this are a variety
_OPENING_BINS: Final = 3
_HIGH, _MEDIUM = 0.6, 0.3  # coverage and confidence
_VARIABLE: Final = 0.45  # deviation of the valence
_DIVERSE: Final = 0.5
_DOMINANT, _MINOR = 0.6, 0.3  # shares of known bins


def journey_archetype(
    thirds: Thirds, arc: EmotionalArc | None, peak_emotions: Collection[Emotion], pacing: PacingStrategy
) -> JourneyArchetype | None:
    """Shape of the journey, the first rule that fits.

    Args:
        thirds: Mean valence of each third.
        arc: Overall direction of the valence.
        peak_emotions: Emotions of the most intense moments.
        pacing: How often the emotion changes.

    Returns:
        Problem-solution from a negative first to a positive last third; surprise-delight when it rises with joy among
        the peaks; transformation for a rollercoaster; discovery with surprise among the peaks; steady state for a
        stable arc without quick shifts. None where no rule fits, as for an arc that falls.
    """
    first, _, last = thirds
    if first is not None and last is not None and first < _NEGATIVE and last > _POSITIVE:
        return "problem_solution"
    if arc == "rising" and "joy" in peak_emotions:
        return "surprise_delight"
    if arc == "rollercoaster":
        return "transformation"
    if "surprise" in peak_emotions:
        return "discovery"
    return "steady_state" if arc == "stable" and pacing != "quick_shifts" else None


def emotional_techniques(
    labels: Collection[Emotion], held: Sequence[Emotion], reinforcement: float | None, contrasts: int
) -> list[str]:
    """Techniques for which there is evidence.

    Args:
        labels: Labels of all samples.
        held: Smoothed label of each run, in order.
        reinforcement: Share of emotion peaks with a gesture.
        contrasts: Number of contrast moments.

    Returns:
        Names of techniques; empty for none.
    """
    toned = [label for label in held if label != NEUTRAL]
    found = {
        "emotional_variety": len(set(labels)) > _VARIETY,
        "gesture_reinforcement": (reinforcement or 0.0) > 0.5,
        "contrast": contrasts > 0,
        "repetition": len(toned) > len(set(toned)),
    }
    return [name for name, there in found.items() if there]


def pacing_strategy(changes_per_minute: float) -> PacingStrategy:
    """How often the emotion changes, in a word.

    Source: docs/analyses.md, emotionalPatterns, ``pacingStrategy``.

    Args:
        changes_per_minute: Changes of the smoothed label per minute observed, >= 0.

    Returns:
        Steady state without changes, gradual build below six a minute, else quick shifts.
    """
    if changes_per_minute == 0:
        return "steady_state"
    return "gradual_build" if changes_per_minute < _QUICK_PER_MINUTE else "quick_shifts"


def viewer_journey(peak_bins: Sequence[int], count: int) -> ViewerJourney:
    """Where in the video the emotion peaks lie.

    Args:
        peak_bins: Bins of the peaks, in any order.
        count: Number of one-second bins of the video.

    Returns:
        Passive without peaks; immediate hook with one in the first 3 s; engaged throughout with one in every third;
        else slow build.
    """
    if not peak_bins:
        return "passive"
    if min(peak_bins) < _OPENING_BINS:
        return "immediate_hook"
    third = max(1, count // 3)
    places = {0 if i < third else 2 if i >= count - third else 1 for i in peak_bins}
    return "engaged_throughout" if len(places) == 3 else "slow_build"


def reliability(coverage: float | None, confidence: float | None) -> Level | None:
    """How far the analysis can be trusted, by the weaker of two measures.

    Source: docs/analyses.md, emotionalQuality, ``analysisReliability``.

    Args:
        coverage: Seconds with a face / seconds observed, 0..1; None when none was.
        confidence: Mean detector confidence, 0..1; None without samples.

    Returns:
        High from 0.6, medium from 0.3, else low; None where either is unknown.
    """
    if coverage is None or confidence is None:
        return None
    least = min(coverage, confidence)
    return "high" if least >= _HIGH else "medium" if least >= _MEDIUM else "low"


def emotional_archetype(
    *,
    variability: float | None,
    change_rate: float | None,
    diversity: float | None,
    trajectory: Trajectory | None,
    shares: ToneShares,
) -> EmotionalArchetype | None:
    """Archetype of the older form of the results, the first rule that fits; unknown numbers fit none.

    Args:
        variability: Deviation of the valence over the known bins.
        change_rate: Label changes per step from one known bin to the next, 0..1.
        diversity: Normalised entropy of the labels, 0..1.
        trajectory: Shape of the valence over the thirds.
        shares: Shares of positive and negative bins.

    Returns:
        None where no rule fits.
    """
    deviation = variability or 0.0
    rules: dict[EmotionalArchetype, bool] = {
        "rollercoaster": deviation > _VARIABLE and (change_rate or 0.0) > 0.5,
        "monotonous": trajectory == "flat" and deviation < 0.3,
        "steady_positive": (shares.positive or 0.0) > 0.7,
        "steady_negative": (shares.negative or 0.0) > 0.6,
        "volatile": (diversity or 0.0) > _DIVERSE,
        "flat": trajectory == "flat",
    }
    return next((name for name, fits in rules.items() if fits), None)


def is_dominant(share: float | None, other: float | None) -> bool:
    """Whether one tone outweighs its opposite: its share is above 0.6, and the other's below 0.3.

    Args:
        share: Share of the known bins with the tone, 0..1; None is taken for 0.
        other: Share of those with the opposite one, 0..1; None is taken for 0.

    Returns:
        The flag; False for unknown shares.
    """
    return (share or 0.0) > _DOMINANT and (other or 0.0) < _MINOR


def is_diverse(diversity: float | None) -> bool:
    """Whether many emotions are shown about equally often: a normalised entropy above 0.5.

    Args:
        diversity: Of the labels (:func:`rumiai.metrics.emotional_journey.curves.emotional_diversity`), 0..1.

    Returns:
        The flag; False for None.
    """
    return (diversity or 0.0) > _DIVERSE


def emotional_tags(
    *,
    variability: float | None,
    positive: float | None,
    trajectory: Trajectory | None,
    peaks: int,
    gesture_alignment: float | None,
    mixed: bool,
) -> list[str]:
    """Tags of the older form of the results; its limit for the deviation of the valence is 0.45.

    Args:
        variability: Deviation of the valence over the known bins.
        positive: Share of positive bins.
        trajectory: Shape of the valence over the thirds.
        peaks: Number of emotion peaks.
        gesture_alignment: Share of compatible gestures.
        mixed: Whether words and face contradict each other anywhere.

    Returns:
        The tags in a fixed order; unknown numbers count as 0, empty for none.
    """
    tags = {
        "high_variability": (variability or 0.0) > _VARIABLE,
        "positive_bias": (positive or 0.0) > _DOMINANT,
        "uplifting_arc": trajectory == "ascending",
        "multi_peak": peaks >= 3,
        "authentic_expression": (gesture_alignment or 0.0) > 0.7,
        "mixed_signals": mixed,
    }
    return [tag for tag, found in tags.items() if found]
