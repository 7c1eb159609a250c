"""What labels and numbers of scene_pacing may say together (:mod:`rumiai.contracts.blocks.rules`)."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.rules import Rule, at_least, below, is_not_empty, is_some, one_of, rule

RULES: Final[tuple[Rule, ...]] = (
    rule("Patterns.pacingTags", "quick_cuts", "CoreMetrics.quickCutsCount", is_some, "a quick cut is counted"),
    rule("Patterns.pacingTags", "accelerating_pace", "Dynamics.pacingMomentum", one_of("accelerating"), "faster"),
    rule("Patterns.pacingTags", "has_montage_sections", "KeyEvents.montageSegments", is_not_empty, "listed"),
    rule("Patterns.pacingTechniques", "quick_cuts", "CoreMetrics.quickCutsCount", is_some, "they are counted"),
    rule("Patterns.pacingTechniques", "montage", "KeyEvents.montageSegments", is_not_empty, "listed"),
    rule("CoreMetrics.pacingClassification", "rapid", "CoreMetrics.avgSceneDuration", below(2), "below 2 s"),
    rule("CoreMetrics.pacingClassification", "slow", "CoreMetrics.avgSceneDuration", at_least(8), "8 s and more"),
    rule("Patterns.visualTempo", "fast", "CoreMetrics.pacingClassification", one_of("rapid", "fast"), "its pace"),
    rule("Patterns.visualTempo", "slow", "CoreMetrics.pacingClassification", one_of("slow"), "its pace"),
    rule("Patterns.cutMotivation", "beat_driven", "Interactions.beatMatching", at_least(0.5), "cuts are on beats"),
    rule("Patterns.editingRhythm", "accelerando", "Dynamics.pacingMomentum", one_of("accelerating"), "faster"),
    rule("Patterns.pacingStyle", "", "CoreMetrics.totalScenes", at_least(3), "one cut is no style"),
    rule("Interactions.viewerAdaptationCurve", "", "CoreMetrics.totalScenes", at_least(4), "a rhythm needs four"),
)  # fmt: skip
