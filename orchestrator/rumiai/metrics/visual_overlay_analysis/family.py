"""visual_overlay_analysis: texts and stickers laid over the picture (docs: analyses, section 6)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, assemble, unknown
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import cv, mean, mean_known, ratio
from rumiai.metrics.visual_overlay_analysis.blocks import SCHEMA, Blocks
from rumiai.metrics.visual_overlay_analysis.extras import further_metrics, ml_tags
from rumiai.metrics.visual_overlay_analysis.moments import key_events
from rumiai.metrics.visual_overlay_analysis.overlays import MINIMUM_CONTRAST, MINIMUM_HEIGHT, Overlays
from rumiai.metrics.visual_overlay_analysis.sync import Sync
from rumiai.metrics.visual_overlay_analysis.text import GROUPS

WEIGHTS: Final = Weights(
    core_metrics={"ocr": 1.0},
    dynamics={"ocr": 0.9, "scenes": 0.1},
    interactions={"ocr": 0.5, "whisper": 0.25, "mediapipe": 0.15, "scenes": 0.05, "audio": 0.05},
    key_events={"ocr": 0.9, "whisper": 0.1},
    patterns={"ocr": 0.8, "whisper": 0.2},
)

_TREND: Final = 0.2
_HALF: Final = 0.5  # share of the starts in one third that makes it the heavy one
_ISSUE_SHARE: Final = 0.2  # share of the texts from which a fault is an issue
_VARIED_HEIGHTS: Final = 0.5


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video."""
    overlays = Overlays.of(evidence)
    sync = None if overlays is None else Sync(overlays, evidence)
    known = {} if overlays is None or sync is None else _known(overlays, sync)

    def block(name: str) -> dict[str, Any]:
        return {**unknown(SCHEMA, name), **known.get(name, {})}

    return assemble(
        Blocks,
        core=block("CoreMetrics"),
        dynamics=block("Dynamics"),
        interactions=block("Interactions"),
        key_events=block("KeyEvents"),
        patterns=block("Patterns") | judged(overlays, sync),
        quality=block("Quality")
        | {
            "overlayDataCompleteness": evidence.services.completeness(WEIGHTS),
            "missingDataPoints": missing_points(evidence),
        },
        precompute=known.get("precompute", {}),
    )


def _known(overlays: Overlays, sync: Sync) -> dict[str, dict[str, Any]]:
    return {
        "CoreMetrics": _core(overlays),
        "Dynamics": _dynamics(overlays),
        "Interactions": _interactions(overlays, sync),
        "KeyEvents": key_events(overlays),
        "Patterns": _patterns(overlays, sync),
        "Quality": {
            "textDetectionAccuracy": mean_known(text.confidence for text in overlays.texts),
            "stickerRecognitionRate": mean_known(sticker.confidence for sticker in overlays.stickers),
            "readabilityIssues": readability_issues(overlays),
            "visualAccessibility": accessibility(overlays),
        },
        "precompute": further_metrics(overlays, sync),
    }


def _core(overlays: Overlays) -> dict[str, Any]:
    texts, duration_s = overlays.texts, overlays.duration_s
    unique = len(set(overlays.spellings))
    on_screen_s = overlays.on_screen_s(overlays.text_spans_s)
    return {
        "totalTextOverlays": len(texts),
        "uniqueTexts": unique,
        "avgTextsPerSecond": len(texts) / duration_s,
        "timeToFirstText": min((text.start_s for text in texts), default=None),
        "timeToFirstOverlay": float(overlays.starts_s[0]) if overlays.total else None,
        "avgTextDisplayDuration": ratio(on_screen_s, len(texts)),
        "totalStickers": len(overlays.stickers),
        "uniqueStickers": unique_stickers(overlays),
        "textStickerRatio": ratio(len(texts), len(overlays.stickers)),
        "overlayDensity": overlays.total / duration_s,
        "visualComplexityScore": overlays.complexity(),
        "avgSimultaneousTexts": on_screen_s / duration_s,
        "totalOverlays": overlays.total,
        "overlayFrequency": 60 * overlays.total / duration_s,
        "uniqueOverlayRatio": ratio(unique, len(texts)),
    }


