"""Metrics of emotional_journey that have no field of their own (docs: analyses, 2.2)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any, Final

import numpy as np

from rumiai.metrics.emotional_journey.curve import NEUTRAL, SAMPLE_INTERVAL_S, STRONG, Journey
from rumiai.metrics.emotional_journey.sync import EmotionSync
from rumiai.metrics.shared.series import runs_of
from rumiai.metrics.shared.statistics import cv, mean, mean_known, ratio, variance

_DEAD: Final = 0.2  # |valence|
_DEAD_BINS: Final = 2
_TONED: Final = 0.1
_CERTAIN: Final = 0.8
_MOST_EVENTS: Final = 10


def further_metrics(journey: Journey, sync: EmotionSync) -> dict[str, Any]:
    """Everything that stands under ``precompute``, by the names of the metric table."""
    bins, known, valence = journey.bins, journey.known.tolist(), journey.valence
    shares = tone_shares(journey)
    counts, matrix = transitions(journey)
    steps = np.diff(valence[journey.known])
    kind = archetype(journey, shares)
    return {
        "analysis_parameters": {"sample_interval": SAMPLE_INTERVAL_S, "intensity_threshold": STRONG},
        "emotion_sequence": journey.labels,
        "emotion_valence": [None if np.isnan(value) else value for value in valence],
        "emotion_timestamps": [bins.label(i) for i in range(bins.count)],
        "emotion_variability": journey.variability,
        "emotional_peaks": [
            {"timestamp": bins.label(p.bin), "emotion": p.emotion, "intensity": p.intensity, "rank": rank}
            for rank, p in enumerate(journey.peaks, 1)
        ],
        "emotional_trajectory": journey.trajectory,
        "emotion_change_rate": journey.change_rate,
        "emotion_changes_per_minute": journey.changes_per_minute,
        "mean_valence_change": mean(np.abs(steps)),
        "emotional_consistency": None if journey.change_rate is None else 1 - journey.change_rate,
        "has_high_emotion_peak": has_certain_emotion(journey),
        "peak_intensity_count": int((np.abs(valence[journey.known]) > STRONG).sum()),
        **shares,
        "emotion_valence_curve": [
            {"timestamp": bins.label(i), "valence": valence[i], "emotion": journey.labels[i]} for i in known
        ],
        "emotion_transition_counts": counts,
        "emotion_transition_matrix": matrix,
        "emotion_transitions": [
            {
                "timestamp": bins.label_at(change.time_s),
                "fromEmotion": change.before,
                "toEmotion": change.after,
                "transitionProbability": matrix.get(f"{change.before}_to_{change.after}"),
            }
            for change in journey.changes
        ],
        "valence_momentum": momentum(journey),
        "peak_rhythm": peak_rhythm(journey),
        "emotion_gesture_sync": sync.gesture_events(),
        "emotion_speech_alignment": speech_events(sync),
        "cross_modal_consistency": mean_known([sync.gesture, sync.speech]),
        "dead_zones": dead_zones(journey),
        "emotional_archetype": kind,
        "archetype_flags": flags(journey, shares, kind),
        "emotional_ml_tags": ml_tags(journey, sync, shares),
        "expression_detection_rate": journey.coverage,
    }


def tone_shares(journey: Journey) -> dict[str, float | None]:
    """Shares of the known bins by tone; None without any."""
    valence = journey.valence[journey.known]
    positive, negative = mean(valence > _TONED), mean(valence < -_TONED)
    neutral = None if positive is None or negative is None else mean(np.abs(valence) <= _TONED)
    return {"positive_ratio": positive, "negative_ratio": negative, "neutral_ratio": neutral}


def has_certain_emotion(journey: Journey) -> bool:
    """Whether any sample shows an emotion other than neutral with a confidence of 0.8 or more."""
    pairs = zip(journey.faces.labels, journey.faces.confidences, strict=True)
    return any(label != NEUTRAL and confidence >= _CERTAIN for label, confidence in pairs)


def transitions(journey: Journey) -> tuple[dict[str, int], dict[str, float]]:
    """Counts of the smoothed labels from one known bin to the next, and the same as shares of each row."""
    pairs = Counter(pairwise(journey.held_labels))
    rows = Counter(journey.held_labels[:-1])
    ordered = sorted(pairs)
    counts = {f"{a}_to_{b}": pairs[a, b] for a, b in ordered}
    return counts, {f"{a}_to_{b}": pairs[a, b] / rows[a] for a, b in ordered}


def momentum(journey: Journey) -> dict[str, Any]:
    """Differences of the valence between known bins; their mean is (last - first) / (n - 1)."""
    steps = np.diff(journey.valence[journey.known])
    turns = [i for i in range(1, steps.size) if steps[i - 1] * steps[i] < 0]
    return {
        "average_momentum": mean(steps),
        "max_positive_momentum": max(0.0, float(steps.max())) if steps.size else None,
        "max_negative_momentum": min(0.0, float(steps.min())) if steps.size else None,
        "momentum_changes": [
            {"timestamp": journey.bins.label(int(journey.known[i + 1])), "momentum": steps[i]} for i in turns
        ],
    }


def peak_rhythm(journey: Journey) -> dict[str, Any]:
    """Spacing of the peaks in time order; its regularity 1 / (1 + cv) needs two spacings."""
    spacing = np.diff(sorted(peak.time_s for peak in journey.peaks))
    spread = cv(spacing)
    return {
        "peak_spacing_mean": mean(spacing),
        "peak_spacing_variance": variance(spacing),
        "regularity_score": 1 / (1 + spread) if spread is not None and spacing.size > 1 else None,
        "peak_count": len(journey.peaks),
    }


def speech_events(sync: EmotionSync) -> dict[str, Any] | None:
    """Segments with a tone against the faces; None where speech is unknown."""
    tones = sync.tones
    if tones is None:
        return None
    wrong = sum(not tone.congruent for tone in tones)
    return {
        "overallAlignment": ratio(len(tones) - wrong, len(tones)),
        "conflictsDetected": wrong > 0,
        "misalignmentCount": wrong,
        "alignmentEvents": [
            {
                "timestamp": tone.start_s,
                "visualEmotion": tone.emotion,
                "speechSentiment": tone.sentiment,
                "congruent": tone.congruent,
            }
            for tone in tones[:_MOST_EVENTS]
        ],
    }


def dead_zones(journey: Journey) -> list[dict[str, float]]:
    """Two or more seconds with a face and hardly any valence in a row; seconds without a face end one."""
    edges = journey.bins.edges_s
    with np.errstate(invalid="ignore"):
        flat = np.abs(journey.valence) < _DEAD
    return [
        {
            "start": float(edges[a]),
            "end": float(edges[b]),
            "averageValence": float(journey.valence[a:b].mean()),
        }
        for a, b in runs_of(flat)
        if b - a >= _DEAD_BINS
    ]


def archetype(journey: Journey, shares: dict[str, float | None]) -> str | None:
    """The reference's archetype, with its variability on the scale of a deviation; None without a face."""
    if not journey.known.size:
        return None
    variability, diversity = journey.variability or 0.0, journey.diversity or 0.0
    rules = {
        "rollercoaster": variability > 0.45 and (journey.change_rate or 0.0) > 0.5,
        "monotonous": journey.trajectory == "flat" and variability < 0.3,
        "steady_positive": (shares["positive_ratio"] or 0.0) > 0.7,
        "steady_negative": (shares["negative_ratio"] or 0.0) > 0.6,
        "volatile": diversity > 0.5,
    }
    return next((name for name, fits in rules.items() if fits), "flat")


