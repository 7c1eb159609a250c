"""Metrics of scene_pacing that have no field of their own, or that need more than the cuts (docs: analyses, 4.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.metrics.evidence.types import Evidence, Objects, Shots
from rumiai.metrics.scene_pacing.pacing import LONG_TAKE_S, MONTAGE_SHOT_S, QUICK_CUT_S, SHORT_SCENE_S, Pacing, pace_of
from rumiai.metrics.shared.framing import smoothed_shots
from rumiai.metrics.shared.statistics import ratio, std


def further_metrics(evidence: Evidence, pacing: Pacing) -> dict[str, Any]:
    """Everything that stands under ``precompute``, by the names of the metric table."""
    durations, cuts = pacing.durations_s, int(pacing.cuts_s.size)
    early, late = (int(n) for n in pacing.counts(2))
    windows = range(len(pacing.window_rates))
    zones = pacing.zones()
    load = object_pacing(evidence)
    return {
        "shots_per_minute": 60 * pacing.scenes / pacing.duration_s,
        "cut_frequency": 60 * cuts / pacing.duration_s,
        "visual_load_per_scene": None if load is None else load["avgObjectsPerShot"],
        "rhythm_consistency": pacing.rhythm_class,
        "rhythm_variability": std(durations),
        "acceleration_trend": {"maintaining": "stable"}.get(pacing.trend, pacing.trend),
        "tempo_balance": {
            "earlyCuts": early,
            "lateCuts": late,
            "balanceIndex": early / (early + late) if cuts else 0.5,
        },
        "pacing_curve": {
            pacing.window_span(i): {"cuts": pacing.window_cuts[i], "cutsPerSecond": pacing.window_rates[i]}
            for i in windows
        },
        "cut_density_zones": [pacing.window_span(i) for i in zones],
        "peak_cut_moments": [
            {
                "window": pacing.window_span(i),
                "cutCount": pacing.window_cuts[i],
                "intensity": pacing.window_rates[i] / pacing.window_rates.max(),
            }
            for i in sorted(zones, key=lambda i: (-pacing.window_rates[i], i))[:3]
        ],
        "montage_segments": len(pacing.montages()),
        "shot_distribution": shot_distribution(pacing),
        "shortScenesCount": pacing.shorter_than(SHORT_SCENE_S),
        "classified_patterns": {
            "hasRapidPacing": pace_of(pacing.mean_s) == "rapid",
            "isRhythmic": pacing.rhythm_class == "consistent",
            "isExperimental": pacing.cv > 1,
            "hasMontageSections": bool(pacing.montages()),
        },
        "ml_tags": ml_tags(pacing),
        "acceleration_phases": pacing.accelerating_triples(),
        "peak_pacing_moments": pacing.rapid_stretches(),
        "energy_curve": pacing.energy_curve(),
        "cut_detection_confidence": pacing.cut_confidence(),
        "complexity_changes": complexity_changes(evidence, pacing),
        "object_data_available": evidence.objects is not None,
        **camera_metrics(evidence, pacing),
    }


def shot_distribution(pacing: Pacing) -> dict[str, int]:
    """Scenes by length."""
    quick, short, medium = (pacing.shorter_than(limit) for limit in (QUICK_CUT_S, SHORT_SCENE_S, LONG_TAKE_S))
    return {"quickCuts": quick, "short": short, "medium": medium - short, "long": pacing.scenes - medium}


def ml_tags(pacing: Pacing) -> list[str]:
    """Tags of the older form: those of the pacing and three more."""
    more = {
        "fast_paced": pace_of(pacing.mean_s) in ("rapid", "fast"),
        "variable_rhythm": pacing.rhythm_class == "varied",
        "building_momentum": pacing.trend == "accelerating",
    }
    return pacing_tags(pacing) + [tag for tag, found in more.items() if found]


def complexity_changes(evidence: Evidence, pacing: Pacing) -> int | None:
    """Consecutive scenes whose numbers of object classes differ by more than two; None without objects."""
    objects = evidence.objects
    if objects is None:
        return None
    scene_of = pacing.shots.index(objects.grid.times_s[objects.sample])
    pairs = np.unique(np.stack([scene_of, objects.class_index], axis=1), axis=0)
    classes = np.bincount(pairs[:, 0], minlength=pacing.scenes)
    return int((np.abs(np.diff(classes)) > 2).sum())


def camera_metrics(evidence: Evidence, pacing: Pacing) -> dict[str, Any]:
    """Changes of the smoothed shot type, alone and at cuts; None where people are unknown."""
    if evidence.people is None:
        nothing = dict.fromkeys(("shot_type_changes", "shot_camera_alignment", "camera_movement_cuts"))
        return {**nothing, "camera_data_available": False}
    shots = smoothed_shots(evidence.people, evidence.objects)
    times, labels = np.array(shots.times_s), np.array(shots.labels)
    after = np.searchsorted(times, pacing.cuts_s - evidence.people.grid.step_s / 2)
    inner = (after > 0) & (after < times.size)
    changed = int((labels[after[inner]] != labels[after[inner] - 1]).sum())
    return {
        "shot_type_changes": len(shots.changes),
        "shot_camera_alignment": {
            "cameraChangesPerShot": len(shots.changes) / pacing.scenes,
            "alignmentScore": ratio(changed, pacing.cuts_s.size),
        },
        "camera_movement_cuts": changed,
        "camera_data_available": bool(times.size),
    }


def pacing_tags(pacing: Pacing) -> list[str]:
    """Tags by rule."""
    tags = {
        "quick_cuts": pacing.mean_s < 4,
        "accelerating_pace": pacing.trend == "accelerating",
        "decelerating_pace": pacing.trend == "decelerating",
        "rhythmic_editing": pacing.rhythm_class == "consistent",
        "has_montage_sections": bool(pacing.montages()),
        "mtv_style": pacing.mean_s < MONTAGE_SHOT_S,
        "experimental_pacing": pacing.cv > 1,
    }
    return [tag for tag, found in tags.items() if found]


def _scene_load(objects: Objects, shots: Shots) -> Floats:
    """``(n,)`` mean number of objects per sampled frame of each scene; NaN for a scene without a frame."""
    scene_of = shots.index(objects.grid.times_s)
    frames = np.bincount(scene_of, minlength=shots.starts_s.size)
    boxes = np.bincount(scene_of, weights=objects.per_sample, minlength=shots.starts_s.size)
    return np.divide(boxes, frames, out=np.full(frames.size, np.nan), where=frames > 0)


def object_pacing(evidence: Evidence) -> dict[str, Any] | None:
    """Visual load per scene; None when objects or scenes are unknown."""
    if evidence.objects is None or evidence.shots is None or not evidence.objects.grid.count:
        return None
    load = float(np.nanmean(_scene_load(evidence.objects, evidence.shots)))
    return {
        "avgObjectsPerShot": load,
        "complexityLevel": "low" if load < 2 else "moderate" if load < 5 else "high",
    }
