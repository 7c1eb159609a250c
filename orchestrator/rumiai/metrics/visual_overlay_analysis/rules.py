"""What labels and numbers of visual_overlay_analysis may say together (:mod:`rumiai.contracts.blocks.rules`)."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.rules import Rule, below, is_empty, is_not_empty, is_some, one_of, rule

RULES: Final[tuple[Rule, ...]] = (
    rule("Patterns.textStyle", "", "CoreMetrics.totalTextOverlays", is_some, "a style needs texts"),
    rule("Patterns.productionQuality", "", "CoreMetrics.totalTextOverlays", is_some, "a quality needs texts"),
    rule("Patterns.productionQuality", "professional", "Quality.readabilityIssues", is_empty, "no issues"),
    rule("Patterns.productionQuality", "professional", "Quality.visualAccessibility", one_of("high"), "readable"),
    rule("Patterns.visualTechniques", "stickers", "CoreMetrics.totalStickers", is_some, "there are stickers"),
    rule("Patterns.visualTechniques", "direct_cta", "KeyEvents.ctaMoments", is_not_empty, "calls are listed"),
    rule("Patterns.overlayStrategy", "minimal", "CoreMetrics.avgTextsPerSecond", below(0.3), "minimal is rare"),
    rule("Dynamics.temporalDistribution", "front_loaded", "Dynamics.densityProgression", one_of("front_loaded"),
          "both say where overlays begin"),
)  # fmt: skip
