"""The flat v1 form of metadata_analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rumiai.metrics.families import V1Key

V1: Final[Mapping[str, V1Key]] = {
    "caption_length": V1Key("CoreMetrics", "captionLength"),
    "hashtag_count": V1Key("CoreMetrics", "hashtagCount"),
    "engagement_rate": V1Key("CoreMetrics", "engagementRate"),
    "viral_potential": V1Key("Dynamics", "viralPotentialScore"),
    "caption_sentiment": V1Key("Dynamics", "sentimentCategory", "neutral"),
    "hashtags": V1Key("KeyEvents", "hashtags"),
    "hooks": V1Key("KeyEvents", "hooks"),
}
