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

# An object counts when the sightings of its track agree on what it is, are sure enough on average, and are at least
# two, or surer. Chosen on cut-out pictures of known things over photographs; docs/design/people.md.
AGREEMENT_FLOOR: Final = 0.7
TRACK_FLOOR: Final = 0.45
SINGLE_FLOOR: Final = 0.6


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
        agreement: Of all that was seen of this object, under whatever names, the share of the scores that speak for
            ``voted_class``, 0..1; None where the file does not tell.
        voted_class: The class with the most; None where the file does not tell: the track's own.
        confirmed: Whether it was seen at least twice.
        first_seen_s: Seconds from the start.
        last_seen_s: Seconds from the start.
        frames: Its sightings by time, at least one.
    """

    track_id: Name = Field(validation_alias="trackId", serialization_alias="trackId")
    class_name: Name = Field(validation_alias="className", serialization_alias="className")
    confidence: Share
    agreement: Share | None = None
    voted_class: Name | None = None
    confirmed: Flag | None = None
    first_seen_s: Seconds | None = None
    last_seen_s: Seconds | None = None
    frames: Sightings

    @property
    def counted_class(self) -> str:
        """The class that it counts as."""
        return self.voted_class or self.class_name

    @property
    def votes_agree(self) -> bool:
        """Whether the sightings agree on the class; older files hold one class a track."""
        return self.agreement is None or self.agreement >= AGREEMENT_FLOOR

    @property
    def counts(self) -> bool:
        """Whether it counts as an object: in counts, labels, tags and on the timeline. The others stay in the file."""
        floor = TRACK_FLOOR if len(self.frames) > 1 else SINGLE_FLOOR
        return self.votes_agree and self.confidence >= floor


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
    entry_types: ClassVar[tuple[str, ...]] = ("object",)

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
    def counted(self) -> tuple[ObjectTrack, ...]:
        """The tracks that count, in the file's order."""
        return tuple(track for track in self.tracks if track.counts)

    @property
    def found_confidences(self) -> list[float | None]:
        """Of every sighting of every track that counts."""
        return [seen.confidence for track in self.counted for seen in track.frames]
