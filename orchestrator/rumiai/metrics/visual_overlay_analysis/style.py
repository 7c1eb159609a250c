"""What the overlays amount to, in words and tags.

Source: docs/analyses.md, visual_overlay_analysis. Rates are per second of video.
"""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.types import Level
from rumiai.core.arrays import Floats
from rumiai.metrics.shared.statistics import cv
from rumiai.metrics.visual_overlay_analysis.blocks import (
    CommunicationApproach,
    EngagementArchetype,
    OverlayStrategy,
    ProductionQuality,
    TextStyle,
)

_VARIED_HEIGHTS_CV: Final = 0.5
_MINIMAL_HZ, _MODERATE_HZ = 0.3, 0.8  # texts per second
_ATTENTION_HZ: Final = 0.8  # overlays per second
_MANY_CTAS: Final = 2
_MANY_AT_ONCE: Final = 3
_MATCHED: Final = 0.5  # share of the texts that are spoken
_RHYTHMIC: Final = 0.7  # rhythm consistency
_ANIMATED: Final = 0.1  # frames per second
_REINFORCED: Final = 0.3  # share of the texts
_CTA_FOCUSED: Final = 0.3  # share of the texts
_USED_PLACE: Final = 0.25  # share of the texts
_FREE: Final = 0.3  # share of the video


def has_varied_heights(heights: Floats) -> bool:
    """Whether the texts are of varied size: a cv of their heights above 0.5.

    Source: docs/analyses.md, overlaysPatterns, ``overlayStrategy``.

    Args:
        heights: ``(k,)`` heights of a line of the texts, in heights of the frame.

    Returns:
        False for none.
    """
    return (cv(heights) or 0.0) > _VARIED_HEIGHTS_CV


def overlay_strategy(heights: Floats, texts_hz: float) -> OverlayStrategy | None:
    """``dynamic`` when the heights vary, else texts per second: below 0.3, up to 0.8, more.

    Args:
        heights: ``(k,)`` box heights of the texts.
        texts_hz: Texts per second observed.

    Returns:
        None without texts.
    """
    if not texts_hz:
        return None
    if has_varied_heights(heights):
        return "dynamic"
    return "minimal" if texts_hz < _MINIMAL_HZ else "moderate" if texts_hz <= _MODERATE_HZ else "heavy"


def communication_approach(anything_said: bool, matched: float) -> CommunicationApproach:
    """What the texts are beside the speech: all there is, its echo, or an addition.

    Source: docs/analyses.md, overlaysPatterns, ``communicationApproach``.

    Args:
        anything_said: Whether a word is spoken.
        matched: Share of the texts whose words are spoken, 0..1.

    Returns:
        dominant when nothing is said, reinforcing when more than half of the texts are spoken, else supplementary.
    """
    if not anything_said:
        return "dominant"
    return "reinforcing" if matched > _MATCHED else "supplementary"


def engagement_archetype(cta_texts: int, overlays_hz: float) -> EngagementArchetype:
    """What the overlays are after, by calls to action, then by overlays per second.

    Source: docs/analyses.md, overlaysPatterns, ``engagementArchetype``.

    Args:
        cta_texts: Texts with a call to action.
        overlays_hz: Overlays per second observed.

    Returns:
        conversion_focused above two such texts, else attention_grabbing above 0.8 overlays per second, else
        informational.
    """
    if cta_texts > _MANY_CTAS:
        return "conversion_focused"
    return "attention_grabbing" if overlays_hz > _ATTENTION_HZ else "informational"


def text_style(*, texts: int, stickers: int, at_once: int, covering_pairs: int, heights: Floats) -> TextStyle | None:
    """Look of the texts.

    ``chaotic`` when more than three overlays stand at once and some cover each other, ``decorative`` with more
    stickers than texts, ``mixed`` when the heights vary, ``clean`` when they do not and nothing covers anything.

    Args:
        texts: Number of texts.
        stickers: Number of stickers.
        at_once: The most overlays at one instant.
        covering_pairs: Pairs of overlays that cover each other.
        heights: ``(k,)`` box heights of the texts.

    Returns:
        None without texts, and where no rule fits.
    """
    if not texts or not heights.size:
        return None
    if at_once > _MANY_AT_ONCE and covering_pairs:
        return "chaotic"
    if stickers > texts:
        return "decorative"
    if has_varied_heights(heights):
        return "mixed"
    return None if covering_pairs else "clean"


def production_quality(access: Level | None, issues: list[str]) -> ProductionQuality | None:
    """How well the texts can be read.

    Args:
        access: Accessibility of the texts; None without texts.
        issues: Readability issues.

    Returns:
        ``professional`` when nearly all texts can be read and nothing is at fault, ``amateur`` when few can, ``casual``
        in between; None without texts.
    """
    if access is None:
        return None
    if access == "high" and not issues:
        return "professional"
    return "amateur" if access == "low" else "casual"


def visual_techniques(
    *,
    texts: int,
    stickers: int,
    cta_texts: int,
    bursts: int,
    rhythm: float | None,
    animation: float | None,
    reinforced: int,
) -> list[str]:
    """Techniques that there is evidence for.

    Source: docs/analyses.md, overlaysPatterns, ``visualTechniques``.

    Args:
        texts: Number of texts.
        stickers: Number of stickers.
        cta_texts: Texts with a call to action.
        bursts: Number of bursts.
        rhythm: Rhythm consistency, 0..1; None when unknown.
        animation: Animation intensity, frames per second; None when unknown.
        reinforced: Texts with matching speech or a gesture.

    Returns:
        Names in a fixed order; rhythmic timing above 0.7, animation above 0.1, reinforcement of more than 30 % of the
        texts. Empty for none.
    """
    techniques = {
        "direct_cta": cta_texts > 0,
        "rhythmic_timing": (rhythm or 0.0) > _RHYTHMIC,
        "text_bursts": bursts > 0,
        "stickers": stickers > 0,
        "animated_text": (animation or 0.0) > _ANIMATED,
        "multimodal_reinforcement": reinforced > _REINFORCED * texts,
    }
    return [name for name, there in techniques.items() if there]


def ml_tags(
    *,
    texts_hz: float,
    cta_texts: int,
    cta_share: float,
    places: tuple[float, float, float] | None,
    at_once: int,
    free_share: float,
) -> list[str]:
    """Machine tags.

    Source: docs/analyses.md, overlaysPatterns, ``mlTags``.

    Args:
        texts_hz: Texts per second observed.
        cta_texts: Texts with a call to action.
        cta_share: Their share of the texts, 0..1.
        places: Shares of the texts in the top, middle and bottom third; None without a known box.
        at_once: The most overlays at one instant.
        free_share: Share of the time observed without overlays.

    Returns:
        Tags in a fixed order: above one text per second, calls in more than 30 % of the texts, in more than two texts,
        two thirds of the frame with a quarter of the texts each, more than two overlays at once, less than 30 % free.
    """
    tags = {
        "text_heavy": texts_hz > 1,
        "cta_focused": cta_share > _CTA_FOCUSED,
        "multi_reinforced": cta_texts > _MANY_CTAS,
        "position_varied": sum(share >= _USED_PLACE for share in places or ()) >= 2,
        "overlay_dense": at_once > 2,
        "continuous_overlay": free_share < _FREE,
    }
    return [tag for tag, there in tags.items() if there]
