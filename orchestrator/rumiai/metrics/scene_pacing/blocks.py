"""Blocks of scene_pacing."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from annotated_types import MaxLen
from pydantic import Field

from rumiai.contracts.blocks import AnalysisBlocks, Block, MoreMetrics, QualityBlock, Record, Schema, judge, num
from rumiai.contracts.blocks.types import (
    Count,
    Flag,
    Level,
    Number,
    PerSecond,
    Positive,
    Ratio,
    Seconds,
    Signed,
    Span,
    Text,
    Time,
)

Variance: TypeAlias = Annotated[float, Number(low=0, unit="s^2")]
Pace: TypeAlias = Literal["rapid", "fast", "moderate", "slow"]
AccelerationPattern: TypeAlias = Literal["steady", "building", "declining", "variable"]
PacingMomentum: TypeAlias = Literal["maintaining", "accelerating", "decelerating"]
ViewerAdaptationCurve: TypeAlias = Literal["smooth", "jarring", "engaging"]
Shift: TypeAlias = Literal["accelerating", "decelerating"]
Complexity: TypeAlias = Literal["low", "moderate", "high"]
ScenePosition: TypeAlias = Literal["intro", "middle", "outro"]
PacingStyle: TypeAlias = Literal["music_video", "narrative", "montage", "documentary"]
EditingRhythm: TypeAlias = Literal["metronomic", "syncopated", "free_form", "accelerando"]
VisualTempo: TypeAlias = Literal["slow", "moderate", "fast", "variable"]
CutMotivation: TypeAlias = Literal["action_driven", "beat_driven", "emotion_driven", "random", "unknown"]
EditingStyle: TypeAlias = Literal["mtv_style", "classic_narrative", "rhythmic", "experimental", "standard"]
TechnicalQuality: TypeAlias = Literal["professional", "amateur", "mixed"]

RhythmClass: TypeAlias = Literal["consistent", "varied", "erratic"]
AccelerationTrend: TypeAlias = Literal["stable", "accelerating", "decelerating"]


class PacingPoint(Record):
    """One window of ``pacingCurve``; ``second`` is its start."""

    second: Time
    cuts_per_second: PerSecond
    intensity: Level


class PacingContrastMoment(Record):
    """One item of ``pacingContrastMoments``."""

    timestamp: Time
    shift: Shift
    impact: Level


class ObjectDensityPacing(Record):
    """The value of ``objectDensityPacing``."""

    avg_objects_per_shot: Positive
    complexity_level: Complexity


class PacingPeak(Record):
    """One item of ``pacingPeaks``; ``intensity`` is its rate over the highest one."""

    timestamp: Span
    cuts_per_second: PerSecond
    intensity: Ratio


class PacingValley(Record):
    """One item of ``pacingValleys``."""

    timestamp: Span
    scene_duration: Seconds
    type: Text


class CriticalTransition(Record):
    """One item of ``criticalTransitions``."""

    timestamp: Time
    from_pace: Pace
    to_pace: Pace
    effect: Text


class RhythmBreak(Record):
    """One item of ``rhythmBreaks``, at the start of the scene."""

    timestamp: Time
    expected_duration: Seconds
    actual_duration: Seconds


class Scene(Record):
    """The value of ``longestScene`` and of ``shortestScene``."""

    duration: Seconds
    timestamp: Span
    position: ScenePosition


class MontageSegment(Record):
    """One item of ``montageSegments``."""

    start: Time
    end: Time
    shots: Count
    avg_shot_duration: Seconds


class CoreMetrics(Block):
    """The block ``scenePacingCoreMetrics``."""

    total_scenes: Annotated[Count | None, num("shots")]
    scene_change_rate: Annotated[PerSecond | None, num("cuts / time observed")]
    avg_scene_duration: Annotated[Seconds | None, num("time observed / totalScenes", aliases=("averageSceneDuration",))]
    min_scene_duration: Annotated[Seconds | None, num("shortest scene")]
    max_scene_duration: Annotated[Seconds | None, num("longest scene")]
    scene_duration_variance: Annotated[Variance | None, num("population")]
    quick_cuts_count: Annotated[Count | None, num("scenes < 1.0 s")]
    long_takes_count: Annotated[Count | None, num("scenes >= 5 s")]
    scene_rhythm_score: Annotated[Ratio | None, num("1/(1+cv); null for one scene")]
    pacing_consistency: Annotated[Ratio | None, num("1 - min(1, cv)")]
    video_duration: Annotated[Seconds, num("D")]
    scenes_per_minute: Annotated[Positive | None, num("60 totalScenes / time observed", origin="P")]
    pacing_classification: Annotated[
        Pace | None, num("by mean scene: < 2 s, < 4 s, < 8 s, longer; a single scene is slow or null")
    ]


class Dynamics(Block):
    """The block ``scenePacingDynamics``."""

    pacing_curve: Annotated[
        Annotated[list[PacingPoint], MaxLen(10)] | None, num("clamp(floor(D/2), 1, 10) equal windows, second = start")
    ]
    acceleration_pattern: Annotated[
        AccelerationPattern | None, num("by halves and quarters; null for fewer than two cuts")
    ]
    rhythm_regularity: Annotated[Ratio | None, num("1/(1+cv) of the durations without first and last")]
    pacing_momentum: Annotated[PacingMomentum | None, num("by accelerationScore; null for fewer than two cuts")]
    dynamic_range: Annotated[Ratio | None, num("(max - min)/max duration")]
    acceleration_score: Annotated[
        Signed | None, num("(cuts of the second half - first)/(sum); null for fewer than two cuts")
    ]
    intro_pacing: Annotated[Count | None, num("cuts in the first 3 s")]
    outro_pacing: Annotated[Count | None, num("cuts in the last 3 s; null where the picture breaks off")]
    acceleration_points: Annotated[list[Time] | None, num("instants where the local rate doubles", origin="P")]
    deceleration_points: Annotated[list[Time] | None, num("instants where the local rate halves", origin="P")]


class Interactions(Block):
    """The block ``scenePacingInteractions``."""

    content_pacing_alignment: Annotated[
        Ratio | None, num("cut rate against other density; null when either series is constant")
    ]
    emotional_pacing_sync: Annotated[Ratio | None, num("cut rate against arousal; null when either series is constant")]
    narrative_flow_score: Annotated[Ratio | None, judge("1 - share of rhythm breaks; null for fewer than four scenes")]
    viewer_adaptation_curve: Annotated[
        ViewerAdaptationCurve | None, judge("by rhythmBreaks per minute; null for fewer than four scenes")
    ]
    pacing_contrast_moments: Annotated[list[PacingContrastMoment] | None, num("local rate ratio >= 2")]
    audio_visual_sync: Annotated[Ratio | None, num("cuts on energy onsets above chance; null for one cut", origin="P")]
    beat_matching: Annotated[
        Ratio | None, num("cuts on beats above chance; null for one cut and without beats", origin="P")
    ]
    object_density_pacing: Annotated[ObjectDensityPacing | None, num("objects per sampled frame, mean over scenes")]


class KeyEvents(Block):
    """The block ``scenePacingKeyEvents``."""

    pacing_peaks: Annotated[list[PacingPeak] | None, num("windows cut fastest")]
    pacing_valleys: Annotated[list[PacingValley] | None, num("scenes held long")]
    critical_transitions: Annotated[
        list[CriticalTransition] | None, num("cuts between stretches of different pace", judged=("effect",))
    ]
    rhythm_breaks: Annotated[
        list[RhythmBreak] | None, num("abs(d_i - median of previous three) > 2 x population std of all durations")
    ]
    longest_scene: Annotated[Scene | None, num("with its place", origin="P")]
    shortest_scene: Annotated[Scene | None, num("with its place", origin="P")]
    montage_segments: Annotated[list[MontageSegment] | None, num("runs of three or more scenes < 1.5 s")]
    climax_timing: Annotated[Ratio | None, num("position of the densest cutting", origin="P")]


class Patterns(Block):
    """The block ``scenePacingPatterns``."""

    pacing_style: Annotated[PacingStyle | None, num("by mean scene and montages; null for fewer than two cuts")]
    editing_rhythm: Annotated[EditingRhythm | None, num("by cv and trend; null for fewer than two cuts")]
    visual_tempo: Annotated[VisualTempo | None, num("by pacingClassification and cv")]
    cut_motivation: Annotated[CutMotivation | None, judge("what the cuts follow; null without cuts")]
    pacing_techniques: Annotated[list[Text] | None, judge("only techniques with evidence")]
    editing_style: Annotated[EditingStyle | None, num("by rule; null for fewer than two cuts", origin="P")]
    pacing_tags: Annotated[list[Text] | None, num("tags by rule")]
    transition_types: Annotated[list[Text] | None, num("distinct kinds of transition; null when none are named")]


class Quality(QualityBlock):
    """The block ``scenePacingQuality``."""

    scene_detection_accuracy: Annotated[Ratio | None, num("mean cut confidence")]
    transition_analysis_reliability: Annotated[
        Ratio | None, num("share observed where transition types are named; null when only cuts are known")
    ]
    pacing_data_completeness: Annotated[Ratio, num("used services that ran / used services")]
    technical_quality: Annotated[
        TechnicalQuality | None,
        judge("impression of the edit; by rule professional where it keeps a rhythm or the beat", open_to_model=True),
    ]
    analysis_limitations: Annotated[list[Text], num("what could not be measured")]

    @property
    def completeness(self) -> float:
        """Used services that ran / used services, 0..1."""
        return self.pacing_data_completeness


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


class TempoBalance(Record):
    """Cuts of the first and of the second half, and the share of the first; null without cuts."""

    early_cuts: Count
    late_cuts: Count
    balance_index: Ratio | None


class WindowCuts(Record):
    """Cuts of one window of the pacing curve."""

    cuts: Count
    cuts_per_second: PerSecond


class PeakCutMoment(Record):
    """A window that is cut fastest; ``intensity`` is its rate over the highest one."""

    window: Span
    cut_count: Count
    intensity: Ratio


class ShotDistribution(Record):
    """Scenes by length: below 1 s, below 2 s, below 5 s, longer; quick cuts count as short, too."""

    quick_cuts: Count
    short: Count
    medium: Count
    long: Count


class ClassifiedPatterns(Record):
    """Flags of the older form."""

    has_rapid_pacing: Flag
    is_rhythmic: Flag
    is_experimental: Flag
    has_montage_sections: Flag


class EnergyPoint(Record):
    """Shots per second from an instant on."""

    time: Time
    energy: Positive


class CameraAlignment(Record):
    """Changes of the shot type per scene, and the share of the cuts that change it."""

    camera_changes_per_shot: Positive
    alignment_score: Ratio | None


class FurtherMetrics(MoreMetrics):
    """Metrics without a field in the blocks; null where the objects or people are unknown."""

    shots_per_minute: Positive
    cut_frequency: Positive
    visual_load_per_scene: Positive | None
    rhythm_consistency: RhythmClass | None
    rhythm_variability: Seconds | None
    acceleration_trend: AccelerationTrend | None
    tempo_balance: TempoBalance
    pacing_curve: dict[Span, WindowCuts]
    cut_density_zones: list[Span]
    peak_cut_moments: list[PeakCutMoment]
    montage_segments: Count
    shot_distribution: ShotDistribution
    short_scenes_count: Annotated[Count, Field(alias="shortScenesCount")]
    classified_patterns: ClassifiedPatterns | None
    ml_tags: list[Text]
    acceleration_phases: Count
    peak_pacing_moments: Count
    energy_curve: list[EnergyPoint]
    cut_detection_confidence: Ratio | None
    complexity_changes: Count | None
    object_data_available: Flag
    shot_type_changes: Count | None
    shot_camera_alignment: CameraAlignment | None
    camera_movement_cuts: Count | None
    camera_data_available: Flag
    scene_detection_rate: Ratio


SCHEMA: Final = Schema("scene_pacing", "scenePacing", Blocks, alias_prefixes=("pacing",))
