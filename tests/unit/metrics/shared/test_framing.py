"""Shot types, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.framing import shots_of, with_feet
from rumiai.metrics.shared.framing import (
    FEET,
    LOWER,
    SHOTS,
    UPPER,
    extent_of,
    holds_nose,
    largest_of,
    nearest_samples,
    shot_codes,
)

from ...metrics_videos import analysis, objects

UNKNOWN = [np.nan] * 4
PORTRAIT, LANDSCAPE = 9 / 16, 16 / 9


def shot(face=UNKNOWN, extent=UPPER, person=UNKNOWN, *, body=False, aspect=PORTRAIT):
    (code,) = shot_codes(np.array([face]), np.array([extent]), np.array([person]), np.array([body]), aspect)
    return SHOTS[code]


@pytest.mark.parametrize(
    ("face", "aspect", "expected"),
    [
        # x, y, width, height; a waist-up portrait: below the chin there is room for three faces more
        ((0.35, 0.15, 0.3, 0.2), PORTRAIT, "medium"),
        ((0.25, 0.2, 0.5, 0.28), PORTRAIT, "close"),  # 1.9 below the chin: the chest
        ((0.2, 0.0, 0.6, 0.15), PORTRAIT, "close"),  # as wide as that, whatever is below
        ((0.45, 0.1, 0.1, 0.1), PORTRAIT, "wide"),  # a face of a tenth of the short side
        ((0.45, 0.05, 0.2, 0.1), PORTRAIT, "wide"),  # 8.5 below the chin: down to the feet
        # The same face in landscape: shares of the width are 16/9 of the short side.
        ((0.45, 0.1, 0.1, 0.1), None, "wide"),
        ((0.45, 0.1, 0.1, 0.18), LANDSCAPE, "medium"),
        ((0.4, 0.3, 0.18, 0.32), LANDSCAPE, "close"),
    ],
)
def test_a_face_tells_the_shot_by_its_width_and_the_room_below_it(face, aspect, expected):
    assert shot(face, aspect=aspect) == expected


def test_joints_decide_where_they_are_seen():
    chest = (0.3, 0.3, 0.4, 0.25)
    assert shot(chest) == "close"
    assert shot(chest, LOWER) == "medium"
    assert shot(chest, FEET) == "wide"
    assert shot((0.2, 0.0, 0.6, 0.15), LOWER) == "close"  # it fills the frame: hips are a guess
    assert shot(extent=LOWER, body=True) == "medium"
    assert shot(body=True) == "medium"


def test_a_person_without_face_or_joints_is_a_figure_unless_the_frame_cuts_it():
    assert shot(person=(0.3, 0.2, 0.3, 0.7)) == "wide"
    assert shot(person=(0.2, 0.2, 0.6, 0.8)) == "medium"
    assert shot(person=(0.6, 0.6, 0.1, 0.4)) == "wide"  # somebody small who walks out of the picture below
    assert shot() == "none"


def test_how_far_down_a_body_is_seen():
    bodies = np.zeros((5, 33, 4))
    bodies[:, :, :2] = 0.5
    bodies[1, 23, 3] = bodies[2, 27, 3] = bodies[3, 27, 3] = 0.9
    bodies[3, 27, 1] = 1.05  # the model guesses joints that the frame cuts off
    bodies[4] = np.nan
    assert extent_of(bodies).tolist() == [UPPER, LOWER, FEET, UPPER, UPPER]


def test_the_largest_box_of_each_sample_and_whose_nose_it_holds():
    boxes = np.array([(0.1, 0.1, 0.2, 0.2), (0.5, 0.5, 0.1, 0.1), UNKNOWN])
    largest = largest_of(boxes, np.array([1, 1, 2]), 3)
    assert np.array_equal(largest, [UNKNOWN, boxes[0], UNKNOWN], equal_nan=True)
    body = np.zeros((1, 33, 4))
    body[0, 0, :2] = 0.2, 0.35
    assert holds_nose(largest[[1]], body).tolist() == [True]
    body[0, 0, 1] = 0.4
    assert holds_nose(largest[[1]], body).tolist() == [False]


def test_the_shots_of_a_video():
    def pose(time, visible, nose_y=0.35):
        points = [{"i": i, "x": 0.5, "y": 0.9 if i else nose_y, "z": 0.0, "v": 0.9 if i in visible else 0.1}
                  for i in range(33)]  # fmt: skip
        return {"timestamp": time, "frame_number": 0, "confidence": 0.9, "bbox": [0.2, 0.0, 0.5, 0.9],
                "landmarks": points, "witness": "person"}  # fmt: skip

    def face(time):
        return {"timestamp": time, "frame_number": 0, "count": 1, "confidence": 0.9, "bbox": [0.25, 0.2, 0.5, 0.28]}

    poses = [pose(1.0, [23]), pose(2.0, [23], nose_y=0.8), pose(3.0, [27]), {**pose(6.0, [27]), "witness": "none"}]
    people = [objects("person", [4.0])[0], {**objects("person", [5.0])[0], "confidence": 0.3}]
    people[1]["frames"] = [{**people[1]["frames"][0], "confidence": 0.3}]
    evidence = read_evidence(
        analysis(8.0, faces=[face(0.0), face(1.0), face(2.0)], poses=poses, detections=people, sample_fps=1.0)
    )
    shots = shots_of(evidence.people, evidence.objects)
    # The body at 2.0 is of somebody else than the face. Nothing vouches for the box at 5.0 and the body at 6.0.
    assert shots == ("close", "medium", "close", "wide", "wide", "none", "none", "none")
    assert with_feet(evidence.people).tolist() == [False, False, False, True, False, False, False, False]


def test_nearest_samples():
    grid_s = np.array([0.0, 0.5, 1.0, 1.5])
    assert nearest_samples(np.array([0.0, 0.74, 0.76, 9.0]), grid_s).tolist() == [0, 1, 2, 3]


def test_a_grid_that_was_looked_at_in_part_keeps_its_instants():
    grid_s = np.array([2.0, 2.5, 3.0, 7.0, 7.5, 8.0])
    assert nearest_samples(np.array([2.0, 2.5, 3.0, 7.4, 0.0]), grid_s).tolist() == [0, 1, 2, 4, 0]
    assert nearest_samples(np.array([]), grid_s).tolist() == []
