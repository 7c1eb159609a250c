"""creative_density: density and rhythm of creative elements (docs/analyses.md, creative_density)."""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.contracts.blocks import MissingService, MoreMetrics
from rumiai.core.arrays import Floats
from rumiai.metrics.creative_density import curve, elements, events
from rumiai.metrics.creative_density.blocks import (
    SCHEMA,
    Blocks,
    CoreMetrics,
    DensityPoint,
    Duration,
    Dynamics,
    ElementCounts,
    FurtherMetrics,
    Interactions,
    KeyEvents,
    Patterns,
    Quality,
)
from rumiai.metrics.creative_density.v1 import V1
from rumiai.metrics.evidence.confidence import Source, Weights
from rumiai.metrics.evidence.elements import density_of, words_of
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, unknown_because
from rumiai.metrics.shared.density import Density
from rumiai.metrics.shared.statistics import mean, ratio, std

WEIGHTS: Final = Weights(
    core_metrics={"ocr": 0.35, "yolo": 0.3, "mediapipe": 0.25, "scenes": 0.1},
    dynamics={"ocr": 0.35, "yolo": 0.25, "mediapipe": 0.2, "scenes": 0.2},
    interactions={"ocr": 0.3, "yolo": 0.2, "mediapipe": 0.2, "whisper": 0.2, "scenes": 0.1},
    key_events={"ocr": 0.3, "yolo": 0.3, "mediapipe": 0.2, "scenes": 0.2},
    patterns={"ocr": 0.4, "yolo": 0.2, "scenes": 0.15, "whisper": 0.15, "mediapipe": 0.1},
)
# Why there is never a number of effects.
NO_DETECTOR: Final = "no detector"
_ELEMENT_SERVICES: Final[tuple[Source, ...]] = ("ocr", "yolo", "mediapipe", "scenes")


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """Density and rhythm of the creative elements of one video.

    Args:
        evidence: Of the video.

    Returns:
        The six blocks, and the metrics without a field in them. Where none of texts, objects, people and scenes was
        looked for, or no bin is known, all that rests on the density curve is null, and of the further metrics only the
        duration is there.
    """
    density = density_of(evidence)
    # Changes of expression alone are no density: they are the one type without a weight of its own.
    d = density.total if any(map(evidence.services.ok, _ELEMENT_SERVICES)) else None
    counts = elements.element_counts(
        texts=evidence.texts,
        stickers=evidence.stickers,
        gestures=evidence.gestures,
        expressions=evidence.expressions,
        objects=evidence.objects,
        shots=evidence.shots,
    )
    more: MoreMetrics = Duration(duration_seconds=evidence.duration_s)
    blocks = Blocks(
        core_metrics=_core(evidence, counts, density, d),
        dynamics=Dynamics.unknown() if d is None else _dynamics(density, d),
        interactions=Interactions.unknown() if d is None else _interactions(evidence, density, d),
        key_events=KeyEvents.unknown() if d is None else _key_events(density, d),
        patterns=Patterns.unknown() if d is None else _patterns(evidence, counts, density, d),
        quality=_quality(evidence),
    )
    return blocks, more if d is None else _further(evidence, counts, density, d)


def _core(evidence: Evidence, counts: ElementCounts, density: Density, d: Floats | None) -> CoreMetrics:
    total = elements.known_total(counts) if evidence.services.ok(*_ELEMENT_SERVICES) else None
    seconds = {name: looked.seconds for name, looked in evidence.observed.items()}
    return CoreMetrics(
        avg_density=None if d is None else mean(d),
        max_density=None if d is None else float(np.nanmax(d)),
        min_density=None if d is None else float(np.nanmin(d)),
        std_deviation=None if d is None else std(d),
        total_elements=total,
        elements_per_second=None if total is None else elements.rate(counts, seconds),
        element_counts=counts,
        scene_change_count=None if evidence.shots is None else int(evidence.shots.cuts_s.size),
        timeline_coverage=None if (empty := _empty_share(density, d)) is None else 1 - empty,
    )


def _empty_share(density: Density, d: Floats | None) -> float | None:
    """Empty bins / known bins; None unless every type was looked for."""
    return None if d is None or not density.is_complete else mean(np.where(np.isnan(d), np.nan, d == 0))


