"""person_framing: who is in the picture, how large, where, and how that changes (docs/analyses.md, person_framing)."""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.core.intervals import as_intervals, inside, intersect
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence, People
from rumiai.metrics.families import Family, unknown_because
from rumiai.metrics.person_framing import composition, motion, patterns, presence, shots
from rumiai.metrics.person_framing.blocks import (
    SCHEMA,
    Blocks,
    Change,
    CoreMetrics,
    Dynamics,
    FramingRun,
    FurtherMetrics,
    Interactions,
    KeyEvents,
    OptimalFramingPeriod,
    Patterns,
    Quality,
    SecondStability,
    SpeakerFraming,
)
from rumiai.metrics.person_framing.boxes import raster_area, within_margin
from rumiai.metrics.person_framing.framing import Framing, measure_framing
from rumiai.metrics.person_framing.further import distribution_of, further_metrics
from rumiai.metrics.person_framing.moments import critical_moments, highlights, runs_of_spans
from rumiai.metrics.person_framing.v1 import V1
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import cv, mean, mean_known, median
from rumiai.metrics.shared.voice import face_share_of_speech

WEIGHTS: Final = Weights(
    core_metrics={"mediapipe": 0.7, "yolo": 0.3},
    dynamics={"mediapipe": 0.7, "yolo": 0.15, "scenes": 0.15},
    interactions={"mediapipe": 0.6, "yolo": 0.2, "whisper": 0.2},
    key_events={"mediapipe": 0.8, "yolo": 0.2},
    patterns={"mediapipe": 0.6, "yolo": 0.3, "emotion": 0.1},
)

_READABLE_FACE: Final = 0.03  # share of the frame
_FEW_SAMPLES: Final = 10
_PERSON: Final = "person"
_LOW_FACE: Final = 0.6  # confidence
_HIDDEN: Final = 0.3  # share of the samples with a person that show neither face nor body


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """Who is in the picture of one video, how large, where, and how that changes.

    Args:
        evidence: Of the video.

    Returns:
        The six blocks, and the metrics without a field in them. Where people are unknown, or no frame was sampled, all
        but the quality is null, and there are no further metrics.
    """
    people = evidence.people
    if people is None or not people.grid.count:
        return _without_people(evidence), MoreMetrics()
    framing = measure_framing(people, evidence)
    blocks = Blocks(
        core_metrics=_core(framing, people, evidence),
        dynamics=_dynamics(framing, people),
        interactions=_interactions(framing, people, evidence),
        key_events=_key_events(framing),
        patterns=_patterns(framing, people, evidence),
        quality=_quality(framing, people, evidence),
    )
    return blocks, further_metrics(framing, people)


def _without_people(evidence: Evidence) -> Blocks:
    """What is said of a video whose people are unknown: nothing, and why."""
    return Blocks(
        core_metrics=CoreMetrics.unknown(),
        dynamics=Dynamics.unknown(),
        interactions=Interactions.unknown(),
        key_events=KeyEvents.unknown(),
        patterns=Patterns.unknown(),
        quality=_quality(None, None, evidence),
    )


def _core(framing: Framing, people: People, evidence: Evidence) -> CoreMetrics:
    seen, poses = framing.presence, people.poses
    size = median(seen.face_areas)
    subjects = presence.percentile_rank(seen.faces, 90)
    return CoreMetrics(
        person_presence_rate=seen.presence_rate,
        avg_person_count=None if seen.counts is None else mean(seen.counts[seen.present]),
        max_simultaneous_people=None if seen.counts is None else presence.percentile_rank(seen.counts, 95),
        dominant_framing=shots.dominant_shot(framing.shares, anybody=framing.rates.anybody),
        framing_changes=len(framing.shots.changes),
        person_screen_coverage=None if seen.coverage is None else mean(seen.coverage),
        position_stability=framing.stability,
        gesture_clarity=mean_known([gesture.confidence for gesture in evidence.gestures or ()]),
        face_visibility_rate=seen.face_rate,
        body_visibility_rate=presence.body_visibility_rate(poses.landmarks, poses.sample, seen.grid.count),
        overall_framing_quality=framing.quality,
        average_face_size=None if size is None else 100 * size,
        eye_contact_rate=seen.eye_contact,
        primary_subject=patterns.primary_subject(subjects),
        subject_count=subjects,
        framing_consistency=1 - framing.rates.volatility if framing.rates.anybody else None,
    )


