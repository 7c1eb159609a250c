"""Detections of single frames -> objects followed through a shot -> the canonical ``yolo`` data.

The method is ByteTrack (Zhang et al., 2022, "ByteTrack: Multi-Object Tracking by Associating Every Detection Box").
Sure detections are matched with the tracks first, unsure ones with the tracks that are left. Both steps choose the
assignment of greatest total overlap. A track ends at a cut. It is written here because frames come at 2 a second: its
limits are in seconds, while the libraries count frames, lose the first sighting of a track and mix the classes.

Tracks fragment at 2 frames a second (19 on a clip that has 10 at 10 a second), so no metric may count objects by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from rumiai.contracts.frames import FrameDetections, Sampling
from rumiai.contracts.services.yolo import ObjectSighting, ObjectTrack, YoloData, YoloMetadata
from rumiai.contracts.tensors import COCO_NAMES
from rumiai.core.arrays import Floats
from rumiai.core.boxes import Box, centre, iou_matrix, to_corners
from rumiai.errors import ContractError
from rumiai.inference.yolo import DetectionParams

# A track not seen for longer than this has ended.
DROP_AFTER_S: Final = 1.5
# Sightings that confirm a track.
CONFIRM_HITS: Final = 2
# A detection with at least this score is sure: it is matched before the others.
SURE_SCORE: Final = 0.5
# Least overlap of a detection with a track; low, because objects move far in half a second.
MIN_IOU: Final = 0.1
# Timestamps that differ by less are the same instant.
_SAME_INSTANT_S: Final = 1e-6
# What the file of the service keeps of a score and of an instant.
_TIME_DIGITS: Final = 6
_SCORE_DIGITS: Final = 4
PERSON: Final = COCO_NAMES.index("person")


@dataclass(frozen=True)
class Sighting:
    """One detection: when, how sure, and where (normalised)."""

    timestamp_s: float
    frame_number: int
    score: float
    box: Box


@dataclass(eq=False)
class LinkedObject:
    """One object followed over frames of one shot.

    Attributes:
        class_id: Index into ``COCO_NAMES``; the same for all sightings.
        sightings: At least one, by time.
    """

    class_id: int
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def last(self) -> Sighting:
        """The newest sighting."""
        return self.sightings[-1]

    def guesses(self, t_s: float) -> Floats:
        """Two guesses of where the object is at ``t_s``, (2, 4) boxes: it stands still, or keeps its velocity."""
        here = np.array(self.last.box)
        if len(self.sightings) < 2:
            return np.stack((here, here))
        before = self.sightings[-2]
        pace = (t_s - self.last.timestamp_s) / (self.last.timestamp_s - before.timestamp_s)
        shift = np.subtract(centre(self.last.box), centre(before.box)) * pace
        return np.stack((here, here + np.array([*shift, 0.0, 0.0])))


def track_objects(frames: Sequence[FrameDetections], cuts_s: Sequence[float]) -> list[LinkedObject]:
    """Follow objects from frame to frame.

    Args:
        frames: The sampled frames, in any order, no two of one instant.
        cuts_s: Instant of the first frame of each new shot.

    Returns:
        Tracks by first sighting, then by score; every detection is in exactly one of them. Empty input gives none.

    Raises:
        ValueError: Two frames of one instant.
    """
    ordered = sorted(frames, key=lambda frame: frame.timestamp_s)
    cuts = np.sort(np.asarray(cuts_s, np.float64))
    finished: list[LinkedObject] = []
    alive: list[LinkedObject] = []
    before_s = -np.inf
    for frame in ordered:
        t_s = frame.timestamp_s
        if t_s - before_s < _SAME_INSTANT_S:
            raise ValueError(f"got two frames of {t_s} s, expected one")
        is_new_shot = bool(((cuts > before_s + _SAME_INSTANT_S) & (cuts <= t_s + _SAME_INSTANT_S)).any())
        oldest_s = t_s if is_new_shot else t_s - DROP_AFTER_S - _SAME_INSTANT_S
        kept = [track for track in alive if track.last.timestamp_s >= oldest_s]
        finished += [track for track in alive if track not in kept]
        alive = _advance(kept, frame)
        before_s = t_s
    return sorted(finished + alive, key=_first_then_sure)


def _first_then_sure(track: LinkedObject) -> tuple[float, float, int, Box]:
    first = track.sightings[0]
    return (first.timestamp_s, -first.score, track.class_id, first.box)


def _advance(alive: list[LinkedObject], frame: FrameDetections) -> list[LinkedObject]:
    """Give each detection of a frame to a track, an old one or a new one; returns all of them."""
    tracks = list(alive)
    boxes = frame.boxes.astype(np.float64)
    for class_id in sorted(set(frame.class_ids.tolist())):
        of_class = np.flatnonzero(frame.class_ids == class_id)
        is_sure = frame.scores[of_class] >= SURE_SCORE
        free = [track for track in alive if track.class_id == class_id]
        for stage in (of_class[is_sure], of_class[~is_sure]):
            taken = _match(free, boxes[stage], frame.timestamp_s)
            for position, index in enumerate(stage):
                track = taken.get(position)
                if track is None:
                    track = LinkedObject(class_id)
                    tracks.append(track)
                x, y, width, height = (float(value) for value in boxes[index])
                score = float(frame.scores[index])
                track.sightings.append(Sighting(frame.timestamp_s, frame.frame_number, score, (x, y, width, height)))
            free = [track for track in free if track not in taken.values()]
    return tracks


def _match(tracks: list[LinkedObject], boxes: Floats, t_s: float) -> dict[int, LinkedObject]:
    """The assignment of detections (rows of ``boxes``) to tracks with the greatest total overlap."""
    if not tracks or not len(boxes):
        return {}
    guesses = np.stack([track.guesses(t_s) for track in tracks])
    overlap = np.maximum(iou_matrix(guesses[:, 0], boxes), iou_matrix(guesses[:, 1], boxes))
    rows, columns = linear_sum_assignment(np.where(overlap >= MIN_IOU, overlap, 0.0), maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {column: tracks[row] for row, column in pairs if overlap[row, column] >= MIN_IOU}


def assemble_objects(
    frames: Sequence[FrameDetections],
    cuts_s: Sequence[float],
    sampling: Sampling,
    *,
    model: str,
    params: DetectionParams,
    device: str | None = None,
) -> YoloData:
    """The data of the service ``yolo``.

    Args:
        frames: Every sampled frame that the detector saw, also those without objects.
        cuts_s: As of ``track_objects``.
        sampling: The grid they were sampled on.
        model: Which model detected them.
        params: What it was asked.
        device: Where it ran; None when that is not known.

    Returns:
        Tracks numbered by first sighting, and the metadata. Empty input gives no tracks.
    """
    tracks = track_objects(frames, cuts_s)
    observed = tuple(sorted(round(frame.timestamp_s, 6) for frame in frames))
    metadata = YoloMetadata(
        **sampling.metadata(len(frames)),
        model=model,
        device=device,
        objects_detected=sum(len(track.sightings) for track in tracks),
        tracks=len(tracks),
        conf_threshold=params.conf,
        iou_threshold=params.iou,
        mode=params.mode,
    )
    found = tuple(_track(i, track) for i, track in enumerate(tracks, start=1))
    return YoloData(tracks=found, metadata=metadata, observed=observed)


def as_told(found: FrameDetections) -> FrameDetections:
    """A frame's detections in the order and with the digits that the file of the service gives them back with."""
    rows = zip(found.scores.tolist(), found.class_ids.tolist(), found.boxes.astype(np.float64).tolist(), strict=True)
    told = [(round(score, _SCORE_DIGITS), class_id, _bbox((x, y, w, h))) for score, class_id, (x, y, w, h) in rows]
    return _ordered(round(found.timestamp_s, _TIME_DIGITS), found.frame_number, told)


