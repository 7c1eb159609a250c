"""Emotions of the main face as curves over one-second bins, and the shape of these curves.

Source: docs/analyses.md, emotional_journey. Conventions: a curve is an ``(N,)`` array with NaN where a bin shows no
face; *known* bins are those with a face; valence is -1..1, intensity and arousal are 0..1; deviations are population
deviations.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from rumiai.contracts.lexicons import EMOTIONS, Emotion
from rumiai.core.arrays import Floats, Ints
from rumiai.metrics.emotional_journey.blocks import EmotionalArc, Trajectory
from rumiai.metrics.shared.labels import LabelRun, most_frequent
from rumiai.metrics.shared.statistics import clamp, mean, ratio

Thirds = tuple[float | None, float | None, float | None]

NEUTRAL: Final[Emotion] = "neutral"
_MOVED: Final = 0.2  # smaller differences of mean valence are no movement
_TRAJECTORY: Final = 0.3
_KNOWN_PER_THIRD: Final = 3
_ROLLERCOASTER_CHANGES: Final = 4  # per 30 s
_ROLLERCOASTER_STD: Final = 0.3


def strongest_labels(groups: Ints, labels: Sequence[Emotion], confidences: Floats, count: int) -> list[Emotion | None]:
    """The label with most confidence in each group of samples.

    Args:
        groups: ``(n,)`` group of each sample, 0..count - 1.
        labels: ``(n,)`` label of each sample.
        confidences: ``(n,)`` confidence of each sample, 0..1.
        count: Number of groups.

    Returns:
        One label per group, the alphabetically first on ties; None for a group without samples.
    """
    weights: list[dict[Emotion, float]] = [{} for _ in range(count)]
    for group, label, weight in zip(groups.tolist(), labels, confidences.tolist(), strict=True):
        weights[group][label] = weights[group].get(label, 0.0) + weight
    return [_heaviest(group) if group else None for group in weights]


def _heaviest(weights: dict[Emotion, float]) -> Emotion:
    return min(weights, key=lambda label: (-weights[label], label))


def held_labels(groups: Ints, labels: Sequence[Emotion]) -> list[Emotion]:
    """The most frequent label of each group that has samples.

    Args:
        groups: ``(n,)`` group of each sample.
        labels: ``(n,)`` label of each sample.

    Returns:
        One label per group in the order of the groups, the alphabetically first on ties; empty without samples.
    """
    found: dict[int, list[Emotion]] = {}
    for group, label in zip(groups.tolist(), labels, strict=True):
        found.setdefault(group, []).append(label)
    return [most_frequent(found[group]) or NEUTRAL for group in sorted(found)]


def emotional_diversity(labels: Sequence[Emotion]) -> float | None:
    """Shannon entropy of the label shares, divided by ln 7, that of seven equally frequent emotions.

    Source: docs/analyses.md, emotionalCoreMetrics, ``emotionalDiversity``.

    Args:
        labels: ``(n,)`` labels out of the seven canonical emotions.

    Returns:
        In 0..1, 0 for a single label; None without labels.
    """
    counts = np.array(list(Counter(labels).values()), dtype=np.float64)
    if not counts.size:
        return None
    shares = counts / counts.sum()
    return clamp(float(-(shares * np.log(shares)).sum()) / math.log(len(EMOTIONS)))


def running_mean(curve: Floats, bins_before: int) -> Floats:
    """Mean of the known bins among those before each bin, so that a change stands out where it begins.

    Args:
        curve: ``(N,)``, NaN where unknown.
        bins_before: How many bins are looked back.

    Returns:
        ``(N,)``; NaN where none of the bins before is known, as at the first bin.
    """
    there = ~np.isnan(curve)
    sums = np.concatenate([[0.0], np.cumsum(np.where(there, curve, 0.0))])
    counts = np.concatenate([[0], np.cumsum(there)])
    high = np.arange(curve.size)
    low = np.maximum(0, high - bins_before)
    near = counts[high] - counts[low]
    return np.divide(sums[high] - sums[low], near, out=np.full(high.size, np.nan), where=near > 0)


def split_thirds(known: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """Known bins of the first, middle and last third; the outer ones take max(1, floor(N / 3)) bins.

    Args:
        known: Indices of bins, ascending.
        count: Number of bins of the video, N.

    Returns:
        Three arrays of indices; empty where a third has no known bin.
    """
    third = max(1, count // 3)
    first, last = known < third, known >= count - third
    return known[first], known[~first & ~last], known[last]


def third_means(curve: Floats) -> Thirds:
    """Mean of each third of a curve over its known bins.

    Args:
        curve: ``(N,)``, NaN where unknown.

    Returns:
        First, middle and last third as :func:`split_thirds` cuts them, in the unit of the curve; None for a third
        without a known bin.
    """
    first, middle, last = split_thirds(np.flatnonzero(~np.isnan(curve)), curve.size)
    return mean(curve[first]), mean(curve[middle]), mean(curve[last])


def emotional_arc(thirds: Thirds, variability: float | None, changes_per_30_s: float) -> EmotionalArc | None:
    """Overall direction of the valence.

    Source: docs/analyses.md, emotionalDynamics, ``emotionalArc``.

    Args:
        thirds: Mean valence of each third.
        variability: Deviation of the valence over the known bins; None without any.
        changes_per_30_s: Changes of the smoothed label per 30 s of video.

    Returns:
        Rising or falling when first and last third differ by more than 0.2; else rollercoaster with four changes per
        30 s and a deviation above 0.3; else stable. None where an outer third without a face leaves it open.
    """
    first, _, last = thirds
    if first is not None and last is not None and abs(last - first) > _MOVED:
        return "rising" if last > first else "falling"
    if changes_per_30_s >= _ROLLERCOASTER_CHANGES and (variability or 0.0) > _ROLLERCOASTER_STD:
        return "rollercoaster"
    return None if first is None or last is None else "stable"


def trajectory(valence: Floats) -> Trajectory | None:
    """Shape of the valence over the thirds.

    Args:
        valence: ``(N,)`` valence curve.

    Returns:
        Ascending or descending when the outer thirds differ by more than 0.3; u-shaped (inverted-u) when the middle
        lies more than 0.2 below (above) both; flat when the outer thirds differ by no more than 0.2, as in a stable
        arc. None otherwise, and with fewer than three known bins in a third.
    """
    parts = split_thirds(np.flatnonzero(~np.isnan(valence)), valence.size)
    if min(part.size for part in parts) < _KNOWN_PER_THIRD:
        return None
    first, middle, last = (float(valence[part].mean()) for part in parts)
    if abs(last - first) > _TRAJECTORY:
        return "ascending" if last > first else "descending"
    if min(first, last) - middle > _MOVED:
        return "u-shaped"
    if middle - max(first, last) > _MOVED:
        return "inverted-u"
    return "flat" if abs(last - first) <= _MOVED else None


def transition_smoothness(valences: Floats, runs: Sequence[LabelRun[Emotion]]) -> float | None:
    """1 - mean jump of the valence at transitions / 2, where a jump is between the means of neighbouring runs.

    Source: docs/analyses.md, emotionalDynamics, ``transitionSmoothness``.

    Args:
        valences: ``(n,)`` valence of each sample.
        runs: Runs of the smoothed label, as index ranges of the samples.

    Returns:
        In 0..1, 1 for no jump; None with fewer than two runs.
    """
    sums = np.concatenate([[0.0], np.cumsum(valences)])
    means = [(sums[run.stop] - sums[run.first]) / (run.stop - run.first) for run in runs]
    jump = mean(np.abs(np.diff(means)))
    return None if jump is None else clamp(1 - jump / 2)


def stability_score(changes: int, samples: int) -> float | None:
    """How rarely the emotion changes: 1 - label changes / (samples - 1).

    Source: docs/analyses.md, emotionalDynamics, ``stabilityScore``.

    Args:
        changes: Number of changes of the smoothed label.
        samples: Number of samples with a face.

    Returns:
        In 0..1, 1 without changes; None with fewer than two samples.
    """
    share = ratio(changes, max(0, samples - 1))
    return None if share is None else 1 - share


def change_rate(changes: int, known_bins: int) -> float | None:
    """Label changes per step from one known bin to the next: changes / (known bins - 1), at most 1.

    Args:
        changes: Number of changes of the smoothed label.
        known_bins: Number of one-second bins with a face.

    Returns:
        In 0..1; None with fewer than two known bins.
    """
    share = ratio(changes, max(0, known_bins - 1))
    return None if share is None else min(1.0, share)
