"""scene_pacing: how fast, how regularly and with what the video is cut (docs/analyses.md, scene_pacing)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence, Shots
from rumiai.metrics.families import Family, assemble, unknown
from rumiai.metrics.scene_pacing.blocks import SCHEMA, Blocks
from rumiai.metrics.scene_pacing.cuts import (
    BEAT_TOLERANCE_S,
    ONSET_TOLERANCE_S,
    climax_timing,
    cuts_between,
    intensity,
    synchrony,
)
from rumiai.metrics.scene_pacing.durations import (
    LONG_TAKE_S,
    QUICK_CUT_S,
    Contrast,
    count_shorter,
    dynamic_range,
    pace_of,
    position_of,
    rhythm_regularity,
    scene_span,
)
from rumiai.metrics.scene_pacing.extras import further_metrics, object_pacing, tags_of
from rumiai.metrics.scene_pacing.pacing import Pacing, measure_pacing
from rumiai.metrics.scene_pacing.style import (
    FEW_SCENES,
    adaptation_curve,
    cut_motivation,
    editing_rhythm,
    editing_style,
    pacing_style,
    technical_quality,
    techniques,
    visual_tempo,
)
from rumiai.metrics.shared.density import density_of
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
    """The six blocks and further metrics of one video."""
    pacing = None if evidence.shots is None else measure_pacing(evidence.shots, evidence.duration_s)
    sync = cut_sync(evidence)
    known = {} if pacing is None or evidence.shots is None else _known(evidence, evidence.shots, pacing, sync)

    def block(name: str) -> dict[str, Any]:
        return {**unknown(SCHEMA, name), **known.get(name, {})}

    return assemble(
        Blocks,
        core=block("CoreMetrics") | {"videoDuration": evidence.duration_s},
        dynamics=block("Dynamics"),
        interactions=block("Interactions")
        | {"viewerAdaptationCurve": adaptation(pacing), "objectDensityPacing": object_pacing(evidence)},
        key_events=block("KeyEvents"),
        patterns=block("Patterns")
        | {
            "cutMotivation": cut_motivation(sync["beatMatching"]),
            "pacingTechniques": [] if pacing is None else _techniques(pacing, sync["beatMatching"]),
        },
        quality=block("Quality")
        | {
            "pacingDataCompleteness": evidence.services.completeness(WEIGHTS),
            "technicalQuality": technical_quality(
                0 if pacing is None else pacing.scenes, None if pacing is None else pacing.rhythm, sync["beatMatching"]
            ),
            "analysisLimitations": limitations(evidence),
        },
        precompute=known.get("precompute", {}) | {"scene_detection_rate": float(pacing is not None)},
    )


def _known(
    evidence: Evidence, shots: Shots, pacing: Pacing, sync: dict[str, float | None]
) -> dict[str, dict[str, Any]]:
    scores = shots.cut_confidences
    return {
        "CoreMetrics": _core(pacing),
        "Dynamics": _dynamics(pacing),
        "Interactions": sync | alignments(evidence) | _interactions(pacing),
        "KeyEvents": _key_events(pacing),
        "Patterns": _patterns(pacing, shots.transition_types),
        "Quality": {
            "sceneDetectionAccuracy": None if scores is None else mean(scores),
            "transitionAnalysisReliability": 0.5 if shots.transition_types is None else 1.0,
        },
        "precompute": further_metrics(evidence, pacing),
    }


def _core(pacing: Pacing) -> dict[str, Any]:
    durations_s = pacing.durations_s
    return {
        "totalScenes": pacing.scenes,
        "sceneChangeRate": pacing.cuts_s.size / pacing.duration_s,
        "avgSceneDuration": pacing.mean_s,
        "minSceneDuration": float(durations_s.min()),
        "maxSceneDuration": float(durations_s.max()),
        "sceneDurationVariance": variance(durations_s),
        "quickCutsCount": count_shorter(durations_s, QUICK_CUT_S),
        "longTakesCount": pacing.scenes - count_shorter(durations_s, LONG_TAKE_S),
        "sceneRhythmScore": pacing.rhythm_score,
        "pacingConsistency": 1 - min(1.0, pacing.cv),
        "scenesPerMinute": 60 * pacing.scenes / pacing.duration_s,
        "pacingClassification": pacing.pace,
    }


def _dynamics(pacing: Pacing) -> dict[str, Any]:
    return {
        "pacingCurve": [
            {"second": float(start), "cutsPerSecond": float(rate), "intensity": intensity(float(rate))}
            for start, rate in zip(pacing.edges_s[:-1], pacing.rates_hz, strict=True)
        ],
        "accelerationPattern": pacing.pattern,
        "rhythmRegularity": rhythm_regularity(pacing.durations_s),
        "pacingMomentum": pacing.trend,
        "dynamicRange": dynamic_range(pacing.durations_s),
        "accelerationScore": pacing.acceleration,
        "introPacing": cuts_between(pacing.cuts_s, 0.0, _ENDS_S),
        "outroPacing": cuts_between(pacing.cuts_s, pacing.duration_s - _ENDS_S, pacing.duration_s),
        "accelerationPoints": [contrast.time_s for contrast in pacing.contrasts if contrast.accelerates],
        "decelerationPoints": [contrast.time_s for contrast in pacing.contrasts if not contrast.accelerates],
    }


def _interactions(pacing: Pacing) -> dict[str, Any]:
    return {
        "narrativeFlowScore": 1 - len(pacing.breaks) / pacing.scenes,
        "pacingContrastMoments": [
            {"timestamp": contrast.time_s, "shift": _shift(contrast), "impact": _impact(contrast)}
            for contrast in pacing.contrasts
        ],
    }


def _shift(contrast: Contrast) -> str:
    return "accelerating" if contrast.accelerates else "decelerating"


def _impact(contrast: Contrast) -> str:
    return "high" if contrast.strength >= 4 else "medium" if contrast.strength >= 3 else "low"


def cut_sync(evidence: Evidence) -> dict[str, float | None]:
    """Cuts on energy onsets and on beats, above chance; None without cuts or audio data."""
    audio, shots = evidence.audio, evidence.shots
    targets = (
        ("audioVisualSync", None if audio is None else audio.onsets_s, ONSET_TOLERANCE_S),
        ("beatMatching", None if audio is None else audio.beats_s, BEAT_TOLERANCE_S),
    )
    return {
        name: None if shots is None or at is None else synchrony(shots.cuts_s, at, tolerance, evidence.duration_s)
        for name, at, tolerance in targets
    }


def alignments(evidence: Evidence) -> dict[str, float | None]:
    """Correlations over bins of the cut rate with the other density, and with arousal, mapped to 0..1."""
    density = density_of(evidence)
    cuts, others = density.values["scene_change"], density.without("scene_change")
    faces = evidence.expressions
    arousal = None if faces is None else evidence.bins.means(faces.times_s, faces.arousals)
    return {
        "contentPacingAlignment": None if others is None else alignment(cuts, others),
        "emotionalPacingSync": None if arousal is None else alignment(cuts, arousal),
    }


def adaptation(pacing: Pacing | None) -> str:
    """How a viewer can follow the rhythm; without scenes it has no breaks."""
    return adaptation_curve(0.0 if pacing is None else 60 * len(pacing.breaks) / pacing.duration_s)


def _key_events(pacing: Pacing) -> dict[str, Any]:
    rates = pacing.rates_hz
    return {
        "pacingPeaks": [
            {"timestamp": pacing.window_span(i), "cutsPerSecond": rates[i], "intensity": rates[i] / rates.max()}
            for i in pacing.peaks
        ],
        "pacingValleys": [
            {
                "timestamp": scene_span(pacing.scenes_s, i),
                "sceneDuration": pacing.durations_s[i],
                "type": "long_take",
            }
            for i in pacing.long_takes
        ],
        "criticalTransitions": [
            {"timestamp": c.time_s, "fromPace": pace_of(c.before_s), "toPace": pace_of(c.after_s), "effect": _effect(c)}
            for c in pacing.contrasts
            if pace_of(c.before_s) != pace_of(c.after_s)
        ],
        "rhythmBreaks": [
            {"timestamp": b.time_s, "expectedDuration": b.expected_s, "actualDuration": b.actual_s}
            for b in pacing.breaks
        ],
        "longestScene": _scene(pacing, int(np.argmax(pacing.durations_s))),
        "shortestScene": _scene(pacing, int(np.argmin(pacing.durations_s))),
        "montageSegments": [
            {"start": m.start_s, "end": m.end_s, "shots": m.shots, "avgShotDuration": m.mean_shot_s}
            for m in pacing.montages
        ],
        "climaxTiming": climax_timing(pacing.cuts_s, pacing.edges_s),
    }


def _scene(pacing: Pacing, index: int) -> dict[str, Any]:
    start_s, end_s = (float(edge) for edge in pacing.scenes_s[index])
    return {
        "duration": end_s - start_s,
        "timestamp": scene_span(pacing.scenes_s, index),
        "position": position_of(start_s, end_s, pacing.duration_s),
    }


def _effect(contrast: Contrast) -> str:
    return "energy_rise" if contrast.accelerates else "energy_drop"


def _patterns(pacing: Pacing, transition_types: tuple[str, ...] | None) -> dict[str, Any]:
    types = ("cut",) * pacing.cuts_s.size if transition_types is None else transition_types
    return {
        "pacingStyle": pacing_style(pacing.mean_s, len(pacing.montages)),
        "editingRhythm": editing_rhythm(pacing.scenes, pacing.cv, pacing.trend),
        "visualTempo": visual_tempo(pacing.pace, pacing.cv),
        "editingStyle": editing_style(pacing.mean_s, pacing.cv, pacing.rhythm_score),
        "pacingTags": tags_of(pacing),
        "transitionTypes": sorted(set(types)),
    }


def _techniques(pacing: Pacing, beat_matching: float | None) -> list[str]:
    return techniques(
        montages=len(pacing.montages),
        long_takes=len(pacing.long_takes),
        pace=pacing.pace,
        beat_matching=beat_matching,
        trend=pacing.trend,
        pattern=pacing.pattern,
    )


def limitations(evidence: Evidence) -> list[str]:
    """What could not be measured, and why."""
    shots = evidence.shots
    found = {
        "no_scene_data": shots is None,
        "single_scene": shots is not None and shots.starts_s.size == 1,
        "few_scenes": shots is not None and 1 < shots.starts_s.size < FEW_SCENES,
        "no_transition_types": shots is not None and shots.transition_types is None,
        "no_audio_features": evidence.audio is None or evidence.audio.onsets_s is None,
        "no_object_data": evidence.objects is None,
        "no_expression_data": evidence.expressions is None or not evidence.expressions.labels,
    }
    return [name for name, there in found.items() if there]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked; None when there is something to judge."""
    return None if blocks.core_metrics.total_scenes else "no scenes are known"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge)
