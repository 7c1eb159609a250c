"""The flat v1 form of creative_density."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.metrics.creative_density.curve import creative_score
from rumiai.metrics.families import V1Key

V1: Final[Mapping[str, V1Key]] = {
    "creative_density_score": V1Key("CoreMetrics", "avgDensity", convert=creative_score),
    "elements_per_second": V1Key("CoreMetrics", "elementsPerSecond"),
    "density_pattern": V1Key("Dynamics", "accelerationPattern", "unknown"),
    "peak_moments": V1Key("KeyEvents", "peakMoments"),
    "visual_complexity": V1Key("Patterns", "densityClassification", "medium"),
    "ml_tags": V1Key("Patterns", "mlTags"),
}
