"""Shot types of one video, as several analyses read them."""

from __future__ import annotations

import numpy as np

from rumiai.core.arrays import Bools, Floats, Ints
from rumiai.metrics.evidence.types import Detections, Objects, People
from rumiai.metrics.shared.framing import (
    FEET,
    SHOTS,
    UPPER,
    Shot,
    extent_of,
    holds_nose,
    largest_of,
    nearest_samples,
    shot_codes,
)
from rumiai.metrics.shared.labels import SmoothedLabels, smooth


def person_samples(people: People, persons: Detections) -> Ints:
    """Which sample of the people's grid each person box belongs to, by its instant.

    Args:
        people: Whose grid it is.
        persons: The person boxes, n of them, on the object detector's grid.

    Returns:
        ``(n,)`` indices; empty without boxes.
    """
    return nearest_samples(persons.grid.times_s[persons.sample], people.grid.times_s)


def shots_of(people: People, objects: Objects | None) -> tuple[Shot | None, ...]:
    """Shot type of every sample of the people's grid.

    Args:
        people: Faces and bodies.
        objects: Boxes of persons; None where objects are unknown.

    Returns:
        One for each sample: "none" where nobody is seen, None where there is a face of unknown size and nothing else.
    """
    count, faces = people.grid.count, people.faces
    persons = np.full((count, 4), np.nan)
    if objects is not None:
        found = objects.of_class("person")
        persons = largest_of(found.boxes, person_samples(people, found), count)
    main_faces = largest_of(faces.boxes, faces.sample, count)
    bodies = people.poses.per_sample > 0
    codes = shot_codes(main_faces, _extents(people, main_faces), persons, bodies, people.aspect)
    unknown = (codes == 0) & (faces.per_sample > 0)
    return tuple(None if hidden else SHOTS[code] for code, hidden in zip(codes.tolist(), unknown, strict=True))


def _extents(people: People, main_faces: Floats) -> Ints:
    """``(k,)`` how far down the body of each sample's main face is seen, of any body where there is no face."""
    poses = people.poses
    faces = main_faces[poses.sample]
    theirs = np.isnan(faces[:, 0]) | holds_nose(faces, poses.landmarks)
    extents = np.full(people.grid.count, UPPER, dtype=np.int64)
    np.maximum.at(extents, poses.sample[theirs], extent_of(poses.landmarks)[theirs])
    return extents


def with_feet(people: People) -> Bools:
    """On which samples a body is seen down to its feet.

    Args:
        people: Bodies with their landmarks, on a grid of k samples.

    Returns:
        ``(k,)`` flags; False on a sample without a body.
    """
    poses = people.poses
    seen = np.zeros(people.grid.count, dtype=np.bool_)
    seen[poses.sample[extent_of(poses.landmarks) == FEET]] = True
    return seen


def smoothed_shots(people: People, objects: Objects | None) -> SmoothedLabels[Shot]:
    """Shot types held for at least 1.0 s.

    Args:
        people: Faces and bodies.
        objects: Boxes of persons; None where objects are unknown.

    Returns:
        The samples of the people's grid whose shot type is known, with the smoothed ones; empty without any.
    """
    return smooth(people.grid.times_s.tolist(), shots_of(people, objects), people.grid.step_s)
