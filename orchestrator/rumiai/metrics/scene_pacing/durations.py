"""Pace and rhythm from the lengths of the scenes.

Source: docs/analyses.md, scene_pacing. Conventions: scenes are ``(n, 2)`` arrays of start and end in seconds, in order
and without gaps; deviations are population deviations; cv is the deviation over the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.metrics.scene_pacing.blocks import EnergyPoint, MontageSegment, Pace, RhythmBreak, RhythmClass, Scene
from rumiai.metrics.shared.bins import equal_windows, span
from rumiai.metrics.shared.series import runs_of
from rumiai.metrics.shared.statistics import cv, ratio, std

QUICK_CUT_S: Final = 1.0
SHORT_SCENE_S: Final = 2.0
LONG_TAKE_S: Final = 5.0
MONTAGE_SHOT_S: Final = 1.5
SEVERAL_SCENES: Final = 3  # of one cut there is neither rhythm nor trend nor style
CONSISTENT: Final = 0.65  # rhythm score of a consistent rhythm
_MONTAGE_SHOTS: Final = 3
_LOCAL_SHOTS: Final = 3  # shots on either side of a cut that make the local rate
_CONTRAST: Final = 2.0  # ratio of local rates that is a contrast
_CURVE_POINTS: Final = 10
_EPSILON_S: Final = 1e-6  # differences of cut times miss a whole second by less
_PACES: Final[tuple[tuple[float, Pace], ...]] = ((2.0, "rapid"), (4.0, "fast"), (8.0, "moderate"))


@dataclass(frozen=True)
class Contrast:
    """A cut at which the local cut rate changes by a factor of two or more.

    Attributes:
        time_s: Instant of the cut.
        ratio: Local rate after the cut / before it: >= 2 or <= 1/2.
        before_s: Mean length of the three shots before the cut.
        after_s: Mean length of the three shots after it.
    """

    time_s: float
    ratio: float
    before_s: float
    after_s: float

    @property
    def accelerates(self) -> bool:
        """Whether the rate rises, so that the shots get shorter; else it falls."""
        return self.ratio > 1

    @property
    def strength(self) -> float:
        """The factor by which the rate changes, whichever way: max(ratio, 1 / ratio), at least 2."""
        return max(self.ratio, 1 / self.ratio)


def durations_of(scenes_s: Floats) -> Floats:
    """Lengths of scenes: end - start.

    Args:
        scenes_s: ``(n, 2)`` scenes.

    Returns:
        ``(n,)`` lengths in seconds; empty for no scenes.
    """
    lengths: Floats = scenes_s[:, 1] - scenes_s[:, 0]
    return lengths


def pace_of_scenes(scenes: int, mean_duration_s: float) -> Pace | None:
    """Pace of a whole video.

    Args:
        scenes: Number of scenes.
        mean_duration_s: Their mean length.

    Returns:
        As :func:`pace_of`. A single scene only tells that the next cut would come later: slow, or None for a video too
        short to tell.
    """
    pace = pace_of(mean_duration_s)
    return pace if scenes > 1 or pace == "slow" else None


def pace_of(mean_duration_s: float) -> Pace:
    """Pace word of a mean scene length.

    Source: docs/analyses.md, scenePacingCoreMetrics, ``pacingClassification``.

    Args:
        mean_duration_s: Mean scene length in seconds.

    Returns:
        rapid below 2 s, fast below 4 s, moderate below 8 s, else slow.
    """
    return next((word for limit_s, word in _PACES if mean_duration_s < limit_s - _EPSILON_S), "slow")


def rhythm_score(durations_s: Floats) -> float | None:
    """How even the scene lengths are: 1 / (1 + cv).

    Source: docs/analyses.md, scenePacingCoreMetrics, ``sceneRhythmScore``.

    Args:
        durations_s: ``(n,)`` scene lengths in seconds.

    Returns:
        In (0, 1], 1 for equal lengths. None for fewer than two scenes.
    """
    return None if durations_s.size < 2 else 1 / (1 + (cv(durations_s) or 0.0))


def rhythm_class(score: float | None) -> RhythmClass | None:
    """Word of a rhythm score; the limits lie at a cv of about 0.54 and of 1.

    Args:
        score: In (0, 1] (:func:`rhythm_score`); None when unknown.

    Returns:
        consistent above 0.65, varied above 0.5, else erratic; None for None.
    """
    if score is None:
        return None
    if score > CONSISTENT:
        return "consistent"
    return "varied" if score > 0.5 else "erratic"


def rhythm_regularity(durations_s: Floats) -> float | None:
    """The rhythm score of the scenes that the video does not cut off: all but the first and the last.

    Source: docs/analyses.md, scenePacingDynamics, ``rhythmRegularity``.

    Args:
        durations_s: ``(n,)`` scene lengths in seconds.

    Returns:
        In (0, 1]. None with fewer than four scenes.
    """
    return rhythm_score(durations_s[1:-1])


def dynamic_range(durations_s: Floats) -> float | None:
    """How far scene lengths differ: (longest - shortest) / longest.

    Source: docs/analyses.md, scenePacingDynamics, ``dynamicRange``.

    Args:
        durations_s: ``(n,)`` scene lengths in seconds.

    Returns:
        In 0..1, 0 for equal scenes; None without scenes.
    """
    if not durations_s.size:
        return None
    longest = float(durations_s.max())
    return ratio(longest - float(durations_s.min()), longest)


def count_shorter(durations_s: Floats, limit_s: float) -> int:
    """Number of scenes shorter than a limit.

    Source: docs/analyses.md, scenePacingCoreMetrics, ``quickCutsCount`` (below 1 s) and ``longTakesCount`` (the rest at
    5 s).

    Args:
        durations_s: ``(n,)`` scene lengths in seconds.
        limit_s: The limit; a scene of its length is not shorter, give or take a microsecond.

    Returns:
        At least 0; 0 without scenes.
    """
    return int((durations_s < limit_s - _EPSILON_S).sum())


def contrasts(scenes_s: Floats) -> tuple[Contrast, ...]:
    """Cuts at which the rate over three shots at least doubles or halves.

    Source: docs/analyses.md, scenePacingInteractions, ``pacingContrastMoments``. Of neighbouring cuts that change the
    rate in one direction the sharpest stands for all.

    Args:
        scenes_s: ``(n, 2)`` scenes.

    Returns:
        The contrasts by time. Empty with fewer than six scenes, as three are needed on either side.
    """
    durations_s, count = durations_of(scenes_s), _LOCAL_SHOTS
    if durations_s.size < 2 * count:
        return ()
    means = np.convolve(durations_s, np.ones(count), "valid") / count
    before_s, after_s = means[:-count], means[count:]
    ratios = before_s / after_s  # of the rates: after / before
    chosen = sorted(i for strength in (ratios, 1 / ratios) for i in _sharpest(strength))
    cuts_s = scenes_s[count:, 0]
    return tuple(Contrast(float(cuts_s[i]), float(ratios[i]), float(before_s[i]), float(after_s[i])) for i in chosen)


def _sharpest(strength: Floats) -> list[int]:
    """Index of the maximum of every run of values that are at least a contrast."""
    return [first + int(np.argmax(strength[first:stop])) for first, stop in runs_of(strength >= _CONTRAST - 1e-9)]


def montages(scenes_s: Floats) -> list[MontageSegment]:
    """Runs of three or more shots that are each shorter than 1.5 s.

    Source: docs/analyses.md, scenePacingKeyEvents, ``montageSegments``.

    Args:
        scenes_s: ``(n, 2)`` scenes.

    Returns:
        The runs in order; empty without any.
    """
    durations_s = durations_of(scenes_s)
    return [
        MontageSegment(
            start=float(scenes_s[first, 0]),
            end=float(scenes_s[stop - 1, 1]),
            shots=stop - first,
            avg_shot_duration=float(durations_s[first:stop].mean()),
        )
        for first, stop in runs_of(durations_s < MONTAGE_SHOT_S - _EPSILON_S)
        if stop - first >= _MONTAGE_SHOTS
    ]


def rhythm_breaks(scenes_s: Floats) -> list[RhythmBreak]:
    """Scenes that differ from the median of the three before by more than twice the deviation of all lengths.

    Source: docs/analyses.md, scenePacingKeyEvents, ``rhythmBreaks``.

    Args:
        scenes_s: ``(n, 2)`` scenes.

    Returns:
        The breaks in order. Empty with fewer than four scenes.
    """
    durations_s, count = durations_of(scenes_s), _LOCAL_SHOTS
    if durations_s.size <= count:
        return []
    expected_s = np.median(np.lib.stride_tricks.sliding_window_view(durations_s, count), axis=1)[:-1]
    later_s = durations_s[count:]
    broken = np.abs(later_s - expected_s) > 2 * (std(durations_s) or 0.0) + _EPSILON_S
    rows = np.stack([scenes_s[count:, 0], expected_s, later_s], axis=1)[broken]
    return [
        RhythmBreak(timestamp=start_s, expected_duration=expected, actual_duration=actual)
        for start_s, expected, actual in rows.tolist()
    ]


def long_takes(durations_s: Floats) -> list[int]:
    """Scenes that are held long: at least 5 s and at least twice the median.

    Source: docs/analyses.md, scenePacingKeyEvents, ``pacingValleys``.

    Args:
        durations_s: ``(n,)`` scene lengths in seconds.

    Returns:
        Their indices in order; empty without any.
    """
    if not durations_s.size:
        return []
    least_s = max(LONG_TAKE_S, 2 * float(np.median(durations_s))) - _EPSILON_S
    return [int(i) for i in np.flatnonzero(durations_s >= least_s)]


def scene_span(scenes_s: Floats, index: int) -> str:
    """Label of a scene.

    Args:
        scenes_s: ``(n, 2)`` scenes.
        index: Of the scene.

    Returns:
        ``"a-bs"``, its ends in seconds (:func:`span`).
    """
    return span(float(scenes_s[index, 0]), float(scenes_s[index, 1]))


def scene_at(scenes_s: Floats, index: int, duration_s: float) -> Scene:
    """One scene with its length and its place in the video.

    Source: docs/analyses.md, scenePacingKeyEvents, ``longestScene`` and ``shortestScene``.

    Args:
        scenes_s: ``(n, 2)`` scenes.
        index: Of the scene.
        duration_s: Length of the video in seconds.

    Returns:
        Its length in seconds, its label, and its place: intro with its middle below 20 % of the video, outro above
        80 %, else middle.
    """
    start_s, end_s = (float(edge) for edge in scenes_s[index])
    middle = (start_s + end_s) / 2 / duration_s
    return Scene(
        duration=end_s - start_s,
        timestamp=scene_span(scenes_s, index),
        position="intro" if middle < 0.2 else "outro" if middle > 0.8 else "middle",
    )


def accelerating_triples(durations_s: Floats) -> int:
    """Number of triples of consecutive scenes, each shorter than the one before.

    Args:
        durations_s: ``(n,)`` scene lengths in seconds.

    Returns:
        >= 0; 0 with fewer than three scenes.
    """
    shrinking = np.diff(durations_s) < -_EPSILON_S
    return int((shrinking[:-1] & shrinking[1:]).sum())


def rapid_stretches(scenes_s: Floats) -> int:
    """Number of triples of consecutive scenes whose mean length is below half the mean of all.

    Args:
        scenes_s: ``(n, 2)`` scenes.

    Returns:
        >= 0; 0 with fewer than three scenes.
    """
    count = len(scenes_s)
    if count < _LOCAL_SHOTS:
        return 0
    means_s = np.convolve(durations_of(scenes_s), np.ones(_LOCAL_SHOTS), "valid") / _LOCAL_SHOTS
    mean_s = (scenes_s[-1, 1] - scenes_s[0, 0]) / count
    return int((means_s < mean_s / 2).sum())


def energy_curve(scenes_s: Floats) -> list[EnergyPoint]:
    """Shots per second over the video, in at most ten points.

    Args:
        scenes_s: ``(n, 2)`` scenes, at least one.

    Returns:
        One point per scene (1 / its length, at its start) for up to ten scenes. For more, one point per each of ten
        equal windows: the scenes that pass in it, counted in fractions, over its length.
    """
    starts_s, durations_s = scenes_s[:, 0], durations_of(scenes_s)
    if starts_s.size <= _CURVE_POINTS:
        points = zip(starts_s, 1 / durations_s, strict=True)
    else:
        end_s = float(scenes_s[-1, 1])
        edges_s = equal_windows(end_s, _CURVE_POINTS)
        passed = np.interp(edges_s, np.append(starts_s, end_s), np.arange(starts_s.size + 1))
        points = zip(edges_s[:-1], np.diff(passed) / np.diff(edges_s), strict=True)
    return [EnergyPoint(time=float(time_s), energy=float(rate)) for time_s, rate in points]
