"""What labels and numbers of emotional_journey may say together (:mod:`rumiai.contracts.blocks.rules`)."""

from __future__ import annotations

from typing import Final

from rumiai.contracts.blocks.rules import Rule, is_empty, is_none, is_not_empty, one_of, rule

RULES: Final[tuple[Rule, ...]] = (
    rule("Patterns.journeyArchetype", "steady_state", "Dynamics.emotionalArc", one_of("stable"),
          "a steady state has a stable arc"),
    rule("Patterns.journeyArchetype", "steady_state", "Patterns.pacingStrategy",
          one_of("steady_state", "gradual_build"), "a steady state does not shift quickly"),
    rule("Patterns.journeyArchetype", "problem_solution surprise_delight", "Dynamics.emotionalArc",
          one_of("rising"), "both rise"),
    rule("Patterns.journeyArchetype", "transformation", "Dynamics.emotionalArc", one_of("rollercoaster"),
          "a transformation goes up and down"),
    rule("Patterns.pacingStrategy", "steady_state", "CoreMetrics.emotionTransitions", is_none, "nothing changes"),
    rule("Patterns.viewerJourneyMap", "passive", "KeyEvents.emotionalPeaks", is_empty, "passive has no peak"),
    rule("Patterns.viewerJourneyMap", "engaged_throughout slow_build immediate_hook", "KeyEvents.emotionalPeaks",
          is_not_empty, "what engages has a peak"),
)  # fmt: skip