def _dynamics(density: Density, d: Floats) -> Dynamics:
    points = zip(d.tolist(), density.primary(), strict=True)
    return Dynamics(
        density_curve=[
            DensityPoint(second=second, density=None if np.isnan(value) else value, primary_element=kind)
            for second, (value, kind) in enumerate(points)
        ],
        volatility=curve.volatility(d),
        acceleration_pattern=curve.acceleration_pattern(d),
        density_progression=curve.density_progression(d, density.bins),
        empty_seconds=np.flatnonzero(d == 0).tolist() if density.is_complete else None,
    )


def _interactions(evidence: Evidence, density: Density, d: Floats) -> Interactions:
    pairs = elements.cooccurrence(density.types, density.present)
    peaks = None
    if len(density.types) >= events.MODES:
        heard = evidence.speech is not None
        peaks = events.multi_modal_peaks(
            density.types, density.present, words_of(evidence), density.bins, speech_known=heard
        )
    return Interactions(
        multi_modal_peaks=peaks,
        element_cooccurrence=pairs or None,
        dominant_combination=elements.dominant_pair(pairs),
        coordination_score=None if peaks is None else ratio(len(peaks), int(np.count_nonzero(~np.isnan(d)))),
    )


def _key_events(density: Density, d: Floats) -> KeyEvents:
    return KeyEvents(
        peak_moments=events.peak_moments(d, density.counts, density.bins),
        dead_zones=events.dead_zones(d, density.bins) if density.is_complete else None,
        density_shifts=events.density_shifts(d, density.bins),
    )


def _patterns(evidence: Evidence, counts: ElementCounts, density: Density, d: Floats) -> Patterns:
    average = float(np.nanmean(d)) if density.is_complete else None
    closing = elements.closing_call_to_action(evidence.texts, evidence.speech, evidence.duration_s)
    acceleration, progression = curve.acceleration_pattern(d), curve.density_progression(d, evidence.bins)
    empty = _empty_share(density, d)
    tags = elements.ml_tags(counts, curve.pattern_flags(d), empty_share=empty, volatility=curve.volatility(d))
    return Patterns(
        structural_flags=curve.structural_flags(d, closing_call=closing),
        density_classification=None if average is None else curve.classification(average),
        pacing_style=curve.pacing_style(d, acceleration, progression),
        cognitive_load_category=None if average is None else curve.cognitive_load(average, float(np.nanmax(d))),
        ml_tags=tags,
    )


def _quality(evidence: Evidence) -> Quality:
    return Quality(
        missing_services=unmeasured(evidence),
        data_completeness=evidence.services.completeness(WEIGHTS),
        detection_reliability=elements.reliability(evidence),
    )


def unmeasured(evidence: Evidence) -> list[MissingService]:
    """Types of element that nothing measures on this video.

    Source: docs/analyses.md, densityQuality, ``missingServices``.

    Args:
        evidence: Of the video.

    Returns:
        Each type with its reason: effects always, since nothing detects them; transitions where the scenes are known
        and no types are named.
    """
    shots = evidence.shots
    found = [MissingService(service="effect", reason=NO_DETECTOR)]
    if shots is not None and shots.transition_types is None:
        found.append(MissingService(service="transition", reason="no types are named"))
    return found


def _further(evidence: Evidence, counts: ElementCounts, density: Density, d: Floats) -> FurtherMetrics:
    flags = curve.pattern_flags(d)
    return FurtherMetrics(
        duration_seconds=evidence.duration_s,
        creative_density_score=curve.creative_score(float(np.nanmean(d))) if density.is_complete else None,
        density_pattern_flags=flags,
        patterns_identified=[name for name, found in flags if found],
        density_pattern=curve.acceleration_pattern(d),
        timeline_frame_counts=elements.timeline_counts(counts, evidence.objects, evidence.expressions),
    )


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked: there is no element and no cut that it could judge.

    Args:
        blocks: Of the video.

    Returns:
        The reason; None when any element was counted, or a cut.
    """
    core = blocks.core_metrics
    if any(count for _, count in core.element_counts) or core.scene_change_count:
        return None
    if core.total_elements is None:
        return unknown_because(blocks, "the creative elements", "ocr", "yolo", "mediapipe", "scene_detection")
    return "no creative elements were found"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge, V1, (Duration, FurtherMetrics))
