"""Where and how large people are in the picture, and where they look.

Source: docs/analyses.md, personFramingCoreMetrics and personFramingInteractions. Positions and areas are in shares of
the frame; ``k`` is the number of sampled frames.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rumiai.core.arrays import Bools, Floats, Ints
from rumiai.metrics.person_framing.blocks import CompositionRule, GazeSteadiness, SocialDistance
from rumiai.metrics.person_framing.boxes import within_margin
from rumiai.metrics.shared.statistics import mean, std

_BAND: Final = (1 / 6, 1 / 2)  # height of a face's centre around the upper third line
_CENTRED: Final = 0.08
_ON_THIRD: Final = 0.05
_DISTANCES: Final[tuple[tuple[float, SocialDistance], ...]] = (
    (0.25, "intimate"), (0.08, "personal"), (0.02, "social"),
)  # fmt: skip
_LOOKING: Final = 0.5  # eye contact score of somebody who looks into the camera
_GAZE_SAMPLES: Final = 5
_STEADY, _UNSTEADY = 0.15, 0.3  # deviation of the eye contact score


def headroom(heights: Floats) -> float | None:
    """Share of the faces whose centre lies around the upper third line: 1/6 to 1/2 of the height from above.

    Args:
        heights: ``(k,)`` height of the main face's centre; NaN without a face.

    Returns:
        In 0..1; None without a face.
    """
    known = heights[~np.isnan(heights)]
    return mean((known >= _BAND[0]) & (known <= _BAND[1]))


def composition_rule(across: Floats) -> CompositionRule | None:
    """Where the main face stands across the frame, on the mean.

    A rule of the older form of the results; of the two third lines the nearer counts.

    Args:
        across: ``(k,)`` horizontal position of the main face's centre; NaN without a face.

    Returns:
        Center within 8 % of the frame's width from the middle, thirds within 5 % from a third line, else offset; None
        without a face.
    """
    centre = mean(across[~np.isnan(across)])
    if centre is None:
        return None
    if abs(centre - 0.5) < _CENTRED:
        return "center"
    return "thirds" if min(abs(centre - 1 / 3), abs(centre - 2 / 3)) <= _ON_THIRD else "offset"


def social_distance(face_area: float | None) -> SocialDistance | None:
    """How near somebody seems, by the area of the face.

    Source: docs/analyses.md, personFramingInteractions, ``socialDistance``. The words are those of Hall (1966), The
    Hidden Dimension; the limits are not his, since an area tells a distance only for one lens.

    Args:
        face_area: Share of the frame, 0..1; None when it is unknown.

    Returns:
        Intimate above 25 %, personal above 8 %, social above 2 % of the frame, else public; None for None.
    """
    if face_area is None:
        return None
    return next((word for limit, word in _DISTANCES if face_area > limit), "public")


def face_balance(areas: Floats, sample: Ints) -> float | None:
    """How equally large the two largest faces are: mean of 2 x smaller / sum over the samples with two.

    Source: docs/analyses.md, personFramingInteractions, ``multiPersonCoordination``.

    Args:
        areas: ``(n,)`` area of each face, NaN where unknown.
        sample: ``(n,)`` sample of each face.

    Returns:
        In 0..1, 1 for equal faces; None when there are never two of known size.
    """
    areas, sample = areas[~np.isnan(areas)], sample[~np.isnan(areas)]
    order = np.lexsort((-areas, sample))
    ordered, of = areas[order], sample[order]
    rank = np.arange(of.size) - np.searchsorted(of, of)
    second = np.flatnonzero(rank == 1)
    larger, smaller = ordered[second - 1], ordered[second]
    both = larger + smaller
    return mean((2 * smaller / np.where(both > 0, both, 1.0))[both > 0])


def gestures_in_frame(
    spans_s: Floats, hands: Floats, face_inside: Bools, nominal_s: Floats, step_s: float
) -> float | None:
    """Gestures during which hand and face are inside the frame by 2 % / gestures.

    Source: docs/analyses.md, personFramingInteractions, ``gestureFramingSync``.

    Args:
        spans_s: ``(n, 2)`` time of each gesture, seconds.
        hands: ``(n, 4)`` box of each gesture's hand.
        face_inside: ``(k,)`` whether the largest face of each sample is inside; False without a face.
        nominal_s: ``(k,)`` nominal instant of each sample, seconds.
        step_s: Sampling step, seconds; a sample stands for half a step on either side.

    Returns:
        In 0..1; None without gestures.
    """
    borders_s = nominal_s - step_s / 2
    firsts = np.maximum(np.searchsorted(borders_s, spans_s[:, 0], side="right") - 1, 0)
    stops = np.searchsorted(borders_s, spans_s[:, 1], side="right")
    shown = [bool(face_inside[first:stop].any()) for first, stop in zip(firsts, stops, strict=True)]
    return mean(within_margin(hands) & np.array(shown, dtype=np.bool_))


def looking(eye_contact: Floats, sample: Ints, count: int) -> Bools:
    """Whether the main face looks into the camera: an eye contact score of 0.5 or more.

    Args:
        eye_contact: ``(n,)`` scores, 0..1.
        sample: ``(n,)`` sample of each score.
        count: Number of samples, k.

    Returns:
        ``(k,)`` flags; False for a sample without a score.
    """
    looks = np.zeros(count, dtype=np.bool_)
    looks[sample[eye_contact >= _LOOKING]] = True
    return looks


def gaze_steadiness(eye_contact: Floats) -> GazeSteadiness | None:
    """How steadily the main face looks, by the deviation of the eye contact score, looking away included.

    Source: docs/analyses.md, personFramingDynamics, ``gazeSteadiness``.

    Args:
        eye_contact: ``(n,)`` scores, 0..1.

    Returns:
        High below 0.15, medium below 0.3, else low; None with fewer than five scores.
    """
    deviation = std(eye_contact)
    if deviation is None or eye_contact.size < _GAZE_SAMPLES:
        return None
    return "high" if deviation < _STEADY else "medium" if deviation < _UNSTEADY else "low"
