"""Blocks of visual_overlay_analysis."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from rumiai.contracts.blocks import (
    GENERIC_BLOCKS,
    AnalysisBlocks,
    Block,
    MoreMetrics,
    QualityBlock,
    Record,
    Schema,
    judge,
    num,
)
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

VisualComplexityScore: TypeAlias = Annotated[float, Number(low=0, high=10)]
OverlayKind: TypeAlias = Literal["text", "sticker", "mixed", "none"]
AppearancePattern: TypeAlias = Literal["gradual", "burst", "rhythmic", "random"]
DensityProgression: TypeAlias = Literal["building", "front_loaded", "even", "climactic"]
VisualPacing: TypeAlias = Literal["slow", "moderate", "fast", "variable"]
OverlayAcceleration: TypeAlias = Literal["stable", "accelerating", "decelerating"]
TemporalDistribution: TypeAlias = Literal["front_loaded", "balanced", "back_loaded"]
MultiLayerComplexity: TypeAlias = Literal["simple", "moderate", "complex"]
TextFunction: TypeAlias = Literal["hook", "cta", "info", "punchline", "caption"]
CtaKind: TypeAlias = Literal["follow", "like", "comment", "share", "save", "visit", "buy", "subscribe", "download"]
OverlayStrategy: TypeAlias = Literal["minimal", "moderate", "heavy", "dynamic"]
TextStyle: TypeAlias = Literal["clean", "decorative", "mixed", "chaotic"]
CommunicationApproach: TypeAlias = Literal["reinforcing", "supplementary", "dominant"]
ProductionQuality: TypeAlias = Literal["professional", "casual", "amateur"]
EngagementArchetype: TypeAlias = Literal["informational", "conversion_focused", "attention_grabbing"]


class OverlayWindow(Record):
    """One item of ``overlayTimeline``; null in a window that was not observed."""

    timestamp: Span
    overlay_count: Count | None
    type: OverlayKind | None
    density: Level | None


class BurstWindow(Record):
    """One item of ``burstWindows``."""

    window: Span
    count: Count


class MultimodalMoment(Record):
    """One item of ``multimodalMoments``."""

    timestamp: Time
    text_content: Text
    has_speech: Flag | None
    has_gesture: Flag | None


class ImpactfulOverlay(Record):
    """One item of ``impactfulOverlays``."""

    timestamp: Span
    text: Text
    impact: Level
    reason: Text


class OverlayBurst(Record):
    """One item of ``overlayBursts``."""

    timestamp: Span
    count: Count
    purpose: Text


class KeyTextMoment(Record):
    """One item of ``keyTextMoments``."""

    timestamp: Time
    text: Text
    function: TextFunction


class StickerHighlight(Record):
    """One item of ``stickerHighlights``."""

    timestamp: Time
    sticker: Text
    purpose: Text


class CtaMoment(Record):
    """One item of ``ctaMoments``."""

    timestamp: Time
    cta_type: CtaKind
    text_content: Text


class OverlayPeak(Record):
    """One item of ``overlayPeaks``."""

    timestamp: Span
    overlay_count: Count
    intensity: Ratio


class TextPositionDistribution(Record):
    """The value of ``textPositionDistribution``."""

    top: Ratio
    middle: Ratio
    bottom: Ratio


class CoreMetrics(Block):
    """The block ``overlaysCoreMetrics``."""

    total_text_overlays: Annotated[Count | None, num("text tracks")]
    unique_texts: Annotated[Count | None, num("after merging spellings", aliases=("uniqueOverlayCount",))]
    avg_texts_per_second: Annotated[Positive | None, num("text tracks / time observed")]
    time_to_first_text: Annotated[Time | None, num("null when none")]
    time_to_first_overlay: Annotated[Time | None, num("the same incl. stickers")]
    avg_text_display_duration: Annotated[
        Seconds | None, num("mean length of the tracks whose end is known", aliases=("avgOverlayDuration",))
    ]
    total_stickers: Annotated[Count | None, num("stickers")]
    unique_stickers: Annotated[Count | None, num("distinct by type and place")]
    text_sticker_ratio: Annotated[Positive | None, num("null without stickers")]
    overlay_density: Annotated[PerSecond | None, num("all overlays / time observed")]
    visual_complexity_score: Annotated[
        VisualComplexityScore | None, num("simultaneous, rate and area; null without overlays")
    ]
    avg_simultaneous_texts: Annotated[Positive | None, num("mean over time", origin="T")]
    total_overlays: Annotated[Count | None, num("texts and stickers", origin="P")]
    overlay_frequency: Annotated[Positive | None, num("all overlays per minute", origin="P")]
    unique_overlay_ratio: Annotated[Ratio | None, num("unique texts / text overlays", origin="P")]


class Dynamics(Block):
    """The block ``overlaysDynamics``."""

    overlay_timeline: Annotated[list[OverlayWindow] | None, num("3-second windows over D")]
    appearance_pattern: Annotated[AppearancePattern | None, num("by the gaps between starts")]
    density_progression: Annotated[DensityProgression | None, num("starts by thirds")]
    animation_intensity: Annotated[Ratio | None, num("mean path of the texts' boxes in frame widths per s, at most 1")]
    visual_pacing: Annotated[VisualPacing | None, num("new overlays per s < .2, < .6; null without overlays")]
    rhythm_consistency: Annotated[Ratio | None, num("1/(1+cv) of the gaps; null with fewer than 3", origin="P")]
    overlay_acceleration: Annotated[OverlayAcceleration | None, num("starts by halves", origin="P")]
    temporal_distribution: Annotated[TemporalDistribution | None, num("by thirds", origin="P")]
    burst_patterns: Annotated[Count | None, num("number of burst windows", origin="P")]
    burst_windows: Annotated[list[BurstWindow] | None, num("three or more starts within 5 s")]


class Interactions(Block):
    """The block ``overlaysInteractions``."""

    text_speech_sync: Annotated[
        Ratio | None,
        num(
            "matched / texts that were listened to, by content; null without sound", aliases=("overlaySpeechAlignment",)
        ),
    ]
    overlay_gesture_coordination: Annotated[Ratio | None, num("texts with an aligned gesture / texts with a gesture")]
    visual_emphasis_alignment: Annotated[
        Ratio | None,
        num(
            "starts within .3 s of a cut, energy rise or gesture, above chance; null unless chance gives so many hits "
            "less than once in twenty times"
        ),
    ]
    multi_layer_complexity: Annotated[
        MultiLayerComplexity | None, num("by most overlays at once; null without overlays")
    ]
    reading_flow_score: Annotated[Ratio | None, num("texts displayed long enough to read / texts")]
    multimodal_reinforcement_count: Annotated[Count | None, num("texts with matching speech or gesture", origin="P")]
    multimodal_moments: Annotated[list[MultimodalMoment] | None, num("all", origin="P")]
    cross_modal_coherence: Annotated[Ratio | None, num("mean of the available alignments, at least two", origin="P")]
    cta_reinforcement_matrix: Annotated[dict[Text, Count] | None, num("calls to action by what goes with them")]


class KeyEvents(Block):
    """The block ``overlaysKeyEvents``."""

    impactful_overlays: Annotated[
        list[ImpactfulOverlay] | None, num("largest box, call to action, first and last", judged=("reason",))
    ]
    overlay_bursts: Annotated[list[OverlayBurst] | None, num("the burst windows", judged=("purpose",))]
    key_text_moments: Annotated[list[KeyTextMoment] | None, num("text must exist in the OCR data")]
    sticker_highlights: Annotated[list[StickerHighlight] | None, num("largest stickers")]
    cta_moments: Annotated[list[CtaMoment] | None, num("in texts", origin="P")]
    overlay_peaks: Annotated[list[OverlayPeak] | None, num("windows above 1.5 x mean", origin="P")]
    climax_moment: Annotated[Span | None, num("busiest window; null when none", origin="P")]
    quiet_moments: Annotated[list[Span] | None, num("windows with no overlay", origin="P")]


class Patterns(Block):
    """The block ``overlaysPatterns``."""

    overlay_strategy: Annotated[OverlayStrategy | None, num("dynamic: cv of the text heights > .5; null without texts")]
    text_style: Annotated[TextStyle | None, judge("look of the texts; null without texts")]
    communication_approach: Annotated[CommunicationApproach | None, num("by overlap with speech")]
    visual_techniques: Annotated[list[Text] | None, judge("techniques with evidence; null without overlays")]
    production_quality: Annotated[ProductionQuality | None, judge("impression of the overlays; null without texts")]
    engagement_archetype: Annotated[EngagementArchetype | None, num("by rule", origin="P")]
    text_position_distribution: Annotated[TextPositionDistribution | None, num("shares of the tracks")]
    text_semantic_groups: Annotated[dict[Text, Count] | None, num("texts by what they say")]
    ml_tags: Annotated[list[Text] | None, num("machine tags")]


class Quality(QualityBlock):
    """The block ``overlaysQuality``."""

    text_detection_accuracy: Annotated[Ratio | None, num("mean OCR confidence")]
    sticker_recognition_rate: Annotated[Ratio | None, num("mean sticker confidence")]
    overlay_data_completeness: Annotated[Ratio, num("used services that ran / used services")]
    readability_issues: Annotated[
        list[Text] | None, num("text_too_fast, overlapping_elements, low_contrast, text_too_small")
    ]
    visual_accessibility: Annotated[Level | None, num("share of texts readable >= .8 / .5")]
    missing_data_points: Annotated[list[Text], num("kinds of overlay that are not there", origin="P")]

    @property
    def completeness(self) -> float:
        """Used services that ran / used services, 0..1."""
        return self.overlay_data_completeness


class Blocks(AnalysisBlocks):
    """The six blocks."""

    core_metrics: CoreMetrics
    dynamics: Dynamics
    interactions: Interactions
    key_events: KeyEvents
    patterns: Patterns
    quality: Quality


class ClutterWindow(MoreMetrics):
    """Overlays active in a window, by type."""

    text: Count | None
    sticker: Count | None
    total: Count | None


class PeakOverlayMoment(MoreMetrics):
    """A burst window with the types that begin in it."""

    timestamp: Span
    overlay_count: Count
    types: list[OverlayKind]


class SpeechAlignment(MoreMetrics):
    """Counts of texts that match, precede, follow or are unrelated to speech."""

    text_matches_speech: Count
    text_precedes_speech: Count
    text_follows_speech: Count
    text_unrelated_to_speech: Count


class GestureCoordination(MoreMetrics):
    """Texts by how the gestures near them point."""

    aligned: Count
    misaligned: Count
    neutral: Count


class ReinforcedMoment(MoreMetrics):
    """A call to action that is pointed at, or spoken."""

    timestamp: Time
    type: Literal["text_gesture_sync", "text_speech_sync"]
    elements: list[Text]


class PatternFlags(Record):
    """The flags of the older form."""

    high_density: Flag
    text_heavy: Flag
    sticker_heavy: Flag
    burst_pattern: Flag
    consistent_rhythm: Flag
    cta_focused: Flag
    urgency_driven: Flag


class ReadabilityMetrics(Record):
    """Contrast, size and place of the texts."""

    contrast_score: Ratio | None
    size_score: Ratio | None
    center_focus_ratio: Ratio | None
    readability_score: Ratio | None
    mobile_optimized: Flag | None
    is_cluttered: Flag | None


class OtherText(MoreMetrics):
    """A text that is no overlay, and when it is seen."""

    text: Text
    start: Seconds
    end: Seconds


class FurtherMetrics(MoreMetrics):
    """Metrics without a field in the blocks, of a video whose texts were looked for."""

    text_repetition_ratio: Ratio | None
    appearance_intervals: list[Seconds]
    clutter_timeline: dict[Span, ClutterWindow]
    peak_overlay_moments: list[PeakOverlayMoment]
    overlay_free_duration: Seconds
    breathing_room_ratio: Ratio
    text_categories: dict[Text, Count]
    primary_message_type: Text | None
    cta_density: Positive
    urgency_score: Ratio | None
    text_speech_alignment: SpeechAlignment | None
    text_gesture_coordination: GestureCoordination | None
    reinforced_moments: list[ReinforcedMoment] | None
    sticker_types: dict[Text, Count]
    front_loaded_ratio: Ratio | None
    climax_timing: Seconds | None
    overlay_acceleration_score: Signed | None
    intro_overlay_count: Count | None
    outro_overlay_count: Count | None
    detection_confidence: Ratio | None
    overlay_pattern_flags: PatternFlags | None
    readability_metrics: ReadabilityMetrics
    occlusion_events: Count
    dominant_text_changes: Count
    text_size_variance: Positive | None
    scene_text_count: Count
    scene_texts: list[OtherText]
    unknown_text_count: Count
    unknown_texts: list[OtherText]


# The older template's own six names, in the order of the generic ones they stand for.
_TEMPLATE_BLOCKS = (
    "overlayCoreMetrics", "overlayRhythmAndDensity", "overlayMultimodalAlignment", "overlaySemanticContent",
    "overlayReadabilityAndPosition", "overlayQuality",
)  # fmt: skip

SCHEMA: Final = Schema(
    "visual_overlay_analysis",
    "overlays",
    Blocks,
    alias_prefixes=("visualOverlay", "overlay"),
    alias_blocks=tuple(zip(_TEMPLATE_BLOCKS, GENERIC_BLOCKS, strict=True)),
)
