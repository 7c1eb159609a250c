"""Metrics of visual_overlay_analysis that have no field of their own (docs: analyses, 6.2)."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from rumiai.core.intervals import near
from rumiai.metrics.shared.bins import active_in, span, windows_of
from rumiai.metrics.shared.statistics import cv, mean, mean_known, ratio
from rumiai.metrics.visual_overlay_analysis.overlays import BURST_S, MINIMUM_HEIGHT, Overlays
from rumiai.metrics.visual_overlay_analysis.sync import Sync
from rumiai.metrics.visual_overlay_analysis.text import CATEGORIES, GROUPS

_ENDS_S: Final = 5.0  # what counts as intro and outro
_CENTRE: Final = 0.6  # middle share of the frame, in both directions
_GESTURE_SYNC_S: Final = 0.5
_MOST: Final = 5


def further_metrics(overlays: Overlays, sync: Sync) -> dict[str, Any]:
    """Everything that stands under ``precompute``, by the names of the metric table."""
    count, total = len(overlays.texts), overlays.total
    found = overlays.categories
    free_s = overlays.free_s()
    occlusions, dominant_changes = overlays.sweep
    centre = _busiest_centre(overlays)
    return {
        "text_repetition_ratio": ratio(count - len(set(overlays.spellings)), count),
        "appearance_intervals": overlays.gaps_s,
        "clutter_timeline": clutter_timeline(overlays),
        "peak_overlay_moments": peak_moments(overlays),
        "overlay_free_duration": free_s,
        "breathing_room_ratio": free_s / overlays.duration_s,
        "text_categories": {name: sum(name in names for names in found) for name in CATEGORIES},
        "primary_message_type": primary_message(overlays),
        "cta_density": 10 * sum(map(len, overlays.ctas)) / overlays.duration_s,
        "urgency_score": mean(["urgency" in names for names in found]),
        "text_speech_alignment": speech_alignment(sync),
        "text_gesture_coordination": gesture_coordination(sync),
        "reinforced_moments": reinforced_moments(overlays, sync),
        "sticker_types": dict(sorted(Counter(sticker.kind for sticker in overlays.stickers).items())),
        "front_loaded_ratio": ratio(int(overlays.thirds()[0]), total),
        "climax_timing": centre,
        "overlay_acceleration_score": overlays.acceleration(),
        "intro_overlay_count": _active(overlays, 0.0, _ENDS_S),
        "outro_overlay_count": _active(overlays, overlays.duration_s - _ENDS_S, overlays.duration_s),
        "detection_confidence": mean_known(text.confidence for text in overlays.texts),
        "overlay_pattern_flags": pattern_flags(overlays, mean(["urgency" in names for names in found])),
        "readability_metrics": readability(overlays),
        "occlusion_events": occlusions,
        "dominant_text_changes": dominant_changes,
        "text_size_variance": cv(overlays.heights),
    }


def clutter_timeline(overlays: Overlays) -> dict[str, dict[str, int]]:
    """Overlays active in each of the ceil(D/5) windows, by type."""
    edges = windows_of(overlays.duration_s, BURST_S)
    texts = active_in(edges, overlays.text_spans_s[:, 0], overlays.text_spans_s[:, 1])
    everything = active_in(edges, overlays.spans_s[:, 0], overlays.spans_s[:, 1])
    return {
        span(edges[i], edges[i + 1]): {"text": text, "sticker": both - text, "total": both}
        for i, (text, both) in enumerate(zip(texts.tolist(), everything.tolist(), strict=True))
    }


def peak_moments(overlays: Overlays) -> list[dict[str, Any]]:
    """The burst windows with the types that begin in them."""
    moments = []
    for start, end, count in overlays.bursts:
        texts = len(overlays.texts_begun(start, end))
        types = [kind for kind, there in (("text", texts > 0), ("sticker", texts < count)) if there]
        moments.append({"timestamp": span(start, end), "overlay_count": count, "types": types})
    return moments


def primary_message(overlays: Overlays) -> str:
    """The group with most texts, the earlier in the list on ties; "none" without texts."""
    groups = overlays.groups
    return max(GROUPS, key=lambda group: (groups[group], -GROUPS.index(group))) if overlays.texts else "none"


def speech_alignment(sync: Sync) -> dict[str, int] | None:
    """Texts by how their words stand to the speech; None when speech is unknown."""
    if sync.relations is None:
        return None
    return {
        "text_matches_speech": sync.relations.count("match"),
        "text_precedes_speech": sync.relations.count("precedes"),
        "text_follows_speech": sync.relations.count("follows"),
        "text_unrelated_to_speech": sync.relations.count("unrelated"),
    }


def gesture_coordination(sync: Sync) -> dict[str, int] | None:
    """Texts by how the gestures near them point; None when gestures are unknown."""
    if sync.evidence.gestures is None:
        return None
    return {name: sync.coordination.count(name) for name in ("aligned", "misaligned", "neutral")}


def reinforced_moments(overlays: Overlays, sync: Sync) -> list[dict[str, Any]]:
    """Calls to action with a pointing gesture within 0.5 s, or whose words are spoken; the first five."""
    pointing = [g.start_s for g in sync.evidence.gestures or () if g.kind == "pointing"]
    pointed = near([text.start_s for text in overlays.texts], pointing, _GESTURE_SYNC_S)
    moments = []
    for i, text in enumerate(overlays.texts):
        if not overlays.ctas[i]:
            continue
        if pointed[i]:
            moments.append({"timestamp": text.start_s, "type": "text_gesture_sync", "elements": ["text", "pointing"]})
        elif sync.spoken(i):
            moments.append({"timestamp": text.start_s, "type": "text_speech_sync", "elements": ["text", "speech"]})
    return moments[:_MOST]


def _busiest_centre(overlays: Overlays) -> float | None:
    if not overlays.total:
        return None
    busiest = int(np.argmax(overlays.window_counts))
    return float((overlays.windows_s[busiest] + overlays.windows_s[busiest + 1]) / 2)


def _active(overlays: Overlays, start_s: float, end_s: float) -> int:
    return int(((overlays.spans_s[:, 0] < end_s) & (overlays.spans_s[:, 1] > start_s)).sum())


def pattern_flags(overlays: Overlays, urgent: float | None) -> dict[str, bool]:
    """The flags of the older form."""
    texts, stickers = len(overlays.texts), len(overlays.stickers)
    gaps = cv(overlays.gaps_s)
    return {
        "highDensity": overlays.total / overlays.duration_s > 1,
        "textHeavy": texts > 2 * stickers,
        "stickerHeavy": stickers > texts,
        "burstPattern": len(overlays.bursts) > 2,
        "consistentRhythm": overlays.total >= 3 and gaps is not None and gaps < 0.3,
        "ctaFocused": texts > 0 and overlays.cta_texts / texts > 0.3,
        "urgencyDriven": urgent is not None and urgent > 0.2,
    }


def readability(overlays: Overlays) -> dict[str, Any]:
    """Contrast, size and place of the texts; parts that are unknown are None, and so is the score then."""
    contrast = mean_known(overlays.contrasts)
    size = mean(overlays.heights)
    middles = [text.centre for text in overlays.texts if text.centre is not None]
    margin = (1 - _CENTRE) / 2
    centre = mean([all(margin <= part <= 1 - margin for part in middle) for middle in middles])
    score = None
    if contrast is not None and size is not None and centre is not None:
        score = 0.4 * contrast + 0.4 * size + 0.2 * centre
    return {
        "contrastScore": contrast,
        "sizeScore": size,
        "centerFocusRatio": centre,
        "readabilityScore": score,
        "mobileOptimized": None if size is None or centre is None else size > MINIMUM_HEIGHT and centre > 0.7,
        "isCluttered": overlays.most_at_once() > 3,
    }


def ml_tags(overlays: Overlays) -> list[str]:
    """Machine tags."""
    texts = len(overlays.texts)
    places = overlays.place_shares() or {}
    tags = {
        "text_heavy": texts / overlays.duration_s > 1,
        "cta_focused": texts > 0 and overlays.cta_texts / texts > 0.3,
        "multi_reinforced": overlays.cta_texts >= 3,
        "position_varied": sum(share >= 0.25 for share in places.values()) >= 2,
        "overlay_dense": overlays.most_at_once() > 2,
        "continuous_overlay": overlays.free_s() < 0.3 * overlays.duration_s,
    }
    return [tag for tag, there in tags.items() if there]
