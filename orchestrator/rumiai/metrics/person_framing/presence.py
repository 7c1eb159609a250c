"""Who is in the picture, per sampled frame.

Source: docs/analyses.md, personFramingCoreMetrics and personFramingQuality (``trackingConsistency``). Conventions:
``k`` is the number of sampled frames; a sample index points into them; spans are ``(n, 2)`` start and end in seconds.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.core.arrays import Bools, Floats, Ints
from rumiai.core.intervals import as_intervals, union
from rumiai.metrics.shared.series import runs_of
from rumiai.metrics.shared.statistics import mean

_VISIBLE: Final = 0.5  # visibility of a landmark
_TORSO: Final = [11, 12, 23, 24]  # shoulders and hips
_SHORTEST_ABSENCE_S: Final = 1.0
_EPSILON_S: Final = 1e-9


def people_present(faces: Ints, body_sample: Ints, person_sample: Ints) -> Bools:
    """Whether there is any sign of a person: a face, a body or a person box.

    Args:
        faces: ``(k,)`` number of faces on each sample.
        body_sample: ``(n,)`` sample of each body.
        person_sample: ``(m,)`` sample of each person box.

    Returns:
        ``(k,)`` flags.
    """
    seen = np.asarray(faces > 0)
    seen[body_sample] = True
    seen[person_sample] = True
    return seen


def people_counts(faces: Ints, person_sample: Ints, present: Bools) -> Ints:
    """People on each sample: the more of person boxes and faces; 1 for a mere body.

    Args:
        faces: ``(k,)`` number of faces on each sample.
        person_sample: ``(m,)`` sample of each person box.
        present: ``(k,)`` whether anybody is seen.

    Returns:
        ``(k,)`` counts.
    """
    boxes = np.bincount(person_sample, minlength=faces.size)
    return np.asarray(np.maximum(np.maximum(boxes, faces), present))


def body_visibility_rate(landmarks: Floats, body_sample: Ints, count: int) -> float | None:
    """Samples with a body whose shoulders and hips are all visible / samples.

    Source: docs/analyses.md, personFramingCoreMetrics, ``bodyVisibilityRate``.

    Args:
        landmarks: ``(n, 33, 4)`` x, y, z, visibility of each body.
        body_sample: ``(n,)`` sample of each body.
        count: Number of samples, k.

    Returns:
        In 0..1; None without samples.
    """
    seen = np.zeros(count, dtype=np.bool_)
    seen[body_sample[(landmarks[:, _TORSO, 3] > _VISIBLE).all(axis=1)]] = True
    return mean(seen)


def percentile_rank(counts: Ints | Floats, percent: float) -> int | None:
    """Percentile by nearest rank: a number that occurs, and one that sampling more often does not change.

    Source: docs/analyses.md, personFramingCoreMetrics, ``subjectCount`` (90) and ``maxSimultaneousPeople`` (95).

    Args:
        counts: ``(k,)`` counts, NaN where unknown.
        percent: 0..100.

    Returns:
        The count; None without a known one.
    """
    known = counts[~np.isnan(counts)]
    return int(np.percentile(known, percent, method="inverted_cdf")) if known.size else None


def absence_spans(present: Bools, starts_s: Floats, step_s: float, duration_s: float) -> Floats:
    """Stretches of 1 s or more in which nobody is seen.

    Args:
        present: ``(k,)`` whether anybody is seen.
        starts_s: ``(k,)`` nominal instant of each sample, seconds.
        step_s: Sampling step, seconds.
        duration_s: Length of the video, seconds.

    Returns:
        ``(n, 2)`` spans within the video; ``(0, 2)`` for none.
    """
    found = []
    for first, stop in runs_of(~present):
        start_s, length_s = float(starts_s[first]), (stop - first) * step_s
        if length_s >= _SHORTEST_ABSENCE_S - _EPSILON_S:
            found.append((start_s, max(start_s, min(duration_s, start_s + length_s))))
    return as_intervals(found)


def gap_samples(present: Bools, scene_of: Ints) -> int:
    """Samples without anybody between samples of the same scene that show somebody.

    Args:
        present: ``(k,)`` whether anybody is seen.
        scene_of: ``(k,)`` scene of each sample.

    Returns:
        Their number; 0 without samples.
    """
    gaps = [(first, stop) for first, stop in runs_of(~present) if first > 0 and stop < present.size]
    return sum(stop - first for first, stop in gaps if scene_of[first - 1] == scene_of[stop])


def sample_spans(flags: Bools, starts_s: Floats, step_s: float, duration_s: float) -> Floats:
    """Union of the sampling steps that begin with a flagged sample.

    Args:
        flags: ``(k,)`` flags.
        starts_s: ``(k,)`` nominal instant of each sample, seconds.
        step_s: Sampling step, seconds.
        duration_s: Length of the video, at which the last step ends at most.

    Returns:
        ``(n, 2)`` union; ``(0, 2)`` for none.
    """
    starts = starts_s[flags]
    return union(np.stack([starts, starts + step_s], axis=1), until_s=duration_s)


def hidden_share(present: Bools, faces: Ints, body_sample: Ints) -> float:
    """Share of the samples with a person that show neither face nor body.

    Args:
        present: ``(k,)`` whether anybody is seen.
        faces: ``(k,)`` number of faces on each sample.
        body_sample: ``(n,)`` sample of each body.

    Returns:
        In 0..1; 0 without people.
    """
    shown = np.asarray(faces > 0)
    shown[body_sample] = True
    return mean(~shown[present]) or 0.0
