"""scene_pacing: how fast, how regularly and with what the video is cut (docs/analyses.md, scene_pacing)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.contracts.blocks.types import Level
from rumiai.core.arrays import Floats
from rumiai.core.intervals import intersect
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.elements import density_of
from rumiai.metrics.evidence.types import Evidence, Shots
from rumiai.metrics.families import Family, unknown_because
from rumiai.metrics.scene_pacing import content, cuts, durations, patterns
from rumiai.metrics.scene_pacing.blocks import (
    SCHEMA,
    Blocks,
    CoreMetrics,
    CriticalTransition,
    Dynamics,
    FurtherMetrics,
    Interactions,
    KeyEvents,
    ObjectDensityPacing,
    PacingContrastMoment,
    PacingPeak,
    PacingPoint,
    PacingValley,
    Patterns,
    Quality,
)
from rumiai.metrics.scene_pacing.further import further_metrics, tags_of
from rumiai.metrics.scene_pacing.pacing import Pacing, measure_pacing
from rumiai.metrics.scene_pacing.v1 import V1
from rumiai.metrics.shared.statistics import alignment, mean, variance

WEIGHTS: Final = Weights(
    core_metrics={"scenes": 0.9, "yolo": 0.05, "mediapipe": 0.05},
    dynamics={"scenes": 1.0},
    interactions={"scenes": 0.4, "yolo": 0.15, "audio": 0.15, "ocr": 0.1, "mediapipe": 0.1, "emotion": 0.1},
    key_events={"scenes": 0.9, "audio": 0.1},
    patterns={"scenes": 0.75, "audio": 0.15, "yolo": 0.05, "mediapipe": 0.05},
)

_ENDS_S: Final = 3.0  # what counts as intro and outro


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video.

    Source: docs/analyses.md, scene_pacing. Rates divide by the time of the picture that was observed.

    Args:
        evidence: What the services found in the video.

    Returns:
        The blocks; without scenes the length of the video, the completeness and the limitations are all that is told,
        and the further metrics are empty.
    """
    shots = evidence.shots
    if shots is None:
        return _without_scenes(evidence), MoreMetrics()
    pacing, audio = measure_pacing(shots, evidence.duration_s), evidence.audio
    both_s = intersect(evidence.seen("scenes").spans_s, evidence.seen("audio").spans_s)
    on_beats = None if audio is None else _synchrony(pacing, audio.beats_s, cuts.BEAT_TOLERANCE_S, both_s)
    on_onsets = None if audio is None else _synchrony(pacing, audio.onsets_s, cuts.ONSET_TOLERANCE_S, both_s)
    load = scene_load(evidence, shots)
    blocks = Blocks(
        core_metrics=_core(pacing),
        dynamics=_dynamics(pacing),
        interactions=_interactions(evidence, pacing, load=load, on_onsets=on_onsets, on_beats=on_beats),
        key_events=_key_events(pacing),
        patterns=_patterns(pacing, on_beats, shots.transition_types),
        quality=_quality(evidence, shots, pacing, on_beats),
    )
    return blocks, further_metrics(evidence, shots, pacing, load)


def _without_scenes(evidence: Evidence) -> Blocks:
    """What is said of a video whose scenes are unknown."""
    return Blocks(
        core_metrics=CoreMetrics.unknown(video_duration=evidence.duration_s),
        dynamics=Dynamics.unknown(),
        interactions=Interactions.unknown(),
        key_events=KeyEvents.unknown(),
        patterns=Patterns.unknown(),
        quality=Quality(
            scene_detection_accuracy=None,
            transition_analysis_reliability=None,
            pacing_data_completeness=evidence.services.completeness(WEIGHTS),
            technical_quality=None,
            analysis_limitations=limitations(evidence),
        ),
    )


def _synchrony(pacing: Pacing, targets_s: Floats | None, tolerance_s: float, looked_s: Floats) -> float | None:
    return None if targets_s is None else cuts.synchrony(pacing.cuts_s, targets_s, tolerance_s, looked_s)


