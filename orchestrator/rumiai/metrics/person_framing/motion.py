"""Movement of the main person and of the camera towards it.

Source: docs/analyses.md, personFramingCoreMetrics (``positionStability``) and personFramingDynamics. Boxes and centres
are in shares of the frame, of its width across and of its height down. Distances are in frame widths, both ways, and
speeds in frame widths per second.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Final

import numpy as np

from rumiai.core.arrays import Floats, Ints, freeze_arrays
from rumiai.core.boxes import step_lengths
from rumiai.metrics.person_framing.blocks import MovementPattern, ZoomTrend
from rumiai.metrics.shared.bins import Bins
from rumiai.metrics.shared.statistics import clamp, line, median

STILL: Final = 0.3  # frame widths per second at which nothing is stable
_POSITIONS_PER_S: Final = 2  # so that the speed does not depend on the sampling rate
_STATIC, _GRADUAL = 0.02, 0.1
_ZOOM: Final = 0.2  # change of the face's area over its mean
_ZOOM_SAMPLES: Final = 3
_EPSILON: Final = 1e-9


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

    @property
    def speed(self) -> float | None:
        """Median speed; None where nobody is seen twice in a row inside a scene."""
        return median(self.speeds[~np.isnan(self.speeds)])


def positions_of(
    times_s: Floats,
    nominal_s: Floats,
    step_s: float,
    scene_of: Ints,
    face_centres: Floats,
    person_centres: Floats,
    aspect: float,
) -> Positions:
    """Mean centre of the face, else of the person, over half seconds, and its speed.

    Args:
        times_s: ``(k,)`` instant of each sample, seconds.
        nominal_s: ``(k,)`` its nominal instant, which tells the half second.
        step_s: Sampling step, seconds.
        scene_of: ``(k,)`` scene of each sample.
        face_centres: ``(k, 2)`` centre of the largest face; NaN without one.
        person_centres: ``(k, 2)`` centre of the largest person box; NaN without one.
        aspect: Width of the frame over its height.

    Returns:
        The positions. A speed is that of the face where both half seconds show one, else that of the person.
    """
    part = np.floor(nominal_s * _POSITIONS_PER_S + _EPSILON).astype(np.int64)
    new = (np.diff(part, prepend=-1) != 0) | (np.diff(scene_of, prepend=-1) != 0)
    group, firsts = np.cumsum(new) - 1, np.flatnonzero(new)
    count = firsts.size
    times = group_means(group, times_s, count)
    face, person = (
        step_lengths(_mean_centres(group, centres, count), aspect) for centres in (face_centres, person_centres)
    )
    near = np.diff(times) <= 1.5 * max(step_s, 1 / _POSITIONS_PER_S)
    same = near & (np.diff(scene_of[firsts]) == 0)
    speeds = np.where(same, np.where(np.isnan(face), person, face) / np.diff(times), np.nan)
    return Positions(times, np.concatenate([[np.nan], speeds])[:count])


def _mean_centres(group: Ints, centres: Floats, count: int) -> Floats:
    return np.stack([group_means(group, centres[:, axis], count) for axis in (0, 1)], axis=1)


def group_means(group: Ints, values: Floats, count: int) -> Floats:
    """Mean of the known values of each group.

    Args:
        group: ``(n,)`` group of each value, 0..count - 1.
        values: ``(n,)``, NaN where unknown.
        count: Number of groups.

    Returns:
        ``(count,)`` means; NaN for a group without a known value.
    """
    known = ~np.isnan(values)
    total = np.bincount(group[known], weights=values[known], minlength=count)
    number = np.bincount(group[known], minlength=count)
    return np.divide(total, number, out=np.full(count, np.nan), where=number > 0)


def stability_of(speed: float | None) -> float | None:
    """How little the main person moves: 1 - min(1, speed / 0.3).

    Source: docs/analyses.md, personFramingCoreMetrics, ``positionStability``.

    Args:
        speed: Median speed in frame widths per second; None where it is unknown.

    Returns:
        0..1, 1 for standing still; None for None.
    """
    return None if speed is None else clamp(1 - speed / STILL)


def stability_by_bin(positions: Positions, bins: Bins) -> list[float | None]:
    """Stability of each second, by its median speed.

    Source: docs/analyses.md, personFramingDynamics, ``stabilityTimeline``.

    Args:
        positions: Where the main person is.
        bins: The one-second bins, N of them.

    Returns:
        ``N`` numbers in 0..1; None for a second without a known speed.
    """
    known = ~np.isnan(positions.speeds)
    found: list[list[float]] = [[] for _ in range(bins.count)]
    for index, speed in zip(bins.index(positions.times_s[known]), positions.speeds[known].tolist(), strict=True):
        found[index].append(speed)
    return [stability_of(statistics.median(speeds)) if speeds else None for speeds in found]


def movement_pattern(speed: float | None) -> MovementPattern | None:
    """Word of a median speed.

    Source: docs/analyses.md, personFramingDynamics, ``movementPattern``.

    Args:
        speed: In frame widths per second; None where it is unknown.

    Returns:
        Static below 0.02, gradual below 0.1, else dynamic; None for None.
    """
    if speed is None:
        return None
    return "static" if speed < _STATIC else "gradual" if speed < _GRADUAL else "dynamic"


def zoom_trend(times_s: Floats, areas: Floats, scene_of: Ints) -> ZoomTrend | None:
    """Slope of the largest face's area inside scenes.

    Source: docs/analyses.md, personFramingDynamics, ``zoomTrend``.

    Args:
        times_s: ``(n,)`` instants of the samples with a face, seconds.
        areas: ``(n,)`` area of the largest face on each, NaN where unknown.
        scene_of: ``(n,)`` scene of each, ascending.

    Returns:
        In or out where the fitted line rises or falls by 20 % of the mean area in a scene, varied where both happen,
        stable where neither does. None without a scene with three such samples.
    """
    sized = ~np.isnan(areas)
    times_s, areas, scene_of = times_s[sized], areas[sized], scene_of[sized]
    changes = []
    for part in np.split(np.arange(scene_of.size), np.flatnonzero(np.diff(scene_of)) + 1):
        mean_area = float(areas[part].mean()) if part.size >= _ZOOM_SAMPLES else 0.0
        if mean_area > 0:
            slope = line(times_s[part], areas[part])[0]
            changes.append(slope * (times_s[part[-1]] - times_s[part[0]]) / mean_area)
    if not changes:
        return None
    inward, outward = max(changes) >= _ZOOM, min(changes) <= -_ZOOM
    if inward and outward:
        return "varied"
    return "in" if inward else "out" if outward else "stable"
