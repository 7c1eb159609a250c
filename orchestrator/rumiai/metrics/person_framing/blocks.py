"""Blocks of person_framing."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from rumiai.contracts.blocks import AnalysisBlocks, Block, QualityBlock, Record, Schema, judge, num
from rumiai.contracts.blocks.types import Count, Grade, Percent, Positive, Ratio, Seconds, Span, Text, Time

Shot: TypeAlias = Literal["close", "medium", "wide", "none"]
PrimarySubject: TypeAlias = Literal["none", "single", "multiple"]
MovementPattern: TypeAlias = Literal["static", "gradual", "dynamic"]
ZoomTrend: TypeAlias = Literal["in", "out", "stable", "varied"]
GazeSteadiness: TypeAlias = Literal["high", "medium", "low", "unknown"]
SocialDistance: TypeAlias = Literal["intimate", "personal", "social", "public"]
FramingHighlightType: TypeAlias = Literal["close_up", "group_shot", "eye_contact_run", "return"]
FramingStrategy: TypeAlias = Literal["intimate", "observational", "dynamic", "staged"]
VisualNarrative: TypeAlias = Literal["single_focus", "multi_person", "environment_aware"]
TechnicalExecution: TypeAlias = Literal["professional", "casual", "experimental"]
Archetypes: TypeAlias = Literal[
    "talking_head", "dynamic_demo", "product_focused", "balanced_presence", "creator_centered", "unknown"
]


class FramingProgression(Record):
    """The value of ``framingProgression``."""

    timestamp: Span
    distance: Shot
    coverage: Ratio | None
    start: Time
    end: Time


class StabilityTimeline(Record):
    """The value of ``stabilityTimeline``."""

    second: Count
    stability: Ratio | None


class Change(Record):
    """One item of ``framingTransitions``."""

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
    impact: Grade


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
    """One item of ``closeUpMoments``."""

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
    max_simultaneous_people: Annotated[Count | None, num("95th percentile rounded, 0 allowed")]
    dominant_framing: Annotated[Shot | None, num("visible people that fit no other class are wide")]
    framing_changes: Annotated[Count | None, num("changes of the smoothed shot type")]
    person_screen_coverage: Annotated[Ratio | None, num("mean area share of people")]
    position_stability: Annotated[Ratio | None, num("1 - min(1, median speed / 0.3 frame widths per s)")]
    gesture_clarity: Annotated[Ratio | None, num("mean gesture confidence")]
    face_visibility_rate: Annotated[Ratio | None, num("samples with a face")]
    body_visibility_rate: Annotated[Ratio | None, num("samples with hips and shoulders visible")]
    overall_framing_quality: Annotated[Ratio | None, num("heuristic: mean of presence, stability and headroom")]
    average_face_size: Annotated[Percent | None, num("median largest-face area", origin="P")]
    eye_contact_rate: Annotated[Ratio | None, num("of face samples", origin="P")]
    primary_subject: Annotated[PrimarySubject | None, num("by subjectCount", origin="P")]
    subject_count: Annotated[Count | None, num("90th percentile of faces per frame", origin="P")]
    framing_consistency: Annotated[Ratio | None, num("1 - volatility", origin="P")]


class Dynamics(Block):
    """The block ``personFramingDynamics``."""

    framing_progression: Annotated[list[FramingProgression] | None, num("runs of shot type")]
    movement_pattern: Annotated[MovementPattern | None, num("by median speed")]
    zoom_trend: Annotated[ZoomTrend | None, num("slope of face area inside scenes")]
    stability_timeline: Annotated[list[StabilityTimeline] | None, num("per bin")]
    framing_transitions: Annotated[list[Change] | None, num("changes of the smoothed shot type")]
    gaze_steadiness: Annotated[GazeSteadiness | None, num("by std of the eye-contact score", origin="P")]
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
    visual_narrative: Annotated[VisualNarrative | None, num("by people and presence")]
    technical_execution: Annotated[TechnicalExecution, judge("how it is shot")]
    engagement_techniques: Annotated[list[Text], judge("direct_eye_contact, gesture_emphasis, close_up_intro ...")]
    production_value: Annotated[Grade, judge("impression of the effort")]
    framing_distribution: Annotated[FramingDistribution | None, num("measured shares", origin="P")]
    framing_archetype: Annotated[Archetypes | None, num("dynamic_demo needs at least 3 of the six actions")]
    pattern_tags: Annotated[list[Text] | None, num("tags by rule")]


class Quality(QualityBlock):
    """The block ``personFramingQuality``."""

    detection_reliability: Annotated[Ratio, num("quality of the person services")]
    tracking_consistency: Annotated[Ratio | None, num("1 - gaps / samples")]
    framing_data_completeness: Annotated[Ratio, num("used services that ran / used services")]
    analysis_limitations: Annotated[list[Text], num("no_body_landmarks, low_face_confidence, occlusion, few_samples")]


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


SCHEMA: Final = Schema("person_framing", "personFraming", Blocks, alias_prefixes=("framing",))
