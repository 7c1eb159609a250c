"""Words and tags of the journey at the limits of their rules."""

from __future__ import annotations

from rumiai.metrics.emotional_journey import patterns as p
from rumiai.metrics.emotional_journey.transitions import ToneShares


def test_journey_archetypes():
    assert p.journey_archetype((-0.2, None, 0.2), "rising", {"joy"}, "gradual_build") == "problem_solution"
    assert p.journey_archetype((0.0, None, 0.3), "rising", {"joy"}, "gradual_build") == "surprise_delight"
    assert p.journey_archetype((0.0, None, 0.3), "rising", {"surprise"}, "gradual_build") == "discovery"
    assert p.journey_archetype((None, None, None), "rollercoaster", {"surprise"}, "quick_shifts") == "transformation"
    assert p.journey_archetype((0.1, 0.1, 0.1), "stable", set(), "steady_state") == "steady_state"
    assert p.journey_archetype((0.1, 0.1, 0.1), "stable", set(), "quick_shifts") is None
    assert p.journey_archetype((0.5, None, 0.0), "falling", set(), "steady_state") is None
    assert p.journey_archetype((None, None, None), None, set(), "steady_state") is None


def test_techniques():
    assert p.emotional_techniques(["joy", "fear", "anger", "neutral"], ["joy", "neutral", "joy"], 0.51, 1) == [
        "emotional_variety", "gesture_reinforcement", "contrast", "repetition",
    ]  # fmt: skip
    assert p.emotional_techniques(["joy", "fear", "anger"], ["neutral", "joy", "neutral"], None, 0) == []


def test_pacing():
    assert [p.pacing_strategy(rate) for rate in (0.0, 0.1, 5.9, 6.0)] == [
        "steady_state", "gradual_build", "gradual_build", "quick_shifts",
    ]  # fmt: skip


def test_viewer_journeys():
    assert p.viewer_journey([], 12) == "passive"
    assert p.viewer_journey([9, 2], 12) == "immediate_hook"
    assert p.viewer_journey([3, 4, 8], 12) == "engaged_throughout"
    assert p.viewer_journey([4, 8], 12) == "slow_build"


def test_reliability_is_that_of_the_weaker():
    assert [p.reliability(*pair) for pair in ((0.6, 0.9), (0.9, 0.59), (0.3, 0.3), (0.29, 1.0), (1.0, None))] == [
        "high", "medium", "medium", "low", None,
    ]  # fmt: skip


def test_emotional_archetypes():
    def kind(variability=0.0, change_rate=0.0, diversity=0.0, trajectory="flat", positive=0.0, negative=0.0):
        shares = ToneShares(positive, negative, 1 - positive - negative)
        return p.emotional_archetype(
            variability=variability, change_rate=change_rate, diversity=diversity, trajectory=trajectory, shares=shares
        )

    assert kind(variability=0.46, change_rate=0.51) == "rollercoaster"
    assert kind(variability=0.29) == "monotonous"
    assert kind(trajectory=None, positive=0.71) == "steady_positive"
    assert kind(trajectory=None, negative=0.61) == "steady_negative"
    assert kind(trajectory=None, diversity=0.51) == "volatile"
    assert kind(trajectory="ascending") is kind(trajectory=None) is None
    assert kind(variability=0.31) == "flat"


def test_flags():
    assert p.is_dominant(0.61, 0.29)
    assert not p.is_dominant(0.61, 0.3)
    assert not p.is_dominant(None, None)
    assert (p.is_diverse(0.51), p.is_diverse(0.5), p.is_diverse(None)) == (True, False, False)


def test_tags():
    assert p.emotional_tags(
        variability=0.46, positive=0.61, trajectory="ascending", peaks=3, gesture_alignment=0.71, mixed=True
    ) == ["high_variability", "positive_bias", "uplifting_arc", "multi_peak", "authentic_expression", "mixed_signals"]
    assert (
        p.emotional_tags(variability=None, positive=None, trajectory=None, peaks=2, gesture_alignment=None, mixed=False)
        == []
    )
