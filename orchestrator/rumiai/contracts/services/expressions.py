"""What the main face of each frame shows: the canonical data of the ``emotion_detection`` service."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from rumiai.contracts.lexicons import EMOTIONS
from rumiai.contracts.services.base import (
    Box,
    Count,
    Expected,
    Flag,
    FrameNumber,
    Number,
    Seconds,
    ServiceData,
    ServiceMetadata,
    ServiceModel,
    Share,
    Text,
)

Emotion = Annotated[
    Literal["joy", "sadness", "anger", "fear", "surprise", "disgust", "neutral"],
    Expected(f"one of {', '.join(EMOTIONS)}"),
]
# FACS numbers its action units so.
ActionUnit = Annotated[int, Strict(), Field(ge=1, le=45), Expected("numbers 1..45")]


class EmotionSample(ServiceModel):
    """One face's emotion on one frame.

    Attributes:
        timestamp_s: Of the frame.
        frame_number: Index in the source stream.
        emotion: The strongest of the seven.
        confidence: Its score, 0..1; None when unknown.
        all_scores: Emotion -> score.
        action_units: Active FACS units.
        au_intensities: Unit -> 0..1.
        face_bbox: Where the face is.
        face_confidence: Of the face's detection.
        face_index: Its place among the frame's faces.
        valence: -1..1, the scores weighed by how pleasant each emotion is.
        source: Of this sample, where samples differ.
    """

    timestamp_s: Seconds
    frame_number: FrameNumber | None = None
    emotion: Emotion
    confidence: Share | None = None
    all_scores: dict[str, Number | None] | None = None
    action_units: tuple[ActionUnit, ...] | None = None
    au_intensities: dict[str, Share] | None = None
    face_bbox: Box | None = None
    face_confidence: Number | None = None
    face_index: Count | None = None
    valence: Number | None = None
    source: Text | None = None


class EmotionTransition(ServiceModel):
    """The main face's emotion changes at ``timestamp_s``."""

    timestamp_s: Number | None = None
    before: Text | None = Field(default=None, validation_alias="from", serialization_alias="from")
    after: Text | None = Field(default=None, validation_alias="to", serialization_alias="to")


class ProcessingStats(ServiceModel):
    """Frames with and without a face."""

    total_frames: Count | None = None
    successful_frames: Count | None = None
    no_face_frames: Count | None = None
    video_type: Text | None = None


class EmotionMetrics(ServiceModel):
    """What the samples come to over the whole video."""

    unique_emotions: Count | None = None
    transition_count: Count | None = None
    avg_confidence: Number | None = None
    emotion_diversity: Number | None = None
    detection_rate: Number | None = None
    suitable_for_emotion_analysis: Flag | None = None
    most_active_aus: tuple[Count, ...] | None = None
    video_type: Text | None = None


class ExpressionsMetadata(ServiceMetadata):
    """``source`` says what the emotions were read from: ``blendshapes`` or ``feat``."""

    source: Text | None = None


class ExpressionsData(ServiceData):
    """The emotions of one video; no face at all is an empty list."""

    service: ClassVar[str] = "emotion_detection"
    short_name: ClassVar[str | None] = "emotion"
    entry_types: ClassVar[tuple[str, ...]] = ("emotion",)

    emotions: tuple[EmotionSample, ...]
    dominant_emotion: Text | None = None
    emotion_transitions: tuple[EmotionTransition, ...] | None = None
    processing_stats: ProcessingStats | None = None
    metrics: EmotionMetrics | None = None
    video_id: Text | None = None
    video_duration_s: Number | None = None
    frames_analyzed: Count | None = None
    sample_rate: Number | None = None
    metadata: ExpressionsMetadata

    @property
    def found_at_s(self) -> list[float]:
        """Of every face's emotion."""
        return [item.timestamp_s for item in self.emotions]

    @property
    def found_confidences(self) -> list[float | None]:
        """Of every face's emotion."""
        return [item.confidence for item in self.emotions]

    @property
    def frames_answered(self) -> int | None:
        """Sampled frames; older files count them beside the metadata."""
        answered = self.metadata.frames_answered
        return self.frames_analyzed if answered is None else answered
