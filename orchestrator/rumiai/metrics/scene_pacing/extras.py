"""Metrics of scene_pacing that have no field of their own, by the names of the metric table."""

from __future__ import annotations

from typing import Any

from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.scene_pacing.content import (
    complexity_changes,
    complexity_of,
    mean_scene_load,
    shot_changes_at_cuts,
)
from rumiai.metrics.scene_pacing.cuts import half_counts
from rumiai.metrics.scene_pacing.durations import (
    LONG_TAKE_S,
    QUICK_CUT_S,
    SHORT_SCENE_S,
    accelerating_triples,
    count_shorter,
    energy_curve,
    rapid_stretches,
)
from rumiai.metrics.scene_pacing.pacing import Pacing
from rumiai.metrics.scene_pacing.style import further_tags, pacing_tags
from rumiai.metrics.shared.bins import count_in
from rumiai.metrics.shared.framing import smoothed_shots
from rumiai.metrics.shared.statistics import mean, ratio, std


def further_metrics(evidence: Evidence, pacing: Pacing) -> dict[str, Any]:
    """Everything that stands under ``precompute``."""
    cuts = int(pacing.cuts_s.size)
    load = object_pacing(evidence)
    scores = None if evidence.shots is None else evidence.shots.cut_confidences
    return {
        "shots_per_minute": 60 * pacing.scenes / pacing.duration_s,
        "cut_frequency": 60 * cuts / pacing.duration_s,
        "visual_load_per_scene": None if load is None else load["avgObjectsPerShot"],
        "rhythm_consistency": pacing.rhythm,
        "rhythm_variability": std(pacing.durations_s),
        "acceleration_trend": "stable" if pacing.trend == "maintaining" else pacing.trend,
        "tempo_balance": tempo_balance(pacing),
        **window_metrics(pacing),
        "montage_segments": len(pacing.montages),
        "shot_distribution": shot_distribution(pacing),
        "shortScenesCount": count_shorter(pacing.durations_s, SHORT_SCENE_S),
        "classified_patterns": {
            "hasRapidPacing": pacing.pace == "rapid",
            "isRhythmic": pacing.rhythm == "consistent",
            "isExperimental": pacing.cv > 1,
            "hasMontageSections": bool(pacing.montages),
        },
        "ml_tags": tags_of(pacing) + further_tags(pacing.pace, pacing.rhythm, pacing.trend),
        "acceleration_phases": accelerating_triples(pacing.durations_s),
        "peak_pacing_moments": rapid_stretches(pacing.scenes_s),
        "energy_curve": [{"time": p.time_s, "energy": p.shots_per_s} for p in energy_curve(pacing.scenes_s)],
        "cut_detection_confidence": None if scores is None else mean(scores),
        "complexity_changes": class_changes(evidence, pacing),
        "object_data_available": evidence.objects is not None,
        **camera_metrics(evidence, pacing),
    }


def tags_of(pacing: Pacing) -> list[str]:
    """Tags by rule."""
    return pacing_tags(pacing.mean_s, pacing.cv, pacing.rhythm, pacing.trend, len(pacing.montages))


def tempo_balance(pacing: Pacing) -> dict[str, Any]:
    """Cuts of the halves and the share of the first; 0.5 without cuts."""
    early, late = (int(n) for n in half_counts(pacing.cuts_s, pacing.duration_s))
    return {
        "earlyCuts": early,
        "lateCuts": late,
        "balanceIndex": early / (early + late) if pacing.cuts_s.size else 0.5,
    }


def window_metrics(pacing: Pacing) -> dict[str, Any]:
    """Pacing curve, the windows that are cut fastest, and the first three of these by rate."""
    cuts, rates, label = count_in(pacing.edges_s, pacing.cuts_s), pacing.rates_hz, pacing.window_span
    fastest = sorted(pacing.peaks, key=lambda i: (-rates[i], i))[:3]
    return {
        "pacing_curve": {label(i): {"cuts": cuts[i], "cutsPerSecond": rates[i]} for i in range(rates.size)},
        "cut_density_zones": [label(i) for i in pacing.peaks],
        "peak_cut_moments": [
            {"window": label(i), "cutCount": cuts[i], "intensity": rates[i] / rates.max()} for i in fastest
        ],
    }


def shot_distribution(pacing: Pacing) -> dict[str, int]:
    """Scenes by length."""
    quick, short, medium = (count_shorter(pacing.durations_s, s) for s in (QUICK_CUT_S, SHORT_SCENE_S, LONG_TAKE_S))
    return {"quickCuts": quick, "short": short, "medium": medium - short, "long": pacing.scenes - medium}


def class_changes(evidence: Evidence, pacing: Pacing) -> int | None:
    """Changes of the number of object classes between scenes; None without objects."""
    objects, shots = evidence.objects, evidence.shots
    if objects is None or shots is None:
        return None
    return complexity_changes(shots.index(objects.grid.times_s[objects.sample]), objects.class_index, pacing.scenes)


def camera_metrics(evidence: Evidence, pacing: Pacing) -> dict[str, Any]:
    """Changes of the smoothed shot type, alone and at cuts; None where people are unknown."""
    if evidence.people is None:
        nothing = dict.fromkeys(("shot_type_changes", "shot_camera_alignment", "camera_movement_cuts"))
        return {**nothing, "camera_data_available": False}
    shots = smoothed_shots(evidence.people, evidence.objects)
    changed = shot_changes_at_cuts(pacing.cuts_s, shots.times_s, shots.labels, evidence.people.grid.step_s)
    return {
        "shot_type_changes": len(shots.changes),
        "shot_camera_alignment": {
            "cameraChangesPerShot": len(shots.changes) / pacing.scenes,
            "alignmentScore": ratio(changed, pacing.cuts_s.size),
        },
        "camera_movement_cuts": changed,
        "camera_data_available": bool(shots.times_s),
    }


def object_pacing(evidence: Evidence) -> dict[str, Any] | None:
    """Visual load per scene; None when objects or scenes are unknown."""
    objects, shots = evidence.objects, evidence.shots
    if objects is None or shots is None:
        return None
    load = mean_scene_load(shots.index(objects.grid.times_s), objects.per_sample, shots.starts_s.size)
    return None if load is None else {"avgObjectsPerShot": load, "complexityLevel": complexity_of(load)}
