"""scene_pacing: how fast, how regularly and with what the video is cut (docs: analyses, section 4)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, assemble, unknown
from rumiai.metrics.scene_pacing.blocks import SCHEMA, Blocks
from rumiai.metrics.scene_pacing.extras import further_metrics, object_pacing, pacing_tags
from rumiai.metrics.scene_pacing.pacing import (
    CONSISTENT,
    ENDS_S,
    LONG_TAKE_S,
    MONTAGE_SHOT_S,
    QUICK_CUT_S,
    Contrast,
    Pacing,
    pace_of,
)
from rumiai.metrics.shared.density import density_of
from rumiai.metrics.shared.intervals import chance_within, near
from rumiai.metrics.shared.statistics import above_chance, alignment, mean, ratio, variance

WEIGHTS: Final = Weights(
    core_metrics={"scenes": 0.9, "yolo": 0.05, "mediapipe": 0.05},
    dynamics={"scenes": 1.0},
    interactions={"scenes": 0.4, "yolo": 0.15, "audio": 0.15, "ocr": 0.1, "mediapipe": 0.1, "emotion": 0.1},
    key_events={"scenes": 0.9, "audio": 0.1},
    patterns={"scenes": 0.75, "audio": 0.15, "yolo": 0.05, "mediapipe": 0.05},
)

_ONSET_TOLERANCE_S: Final = 0.15
_BEAT_TOLERANCE_S: Final = 0.1
_ON_BEAT: Final = 0.5  # beatMatching above which the cuts follow the beat
_CALM_BREAKS, _ENGAGING_BREAKS = 1.0, 4.0  # rhythm breaks per minute
_FEW_SCENES: Final = 4  # fewer have no scene that could break the rhythm


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video."""
    pacing = None if evidence.shots is None else Pacing(evidence.shots, evidence.duration_s)
    sync = cut_sync(evidence)
    known = {} if pacing is None else _known(evidence, pacing, sync)

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
        | {"cutMotivation": motivation(sync["beatMatching"]), "pacingTechniques": techniques(pacing, sync)},
        quality=block("Quality")
        | {
            "pacingDataCompleteness": evidence.services.completeness(WEIGHTS),
            "technicalQuality": technical_quality(pacing, sync["beatMatching"]),
            "analysisLimitations": limitations(evidence),
        },
        precompute=known.get("precompute", {}) | {"scene_detection_rate": float(pacing is not None)},
    )


def _known(evidence: Evidence, pacing: Pacing, sync: dict[str, float | None]) -> dict[str, dict[str, Any]]:
    return {
        "CoreMetrics": _core(pacing),
        "Dynamics": _dynamics(pacing),
        "Interactions": sync | alignments(evidence) | _interactions(pacing),
        "KeyEvents": _key_events(pacing),
        "Patterns": _patterns(pacing),
        "Quality": {
            "sceneDetectionAccuracy": pacing.cut_confidence(),
            "transitionAnalysisReliability": 0.5 if pacing.shots.transition_types is None else 1.0,
        },
        "precompute": further_metrics(evidence, pacing),
    }


def _core(pacing: Pacing) -> dict[str, Any]:
    durations = pacing.durations_s
    return {
        "totalScenes": pacing.scenes,
        "sceneChangeRate": pacing.cuts_s.size / pacing.duration_s,
        "avgSceneDuration": pacing.mean_s,
        "minSceneDuration": float(durations.min()),
        "maxSceneDuration": float(durations.max()),
        "sceneDurationVariance": variance(durations),
        "quickCutsCount": pacing.shorter_than(QUICK_CUT_S),
        "longTakesCount": pacing.at_least(LONG_TAKE_S),
        "sceneRhythmScore": pacing.rhythm_score,
        "pacingConsistency": 1 - min(1.0, pacing.cv),
        "scenesPerMinute": 60 * pacing.scenes / pacing.duration_s,
        "pacingClassification": pace_of(pacing.mean_s),
    }


def _dynamics(pacing: Pacing) -> dict[str, Any]:
    durations, end_s = pacing.durations_s, pacing.duration_s
    return {
        "pacingCurve": [
            {"second": float(start), "cutsPerSecond": float(rate), "intensity": intensity(float(rate))}
            for start, rate in zip(pacing.windows_s, pacing.window_rates, strict=False)
        ],
        "accelerationPattern": pacing.acceleration_pattern(),
        "rhythmRegularity": pacing.regularity(),
        "pacingMomentum": pacing.trend,
        "dynamicRange": ratio(float(durations.max() - durations.min()), float(durations.max())),
        "accelerationScore": pacing.acceleration,
        "introPacing": pacing.cuts_between(0.0, ENDS_S),
        "outroPacing": pacing.cuts_between(end_s - ENDS_S, end_s),
        "accelerationPoints": [contrast.time_s for contrast in pacing.contrasts if contrast.accelerates],
        "decelerationPoints": [contrast.time_s for contrast in pacing.contrasts if not contrast.accelerates],
    }


def intensity(cuts_per_second: float) -> str:
    """Word of a cut rate."""
    return "low" if cuts_per_second < 0.2 else "medium" if cuts_per_second < 0.6 else "high"


