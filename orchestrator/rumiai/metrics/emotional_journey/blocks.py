"""Blocks of emotional_journey."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from annotated_types import MaxLen
from pydantic import Field

from rumiai.contracts.blocks import AnalysisBlocks, Block, QualityBlock, Record, Schema, judge, num
from rumiai.contracts.blocks.types import Count, Flag, Grade, Ratio, Span, Text

Label: TypeAlias = Literal["joy", "sadness", "anger", "fear", "surprise", "disgust", "neutral"]
CaptionSentiment: TypeAlias = Literal["positive", "negative", "neutral", "mixed"]
EmotionalArc: TypeAlias = Literal["rising", "falling", "stable", "rollercoaster"]
Archetypes: TypeAlias = Literal["surprise_delight", "problem_solution", "transformation", "discovery", "steady_state"]
PacingStrategy: TypeAlias = Literal["gradual_build", "quick_shifts", "steady_state"]
ViewerJourneyMap: TypeAlias = Literal["engaged_throughout", "slow_build", "immediate_hook", "passive"]


class EmotionProgression(Record):
    """The value of ``emotionProgression``."""

    timestamp: Span
    emotion: Label | None
    intensity: Ratio | None


class Moment(Record):
    """One item of ``peakEmotionMoments``."""

    timestamp: Span
    emotion: Label
    intensity: Ratio


class EmotionalContrastMoment(Record):
    """One item of ``emotionalContrastMoments``."""

    timestamp: Span
    conflict: Text
    from_emotion: Label | None
    to_emotion: Label | None


class EmotionalPeak(Record):
    """One item of ``emotionalPeaks``."""

    timestamp: Span
    emotion: Label
    intensity: Ratio
    trigger: Text


class TransitionPoint(Record):
    """One item of ``transitionPoints``."""

    timestamp: Span
    from_: Annotated[Label, Field(alias="from")]
    to: Label
    trigger: Text


class ResolutionMoment(Record):
    """The value of ``resolutionMoment``."""

    timestamp: Span
    emotion: Label
    closure: Flag


class CoreMetrics(Block):
    """The block ``emotionalCoreMetrics``."""

    unique_emotions: Annotated[Count | None, num("distinct labels seen (0 when no face)")]
    emotion_transitions: Annotated[Count | None, num("changes of the smoothed label")]
    dominant_emotion: Annotated[Label | None, num("most common known label, weighted by confidence")]
    emotional_diversity: Annotated[Ratio | None, num("entropy / ln 7")]
    gesture_emotion_alignment: Annotated[Ratio | None, num("compatible overlaps / overlaps")]
    audio_emotion_alignment: Annotated[
        Ratio | None, num("(correlation of energy and arousal + 1)/2; null when either is constant")
    ]
    caption_sentiment: Annotated[CaptionSentiment | None, num("sentiment of the caption")]
    emotional_intensity: Annotated[Ratio | None, num("mean of confidence x |valence weight|")]


class Dynamics(Block):
    """The block ``emotionalDynamics``."""

    emotion_progression: Annotated[
        list[EmotionProgression] | None, num("about ten equal windows covering all of D; emotion null without a face")
    ]
    transition_smoothness: Annotated[Ratio | None, num("1 - mean valence jump / 2")]
    emotional_arc: Annotated[EmotionalArc | None, num("valence of the thirds, and transitions")]
    peak_emotion_moments: Annotated[
        Annotated[list[Moment], MaxLen(5)] | None, num("highest non-neutral intensity, time ordered")
    ]
    stability_score: Annotated[Ratio | None, num("1 - emotionTransitions / (samples - 1)")]
    tempo_emotion_sync: Annotated[
        Ratio | None,
        num("transitions on beats above chance; null unless the step is <= 0.1 s and the window < a quarter beat"),
    ]


class Interactions(Block):
    """The block ``emotionalInteractions``."""

    gesture_reinforcement: Annotated[Ratio | None, num("emotion peaks with a gesture within 1 s / peaks")]
    audio_mood_congruence: Annotated[
        Ratio | None, num("1 - mean over thirds of abs(rank difference of energy and arousal) / 2")
    ]
    caption_emotion_alignment: Annotated[Ratio | None, num("1 - abs(caption polarity - mean valence) / 2")]
    multimodal_coherence: Annotated[Ratio | None, num("mean of available alignments")]
    emotional_contrast_moments: Annotated[
        list[EmotionalContrastMoment] | None,
        num("opposite-valence neighbours or face/speech conflicts", judged=("conflict",)),
    ]


class KeyEvents(Block):
    """The block ``emotionalKeyEvents``."""

    emotional_peaks: Annotated[
        Annotated[list[EmotionalPeak], MaxLen(5)] | None,
        num("strongest moments with what may have caused them", judged=("trigger",)),
    ]
    transition_points: Annotated[
        list[TransitionPoint] | None, num("changes of the smoothed label", judged=("trigger",))
    ]
    climax_moment: Annotated[Moment | None, num("highest intensity")]
    resolution_moment: Annotated[ResolutionMoment | None, num("last return to neutral or joy")]


class Patterns(Block):
    """The block ``emotionalPatterns``."""

    journey_archetype: Annotated[Archetypes | None, judge("shape of the journey; null without a face")]
    emotional_techniques: Annotated[
        list[Text], judge("e.g. emotional_variety, gesture_reinforcement, contrast, repetition")
    ]
    pacing_strategy: Annotated[PacingStrategy | None, num("by transitions per minute")]
    engagement_hooks: Annotated[list[Text], judge("emotional moments that hold attention")]
    viewer_journey_map: Annotated[ViewerJourneyMap, judge("by where peaks lie")]


class Quality(QualityBlock):
    """The block ``emotionalQuality``."""

    detection_confidence: Annotated[Ratio | None, num("mean detector confidence")]
    timeline_coverage: Annotated[Ratio | None, num("bins with a face / bins")]
    emotional_data_completeness: Annotated[Ratio, num("samples analysed / expected")]
    analysis_reliability: Annotated[Grade, num("by coverage and confidence")]
    missing_data_points: Annotated[
        list[Text], num("no_emotions_detected, limited_emotional_range, no_audio, no_speech")
    ]


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


SCHEMA: Final = Schema("emotional_journey", "emotional", Blocks)
