"""Metrics of speech_analysis that have no field of their own (docs: analyses, 5.2)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import clamp, mean, mean_known, ratio
from rumiai.metrics.speech_analysis.pacing import Pace
from rumiai.metrics.speech_analysis.phrases import Phrases
from rumiai.metrics.speech_analysis.visual import Visual
from rumiai.metrics.speech_analysis.words import Spoken

_MATTR_WINDOW: Final = 50


def further_metrics(pace: Pace, phrases: Phrases, visual: Visual) -> dict[str, Any]:
    """Everything that stands under ``precompute``, by the names of the metric table."""
    spoken = pace.spoken
    scores = effectiveness(pace, phrases, visual)
    moments = visual.emphasis
    return {
        "mattr_50": moving_diversity(spoken.vocabulary),
        **segment_metrics(spoken),
        "wpm_by_segment": windows(spoken),
        "speech_rhythm_type": pace.rhythm_type,
        "rhythm_consistency_score": None if pace.spread is None else 1 / (1 + pace.spread),
        "pause_analysis": pace.pauses(),
        "hook_density_per_10s": phrases.density(phrases.hooks),
        "cta_density_per_10s": phrases.density(phrases.ctas),
        "cta_clustering": phrases.cta_clusters(),
        "inclusive_language_ratio": phrases.inclusive_ratio,
        "repetition_patterns": phrases.repetition_patterns(),
        "speech_only_ratio": visual.speech_only,
        "expression_variety_during_speech": visual.expression_variety,
        "speech_visual_alignment": visual.alignment(),
        "visual_punctuation_count": None if moments is None else len(moments),
        "speech_pattern_tags": tags(pace, phrases, visual),
        "speech_type": None if spoken.total_words else "none",
        "speaker_changes": None,  # nothing tells the speakers apart
        "dominant_speaker_ratio": None,
        "energy_level_windows": {span(a, b): level for a, b, level in (pace.audio.windows if pace.audio else ())},
        "climax_timestamp": None if pace.audio is None else pace.audio.climax_s,
        **scores,
    }


def moving_diversity(words: list[str]) -> float | None:
    """Mean share of distinct words over all stretches of 50; of all words where there are fewer; None for none."""
    size = min(_MATTR_WINDOW, len(words))
    if not size:
        return None
    counts: dict[str, int] = {}
    total = 0
    for index, word in enumerate(words):
        counts[word] = counts.get(word, 0) + 1
        if index >= size:
            gone = words[index - size]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
        if index >= size - 1:
            total += len(counts)
    return total / (size * (len(words) - size + 1))


def segment_metrics(spoken: Spoken) -> dict[str, Any]:
    """Lengths and words of the segments; None without any."""
    spans = spoken.segment_spans_s()
    lengths = np.round(spans[:, 1] - spans[:, 0], 6)  # equal lengths miss each other by less
    longest = int(np.argmax(lengths)) if lengths.size else None
    return {
        "longest_segment": None if longest is None else float(lengths[longest]),
        "longest_segment_time": None if longest is None else float(spans[longest, 0]),
        "longest_segment_words": None if longest is None else spoken.word_counts[longest],
        "shortest_segment": float(lengths.min()) if lengths.size else None,
        "avg_words_per_segment": mean(spoken.word_counts),
    }


def windows(spoken: Spoken) -> dict[str, float]:
    """Words per minute of the 5 s windows."""
    edges, rates = spoken.windows_s.tolist(), spoken.window_rates.tolist()
    return {span(a, b): 60 * rate for a, b, rate in zip(edges, edges[1:], rates, strict=False)}


def effectiveness(pace: Pace, phrases: Phrases, visual: Visual) -> dict[str, float | None]:
    """The reference's heuristic scores; None without words."""
    names = (
        "hook_effectiveness_score", "cta_effectiveness_score", "delivery_confidence_score", "authenticity_score",
        "verbal_engagement_score", "visual_verbal_harmony_score",
    )  # fmt: skip
    spoken = pace.spoken
    if not spoken.total_words:
        return dict.fromkeys(names)
    fillers = phrases.fillers / spoken.total_words
    hook = min(1.0, 0.2 * len(phrases.hooks) + phrases.opening_strength)
    cta = min(1.0, 0.1 * len(phrases.ctas) + 0.3 * len(phrases.cta_clusters()))
    natural = (fillers < 0.05, fillers > 0.01, len(phrases.repeated) < 3, len(spoken.mumbled()) < 2)
    engaging = (
        hook > 0, cta > 0, phrases.direct_address > 0, phrases.questions > 0, bool(phrases.repeated),
        (phrases.inclusive_ratio or 0.0) > 0,
    )  # fmt: skip
    harmony = mean_known([visual.gesture_sync, visual.face_share])
    scores = (hook, cta, spoken.clarity, mean(natural), mean(engaging), None if harmony is None else clamp(harmony))
    return dict(zip(names, scores, strict=True))


def tags(pace: Pace, phrases: Phrases, visual: Visual) -> list[str]:
    """Tags by rule."""
    spoken, pauses = pace.spoken, pace.pauses()
    found = {
        "strong_opening": phrases.opening_strength > 0.5,
        "rapid_delivery": spoken.words_per_minute > 150,
        "has_dramatic_pauses": pauses["pause_count"] > 3 and any(gap["type"] == "dramatic" for gap in pauses["gaps"]),
        "repetitive_emphasis": len(phrases.repeated) >= 3,
        "direct_address_heavy": (ratio(phrases.direct_address, spoken.total_words) or 0.0) > 0.05,
        "cta_clustered": bool(phrases.cta_clusters()),
        "energy_building": pace.burst_pattern() == "climax" or pace.rhythm_type == "building",
        "clear_articulation": (spoken.clarity or 0.0) > 0.85,
        "high_gesture_sync": (visual.gesture_sync or 0.0) > 0.6,
        "face_focused_delivery": (visual.face_share or 0.0) > 0.8,
    }
    return [name for name, there in found.items() if there]
