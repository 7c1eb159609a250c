"""On-screen texts and stickers over time: the canonical data of the ``ocr`` service."""

from __future__ import annotations

from statistics import median
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from rumiai.contracts.services.base import (
    Box,
    Count,
    Expected,
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
from rumiai.core.scripts import script_of_language

WATERMARK: Final = "watermark"
# Laid over the picture, filmed with it, or not to be told.
TextKind = Annotated[Literal["overlay", "scene", "unknown"], Expected("overlay, scene or unknown")]


def position_of(box: AnyBox) -> str:
    """Where a box stands: ``top``, ``center`` or ``bottom`` by the third of the frame that holds its centre."""
    middle = box[1] + box[3] / 2
    return "top" if middle < 1 / 3 else "bottom" if middle > 2 / 3 else "center"


# From this probability of its script on, and this long, a region surely holds writing: textures look like some script
# for a frame. Of the language that is spoken less is enough.
_SURE_SCRIPT: Final = 0.6
_SURE_S: Final = 1.0
_SPOKEN_SCRIPT: Final = 0.3


class TextSighting(ServiceModel):
    """A text on one frame; ``contrast`` is (95th - 5th percentile of the luminance in the box) / 255."""

    timestamp_s: Seconds
    frame_number: FrameNumber | None = None
    confidence: Number | None = None
    bbox: Box | None = None
    contrast: Number | None = None


class CaptionLine(ServiceModel):
    """One line of a caption; the height of its box is that of its letters, so that emphasis by size can be told."""

    text: Text
    bbox: Box


class CaptionWord(ServiceModel):
    """A word of a caption that is typed or revealed, and when it came."""

    text: Text
    start_s: Seconds


class KindCue(ServiceModel):
    """One cue of a text's kind.

    Attributes:
        name: Of the cue; docs/design/ocr.md lists them.
        value: As measured, in the cue's own unit.
        log_odds: What it added to the log odds of an overlay.
    """

    name: Text
    value: Number
    log_odds: Number


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
    """One appearance of a caption, with all its lines: the same text shown again later is another.

    A watermark is one for the whole video, wherever it goes.

    Attributes:
        id: Unique in the video.
        text: What its lines say, one after another with a blank between; each by a vote of its readings.
        start_s: Its first frame. Of small print, and in older files, the first sighting less half a sampling step.
        end_s: The frame after its last, or the last sighting and half a step.
        timestamp_s: First sighting.
        confidence: Of the reading, 0..1; of several lines the mean by their lengths.
        bbox: Around all of it.
        position: ``top``, ``center``, ``bottom`` or ``unknown``.
        size: ``S``, ``M``, ``L`` or ``unknown``, by the height of its lines.
        category: ``watermark``, ``call_to_action``, ``header_text``, ``caption``, ``username``, ``hashtag`` or
            ``overlay_text``.
        lines: From top to bottom; None in files of versions that did not tell.
        words: When each word came, of a caption that is typed or revealed; None when all came together.
        sightings: By time; the box of each is around all lines that were seen.
        kind: ``overlay`` was laid over the picture, ``scene`` was filmed with it, ``unknown`` is too close to call;
            None where it was not looked for, as in results of older versions.
        kind_probability: Of the kind; of ``unknown``, of the likelier of the two others.
        kind_evidence: The cues that were there, the weightiest first.
    """

    text: Text
    confidence: Share
    position: Text | None = None
    size: Text | None = None
    category: Text | None = None
    lines: tuple[CaptionLine, ...] | None = None
    words: tuple[CaptionWord, ...] | None = None
    sightings: tuple[TextSighting, ...] | None = None
    kind: TextKind | None = None
    kind_probability: Share | None = None
    kind_evidence: tuple[KindCue, ...] | None = None

    @property
    def line_height(self) -> float:
        """Height of a line of it, as a share of the frame's; of the whole box where the lines are not told."""
        return median(line.bbox[3] for line in self.lines) if self.lines else self.bbox[3]

    @property
    def is_watermark(self) -> bool:
        """Whether it is a platform's watermark: in no count and in no marker."""
        return self.category == WATERMARK

    @property
    def is_overlay(self) -> bool:
        """Whether it counts as laid over the picture: no watermark, and an overlay or of a kind that is not told."""
        return not self.is_watermark and self.kind in ("overlay", None)

    @property
    def is_scene(self) -> bool:
        """Whether it is writing in the scene; a watermark never is."""
        return not self.is_watermark and self.kind == "scene"

    @property
    def is_unknown(self) -> bool:
        """Whether it counts neither as an overlay nor as writing in the scene."""
        return not self.is_watermark and self.kind == "unknown"


class Sticker(_Appearance):
    """A graphic that was put on the picture; ``type`` is ``sticker``, ``banner`` or ``graphic_overlay``."""

    type: Text | None = None
    confidence: Share | None = None


class UnreadText(ServiceModel):
    """Writing that was seen and could not be read, while it stood at one place.

    Attributes:
        start_s: First sighting less half a sampling step.
        end_s: Last sighting and half a step.
        bbox: Of the first sighting.
        script_guess: In which it is probably written: one of ``tensors.SCRIPTS``.
        script_score: Probability of that script over all sightings, 0..1.
    """

    start_s: Seconds
    end_s: Seconds
    bbox: Box
    script_guess: Text
    script_score: Share | None = None

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> UnreadText:
        if problem := interval_problem(self.start_s, self.end_s, may_be_instant=True):
            raise problem
        return self

    def is_writing(self, language: str | None = None) -> bool:
        """Whether it surely holds writing: its script is sure for long enough, or that of the spoken language."""
        score = 1.0 if self.script_score is None else self.script_score
        if language is not None and self.script_guess == script_of_language(language):
            return score >= _SPOKEN_SCRIPT
        return score >= _SURE_SCRIPT and self.end_s - self.start_s >= _SURE_S


class OcrMetadata(ServiceMetadata):
    """``regions_detected`` counts lines however sure, ``best_confidence`` is that of the surest of them.

    ``overlay_texts``, ``scene_texts`` and ``unknown_texts`` count the texts of each kind; watermarks are in none.
    """

    engine: Text | None = None
    languages: tuple[Text, ...] | None = None
    frames_extra: Count | None = None
    regions_detected: Count | None = None
    unread_detected: Count | None = None
    best_confidence: Number | None = None
    mean_confidence: Number | None = None
    unique_texts: Count | None = None
    stickers_detected: Count | None = None
    overlay_texts: Count | None = None
    scene_texts: Count | None = None
    unknown_texts: Count | None = None


class OcrData(ServiceData):
    """All texts and stickers of one video, by start; ``unread`` is None in files of versions that did not tell."""

    service: ClassVar[str] = "ocr"
    entry_types: ClassVar[tuple[str, ...]] = ("text", "sticker")

    texts: tuple[TextAnnotation, ...] = Field(validation_alias="textAnnotations", serialization_alias="textAnnotations")
    stickers: tuple[Sticker, ...]
    unread: tuple[UnreadText, ...] | None = None
    metadata: OcrMetadata

    @property
    def overlays(self) -> tuple[TextAnnotation, ...]:
        """The texts that count as laid over the picture."""
        return tuple(text for text in self.texts if text.is_overlay)

    @property
    def kind_remarks(self) -> tuple[str, ...]:
        """What is not known of the kinds of the texts; () when all are known."""
        unknown = sum(text.is_unknown for text in self.texts)
        untold = sum(text.kind is None and not text.is_watermark for text in self.texts)
        return tuple(
            remark
            for count, remark in (
                (unknown, f"text_kind_unknown: {unknown} of {len(self.texts)} texts count in neither kind"),
                (untold, f"text_kind_not_told: {untold} of {len(self.texts)} texts count as overlays"),
            )
            if count
        )

    def unread_writing(self, language: str | None = None) -> tuple[UnreadText, ...]:
        """What surely is writing and could not be read.

        Args:
            language: ISO code of the language that is spoken; None where it is unknown.
        """
        return tuple(item for item in self.unread or () if item.is_writing(language))

    @property
    def found_at_s(self) -> list[float]:
        """Of every sighting of a text, and of the stickers."""
        seen = [sighting.timestamp_s for text in self.texts for sighting in text.sightings or ()]
        return seen + [item.timestamp_s for item in self.stickers if item.timestamp_s is not None]

    @property
    def found_confidences(self) -> list[float | None]:
        """Of texts and stickers; 0 of writing that could not be read."""
        unread = [0.0] * len(self.unread_writing())
        return [*(text.confidence for text in self.texts), *(sticker.confidence for sticker in self.stickers), *unread]
