"""A sign of a person counts with a second one."""

from __future__ import annotations

import pytest

from rumiai.contracts.persons import counted_persons, counted_poses, witnesses_of
from rumiai.contracts.services.people import Face, PeopleData, PeopleMetadata, Pose
from rumiai.contracts.services.yolo import ObjectSighting, ObjectTrack, YoloData, YoloMetadata

BODY = (0.2, 0.1, 0.5, 0.8)
ELSEWHERE = (0.8, 0.8, 0.1, 0.1)
HEAD = (0.4, 0.15, 0.1, 0.1)


def pose(time_s=0.0, box=BODY, witness=None):
    return Pose(timestamp_s=time_s, bbox=box, witness=witness)


def face(time_s=0.0, box=HEAD):
    return Face(timestamp_s=time_s, bbox=box, confidence=0.9)


def person(*scores, box=BODY, agreement=1.0, first_s=0.0):
    frames = tuple(
        ObjectSighting(timestamp_s=first_s + i / 2, frame_number=15 * i, confidence=score, bbox=box)
        for i, score in enumerate(scores)
    )
    track = ObjectTrack(
        track_id="object_1",
        class_name="person",
        confidence=sum(scores) / len(scores),
        agreement=agreement,
        voted_class="person",
        frames=frames,
    )
    return YoloData(tracks=(track,), metadata=YoloMetadata(processed=True))


@pytest.mark.parametrize(
    ("faces", "objects", "witness"),
    [
        ([], None, "none"),  # a body alone: a spoon has one too
        ([face()], None, "face"),
        ([face(box=ELSEWHERE)], None, "none"),
        ([face(time_s=0.5)], None, "none"),
        ([], person(0.5), "person"),
        ([], person(0.49), "none"),  # the object detector takes a log for a person with that
        ([], person(0.46, 0.46), "person"),  # unsure, but over a time
        ([], person(0.8, 0.8, agreement=0.6), "none"),  # it was called a dog as well
        ([], person(0.9, box=ELSEWHERE), "none"),
    ],
)
def test_a_body_needs_a_second_witness(faces, objects, witness):
    assert witnesses_of([pose()], faces, objects) == (witness,)


def test_a_body_that_turns_away_is_vouched_for_by_itself():
    poses = [pose(0.0), pose(1.0), pose(2.0), pose(2.5, ELSEWHERE)]
    assert witnesses_of(poses, [face(1.0)], None) == ("track", "face", "track", "none")
    assert witnesses_of(poses, [face(1.0)], None, cuts_s=[1.5]) == ("track", "face", "none", "none")
    assert witnesses_of([pose(0.0), pose(1.6)], [face(0.0)], None) == ("face", "none")


def test_an_unsure_person_counts_with_a_face():
    assert counted_persons(person(0.3), []) == ()
    assert len(counted_persons(person(0.3), [face()])) == 1
    assert counted_persons(person(0.3), [face(box=ELSEWHERE)]) == ()
    assert counted_persons(None, [face()]) == ()


def test_only_the_sure_sightings_of_an_unsure_track_count():
    sightings = counted_persons(person(0.3, 0.55, 0.3), [])
    assert [seen.confidence for seen in sightings] == [0.55]


def test_bodies_of_older_files_are_judged_when_they_are_read():
    def data(*poses):
        metadata = PeopleMetadata(processed=True)
        return PeopleData(poses=poses, faces=(), hands=(), gestures=(), metadata=metadata)

    assert counted_poses(data(pose()), None) == ()
    assert counted_poses(data(pose()), person(0.9)) == (pose(),)
    told = data(pose(witness="none"), pose(witness="track"))
    assert counted_poses(told, person(0.9)) == (pose(witness="track"),)
