"""Pace of the cutting: what the fields of scene_pacing are made from (docs: analyses, 4.2 and 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from rumiai.core.arrays import Floats, Ints
from rumiai.metrics.evidence.types import Shots
from rumiai.metrics.shared.bins import count_in, equal_windows, span
from rumiai.metrics.shared.series import runs_of
from rumiai.metrics.shared.statistics import balance, cv, mean, std

QUICK_CUT_S: Final = 1.0
SHORT_SCENE_S: Final = 2.0
LONG_TAKE_S: Final = 5.0
MONTAGE_SHOT_S: Final = 1.5
MONTAGE_SHOTS: Final = 3
TREND: Final = 0.2
CONSISTENT: Final = 0.65
ENDS_S: Final = 3.0  # what counts as intro and outro
_LOCAL_SHOTS: Final = 3  # shots on either side of a cut that make the local rate
_CONTRAST: Final = 2.0  # ratio of local rates that is a contrast
_EPSILON_S: Final = 1e-6  # differences of cut times miss a whole second by less
_PACES: Final = ((2.0, "rapid"), (4.0, "fast"), (8.0, "moderate"))


def pace_of(mean_duration_s: float) -> str:
    """Pace word of a mean scene duration."""
    return next((word for limit, word in _PACES if mean_duration_s < limit - _EPSILON_S), "slow")


@dataclass(frozen=True)
class Contrast:
    """A cut where the rate over three shots at least doubles (ratio >= 2) or halves (ratio <= 1/2)."""

    time_s: float
    ratio: float
    before_s: float
    after_s: float

    @property
    def accelerates(self) -> bool:
        """Whether the cutting gets faster here."""
        return self.ratio > 1

    @property
    def strength(self) -> float:
        """How many times the rate changes, >= 2 either way."""
        return max(self.ratio, 1 / self.ratio)


@dataclass(frozen=True)
class Pacing:
    """The scenes of one video as lengths and cuts."""

    shots: Shots
    duration_s: float

    @cached_property
    def durations_s(self) -> Floats:
        """``(n,)`` lengths of the scenes."""
        return self.shots.durations_s

    @property
    def cuts_s(self) -> Floats:
        """``(n - 1,)`` instants of the cuts."""
        return self.shots.cuts_s

    @property
    def scenes(self) -> int:
        """Number of scenes."""
        return int(self.durations_s.size)

    @property
    def mean_s(self) -> float:
        """Mean scene: D / n."""
        return self.duration_s / self.scenes

    @cached_property
    def cv(self) -> float:
        """Coefficient of variation of the durations."""
        return cv(self.durations_s) or 0.0

    @cached_property
    def rhythm_score(self) -> float | None:
        """1 / (1 + cv); one scene has no rhythm."""
        return None if self.scenes == 1 else 1 / (1 + self.cv)

    @property
    def rhythm_class(self) -> str | None:
        """Consistent, varied or erratic."""
        if self.rhythm_score is None:
            return None
        if self.rhythm_score > CONSISTENT:
            return "consistent"
        return "varied" if self.rhythm_score > 0.5 else "erratic"

    @cached_property
    def acceleration(self) -> float:
        """(cuts of the second half - first) / sum, -1..1."""
        first, second = self.counts(2)
        return balance(float(first), float(second))

    @property
    def trend(self) -> str:
        """Maintaining, accelerating or decelerating."""
        if abs(self.acceleration) <= TREND:
            return "maintaining"
        return "accelerating" if self.acceleration > 0 else "decelerating"

    def counts(self, windows: int) -> Ints:
        """Cuts in each of so many equal windows."""
        return count_in(equal_windows(self.duration_s, windows), self.cuts_s)

    def acceleration_pattern(self) -> str:
        """Building or declining when halves and quarters agree, steady when neither moves, else variable."""
        quarters = self.counts(4)
        steps = np.diff(quarters)
        if self.trend == "accelerating":
            return "building" if (steps >= 0).all() else "variable"
        if self.trend == "decelerating":
            return "declining" if (steps <= 0).all() else "variable"
        return "steady" if (cv(quarters) or 0.0) <= 0.5 else "variable"

    @cached_property
    def windows_s(self) -> Floats:
        """Edges of clamp(floor(D / 2), 1, 10) equal windows."""
        return equal_windows(self.duration_s, min(10, max(1, int(self.duration_s / 2))))

    @cached_property
    def window_cuts(self) -> Ints:
        """Cuts in each window."""
        return count_in(self.windows_s, self.cuts_s)

    @cached_property
    def window_rates(self) -> Floats:
        """Cuts per second in each window."""
        result: Floats = self.window_cuts / np.diff(self.windows_s)
        return result

    def window_span(self, index: int) -> str:
        """Label of a window."""
        return span(self.windows_s[index], self.windows_s[index + 1])

    def zones(self) -> list[int]:
        """Windows whose rate is above mean + 1 std and at least 0.5 cuts/s."""
        rates = self.window_rates
        limit = float(rates.mean()) + (std(rates) or 0.0)
        return [int(i) for i in np.flatnonzero((rates > limit) & (rates >= 0.5))]

    @cached_property
    def contrasts(self) -> tuple[Contrast, ...]:
        """Where the local rate doubles or halves; of neighbouring cuts of one direction the sharpest."""
        count = _LOCAL_SHOTS
        if self.scenes < 2 * count:
            return ()
        sums = np.convolve(self.durations_s, np.ones(count), "valid")
        before, after = sums[:-count] / count, sums[count:] / count
        ratio = before / after  # of the rates: after / before
        found: list[Contrast] = []
        for faster in (True, False):
            strength = ratio if faster else 1 / ratio
            for first, stop in runs_of(strength >= _CONTRAST - 1e-9):
                i = first + int(np.argmax(strength[first:stop]))
                found.append(Contrast(float(self.cuts_s[i + count - 1]), float(ratio[i]), before[i], after[i]))
        return tuple(sorted(found, key=lambda contrast: contrast.time_s))

    def montages(self) -> list[dict[str, Any]]:
        """Runs of three or more shots that are each shorter than 1.5 s."""
        quick = self.durations_s < MONTAGE_SHOT_S - _EPSILON_S
        return [
            {
                "start": float(self.shots.starts_s[first]),
                "end": float(self.shots.ends_s[stop - 1]),
                "shots": stop - first,
                "avgShotDuration": float(self.durations_s[first:stop].mean()),
            }
            for first, stop in runs_of(quick)
            if stop - first >= MONTAGE_SHOTS
        ]

    def rhythm_breaks(self) -> list[dict[str, float]]:
        """Scenes that differ from the median of the three before by more than twice the deviation of all."""
        if self.scenes <= _LOCAL_SHOTS:
            return []
        durations = self.durations_s
        expected = np.median(np.lib.stride_tricks.sliding_window_view(durations, _LOCAL_SHOTS), axis=1)[:-1]
        broken = np.abs(durations[_LOCAL_SHOTS:] - expected) > 2 * (std(durations) or 0.0) + _EPSILON_S
        return [
            {
                "timestamp": float(self.shots.starts_s[i + _LOCAL_SHOTS]),
                "expectedDuration": float(expected[i]),
                "actualDuration": float(durations[i + _LOCAL_SHOTS]),
            }
            for i in np.flatnonzero(broken)
        ]

    def place(self, index: int) -> dict[str, Any]:
        """A scene with its length and the place of its middle: intro < 20 %, outro > 80 %."""
        start, end = float(self.shots.starts_s[index]), float(self.shots.ends_s[index])
        middle = (start + end) / 2 / self.duration_s
        position = "intro" if middle < 0.2 else "outro" if middle > 0.8 else "middle"
        return {"duration": end - start, "timestamp": span(start, end), "position": position}

    def valleys(self) -> list[dict[str, Any]]:
        """Scenes of at least 5 s that last at least twice the median."""
        least = max(LONG_TAKE_S, 2 * float(np.median(self.durations_s))) - _EPSILON_S
        return [
            {"timestamp": self.place(int(i))["timestamp"], "sceneDuration": self.durations_s[i], "type": "long_take"}
            for i in np.flatnonzero(self.durations_s >= least)
        ]

    def regularity(self) -> float | None:
        """1 / (1 + cv) of the durations without first and last; None with fewer than two left."""
        inner = self.durations_s[1:-1]
        return None if inner.size < 2 else 1 / (1 + (cv(inner) or 0.0))

    def shorter_than(self, seconds: float) -> int:
        """Number of scenes shorter than that."""
        return int((self.durations_s < seconds - _EPSILON_S).sum())

    def at_least(self, seconds: float) -> int:
        """Number of scenes of that length or longer."""
        return self.scenes - self.shorter_than(seconds)

    def cuts_between(self, start_s: float, end_s: float) -> int:
        """Cuts in the open interval."""
        return int(((self.cuts_s > start_s) & (self.cuts_s < end_s)).sum())

    def accelerating_triples(self) -> int:
        """Triples of strictly shrinking shots."""
        shrinking = np.diff(self.durations_s) < -_EPSILON_S
        return int((shrinking[:-1] & shrinking[1:]).sum())

    def rapid_stretches(self) -> int:
        """Runs of three shots whose mean is below half the mean of all."""
        if self.scenes < _LOCAL_SHOTS:
            return 0
        means = np.convolve(self.durations_s, np.ones(_LOCAL_SHOTS), "valid") / _LOCAL_SHOTS
        return int((means < self.mean_s / 2).sum())

    def energy_curve(self) -> list[dict[str, float]]:
        """Shots per second: of each shot, or of ten equal windows when there are more than ten."""
        if self.scenes <= 10:
            pairs = zip(self.shots.starts_s, 1 / self.durations_s, strict=True)
        else:
            edges = equal_windows(self.duration_s, 10)
            progress = np.interp(edges, np.append(self.shots.starts_s, self.duration_s), np.arange(self.scenes + 1))
            pairs = zip(edges[:-1], np.diff(progress) / np.diff(edges), strict=True)
        return [{"time": float(time), "energy": float(energy)} for time, energy in pairs]

    def cut_confidence(self) -> float | None:
        """Mean confidence of the cuts; None without cuts or scores."""
        scores = self.shots.cut_confidences
        return None if scores is None else mean(scores)