def _dynamics(framing: Framing, people: People) -> Dynamics:
    seen, bins = framing.presence, framing.bins
    with_face = seen.with_face
    stabilities = enumerate(motion.stability_by_bin(framing.positions, bins))
    return Dynamics(
        framing_progression=_progression(framing),
        movement_pattern=motion.movement_pattern(framing.positions.speed),
        zoom_trend=None
        if seen.scene_of is None
        else motion.zoom_trend(seen.grid.times_s[with_face], seen.face_areas, seen.scene_of[with_face]),
        stability_timeline=[SecondStability(second=second, stability=value) for second, value in stabilities],
        framing_transitions=_changes(framing),
        gaze_steadiness=composition.gaze_steadiness(people.gaze.eye_contact),
        distance_variation=cv(seen.face_areas),
    )


def _progression(framing: Framing) -> list[FramingRun]:
    """Runs of the shot type with the share of the picture that people cover in them."""
    coverage = framing.presence.coverage
    return [
        FramingRun(
            timestamp=span(start_s, end_s),
            distance=run.label,
            coverage=None if coverage is None else mean(coverage[run.first : run.stop]),
            start=start_s,
            end=end_s,
        )
        for run, (start_s, end_s) in zip(framing.shots.runs, framing.run_spans_s.tolist(), strict=True)
    ]


def _changes(framing: Framing) -> list[Change]:
    return [Change(timestamp=t.time_s, from_=t.before, to=t.after) for t in framing.transitions]


def _interactions(framing: Framing, people: People, evidence: Evidence) -> Interactions:
    seen, objects = framing.presence, evidence.objects
    risk = patterns.intent_risk(
        patterns.video_intent(framing.rates, patterns.actions_by_time(people.actions or ())), framing.rates
    )
    return Interactions(
        gesture_framing_sync=_gestures_in_frame(framing, evidence),
        expression_visibility=mean(np.where(np.isnan(seen.face_share), np.nan, seen.face_share > _READABLE_FACE)),
        multi_person_coordination=composition.face_balance(people.faces.areas, people.faces.sample),
        action_space_utilization=None if objects is None else raster_area(objects.of_class("person").boxes),
        framing_purpose_alignment=None if risk is None else 1 - risk,
        speaker_framing=_speaker_framing(framing, evidence),
        social_distance=composition.social_distance(median(seen.face_areas)),
    )


def _gestures_in_frame(framing: Framing, evidence: Evidence) -> float | None:
    """Of the gestures whose hand is known."""
    known = [(gesture, gesture.box) for gesture in evidence.gestures or () if gesture.box is not None]
    spans_s = as_intervals([(gesture.start_s, gesture.end_s) for gesture, _ in known])
    hands = np.array([box for _, box in known], dtype=np.float64).reshape(-1, 4)
    grid, faces_inside = framing.presence.grid, within_margin(framing.presence.main_faces)
    return composition.gestures_in_frame(spans_s, hands, faces_inside, grid.nominal_s, grid.step_s)


def _speaker_framing(framing: Framing, evidence: Evidence) -> SpeakerFraming | None:
    """How much of the speech shows a face, and the shot type meanwhile; None where speech is unknown."""
    voiced_s, seen = evidence.voiced_s, framing.presence
    if voiced_s is None:
        return None
    faces_s = presence.sample_spans(seen.with_face, seen.grid.nominal_s, seen.grid.step_s, framing.duration_s)
    speaking = inside(voiced_s, seen.grid.nominal_s)
    return SpeakerFraming(
        speech_with_face_ratio=face_share_of_speech(intersect(voiced_s, framing.observed.spans_s), faces_s),
        dominant_shot_while_speaking=shots.dominant_shot(shots.shot_shares(framing.labels, speaking)),
    )


