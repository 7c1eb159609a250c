"""What labels and numbers of metadata_analysis may say together (:mod:`rumiai.contracts.blocks.rules`)."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.rules import Rule, is_none, is_some, one_of, rule

RULES: Final[tuple[Rule, ...]] = (
    rule("Dynamics.hashtagStrategy", "none", "CoreMetrics.hashtagCount", is_none, "no strategy, no tags"),
    rule("Quality.hashtagQuality", "none", "CoreMetrics.hashtagCount", is_none, "none has no tags"),
    rule("Quality.hashtagQuality", "relevant mixed spammy", "CoreMetrics.hashtagCount", is_some, "of tags"),
    rule("Quality.captionQuality", "empty", "Quality.captionPresent", one_of(False), "an empty caption is none"),
    rule("Patterns.captionTechniques", "mention", "CoreMetrics.mentionCount", is_some, "mentions are counted"),
)  # fmt: skip
