"""Who is in the picture, how large and where: what the fields of person_framing are made from (analyses, 3.2, 3.3)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from rumiai.core.arrays import Bools, Floats, Ints, freeze_arrays
from rumiai.core.intervals import inside, union
from rumiai.metrics.evidence.framing import person_samples, shots_of
from rumiai.metrics.evidence.types import Detections, Evidence, Grid, People
from rumiai.metrics.person_framing.boxes import (
    areas_of,
    corners_of,
    group_means,
    largest_centres,
    pair_areas,
    raster_area,
    steps_between,
    union_area,
)
from rumiai.metrics.shared.framing import Shot
from rumiai.metrics.shared.labels import L, SmoothedLabels, smooth
from rumiai.metrics.shared.series import runs_of
from rumiai.metrics.shared.statistics import clamp, cv, line, mean, mean_known, median, std

LOOKING: Final = 0.5  # eye contact score of somebody who looks into the camera
STILL: Final = 0.3  # frame widths per second at which nothing is stable
_VISIBLE: Final = 0.5
_TORSO: Final = [11, 12, 23, 24]  # shoulders and hips
_POSITIONS_PER_S: Final = 2  # so that the speed does not depend on the sampling rate
_BAND: Final = (1 / 6, 1 / 2)  # height of a face's centre around the upper third line
_ZOOM: Final = 0.2
_ZOOM_SAMPLES: Final = 3
_GAZE_SAMPLES: Final = 5
_SHORTEST_ABSENCE_S: Final = 1.0
_PER_MINUTE: Final = 30.0  # changes per minute that are volatility 1
_EPSILON: Final = 1e-9


@dataclass(frozen=True)
class Run:
    """A stretch of one label."""

    label: str
    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Positions:
    """Where the main person is: mean centres over half seconds inside one scene, by time.

    Attributes:
        times_s: ``(m,)`` mean instant of the samples.
        speeds: ``(m,)`` frame widths per second since the half second before; NaN after a gap, a cut, and at first.
    """

    times_s: Floats
    speeds: Floats

    def __post_init__(self) -> None:
        freeze_arrays(self, times_s=(np.float64, "m"), speeds=(np.float64, "m"))


@dataclass(frozen=True)
class Presence:
    """The people of one video on the grid of the people service."""

    people: People
    evidence: Evidence

    @property
    def grid(self) -> Grid:
        """The sampled instants."""
        return self.people.grid

    @cached_property
    def persons(self) -> Detections | None:
        """Person boxes; None when objects are unknown."""
        return None if self.evidence.objects is None else self.evidence.objects.of_class("person")

    @cached_property
    def person_sample(self) -> Ints:
        """Sample of every person box."""
        none = np.zeros(0, dtype=np.int64)
        return none if self.persons is None else person_samples(self.people, self.persons)

    @cached_property
    def faces(self) -> Ints:
        """``(k,)`` faces on each sample."""
        return self.people.faces.per_sample

    @cached_property
    def face_share(self) -> Floats:
        """``(k,)`` share of the frame that the largest face covers; 0 without one."""
        return np.minimum(1.0, self.people.faces.largest_area())

    @cached_property
    def face_areas(self) -> Floats:
        """Shares of the largest faces of the samples that have one."""
        return self.face_share[self.faces > 0]

    @cached_property
    def present(self) -> Bools:
        """``(k,)`` whether there is any sign of a person: a face, a body or a person box."""
        seen = np.asarray(self.faces > 0)
        seen[self.people.poses.sample] = True
        seen[self.person_sample] = True
        return seen

    @property
    def anybody(self) -> bool:
        """Whether anybody is ever seen."""
        return bool(self.present.any())

    @cached_property
    def counts(self) -> Ints | None:
        """``(k,)`` people on each sample: the more of person boxes and faces, 1 for a mere body; None without boxes."""
        if self.persons is None:
            return None
        boxes = np.bincount(self.person_sample, minlength=self.grid.count)
        return np.asarray(np.maximum(np.maximum(boxes, self.faces), self.present))

    @property
    def presence_rate(self) -> float | None:
        """Samples with anybody / samples; None without a sample."""
        return mean(self.present)

    @property
    def face_rate(self) -> float | None:
        """Samples with a face / samples."""
        return mean(self.faces > 0)

    @property
    def body_rate(self) -> float | None:
        """Samples with a body whose shoulders and hips are all visible / samples."""
        visible = (self.people.poses.landmarks[:, _TORSO, 3] > _VISIBLE).all(axis=1)
        seen = np.zeros(self.grid.count, dtype=np.bool_)
        seen[self.people.poses.sample[visible]] = True
        return mean(seen)

    @cached_property
    def coverage(self) -> Floats | None:
        """``(k,)`` share of each sample that the union of its person boxes covers; None without objects."""
        if self.persons is None:
            return None
        covered = np.zeros(self.grid.count)
        order = np.argsort(self.person_sample, kind="stable")
        samples, firsts, sizes = np.unique(self.person_sample[order], return_index=True, return_counts=True)
        corners = corners_of(self.persons.boxes[order])
        alone, pairs = firsts[sizes == 1], firsts[sizes == 2]
        covered[samples[sizes == 1]] = areas_of(corners[alone])
        covered[samples[sizes == 2]] = pair_areas(corners[pairs], corners[pairs + 1])
        for sample, first, size in zip(samples, firsts, sizes, strict=True):
            if size > 2:
                covered[sample] = union_area(corners[first : first + size])
        return covered

    @cached_property
    def labels(self) -> tuple[Shot, ...]:
        """Shot type of each sample."""
        return shots_of(self.people, self.evidence.objects)

    @cached_property
    def shots(self) -> SmoothedLabels[Shot]:
        """Shot types held for at least 1.0 s."""
        return self.smoothed(self.labels)

    def smoothed(self, labels: Sequence[L]) -> SmoothedLabels[L]:
        """Labels of all samples, smoothed."""
        return smooth(self.grid.times_s.tolist(), labels, self.grid.step_s)

    def runs(self, smoothed: SmoothedLabels[L]) -> list[Run]:
        """The runs of smoothed labels as stretches that cover the whole video."""
        starts = [0.0 if run.first == 0 else smoothed.times_s[run.first] for run in smoothed.runs]
        ends = [*starts[1:], self.evidence.duration_s]
        return [Run(run.label, a, max(a, b)) for run, a, b in zip(smoothed.runs, starts, ends, strict=False)]

    @cached_property
    def shot_runs(self) -> list[Run]:
        """Runs of the shot type."""
        return self.runs(self.shots)

    def flagged(self, flags: Bools) -> list[Run]:
        """Runs of samples with a flag, gaps and flickers shorter than 1.0 s aside."""
        labels = np.where(flags, "yes", "no").tolist()
        return [run for run in self.runs(self.smoothed(labels)) if run.label == "yes"]

    def distribution(self, chosen: Bools | None = None) -> dict[str, float] | None:
        """Share of each shot type among the chosen samples; None without one."""
        labels = np.array(self.labels) if chosen is None else np.array(self.labels)[chosen]
        if not labels.size:
            return None
        return {shot: float((labels == shot).mean()) for shot in ("close", "medium", "wide", "none")}

    def dominant(self, chosen: Bools | None = None) -> str | None:
        """Most frequent shot type of the chosen samples with anybody, "none" without any; None without samples."""
        shares = self.distribution(chosen)
        if shares is None:
            return None
        best = max(("close", "medium", "wide"), key=lambda shot: shares[shot])
        return best if shares[best] else "none"

    @property
    def volatility(self) -> float:
        """Changes of the smoothed shot type per minute / 30, at most 1."""
        return min(1.0, 60 * len(self.shots.changes) / self.evidence.duration_s / _PER_MINUTE)

    @cached_property
    def scene_of(self) -> Ints:
        """``(k,)`` scene of each sample; all in one where the scenes are unknown."""
        shots = self.evidence.shots
        none = np.zeros(self.grid.count, dtype=np.int64)
        return none if shots is None else shots.index(self.grid.times_s)

    @cached_property
    def main_centres(self) -> tuple[Floats, Floats]:
        """Two ``(k, 2)``: centre of the largest face, and of the largest person box, of each sample; NaN without."""
        faces = largest_centres(self.people.faces, self.people.faces.sample, self.grid.count)
        if self.persons is None:
            return faces, np.full_like(faces, np.nan)
        return faces, largest_centres(self.persons, self.person_sample, self.grid.count)

    @cached_property
    def positions(self) -> Positions:
        """Mean centre of the face, else of the person, over half seconds, and its speed."""
        part = np.floor(self.grid.nominal_s * _POSITIONS_PER_S + _EPSILON).astype(np.int64)
        new = (np.diff(part, prepend=-1) != 0) | (np.diff(self.scene_of, prepend=-1) != 0)
        group, firsts = np.cumsum(new) - 1, np.flatnonzero(new)
        count = firsts.size
        times = group_means(group, self.grid.times_s, count)
        face, person = (
            np.stack([group_means(group, centre[:, axis], count) for axis in (0, 1)], axis=1)
            for centre in self.main_centres
        )
        near = np.diff(times) <= 1.5 * max(self.grid.step_s, 1 / _POSITIONS_PER_S)
        same = near & (np.diff(self.scene_of[firsts]) == 0)
        moved = np.where(np.isnan(steps_between(face)), steps_between(person), steps_between(face))
        speeds = np.where(same, moved / np.diff(times), np.nan)
        return Positions(times, np.concatenate([[np.nan], speeds])[:count])

    @property
    def speed(self) -> float | None:
        """Median speed in frame widths per second; None where nobody is seen twice in a row inside a scene."""
        speeds = self.positions.speeds
        return median(speeds[~np.isnan(speeds)])

    @property
    def stability(self) -> float | None:
        """1 - min(1, median speed / 0.3)."""
        return stability_of(self.speed)

    def stability_by_bin(self) -> list[float | None]:
        """Stability of each one-second bin; None where no speed is known."""
        bins, positions = self.evidence.bins, self.positions
        known = ~np.isnan(positions.speeds)
        found: list[list[float]] = [[] for _ in range(bins.count)]
        for index, speed in zip(bins.index(positions.times_s[known]), positions.speeds[known], strict=True):
            found[index].append(float(speed))
        return [stability_of(middle(speeds)) for speeds in found]

    @property
    def headroom(self) -> float | None:
        """Faces whose centre is around the upper third line / samples with a face."""
        heights = self.main_centres[0][:, 1]
        heights = heights[~np.isnan(heights)]
        return mean((heights >= _BAND[0]) & (heights <= _BAND[1]))

    @property
    def quality(self) -> float | None:
        """Heuristic: mean of presence, stability and headroom; None when nobody is seen."""
        return mean_known([self.presence_rate, self.stability, self.headroom]) if self.anybody else None

    @cached_property
    def looks(self) -> Bools:
        """``(k,)`` whether the main face looks into the camera."""
        gaze = self.people.gaze
        looks = np.zeros(self.grid.count, dtype=np.bool_)
        looks[gaze.sample[gaze.eye_contact >= LOOKING]] = True
        return looks

    @property
    def eye_contact(self) -> float | None:
        """Samples with eye contact / samples with a face; None without a face."""
        return mean(self.looks[self.faces > 0])

    @property
    def gaze_steadiness(self) -> str:
        """By the deviation of the eye contact score, looking away included; unknown below five samples."""
        scores = self.people.gaze.eye_contact
        deviation = std(scores)
        if deviation is None or scores.size < _GAZE_SAMPLES:
            return "unknown"
        return "high" if deviation < 0.15 else "medium" if deviation < 0.3 else "low"

    @property
    def distance_variation(self) -> float | None:
        """Coefficient of variation of the largest face's area; None without a face."""
        return cv(self.face_areas)

    def zoom_trend(self) -> str | None:
        """Slope of the face area inside scenes with three faces or more; None without such a scene."""
        changes = []
        with_face = np.flatnonzero(self.faces > 0)
        borders = np.flatnonzero(np.diff(self.scene_of[with_face])) + 1
        for scene in np.split(with_face, borders):
            areas, times = self.face_share[scene], self.grid.times_s[scene]
            if areas.size >= _ZOOM_SAMPLES and areas.mean() > 0:
                changes.append(line(times, areas)[0] * (times[-1] - times[0]) / float(areas.mean()))
        if not changes:
            return None
        inward, outward = any(c >= _ZOOM for c in changes), any(c <= -_ZOOM for c in changes)
        if inward and outward:
            return "varied"
        return "in" if inward else "out" if outward else "stable"

    @cached_property
    def absences(self) -> list[Run]:
        """Stretches of 1 s or more in which nobody is seen."""
        step, end_s = self.grid.step_s, self.evidence.duration_s
        found = []
        for first, stop in runs_of(~self.present):
            start = float(self.grid.nominal_s[first])
            if (stop - first) * step >= _SHORTEST_ABSENCE_S - _EPSILON:
                found.append(Run("absent", start, max(start, min(end_s, start + (stop - first) * step))))
        return found

    def gap_samples(self) -> int:
        """Samples without anybody between samples of the same scene that have somebody."""
        lost = 0
        for first, stop in runs_of(~self.present):
            between = first > 0 and stop < self.grid.count
            if between and self.scene_of[first - 1] == self.scene_of[stop]:
                lost += stop - first
        return lost

    @cached_property
    def balance(self) -> float | None:
        """Mean of 1 - |balance| of the two largest faces over the samples with two; None when there are never two."""
        faces = self.people.faces
        order = np.lexsort((-faces.areas, faces.sample))
        sample, areas = faces.sample[order], faces.areas[order]
        rank = np.arange(sample.size) - np.searchsorted(sample, sample)
        second = np.flatnonzero(rank == 1)
        larger, smaller = areas[second - 1], areas[second]
        both = larger + smaller
        return mean((2 * smaller / np.where(both > 0, both, 1.0))[both > 0])

    def action_space(self) -> float | None:
        """Share of the frame that a person box ever covers; None without objects."""
        return None if self.persons is None else raster_area(self.persons.boxes)

    def shown(self, spans: Floats) -> Bools:
        """``(k,)`` whether each sample lies in a union of intervals."""
        return inside(spans, self.grid.nominal_s)

    @cached_property
    def face_spans_s(self) -> Floats:
        """Union of the sampling steps that begin with a face."""
        starts = self.grid.nominal_s[self.faces > 0]
        return union(np.stack([starts, starts + self.grid.step_s], axis=1), until_s=self.evidence.duration_s)


def middle(values: Sequence[float]) -> float | None:
    """Median of the few values of a second; None for none."""
    return statistics.median(values) if values else None


def stability_of(speed: float | None) -> float | None:
    """1 - min(1, speed / 0.3); None for None."""
    return None if speed is None else clamp(1 - speed / STILL)
