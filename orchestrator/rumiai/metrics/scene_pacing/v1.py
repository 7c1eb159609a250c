"""The flat v1 form of scene_pacing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.metrics.families import V1Key

V1: Final[Mapping[str, V1Key]] = {
    "total_scenes": V1Key("CoreMetrics", "totalScenes"),
    "average_scene_duration": V1Key("CoreMetrics", "avgSceneDuration"),
    "pacing_style": V1Key("Patterns", "pacingStyle", "moderate"),
    "rhythm_consistency": V1Key("CoreMetrics", "pacingConsistency"),
    "editing_style": V1Key("Patterns", "editingRhythm", "standard"),
}