def unique_stickers(overlays: Overlays) -> int:
    """Stickers that differ in type or stand in another tenth of the frame."""
    cells = set()
    for sticker in overlays.stickers:
        x, y, width, height = sticker.box or (0.0, 0.0, 0.0, 0.0)
        cells.add((sticker.kind, int((x + width / 2) * 10), int((y + height / 2) * 10)))
    return len(cells)


def _dynamics(overlays: Overlays) -> dict[str, Any]:
    acceleration = overlays.acceleration()
    return {
        "overlayTimeline": overlays.timeline(),
        "appearancePattern": appearance_pattern(overlays),
        "densityProgression": density_progression(overlays),
        "animationIntensity": overlays.animation(),
        "visualPacing": visual_pacing(overlays),
        "rhythmConsistency": overlays.rhythm(),
        "overlayAcceleration": None if not overlays.total else _trend(acceleration),
        "temporalDistribution": temporal_distribution(overlays),
        "burstPatterns": len(overlays.bursts),
        "burstWindows": [{"window": span(start, end), "count": count} for start, end, count in overlays.bursts],
    }


def _trend(acceleration: float) -> str:
    if abs(acceleration) <= _TREND:
        return "stable"
    return "accelerating" if acceleration > 0 else "decelerating"


def appearance_pattern(overlays: Overlays) -> str | None:
    """By the gaps between starts; None with fewer than two overlays."""
    if overlays.total < 2:
        return None
    spread = cv(overlays.gaps_s) or 0.0
    if overlays.total >= 4 and spread < 0.3:
        return "rhythmic"
    if sum(count for _, _, count in overlays.bursts) > _HALF * overlays.total:
        return "burst"
    return "gradual" if spread < 0.8 else "random"


def density_progression(overlays: Overlays) -> str | None:
    """Starts by thirds; None without overlays."""
    if not overlays.total:
        return None
    first, middle, last = overlays.thirds().tolist()
    if first >= _HALF * overlays.total:
        return "front_loaded"
    if last >= _HALF * overlays.total:
        return "climactic"
    return "building" if first <= middle <= last and first < last else "even"


def temporal_distribution(overlays: Overlays) -> str | None:
    """The third that holds half of the starts, if any; None without overlays."""
    words = {"front_loaded": "front_loaded", "climactic": "back_loaded"}
    progression = density_progression(overlays)
    return None if progression is None else words.get(progression, "balanced")


def visual_pacing(overlays: Overlays) -> str:
    """By new overlays per second; variable when their gaps vary more than their mean."""
    if overlays.total >= 4 and (cv(overlays.gaps_s) or 0.0) > 1:
        return "variable"
    rate = overlays.total / overlays.duration_s
    return "slow" if rate < 0.2 else "moderate" if rate < 0.6 else "fast"


def _interactions(overlays: Overlays, sync: Sync) -> dict[str, Any]:
    at_once = overlays.most_at_once()
    moments = sync.moments()
    return {
        "textSpeechSync": sync.text_speech,
        "overlayGestureCoordination": sync.text_gesture,
        "visualEmphasisAlignment": sync.emphasis(),
        "multiLayerComplexity": "simple" if at_once <= 1 else "moderate" if at_once <= 3 else "complex",
        "readingFlowScore": mean(overlays.long_enough),
        "multimodalReinforcementCount": None if moments is None else len(moments),
        "multimodalMoments": moments,
        "crossModalCoherence": sync.coherence,
        "ctaReinforcementMatrix": sync.cta_matrix(),
    }


def _patterns(overlays: Overlays, sync: Sync) -> dict[str, Any]:
    return {
        "overlayStrategy": strategy(overlays),
        "communicationApproach": approach(overlays, sync),
        "engagementArchetype": archetype(overlays),
        "textPositionDistribution": overlays.place_shares(),
        "textSemanticGroups": {group: overlays.groups[group] for group in GROUPS},
        "mlTags": ml_tags(overlays),
    }


