"""Metrics of emotional_journey that have no field of their own, by the names of the metric table."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.metrics.emotional_journey.curves import NEUTRAL, emotional_diversity, held_labels
from rumiai.metrics.emotional_journey.journey import EmotionSync, Journey
from rumiai.metrics.emotional_journey.patterns import (
    EmotionalArchetype,
    emotional_archetype,
    emotional_tags,
    is_diverse,
    is_dominant,
)
from rumiai.metrics.emotional_journey.peaks import STRONG, peak_rhythm
from rumiai.metrics.emotional_journey.sync import gesture_alignment_by_bin, gestures_at
from rumiai.metrics.emotional_journey.transitions import (
    ToneShares,
    dead_zones,
    tone_shares,
    transition_counts,
    transition_matrix,
    valence_momentum,
)
from rumiai.metrics.shared.spoken_tone import tone_agreement
from rumiai.metrics.shared.statistics import mean, mean_known

_SAMPLE_INTERVAL_S: Final = 1.0
_CERTAIN: Final = 0.8
_MOST_EVENTS: Final = 10


def further_metrics(journey: Journey, sync: EmotionSync) -> dict[str, Any]:
    """Everything that stands under ``precompute``."""
    bins, valence = journey.bins, journey.valence[journey.known]
    shares = tone_shares(valence)
    kind = _archetype(journey, shares)
    return {
        "analysis_parameters": {"sample_interval": _SAMPLE_INTERVAL_S, "intensity_threshold": STRONG},
        "emotion_sequence": journey.labels,
        "emotion_valence": [None if np.isnan(value) else value for value in journey.valence],
        "emotion_timestamps": [bins.label(i) for i in range(bins.count)],
        "emotion_variability": journey.variability,
        "emotional_peaks": [
            {"timestamp": bins.label(p.bin), "emotion": p.emotion, "intensity": p.intensity, "rank": rank}
            for rank, p in enumerate(journey.peaks, 1)
        ],
        "emotional_trajectory": journey.trajectory,
        "emotion_change_rate": journey.change_rate,
        "emotion_changes_per_minute": journey.changes_per_minute,
        "mean_valence_change": mean(np.abs(np.diff(valence))),
        "emotional_consistency": None if journey.change_rate is None else 1 - journey.change_rate,
        "has_high_emotion_peak": has_certain_emotion(journey),
        "peak_intensity_count": int((np.abs(valence) > STRONG).sum()),
        "positive_ratio": shares.positive,
        "negative_ratio": shares.negative,
        "neutral_ratio": shares.neutral,
        "emotion_valence_curve": [
            {"timestamp": bins.label(i), "valence": journey.valence[i], "emotion": journey.labels[i]}
            for i in journey.known.tolist()
        ],
        **_transitions(journey),
        "valence_momentum": _momentum(journey),
        "peak_rhythm": _peak_rhythm(journey),
        "emotion_gesture_sync": _gesture_events(journey, sync),
        "emotion_speech_alignment": _speech_events(sync),
        "cross_modal_consistency": mean_known([sync.gesture, sync.speech]),
        "dead_zones": _dead_zones(journey),
        "emotional_archetype": kind,
        "archetype_flags": None if kind is None else _flags(journey, shares, kind),
        "emotional_ml_tags": emotional_tags(
            variability=journey.variability,
            positive=shares.positive,
            trajectory=journey.trajectory,
            peaks=len(journey.peaks),
            gesture_alignment=sync.gesture,
            mixed=any(not tone.congruent for tone in sync.tones or ()),
        ),
        "expression_detection_rate": journey.coverage,
    }


def has_certain_emotion(journey: Journey) -> bool:
    """Whether any sample shows an emotion other than neutral with a confidence of 0.8 or more."""
    pairs = zip(journey.faces.labels, journey.faces.confidences, strict=True)
    return any(label != NEUTRAL and confidence >= _CERTAIN for label, confidence in pairs)


def _transitions(journey: Journey) -> dict[str, Any]:
    """Transitions of the smoothed labels from one known bin to the next, and the changes with their probability."""
    faces, bins = journey.faces, journey.bins
    counts = transition_counts(held_labels(bins.index(faces.times_s), faces.smoothed.labels))
    matrix = transition_matrix(counts)
    return {
        "emotion_transition_counts": {f"{a}_to_{b}": count for (a, b), count in counts.items()},
        "emotion_transition_matrix": {f"{a}_to_{b}": share for (a, b), share in matrix.items()},
        "emotion_transitions": [
            {
                "timestamp": bins.label_at(change.time_s),
                "fromEmotion": change.before,
                "toEmotion": change.after,
                "transitionProbability": matrix.get((change.before, change.after)),
            }
            for change in journey.changes
        ],
    }


def _momentum(journey: Journey) -> dict[str, Any]:
    found = valence_momentum(journey.valence[journey.known])
    return {
        "average_momentum": found.average,
        "max_positive_momentum": found.largest_rise,
        "max_negative_momentum": found.largest_fall,
        "momentum_changes": [
            {"timestamp": journey.bins.label(int(journey.known[position])), "momentum": difference}
            for position, difference in found.turns
        ],
    }


def _peak_rhythm(journey: Journey) -> dict[str, Any]:
    found = peak_rhythm(np.array([peak.time_s for peak in journey.peaks], dtype=np.float64))
    return {
        "peak_spacing_mean": found.mean_spacing_s,
        "peak_spacing_variance": found.spacing_variance_s2,
        "regularity_score": found.regularity,
        "peak_count": found.count,
    }


def _gesture_events(journey: Journey, sync: EmotionSync) -> list[dict[str, Any]] | None:
    """Per second with a face: is there a gesture, and how well does it fit; None where gestures are unknown."""
    if sync.gesture_overlap is None or sync.gesture_spans_s is None:
        return None
    edges_s = journey.bins.edges_s
    there, scores = gestures_at(sync.gesture_spans_s, edges_s), gesture_alignment_by_bin(sync.gesture_overlap, edges_s)
    return [
        {
            "timestamp": journey.bins.label(i),
            "emotion": journey.labels[i],
            "gesturePresent": bool(there[i]),
            "alignmentScore": scores[i],
        }
        for i in journey.known.tolist()
    ]


def _speech_events(sync: EmotionSync) -> dict[str, Any] | None:
    """Segments with a tone against the faces; None where speech is unknown."""
    tones = sync.tones
    if tones is None:
        return None
    wrong = sum(not tone.congruent for tone in tones)
    return {
        "overallAlignment": tone_agreement(tones),
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


def _dead_zones(journey: Journey) -> list[dict[str, float]]:
    edges_s, valence = journey.bins.edges_s, journey.valence
    return [
        {
            "start": float(edges_s[first]),
            "end": float(edges_s[stop]),
            "averageValence": float(valence[first:stop].mean()),
        }
        for first, stop in dead_zones(valence)
    ]


def _archetype(journey: Journey, shares: ToneShares) -> EmotionalArchetype | None:
    if not journey.known.size:
        return None
    return emotional_archetype(
        variability=journey.variability,
        change_rate=journey.change_rate,
        diversity=emotional_diversity(journey.faces.labels),
        trajectory=journey.trajectory,
        shares=shares,
    )


def _flags(journey: Journey, shares: ToneShares, kind: EmotionalArchetype) -> dict[str, bool]:
    return {
        "hasEmotionalRollercoaster": kind == "rollercoaster",
        "hasFlatArc": journey.trajectory == "flat",
        "isPositiveDominant": is_dominant(shares.positive, shares.negative),
        "isNegativeDominant": is_dominant(shares.negative, shares.positive),
        "isEmotionallyDiverse": is_diverse(emotional_diversity(journey.faces.labels)),
    }
