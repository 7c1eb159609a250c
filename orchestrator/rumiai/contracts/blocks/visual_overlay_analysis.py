"""Schema of visual_overlay_analysis."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.model import GENERIC_BLOCKS, Analysis, analysis, judge, num, sure
from rumiai.contracts.blocks.types import (
    FLAG,
    INT,
    POSITIVE,
    RATIO,
    SECONDS,
    SPAN,
    STRINGS,
    TEXT,
    TIME,
    ListOf,
    Number,
    Record,
    Table,
    words,
)

_LEVEL = words("low medium high")
_CTA_TYPES = words("follow like comment share save visit buy subscribe download")
# The older template's own six names, in the order of the generic ones they stand for.
_TEMPLATE_BLOCKS = (
    "overlayCoreMetrics", "overlayRhythmAndDensity", "overlayMultimodalAlignment", "overlaySemanticContent",
    "overlayReadabilityAndPosition", "overlayQuality",
)  # fmt: skip

VISUAL_OVERLAY_ANALYSIS: Final[Analysis] = analysis(
    "visual_overlay_analysis",
    "overlays",
    alias_prefixes=("visualOverlay", "overlay"),
    alias_blocks=tuple(zip(_TEMPLATE_BLOCKS, GENERIC_BLOCKS, strict=True)),
    core=(
        num("totalTextOverlays", INT, "text tracks"),
        num("uniqueTexts", INT, "after merging spellings", aliases=("uniqueOverlayCount",)),
        num("avgTextsPerSecond", POSITIVE, "text tracks / D"),
        num("timeToFirstText", TIME, "null when none"),
        num("timeToFirstOverlay", TIME, "the same incl. stickers"),
        num("avgTextDisplayDuration", SECONDS, "mean length of the tracks", aliases=("avgOverlayDuration",)),
        num("totalStickers", INT, "stickers"),
        num("uniqueStickers", INT, "distinct by type and place"),
        num("textStickerRatio", POSITIVE, "null without stickers"),
        num("overlayDensity", Number(low=0, unit="per s"), "all overlays / D"),
        num("visualComplexityScore", Number(low=0, high=10), "simultaneous, rate and area"),
        num("avgSimultaneousTexts", POSITIVE, "mean over time", origin="T"),
        num("totalOverlays", INT, "texts and stickers", origin="P"),
        num("overlayFrequency", POSITIVE, "all overlays per minute", origin="P"),
        num("uniqueOverlayRatio", RATIO, "unique texts / text overlays", origin="P"),
    ),
    dynamics=(
        num(
            "overlayTimeline",
            ListOf(Record(timestamp=SPAN, overlayCount=INT, type=words("text sticker mixed none"), density=_LEVEL)),
            "3-second windows over D",
        ),
        num("appearancePattern", words("gradual burst rhythmic random"), "by the gaps between starts"),
        num("densityProgression", words("building front_loaded even climactic"), "starts by thirds"),
        num("animationIntensity", RATIO, "mean box displacement of tracks per s / frame, clamped"),
        num("visualPacing", words("slow moderate fast variable"), "new overlays per s < .2, < .6"),
        num("rhythmConsistency", RATIO, "1/(1+cv) of the gaps; null with fewer than 3", origin="P"),
        num("overlayAcceleration", words("stable accelerating decelerating"), "starts by halves", origin="P"),
        num("temporalDistribution", words("front_loaded balanced back_loaded"), "by thirds", origin="P"),
        num("burstPatterns", INT, "number of burst windows", origin="P"),
        num("burstWindows", ListOf(Record(window=SPAN, count=INT)), "three or more starts within 5 s"),
    ),
    interactions=(
        num("textSpeechSync", RATIO, "matched texts / texts, by content", aliases=("overlaySpeechAlignment",)),
        num("overlayGestureCoordination", RATIO, "texts with an aligned gesture / texts with a gesture"),
        num("visualEmphasisAlignment", RATIO, "starts within .3 s of a cut, energy rise or gesture / starts"),
        num("multiLayerComplexity", words("simple moderate complex"), "by most overlays at once"),
        num("readingFlowScore", RATIO, "texts displayed long enough to read / texts"),
        num("multimodalReinforcementCount", INT, "texts with matching speech or gesture", origin="P"),
        num(
            "multimodalMoments",
            ListOf(Record(timestamp=TIME, textContent=TEXT, hasSpeech=FLAG, hasGesture=FLAG)),
            "all",
            origin="P",
        ),
        num("crossModalCoherence", RATIO, "mean of the available alignments", origin="P"),
        num("ctaReinforcementMatrix", Table(INT), "calls to action by what goes with them"),
    ),
    key_events=(
        num(
            "impactfulOverlays",
            ListOf(Record(timestamp=SPAN, text=TEXT, impact=words("high medium low"), reason=TEXT)),
            "largest box, call to action, first and last",
            judged=("reason",),
        ),
        num(
            "overlayBursts",
            ListOf(Record(timestamp=SPAN, count=INT, purpose=TEXT)),
            "the burst windows",
            judged=("purpose",),
        ),
        num(
            "keyTextMoments",
            ListOf(Record(timestamp=TIME, text=TEXT, function=words("hook cta info punchline caption"))),
            "text must exist in the OCR data",
        ),
        num("stickerHighlights", ListOf(Record(timestamp=TIME, sticker=TEXT, purpose=TEXT)), "largest stickers"),
        num("ctaMoments", ListOf(Record(timestamp=TIME, ctaType=_CTA_TYPES, textContent=TEXT)), "in texts", origin="P"),
        num(
            "overlayPeaks",
            ListOf(Record(timestamp=SPAN, overlayCount=INT, intensity=RATIO)),
            "windows above 1.5 x mean",
            origin="P",
        ),
        num("climaxMoment", SPAN, "busiest window; null when none", origin="P"),
        num("quietMoments", ListOf(SPAN), "windows with no overlay", origin="P"),
    ),
    patterns=(
        num("overlayStrategy", words("minimal moderate heavy dynamic"), "dynamic: cv of the text heights > .5"),
        judge("textStyle", words("clean decorative mixed chaotic"), "look of the texts"),
        num("communicationApproach", words("reinforcing supplementary dominant"), "by overlap with speech"),
        judge("visualTechniques", STRINGS, "techniques with evidence"),
        judge("productionQuality", words("professional casual amateur"), "impression of the overlays"),
        num("engagementArchetype", words("informational conversion_focused attention_grabbing"), "by rule", origin="P"),
        num("textPositionDistribution", Record(top=RATIO, middle=RATIO, bottom=RATIO), "shares of the tracks"),
        num("textSemanticGroups", Table(INT), "texts by what they say"),
        num("mlTags", STRINGS, "machine tags"),
    ),
    quality=(
        num("textDetectionAccuracy", RATIO, "mean OCR confidence"),
        num("stickerRecognitionRate", RATIO, "mean sticker confidence"),
        sure("overlayDataCompleteness", RATIO, "used services that ran / used services"),
        num("readabilityIssues", STRINGS, "text_too_fast, overlapping_elements, low_contrast, text_too_small"),
        num("visualAccessibility", words("high medium low"), "share of texts readable >= .8 / .5"),
        sure("missingDataPoints", STRINGS, "kinds of overlay that are not there", origin="P"),
    ),
)
