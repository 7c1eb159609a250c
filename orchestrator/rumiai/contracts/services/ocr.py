"""On-screen texts and stickers over time: the canonical data of the ``ocr`` service."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field, model_validator

from rumiai.contracts.services.base import (
    Box,
    Count,
    FrameNumber,
    Number,
    Seconds,
    ServiceData,
    ServiceMetadata,
    ServiceModel,
    Share,
    Text,
    interval_problem,
)
from rumiai.core.boxes import AnyBox

WATERMARK: Final = "watermark"


def position_of(box: AnyBox) -> str:
    """Where a box stands: ``top``, ``center`` or ``bottom`` by the third of the frame that holds its centre."""
    middle = box[1] + box[3] / 2
    return "top" if middle < 1 / 3 else "bottom" if middle > 2 / 3 else "center"


# Best recogniser confidence below which a script that is not known is suspected.
_UNREAD_BELOW: Final = 0.1


class TextSighting(ServiceModel):
    """A text on one frame; ``contrast`` is (95th - 5th percentile of the luminance in the box) / 255."""

    timestamp_s: Seconds
    frame_number: FrameNumber | None = None
    confidence: Number | None = None
    bbox: Box | None = None
    contrast: Number | None = None


class _Appearance(ServiceModel):
    """What is on screen from ``start_s`` to ``end_s``; equal where only one instant is known."""

    id: Text | None = None
    start_s: Seconds
    end_s: Seconds
    timestamp_s: Seconds | None = None
    bbox: Box

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> _Appearance:
        if problem := interval_problem(self.start_s, self.end_s, may_be_instant=True):
            raise problem
        return self

    @property
    def area(self) -> float:
        """Share of the frame that the box covers."""
        return self.bbox[2] * self.bbox[3]


class TextAnnotation(_Appearance):
    """One appearance of a text: the same text shown again later is another.

    Attributes:
        id: Unique in the video.
        text: Its surest reading.
        start_s: First sighting less half a sampling step.
        end_s: Last sighting and half a step.
        timestamp_s: First sighting.
        confidence: Of the surest reading, 0..1.
        bbox: Of the surest reading.
        position: ``top``, ``center``, ``bottom`` or ``unknown``.
        size: ``S``, ``M``, ``L`` or ``unknown``, by the box's height.
        category: ``watermark``, ``call_to_action``, ``header_text``, ``caption``, ``username``, ``hashtag`` or
            ``overlay_text``.
        sightings: By time.
    """

    text: Text
    confidence: Share
    position: Text | None = None
    size: Text | None = None
    category: Text | None = None
    sightings: tuple[TextSighting, ...] | None = None

    @property
    def is_watermark(self) -> bool:
        """Whether it is a platform's watermark: in no count and in no marker."""
        return self.category == WATERMARK


class Sticker(_Appearance):
    """A graphic that was put on the picture; ``type`` is ``sticker``, ``banner`` or ``graphic_overlay``."""

    type: Text | None = None
    confidence: Share | None = None


class OcrMetadata(ServiceMetadata):
    """``regions_detected`` counts lines however sure, ``best_confidence`` is that of the surest of them."""

    engine: Text | None = None
    languages: tuple[Text, ...] | None = None
    frames_extra: Count | None = None
    regions_detected: Count | None = None
    best_confidence: Number | None = None
    mean_confidence: Number | None = None
    unique_texts: Count | None = None
    stickers_detected: Count | None = None


class OcrData(ServiceData):
    """All texts and stickers of one video, by start."""

    service: ClassVar[str] = "ocr"

    texts: tuple[TextAnnotation, ...] = Field(validation_alias="textAnnotations", serialization_alias="textAnnotations")
    stickers: tuple[Sticker, ...]
    metadata: OcrMetadata

    @property
    def unsupported_script(self) -> bool:
        """Whether text was seen but nothing of it could be read: a script outside the OCR languages is suspected."""
        best = self.metadata.best_confidence
        return bool(self.metadata.regions_detected) and best is not None and best < _UNREAD_BELOW

    @property
    def found_confidences(self) -> list[float | None]:
        """Of texts and stickers; of a script that could not be read, that of the recogniser."""
        if self.unsupported_script:
            mean = self.metadata.mean_confidence
            return [self.metadata.best_confidence if mean is None else mean]
        return [*(text.confidence for text in self.texts), *(sticker.confidence for sticker in self.stickers)]
