"""The flat v1 form of person_framing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.metrics.families import V1Key

V1: Final[Mapping[str, V1Key]] = {
    "person_presence_rate": V1Key("CoreMetrics", "personPresenceRate"),
    "average_person_count": V1Key("CoreMetrics", "avgPersonCount"),
    "dominant_framing": V1Key("CoreMetrics", "dominantFraming", "medium"),
    "framing_quality": V1Key("CoreMetrics", "overallFramingQuality"),
    "production_value": V1Key("Patterns", "productionValue", "medium"),
}
