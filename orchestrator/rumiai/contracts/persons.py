"""When a person counts: a sign of a person (a body, an unsure box) needs a second one.

The pose model places a body on a spoon, a log or a dog with full confidence, and the object detector takes animals for
persons with up to 0.5. So a body counts with a face on it, with a person's box that counts, or as the same body a
moment later or earlier. A person's box counts when its track does (:attr:`ObjectTrack.counts`), when it is sure by
itself and the votes agree, or when it holds a face. docs/design/people.md has the figures.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from rumiai.contracts.services.people import Face, PeopleData, Pose
from rumiai.contracts.services.yolo import PERSON, ObjectSighting, ObjectTrack, YoloData
from rumiai.core.boxes import Box, centre, iou, overlap_of_smaller

# What vouches for a body; ``none`` is a body that does not count.
Witness = Literal["face", "person", "track", "none"]

# A person's box that is sure by itself.
SURE_PERSON: Final = 0.5
# A body and a person's box are of one person when they share this much of their union or of the smaller one.
_SAME_IOU: Final = 0.3
_SAME_OF_SMALLER: Final = 0.7
# The same body in another sample: how far away in time, and how far it overlaps.
_SOON_S: Final = 1.5
_SAME_BODY_IOU: Final = 0.5


def counted_persons(objects: YoloData | None, faces: Iterable[Face]) -> tuple[ObjectSighting, ...]:
    """The person boxes that count, by track and time; empty without objects.

    Args:
        objects: Of the video; None when the detector has no data.
        faces: The faces of the video.
    """
    centres: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for face in faces:
        if face.bbox is not None:
            centres[_instant(face.timestamp_s)].append(centre(face.bbox))
    tracks = [] if objects is None else [track for track in objects.tracks if track.counted_class == PERSON]
    return tuple(
        seen
        for track in tracks
        for seen in track.frames
        if _is_sure(track, seen) or any(_holds(seen.bbox, point) for point in centres[_instant(seen.timestamp_s)])
    )


def _is_sure(track: ObjectTrack, seen: ObjectSighting) -> bool:
    return track.counts or (track.votes_agree and seen.confidence >= SURE_PERSON)


def witnesses_of(
    poses: Sequence[Pose], faces: Iterable[Face], objects: YoloData | None, cuts_s: Sequence[float] = ()
) -> tuple[Witness, ...]:
    """What vouches for each body, in the order of ``poses``; a body without a box has none.

    Args:
        poses: The bodies of a video.
        faces: Its faces.
        objects: Its objects; None when the detector has no data: then faces alone vouch.
        cuts_s: Instants of new shots, ascending: a body vouches for none beyond them.
    """
    faces = tuple(faces)
    face_boxes = _by_instant((face.timestamp_s, face.bbox) for face in faces)
    person_boxes = _by_instant((seen.timestamp_s, seen.bbox) for seen in counted_persons(objects, faces))
    now = [_witness_now(pose, face_boxes, person_boxes) for pose in poses]
    vouched = sorted(
        ((p.timestamp_s, p.bbox) for p, w in zip(poses, now, strict=True) if w != "none" and p.bbox is not None),
        key=lambda item: item[0],
    )
    return tuple(
        "track" if witness == "none" and _is_seen_again(pose, vouched, cuts_s) else witness
        for pose, witness in zip(poses, now, strict=True)
    )


def counted_poses(people: PeopleData, objects: YoloData | None) -> tuple[Pose, ...]:
    """The bodies that count, by the file where it tells (older ones do not), else by :func:`witnesses_of`."""
    found = witnesses_of(people.poses, people.faces, objects)
    told = (pose.witness or witness for pose, witness in zip(people.poses, found, strict=True))
    return tuple(pose for pose, witness in zip(people.poses, told, strict=True) if witness != "none")


Boxes = Mapping[float, Sequence[Box]]


def _by_instant(items: Iterable[tuple[float, Box | None]]) -> Boxes:
    found: dict[float, list[Box]] = defaultdict(list)
    for time_s, box in items:
        if box is not None:
            found[_instant(time_s)].append(box)
    return found


def _instant(time_s: float) -> float:
    """Services round the time of one frame to four or six decimals."""
    return round(time_s, 3)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box[0] <= point[0] <= box[0] + box[2] and box[1] <= point[1] <= box[1] + box[3]


def _witness_now(pose: Pose, faces: Boxes, persons: Boxes) -> Witness:
    body = pose.bbox
    if body is None:
        return "none"
    at = _instant(pose.timestamp_s)
    if any(_holds(body, centre(face)) for face in faces.get(at, ())):
        return "face"
    return "person" if any(_are_one(body, person) for person in persons.get(at, ())) else "none"


def _are_one(body: Box, person: Box) -> bool:
    return iou(body, person) >= _SAME_IOU or overlap_of_smaller(body, person) >= _SAME_OF_SMALLER


def _is_seen_again(pose: Pose, vouched: Sequence[tuple[float, Box]], cuts_s: Sequence[float]) -> bool:
    body, at_s = pose.bbox, pose.timestamp_s
    if body is None:
        return False
    first = bisect_left(vouched, at_s - _SOON_S, key=lambda item: item[0])
    for time_s, box in vouched[first:]:
        if time_s > at_s + _SOON_S:
            return False
        low_s, high_s = sorted((time_s, at_s))
        if iou(body, box) >= _SAME_BODY_IOU and not any(low_s < cut_s <= high_s for cut_s in cuts_s):
            return True
    return False
