"""creative_density: how densely, and in which rhythm, creative elements are used (docs: analyses, section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.core.arrays import Floats, Ints
from rumiai.metrics.creative_density.blocks import SCHEMA, Blocks
from rumiai.metrics.creative_density.events import dead_zones, density_shifts, multi_modal_peaks, peak_moments
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, assemble, unknown
from rumiai.metrics.shared.density import Density, density_of, object_count
from rumiai.metrics.shared.phrases import find_ctas, spoken_phrases
from rumiai.metrics.shared.series import is_rhythmic, local_maxima
from rumiai.metrics.shared.statistics import cv, line, std

WEIGHTS: Final = Weights(
    core_metrics={"ocr": 0.35, "yolo": 0.3, "mediapipe": 0.25, "scenes": 0.1},
    dynamics={"ocr": 0.35, "yolo": 0.25, "mediapipe": 0.2, "scenes": 0.2},
    interactions={"ocr": 0.3, "yolo": 0.2, "mediapipe": 0.2, "whisper": 0.2, "scenes": 0.1},
    key_events={"ocr": 0.3, "yolo": 0.3, "mediapipe": 0.2, "scenes": 0.2},
    patterns={"ocr": 0.4, "yolo": 0.2, "scenes": 0.15, "whisper": 0.15, "mediapipe": 0.1},
)

_CLOSING_SHARE: Final = 0.15
_FEW_BINS: Final = 6  # thirds of fewer bins say nothing
_STEADY_CV: Final = 0.3
_PEAKS_APART_S: Final = 8.0
_ELEMENT_SERVICES: Final = ("ocr", "yolo", "mediapipe", "scenes")


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video."""
    density = density_of(evidence)
    counts = element_counts(evidence)
    d = density.total
    known = {} if d is None else _from_curve(evidence, density, d, counts)

    def block(name: str) -> dict[str, Any]:
        return {**unknown(SCHEMA, name), **known.get(name, {})}

    return assemble(
        Blocks,
        core=block("CoreMetrics") | _core(evidence, counts),
        dynamics=block("Dynamics"),
        interactions=block("Interactions"),
        key_events=block("KeyEvents"),
        patterns=block("Patterns"),
        quality={
            "dataCompleteness": evidence.services.completeness(WEIGHTS),
            "detectionReliability": reliability(evidence),
        },
        precompute={"duration_seconds": evidence.duration_s, **known.get("precompute", {})},
    )


def _core(evidence: Evidence, counts: Mapping[str, int | None]) -> dict[str, Any]:
    all_ran = evidence.services.ok(*_ELEMENT_SERVICES)
    total = sum(n for n in counts.values() if n is not None) if all_ran else None
    return {
        "totalElements": total,
        "elementsPerSecond": None if total is None else total / evidence.duration_s,
        "elementCounts": counts,
        "sceneChangeCount": None if evidence.shots is None else int(evidence.shots.cuts_s.size),
    }


def _from_curve(
    evidence: Evidence, density: Density, d: Floats, counts: Mapping[str, int | None]
) -> dict[str, dict[str, Any]]:
    """Everything that follows from the density per bin, by block."""
    average, volatility = float(d.mean()), min(1.0, cv(d) or 0.0)
    acceleration, progression = acceleration_pattern(d), density_progression(d, evidence, volatility)
    empty = [int(i) for i in np.flatnonzero(d == 0)]
    pairs = cooccurrence(density)
    peaks = multi_modal_peaks(density, evidence)
    older_flags = pattern_flags(d)
    primary = density.primary()
    return {
        "CoreMetrics": {
            "avgDensity": average,
            "maxDensity": float(d.max()),
            "minDensity": float(d.min()),
            "stdDeviation": std(d),
            "timelineCoverage": 1 - len(empty) / d.size,
        },
        "Dynamics": {
            "densityCurve": [{"second": i, "density": d[i], "primaryElement": primary[i]} for i in range(d.size)],
            "volatility": volatility,
            "accelerationPattern": acceleration,
            "densityProgression": progression,
            "emptySeconds": empty,
        },
        "Interactions": {
            "multiModalPeaks": peaks,
            "elementCooccurrence": pairs,
            "dominantCombination": dominant_pair(pairs),
            "coordinationScore": len(peaks) / d.size,
        },
        "KeyEvents": {
            "peakMoments": peak_moments(density, d),
            "deadZones": dead_zones(d, evidence.bins),
            "densityShifts": density_shifts(d, evidence.bins),
        },
        "Patterns": {
            "structuralFlags": structural_flags(d, evidence),
            "densityClassification": classification(average),
            "pacingStyle": pacing_style(d, acceleration, progression),
            "cognitiveLoadCategory": cognitive_load(average, float(d.max())),
            "mlTags": ml_tags(counts, older_flags, len(empty) / d.size, volatility),
        },
        "precompute": {
            "creative_density_score": creative_score(average),
            "density_pattern_flags": older_flags,
            "patterns_identified": [name for name, found in older_flags.items() if found],
            "density_pattern": acceleration,
            "timeline_frame_counts": timeline_counts(evidence),
        },
    }