def detections_of(data: YoloData) -> list[FrameDetections]:
    """What the service's data says of each frame with an object, by time: the same as :func:`as_told` of that frame.

    Raises:
        ContractError: A class is not one of COCO's.
    """
    numbers = {name: class_id for class_id, name in enumerate(COCO_NAMES)}
    frames: dict[tuple[float, int], list[tuple[float, int, Box]]] = {}
    for track in data.tracks:
        class_id = numbers.get(track.class_name)
        if class_id is None:
            raise ContractError(f"{track.track_id}: got class {track.class_name!r}, expected one of COCO's")
        for seen in track.frames:
            row = (seen.confidence, class_id, seen.bbox)
            frames.setdefault((seen.timestamp_s, seen.frame_number), []).append(row)
    return [_ordered(time_s, number, rows) for (time_s, number), rows in sorted(frames.items())]


def persons_of(found: FrameDetections) -> FrameDetections:
    """The persons among a frame's detections."""
    chosen = found.class_ids == PERSON
    return replace(found, boxes=found.boxes[chosen], scores=found.scores[chosen], class_ids=found.class_ids[chosen])


def _ordered(timestamp_s: float, frame_number: int, rows: list[tuple[float, int, Box]]) -> FrameDetections:
    rows = sorted(rows, key=lambda row: (-row[0], *row[1:]))
    return FrameDetections(
        timestamp_s=timestamp_s,
        frame_number=frame_number,
        boxes=np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        scores=np.array([score for score, _, _ in rows], np.float32),
        class_ids=np.array([class_id for _, class_id, _ in rows], np.int32),
    )


def _track(number: int, track: LinkedObject) -> ObjectTrack:
    return ObjectTrack(
        track_id=f"object_{number}",
        class_name=COCO_NAMES[track.class_id],
        confidence=round(sum(sighting.score for sighting in track.sightings) / len(track.sightings), 4),
        confirmed=len(track.sightings) >= CONFIRM_HITS,
        first_seen_s=round(track.sightings[0].timestamp_s, _TIME_DIGITS),
        last_seen_s=round(track.last.timestamp_s, _TIME_DIGITS),
        frames=tuple(
            ObjectSighting(
                timestamp_s=round(sighting.timestamp_s, _TIME_DIGITS),
                frame_number=sighting.frame_number,
                confidence=round(sighting.score, _SCORE_DIGITS),
                bbox=_bbox(sighting.box),
            )
            for sighting in track.sightings
        ),
    )


def _bbox(box: Box) -> Box:
    # Corners are rounded before the sides are taken, so that x + width never rounds to more than 1.
    x1, y1, x2, y2 = (round(min(max(value, 0.0), 1.0), 5) for value in to_corners(box)[0].tolist())
    return x1, y1, round(x2 - x1, 5), round(y2 - y1, 5)