def scene_load(evidence: Evidence, shots: Shots) -> float | None:
    """Visual load: objects per sampled frame, mean over scenes (:func:`mean_scene_load`).

    Source: docs/analyses.md, scenePacingInteractions, ``objectDensityPacing``.

    Args:
        evidence: Of the video: the objects.
        shots: Its scenes.

    Returns:
        Objects per frame, at least 0; None where objects are unknown and without a sampled frame.
    """
    objects = evidence.objects
    if objects is None:
        return None
    return content.mean_scene_load(shots.index(objects.grid.times_s), objects.per_sample, shots.starts_s.size)


def _core(pacing: Pacing) -> CoreMetrics:
    durations_s = pacing.durations_s
    return CoreMetrics(
        total_scenes=pacing.scenes,
        scene_change_rate=pacing.cuts_s.size / pacing.duration_s,
        avg_scene_duration=pacing.mean_s,
        min_scene_duration=float(durations_s.min()),
        max_scene_duration=float(durations_s.max()),
        scene_duration_variance=variance(durations_s),
        quick_cuts_count=durations.count_shorter(durations_s, durations.QUICK_CUT_S),
        long_takes_count=pacing.scenes - durations.count_shorter(durations_s, durations.LONG_TAKE_S),
        scene_rhythm_score=pacing.rhythm_score,
        pacing_consistency=1 - min(1.0, pacing.cv),
        video_duration=pacing.video_s,
        scenes_per_minute=60 * pacing.scenes / pacing.duration_s,
        pacing_classification=pacing.pace,
    )


def _dynamics(pacing: Pacing) -> Dynamics:
    curve = zip(pacing.edges_s[:-1].tolist(), pacing.rates_hz.tolist(), strict=True)
    return Dynamics(
        pacing_curve=[
            PacingPoint(second=start_s, cuts_per_second=rate_hz, intensity=cuts.intensity(rate_hz))
            for start_s, rate_hz in curve
        ],
        acceleration_pattern=pacing.pattern,
        rhythm_regularity=durations.rhythm_regularity(pacing.durations_s),
        pacing_momentum=pacing.trend,
        dynamic_range=durations.dynamic_range(pacing.durations_s),
        acceleration_score=pacing.acceleration,
        intro_pacing=cuts.cuts_between(pacing.cuts_s, 0.0, _ENDS_S),
        outro_pacing=cuts.cuts_between(pacing.cuts_s, pacing.duration_s - _ENDS_S, pacing.duration_s)
        if pacing.duration_s >= pacing.video_s
        else None,
        acceleration_points=[contrast.time_s for contrast in pacing.contrasts if contrast.accelerates],
        deceleration_points=[contrast.time_s for contrast in pacing.contrasts if not contrast.accelerates],
    )


def _interactions(
    evidence: Evidence, pacing: Pacing, *, load: float | None, on_onsets: float | None, on_beats: float | None
) -> Interactions:
    density, faces = density_of(evidence), evidence.expressions
    cut_curve, others = density.values["scene_change"], density.without("scene_change")
    arousal = None if faces is None else evidence.bins.means(faces.times_s, faces.arousals)
    return Interactions(
        content_pacing_alignment=None if others is None else alignment(cut_curve, others),
        emotional_pacing_sync=None if arousal is None else alignment(cut_curve, arousal),
        narrative_flow_score=1 - len(pacing.breaks) / pacing.scenes if pacing.scenes >= patterns.FEW_SCENES else None,
        viewer_adaptation_curve=patterns.adaptation_curve(pacing.scenes, 60 * len(pacing.breaks) / pacing.duration_s),
        pacing_contrast_moments=[
            PacingContrastMoment(
                timestamp=contrast.time_s,
                shift="accelerating" if contrast.accelerates else "decelerating",
                impact=_impact(contrast.strength),
            )
            for contrast in pacing.contrasts
        ],
        audio_visual_sync=on_onsets,
        beat_matching=on_beats,
        object_density_pacing=None
        if load is None
        else ObjectDensityPacing(avg_objects_per_shot=load, complexity_level=content.complexity_of(load)),
    )


def _impact(strength: float) -> Level:
    return "high" if strength >= 4 else "medium" if strength >= 3 else "low"


