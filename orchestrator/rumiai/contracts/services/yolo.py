"""Objects followed through their shots: the canonical data of the ``yolo`` service."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, ClassVar, Final

from pydantic import Field, model_validator

from rumiai.contracts.services.base import (
    Box,
    Count,
    Flag,
    FrameNumber,
    Name,
    Number,
    Seconds,
    ServiceData,
    ServiceMetadata,
    ServiceModel,
    Share,
    Text,
    broken,
)

# What COCO calls people.
PERSON: Final = "person"


class ObjectSighting(ServiceModel):
    """An object on one sampled frame; ``bbox`` is x, y, width, height in shares of the frame."""

    timestamp_s: Seconds
    frame_number: FrameNumber
    confidence: Share
    bbox: Box


Sightings = Annotated[tuple[ObjectSighting, ...], Field(min_length=1)]


class ObjectTrack(ServiceModel):
    """One object from its first to its last sighting in a shot.

    Attributes:
        track_id: Unique in the video; tracks fragment, so nothing is counted by it.
        class_name: COCO class.
        confidence: Mean over the sightings, 0..1.
        confirmed: Whether it was seen at least twice.
        first_seen_s: Seconds from the start.
        last_seen_s: Seconds from the start.
        frames: Its sightings by time, at least one.
    """

    track_id: Name = Field(validation_alias="trackId", serialization_alias="trackId")
    class_name: Name = Field(validation_alias="className", serialization_alias="className")
    confidence: Share
    confirmed: Flag | None = None
    first_seen_s: Seconds | None = None
    last_seen_s: Seconds | None = None
    frames: Sightings


class YoloMetadata(ServiceMetadata):
    """``objects_detected`` counts boxes, ``tracks`` counts tracks."""

    objects_detected: Count | None = None
    tracks: Count | None = None
    conf_threshold: Number | None = None
    iou_threshold: Number | None = None
    mode: Text | None = None


class YoloData(ServiceData):
    """All objects of one video; an empty list says that nothing was seen."""

    service: ClassVar[str] = "yolo"

    tracks: tuple[ObjectTrack, ...] = Field(
        validation_alias="objectAnnotations", serialization_alias="objectAnnotations"
    )
    metadata: YoloMetadata

    @model_validator(mode="after")
    def _one_track_per_id(self) -> YoloData:
        counts = Counter(track.track_id for track in self.tracks)
        if len(counts) < len(self.tracks):
            twice = [name for name, count in counts.items() if count > 1]
            raise broken(
                *(f"objectAnnotations: got trackId {name!r} twice, expected one track per id" for name in twice)
            )
        return self

    @property
    def found_at_s(self) -> list[float]:
        """Of every sighting of every track."""
        return [seen.timestamp_s for track in self.tracks for seen in track.frames]

    @property
    def found_confidences(self) -> list[float | None]:
        """Of every sighting of every track."""
        return [seen.confidence for track in self.tracks for seen in track.frames]
