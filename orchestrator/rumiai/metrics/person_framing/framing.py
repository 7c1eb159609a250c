"""The people of one video and how they are framed, measured once: what the blocks and further metrics read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Bools, Floats, Ints, freeze_arrays
from rumiai.metrics.evidence.framing import person_samples, shots_of, with_feet
from rumiai.metrics.evidence.types import Detections, Evidence, Grid, People
from rumiai.metrics.person_framing.blocks import Shot
from rumiai.metrics.person_framing.boxes import centres_of, covered_shares, largest_boxes
from rumiai.metrics.person_framing.composition import headroom, looking
from rumiai.metrics.person_framing.motion import STILL, Positions, positions_of, stability_of
from rumiai.metrics.person_framing.patterns import FramingRates
from rumiai.metrics.person_framing.presence import absence_spans, people_counts, people_present
from rumiai.metrics.person_framing.shots import (
    Transition,
    flagged_spans,
    lasting,
    most_frequent_shot,
    run_spans,
    shot_shares,
    spans_of_label,
    transitions,
    volatility,
)
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.labels import SmoothedLabels, smooth
from rumiai.metrics.shared.statistics import mean, mean_known

INTRO_S: Final = 3.0
_LASTING_S: Final = 3.0  # length of a stretch of eye contact and of an optimal period
_STEADY: Final = 0.8  # stability of an optimal period


@dataclass(frozen=True)
class Presence:
    """Who is seen on each of the ``k`` sampled frames.

    Attributes:
        grid: The sampled instants.
        faces: ``(k,)`` number of faces.
        face_share: ``(k,)`` share of the frame that the largest face covers; 0 without one, NaN where it is unknown.
        main_faces: ``(k, 4)`` box of the largest face; NaN without one.
        present: ``(k,)`` whether anybody is seen.
        counts: ``(k,)`` number of people, NaN on a sample on which no objects were looked for; None where objects are
            unknown.
        coverage: ``(k,)`` share of the frame that person boxes cover, NaN and None as in ``counts``.
        main_persons: ``(k, 4)`` largest person box; NaN without one.
        looks: ``(k,)`` whether the main face looks into the camera; None where no gaze was measured.
        scene_of: ``(k,)`` scene of each sample; None where the scenes are unknown.
    """

    grid: Grid
    faces: Ints
    face_share: Floats
    main_faces: Floats
    present: Bools
    counts: Floats | None
    coverage: Floats | None
    main_persons: Floats
    looks: Bools | None
    scene_of: Ints | None

    def __post_init__(self) -> None:
        k = self.grid.count
        freeze_arrays(
            self,
            faces=(np.int64, k),
            face_share=(np.float64, k),
            main_faces=(np.float64, k, 4),
            present=(np.bool_, k),
            counts=(np.float64, k),
            coverage=(np.float64, k),
            main_persons=(np.float64, k, 4),
            looks=(np.bool_, k),
            scene_of=(np.int64, k),
        )

    @property
    def with_face(self) -> Bools:
        """``(k,)`` whether there is a face."""
        return np.asarray(self.faces > 0)

    @property
    def face_areas(self) -> Floats:
        """``(n,)`` shares of the largest faces of the samples that have one; NaN where the share is unknown."""
        return self.face_share[self.with_face]

    @property
    def presence_rate(self) -> float | None:
        """Samples with anybody / samples; None without a sample."""
        return mean(self.present)

    @property
    def face_rate(self) -> float | None:
        """Samples with a face / samples; None without a sample."""
        return mean(self.with_face)

    @property
    def eye_contact(self) -> float | None:
        """Samples with eye contact / samples with a face; None without a face or without gaze."""
        return None if self.looks is None else mean(self.looks[self.with_face])


def measure_presence(
    people: People, persons: Detections | None, scene_of: Ints | None, objects_looked: Bools
) -> Presence:
    """Measure who is seen.

    Args:
        people: Faces, bodies and gaze.
        persons: The person boxes; None where objects are unknown.
        scene_of: ``(k,)`` scene of each sample; None where the scenes are unknown.
        objects_looked: ``(k,)`` on which samples objects were looked for.

    Returns:
        Who is seen on each sample; counts and coverage are None where objects are unknown, looks without any gaze.
    """
    count, faces = people.grid.count, people.faces.per_sample
    boxes = np.zeros((0, 4)) if persons is None else persons.boxes
    sample = np.zeros(0, dtype=np.int64) if persons is None else person_samples(people, persons)
    present = people_present(faces, people.poses.sample, sample)
    return Presence(
        grid=people.grid,
        faces=faces,
        face_share=np.minimum(1.0, people.faces.largest_area()),
        main_faces=largest_boxes(people.faces.boxes, people.faces.sample, count),
        present=present,
        counts=None if persons is None else np.where(objects_looked, people_counts(faces, sample, present), np.nan),
        coverage=None if persons is None else np.where(objects_looked, covered_shares(boxes, sample, count), np.nan),
        main_persons=largest_boxes(boxes, sample, count),
        looks=looking(people.gaze.eye_contact, people.gaze.sample, count) if people.gaze.sample.size else None,
        scene_of=scene_of,
    )


@dataclass(frozen=True)
class Framing:
    """Measured values of the framing; spans are ``(n, 2)`` start and end in seconds.

    Attributes:
        duration_s: Length of the video.
        observed: When people were looked for.
        bins: The one-second bins.
        presence: Who is seen on each sample.
        labels: Shot type of each sample; None where it is unknown.
        shots: Shot types held for at least 1.0 s.
        run_spans_s: Time of each run of these.
        shares: Share of each shot type; None without a sample.
        rates: What the rules of the patterns read.
        positions: Where the main person is.
        stability: 1 - min(1, median speed / 0.3); None where no speed is known.
        quality: Mean of presence, stability and headroom; None where one of them is unknown.
        transitions: Changes of the shot type.
        absences_s: Stretches of 1 s or more without anybody.
        close_ups_s: Runs of close.
        groups_s: Runs with two faces or more.
        eye_contact_s: Runs of 3 s or more in which the main face looks into the camera.
        optimal_s: Such runs whose stability is 0.8 or more where it is known.
    """

    duration_s: float
    observed: Observed
    bins: Bins
    presence: Presence
    labels: tuple[Shot | None, ...]
    shots: SmoothedLabels[Shot]
    run_spans_s: Floats
    shares: dict[Shot, float] | None
    rates: FramingRates
    positions: Positions
    stability: float | None
    quality: float | None
    transitions: list[Transition]
    absences_s: Floats
    close_ups_s: Floats
    groups_s: Floats
    eye_contact_s: Floats
    optimal_s: Floats

    def __post_init__(self) -> None:
        spans = ("run_spans_s", "absences_s", "close_ups_s", "groups_s", "eye_contact_s", "optimal_s")
        freeze_arrays(self, **{name: (np.float64, name, 2) for name in spans})


def measure_framing(people: People, evidence: Evidence) -> Framing:
    """Measure the people of a video against its scenes and objects.

    Args:
        people: Faces, bodies, gaze and actions on a grid of at least one sample.
        evidence: Of the video; scenes and objects may be unknown.

    Returns:
        The values that blocks and further metrics read. Without scenes or the shape of the frame no speed is known, and
        with it neither stability nor quality.
    """
    grid, observed, shots_known = people.grid, evidence.seen("mediapipe"), evidence.shots
    until_s, cuts_s = observed.until_s, None if shots_known is None else shots_known.cuts_s
    scene_of = None if shots_known is None else shots_known.index(grid.times_s)
    persons = None if evidence.objects is None else evidence.objects.of_class("person")
    presence = measure_presence(people, persons, scene_of, evidence.seen("yolo").at(grid.nominal_s))
    labels = shots_of(people, evidence.objects)
    shots: SmoothedLabels[Shot] = smooth(grid.times_s.tolist(), labels, grid.step_s)
    positions = _positions(presence, people.aspect)
    stability = stability_of(positions.speed)
    eye_contact = presence.with_face & (False if presence.looks is None else presence.looks)
    return Framing(
        duration_s=evidence.duration_s,
        observed=observed,
        bins=evidence.bins,
        presence=presence,
        labels=labels,
        shots=shots,
        run_spans_s=run_spans(shots, until_s),
        shares=shot_shares(labels),
        rates=_rates(presence, labels, volatility(len(shots.changes), observed.seconds), mean(with_feet(people))),
        positions=positions,
        stability=stability,
        quality=_quality(presence, stability),
        transitions=transitions(shots.changes, cuts_s, grid.step_s),
        absences_s=absence_spans(presence.present, grid.nominal_s, grid.step_s, until_s),
        close_ups_s=spans_of_label(shots, "close", until_s),
        groups_s=_flagged(np.asarray(presence.faces >= 2), grid, until_s),
        eye_contact_s=lasting(_flagged(eye_contact, grid, until_s), _LASTING_S),
        optimal_s=lasting(_flagged(eye_contact & ~_moving(positions, grid), grid, until_s), _LASTING_S),
    )


def _positions(presence: Presence, aspect: float | None) -> Positions:
    """Where the main person is; nowhere known without scenes, since a cut moves everybody, or the frame's shape."""
    if presence.scene_of is None or aspect is None:
        return Positions(np.zeros(0), np.zeros(0))
    grid, faces, persons = presence.grid, centres_of(presence.main_faces), centres_of(presence.main_persons)
    return positions_of(grid.times_s, grid.nominal_s, grid.step_s, presence.scene_of, faces, persons, aspect)


