"""Words and tags of the framing at the limits of their rules."""

from __future__ import annotations

import pytest

from rumiai.metrics.evidence.types import Action
from rumiai.metrics.person_framing import patterns as p


def rates(*, face=0.0, person=0.0, close=0.0, wide=0.0, volatility=0.0, intro=None, full_body=0.0):
    return p.FramingRates(
        face=face,
        person=person,
        close=close,
        wide=wide,
        volatility=volatility,
        intro_shot=intro,
        full_body=full_body,
    )


NOBODY = rates()


def test_actions_by_their_time():
    actions = [Action("wave", 0.0, 1.0, None), Action("dance", 0.0, 2.5, None), Action("wave", 5.0, 6.5, None)]
    assert p.actions_by_time(actions) == ["dance", "wave"]  # 2.5 s each
    assert p.actions_by_time([]) == []


@pytest.mark.parametrize(
    ("found", "actions", "intent"),
    [
        (rates(face=0.51, intro="close"), [], "personal_message"),
        (rates(person=0.51, intro="wide"), [], "performance"),
        (rates(face=0.61, close=0.51), [], "personal_message"),
        (rates(face=0.61, close=0.5), [], "educational"),
        (rates(person=0.29), [], "product_showcase"),
        (rates(person=0.3), ["a", "b", "c", "dancing"], "entertainment_dance"),
        (rates(person=0.3), ["a", "b", "c", "d"], "tutorial_demonstration"),
        (rates(person=0.3), ["a", "b", "dancing"], None),
    ],
)
def test_intents(found, actions, intent):
    assert p.video_intent(found, actions) == intent


def test_risks():
    message = rates(person=1.0, volatility=0.51, close=0.4)
    assert p.intent_risk("personal_message", message) == pytest.approx(0.8)
    assert p.intent_risk("personal_message", rates(person=1.0, volatility=0.1, close=0.9)) == 0
    assert p.intent_risk("product_showcase", rates(person=0.2, face=0.2)) == pytest.approx(0.2)
    assert p.intent_risk("product_showcase", rates(person=0.2, volatility=0.3)) == 0
    assert p.intent_risk("tutorial_demonstration", rates(person=1.0, volatility=0.71, wide=0.5)) == pytest.approx(0.4)
    assert p.intent_risk("entertainment_dance", rates(person=1.0, volatility=0.6)) == pytest.approx(0.2)
    assert p.intent_risk("educational", message) is None
    assert p.intent_risk("personal_message", NOBODY) is None
    assert [p.risk_level(risk) for risk in (None, 0.29, 0.3, 0.6)] == [None, "low", "medium", "high"]


def test_archetypes():
    assert p.framing_archetype(rates(face=0.71, person=0.9, volatility=0.29), 0, things=False) == "talking_head"
    assert p.framing_archetype(rates(person=0.8, volatility=0.51), 3, things=False) == "dynamic_demo"
    assert p.framing_archetype(rates(person=0.29), 0, things=True) == "product_focused"
    assert p.framing_archetype(rates(person=0.29), 0, things=False) is None
    assert p.framing_archetype(rates(), 0, things=True) is None  # nobody
    assert p.framing_archetype(rates(person=0.7), 0, things=False) == "balanced_presence"
    assert p.framing_archetype(rates(face=0.3, person=0.71), 2, things=False) == "creator_centered"
    assert p.framing_archetype(rates(face=0.29, person=0.71), 2, things=False) is None


def test_strategies():
    assert p.framing_strategy(NOBODY) is None
    assert p.framing_strategy(rates(person=1.0, close=0.5, volatility=0.9)) == "intimate"
    assert p.framing_strategy(rates(person=1.0, volatility=0.51, wide=0.9)) == "dynamic"
    assert p.framing_strategy(rates(person=1.0, wide=0.5)) == "observational"
    assert p.framing_strategy(rates(person=1.0)) == "staged"


def test_narratives():
    assert p.visual_narrative(None, None, None) is None
    assert p.visual_narrative(0.29, 3, 3.0) == "environment_aware"
    assert p.visual_narrative(0.3, 2, None) == p.visual_narrative(0.3, 0, 1.5) == "multi_person"
    assert p.visual_narrative(0.3, 1, 1.4) == "single_focus"
    assert [p.primary_subject(count) for count in (None, 0, 1, 4)] == [None, "none", "single", "multiple"]


def test_execution_and_value():
    assert p.technical_execution(None, 0.9, 0.0) is None
    assert p.technical_execution(0.75, 0.9, 0.0) == "professional"
    assert p.technical_execution(0.74, 0.51, 0.49) == p.technical_execution(0.74, 0.51, None) == "experimental"
    assert p.technical_execution(0.74, 0.5, 0.0) == "casual"
    assert [p.production_value(quality) for quality in (None, 0.75, 0.5, 0.49)] == [None, "high", "medium", "low"]


def test_techniques_and_tags():
    busy = rates(face=0.71, person=0.81, close=0.6, volatility=0.61, intro="close")
    assert p.engagement_techniques(busy, eye_contact=0.5, gestures=2, groups=1) == [
        "direct_eye_contact", "gesture_emphasis", "close_up_intro", "group_shots", "changing_shot_sizes",
    ]  # fmt: skip
    assert p.engagement_techniques(NOBODY, eye_contact=None, gestures=1, groups=0) == []
    assert p.pattern_tags(busy, 6) == [
        "strong_creator_presence", "cutaway_heavy", "dynamic_framing", "talking_head_style",
    ]  # fmt: skip
    # Small people are wide, but a full body is one that is seen down to its feet.
    assert "full_body_content" not in p.pattern_tags(rates(person=0.8, wide=0.8), 0)
    assert p.pattern_tags(rates(person=0.8, full_body=0.51), 0) == [
        "minimal_creator_presence", "continuous_presence", "stable_framing", "full_body_content",
    ]  # fmt: skip
    assert p.pattern_tags(NOBODY, 0) == ["minimal_creator_presence"]
    assert p.further_tags(busy, prolonged_absences=1, actions=4) == [
        "high_face_time", "close_shot_intro", "person_dominant", "has_prolonged_absences", "high_action_diversity",
    ]  # fmt: skip
    assert p.further_tags(NOBODY, prolonged_absences=0, actions=3) == []
