"""Metrics of emotional_journey that have no field in its blocks."""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.metrics.emotional_journey.blocks import (
    AlignmentEvent,
    AnalysisParameters,
    ArchetypeFlags,
    DeadZone,
    EmotionalArchetype,
    EmotionTransition,
    FurtherMetrics,
    GestureSync,
    MomentumChange,
    RankedPeak,
    SpeechAlignment,
    ValenceMomentum,
    ValencePoint,
)
from rumiai.metrics.emotional_journey.curves import NEUTRAL, emotional_diversity, held_labels
from rumiai.metrics.emotional_journey.journey import EmotionSync, Journey
from rumiai.metrics.emotional_journey.patterns import emotional_archetype, emotional_tags, is_diverse, is_dominant
from rumiai.metrics.emotional_journey.peaks import STRONG, peak_rhythm
from rumiai.metrics.emotional_journey.sync import gesture_alignment_by_bin, gestures_at
from rumiai.metrics.emotional_journey.transitions import (
    Pair,
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


def further_metrics(journey: Journey, sync: EmotionSync) -> FurtherMetrics:
    """The metrics that stand under ``precompute``, in the older form of the results.

    Args:
        journey: The expressions.
        sync: How they go with gestures, sound, speech and caption.

    Returns:
        The metrics. A sequence over all seconds holds None in one without a face, a list of moments leaves it out; what
        compares faces with gestures or speech is None where these are unknown.
    """
    bins, faces, valence = journey.bins, journey.faces, journey.valence[journey.known]
    shares = tone_shares(valence)
    kind = _archetype(journey, shares)
    counts = transition_counts(held_labels(bins.index(faces.times_s), faces.smoothed.labels))
    matrix = transition_matrix(counts)
    return FurtherMetrics(
        analysis_parameters=AnalysisParameters(sample_interval=_SAMPLE_INTERVAL_S, intensity_threshold=STRONG),
        emotion_sequence=journey.labels,
        emotion_valence=[None if np.isnan(value) else value for value in journey.valence.tolist()],
        emotion_timestamps=[bins.label(i) for i in range(bins.count)],
        emotion_variability=journey.variability,
        emotional_peaks=_ranked_peaks(journey),
        emotional_trajectory=journey.trajectory,
        emotion_change_rate=journey.change_rate,
        emotion_changes_per_minute=journey.changes_per_minute,
        mean_valence_change=mean(np.abs(np.diff(valence))),
        emotional_consistency=None if journey.change_rate is None else 1 - journey.change_rate,
        has_high_emotion_peak=has_certain_emotion(journey),
        peak_intensity_count=int((np.abs(valence) > STRONG).sum()),
        positive_ratio=shares.positive,
        negative_ratio=shares.negative,
        neutral_ratio=shares.neutral,
        emotion_valence_curve=_valence_curve(journey),
        emotion_transition_counts={_key(pair): count for pair, count in counts.items()},
        emotion_transition_matrix={_key(pair): share for pair, share in matrix.items()},
        emotion_transitions=_transitions(journey, matrix),
        valence_momentum=_momentum(journey),
        peak_rhythm=peak_rhythm(np.array([peak.time_s for peak in journey.peaks], dtype=np.float64)),
        emotion_gesture_sync=_gesture_sync(journey, sync),
        emotion_speech_alignment=_speech_alignment(sync),
        cross_modal_consistency=mean_known([sync.gesture, sync.speech]),
        dead_zones=_dead_zones(journey),
        emotional_archetype=kind,
        archetype_flags=None if kind is None else _flags(journey, shares, kind),
        emotional_ml_tags=_tags(journey, sync, shares),
        expression_detection_rate=journey.coverage,
    )


def _ranked_peaks(journey: Journey) -> list[RankedPeak]:
    return [
        RankedPeak(timestamp=journey.bins.label(p.bin), emotion=p.emotion, intensity=p.intensity, rank=rank)
        for rank, p in enumerate(journey.peaks, 1)
    ]


def has_certain_emotion(journey: Journey) -> bool:
    """Whether any sample shows an emotion other than neutral with a confidence of 0.8 or more.

    Args:
        journey: The expressions.

    Returns:
        The flag; False without samples.
    """
    pairs = zip(journey.faces.labels, journey.faces.confidences.tolist(), strict=True)
    return any(label != NEUTRAL and confidence >= _CERTAIN for label, confidence in pairs)


def _valence_curve(journey: Journey) -> list[ValencePoint]:
    return [
        ValencePoint(timestamp=journey.bins.label(i), valence=float(journey.valence[i]), emotion=journey.labels[i])
        for i in journey.known.tolist()
    ]


def _key(pair: Pair) -> str:
    return f"{pair[0]}_to_{pair[1]}"


def _transitions(journey: Journey, matrix: dict[Pair, float]) -> list[EmotionTransition]:
    return [
        EmotionTransition(
            timestamp=journey.bins.label_at(change.time_s),
            from_emotion=change.before,
            to_emotion=change.after,
            transition_probability=matrix.get((change.before, change.after)),
        )
        for change in journey.changes
    ]


def _momentum(journey: Journey) -> ValenceMomentum:
    found = valence_momentum(journey.valence[journey.known])
    return ValenceMomentum(
        average_momentum=found.average,
        max_positive_momentum=found.largest_rise,
        max_negative_momentum=found.largest_fall,
        momentum_changes=[
            MomentumChange(timestamp=journey.bins.label(int(journey.known[position])), momentum=difference)
            for position, difference in found.turns
        ],
    )


def _gesture_sync(journey: Journey, sync: EmotionSync) -> list[GestureSync] | None:
    """Per second with a face; None where gestures are unknown."""
    if sync.gesture_overlap is None or sync.gesture_spans_s is None:
        return None
    edges_s = journey.bins.edges_s
    there, scores = gestures_at(sync.gesture_spans_s, edges_s), gesture_alignment_by_bin(sync.gesture_overlap, edges_s)
    return [
        GestureSync(
            timestamp=journey.bins.label(i),
            emotion=journey.labels[i],
            gesture_present=bool(there[i]),
            alignment_score=scores[i],
        )
        for i in journey.known.tolist()
    ]


def _speech_alignment(sync: EmotionSync) -> SpeechAlignment | None:
    """Segments with a tone against the faces; None where speech is unknown."""
    tones = sync.tones
    if tones is None:
        return None
    wrong = sum(not tone.congruent for tone in tones)
    return SpeechAlignment(
        overall_alignment=tone_agreement(tones),
        conflicts_detected=wrong > 0,
        misalignment_count=wrong,
        alignment_events=[
            AlignmentEvent(
                timestamp=tone.start_s,
                visual_emotion=tone.emotion,
                speech_sentiment=tone.sentiment,
                congruent=tone.congruent,
            )
            for tone in tones[:_MOST_EVENTS]
        ],
    )


def _dead_zones(journey: Journey) -> list[DeadZone]:
    edges_s, valence = journey.bins.edges_s, journey.valence
    return [
        DeadZone(
            start=float(edges_s[first]), end=float(edges_s[stop]), average_valence=float(valence[first:stop].mean())
        )
        for first, stop in dead_zones(valence)
    ]


def _archetype(journey: Journey, shares: ToneShares) -> EmotionalArchetype | None:
    """None without a face."""
    if not journey.known.size:
        return None
    return emotional_archetype(
        variability=journey.variability,
        change_rate=journey.change_rate,
        diversity=emotional_diversity(journey.faces.labels),
        trajectory=journey.trajectory,
        shares=shares,
    )


def _flags(journey: Journey, shares: ToneShares, kind: EmotionalArchetype) -> ArchetypeFlags:
    return ArchetypeFlags(
        has_emotional_rollercoaster=kind == "rollercoaster",
        has_flat_arc=journey.trajectory == "flat",
        is_positive_dominant=is_dominant(shares.positive, shares.negative),
        is_negative_dominant=is_dominant(shares.negative, shares.positive),
        is_emotionally_diverse=is_diverse(emotional_diversity(journey.faces.labels)),
    )


def _tags(journey: Journey, sync: EmotionSync, shares: ToneShares) -> list[str]:
    return emotional_tags(
        variability=journey.variability,
        positive=shares.positive,
        trajectory=journey.trajectory,
        peaks=len(journey.peaks),
        gesture_alignment=sync.gesture,
        mixed=any(not tone.congruent for tone in sync.tones or ()),
    )