def flags(journey: Journey, shares: dict[str, float | None], kind: str | None) -> dict[str, bool] | None:
    """Flags of the archetype; None without a face."""
    if kind is None:
        return None
    positive, negative = shares["positive_ratio"] or 0.0, shares["negative_ratio"] or 0.0
    return {
        "hasEmotionalRollercoaster": kind == "rollercoaster",
        "hasFlatArc": journey.trajectory == "flat",
        "isPositiveDominant": positive > 0.6 and negative < 0.3,
        "isNegativeDominant": negative > 0.6 and positive < 0.3,
        "isEmotionallyDiverse": (journey.diversity or 0.0) > 0.5,
    }


def ml_tags(journey: Journey, sync: EmotionSync, shares: dict[str, float | None]) -> list[str]:
    """Machine tags."""
    tags = {
        "high_variability": (journey.variability or 0.0) > 0.45,
        "positive_bias": (shares["positive_ratio"] or 0.0) > 0.6,
        "uplifting_arc": journey.trajectory == "ascending",
        "multi_peak": len(journey.peaks) >= 3,
        "authentic_expression": (sync.gesture or 0.0) > 0.7,
        "mixed_signals": any(not tone.congruent for tone in sync.tones or ()),
    }
    return [tag for tag, found in tags.items() if found]