def _key_events(pacing: Pacing) -> KeyEvents:
    scenes_s, durations_s = pacing.scenes_s, pacing.durations_s
    return KeyEvents(
        pacing_peaks=_peaks(pacing),
        pacing_valleys=[
            PacingValley(
                timestamp=durations.scene_span(scenes_s, i), scene_duration=float(durations_s[i]), type="long_take"
            )
            for i in pacing.long_takes
        ],
        critical_transitions=_critical_transitions(pacing.contrasts),
        rhythm_breaks=pacing.breaks,
        longest_scene=durations.scene_at(scenes_s, int(np.argmax(durations_s)), pacing.video_s),
        shortest_scene=durations.scene_at(scenes_s, int(np.argmin(durations_s)), pacing.video_s),
        montage_segments=pacing.montages,
        climax_timing=cuts.climax_timing(pacing.cuts_s, pacing.edges_s),
    )


def _peaks(pacing: Pacing) -> list[PacingPeak]:
    rates_hz = pacing.rates_hz.tolist()
    return [
        PacingPeak(timestamp=pacing.window_span(i), cuts_per_second=rates_hz[i], intensity=rates_hz[i] / max(rates_hz))
        for i in pacing.peaks
    ]


def _critical_transitions(contrasts: Sequence[durations.Contrast]) -> list[CriticalTransition]:
    """The contrasts at which the pace gets another word."""
    paces = [(durations.pace_of(contrast.before_s), durations.pace_of(contrast.after_s)) for contrast in contrasts]
    return [
        CriticalTransition(
            timestamp=contrast.time_s,
            from_pace=before,
            to_pace=after,
            effect="energy_rise" if contrast.accelerates else "energy_drop",
        )
        for contrast, (before, after) in zip(contrasts, paces, strict=True)
        if before != after
    ]


def _patterns(pacing: Pacing, on_beats: float | None, transition_types: tuple[str, ...] | None) -> Patterns:
    return Patterns(
        pacing_style=patterns.pacing_style(pacing.scenes, pacing.mean_s, len(pacing.montages)),
        editing_rhythm=patterns.editing_rhythm(pacing.scenes, pacing.cv, pacing.trend),
        visual_tempo=patterns.visual_tempo(pacing.scenes, pacing.pace, pacing.cv),
        cut_motivation=patterns.cut_motivation(int(pacing.cuts_s.size), on_beats),
        pacing_techniques=patterns.techniques(
            montages=len(pacing.montages),
            long_takes=len(pacing.long_takes),
            pace=pacing.pace,
            beat_matching=on_beats,
            trend=pacing.trend,
            pattern=pacing.pattern,
        ),
        editing_style=patterns.editing_style(pacing.scenes, pacing.mean_s, pacing.cv, pacing.rhythm_score),
        pacing_tags=tags_of(pacing),
        transition_types=None if transition_types is None else sorted(set(transition_types)),
    )


def _quality(evidence: Evidence, shots: Shots, pacing: Pacing, on_beats: float | None) -> Quality:
    scores = shots.cut_confidences
    return Quality(
        scene_detection_accuracy=None if scores is None else mean(scores),
        transition_analysis_reliability=None
        if shots.transition_types is None
        else evidence.services.of["scenes"].completeness,
        pacing_data_completeness=evidence.services.completeness(WEIGHTS),
        technical_quality=patterns.technical_quality(pacing.scenes, pacing.rhythm, on_beats),
        analysis_limitations=limitations(evidence),
    )


def limitations(evidence: Evidence) -> list[str]:
    """What could not be measured, and why.

    Source: docs/analyses.md, scenePacingQuality, ``analysisLimitations``.

    Args:
        evidence: What the services found in the video.

    Returns:
        Names in a fixed order; empty when everything was there. ``few_scenes`` stands for two or three scenes.
    """
    shots = evidence.shots
    found = {
        "no_scene_data": shots is None,
        "single_scene": shots is not None and shots.starts_s.size == 1,
        "few_scenes": shots is not None and 1 < shots.starts_s.size < patterns.FEW_SCENES,
        "no_transition_types": shots is not None and shots.transition_types is None,
        "no_audio_features": evidence.audio is None or evidence.audio.onsets_s is None,
        "no_object_data": evidence.objects is None,
        "no_expression_data": evidence.expressions is None or not evidence.expressions.labels,
    }
    return [name for name, there in found.items() if there]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why no model is asked about these blocks.

    Args:
        blocks: Of the video.

    Returns:
        The reason when no scenes are known; None when there is something to judge.
    """
    return None if blocks.core_metrics.total_scenes else unknown_because(blocks, "the scenes", "scene_detection")


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge, V1, (FurtherMetrics,))
