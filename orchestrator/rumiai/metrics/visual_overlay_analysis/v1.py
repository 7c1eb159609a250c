"""The flat v1 form of visual_overlay_analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.metrics.families import V1Key

V1: Final[Mapping[str, V1Key]] = {
    "total_text_overlays": V1Key("CoreMetrics", "totalTextOverlays"),
    "overlay_density": V1Key("CoreMetrics", "overlayDensity"),
    "text_strategy": V1Key("Patterns", "overlayStrategy", "moderate"),
    "visual_complexity": V1Key("CoreMetrics", "visualComplexityScore"),
    "key_text_moments": V1Key("KeyEvents", "keyTextMoments"),
    "production_quality": V1Key("Patterns", "productionQuality", "medium"),
}
