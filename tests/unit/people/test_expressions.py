"""Gaze, posture and emotions from landmarks and blendshapes that are made by hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from rumiai.contracts.lexicons import EMOTIONS, VALENCE_WEIGHTS
from rumiai.people.expressions import PROTOTYPES, UNITS, action_units, expression
from rumiai.people.gaze import gaze, head_angles, iris_offset, mouth_open
from rumiai.people.labels import most_frequent, smooth
from rumiai.people.poses import orientation, posture

_IRIS_AND_CORNERS = ((468, 33, 133), (473, 362, 263))


def _eyes(offset_x: float, offset_y: float, width: float, angle_deg: float = 0.0) -> np.ndarray:
    """478 points with two eyes of the given width, their irises moved by offsets in eye widths."""
    turn = math.radians(angle_deg)
    along = np.array([math.cos(turn), math.sin(turn)])
    points = np.zeros((478, 2))
    for (iris, left, right), centre in zip(_IRIS_AND_CORNERS, ((100, 100), (100 + 3 * width, 100)), strict=True):
        points[left], points[right] = centre - along * width / 2, centre + along * width / 2
        points[iris] = np.array(centre) + np.array([offset_x, offset_y]) * width
    return points


@pytest.mark.parametrize("width", [4.0, 40.0, 400.0])
def test_iris_offset_does_not_depend_on_the_distance_to_the_camera(width):
    assert iris_offset(_eyes(0.1, -0.05, width)) == pytest.approx((0.1, -0.05))
    assert iris_offset(_eyes(0.1, -0.05, width, angle_deg=30)) == pytest.approx((0.1, -0.05))


@pytest.mark.parametrize(
    ("x", "y", "yaw", "direction", "score"),
    [
        (0.0, 0.0, 0.0, "camera", 1.0),
        (0.03, 0.04, 0.0, "camera", 1 - 0.05 / 0.15),  # r = 0.05
        (0.0, 0.06, -5.0, "camera", (1 - 0.06 / 0.15) * (1 - 5 / 20)),
        (0.15, 0.0, 0.0, "right", 0.0),  # r < 0.15 is meant strictly
        (-0.2, 0.1, 0.0, "left", 0.0),
        (0.1, 0.2, 0.0, "down", 0.0),
        (0.1, -0.2, 0.0, "up", 0.0),
        (0.0, 0.0, 20.0, "right", 0.0),  # |yaw| < 20 is meant strictly
        (0.0, 0.0, -45.0, "left", 0.0),
        (0.2, 0.0, -45.0, "left", 0.0),  # the head outweighs the eyes
    ],
)
def test_eye_contact_is_the_stated_formula(x, y, yaw, direction, score):
    found = gaze(x, y, yaw)
    assert found.direction == direction
    assert found.eye_contact == pytest.approx(score)


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (30, 0), (-30, 0), (0, 20), (15, -10)])
def test_head_angles_come_back_from_a_rotation(yaw, pitch):
    y, p = math.radians(yaw), math.radians(pitch)
    about_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_y @ about_x
    assert head_angles(matrix) == pytest.approx((yaw, pitch))


def test_mouth_open_is_gap_over_width():
    points = np.zeros((478, 2))
    points[78], points[308], points[13], points[14] = (0, 0), (50, 0), (25, -4), (25, 6)
    assert mouth_open(points) == pytest.approx(0.2)


def _shapes(**units: float) -> dict[str, float]:
    """Blendshapes at which the action units, named ``au4``, have these intensities, and all others are at rest."""
    shapes = {}
    for name, value in units.items():
        unit = UNITS[int(name.removeprefix("au"))]
        shapes |= dict.fromkeys(unit.shapes, unit.rest + value * (unit.full - unit.rest))
    return shapes


def test_action_units_run_from_rest_to_full():
    assert action_units(_shapes(au12=0.5, au4=1.0))[12] == pytest.approx(0.5)
    assert action_units(_shapes(au12=0.5, au4=1.0))[4] == pytest.approx(1.0)
    assert set(action_units({}).values()) == {0.0}
    assert action_units(dict.fromkeys(UNITS[26].shapes, 5.0))[26] == 1.0


def test_a_smile_that_reaches_the_eyes_raises_the_cheeks():
    assert action_units(_shapes(au12=1.0))[6] == 0.0
    assert action_units(_shapes(au12=1.0) | {"eyeSquintLeft": 0.6, "eyeSquintRight": 0.4})[6] == pytest.approx(0.5)
    assert action_units({"eyeSquintLeft": 0.6, "eyeSquintRight": 0.6})[6] == 0.0


@pytest.mark.parametrize(
    ("emotion", "units"),
    [
        ("joy", {"au12": 1}),
        ("sadness", {"au1": 1, "au4": 1, "au15": 1}),
        ("anger", {"au4": 1, "au5": 1, "au7": 1, "au23": 1}),
        ("fear", {"au1": 1, "au2": 1, "au4": 1, "au5": 1, "au20": 1, "au26": 1}),
        ("surprise", {"au1": 1, "au2": 1, "au5": 1, "au26": 1}),
        ("disgust", {"au9": 1, "au15": 1, "au16": 1}),
        ("neutral", {}),
        ("neutral", {"au26": 1}),  # someone who speaks
        ("neutral", {"au45": 1}),  # a blink
        ("joy", {"au12": 1, "au10": 1, "au7": 1}),  # laughing lifts the lip and narrows the eyes
    ],
)
def test_each_prototype_shows_its_emotion(emotion, units):
    shown = expression(_shapes(**units))
    assert shown.emotion == emotion
    assert shown.confidence == shown.scores[emotion] > 0.5
    assert set(shown.scores) == set(EMOTIONS)
    assert sum(shown.scores.values()) == pytest.approx(1.0)
    assert shown.valence == pytest.approx(sum(shown.scores[e] * VALENCE_WEIGHTS[e] for e in EMOTIONS))


def test_expression_by_hand():
    # AU 12 at 0.6 and nothing else: joy 0.8 * 0.6 = 0.48, neutral 1 - 0.48 = 0.52; they add up to 1.
    shown = expression(_shapes(au12=0.6))
    assert shown.scores["joy"] == pytest.approx(0.48)
    assert shown.scores["neutral"] == pytest.approx(0.52)
    assert shown.emotion == "neutral"
    assert shown.valence == pytest.approx(0.48)
    assert shown.intensities == {12: pytest.approx(0.6)}
    assert shown.action_units == (12,)


def test_every_smile_that_grows_gives_more_joy():
    joys = [expression(_shapes(au12=value)).scores["joy"] for value in np.linspace(0, 1, 11)]
    assert joys == sorted(joys)


def test_prototypes_weigh_one():
    assert {name: sum(weights.values()) for name, weights in PROTOTYPES.items()} == pytest.approx(
        dict.fromkeys(PROTOTYPES, 1.0)
    )


@pytest.mark.parametrize(
    ("labels", "step", "expected"),
    [
        ("", 0.5, ""),
        ("aabb", 0.5, "aabb"),
        ("aabaa", 0.5, "aaaaa"),  # half a second of b is no change
        ("baabb", 0.5, "aaabb"),  # begins with the first label that is held
        ("abcab", 0.5, "aaaaa"),  # none is held: the most frequent, a before b
        ("aaabcbbb", 1 / 3, "aaaaabbb"),  # 3 / 3 s is a second in spite of rounding
        ("ab", 1.0, "ab"),
    ],
)
def test_smoothed_labels(labels, step, expected):
    assert "".join(smooth(list(labels), step)) == expected
    assert most_frequent([]) is None


def _body(hip_deg: float, knee_deg: float, shoulder_turn_deg: float = 0.0) -> np.ndarray:
    """World landmarks (x right, y down, z away) of an upright trunk with thighs and shins at the given angles."""
    metres = np.zeros((33, 3))
    turn = math.radians(shoulder_turn_deg)
    # The thigh swings from straight down (180) towards the camera; the shin bends back from the thigh.
    thigh = math.radians(180 - hip_deg)
    shin = thigh - math.radians(180 - knee_deg)
    for side, (shoulder, hip, knee, ankle) in zip((1, -1), ((11, 23, 25, 27), (12, 24, 26, 28)), strict=True):
        metres[shoulder] = (0, -0.5, 0)
        metres[hip] = (0, 0, 0)
        metres[knee] = (0, 0.4 * math.cos(thigh), -0.4 * math.sin(thigh))
        metres[ankle] = metres[knee] + (0, 0.4 * math.cos(shin), -0.4 * math.sin(shin))
        metres[[shoulder, hip, knee, ankle]] += (side * 0.2 * math.cos(turn), 0, side * 0.2 * math.sin(turn))
    return metres


@pytest.mark.parametrize(
    ("hip", "knee", "expected"),
    [(178, 178, "standing"), (95, 90, "sitting"), (110, 170, "sitting"), (140, 170, "unknown"), (170, 100, "unknown")],
)
def test_posture_by_the_angles_of_the_legs(hip, knee, expected):
    seen = np.ones(33, np.float32)
    assert posture(_body(hip, knee), seen) == expected
    legs_hidden = seen.copy()
    legs_hidden[[25, 26]] = 0.2
    assert posture(_body(hip, knee), legs_hidden) == "unknown"


def test_someone_lying_neither_stands_nor_sits():
    lying = _body(178, 178)[:, [1, 0, 2]]
    assert posture(lying, np.ones(33, np.float32)) == "unknown"


@pytest.mark.parametrize(
    ("turn", "expected"),
    [(0, "facing_camera"), (30, "facing_camera"), (60, "turned_right"), (-60, "turned_left"), (175, "facing_away")],
)
def test_orientation_by_the_line_of_the_shoulders(turn, expected):
    seen = np.ones(33, np.float32)
    assert orientation(_body(178, 178, turn), seen) == expected
    seen[11] = 0.1
    assert orientation(_body(178, 178, turn), seen) == "unknown"


def test_the_document_states_the_table_that_is_used():
    text = (Path(__file__).parents[3] / "docs/design/expressions.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    units = {int(row[0]): (row[2], row[3], row[4]) for row in rows if len(row) == 5 and row[0].isdigit()}
    assert units.pop(6)[1:] == ("", "")
    used = {
        number: (unit.shapes[0].removesuffix("Left"), f"{unit.rest:.2f}", f"{unit.full:.2f}")
        for number, unit in UNITS.items()
    }
    assert units == used
    weights = {row[0]: row[1].split(";")[0] for row in rows if len(row) == 3 and row[0] in PROTOTYPES}
    stated = {name: dict(pair.split(": ") for pair in cell.split(", ")) for name, cell in weights.items()}
    assert stated == {name: {str(u): f"{w:g}" for u, w in table.items()} for name, table in PROTOTYPES.items()}
