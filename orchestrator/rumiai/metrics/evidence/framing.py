"""Shot types of one video, as several analyses read them."""

from __future__ import annotations

import numpy as np

from rumiai.core.arrays import Ints
from rumiai.metrics.evidence.types import Detections, Objects, People
from rumiai.metrics.shared.framing import SHOTS, Shot, is_cut_body, nearest_samples, shot_codes
from rumiai.metrics.shared.labels import SmoothedLabels, smooth


def person_samples(people: People, persons: Detections) -> Ints:
    """``(n,)`` sample of the people's grid that belongs to each person box."""
    return nearest_samples(persons.grid.times_s[persons.sample], people.grid.step_s, people.grid.count)


def shots_of(people: People, objects: Objects | None) -> tuple[Shot | None, ...]:
    """Shot type of every sample of the people's grid.

    Args:
        people: Faces and bodies.
        objects: Boxes of persons; None where objects are unknown.

    Returns:
        One for each sample: "none" where nobody is seen, None where there is a face of unknown size and nothing else.
    """
    poses = people.poses
    cut = is_cut_body(poses.boxes[:, 3], poses.landmarks[:, :, 3])
    no_person = np.zeros(0, dtype=np.int64)
    codes = shot_codes(
        people.faces.largest_area(),
        no_person if objects is None else person_samples(people, objects.of_class("person")),
        poses.sample,
        poses.sample[cut],
    )
    sized = ~np.isnan(people.faces.largest_area())
    return tuple(SHOTS[code] if code or known else None for code, known in zip(codes.tolist(), sized, strict=True))


def smoothed_shots(people: People, objects: Objects | None) -> SmoothedLabels[Shot]:
    """Shot types held for at least 1.0 s, one per sample of the people's grid."""
    return smooth(people.grid.times_s.tolist(), shots_of(people, objects), people.grid.step_s)
