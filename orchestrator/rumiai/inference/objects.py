"""The canonical ``yolo`` data from the detections of a video's frames, and the detections that it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from rumiai.contracts.frames import FrameDetections, Sampling
from rumiai.contracts.services.yolo import PERSON, ObjectSighting, ObjectTrack, YoloData, YoloMetadata
from rumiai.contracts.tensors import COCO_NAMES
from rumiai.core.boxes import Box, to_corners
from rumiai.errors import ContractError
from rumiai.inference.object_tracks import LinkedObject, track_objects
from rumiai.inference.object_votes import Vote, votes_of
from rumiai.inference.yolo import DetectionParams

# Sightings that confirm a track.
CONFIRM_HITS: Final = 2
# What the file of the service keeps of a score and of an instant.
_TIME_DIGITS: Final = 6
_SCORE_DIGITS: Final = 4
_PERSON_ID: Final = COCO_NAMES.index(PERSON)


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
    votes = votes_of(tracks, cuts_s)
    observed = tuple(sorted(round(frame.timestamp_s, _TIME_DIGITS) for frame in frames))
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
    told = (_track(i, track, vote) for i, (track, vote) in enumerate(zip(tracks, votes, strict=True), start=1))
    return YoloData(tracks=tuple(told), metadata=metadata, observed=observed)


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
    chosen = found.class_ids == _PERSON_ID
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


def _track(number: int, track: LinkedObject, vote: Vote) -> ObjectTrack:
    return ObjectTrack(
        track_id=f"object_{number}",
        class_name=COCO_NAMES[track.class_id],
        confidence=round(sum(sighting.score for sighting in track.sightings) / len(track.sightings), 4),
        agreement=round(vote.agreement, 4),
        voted_class=COCO_NAMES[vote.class_id],
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
