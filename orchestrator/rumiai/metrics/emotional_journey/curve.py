"""The emotional journey as curves: what the fields of emotional_journey are made from (docs: analyses, 2.2 and 2.3)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from rumiai.contracts.lexicons import EMOTIONS
from rumiai.core.arrays import Floats, Ints
from rumiai.metrics.evidence.types import Expressions
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.labels import LabelChange, most_frequent
from rumiai.metrics.shared.series import local_maxima
from rumiai.metrics.shared.statistics import clamp, mean, ratio, std

NEUTRAL: Final = "neutral"

STRONG: Final = 0.6  # intensity or |valence| of a peak (the reference's intensity_threshold)
SAMPLE_INTERVAL_S: Final = 1.0
# Valence differences below this are no movement: also what separates rising from stable, and what a dead zone is.
_MOVED: Final = 0.2
_DIP: Final = 0.1  # by which a curve falls between two peaks
_NOISE: Final = 0.01  # heights that differ by less are equal, and the earlier stands
_BEFORE_BINS: Final = 3  # of the running mean, so that a change stands out where it begins
_TRAJECTORY: Final = 0.3
_KNOWN_PER_THIRD: Final = 3
_ROLLERCOASTER_CHANGES: Final = 4  # per 30 s
_ROLLERCOASTER_STD: Final = 0.3


@dataclass(frozen=True)
class Peak:
    """A second that stands out: its bin, emotion, intensity, how far it stands out, and its most intense instant."""

    bin: int
    emotion: str
    intensity: float
    height: float
    time_s: float


@dataclass(frozen=True)
class Journey:
    """The expressions of one video over its one-second bins; bins without a face are NaN or None."""

    faces: Expressions
    bins: Bins

    @cached_property
    def sample_bins(self) -> Ints:
        """``(n,)`` bin of every sample."""
        return self.bins.index(self.faces.times_s)

    @cached_property
    def valence(self) -> Floats:
        """``(count,)`` mean valence of each bin."""
        return self.bins.means(self.faces.times_s, self.faces.valences)

    @cached_property
    def intensity(self) -> Floats:
        """``(count,)`` mean intensity of each bin."""
        return self.bins.means(self.faces.times_s, self.faces.intensities)

    @cached_property
    def arousal(self) -> Floats:
        """``(count,)`` mean arousal of each bin."""
        return self.bins.means(self.faces.times_s, self.faces.arousals)

    @cached_property
    def known(self) -> Ints:
        """Bins with a face, in order."""
        return np.flatnonzero(~np.isnan(self.valence))

    @cached_property
    def labels(self) -> list[str | None]:
        """The label of each bin with most confidence in it."""
        return self.strongest(self.sample_bins, self.bins.count)

    @cached_property
    def held_labels(self) -> list[str]:
        """The smoothed label of each known bin, the most frequent of its samples."""
        found: dict[int, list[str]] = {}
        for index, label in zip(self.sample_bins.tolist(), self.faces.smoothed.labels, strict=True):
            found.setdefault(index, []).append(label)
        return [most_frequent(found[index]) or NEUTRAL for index in self.known.tolist()]

    @property
    def changes(self) -> tuple[LabelChange, ...]:
        """Changes of the smoothed label."""
        return self.faces.smoothed.changes

    def strongest(self, groups: Ints, count: int) -> list[str | None]:
        """Label with most confidence in each group of samples, the alphabetically first on ties; None without one."""
        weights: list[Counter[str]] = [Counter() for _ in range(count)]
        for group, label, weight in zip(groups.tolist(), self.faces.labels, self.faces.confidences, strict=True):
            weights[group][label] += float(weight)
        return [min(w, key=lambda label: (-w[label], label)) if w else None for w in weights]

    @property
    def dominant(self) -> str | None:
        """Label with most confidence over the video; None without a face."""
        return self.strongest(np.zeros(len(self.faces.labels), dtype=np.int64), 1)[0]

    @property
    def diversity(self) -> float | None:
        """Entropy of the labels / ln 7; None without a face."""
        counts = np.array(list(Counter(self.faces.labels).values()), dtype=np.float64)
        if not counts.size:
            return None
        shares = counts / counts.sum()
        return clamp(float(-(shares * np.log(shares)).sum()) / math.log(len(EMOTIONS)))

    @property
    def coverage(self) -> float:
        """Bins with a face / bins."""
        return float(self.known.size / self.bins.count)

    @property
    def variability(self) -> float | None:
        """Population deviation of the valence over the known bins."""
        return std(self.valence[self.known])

    @cached_property
    def thirds(self) -> tuple[Ints, Ints, Ints]:
        """Known bins of the first, middle and last third."""
        third, count = self.bins.third, self.bins.count
        first, last = self.known < third, self.known >= count - third
        return self.known[first], self.known[~first & ~last], self.known[last]

    def third_valences(self) -> tuple[float | None, float | None, float | None]:
        """Mean valence of each third; None without a face in it."""
        first, middle, last = (mean(self.valence[third]) for third in self.thirds)
        return first, middle, last

    @property
    def smoothness(self) -> float | None:
        """1 - mean jump of the valence at transitions / 2; a jump is between the means of the runs on either side."""
        sums = np.concatenate([[0.0], np.cumsum(self.faces.valences)])
        means = [(sums[run.stop] - sums[run.first]) / (run.stop - run.first) for run in self.faces.smoothed.runs]
        jump = mean(np.abs(np.diff(means)))
        return None if jump is None else clamp(1 - jump / 2)

    @property
    def stability(self) -> float | None:
        """1 - transitions / (samples - 1); None with fewer than two samples."""
        share = ratio(len(self.changes), max(0, len(self.faces.labels) - 1))
        return None if share is None else 1 - share

    @property
    def change_rate(self) -> float | None:
        """Transitions / (known bins - 1), at most 1; None with fewer than two known bins."""
        share = ratio(len(self.changes), max(0, int(self.known.size) - 1))
        return None if share is None else min(1.0, share)

    @property
    def changes_per_minute(self) -> float:
        """Transitions per minute of video."""
        return 60 * len(self.changes) / self.bins.duration_s

    @property
    def arc(self) -> str | None:
        """Rising, falling, rollercoaster or stable; None where a third without a face leaves it open."""
        first, _, last = self.third_valences()
        if first is not None and last is not None and abs(last - first) > _MOVED:
            return "rising" if last > first else "falling"
        often = len(self.changes) / self.bins.duration_s * 30 >= _ROLLERCOASTER_CHANGES
        if often and (self.variability or 0.0) > _ROLLERCOASTER_STD:
            return "rollercoaster"
        return None if first is None or last is None else "stable"

    @property
    def trajectory(self) -> str | None:
        """Shape of the valence over the thirds; None with fewer than three known bins in one of them."""
        if min(third.size for third in self.thirds) < _KNOWN_PER_THIRD:
            return None
        first, middle, last = (float(self.valence[third].mean()) for third in self.thirds)
        if abs(last - first) > _TRAJECTORY:
            return "ascending" if last > first else "descending"
        if min(first, last) - middle > _MOVED:
            return "u-shaped"
        return "inverted-u" if middle - max(first, last) > _MOVED else "flat"

    @cached_property
    def _toned(self) -> Ints:
        return np.array([i for i in self.known.tolist() if self.labels[i] != NEUTRAL], dtype=np.int64)

    def _maxima(self, heights: Floats) -> list[int]:
        """Local maxima among the known bins whose emotion is not neutral; all others are lower than any of these.

        Of two between which the curve hardly falls the higher stands, else a steady face would peak with its noise.
        """
        curve = np.full(self.bins.count, -1.0)
        curve[self._toned] = heights[self._toned]
        found: list[int] = []
        for index in (i for i in local_maxima(curve) if curve[i] > 0):
            if not found or curve[found[-1] : index].min() < min(curve[found[-1]], curve[index]) - _DIP:
                found.append(index)
            elif curve[index] > curve[found[-1]] + _NOISE:
                found[-1] = index
        return found

    def _peak(self, index: int, height: float) -> Peak:
        inside = np.flatnonzero(self.sample_bins == index)
        strongest = inside[np.argmax(self.faces.intensities[inside])]
        time_s, label = float(self.faces.times_s[strongest]), self.labels[index]
        return Peak(index, label or NEUTRAL, float(self.intensity[index]), float(height), time_s)

    @cached_property
    def intense_moments(self) -> list[Peak]:
        """Local maxima of the intensity, the strongest first; neutral seconds are none."""
        found = [self._peak(i, float(self.intensity[i])) for i in self._maxima(self.intensity)]
        return sorted(found, key=lambda peak: (-peak.intensity, peak.bin))

    @cached_property
    def peaks(self) -> list[Peak]:
        """Local maxima of |valence - running mean| above 0.2, or of an intensity > 0.6, the highest first."""
        away = np.nan_to_num(np.abs(self.valence - self.running_mean))
        strong = {i for i in self._maxima(self.intensity) if self.intensity[i] > STRONG}
        moved = {i for i in self._maxima(away) if away[i] > _MOVED}
        found = [self._peak(i, max(float(away[i]), float(self.intensity[i]))) for i in sorted(strong | moved)]
        return sorted(found, key=lambda peak: (-peak.height, peak.bin))

    @cached_property
    def running_mean(self) -> Floats:
        """``(count,)`` mean valence of the known bins of the 3 s before each bin; NaN without any."""
        there = ~np.isnan(self.valence)
        sums = np.concatenate([[0.0], np.cumsum(np.where(there, self.valence, 0.0))])
        counts = np.concatenate([[0], np.cumsum(there)])
        high = np.arange(self.bins.count)
        low = np.maximum(0, high - _BEFORE_BINS)
        near = counts[high] - counts[low]
        return np.divide(sums[high] - sums[low], near, out=np.full(high.size, np.nan), where=near > 0)