def _rates(
    presence: Presence, labels: tuple[Shot | None, ...], changes: float, full_body: float | None
) -> FramingRates:
    shares = shot_shares(labels) or {}
    return FramingRates(
        face=presence.face_rate or 0.0,
        person=presence.presence_rate or 0.0,
        close=shares.get("close", 0.0),
        wide=shares.get("wide", 0.0),
        volatility=changes,
        intro_shot=most_frequent_shot(shot_shares(labels, presence.grid.nominal_s < INTRO_S)),
        full_body=full_body or 0.0,
    )


def _quality(presence: Presence, stability: float | None) -> float | None:
    parts = (presence.presence_rate, stability, headroom(centres_of(presence.main_faces)[:, 1]))
    return mean_known(parts) if presence.present.any() and None not in parts else None


def _flagged(flags: Bools, grid: Grid, duration_s: float) -> Floats:
    return flagged_spans(flags, grid.times_s, grid.step_s, duration_s)


def _moving(positions: Positions, grid: Grid) -> Bools:
    """``(k,)`` whether the half second that a sample lies in is known to be unsteady."""
    if not positions.speeds.size:
        return np.zeros(grid.count, dtype=np.bool_)
    half_second = np.searchsorted(positions.times_s, grid.times_s, side="right") - 1
    return np.asarray(np.nan_to_num(positions.speeds[np.clip(half_second, 0, None)]) > (1 - _STEADY) * STILL)
