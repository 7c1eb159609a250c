"""Detections of single frames -> objects of one class followed through a shot.

The method is ByteTrack (Zhang et al., 2022, "ByteTrack: Multi-Object Tracking by Associating Every Detection Box").
Sure detections are matched with the tracks first, unsure ones with the tracks that are left. Both steps choose the
assignment of greatest total overlap. A track ends at a cut. It is written here because frames come at 2 a second: its
limits are in seconds, while the libraries count frames, lose the first sighting of a track and mix the classes.

Tracks fragment at 2 frames a second (19 on a clip that has 10 at 10 a second), so no metric may count objects by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from rumiai.contracts.frames import FrameDetections
from rumiai.core.arrays import Floats
from rumiai.core.boxes import Box, centre, iou_matrix

# A track not seen for longer than this has ended.
DROP_AFTER_S: Final = 1.5
# A detection with at least this score is sure: it is matched before the others.
SURE_SCORE: Final = 0.5
# Least overlap of a detection with a track; low, because objects move far in half a second.
MIN_IOU: Final = 0.1
# Timestamps that differ by less are the same instant.
_SAME_INSTANT_S: Final = 1e-6


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
