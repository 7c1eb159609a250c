"""The cutting of one video, measured once: what the blocks and the further metrics of scene_pacing read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rumiai.core.arrays import Floats, freeze_arrays
from rumiai.metrics.evidence.types import Shots
from rumiai.metrics.scene_pacing.blocks import (
    AccelerationPattern,
    MontageSegment,
    Pace,
    PacingMomentum,
    RhythmBreak,
    RhythmClass,
)
from rumiai.metrics.scene_pacing.cuts import (
    acceleration,
    acceleration_pattern,
    cut_rates,
    peak_windows,
    rate_windows,
    trend_of,
)
from rumiai.metrics.scene_pacing.durations import (
    SEVERAL_SCENES,
    Contrast,
    contrasts,
    durations_of,
    long_takes,
    montages,
    pace_of_scenes,
    rhythm_breaks,
    rhythm_class,
    rhythm_score,
)
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import cv


@dataclass(frozen=True)
class Pacing:
    """Measured values of the cutting; times in seconds.

    Attributes:
        video_s: Length of the video.
        duration_s: Length of its picture as far as it was observed; rates divide by it.
        scenes_s: ``(n, 2)`` start and end of each scene, n >= 1.
        durations_s: ``(n,)`` their lengths.
        cuts_s: ``(n - 1,)`` cut instants.
        mean_s: Mean scene length, D / n.
        cv: Coefficient of variation of the lengths.
        rhythm_score: 1 / (1 + cv); None for one scene.
        rhythm: Its word; None for fewer than three scenes.
        pace: Pace word of the mean length; None for a single short scene.
        acceleration: Balance of the cuts between the halves, -1..1; None for fewer than two cuts, and so the next two.
        trend: Its word.
        pattern: Course of the cut rate.
        edges_s: ``(w + 1,)`` edges of the windows of the pacing curve.
        rates_hz: ``(w,)`` cuts per second in each.
        peaks: Indices of the windows that are cut fastest.
        contrasts: Cuts at which the local rate at least doubles or halves.
        montages: Runs of short shots.
        breaks: Scenes that break the rhythm.
        long_takes: Indices of the scenes that are held long.
    """

    video_s: float
    duration_s: float
    scenes_s: Floats
    durations_s: Floats
    cuts_s: Floats
    mean_s: float
    cv: float
    rhythm_score: float | None
    rhythm: RhythmClass | None
    pace: Pace | None
    acceleration: float | None
    trend: PacingMomentum | None
    pattern: AccelerationPattern | None
    edges_s: Floats
    rates_hz: Floats
    peaks: list[int]
    contrasts: tuple[Contrast, ...]
    montages: list[MontageSegment]
    breaks: list[RhythmBreak]
    long_takes: list[int]

    def __post_init__(self) -> None:
        freeze_arrays(
            self,
            scenes_s=(np.float64, "n", 2),
            durations_s=(np.float64, "n"),
            cuts_s=(np.float64, len(self.scenes_s) - 1),
            rates_hz=(np.float64, "w"),
            edges_s=(np.float64, len(self.rates_hz) + 1),
        )

    @property
    def scenes(self) -> int:
        """Number of scenes, at least 1."""
        return len(self.scenes_s)

    def window_span(self, index: int) -> str:
        """Label of a window of the pacing curve.

        Args:
            index: Of the window.

        Returns:
            ``"a-bs"``, its ends in seconds (:func:`span`).
        """
        return span(float(self.edges_s[index]), float(self.edges_s[index + 1]))


def measure_pacing(shots: Shots, video_s: float) -> Pacing:
    """Measure the cutting of a video, each value once.

    Source: docs/analyses.md, scene_pacing; the formulas stand at the functions of :mod:`cuts` and :mod:`durations`.

    Args:
        shots: At least one, as far as the picture was observed.
        video_s: Length of the video, seconds.

    Returns:
        The measures. D is the end of the last shot. One cut is no trend: it lies in one half or the other.
    """
    duration_s = float(shots.ends_s[-1])
    scenes_s = np.stack([shots.starts_s, shots.ends_s], axis=1)
    durations_s = durations_of(scenes_s)
    mean_s, score = duration_s / len(scenes_s), rhythm_score(durations_s)
    several = len(scenes_s) >= SEVERAL_SCENES
    balance = acceleration(shots.cuts_s, duration_s) if several else None
    edges_s = rate_windows(duration_s)
    rates_hz = cut_rates(shots.cuts_s, edges_s)
    return Pacing(
        video_s=video_s,
        duration_s=duration_s,
        scenes_s=scenes_s,
        durations_s=durations_s,
        cuts_s=shots.cuts_s,
        mean_s=mean_s,
        cv=cv(durations_s) or 0.0,
        rhythm_score=score,
        rhythm=rhythm_class(score) if several else None,
        pace=pace_of_scenes(len(scenes_s), mean_s),
        acceleration=balance,
        trend=None if balance is None else trend_of(balance),
        pattern=acceleration_pattern(shots.cuts_s, duration_s) if several else None,
        edges_s=edges_s,
        rates_hz=rates_hz,
        peaks=peak_windows(rates_hz),
        contrasts=contrasts(scenes_s),
        montages=montages(scenes_s),
        breaks=rhythm_breaks(scenes_s),
        long_takes=long_takes(durations_s),
    )
