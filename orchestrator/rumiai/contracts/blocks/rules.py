"""What labels and numbers of one analysis may say together: each rule once, for the rules and for a model's answer.

A rule says: where a field holds one of these words, something else of the same analysis is so. What is unknown
contradicts nothing. The metrics keep the rules by how they choose a word; a test holds them to it on random videos. Of
a model's answer the word that breaks one is not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rumiai.contracts.blocks.model import Blocks

Holds = Callable[[Any], bool]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        label: ``Block.field`` that holds a word, or a list of words.
        words: The words that the rule is about; none given is any word.
        other: ``Block.field`` that they must go with.
        holds: Whether a known value of the other field does.
        says: The rule in words.
    """

    label: str
    words: frozenset[str]
    other: str
    holds: Holds
    says: str

    def broken_by(self, blocks: Blocks) -> bool:
        """Whether the blocks of an analysis break the rule."""
        found = _at(blocks, self.label)
        said = set(found) if isinstance(found, list) else set() if found is None else {found}
        value = _at(blocks, self.other)
        return bool(said & self.words if self.words else said) and value is not None and not self.holds(value)


def _at(blocks: Blocks, path: str) -> Any:
    value: Any = blocks
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _rule(label: str, words: str, other: str, holds: Holds, says: str) -> Rule:
    return Rule(label, frozenset(words.split()), other, holds, says)


def _one_of(*words: str | bool) -> Holds:
    return lambda value: value in words


def _below(limit: float) -> Holds:
    return lambda value: value < limit + _ROUNDING


def _from(limit: float) -> Holds:
    return lambda value: value >= limit - _ROUNDING


def _without(word: str) -> Holds:
    return lambda value: word not in value


def _is_empty(value: Collection[object]) -> bool:
    return not value


def _is_not_empty(value: Collection[object]) -> bool:
    return bool(value)


def _is_none(value: float) -> bool:
    return value == 0


def _is_some(value: float) -> bool:
    return value > 0


# Numbers of the blocks are rounded to three digits.
_ROUNDING: Final = 0.001

RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "creative_density": (
        _rule("Patterns.densityClassification", "sparse", "CoreMetrics.avgDensity", _below(1), "sparse is below 1"),
        _rule("Patterns.densityClassification", "overwhelming", "CoreMetrics.avgDensity", _from(8), "8 and more"),
        _rule("Patterns.cognitiveLoadCategory", "minimal", "CoreMetrics.avgDensity", _below(1), "minimal is below 1"),
        _rule("Patterns.pacingStyle", "building", "Dynamics.densityProgression", _one_of("increasing"), "it increases"),
        _rule("Patterns.pacingStyle", "burst_fade", "Dynamics.accelerationPattern", _one_of("front_loaded"), "early"),
        _rule("Dynamics.accelerationPattern", "front_loaded", "Patterns.structuralFlags.crescendoPattern",
              _one_of(False), "what is front loaded is no crescendo"),
        _rule("Patterns.mlTags", "sparse_density", "CoreMetrics.timelineCoverage", _below(0.7), "sparse has gaps"),
    ),
    "emotional_journey": (
        _rule("Patterns.journeyArchetype", "steady_state", "Dynamics.emotionalArc", _one_of("stable"),
              "a steady state has a stable arc"),
        _rule("Patterns.journeyArchetype", "steady_state", "Patterns.pacingStrategy",
              _one_of("steady_state", "gradual_build"), "a steady state does not shift quickly"),
        _rule("Patterns.journeyArchetype", "problem_solution surprise_delight", "Dynamics.emotionalArc",
              _one_of("rising"), "both rise"),
        _rule("Patterns.journeyArchetype", "transformation", "Dynamics.emotionalArc", _one_of("rollercoaster"),
              "a transformation goes up and down"),
        _rule("Patterns.pacingStrategy", "steady_state", "CoreMetrics.emotionTransitions", _is_none, "nothing changes"),
        _rule("Patterns.viewerJourneyMap", "passive", "KeyEvents.emotionalPeaks", _is_empty, "passive has no peak"),
        _rule("Patterns.viewerJourneyMap", "engaged_throughout slow_build immediate_hook", "KeyEvents.emotionalPeaks",
              _is_not_empty, "what engages has a peak"),
    ),
    "speech_analysis": (
        _rule("Patterns.deliveryStyle", "none", "CoreMetrics.totalWords", _is_none, "none says nothing"),
        _rule("Patterns.deliveryStyle", "conversational instructional narrative promotional",
              "CoreMetrics.speechPresent", _one_of(True), "a manner of speaking needs speech"),
        _rule("Patterns.toneCategory", "", "CoreMetrics.speechPresent", _one_of(True), "a tone needs speech"),
        _rule("Patterns.speechTechniques", "hooks", "Patterns.verbalHooks", _is_not_empty, "hooks are listed"),
        _rule("Patterns.speechTechniques", "call_to_action", "KeyEvents.ctaPhrases", _is_not_empty, "calls are listed"),
        _rule("Dynamics.pausePattern", "rushed", "CoreMetrics.pauseCount", _is_none, "who rushes does not pause"),
        _rule("Dynamics.speechRhythm", "steady", "Dynamics.pacingVariation", _below(0.2), "steady hardly varies"),
    ),
    "visual_overlay_analysis": (
        _rule("Patterns.textStyle", "", "CoreMetrics.totalTextOverlays", _is_some, "a style needs texts"),
        _rule("Patterns.productionQuality", "", "CoreMetrics.totalTextOverlays", _is_some, "a quality needs texts"),
        _rule("Patterns.productionQuality", "professional", "Quality.readabilityIssues", _is_empty, "no issues"),
        _rule("Patterns.productionQuality", "professional", "Quality.visualAccessibility", _one_of("high"), "readable"),
        _rule("Patterns.visualTechniques", "stickers", "CoreMetrics.totalStickers", _is_some, "there are stickers"),
        _rule("Patterns.visualTechniques", "direct_cta", "KeyEvents.ctaMoments", _is_not_empty, "calls are listed"),
        _rule("Patterns.overlayStrategy", "minimal", "CoreMetrics.avgTextsPerSecond", _below(0.3), "minimal is rare"),
        _rule("Dynamics.temporalDistribution", "front_loaded", "Dynamics.densityProgression", _one_of("front_loaded"),
              "both say where overlays begin"),
    ),
    "metadata_analysis": (
        _rule("Dynamics.hashtagStrategy", "none", "CoreMetrics.hashtagCount", _is_none, "no strategy, no tags"),
        _rule("Quality.hashtagQuality", "none", "CoreMetrics.hashtagCount", _is_none, "none has no tags"),
        _rule("Quality.hashtagQuality", "relevant mixed spammy", "CoreMetrics.hashtagCount", _is_some, "of tags"),
        _rule("Quality.captionQuality", "empty", "Quality.captionPresent", _one_of(False), "an empty caption is none"),
        _rule("Patterns.captionTechniques", "mention", "CoreMetrics.mentionCount", _is_some, "mentions are counted"),
    ),
    "person_framing": (
        _rule("Patterns.framingArchetype", "creator_centered talking_head", "Patterns.patternTags",
              _without("minimal_creator_presence"), "a creator in the centre is seen"),
        _rule("Patterns.framingArchetype", "talking_head", "CoreMetrics.faceVisibilityRate", _from(0.7), "heads show"),
        _rule("Patterns.framingArchetype", "creator_centered", "CoreMetrics.personPresenceRate", _from(0.7), "there"),
        _rule("Patterns.framingArchetype", "product_focused", "CoreMetrics.personPresenceRate", _below(0.3), "few"),
        _rule("Patterns.framingStrategy", "", "CoreMetrics.personPresenceRate", _is_some, "somebody is framed"),
        _rule("Patterns.visualNarrative", "environment_aware", "CoreMetrics.personPresenceRate", _below(0.3), "few"),
        _rule("Patterns.technicalExecution", "", "CoreMetrics.personPresenceRate", _is_some, "somebody is framed"),
        _rule("Patterns.technicalExecution", "professional", "CoreMetrics.overallFramingQuality", _from(0.75), "well"),
        _rule("Patterns.productionValue", "high", "CoreMetrics.overallFramingQuality", _from(0.75), "well framed"),
        _rule("Patterns.productionValue", "low", "CoreMetrics.overallFramingQuality", _below(0.5), "badly framed"),
        _rule("Patterns.engagementTechniques", "direct_eye_contact", "CoreMetrics.eyeContactRate", _from(0.5), "looks"),
        _rule("CoreMetrics.dominantFraming", "none", "CoreMetrics.personPresenceRate", _is_none, "nobody is framed"),
        _rule("CoreMetrics.primarySubject", "none", "CoreMetrics.subjectCount", _is_none, "no face"),
        _rule("Patterns.patternTags", "stable_framing", "Patterns.patternTags", _without("dynamic_framing"), "or not"),
        _rule("Patterns.patternTags", "continuous_presence", "Patterns.patternTags", _without("cutaway_heavy"),
              "or not"),
    ),
    "scene_pacing": (
        _rule("Patterns.pacingTags", "quick_cuts", "CoreMetrics.quickCutsCount", _is_some, "a quick cut is counted"),
        _rule("Patterns.pacingTags", "accelerating_pace", "Dynamics.pacingMomentum", _one_of("accelerating"), "faster"),
        _rule("Patterns.pacingTags", "has_montage_sections", "KeyEvents.montageSegments", _is_not_empty, "listed"),
        _rule("Patterns.pacingTechniques", "quick_cuts", "CoreMetrics.quickCutsCount", _is_some, "they are counted"),
        _rule("Patterns.pacingTechniques", "montage", "KeyEvents.montageSegments", _is_not_empty, "listed"),
        _rule("CoreMetrics.pacingClassification", "rapid", "CoreMetrics.avgSceneDuration", _below(2), "below 2 s"),
        _rule("CoreMetrics.pacingClassification", "slow", "CoreMetrics.avgSceneDuration", _from(8), "8 s and more"),
        _rule("Patterns.visualTempo", "fast", "CoreMetrics.pacingClassification", _one_of("rapid", "fast"), "its pace"),
        _rule("Patterns.visualTempo", "slow", "CoreMetrics.pacingClassification", _one_of("slow"), "its pace"),
        _rule("Patterns.cutMotivation", "beat_driven", "Interactions.beatMatching", _from(0.5), "cuts are on beats"),
        _rule("Patterns.editingRhythm", "accelerando", "Dynamics.pacingMomentum", _one_of("accelerating"), "faster"),
        _rule("Patterns.pacingStyle", "", "CoreMetrics.totalScenes", _from(2), "a single scene has no style"),
        _rule("Interactions.viewerAdaptationCurve", "", "CoreMetrics.totalScenes", _from(4), "a rhythm needs four"),
    ),
}  # fmt: skip


def contradictions(analysis: str, blocks: Blocks) -> list[Rule]:
    """The rules of an analysis that its blocks break.

    Args:
        analysis: Which.
        blocks: Its six blocks by generic name, as JSON types; what is missing or null contradicts nothing.

    Returns:
        In the order of the table; empty when nothing contradicts anything.
    """
    return [rule for rule in RULES.get(analysis, ()) if rule.broken_by(blocks)]
