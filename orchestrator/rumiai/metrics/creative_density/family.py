"""creative_density: density and rhythm of creative elements (docs/analyses.md, creative_density)."""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
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
from rumiai.metrics.families import Family
from rumiai.metrics.shared.density import Density
from rumiai.metrics.shared.statistics import std

WEIGHTS: Final = Weights(
    core_metrics={"ocr": 0.35, "yolo": 0.3, "mediapipe": 0.25, "scenes": 0.1},
    dynamics={"ocr": 0.35, "yolo": 0.25, "mediapipe": 0.2, "scenes": 0.2},
    interactions={"ocr": 0.3, "yolo": 0.2, "mediapipe": 0.2, "whisper": 0.2, "scenes": 0.1},
    key_events={"ocr": 0.3, "yolo": 0.3, "mediapipe": 0.2, "scenes": 0.2},
    patterns={"ocr": 0.4, "yolo": 0.2, "scenes": 0.15, "whisper": 0.15, "mediapipe": 0.1},
)
_ELEMENT_SERVICES: Final[tuple[Source, ...]] = ("ocr", "yolo", "mediapipe", "scenes")


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video."""
    density = density_of(evidence)
    d = density.total
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
        core_metrics=_core(evidence, counts, d),
        dynamics=Dynamics.unknown() if d is None else _dynamics(density, d),
        interactions=Interactions.unknown() if d is None else _interactions(evidence, density, d),
        key_events=KeyEvents.unknown() if d is None else _key_events(density, d),
        patterns=Patterns.unknown() if d is None else _patterns(evidence, counts, d),
        quality=_quality(evidence),
    )
    return blocks, more if d is None else _further(evidence, counts, d)


def _core(evidence: Evidence, counts: ElementCounts, d: Floats | None) -> CoreMetrics:
    total = elements.known_total(counts) if evidence.services.ok(*_ELEMENT_SERVICES) else None
    return CoreMetrics(
        avg_density=None if d is None else float(d.mean()),
        max_density=None if d is None else float(d.max()),
        min_density=None if d is None else float(d.min()),
        std_deviation=None if d is None else std(d),
        total_elements=total,
        elements_per_second=None if total is None else total / evidence.duration_s,
        element_counts=counts,
        scene_change_count=None if evidence.shots is None else int(evidence.shots.cuts_s.size),
        timeline_coverage=None if d is None else 1 - _empty_share(d),
    )


def _empty_share(d: Floats) -> float:
    return np.count_nonzero(d == 0) / d.size


def _dynamics(density: Density, d: Floats) -> Dynamics:
    points = zip(d.tolist(), density.primary(), strict=True)
    return Dynamics(
        density_curve=[
            DensityPoint(second=second, density=value, primary_element=kind)
            for second, (value, kind) in enumerate(points)
        ],
        volatility=curve.volatility(d),
        acceleration_pattern=curve.acceleration_pattern(d),
        density_progression=curve.density_progression(d, density.bins),
        empty_seconds=np.flatnonzero(d == 0).tolist(),
    )


def _interactions(evidence: Evidence, density: Density, d: Floats) -> Interactions:
    pairs = elements.cooccurrence(density.types, density.present)
    peaks = events.multi_modal_peaks(density.types, density.present, words_of(evidence), density.bins)
    return Interactions(
        multi_modal_peaks=peaks,
        element_cooccurrence=pairs,
        dominant_combination=elements.dominant_pair(pairs),
        coordination_score=len(peaks) / d.size,
    )


def _key_events(density: Density, d: Floats) -> KeyEvents:
    return KeyEvents(
        peak_moments=events.peak_moments(d, density.counts, density.bins),
        dead_zones=events.dead_zones(d, density.bins),
        density_shifts=events.density_shifts(d, density.bins),
    )


def _patterns(evidence: Evidence, counts: ElementCounts, d: Floats) -> Patterns:
    average = float(d.mean())
    closing = elements.closing_call_to_action(evidence.texts, evidence.speech, evidence.duration_s)
    acceleration, progression = curve.acceleration_pattern(d), curve.density_progression(d, evidence.bins)
    tags = elements.ml_tags(counts, curve.pattern_flags(d), empty_share=_empty_share(d), volatility=curve.volatility(d))
    return Patterns(
        structural_flags=None if closing is None else curve.structural_flags(d, closing_call=closing),
        density_classification=curve.classification(average),
        pacing_style=curve.pacing_style(d, acceleration, progression),
        cognitive_load_category=curve.cognitive_load(average, float(d.max())),
        ml_tags=tags,
    )


def _quality(evidence: Evidence) -> Quality:
    services, shots = evidence.services, evidence.shots
    return Quality(
        data_completeness=services.completeness(WEIGHTS),
        detection_reliability=elements.reliability(
            ocr=services.q("ocr"),
            yolo=services.q("yolo"),
            mediapipe=services.q("mediapipe"),
            scenes=services.q("scenes"),
            names_transitions=shots is not None and shots.transition_types is not None,
        ),
    )


def _further(evidence: Evidence, counts: ElementCounts, d: Floats) -> FurtherMetrics:
    flags = curve.pattern_flags(d)
    return FurtherMetrics(
        duration_seconds=evidence.duration_s,
        creative_density_score=curve.creative_score(float(d.mean())),
        density_pattern_flags=flags,
        patterns_identified=[name for name, found in flags if found],
        density_pattern=curve.acceleration_pattern(d),
        timeline_frame_counts=elements.timeline_counts(counts, evidence.objects, evidence.expressions),
    )


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked; None when there is something to judge."""
    core = blocks.core_metrics
    seen = any(count for _, count in core.element_counts) or core.scene_change_count
    return None if seen else "no creative elements were found"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge, V1, (Duration, FurtherMetrics))
