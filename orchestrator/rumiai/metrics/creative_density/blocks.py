"""Blocks of creative_density."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from annotated_types import MaxLen
from pydantic import Field

from rumiai.contracts.blocks import AnalysisBlocks, Block, MoreMetrics, QualityBlock, Record, Schema, num
from rumiai.contracts.blocks.types import Count, Flag, Level, Positive, Ratio, Real, Seconds, Span, Text, Time

# Of peaks and of shifts.
MOST_EVENTS: Final = 10

AccelerationPattern: TypeAlias = Literal["front_loaded", "even", "back_loaded", "oscillating"]
DensityProgression: TypeAlias = Literal["increasing", "decreasing", "stable", "erratic"]
SyncType: TypeAlias = Literal["reinforcing", "complementary", "redundant"]
DensityClassification: TypeAlias = Literal["sparse", "moderate", "dense", "overwhelming"]
PacingStyle: TypeAlias = Literal["steady", "building", "burst_fade", "oscillating"]
CognitiveLoadCategory: TypeAlias = Literal["minimal", "optimal", "challenging", "overwhelming"]


class ElementCounts(Record):
    """The value of ``elementCounts``."""

    text: Count | None
    sticker: Count | None
    effect: Count | None
    transition: Count | None
    object: Count | None
    gesture: Count | None
    expression: Count | None


class DensityPoint(Record):
    """One item of ``densityCurve``; null in a second that was not observed."""

    second: Count
    density: Positive | None
    primary_element: Text | None


class MultiModalPeak(Record):
    """One item of ``multiModalPeaks``."""

    timestamp: Span
    elements: list[Text]
    sync_type: SyncType | None


class PeakMoment(Record):
    """One item of ``peakMoments``."""

    timestamp: Span
    total_elements: Count
    surprise_score: Real
    element_breakdown: dict[Text, Count]


class DeadZone(Record):
    """One item of ``deadZones``."""

    start: Time
    end: Time
    duration: Seconds


class DensityShift(Record):
    """One item of ``densityShifts``."""

    timestamp: Time
    from_: Annotated[Level, Field(alias="from")]
    to: Level
    magnitude: Ratio


class StructuralFlags(Record):
    """The value of ``structuralFlags``."""

    strong_opening_hook: Flag | None
    crescendo_pattern: Flag | None
    front_loaded: Flag | None
    consistent_pacing: Flag | None
    final_call_to_action: Flag | None
    rhythmic_pattern: Flag | None


class DetectionReliability(Record):
    """The value of ``detectionReliability``."""

    text_overlay: Ratio | None
    sticker: Ratio | None
    effect: Ratio | None
    transition: Ratio | None
    scene_change: Ratio | None
    object: Ratio | None
    gesture: Ratio | None


class CoreMetrics(Block):
    """The block ``densityCoreMetrics``."""

    avg_density: Annotated[Positive | None, num("mean concurrency per bin = mean of densityCurve")]
    max_density: Annotated[Positive | None, num("fullest one-second bin")]
    min_density: Annotated[Positive | None, num("emptiest bin")]
    std_deviation: Annotated[Positive | None, num("population std over bins")]
    total_elements: Annotated[Count | None, num("sum of elementCounts; null if any element service failed")]
    elements_per_second: Annotated[
        Positive | None, num("totalElements / D, each type by the time that it was looked for; not avgDensity")
    ]
    element_counts: Annotated[
        ElementCounts,
        num(
            "items over the video; object = per scene and class the 90th percentile of simultaneous boxes, summed; "
            "effect null: no detector; transition null unless types are named"
        ),
    ]
    scene_change_count: Annotated[Count | None, num("number of cuts")]
    timeline_coverage: Annotated[
        Ratio | None, num("share of bins with at least one element; null unless every type was looked for")
    ]


class Dynamics(Block):
    """The block ``densityDynamics``."""

    density_curve: Annotated[list[DensityPoint] | None, num("one per bin")]
    volatility: Annotated[Ratio | None, num("min(1, std/mean)")]
    acceleration_pattern: Annotated[
        AccelerationPattern | None, num("first third against last; null for fewer than six bins and for an empty curve")
    ]
    density_progression: Annotated[DensityProgression | None, num("trend of the curve; null for an empty one")]
    empty_seconds: Annotated[list[Count] | None, num("bins with nothing; null unless every type was looked for")]


class Interactions(Block):
    """The block ``densityInteractions``."""

    multi_modal_peaks: Annotated[
        list[MultiModalPeak] | None, num("bins with three or more element types; null when fewer were looked for")
    ]
    element_cooccurrence: Annotated[
        dict[Text, Count] | None, num("bins in which both types of the pair occur; null for fewer than two types")
    ]
    dominant_combination: Annotated[Text | None, num('most frequent pair or "none"')]
    coordination_score: Annotated[Ratio | None, num("multiModalPeaks / bins that were looked at")]


class KeyEvents(Block):
    """The block ``densityKeyEvents``."""

    peak_moments: Annotated[Annotated[list[PeakMoment], MaxLen(MOST_EVENTS)] | None, num("local maxima")]
    dead_zones: Annotated[
        list[DeadZone] | None, num("two or more empty seconds in a row; null unless every type was looked for")
    ]
    density_shifts: Annotated[Annotated[list[DensityShift], MaxLen(MOST_EVENTS)] | None, num("sudden level changes")]


class Patterns(Block):
    """The block ``densityPatterns``."""

    structural_flags: Annotated[StructuralFlags | None, num("shape of the curve; closing call to action")]
    density_classification: Annotated[
        DensityClassification | None, num("by avgDensity; null unless every type was looked for")
    ]
    pacing_style: Annotated[PacingStyle | None, num("by cv, trend and thirds; null for an empty curve")]
    cognitive_load_category: Annotated[
        CognitiveLoadCategory | None, num("by avgDensity and maxDensity; null unless every type was looked for")
    ]
    ml_tags: Annotated[list[Text] | None, num("machine tags; a model may append", extensible=True)]


class Quality(QualityBlock):
    """The block ``densityQuality``."""

    data_completeness: Annotated[Ratio, num("used services that ran / used services")]
    detection_reliability: Annotated[
        DetectionReliability,
        num("mean confidence of each type's own finds x share observed; null without finds or detector"),
    ]

    @property
    def completeness(self) -> float:
        """Share of the used services that ran."""
        return self.data_completeness


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


class Duration(MoreMetrics):
    """What is known of every video."""

    duration_seconds: Seconds


class PatternFlags(MoreMetrics):
    """The shape of the curve as the older form has it."""

    strong_opening_hook: Flag | None
    crescendo_pattern: Flag | None
    front_loaded: Flag | None
    consistent_density: Flag | None
    dual_peak_structure: Flag
    multi_peak_rhythm: Flag


class TimelineCounts(MoreMetrics):
    """Lengths of what the services found, under the older names; null where a service failed."""

    effect_count: Count | None
    transition_count: Count | None
    object_detection_frames: Count | None
    text_overlay_count: Count | None
    sticker_count: Count | None
    gesture_count: Count | None
    expression_count: Count | None


class FurtherMetrics(Duration):
    """Metrics without a field in the blocks, of a video for which any service counts elements."""

    creative_density_score: Positive | None
    density_pattern_flags: PatternFlags
    patterns_identified: list[Text]
    density_pattern: AccelerationPattern | None
    timeline_frame_counts: TimelineCounts


SCHEMA: Final = Schema("creative_density", "density", Blocks)