def _key_events(framing: Framing) -> KeyEvents:
    return KeyEvents(
        framing_highlights=highlights(
            close_ups_s=framing.close_ups_s,
            groups_s=framing.groups_s,
            eye_contact_s=framing.eye_contact_s,
            transitions=framing.transitions,
            bins=framing.bins,
        ),
        critical_framing_moments=critical_moments(framing.transitions, framing.close_ups_s),
        optimal_framing_periods=[
            OptimalFramingPeriod(start=start_s, end=end_s, reason="face visible, eye contact, steady")
            for start_s, end_s in framing.optimal_s.tolist()
        ],
        close_up_moments=runs_of_spans(framing.close_ups_s),
        group_shots=runs_of_spans(framing.groups_s),
        framing_changes=_changes(framing),
    )


def _patterns(framing: Framing, people: People, evidence: Evidence) -> Patterns:
    rates, seen = framing.rates, framing.presence
    people_seen = None if seen.counts is None else mean(seen.counts[seen.present])
    # Of a few frames no craft can be told.
    quality = framing.quality if seen.grid.count >= _FEW_SAMPLES else None
    objects = evidence.objects
    things = objects is not None and any(name != _PERSON for name in objects.classes)
    techniques = patterns.engagement_techniques(
        rates, eye_contact=seen.eye_contact, gestures=len(evidence.gestures or ()), groups=len(framing.groups_s)
    )
    return Patterns(
        framing_strategy=patterns.framing_strategy(rates),
        visual_narrative=patterns.visual_narrative(
            seen.presence_rate, presence.percentile_rank(seen.faces, 90), people_seen
        ),
        technical_execution=patterns.technical_execution(quality, rates.volatility, framing.stability),
        engagement_techniques=techniques if rates.anybody else None,
        production_value=patterns.production_value(quality),
        framing_distribution=distribution_of(framing.shares),
        framing_archetype=patterns.framing_archetype(
            rates, len({action.kind for action in people.actions or ()}), things=things
        ),
        pattern_tags=patterns.pattern_tags(rates, len(framing.absences_s)),
    )


def _quality(framing: Framing | None, people: People | None, evidence: Evidence) -> Quality:
    consistency = None
    if framing is not None and framing.rates.anybody:
        seen = framing.presence
        if seen.scene_of is not None:
            consistency = 1 - presence.gap_samples(seen.present, seen.scene_of) / seen.grid.count
    return Quality(
        # The services by which people are found, weighted as in the core metrics.
        detection_reliability=evidence.services.confidence(WEIGHTS.core_metrics)
        if any(evidence.services.ok(name) for name in WEIGHTS.core_metrics)
        else None,
        tracking_consistency=consistency,
        framing_data_completeness=evidence.services.completeness(WEIGHTS),
        analysis_limitations=limitations(framing, people, evidence),
    )


def limitations(framing: Framing | None, people: People | None, evidence: Evidence) -> list[str]:
    """What could not be measured, or not well, and why.

    Source: docs/analyses.md, personFramingQuality, ``analysisLimitations``.

    Args:
        framing: The measures; None where people are unknown.
        people: Faces and bodies; None where they are unknown.
        evidence: Of the video.

    Returns:
        Names: people, objects or scenes that are unknown; nobody seen; people without a body; faces of a mean
        confidence below 0.6; neither face nor body on more than 30 % of the samples with a person; fewer than ten
        samples. Empty for none.
    """
    found = {
        "no_people_data": people is None,
        "no_object_data": evidence.objects is None,
        "no_scene_data": evidence.shots is None,
    }
    if framing is not None and people is not None:
        seen, sample = framing.presence, people.poses.sample
        confidence = mean(people.faces.confidences[~np.isnan(people.faces.confidences)])
        found |= {
            "no_person_detected": not framing.rates.anybody,
            "no_body_landmarks": framing.rates.anybody and not sample.size,
            "low_face_confidence": confidence is not None and confidence < _LOW_FACE,
            "occlusion": presence.hidden_share(seen.present, seen.faces, sample) > _HIDDEN,
            "few_samples": seen.grid.count < _FEW_SAMPLES,
        }
    return [name for name, there in found.items() if there]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked: nobody is seen whose framing it could judge.

    Args:
        blocks: Of the video.

    Returns:
        The reason, and where people are unknown; None when anybody was seen.
    """
    if blocks.core_metrics.person_presence_rate is None:
        return unknown_because(blocks, "the people", "mediapipe")
    return None if blocks.core_metrics.person_presence_rate else "nobody is visible"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge, V1, (FurtherMetrics,))
