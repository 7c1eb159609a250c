"""Blocks of person_framing."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from rumiai.contracts.blocks import AnalysisBlocks, Block, MoreMetrics, QualityBlock, Record, Schema, judge, num
from rumiai.contracts.blocks.types import Count, Flag, Level, Percent, Positive, Ratio, Seconds, Span, Text, Time

Shot: TypeAlias = Literal["close", "medium", "wide", "none"]
PrimarySubject: TypeAlias = Literal["none", "single", "multiple"]
MovementPattern: TypeAlias = Literal["static", "gradual", "dynamic"]
ZoomTrend: TypeAlias = Literal["in", "out", "stable", "varied"]
# "unknown" and "general_content" stand in older files alone.
GazeSteadiness: TypeAlias = Literal["high", "medium", "low", "unknown"]
SocialDistance: TypeAlias = Literal["intimate", "personal", "social", "public"]
FramingHighlightType: TypeAlias = Literal["close_up", "group_shot", "eye_contact_run", "return"]
FramingStrategy: TypeAlias = Literal["intimate", "observational", "dynamic", "staged"]
VisualNarrative: TypeAlias = Literal["single_focus", "multi_person", "environment_aware"]
TechnicalExecution: TypeAlias = Literal["professional", "casual", "experimental"]
FramingArchetype: TypeAlias = Literal[
    "talking_head", "dynamic_demo", "product_focused", "balanced_presence", "creator_centered", "unknown"
]
TransitionType: TypeAlias = Literal["zoom_in", "zoom_out", "cut", "return", "exit"]
CompositionRule: TypeAlias = Literal["center", "thirds", "offset"]
VideoIntent: TypeAlias = Literal[
    "personal_message", "performance", "educational", "product_showcase", "entertainment_dance",
    "tutorial_demonstration", "general_content",
]  # fmt: skip


class FramingRun(Record):
    """One item of ``framingProgression``: a run of one shot type."""

    timestamp: Span
    distance: Shot
    coverage: Ratio | None
    start: Time
    end: Time


class SecondStability(Record):
    """One item of ``stabilityTimeline``."""

    second: Count
    stability: Ratio | None


class Change(Record):
    """One item of ``framingTransitions`` and of ``framingChanges``."""

    timestamp: Time
    from_: Annotated[Shot, Field(alias="from")]
    to: Shot


class SpeakerFraming(Record):
    """The value of ``speakerFraming``."""

    speech_with_face_ratio: Ratio | None
    dominant_shot_while_speaking: Shot | None


class FramingHighlight(Record):
    """One item of ``framingHighlights``."""

    timestamp: Span
    type: FramingHighlightType
    impact: Level


class CriticalFramingMoment(Record):
    """One item of ``criticalFramingMoments``."""

    timestamp: Time
    event: Text
    framing: Shot


class OptimalFramingPeriod(Record):
    """One item of ``optimalFramingPeriods``."""

    start: Time
    end: Time
    reason: Text


class Run(Record):
    """One item of ``closeUpMoments`` and of ``groupShots``."""

    start: Time
    end: Time
    duration: Seconds


class FramingDistribution(Record):
    """The value of ``framingDistribution``."""

    close: Ratio
    medium: Ratio
    wide: Ratio
    none: Ratio


class CoreMetrics(Block):
    """The block ``personFramingCoreMetrics``."""

    person_presence_rate: Annotated[Ratio | None, num("samples with any person signal")]
    avg_person_count: Annotated[Positive | None, num("people per sample with a person")]
    max_simultaneous_people: Annotated[Count | None, num("95th percentile by nearest rank, 0 allowed")]
    dominant_framing: Annotated[Shot | None, num("visible people that fit no other class are wide")]
    framing_changes: Annotated[Count | None, num("changes of the smoothed shot type")]
    person_screen_coverage: Annotated[Ratio | None, num("mean area share of people")]
    position_stability: Annotated[
        Ratio | None, num("1 - min(1, median speed / 0.3 frame widths per s); null without scenes or the frame's shape")
    ]
    gesture_clarity: Annotated[Ratio | None, num("mean gesture confidence")]
    face_visibility_rate: Annotated[Ratio | None, num("samples with a face")]
    body_visibility_rate: Annotated[Ratio | None, num("samples with hips and shoulders visible")]
    overall_framing_quality: Annotated[
        Ratio | None, num("heuristic: mean of presence, stability and headroom, all of them")
    ]
    average_face_size: Annotated[Percent | None, num("median largest-face area", origin="P")]
    eye_contact_rate: Annotated[Ratio | None, num("of face samples; null without gaze", origin="P")]
    primary_subject: Annotated[PrimarySubject | None, num("by subjectCount", origin="P")]
    subject_count: Annotated[Count | None, num("90th percentile of faces per frame", origin="P")]
    framing_consistency: Annotated[Ratio | None, num("1 - volatility", origin="P")]


class Dynamics(Block):
    """The block ``personFramingDynamics``."""

    framing_progression: Annotated[list[FramingRun] | None, num("runs of shot type")]
    movement_pattern: Annotated[MovementPattern | None, num("by median speed")]
    zoom_trend: Annotated[ZoomTrend | None, num("slope of face area inside scenes; null without scenes")]
    stability_timeline: Annotated[list[SecondStability] | None, num("per bin")]
    framing_transitions: Annotated[list[Change] | None, num("changes of the smoothed shot type")]
    gaze_steadiness: Annotated[
        GazeSteadiness | None,
        num("by std of the eye-contact score; null for fewer than five; unknown in older files alone", origin="P"),
    ]
    distance_variation: Annotated[Positive | None, num("cv of face area", origin="P")]


class Interactions(Block):
    """The block ``personFramingInteractions``."""

    gesture_framing_sync: Annotated[Ratio | None, num("gestures fully in frame, by their bbox")]
    expression_visibility: Annotated[Ratio | None, num("faces large enough to read")]
    multi_person_coordination: Annotated[Ratio | None, num("null when never two people")]
    action_space_utilization: Annotated[Ratio | None, num("area of the union of person boxes over the video / frame")]
    framing_purpose_alignment: Annotated[
        Ratio | None, num("1 - intent risk; null without people or a rule for the intent")
    ]
    speaker_framing: Annotated[SpeakerFraming | None, num("framing while somebody speaks", origin="P")]
    social_distance: Annotated[SocialDistance | None, num("from face size", origin="P")]


class KeyEvents(Block):
    """The block ``personFramingKeyEvents``."""

    framing_highlights: Annotated[
        list[FramingHighlight] | None, num("close_up, group_shot, eye_contact_run, return", judged=("impact",))
    ]
    critical_framing_moments: Annotated[list[CriticalFramingMoment] | None, num("enter, exit, first close, zoom")]
    optimal_framing_periods: Annotated[
        list[OptimalFramingPeriod] | None, num("runs >= 3 s with face visible, eye contact and stability")
    ]
    close_up_moments: Annotated[list[Run] | None, num("runs of close", origin="P")]
    group_shots: Annotated[list[Run] | None, num("runs with two or more faces", origin="P")]
    framing_changes: Annotated[list[Change] | None, num("a list here", origin="P")]


class Patterns(Block):
    """The block ``personFramingPatterns``."""

    framing_strategy: Annotated[FramingStrategy | None, num("null when nobody is visible")]
    visual_narrative: Annotated[VisualNarrative | None, num("by people and presence; null when nobody is visible")]
    technical_execution: Annotated[
        TechnicalExecution | None, judge("how it is shot; null without overallFramingQuality or with few samples")
    ]
    engagement_techniques: Annotated[
        list[Text] | None,
        judge("direct_eye_contact, gesture_emphasis, close_up_intro ...; null when nobody is visible"),
    ]
    production_value: Annotated[
        Level | None, judge("impression of the effort; null without overallFramingQuality or with few samples")
    ]
    framing_distribution: Annotated[FramingDistribution | None, num("measured shares", origin="P")]
    framing_archetype: Annotated[
        FramingArchetype | None,
        num(
            "dynamic_demo needs at least 3 of the six actions, creator_centered a face on 30 % of the samples; "
            "null when nobody is visible or no rule fits; unknown in older files alone"
        ),
    ]
    pattern_tags: Annotated[list[Text] | None, num("tags by rule")]


class Quality(QualityBlock):
    """The block ``personFramingQuality``."""

    detection_reliability: Annotated[Ratio | None, num("quality of the person services; null when all failed")]
    tracking_consistency: Annotated[Ratio | None, num("1 - gaps / samples; null without scenes or the frame's shape")]
    framing_data_completeness: Annotated[Ratio, num("used services that ran / used services")]
    analysis_limitations: Annotated[list[Text], num("no_body_landmarks, low_face_confidence, occlusion, few_samples")]

    @property
    def completeness(self) -> float:
        """Share of the used services that ran."""
        return self.framing_data_completeness


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


class ShotTransition(Record):
    """A change of the smoothed shot type, and what made it: null where the scenes are unknown."""

    timestamp: Time
    from_shot: Shot
    to_shot: Shot
    transition_type: TransitionType | None


class GazeAnalysis(MoreMetrics):
    """Eye contact of the samples with a face, and where the main face mostly looks."""

    eye_contact_ratio: Ratio | None
    primary_gaze_direction: Text | None


class ActionRecognition(MoreMetrics):
    """The three actions that take most time, and how many there are."""

    primary_actions: list[Text]
    action_diversity: Count


class EvolutionPart(MoreMetrics):
    """People and shot types of a third of the seconds."""

    face_presence: Ratio | None
    person_presence: Ratio | None
    camera_distance: FramingDistribution | None
    dominant_distance: Shot | None


class TemporalEvolution(MoreMetrics):
    """The three thirds of the video."""

    beginning: EvolutionPart
    middle: EvolutionPart
    end: EvolutionPart


class DetectionCoverage(Record):
    """What was found, and what was looked for."""

    face_detection_rate: Ratio | None
    person_detection_rate: Ratio | None
    gaze_data_available: Flag
    action_data_available: Flag
    background_data_available: Flag


class FramingSecond(MoreMetrics):
    """A second: most frequent shot type, median area of the largest face in percent, mean confidence of the faces."""

    shot_type: Shot | None
    face_size: Percent | None
    confidence: Ratio | None


class FurtherMetrics(MoreMetrics):
    """Metrics without a field in the blocks, of a video whose people are known."""

    intro_shot_type: Shot | None
    framing_volatility: Ratio
    shot_changes_per_minute: Positive
    shot_transitions: list[ShotTransition]
    subject_absence_count: Count
    absence_seconds: Seconds
    absence_segments: list[Run]
    longest_absence_duration: Seconds
    prolonged_absences: list[Run]
    gaze_analysis: GazeAnalysis
    eye_contact_screen_rate: Annotated[Ratio | None, Field(alias="eyeContactScreenRate")]
    action_recognition: ActionRecognition | None
    background_analysis: None
    video_intent: VideoIntent | None
    intent_alignment_risk: Ratio | None
    intent_alignment_risk_level: Level | None
    temporal_evolution: TemporalEvolution
    ml_tags: list[Text]
    detection_coverage: DetectionCoverage
    intro_person_present: Flag | None
    framing_timeline: dict[Span, FramingSecond]
    composition_rule: Annotated[CompositionRule | None, Field(alias="compositionRule")]


SCHEMA: Final = Schema("person_framing", "personFraming", Blocks, alias_prefixes=("framing",))
