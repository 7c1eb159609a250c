"""The flat v1 form of speech_analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.metrics.families import V1Key

V1: Final[Mapping[str, V1Key]] = {
    "total_speech_duration": V1Key("CoreMetrics", "speechDuration"),
    "words_per_minute": V1Key("CoreMetrics", "wordsPerMinute"),
    "speech_clarity": V1Key("CoreMetrics", "speechClarityScore"),
    "delivery_style": V1Key("Patterns", "deliveryStyle", "conversational"),
    "key_phrases": V1Key("KeyEvents", "keyPhrases"),
    "pause_pattern": V1Key("Dynamics", "pausePattern", "natural"),
}
