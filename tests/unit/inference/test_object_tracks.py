"""Objects followed through shots: small cases by hand, and what must hold for any detections."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.frames import FrameDetections
from rumiai.contracts.tensors import COCO_NAMES
from rumiai.inference.object_tracks import DROP_AFTER_S, track_objects

PERSON, DOG = COCO_NAMES.index("person"), COCO_NAMES.index("dog")

Box = tuple[float, float, float, float]


def frame(t_s: float, *objects: tuple[int, float, Box]) -> FrameDetections:
    """A frame of a 30 fps video with (class, score, x y width height) objects."""
    return FrameDetections(
        timestamp_s=t_s,
        frame_number=round(t_s * 30),
        boxes=np.array([box for _, _, box in objects], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in objects], np.float32),
        class_ids=np.array([class_id for class_id, _, _ in objects], np.int32),
    )


def seen(tracks) -> list[list[float]]:
    return [[sighting.timestamp_s for sighting in track.sightings] for track in tracks]


BOX: Box = (0.4, 0.4, 0.2, 0.2)


def test_one_object_is_one_track():
    tracks = track_objects([frame(t / 2, (PERSON, 0.9, BOX)) for t in range(4)], [])
    assert seen(tracks) == [[0.0, 0.5, 1.0, 1.5]]


def test_a_track_survives_one_and_a_half_seconds_and_no_longer():
    def after(gap_s: float) -> int:
        return len(track_objects([frame(1.0, (PERSON, 0.9, BOX)), frame(1.0 + gap_s, (PERSON, 0.9, BOX))], []))

    assert DROP_AFTER_S == 1.5
    assert after(1.5) == 1
    assert after(1.6) == 2


def test_frames_without_objects_do_not_shorten_a_life_in_seconds():
    frames = [frame(0.0, (PERSON, 0.9, BOX)), *(frame(t / 10) for t in range(1, 15)), frame(1.5, (PERSON, 0.9, BOX))]
    assert seen(track_objects(frames, [])) == [[0.0, 1.5]]


def test_a_cut_ends_all_tracks_even_where_nothing_moved():
    frames = [frame(t / 2, (PERSON, 0.9, BOX)) for t in range(4)]
    assert seen(track_objects(frames, [1.0])) == [[0.0, 0.5], [1.0, 1.5]]
    assert seen(track_objects(frames, [0.75])) == [[0.0, 0.5], [1.0, 1.5]]
    assert seen(track_objects(frames, [1.0 + 1e-9])) == [[0.0, 0.5], [1.0, 1.5]]
    assert seen(track_objects(frames, [0.0, 9.0])) == [[0.0, 0.5, 1.0, 1.5]]


def test_classes_never_share_a_track():
    tracks = track_objects([frame(0.0, (PERSON, 0.9, BOX)), frame(0.5, (DOG, 0.9, BOX))], [])
    assert [(track.class_id, len(track.sightings)) for track in tracks] == [(PERSON, 1), (DOG, 1)]


def test_the_sure_detection_chooses_before_the_unsure_one_that_fits_better():
    # A box shifted by a quarter of its side overlaps by 0.6; the unsure one lies exactly on the old place.
    shifted = (0.45, 0.4, 0.2, 0.2)
    frames = [frame(0.0, (PERSON, 0.9, BOX)), frame(0.5, (PERSON, 0.4, BOX), (PERSON, 0.6, shifted))]
    tracks = track_objects(frames, [])
    assert seen(tracks) == [[0.0, 0.5], [0.5]]
    assert tracks[0].last.score == pytest.approx(0.6)


def test_an_unsure_detection_keeps_a_track_alive():
    frames = [frame(t / 2, (PERSON, score, BOX)) for t, score in enumerate((0.9, 0.3, 0.26, 0.9))]
    assert seen(track_objects(frames, [])) == [[0.0, 0.5, 1.0, 1.5]]


def test_the_assignment_is_the_best_in_total_and_not_the_best_first():
    # Tracks at x = 0.0 and 0.1, both 0.2 wide; detections at 0.08 and 0.16. Greedy would pair 0.1 with 0.08 (IoU 0.82)
    # and leave 0.0 with 0.16 (0.11): 0.93 in total. Straight it is 0.43 + 0.54 = 0.97.
    a, b = (0.0, 0.4, 0.2, 0.2), (0.1, 0.4, 0.2, 0.2)
    c, d = (0.08, 0.4, 0.2, 0.2), (0.16, 0.4, 0.2, 0.2)
    tracks = track_objects(
        [frame(0.0, (PERSON, 0.9, a), (PERSON, 0.8, b)), frame(0.5, (PERSON, 0.9, c), (PERSON, 0.8, d))], []
    )
    assert [round(track.last.box[0], 2) for track in tracks] == [0.08, 0.16]


def test_a_moving_object_is_looked_for_where_it_goes():
    # It is 0.1 wide and moves 0.07 a sample: after a sample without it, it has left its last place (IoU 0) but is
    # where its pace takes it.
    boxes = {0.0: 0.1, 0.5: 0.17, 1.5: 0.31}
    frames = [frame(t, (PERSON, 0.9, (x, 0.4, 0.1, 0.2))) for t, x in boxes.items()]
    assert seen(track_objects(frames, [])) == [[0.0, 0.5, 1.5]]


def test_the_order_of_frames_and_detections_does_not_matter():
    objects = [(PERSON, 0.9, BOX), (PERSON, 0.7, (0.1, 0.1, 0.1, 0.1)), (DOG, 0.4, (0.7, 0.7, 0.2, 0.2))]
    frames = [frame(t / 2, *objects) for t in range(3)]
    shuffled = [frame(t / 2, *reversed(objects)) for t in (2, 0, 1)]
    assert [t.sightings for t in track_objects(frames, [])] == [t.sightings for t in track_objects(shuffled, [])]


def test_two_frames_of_one_instant_are_refused():
    with pytest.raises(ValueError, match=r"two frames of 1\.0 s"):
        track_objects([frame(1.0), frame(1.0)], [])


unit = st.floats(0, 1, width=32)
detection = st.tuples(st.sampled_from([PERSON, DOG]), unit, st.tuples(unit, unit, unit, unit))
clips = st.dictionaries(st.integers(0, 20), st.lists(detection, max_size=5), max_size=10)


@settings(max_examples=100, deadline=None)
@given(clips, st.lists(st.floats(0, 10), max_size=3))
def test_every_detection_is_in_exactly_one_track(clip, cuts):
    frames = [frame(step / 2, *objects) for step, objects in clip.items()]
    tracks = track_objects(frames, cuts)
    given_ = sorted(
        (f.timestamp_s, int(c), float(s)) for f in frames for c, s in zip(f.class_ids, f.scores, strict=True)
    )
    assert sorted((s.timestamp_s, t.class_id, s.score) for t in tracks for s in t.sightings) == given_
    for track in tracks:
        times = [sighting.timestamp_s for sighting in track.sightings]
        gaps = np.diff(times)
        assert (gaps > 0).all()
        assert (gaps <= DROP_AFTER_S).all()
        assert not any(times[0] < cut <= times[-1] for cut in cuts)
