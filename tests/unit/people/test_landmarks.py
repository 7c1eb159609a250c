"""The analyzer on real pictures, compared with MediaPipe itself, with what is to be seen, and with its own policy."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import mediapipe
import numpy as np
import pytest
from mediapipe.tasks.python import BaseOptions, vision

from rumiai.contracts.frames import FrameDetections
from rumiai.core.boxes import iou
from rumiai.errors import WeightsError
from rumiai.people import LookPolicy, PeopleAnalyzer
from rumiai.people.expressions import expression
from rumiai.people.faces import is_drawn
from rumiai.people.gesture_bundle import LABELS, stored_zip, with_labels
from rumiai.people.hands import GESTURES
from rumiai.people.tasks import image, quiet_stderr, run

pytestmark = pytest.mark.weights

_DATA = Path(__file__).parents[2] / "data" / "gestures"
# Boxes that YOLOv8n gives, in pixels.
_ZIDANE = [(740, 40, 410, 675), (120, 195, 970, 520)]
_BUS = [(48, 398, 195, 505), (221, 405, 124, 452)]
_BUS_BEHIND = (669, 392, 140, 487)


def _read(package: str, name: str) -> np.ndarray:
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return cv2.cvtColor(cv2.imread(str(Path(found.origin).parent / name)), cv2.COLOR_BGR2RGB)


def _zidane():
    return _read("ultralytics", "assets/zidane.jpg")


def _bus():
    return _read("ultralytics", "assets/bus.jpg")


def _hopper():
    return _read("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


@pytest.fixture(scope="module")
def analyzer(weights):
    with PeopleAnalyzer(weights) as made:
        yield made


def _persons(boxes, picture=None, score=0.9):
    """Person boxes as the object detector gives them; in pixels of ``picture`` where there is one."""
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    if picture is not None:
        rows /= np.array([picture.shape[1], picture.shape[0]] * 2, np.float32)
    n = len(rows)
    return FrameDetections(0.0, 0, rows, np.full(n, score, np.float32), np.zeros(n, np.int32))


@pytest.fixture
def see(analyzer):
    """Look at one picture as at the first frame of a video."""

    def look(picture, persons=None, score=0.9):
        analyzer.reset()
        given = None if persons is None else [_persons(persons, picture, score)]
        return analyzer.analyze(picture[None], np.zeros(1), np.zeros(1, np.int64), given)[0]

    return look


def _px(box, picture):
    height, width = picture.shape[:2]
    return np.array(box) * (width, height, width, height)


def _squared(picture):
    side = max(picture.shape[:2])
    square = np.zeros((side, side, 3), np.uint8)
    square[: picture.shape[0], : picture.shape[1]] = picture
    return square


def test_a_face_is_what_mediapipe_itself_sees(see, weights):
    picture = _squared(_hopper())
    with (
        quiet_stderr(),
        vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(weights("face_landmarker.task"))),
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
        ) as upstream,
    ):
        theirs = upstream.detect(mediapipe.Image(mediapipe.ImageFormat.SRGB, picture))
    marks = np.array([(p.x, p.y) for p in theirs.face_landmarks[0]])
    low, high = marks.min(axis=0), marks.max(axis=0)
    (face,) = see(picture).faces
    assert iou(face.box, (*low, *(high - low))) > 0.6
    assert face.score > 0.8
    shapes = {c.category_name: c.score for c in theirs.face_blendshapes[0]}
    differences = [abs(face.mesh.blendshapes[name] - shapes[name]) for name in face.mesh.blendshapes]
    # Theirs sees the face in a picture of another size: single coefficients (squint) move, the face does not.
    assert np.mean(differences) < 0.03
    assert max(differences) < 0.25
    assert len(face.mesh.blendshapes) == 51
    assert abs(face.mesh.yaw_deg) < 5  # she looks straight ahead
    assert face.mesh.gaze.direction == "camera"
    assert face.mesh.gaze.eye_contact > 0.3


def test_a_small_face_is_found_at_its_person_and_missed_without(see):
    wide = np.full((720, 1280, 3), 90, np.uint8)
    hopper = cv2.resize(_hopper(), (128, 150), interpolation=cv2.INTER_AREA)
    wide[500:650, 300:428] = hopper
    assert see(wide).faces == ()
    assert see(wide, []).faces == ()
    (face,) = see(wide, [(300, 500, 128, 150)]).faces
    # In the original picture the face lies at 171, 146 and is 194 wide: a quarter of that, moved.
    assert _px(face.box, wide) == pytest.approx([300 + 171 / 4, 500 + 146 / 4, 194 / 4, 194 / 4], abs=4)
    assert face.mesh is not None


@pytest.mark.parametrize(("person", "faces"), [(0.3, 1), (None, 0)])
def test_an_unsure_face_needs_a_person(see, monkeypatch, person, faces):
    # A box of the whole picture stands for a person; without one the score must be one that animals do not reach.
    monkeypatch.setattr("rumiai.people.faces._MIN_SCORE_WITHOUT_PERSON", 1.01)
    monkeypatch.setattr("rumiai.people.faces._MIN_SCORE_ALONE", 1.01)
    persons = [] if person is None else [(0, 0, 512, 600)]
    assert len(see(_hopper(), persons, person or 0.0).faces) == faces


def test_a_cat_has_no_face_even_where_the_detector_takes_it_for_a_person(see):
    cat = _read("skimage", "data/chelsea.png")
    height, width = cat.shape[:2]
    for view in (cat, cat[:, ::-1], cat[:, 60:360], cv2.resize(cat, (width // 2, height // 2))):
        picture = np.ascontiguousarray(view)
        assert see(picture).faces == ()
        assert see(picture, [(0, 0, picture.shape[1], picture.shape[0])]).faces == ()


def test_a_drawing_has_no_face_and_expression(see):
    # The photograph in 8 colours, its areas smoothed, is a drawing of the same face.
    smooth = cv2.bilateralFilter(_hopper(), 15, 80, 15)
    drawing = (cv2.medianBlur(smooth, 15) // 64) * 64 + 32
    box = (171 / 512, 146 / 600, 194 / 512, 194 / 600)
    assert is_drawn(drawing, box)
    assert not is_drawn(_hopper(), box)
    assert see(drawing, [(0, 0, 512, 600)]).faces == ()


def test_a_smile_is_joy(see):
    picture = _read("skimage", "data/astronaut.png")
    (face,) = see(picture, [(0, 0, 400, 512)]).faces
    assert expression(face.mesh.blendshapes).emotion == "joy"
    assert expression(face.mesh.blendshapes).confidence > 0.7


def test_two_people_with_overlapping_boxes_are_two(see):
    picture = _zidane()
    seen = see(picture, _ZIDANE)
    assert (seen.look, seen.persons) == ("crops", 2)
    straight, profile = seen.faces
    assert straight.box[2] * straight.box[3] >= profile.box[2] * profile.box[3]
    # The man on the right, head and box; he has turned to the picture's right and looks back to the left.
    assert _px(straight.box, picture) == pytest.approx([911, 138, 144, 144], abs=12)
    assert straight.mesh.yaw_deg > 5
    assert straight.mesh.gaze.offset_x < -0.05
    # The landmark model places nothing on a profile; the detector is sure of it.
    assert profile.mesh is None
    assert profile.score > 0.75
    # The pointing arm is the left man's left one. Both crops show it; it is one hand.
    (hand,) = seen.hands
    assert hand.handedness == "left"
    # It points to the right, which the classifier only knows of a hand that is turned up.
    assert hand.gesture == "pointing"
    assert hand.gesture_score > 0.6
    assert hand.direction == pytest.approx((0.96, -0.27), abs=0.06)
    x, y, w, h = _px(hand.box, picture)
    assert 950 < x + w / 2 < 1150
    assert 400 < y + h / 2 < 500
    # One body is seen in both crops, and is one.
    assert len(seen.poses) == 1


def test_bodies_and_hands_of_a_street_scene(see):
    picture = _bus()
    seen = see(picture, _BUS)
    assert [pose.posture for pose in seen.poses] == ["standing", "standing"]
    for pose, person in zip(seen.poses, _BUS, strict=True):
        left, _, width, height = _px(pose.box, picture)
        assert person[0] - 40 < left + width / 2 < person[0] + person[2] + 40
        assert height > 0.7 * person[3]
        assert pose.confidence > 0.8
    # The second man's left hand is at his shoulder, the right one at his hip: handedness agrees with his pose.
    his = [hand for hand in seen.hands if 200 < hand.box[0] * picture.shape[1] < 400]
    assert {hand.handedness for hand in his} == {"left", "right"}
    for hand in his:
        wrist = seen.poses[1].landmarks[15 if hand.handedness == "left" else 16, :2]
        assert (np.abs(hand.landmarks[0] - wrist) * (picture.shape[1], picture.shape[0])).max() < 25


def _drawn(gesture, background):
    """A drawn hand, 160 pixels large, on grey."""
    drawn = cv2.imread(str(_DATA / f"{gesture}.webp"), cv2.IMREAD_UNCHANGED)
    small = cv2.resize(drawn, (160, 160), interpolation=cv2.INTER_AREA).astype(np.float32)
    alpha = small[..., 3:] / 255
    picture = np.full((512, 512, 3), background, np.uint8)
    place = picture[176:336, 176:336]
    place[:] = (small[..., 2::-1] * alpha + place * (1 - alpha)).astype(np.uint8)
    return picture


@pytest.mark.parametrize(("turn", "direction"), [(1, (-1, 0)), (2, (0, 1)), (3, (1, 0))])
def test_a_finger_may_point_anywhere(see, turn, direction):
    (hand,) = see(np.ascontiguousarray(np.rot90(_drawn("pointing", 120), turn))).hands
    assert hand.gesture == "pointing"
    assert np.dot(hand.direction, direction) > 0.8


def test_only_so_many_bodies_are_looked_for(weights):
    picture = _bus()
    persons = [_persons([*_BUS, _BUS_BEHIND], picture)]
    counts = []
    for bodies in (0, 1, 3):
        with PeopleAnalyzer(weights, policy=LookPolicy(max_bodies=bodies)) as analyzer:
            (seen,) = analyzer.analyze(picture[None], np.zeros(1), np.zeros(1, np.int64), persons)
            counts.append((len(seen.faces), len(seen.poses)))
    assert counts == [(2, 0), (2, 1), (2, 3)]


@pytest.mark.parametrize("gesture", ["thumbs_up", "thumbs_down", "pointing", "open_palm", "closed_fist", "love"])
def test_drawn_hands_are_named(see, gesture):
    names = set()
    for background in (120, 255):
        for hand in see(_drawn(gesture, background)).hands:
            names.add(hand.gesture)
            if gesture == "pointing" and hand.gesture == "pointing":
                assert hand.direction[1] < -0.8  # it points upwards
                assert np.hypot(*hand.direction) == pytest.approx(1.0)
    assert gesture in names
    assert names <= {gesture, None}


def test_gesture_names_are_the_shared_ones_in_the_classifiers_order():
    from rumiai.contracts.lexicons import GESTURES as SHARED

    assert set(GESTURES) == set(LABELS) - {"None"}
    assert set(GESTURES.values()) <= set(SHARED)


def test_the_bundle_is_aligned_and_repeatable(weights):
    members = {"a.tflite": b"x" * 5, "longer_name.tflite": b"y" * 33}
    packed = stored_zip(members)
    assert stored_zip(members) == packed
    assert packed.index(b"xxxxx") % 16 == 0
    assert packed.index(b"yyyyy") % 16 == 0
    labelled = with_labels(weights("canned_gesture_classifier.tflite").read_bytes())
    assert "\n".join(LABELS).encode() in labelled
    with pytest.raises(WeightsError, match="no tflite"):
        with_labels(b"PK\3\4 not a model")
    with pytest.raises(WeightsError, match=r"output shape \[1, 128\], expected \[1, 8\]"):
        with_labels(weights("gesture_embedder.tflite").read_bytes())


def _run(analyzer, frames, persons, step_s=0.5, at_s=0.0):
    n = len(frames)
    given = None if persons is None else [_persons(boxes) for boxes in persons]
    return analyzer.analyze(np.stack(frames), at_s + np.arange(n) * step_s, np.arange(n), given)


def test_frames_without_anybody_are_looked_at_now_and_then(analyzer):
    empty = np.full((128, 96, 3), 60, np.uint8)
    analyzer.reset()
    looks = [seen.look for seen in _run(analyzer, [empty] * 9, [[]] * 9)]
    assert looks == ["whole", "gated", "gated", "gated", "whole", "gated", "gated", "gated", "whole"]
    # Time that goes backwards is another video.
    assert [seen.look for seen in _run(analyzer, [empty] * 2, [[]] * 2)] == ["whole", "gated"]


def test_a_cut_and_somebody_found_are_reasons_to_look(analyzer):
    empty, other = np.full((600, 512, 3), 60, np.uint8), np.full((600, 512, 3), 200, np.uint8)
    hopper = cv2.resize(_hopper(), (512, 600))
    analyzer.reset()
    frames = [empty, empty, other, other, hopper, hopper, empty, empty]
    seen = _run(analyzer, frames, [[]] * 8)
    assert [frame.look for frame in seen] == ["whole", "gated", "whole", "gated", "whole", "whole", "whole", "gated"]
    assert [len(frame.faces) for frame in seen] == [0, 0, 0, 0, 1, 1, 0, 0]
    assert [frame.persons for frame in seen] == [0] * 8


def test_frames_with_persons_are_always_looked_at(analyzer):
    empty = np.full((128, 96, 3), 60, np.uint8)
    analyzer.reset()
    seen = _run(analyzer, [empty] * 3, [[], [(0.1, 0.1, 0.5, 0.5)], []])
    assert [frame.look for frame in seen] == ["whole", "crops", "gated"]


def test_models_side_by_side_see_the_same(weights, see):
    with PeopleAnalyzer(weights, threads=3, policy=LookPolicy(max_persons=1)) as parallel:
        picture = _zidane()
        persons = [_persons(_ZIDANE[:1], picture)]
        there = parallel.analyze(picture[None], np.zeros(1), np.zeros(1, np.int64), persons)[0]
    here = see(picture, _ZIDANE[:1])
    assert there.faces == here.faces
    assert [hand.box for hand in there.hands] == [hand.box for hand in here.hands]
    assert [pose.box for pose in there.poses] == [pose.box for pose in here.poses]


def test_views_of_shared_memory_are_neither_written_nor_misread(analyzer):
    picture = cv2.resize(_hopper(), (512, 600))
    wide = np.zeros((1, 600, 700, 3), np.uint8)
    wide[0, :, 100:612] = picture
    wide.flags.writeable = False
    analyzer.reset()
    strided = analyzer.analyze(wide[:, :, 100:612], np.zeros(1), np.zeros(1, np.int64), None)[0]
    analyzer.reset()
    plain = analyzer.analyze(picture[None], np.zeros(1), np.zeros(1, np.int64), None)[0]
    assert strided.faces == plain.faces
    with pytest.raises(ValueError, match="contiguous"):
        image(wide[0, :, 100:612])


def test_wrong_input_is_named(analyzer):
    frame = np.zeros((1, 32, 32, 3), np.uint8)
    with pytest.raises(ValueError, match="expected uint8"):
        analyzer.analyze(frame.astype(np.float32), np.zeros(1), np.zeros(1, np.int64), None)
    with pytest.raises(ValueError, match=r"got \[1, 1, 2\] timestamps"):
        analyzer.analyze(frame, np.zeros(1), np.zeros(1, np.int64), [_persons([])] * 2)
    assert analyzer.analyze(frame[:0], np.zeros(0), np.zeros(0, np.int64), None) == []


def test_missing_and_broken_weights_are_named(weights, tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere.*fetch"):
        PeopleAnalyzer(lambda name: tmp_path / "nowhere" / name)
    broken = tmp_path / "face_landmarker.task"
    broken.write_bytes(b"no bundle")
    with pytest.raises(WeightsError, match="expected a bundle"):
        PeopleAnalyzer(lambda name: broken if name == broken.name else weights(name))
    pose = tmp_path / "pose_landmarker_full.task"
    pose.write_bytes(b"no model")
    with pytest.raises(WeightsError, match="PoseLandmarker"):
        PeopleAnalyzer(lambda name: pose if name == pose.name else weights(name))


_MAKE = """
import sys
from pathlib import Path
import numpy as np
from rumiai.errors import MLError
from rumiai.people import PeopleAnalyzer
root, picture = Path(sys.argv[1]), np.load(sys.argv[2])
try:
    with PeopleAnalyzer(lambda name: root / name) as analyzer:
        print(len(analyzer.analyze(picture[None], np.zeros(1), np.zeros(1, int), None)[0].faces))
