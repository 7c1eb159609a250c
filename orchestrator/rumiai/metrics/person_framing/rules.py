"""What labels and numbers of person_framing may say together (:mod:`rumiai.contracts.blocks.rules`)."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.rules import Rule, at_least, below, is_none, is_some, rule, without

RULES: Final[tuple[Rule, ...]] = (
    rule("Patterns.framingArchetype", "creator_centered talking_head", "Patterns.patternTags",
          without("minimal_creator_presence"), "a creator in the centre is seen"),
    rule("Patterns.framingArchetype", "talking_head", "CoreMetrics.faceVisibilityRate", at_least(0.7), "heads show"),
    rule("Patterns.framingArchetype", "creator_centered", "CoreMetrics.personPresenceRate", at_least(0.7), "there"),
    rule("Patterns.framingArchetype", "product_focused", "CoreMetrics.personPresenceRate", below(0.3), "few"),
    rule("Patterns.framingStrategy", "", "CoreMetrics.personPresenceRate", is_some, "somebody is framed"),
    rule("Patterns.visualNarrative", "environment_aware", "CoreMetrics.personPresenceRate", below(0.3), "few"),
    rule("Patterns.technicalExecution", "", "CoreMetrics.personPresenceRate", is_some, "somebody is framed"),
    rule("Patterns.technicalExecution", "professional", "CoreMetrics.overallFramingQuality", at_least(0.75), "well"),
    rule("Patterns.productionValue", "high", "CoreMetrics.overallFramingQuality", at_least(0.75), "well framed"),
    rule("Patterns.productionValue", "low", "CoreMetrics.overallFramingQuality", below(0.5), "badly framed"),
    rule("Patterns.engagementTechniques", "direct_eye_contact", "CoreMetrics.eyeContactRate", at_least(0.5), "looks"),
    rule("CoreMetrics.dominantFraming", "none", "CoreMetrics.personPresenceRate", is_none, "nobody is framed"),
    rule("CoreMetrics.primarySubject", "none", "CoreMetrics.subjectCount", is_none, "no face"),
    rule("Patterns.patternTags", "stable_framing", "Patterns.patternTags", without("dynamic_framing"), "or not"),
    rule("Patterns.patternTags", "continuous_presence", "Patterns.patternTags", without("cutaway_heavy"),
          "or not"),
)  # fmt: skip
