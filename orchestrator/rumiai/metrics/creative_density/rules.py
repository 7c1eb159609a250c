"""What labels and numbers of creative_density may say together (:mod:`rumiai.contracts.blocks.rules`)."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.rules import Rule, at_least, below, one_of, rule

RULES: Final[tuple[Rule, ...]] = (
    rule("Patterns.densityClassification", "sparse", "CoreMetrics.avgDensity", below(1), "sparse is below 1"),
    rule("Patterns.densityClassification", "overwhelming", "CoreMetrics.avgDensity", at_least(8), "8 and more"),
    rule("Patterns.cognitiveLoadCategory", "minimal", "CoreMetrics.avgDensity", below(1), "minimal is below 1"),
    rule("Patterns.pacingStyle", "building", "Dynamics.densityProgression", one_of("increasing"), "it increases"),
    rule("Patterns.pacingStyle", "burst_fade", "Dynamics.accelerationPattern", one_of("front_loaded"), "early"),
    rule("Dynamics.accelerationPattern", "front_loaded", "Patterns.structuralFlags.crescendoPattern",
          one_of(False), "what is front loaded is no crescendo"),
    rule("Patterns.mlTags", "sparse_density", "CoreMetrics.timelineCoverage", below(0.7), "sparse has gaps"),
)  # fmt: skip