def _interactions(pacing: Pacing) -> dict[str, Any]:
    return {
        "narrativeFlowScore": 1 - len(pacing.rhythm_breaks()) / pacing.scenes,
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
    audio = evidence.audio
    return {
        "audioVisualSync": _sync(evidence, audio and audio.onsets_s, _ONSET_TOLERANCE_S),
        "beatMatching": _sync(evidence, audio and audio.beats_s, _BEAT_TOLERANCE_S),
    }


def _sync(evidence: Evidence, targets_s: Any, tolerance_s: float) -> float | None:
    if evidence.shots is None or targets_s is None or not evidence.shots.cuts_s.size:
        return None
    share = mean(near(evidence.shots.cuts_s, targets_s, tolerance_s))
    return above_chance(share, chance_within(targets_s, tolerance_s, evidence.duration_s))


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
    """How the rhythm sits with a viewer, by rhythm breaks per minute."""
    per_minute = 0.0 if pacing is None else 60 * len(pacing.rhythm_breaks()) / pacing.duration_s
    return "smooth" if per_minute < _CALM_BREAKS else "engaging" if per_minute < _ENGAGING_BREAKS else "jarring"


def _key_events(pacing: Pacing) -> dict[str, Any]:
    rates = pacing.window_rates
    fastest = int(np.argmax(rates))
    centre = (pacing.windows_s[fastest] + pacing.windows_s[fastest + 1]) / 2
    return {
        "pacingPeaks": [_peak(pacing, index) for index in pacing.zones()],
        "pacingValleys": pacing.valleys(),
        "criticalTransitions": [
            {"timestamp": c.time_s, "fromPace": pace_of(c.before_s), "toPace": pace_of(c.after_s), "effect": _effect(c)}
            for c in pacing.contrasts
            if pace_of(c.before_s) != pace_of(c.after_s)
        ],
        "rhythmBreaks": pacing.rhythm_breaks(),
        "longestScene": pacing.place(int(np.argmax(pacing.durations_s))),
        "shortestScene": pacing.place(int(np.argmin(pacing.durations_s))),
        "montageSegments": pacing.montages(),
        "climaxTiming": float(centre / pacing.duration_s) if pacing.cuts_s.size else None,
    }


def _peak(pacing: Pacing, index: int) -> dict[str, Any]:
    rate = pacing.window_rates[index]
    return {
        "timestamp": pacing.window_span(index),
        "cutsPerSecond": rate,
        "intensity": rate / pacing.window_rates.max(),
    }


def _effect(contrast: Contrast) -> str:
    return "energy_rise" if contrast.accelerates else "energy_drop"


def _patterns(pacing: Pacing) -> dict[str, Any]:
    types = pacing.shots.transition_types
    return {
        "pacingStyle": pacing_style(pacing),
        "editingRhythm": editing_rhythm(pacing),
        "visualTempo": "variable" if pacing.cv > 1 else _TEMPO[pace_of(pacing.mean_s)],
        "editingStyle": editing_style(pacing),
        "pacingTags": pacing_tags(pacing),
        "transitionTypes": sorted(set(types if types is not None else ("cut",) * pacing.cuts_s.size)),
    }


_TEMPO: Final = {"rapid": "fast", "fast": "fast", "moderate": "moderate", "slow": "slow"}


def pacing_style(pacing: Pacing) -> str:
    """By mean scene and montages."""
    if pacing.mean_s < MONTAGE_SHOT_S:
        return "music_video"
    if len(pacing.montages()) >= 2:
        return "montage"
    return "documentary" if pacing.mean_s > 6 else "narrative"


def editing_rhythm(pacing: Pacing) -> str | None:
    """By cv and trend; None for a single scene."""
    if pacing.scenes == 1:
        return None
    if pacing.cv < 0.3:
        return "metronomic"
    if pacing.trend == "accelerating":
        return "accelerando"
    return "syncopated" if pacing.cv <= 0.7 else "free_form"


def editing_style(pacing: Pacing) -> str:
    """By mean scene and consistency."""
    if pacing.mean_s < MONTAGE_SHOT_S:
        return "mtv_style"
    if pacing.rhythm_score is not None and pacing.rhythm_score > CONSISTENT:
        return "classic_narrative" if pacing.mean_s > 3 else "rhythmic"
    return "experimental" if pacing.cv > 1 else "standard"


def motivation(beat_matching: float | None) -> str:
    """What the cuts follow, as far as it can be measured."""
    return "beat_driven" if beat_matching is not None and beat_matching > _ON_BEAT else "unknown"


def techniques(pacing: Pacing | None, sync: dict[str, float | None]) -> list[str]:
    """Techniques with evidence."""
    if pacing is None:
        return []
    found = {
        "montage": bool(pacing.montages()),
        "long_take": bool(pacing.valleys()),
        "rapid_cutting": pace_of(pacing.mean_s) == "rapid",
        "beat_cutting": (sync["beatMatching"] or 0.0) > _ON_BEAT,
        "accelerating_cutting": pacing.trend == "accelerating" and pacing.acceleration_pattern() == "building",
    }
    return [name for name, there in found.items() if there]


def technical_quality(pacing: Pacing | None, beat_matching: float | None) -> str:
    """Professional where the cutting keeps a rhythm or the beat; what it cannot tell is mixed."""
    keeps_rhythm = pacing is not None and pacing.scenes >= _FEW_SCENES and pacing.rhythm_class == "consistent"
    return "professional" if keeps_rhythm or (beat_matching or 0.0) > _ON_BEAT else "mixed"


def limitations(evidence: Evidence) -> list[str]:
    """What could not be measured, and why."""
    shots = evidence.shots
    found = {
        "no_scene_data": shots is None,
        "single_scene": shots is not None and shots.starts_s.size == 1,
        "few_scenes": shots is not None and 1 < shots.starts_s.size < _FEW_SCENES,
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
