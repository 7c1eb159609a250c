"""Metrics of scene_pacing that have no field in its blocks."""

from __future__ import annotations

from rumiai.metrics.evidence.framing import smoothed_shots
from rumiai.metrics.evidence.types import Evidence, Shots
from rumiai.metrics.scene_pacing.blocks import (
    CameraAlignment,
    ClassifiedPatterns,
    FurtherMetrics,
    PeakCutMoment,
    ShotDistribution,
    TempoBalance,
    WindowCuts,
)
from rumiai.metrics.scene_pacing.content import complexity_changes, shot_changes_at_cuts
from rumiai.metrics.scene_pacing.cuts import half_counts
from rumiai.metrics.scene_pacing.durations import (
    LONG_TAKE_S,
    QUICK_CUT_S,
    SEVERAL_SCENES,
    SHORT_SCENE_S,
    accelerating_triples,
    count_shorter,
    energy_curve,
    rapid_stretches,
)
from rumiai.metrics.scene_pacing.pacing import Pacing
from rumiai.metrics.scene_pacing.patterns import further_tags, pacing_tags
from rumiai.metrics.shared.bins import count_in
from rumiai.metrics.shared.statistics import mean, ratio, std


def further_metrics(evidence: Evidence, shots: Shots, pacing: Pacing, load: float | None) -> FurtherMetrics:
    """Everything that stands under ``precompute``: values of the older form that have no field in the six blocks.

    Args:
        evidence: Of the video: objects, people, and how completely scenes were looked for.
        shots: Its scenes.
        pacing: Measures of them.
        load: Objects per sampled frame, mean over scenes; None where unknown.

    Returns:
        Each metric; None where what it needs was not measured (objects, people, confidences of cuts) or a single scene
        does not tell. Rates are per minute of picture observed.
    """
    cuts, scores = int(pacing.cuts_s.size), shots.cut_confidences
    camera_changes, changes_at_cuts, labelled = _camera_changes(evidence, pacing)
    return FurtherMetrics(
        shots_per_minute=60 * pacing.scenes / pacing.duration_s,
        cut_frequency=60 * cuts / pacing.duration_s,
        visual_load_per_scene=load,
        rhythm_consistency=pacing.rhythm,
        rhythm_variability=std(pacing.durations_s),
        acceleration_trend="stable" if pacing.trend == "maintaining" else pacing.trend,
        tempo_balance=_tempo_balance(pacing),
        pacing_curve=_window_cuts(pacing),
        cut_density_zones=[pacing.window_span(i) for i in pacing.peaks],
        peak_cut_moments=_peak_cut_moments(pacing),
        montage_segments=len(pacing.montages),
        shot_distribution=_shot_distribution(pacing),
        short_scenes_count=count_shorter(pacing.durations_s, SHORT_SCENE_S),
        classified_patterns=_classified_patterns(pacing),
        ml_tags=tags_of(pacing) + further_tags(pacing.pace, pacing.rhythm, pacing.trend),
        acceleration_phases=accelerating_triples(pacing.durations_s),
        peak_pacing_moments=rapid_stretches(pacing.scenes_s),
        energy_curve=energy_curve(pacing.scenes_s),
        cut_detection_confidence=None if scores is None else mean(scores),
        complexity_changes=_class_changes(evidence, shots),
        object_data_available=evidence.objects is not None,
        shot_type_changes=camera_changes,
        shot_camera_alignment=_camera_alignment(pacing, camera_changes, changes_at_cuts),
        camera_movement_cuts=changes_at_cuts,
        camera_data_available=labelled,
        scene_detection_rate=evidence.services.of["scenes"].completeness,
    )


def tags_of(pacing: Pacing) -> list[str]:
    """Tags of the cutting (:func:`pacing_tags`).

    Source: docs/analyses.md, scenePacingPatterns, ``pacingTags``.

    Args:
        pacing: Measures of the cutting.

    Returns:
        The tags in a fixed order; empty for none.
    """
    return pacing_tags(
        mean_s=pacing.mean_s,
        cv=pacing.cv,
        rhythm=pacing.rhythm,
        trend=pacing.trend,
        montages=len(pacing.montages),
        quick_cuts=count_shorter(pacing.durations_s, QUICK_CUT_S),
    )


def _tempo_balance(pacing: Pacing) -> TempoBalance:
    early, late = half_counts(pacing.cuts_s, pacing.duration_s).tolist()
    return TempoBalance(early_cuts=early, late_cuts=late, balance_index=ratio(early, early + late))


def _window_cuts(pacing: Pacing) -> dict[str, WindowCuts]:
    windows = zip(count_in(pacing.edges_s, pacing.cuts_s).tolist(), pacing.rates_hz.tolist(), strict=True)
    return {
        pacing.window_span(i): WindowCuts(cuts=cuts, cuts_per_second=rate_hz)
        for i, (cuts, rate_hz) in enumerate(windows)
    }


def _peak_cut_moments(pacing: Pacing) -> list[PeakCutMoment]:
    """The three windows that are cut fastest, the fastest first."""
    cuts, rates_hz = count_in(pacing.edges_s, pacing.cuts_s).tolist(), pacing.rates_hz.tolist()
    fastest = sorted(pacing.peaks, key=lambda i: (-rates_hz[i], i))[:3]
    return [
        PeakCutMoment(window=pacing.window_span(i), cut_count=cuts[i], intensity=rates_hz[i] / max(rates_hz))
        for i in fastest
    ]


def _shot_distribution(pacing: Pacing) -> ShotDistribution:
    quick, short, medium = (count_shorter(pacing.durations_s, s) for s in (QUICK_CUT_S, SHORT_SCENE_S, LONG_TAKE_S))
    return ShotDistribution(quick_cuts=quick, short=short, medium=medium - short, long=pacing.scenes - medium)


def _classified_patterns(pacing: Pacing) -> ClassifiedPatterns | None:
    """Flags of the older form; None for fewer than three scenes, which have no rhythm."""
    if pacing.scenes < SEVERAL_SCENES:
        return None
    return ClassifiedPatterns(
        has_rapid_pacing=pacing.pace == "rapid",
        is_rhythmic=pacing.rhythm == "consistent",
        is_experimental=pacing.cv > 1,
        has_montage_sections=bool(pacing.montages),
    )


def _class_changes(evidence: Evidence, shots: Shots) -> int | None:
    """Changes of the number of object classes between scenes; None where objects are unknown."""
    objects = evidence.objects
    if objects is None:
        return None
    scene_of_box = shots.index(objects.grid.times_s[objects.sample])
    return complexity_changes(scene_of_box, objects.class_index, shots.starts_s.size)


def _camera_changes(evidence: Evidence, pacing: Pacing) -> tuple[int | None, int | None, bool]:
    """Changes of the smoothed shot type, those at cuts, and whether any sample has one; None without people."""
    if evidence.people is None:
        return None, None, False
    shots = smoothed_shots(evidence.people, evidence.objects)
    at_cuts = shot_changes_at_cuts(pacing.cuts_s, shots.times_s, shots.labels, evidence.people.grid.step_s)
    return len(shots.changes), at_cuts, bool(shots.times_s)


def _camera_alignment(pacing: Pacing, changes: int | None, at_cuts: int | None) -> CameraAlignment | None:
    if changes is None or at_cuts is None:
        return None
    return CameraAlignment(
        camera_changes_per_shot=changes / pacing.scenes, alignment_score=ratio(at_cuts, pacing.cuts_s.size)
    )