except MLError as exc:
    print(exc)
"""


def _make(weights, tmp_path, environment=None):
    np.save(tmp_path / "picture.npy", _hopper())
    arguments = [
        sys.executable,
        "-c",
        _MAKE,
        str(weights("face_landmarker.task").parent),
        str(tmp_path / "picture.npy"),
    ]
    return subprocess.run(arguments, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_mediapipe_says_nothing_on_stderr(weights, tmp_path):
    # Matplotlib, which it imports, has notices of its own where it cannot keep its files.
    done = _make(weights, tmp_path, {**os.environ, "MPLCONFIGDIR": str(tmp_path)})
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "1", "")


def test_missing_graphics_libraries_name_the_packages(weights, tmp_path):
    # A file of that name that is no library stands for the absent one.
    (tmp_path / "libEGL.so.1").write_bytes(b"no library")
    done = _make(weights, tmp_path, {"LD_LIBRARY_PATH": str(tmp_path)})
    assert "libegl1 libgles2 libgl1" in done.stdout
    assert done.returncode == 0


def test_what_others_write_to_stderr_is_passed_on(capfd):
    with quiet_stderr():
        os.write(2, b"I0000 00:00:1 1 x.cc:1] a notice\nINFO: another\nours\n")
    assert capfd.readouterr().err == "ours\n"


def test_a_notice_of_any_run_is_kept_off_stderr(capfd):
    # Which run MediaPipe says that a tensor is not aligned in depends on addresses: any may be the one.
    assert run(lambda picture: os.write(2, b"W0000 00:00:1 1 x.cc:1] not aligned\n") and picture, "seen") == "seen"
    assert capfd.readouterr().err == ""


def test_stderr_is_back_after_the_last_of_overlapping_calls(capfd):
    with quiet_stderr():
        with quiet_stderr():
            os.write(2, b"I0000 00:00:1 1 x.cc:1] inner\n")
        os.write(2, b"I0000 00:00:1 1 x.cc:1] outer\nours\n")
    os.write(2, b"I0000 00:00:1 1 x.cc:1] after\n")
    assert capfd.readouterr().err == "ours\nI0000 00:00:1 1 x.cc:1] after\n"
