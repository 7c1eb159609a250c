"""Blocks of emotional_journey."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from annotated_types import MaxLen
from pydantic import Field

from rumiai.contracts.blocks import AnalysisBlocks, Block, MoreMetrics, QualityBlock, Record, Schema, judge, num
from rumiai.contracts.blocks.types import Count, Flag, Level, Positive, Ratio, Real, Seconds, Span, Text, Time
from rumiai.contracts.lexicons import Emotion

CaptionSentiment: TypeAlias = Literal["positive", "negative", "neutral", "mixed"]
EmotionalArc: TypeAlias = Literal["rising", "falling", "stable", "rollercoaster"]
JourneyArchetype: TypeAlias = Literal[
    "surprise_delight", "problem_solution", "transformation", "discovery", "steady_state"
]
PacingStrategy: TypeAlias = Literal["gradual_build", "quick_shifts", "steady_state"]
ViewerJourney: TypeAlias = Literal["engaged_throughout", "slow_build", "immediate_hook", "passive"]
Trajectory: TypeAlias = Literal["ascending", "descending", "u-shaped", "inverted-u", "flat"]
EmotionalArchetype: TypeAlias = Literal[
    "rollercoaster", "monotonous", "steady_positive", "steady_negative", "volatile", "flat"
]


class ProgressionWindow(Record):
    """The value of ``emotionProgression``."""

    timestamp: Span
    emotion: Emotion | None
    intensity: Ratio | None


class Moment(Record):
    """One item of ``peakEmotionMoments``."""

    timestamp: Span
    emotion: Emotion
    intensity: Ratio


class EmotionalContrastMoment(Record):
    """One item of ``emotionalContrastMoments``."""

    timestamp: Span
    conflict: Text
    from_emotion: Emotion | None
    to_emotion: Emotion | None


class EmotionalPeak(Record):
    """One item of ``emotionalPeaks``."""

    timestamp: Span
    emotion: Emotion
    intensity: Ratio
    trigger: Text


class TransitionPoint(Record):
    """One item of ``transitionPoints``."""

    timestamp: Span
    from_: Annotated[Emotion, Field(alias="from")]
    to: Emotion
    trigger: Text


class ResolutionMoment(Record):
    """The value of ``resolutionMoment``."""

    timestamp: Span
    emotion: Emotion
    closure: Flag


class CoreMetrics(Block):
    """The block ``emotionalCoreMetrics``."""

    unique_emotions: Annotated[Count | None, num("distinct labels seen (0 when no face)")]
    emotion_transitions: Annotated[Count | None, num("changes of the smoothed label; null without a face")]
    dominant_emotion: Annotated[Emotion | None, num("most common known label, weighted by confidence")]
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
        list[ProgressionWindow] | None, num("about ten equal windows covering all of D; emotion null without a face")
    ]
    transition_smoothness: Annotated[Ratio | None, num("1 - mean valence jump / 2")]
    emotional_arc: Annotated[EmotionalArc | None, num("valence of the thirds, and transitions")]
    peak_emotion_moments: Annotated[
        Annotated[list[Moment], MaxLen(5)] | None, num("highest non-neutral intensity, time ordered")
    ]
    stability_score: Annotated[Ratio | None, num("1 - emotionTransitions / (samples - 1)")]
    tempo_emotion_sync: Annotated[
        Ratio | None,
        num("share of transitions on beats less chance; null unless the step is <= 0.1 s and the window < 1/4 beat"),
    ]


class Interactions(Block):
    """The block ``emotionalInteractions``."""

    gesture_reinforcement: Annotated[Ratio | None, num("emotion peaks with a gesture within 1 s / peaks")]
    audio_mood_congruence: Annotated[
        Ratio | None, num("1 - mean over thirds of abs(rank difference of energy and arousal) / 2")
    ]
    caption_emotion_alignment: Annotated[Ratio | None, num("1 - abs(caption polarity - mean valence) / 2")]
    multimodal_coherence: Annotated[Ratio | None, num("mean of available alignments, at least two")]
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

    journey_archetype: Annotated[
        JourneyArchetype | None,
        judge("shape of the journey; null without a face, or when no rule fits", open_to_model=True),
    ]
    emotional_techniques: Annotated[
        list[Text] | None,
        judge("e.g. emotional_variety, gesture_reinforcement, contrast, repetition; null without a face"),
    ]
    pacing_strategy: Annotated[PacingStrategy | None, num("by transitions per minute")]
    engagement_hooks: Annotated[list[Text] | None, judge("emotional moments that hold attention; null without a face")]
    viewer_journey_map: Annotated[ViewerJourney | None, judge("by where peaks lie; null without a face")]


class Quality(QualityBlock):
    """The block ``emotionalQuality``."""

    detection_confidence: Annotated[Ratio | None, num("mean detector confidence")]
    timeline_coverage: Annotated[Ratio | None, num("bins with a face / bins observed")]
    emotional_data_completeness: Annotated[Ratio, num("samples analysed / expected")]
    analysis_reliability: Annotated[Level | None, num("by coverage and confidence; null without a face")]
    missing_data_points: Annotated[
        list[Text], num("no_emotions_detected, limited_emotional_range, no_audio, no_speech")
    ]

    @property
    def completeness(self) -> float:
        """Share of the expected samples that were analysed."""
        return self.emotional_data_completeness


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


class AnalysisParameters(MoreMetrics):
    """Length of a bin, and the intensity of a strong emotion."""

    sample_interval: Seconds
    intensity_threshold: Ratio


class RankedPeak(Record):
    """An emotion peak; rank 1 is the highest."""

    timestamp: Span
    emotion: Emotion
    intensity: Ratio
    rank: Count


class ValencePoint(Record):
    """A second with a face."""

    timestamp: Span
    valence: Real
    emotion: Emotion | None


class EmotionTransition(Record):
    """A change of the smoothed label, with how likely its row of the transition matrix makes it."""

    timestamp: Span
    from_emotion: Emotion
    to_emotion: Emotion
    transition_probability: Ratio | None


class MomentumChange(MoreMetrics):
    """A second in which the valence turns, and the difference to the second before."""

    timestamp: Span
    momentum: Real


class ValenceMomentum(MoreMetrics):
    """Differences of the valence from second to second; the average telescopes to (last - first) / (n - 1)."""

    average_momentum: Real | None
    max_positive_momentum: Positive | None
    max_negative_momentum: Real | None
    momentum_changes: list[MomentumChange]


class PeakRhythm(MoreMetrics):
    """Spacing of the emotion peaks; regularity 1 / (1 + cv) needs two spacings."""

    peak_spacing_mean: Seconds | None
    peak_spacing_variance: Positive | None
    regularity_score: Ratio | None
    peak_count: Count


class GestureSync(Record):
    """Whether a second with a face has a gesture, and the share of its time in which it is compatible."""

    timestamp: Span
    emotion: Emotion | None
    gesture_present: Flag
    alignment_score: Ratio | None


class AlignmentEvent(Record):
    """A transcript segment whose words and face both have a tone."""

    timestamp: Time
    visual_emotion: Emotion
    speech_sentiment: Text
    congruent: Flag


class SpeechAlignment(Record):
    """Words against the face over the video, with the first ten segments."""

    overall_alignment: Ratio | None
    conflicts_detected: Flag
    misalignment_count: Count
    alignment_events: list[AlignmentEvent]


class DeadZone(Record):
    """Two or more seconds with a face and hardly any valence."""

    start: Time
    end: Time
    average_valence: Real


class ArchetypeFlags(Record):
    """Flags of the older form."""

    has_emotional_rollercoaster: Flag
    has_flat_arc: Flag
    is_positive_dominant: Flag
    is_negative_dominant: Flag
    is_emotionally_diverse: Flag


class FurtherMetrics(MoreMetrics):
    """Metrics without a field in the blocks, of a video whose faces are known."""

    analysis_parameters: AnalysisParameters
    emotion_sequence: list[Emotion | None]
    emotion_valence: list[Real | None]
    emotion_timestamps: list[Span]
    emotion_variability: Positive | None
    emotional_peaks: list[RankedPeak]
    emotional_trajectory: Trajectory | None
    emotion_change_rate: Ratio | None
    emotion_changes_per_minute: Positive
    mean_valence_change: Positive | None
    emotional_consistency: Ratio | None
    has_high_emotion_peak: Flag
    peak_intensity_count: Count
    positive_ratio: Ratio | None
    negative_ratio: Ratio | None
    neutral_ratio: Ratio | None
    emotion_valence_curve: list[ValencePoint]
    emotion_transition_counts: dict[Text, Count]
    emotion_transition_matrix: dict[Text, Ratio]
    emotion_transitions: list[EmotionTransition]
    valence_momentum: ValenceMomentum
    peak_rhythm: PeakRhythm
    emotion_gesture_sync: list[GestureSync] | None
    emotion_speech_alignment: SpeechAlignment | None
    cross_modal_consistency: Ratio | None
    dead_zones: list[DeadZone]
    emotional_archetype: EmotionalArchetype | None
    archetype_flags: ArchetypeFlags | None
    emotional_ml_tags: list[Text]
    expression_detection_rate: Ratio | None


SCHEMA: Final = Schema("emotional_journey", "emotional", Blocks)
