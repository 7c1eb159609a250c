"""The flat v1 form of the seven analyses, made from their six blocks (analyses, section 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from rumiai.contracts.blocks import GENERIC_BLOCKS
from rumiai.errors import ContractError
from rumiai.metrics.creative_density.curve import creative_score
from rumiai.metrics.registry import schema_of

Format = Literal["v1", "v2"]


@dataclass(frozen=True)
class _Source:
    """Where a v1 key comes from.

    Attributes:
        block: Generic block name.
        field: Its field there.
        absent: The word that v1 has for an answer without the field; a null, which is unknown, stays null.
        convert: Applied to a value that is not null.
    """

    block: str
    field: str
    absent: str | None = None
    convert: Callable[[Any], Any] | None = None


_CONFIDENCE: Final = {"confidence": _Source("CoreMetrics", "confidence")}

_FORMS: Final[Mapping[str, Mapping[str, _Source]]] = {
    "creative_density": {
        "creative_density_score": _Source("CoreMetrics", "avgDensity", convert=creative_score),
        "elements_per_second": _Source("CoreMetrics", "elementsPerSecond"),
        "density_pattern": _Source("Dynamics", "accelerationPattern", "unknown"),
        "peak_moments": _Source("KeyEvents", "peakMoments"),
        "visual_complexity": _Source("Patterns", "densityClassification", "medium"),
        "ml_tags": _Source("Patterns", "mlTags"),
    },
    "emotional_journey": {
        "dominant_emotion": _Source("CoreMetrics", "dominantEmotion", "neutral"),
        "emotional_arc": _Source("Dynamics", "emotionalArc", "stable"),
        "emotion_changes": _Source("CoreMetrics", "emotionTransitions"),
        "engagement_pattern": _Source("Patterns", "viewerJourneyMap", "steady"),
        "emotional_peaks": _Source("Dynamics", "peakEmotionMoments"),
    },
    "person_framing": {
        "person_presence_rate": _Source("CoreMetrics", "personPresenceRate"),
        "average_person_count": _Source("CoreMetrics", "avgPersonCount"),
        "dominant_framing": _Source("CoreMetrics", "dominantFraming", "medium"),
        "framing_quality": _Source("CoreMetrics", "overallFramingQuality"),
        "production_value": _Source("Patterns", "productionValue", "medium"),
    },
    "scene_pacing": {
        "total_scenes": _Source("CoreMetrics", "totalScenes"),
        "average_scene_duration": _Source("CoreMetrics", "avgSceneDuration"),
        "pacing_style": _Source("Patterns", "pacingStyle", "moderate"),
        "rhythm_consistency": _Source("CoreMetrics", "pacingConsistency"),
        "editing_style": _Source("Patterns", "editingRhythm", "standard"),
    },
    "speech_analysis": {
        "total_speech_duration": _Source("CoreMetrics", "speechDuration"),
        "words_per_minute": _Source("CoreMetrics", "wordsPerMinute"),
        "speech_clarity": _Source("CoreMetrics", "speechClarityScore"),
        "delivery_style": _Source("Patterns", "deliveryStyle", "conversational"),
        "key_phrases": _Source("KeyEvents", "keyPhrases"),
        "pause_pattern": _Source("Dynamics", "pausePattern", "natural"),
    },
    "visual_overlay_analysis": {
        "total_text_overlays": _Source("CoreMetrics", "totalTextOverlays"),
        "overlay_density": _Source("CoreMetrics", "overlayDensity"),
        "text_strategy": _Source("Patterns", "overlayStrategy", "moderate"),
        "visual_complexity": _Source("CoreMetrics", "visualComplexityScore"),
        "key_text_moments": _Source("KeyEvents", "keyTextMoments"),
        "production_quality": _Source("Patterns", "productionQuality", "medium"),
    },
    "metadata_analysis": {
        "caption_length": _Source("CoreMetrics", "captionLength"),
        "hashtag_count": _Source("CoreMetrics", "hashtagCount"),
        "engagement_rate": _Source("CoreMetrics", "engagementRate"),
        "viral_potential": _Source("Dynamics", "viralPotentialScore"),
        "caption_sentiment": _Source("Dynamics", "sentimentCategory", "neutral"),
        "hashtags": _Source("KeyEvents", "hashtags"),
        "hooks": _Source("KeyEvents", "hooks"),
    },
}


def to_legacy(analysis: str, blocks: Mapping[str, Any]) -> dict[str, Any]:
    """The v1 form of one analysis.

    Args:
        analysis: Its name; blocks of an analysis that v1 does not know come back unchanged.
        blocks: The six blocks under any accepted names: generic, prefixed, or an alias of these.

    Returns:
        The v1 keys in their order; {} for no blocks. A field that is not there is null, or v1's word for that.

    Raises:
        ContractError: None of the blocks belongs to the analysis, a block is no object, or a value cannot be converted.
    """
    if not blocks or analysis not in _FORMS:
        return dict(blocks)
    generic = schema_of(analysis).to_generic(blocks)
    if not generic.keys() & set(GENERIC_BLOCKS):
        raise ContractError(f"{analysis}: got blocks {', '.join(blocks)}, expected its six blocks")
    return {key: _value(analysis, generic, source) for key, source in {**_FORMS[analysis], **_CONFIDENCE}.items()}


def _value(analysis: str, generic: Mapping[str, Any], source: _Source) -> Any:
    block = generic.get(source.block, {})
    if not isinstance(block, Mapping):
        raise ContractError(f"{analysis} {source.block}: got {type(block).__name__}, expected an object")
    value = block.get(source.field, source.absent)
    if value is None or source.convert is None:
        return value
    try:
        return round(source.convert(value), 3)
    except TypeError as exc:
        raise ContractError(f"{analysis} {source.field}: got {value!r}, expected a number") from exc


def merge_all(analyses: Mapping[str, Mapping[str, Any]], output_format: Format) -> dict[str, Any]:
    """All analyses of a video in one object: v2 as they are, v1 each converted; those with an error as they are.

    Raises:
        ContractError: The format is neither, or an analysis cannot be converted.
    """
    if output_format not in ("v1", "v2"):
        raise ContractError(f"got output format {output_format!r}, expected v1 or v2")
    return {
        name: dict(blocks) if output_format == "v2" or "error" in blocks else to_legacy(name, blocks)
        for name, blocks in analyses.items()
    }