def element_counts(evidence: Evidence) -> dict[str, int | None]:
    """Distinct items over the video by type; None for a type whose service failed.

    Effects have no detector, so they are 0; objects are counted per scene, so they need the scenes too.
    """
    shots, objects = evidence.shots, evidence.objects
    return {
        "text": None if evidence.texts is None else len(evidence.texts),
        "sticker": None if evidence.stickers is None else len(evidence.stickers),
        "effect": 0,
        "transition": None if shots is None else sum(kind != "cut" for kind in shots.transition_types or ()),
        "object": None if shots is None or objects is None else object_count(objects, shots),
        "gesture": None if evidence.gestures is None else len(evidence.gestures),
        "expression": None if evidence.expressions is None else len(evidence.expressions.smoothed.changes),
    }


def thirds(d: Floats) -> tuple[float, float]:
    """Means of the first and the last third."""
    third = max(1, d.size // 3)
    return float(d[:third].mean()), float(d[-third:].mean())


def acceleration_pattern(d: Floats) -> str:
    """Where the density lies: front_loaded, back_loaded, oscillating or even."""
    if d.size < _FEW_BINS:
        return "even"
    first, last = thirds(d)
    if first > 1.5 * last:
        return "front_loaded"
    if last > 1.5 * first:
        return "back_loaded"
    return "oscillating" if (cv(d) or 0.0) > 0.5 else "even"


def density_progression(d: Floats, evidence: Evidence, volatility: float) -> str:
    """Trend of the curve by its regression over time."""
    edges = evidence.bins.edges_s
    slope, _, explained = line((edges[:-1] + edges[1:]) / 2, d)
    if volatility > 0.8 and explained < 0.1:
        return "erratic"
    change = slope * evidence.duration_s / float(d.mean()) if d.mean() else 0.0
    if abs(change) < 0.3:
        return "stable"
    return "increasing" if change > 0 else "decreasing"


def structural_flags(d: Floats, evidence: Evidence) -> dict[str, bool] | None:
    """The six flags; None when neither speech nor text could be searched for a closing call to action."""
    closing = closing_call_to_action(evidence)
    if closing is None:
        return None
    first, last = thirds(d)
    return {
        "strongOpeningHook": strong_opening(d),
        "crescendoPattern": last > 1.5 * first,
        "frontLoaded": first > 1.5 * last,
        "consistentPacing": (cv(d) or 0.0) < _STEADY_CV,
        "finalCallToAction": closing,
        "rhythmicPattern": is_rhythmic(d),
    }


def strong_opening(d: Floats) -> bool:
    """Whether the first 3 s are more than 1.5 times as dense as the rest."""
    return d.size > 3 and float(d[:3].mean()) > 1.5 * float(d[3:].mean())


def closing_call_to_action(evidence: Evidence) -> bool | None:
    """Whether a call to action is seen or heard in the last 15 %; None when neither text nor speech is known."""
    if evidence.texts is None and evidence.speech is None:
        return None
    begin_s = (1 - _CLOSING_SHARE) * evidence.duration_s
    seen = any(text.end_s > begin_s and find_ctas(text.text) for text in evidence.texts or ())
    phrases = spoken_phrases(evidence.speech, find_ctas) if evidence.speech is not None else ()
    return seen or any(phrase.end_s > begin_s for phrase in phrases)


def classification(average: float) -> str:
    """By mean density."""
    words = ((1, "sparse"), (4, "moderate"), (8, "dense"))
    return next((word for limit, word in words if average < limit), "overwhelming")


def pacing_style(d: Floats, acceleration: str, progression: str) -> str:
    """By steadiness, trend and thirds."""
    if (cv(d) or 0.0) < _STEADY_CV:
        return "steady"
    if progression == "increasing":
        return "building"
    return "burst_fade" if acceleration == "front_loaded" and progression == "decreasing" else "oscillating"


def cognitive_load(average: float, most: float) -> str:
    """By mean and maximum."""
    if average < 1:
        return "minimal"
    if average < 4 and most <= 8:
        return "optimal"
    return "challenging" if average < 8 else "overwhelming"


def cooccurrence(density: Density) -> dict[str, int]:
    """Bins in which both types of a pair occur, for every pair of types whose service ran."""
    together = density.present.astype(np.int64) @ density.present.T.astype(np.int64)
    names = density.types
    pairs = {
        "_".join(sorted((names[a], names[b]))): int(together[a, b])
        for a in range(len(names))
        for b in range(a + 1, len(names))
    }
    return dict(sorted(pairs.items()))


def dominant_pair(pairs: Mapping[str, int]) -> str:
    """The most frequent pair, the alphabetically first on ties; "none" when no two types meet."""
    return min((pair for pair, count in pairs.items() if count), key=lambda pair: (-pairs[pair], pair), default="none")


def pattern_flags(d: Floats) -> dict[str, bool]:
    """The flags of the older form."""
    first, last = thirds(d)
    peaks = [i for i in local_maxima(d) if d[i] > 1.5 * d.mean()]
    return {
        "strong_opening_hook": strong_opening(d),
        "crescendo_pattern": last > 1.5 * first,
        "front_loaded": first > 1.5 * last,
        "consistent_density": (cv(d) or 0.0) < _STEADY_CV,
        "dual_peak_structure": len(peaks) == 2 and peaks[1] - peaks[0] >= _PEAKS_APART_S,
        "multi_peak_rhythm": len(peaks) >= 3,
    }


def ml_tags(counts: Mapping[str, int | None], flags: Mapping[str, bool], empty: float, volatility: float) -> list[str]:
    """Machine tags."""
    known = sum(n for n in counts.values() if n is not None)
    tags = {
        "hook_heavy": flags["strong_opening_hook"],
        "text_driven": known > 0 and (counts["text"] or 0) > 0.4 * known,
        "effect_rich": known > 0 and (counts["effect"] or 0) > 0.3 * known,
        "multi_peak": flags["multi_peak_rhythm"],
        "sparse_density": empty > 0.3,
        "dynamic_pacing": volatility > 0.6,
    }
    return [tag for tag, found in tags.items() if found]


def creative_score(average: float) -> float:
    """0..10 by mean density."""
    if average < 0.5:
        return 6 * average
    if average < 1.5:
        return 3 + 3 * (average - 0.5)
    return 6 + min(2 * (average - 1.5), 4.0)


def reliability(evidence: Evidence) -> dict[str, float]:
    """Quality of the service behind each type; effects have no detector."""
    q = evidence.services.q
    named = evidence.shots is not None and evidence.shots.transition_types is not None
    return {
        "textOverlay": q("ocr"),
        "sticker": q("ocr"),
        "effect": 0.0,
        "transition": q("scenes") if named else 0.0,
        "sceneChange": q("scenes"),
        "object": q("yolo"),
        "gesture": q("mediapipe"),
    }


def timeline_counts(evidence: Evidence) -> dict[str, int | None]:
    """Lengths of what was found, under the older names."""
    counts = element_counts(evidence)
    objects = evidence.objects
    frames: Ints | None = None if objects is None else objects.per_sample
    return {
        "effect_count": counts["effect"],
        "transition_count": counts["transition"],
        "object_detection_frames": None if frames is None else int((frames > 0).sum()),
        "text_overlay_count": counts["text"],
        "sticker_count": counts["sticker"],
        "gesture_count": counts["gesture"],
        "expression_count": None if evidence.expressions is None else len(evidence.expressions.labels),
    }


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked; None when there is something to judge."""
    core = blocks.core_metrics
    seen = any(core.element_counts.model_dump().values()) or core.scene_change_count
    return None if seen else "no creative elements were found"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge)
