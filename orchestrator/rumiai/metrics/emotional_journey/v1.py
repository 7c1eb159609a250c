"""The flat v1 form of emotional_journey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.metrics.families import V1Key

V1: Final[Mapping[str, V1Key]] = {
    "dominant_emotion": V1Key("CoreMetrics", "dominantEmotion", "neutral"),
    "emotional_arc": V1Key("Dynamics", "emotionalArc", "stable"),
    "emotion_changes": V1Key("CoreMetrics", "emotionTransitions"),
    "engagement_pattern": V1Key("Patterns", "viewerJourneyMap", "steady"),
    "emotional_peaks": V1Key("Dynamics", "peakEmotionMoments"),
}
