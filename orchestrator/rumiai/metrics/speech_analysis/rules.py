"""What labels and numbers of speech_analysis may say together (:mod:`rumiai.contracts.blocks.rules`)."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.rules import Rule, below, is_none, is_not_empty, one_of, rule

RULES: Final[tuple[Rule, ...]] = (
    rule("Patterns.deliveryStyle", "none", "CoreMetrics.totalWords", is_none, "none says nothing"),
    rule("Patterns.deliveryStyle", "conversational instructional narrative promotional",
          "CoreMetrics.speechPresent", one_of(True), "a manner of speaking needs speech"),
    rule("Patterns.toneCategory", "", "CoreMetrics.speechPresent", one_of(True), "a tone needs speech"),
    rule("Patterns.speechTechniques", "hooks", "Patterns.verbalHooks", is_not_empty, "hooks are listed"),
    rule("Patterns.speechTechniques", "call_to_action", "KeyEvents.ctaPhrases", is_not_empty, "calls are listed"),
    rule("Dynamics.pausePattern", "rushed", "CoreMetrics.pauseCount", is_none, "who rushes does not pause"),
    rule("Dynamics.speechRhythm", "steady", "Dynamics.pacingVariation", below(0.2), "steady hardly varies"),
)  # fmt: skip
