"""Moments of creative_density: peaks, dead zones, shifts, and bins where several kinds of element meet."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.density import Density, words_by_bin
from rumiai.metrics.shared.series import local_maxima, runs_of
from rumiai.metrics.shared.statistics import std

_MODES: Final = 3  # types that make a multi-modal peak
_AROUND: Final = 3  # bins on either side that a peak is compared with
_MOST: Final = 10
_DEAD_BINS: Final = 2
_SUDDEN: Final = 0.5  # change over the larger of the two sides


def multi_modal_peaks(density: Density, evidence: Evidence) -> list[dict[str, Any]]:
    """Bins with three or more types; redundant when the same words are seen and heard."""
    found = []
    for index, (seen, heard, speaking) in enumerate(words_by_bin(evidence)):
        kinds = [kind for kind, there in zip(density.types, density.present[:, index], strict=True) if there]
        if len(kinds) < _MODES:
            continue
        if seen & heard:
            sync = "redundant"
        elif "text" in kinds and (speaking or "gesture" in kinds):
            sync = "reinforcing"
        else:
            sync = "complementary"
        found.append({"timestamp": density.bins.label(index), "elements": kinds, "syncType": sync})
    return found


def peak_moments(density: Density, d: Floats) -> list[dict[str, Any]]:
    """Local maxima above mean + std, the ten most surprising, in time order."""
    deviation = std(d) or 0.0
    # A plateau of ends and middles can only be above mean + std when there is a deviation.
    ranked = [(surprise(d, i, deviation), i) for i in local_maxima(d) if d[i] > d.mean() + deviation and deviation]
    chosen = sorted(sorted(ranked, key=lambda item: (-item[0], item[1]))[:_MOST], key=lambda item: item[1])
    moments = []
    for score, index in chosen:
        breakdown = {kind: int(counts[index]) for kind, counts in density.counts.items()}
        moments.append(
            {
                "timestamp": density.bins.label(index),
                "totalElements": sum(breakdown.values()),
                "surpriseScore": score,
                "elementBreakdown": breakdown,
            }
        )
    return moments


def surprise(d: Floats, index: int, deviation: float) -> float:
    """(d - mean of the three *other* bins on either side) / std."""
    near = np.concatenate([d[max(0, index - _AROUND) : index], d[index + 1 : index + 1 + _AROUND]])
    return float((d[index] - near.mean()) / deviation)


def dead_zones(d: Floats, bins: Bins) -> list[dict[str, float]]:
    """Two or more empty bins in a row, the longest first."""
    edges = bins.edges_s
    zones = [
        {"start": float(edges[a]), "end": float(edges[b]), "duration": float(edges[b] - edges[a])}
        for a, b in runs_of(d == 0)
        if b - a >= _DEAD_BINS
    ]
    return sorted(zones, key=lambda zone: (-zone["duration"], zone["start"]))


def density_shifts(d: Floats, bins: Bins) -> list[dict[str, Any]]:
    """Borders where the means of the two bins before and after differ suddenly and in level; ten, in time order.

    Neighbouring borders see the same shift: of those in one direction the sharpest stands.
    """
    middle = float(d.mean())
    if d.size < 2 * _DEAD_BINS or middle == 0:
        return []
    pairs = (d[:-1] + d[1:]) / 2
    before, after = pairs[:-2], pairs[2:]
    delta = after - before
    larger, both = np.maximum(before, after), before + after
    magnitude = np.divide(np.abs(delta), both, out=np.zeros_like(delta), where=both > 0)
    before_level, after_level = _levels(before, middle), _levels(after, middle)
    sudden = (before_level != after_level) & (np.abs(delta) > _SUDDEN * larger)
    best = []
    for rising in (False, True):
        for first, stop in runs_of(sudden & ((delta > 0) == rising)):
            best.append(max(range(first, stop), key=lambda i: (magnitude[i], abs(delta[i]), -i)))
    chosen = sorted(sorted(best, key=lambda i: (-magnitude[i], i))[:_MOST])
    return [
        {
            "timestamp": float(bins.edges_s[i + 2]),
            "from": str(before_level[i]),
            "to": str(after_level[i]),
            "magnitude": float(magnitude[i]),
        }
        for i in chosen
    ]


def _levels(values: Floats, middle: float) -> Any:
    return np.select([values < 0.5 * middle, values > 1.5 * middle], ["low", "high"], "medium")