def strategy(overlays: Overlays) -> str:
    """Dynamic when the text heights vary, else by texts per second."""
    if (cv(overlays.heights) or 0.0) > _VARIED_HEIGHTS:
        return "dynamic"
    rate = len(overlays.texts) / overlays.duration_s
    return "minimal" if rate < 0.3 else "moderate" if rate <= 0.8 else "heavy"


def approach(overlays: Overlays, sync: Sync) -> str | None:
    """What the texts are beside the speech; None without texts or speech data."""
    speech, matched = sync.evidence.speech, sync.text_speech
    if speech is None or matched is None:
        return None
    if not speech.words:
        return "dominant"
    return "reinforcing" if matched > _HALF else "supplementary"


def archetype(overlays: Overlays) -> str | None:
    """By calls to action and density; None without overlays."""
    if not overlays.total:
        return None
    if overlays.cta_texts > 2:
        return "conversion_focused"
    return "attention_grabbing" if overlays.total / overlays.duration_s > 0.8 else "informational"


def judged(overlays: Overlays | None, sync: Sync | None) -> dict[str, Any]:
    """What a model may decide otherwise, by rule; without data the plainest word and no technique."""
    if overlays is None or sync is None:
        return {"textStyle": "clean", "visualTechniques": [], "productionQuality": "casual"}
    access, issues = accessibility(overlays), readability_issues(overlays)
    production = "professional" if access == "high" and not issues else "amateur" if access == "low" else "casual"
    moments = sync.moments() or []
    techniques = {
        "direct_cta": overlays.cta_texts > 0,
        "rhythmic_timing": (overlays.rhythm() or 0.0) > 0.7,
        "text_bursts": bool(overlays.bursts),
        "stickers": bool(overlays.stickers),
        "animated_text": (overlays.animation() or 0.0) > 0.1,
        "multimodal_reinforcement": len(moments) > 0.3 * len(overlays.texts),
    }
    return {
        "textStyle": text_style(overlays),
        "visualTechniques": [name for name, there in techniques.items() if there],
        "productionQuality": production,
    }


def text_style(overlays: Overlays) -> str:
    """Look of the texts by clutter, stickers and sizes."""
    if overlays.most_at_once() > 3 and overlays.sweep[0]:
        return "chaotic"
    if len(overlays.stickers) > len(overlays.texts):
        return "decorative"
    return "mixed" if (cv(overlays.heights) or 0.0) > _VARIED_HEIGHTS else "clean"


def readability_issues(overlays: Overlays) -> list[str]:
    """Faults that a fifth or more of the texts have, and boxes that cover each other."""
    contrasts = [contrast for contrast in overlays.contrasts if contrast is not None]
    shares = {
        "text_too_fast": mean([not long for long in overlays.long_enough]),
        "overlapping_elements": float(overlays.sweep[0] > 0),
        "low_contrast": mean(np.array(contrasts) < MINIMUM_CONTRAST),
        "text_too_small": mean(overlays.heights < MINIMUM_HEIGHT),
    }
    return [name for name, share in shares.items() if share is not None and share >= _ISSUE_SHARE]


def accessibility(overlays: Overlays) -> str | None:
    """By the share of the texts that can be read; None without texts."""
    share = mean(overlays.readable())
    if share is None:
        return None
    return "high" if share >= 0.8 else "medium" if share >= 0.5 else "low"


def missing_points(evidence: Evidence) -> list[str]:
    """Kinds of evidence that were looked for and are not there."""
    speech = evidence.speech
    found = {
        "no_text_detected": evidence.texts is not None and not evidence.texts,
        "no_stickers_detected": evidence.stickers is not None and not evidence.stickers,
        "no_speech": speech is not None and not speech.words,
        "no_gestures": evidence.gestures is not None and not evidence.gestures,
    }
    return [name for name, there in found.items() if there]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked; None when there is something to judge."""
    return None if blocks.core_metrics.total_overlays else "there are no overlays"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge)
