"""Metrics of person_framing that have no field in its blocks."""

from __future__ import annotations

import statistics
from typing import Final

import numpy as np

from rumiai.core.arrays import Bools
from rumiai.metrics.evidence.types import People
from rumiai.metrics.person_framing.blocks import (
    ActionRecognition,
    DetectionCoverage,
    EvolutionPart,
    FramingDistribution,
    FramingSecond,
    FurtherMetrics,
    GazeAnalysis,
    Shot,
    ShotTransition,
    TemporalEvolution,
)
from rumiai.metrics.person_framing.boxes import centres_of
from rumiai.metrics.person_framing.composition import composition_rule
from rumiai.metrics.person_framing.framing import INTRO_S, Framing, Presence
from rumiai.metrics.person_framing.moments import runs_of_spans
from rumiai.metrics.person_framing.patterns import (
    actions_by_time,
    further_tags,
    intent_risk,
    risk_level,
    video_intent,
)
from rumiai.metrics.person_framing.shots import dominant_shot, shot_shares
from rumiai.metrics.shared.labels import most_frequent
from rumiai.metrics.shared.statistics import mean

_PROLONGED_S: Final = 5.0
_NAMED_ACTIONS: Final = 3


def further_metrics(framing: Framing, people: People) -> FurtherMetrics:
    """The metrics that stand under ``precompute``, in the older form of the results.

    Args:
        framing: The measures of a video that was looked at for some time.
        people: What they were taken from.

    Returns:
        The metrics. What rests on gaze, actions or the opening is None where nothing tells it, and the background
        always, since nothing looks at it.
    """
    presence, rates = framing.presence, framing.rates
    actions = None if people.actions is None else actions_by_time(people.actions)
    intent = video_intent(rates, actions or [])
    risk = intent_risk(intent, rates)
    lengths_s = (framing.absences_s[:, 1] - framing.absences_s[:, 0]).tolist()
    prolonged_s = framing.absences_s[np.array(lengths_s) > _PROLONGED_S]
    return FurtherMetrics(
        intro_shot_type=rates.intro_shot,
        framing_volatility=rates.volatility,
        shot_changes_per_minute=60 * len(framing.shots.changes) / framing.observed.seconds,
        shot_transitions=_transitions(framing),
        subject_absence_count=len(lengths_s),
        absence_seconds=float(sum(lengths_s)),
        absence_segments=runs_of_spans(framing.absences_s),
        longest_absence_duration=max(lengths_s, default=0.0),
        prolonged_absences=runs_of_spans(prolonged_s),
        gaze_analysis=_gaze_analysis(framing, people),
        eye_contact_screen_rate=None if presence.looks is None else mean(presence.looks & presence.with_face),
        action_recognition=None if actions is None else _action_recognition(actions),
        background_analysis=None,  # nothing looks at the background
        video_intent=intent if rates.anybody else None,
        intent_alignment_risk=risk,
        intent_alignment_risk_level=risk_level(risk),
        temporal_evolution=_evolution(framing),
        ml_tags=further_tags(rates, prolonged_absences=len(prolonged_s), actions=len(actions or ())),
        detection_coverage=_coverage(framing, people),
        intro_person_present=_intro_person(presence),
        framing_timeline=_timeline(framing, people),
        composition_rule=composition_rule(centres_of(presence.main_faces)[:, 0]),
    )


def _intro_person(presence: Presence) -> bool | None:
    """Whether anybody is seen in the first 3 s; None where no sample lies there."""
    opening = presence.present[presence.grid.nominal_s < INTRO_S]
    return bool(opening.any()) if opening.size else None


def _transitions(framing: Framing) -> list[ShotTransition]:
    return [
        ShotTransition(timestamp=t.time_s, from_shot=t.before, to_shot=t.after, transition_type=t.kind)
        for t in framing.transitions
    ]


def _gaze_analysis(framing: Framing, people: People) -> GazeAnalysis:
    directions = [direction for direction in people.gaze.directions if direction is not None]
    return GazeAnalysis(
        eye_contact_ratio=framing.presence.eye_contact, primary_gaze_direction=most_frequent(directions)
    )


def _action_recognition(actions: list[str]) -> ActionRecognition:
    return ActionRecognition(primary_actions=actions[:_NAMED_ACTIONS], action_diversity=len(actions))


def distribution_of(shares: dict[Shot, float] | None) -> FramingDistribution | None:
    """The shares of the shot types as a block holds them.

    Args:
        shares: Shot type -> share of the samples, 0..1 (:func:`rumiai.metrics.person_framing.shots.shot_shares`).

    Returns:
        The same shares; None for None.
    """
    if shares is None:
        return None
    return FramingDistribution(close=shares["close"], medium=shares["medium"], wide=shares["wide"], none=shares["none"])


def _evolution(framing: Framing) -> TemporalEvolution:
    bins = framing.bins
    place = bins.index(framing.presence.grid.nominal_s)
    first, last = place < bins.third, place >= bins.count - bins.third
    return TemporalEvolution(
        beginning=_part(framing, first), middle=_part(framing, ~first & ~last), end=_part(framing, last)
    )


def _part(framing: Framing, chosen: Bools) -> EvolutionPart:
    shares = shot_shares(framing.labels, chosen)
    return EvolutionPart(
        face_presence=mean(framing.presence.with_face[chosen]),
        person_presence=mean(framing.presence.present[chosen]),
        camera_distance=distribution_of(shares),
        dominant_distance=dominant_shot(shares),
    )


def _coverage(framing: Framing, people: People) -> DetectionCoverage:
    return DetectionCoverage(
        face_detection_rate=framing.presence.face_rate,
        person_detection_rate=framing.presence.presence_rate,
        gaze_data_available=bool(people.gaze.sample.size),
        action_data_available=people.actions is not None,
        background_data_available=False,
    )


def _timeline(framing: Framing, people: People) -> dict[str, FramingSecond]:
    """Shot type, size and confidence of the faces per second; None where a second has none."""
    bins, presence, faces = framing.bins, framing.presence, people.faces
    shots: list[list[Shot]] = [[] for _ in range(bins.count)]
    sizes: list[list[float]] = [[] for _ in range(bins.count)]
    samples = zip(framing.labels, presence.face_share.tolist(), presence.with_face.tolist(), strict=True)
    for index, (label, share, face) in zip(bins.index(presence.grid.nominal_s), samples, strict=True):
        shots[index] += [] if label is None else [label]
        sizes[index] += [100 * share] if face and not np.isnan(share) else []
    known = ~np.isnan(faces.confidences)
    confidences = bins.means(presence.grid.nominal_s[faces.sample[known]], faces.confidences[known]).tolist()
    return {
        bins.label(i): FramingSecond(
            shot_type=most_frequent(shots[i]),
            face_size=statistics.median(sizes[i]) if sizes[i] else None,
            confidence=None if np.isnan(confidences[i]) else confidences[i],
        )
        for i in range(bins.count)
    }
