"""Shot types from the size of faces and bodies (docs: analyses, 3.2), shared by person_framing and scene_pacing."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Ints
from rumiai.metrics.evidence.types import Detections, Objects, People, Poses
from rumiai.metrics.shared.labels import SmoothedLabels, smooth

Shot = Literal["none", "wide", "medium", "close"]

SHOTS: Final[tuple[Shot, ...]] = ("none", "wide", "medium", "close")

_CLOSE_ABOVE: Final = 0.25  # share of the frame that the largest face covers
_MEDIUM_ABOVE: Final = 0.08
_TALL: Final = 0.9  # a body of this height without hips is cut by the frame
_VISIBLE: Final = 0.5
_SHOULDERS, _HIPS = [11, 12], [23, 24]


def shot_codes(people: People, objects: Objects | None) -> npt.NDArray[np.int64]:
    """``(k,)`` index into ``SHOTS`` for every sample of the people's grid; 0 where nobody is visible."""
    codes = np.zeros(people.grid.count, dtype=np.int64)
    if objects is not None:
        codes[person_samples(people, objects.of_class("person"))] = 1
    codes[people.poses.sample] = 1
    codes[people.poses.sample[_is_medium(people.poses)]] = 2
    face = people.faces.largest_area()
    codes[face > 0] = 1
    codes[face > _MEDIUM_ABOVE] = 2
    codes[face > _CLOSE_ABOVE] = 3
    return codes


def person_samples(people: People, persons: Detections) -> Ints:
    """Sample of the people's grid that belongs to each person box."""
    times = persons.grid.times_s[persons.sample]
    return np.asarray(np.clip(np.rint(times / people.grid.step_s), 0, people.grid.count - 1), dtype=np.int64)


def _is_medium(poses: Poses) -> npt.NDArray[np.bool_]:
    visibility = poses.landmarks[:, :, 3]
    shoulders = (visibility[:, _SHOULDERS] > _VISIBLE).all(axis=1)
    hips = (visibility[:, _HIPS] > _VISIBLE).any(axis=1)
    return np.asarray((poses.boxes[:, 3] > _TALL) & shoulders & ~hips)


def smoothed_shots(people: People, objects: Objects | None) -> SmoothedLabels[Shot]:
    """Shot types held for at least 1.0 s, one per sample of the people's grid."""
    labels = [SHOTS[code] for code in shot_codes(people, objects).tolist()]
    return smooth(people.grid.times_s.tolist(), labels, people.grid.step_s)
