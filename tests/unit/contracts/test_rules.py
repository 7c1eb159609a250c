"""Labels of one analysis contradict neither each other nor its numbers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from rumiai.contracts.blocks.rules import contradictions
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import ANALYSES, rules_of, schema_of

from ..metrics_random import videos
from ..metrics_rich import rich
from ..metrics_videos import analysis, computed, expression, face, flat, gesture, objects, result, segment

RANDOM = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def test_rules_name_fields_and_words_of_the_contract():
    for name in ANALYSES:
        schema = schema_of(name)
        assert rules_of(name)
        for rule in rules_of(name):
            for path in (rule.label, rule.other):
                block, field, *_ = path.split(".")
                assert field in schema.block(block).by_key, (name, path)
            block, field = rule.label.split(".")
            words = schema.block(block).by_key[field].value_node.get("enum")
            assert words is None or rule.words <= set(words), (name, rule.label)


@RANDOM
@given(videos())
def test_no_video_makes_the_rules_contradict_themselves(content):
    evidence = read_evidence(analysis(**content))
    for name in ANALYSES:
        broken = contradictions(rules_of(name), computed(name, evidence).blocks)
        assert not broken, [(rule.label, rule.other, rule.says) for rule in broken]


def test_the_rich_video_keeps_them_too():
    evidence = read_evidence(analysis(**rich()))
    for name in ANALYSES:
        assert contradictions(rules_of(name), computed(name, evidence).blocks) == []


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("emotional_journey", {"Patterns": {"journeyArchetype": "steady_state"},
                               "Dynamics": {"emotionalArc": "falling"}}),
        ("person_framing", {"Patterns": {"framingArchetype": "creator_centered",
                                         "patternTags": ["minimal_creator_presence"]}}),
        ("scene_pacing", {"Patterns": {"pacingTags": ["quick_cuts"]}, "CoreMetrics": {"quickCutsCount": 0}}),
        ("person_framing", {"Patterns": {"productionValue": "high"}, "CoreMetrics": {"overallFramingQuality": 0.4}}),
    ],
)  # fmt: skip
def test_contradictions_are_seen(name, blocks):
    assert len(contradictions(rules_of(name), blocks)) == 1


def test_what_is_unknown_contradicts_nothing():
    assert contradictions(rules_of("emotional_journey"), {"Patterns": {"journeyArchetype": "steady_state"}}) == []
    assert contradictions(rules_of("scene_pacing"), {}) == []


# Cases that were seen.


def test_a_falling_arc_is_no_steady_state():
    sad = [expression(k / 2, "joy" if k < 12 else "neutral", 0.9) for k in range(24)]
    found = flat(result("emotional_journey", expressions=sad))
    assert (found["emotionalArc"], found["journeyArchetype"]) == ("falling", None)


def test_two_hands_and_a_cat_are_nobodys_professional_work():
    found = flat(
        result(
            "person_framing",
            detections=objects("cat", [k / 2 for k in range(24)]),
            gestures=[gesture(k / 2) for k in range(24)],
        )
    )
    assert found["technicalExecution"] is found["productionValue"] is found["framingArchetype"] is None


def test_a_body_without_a_face_is_no_creator_in_the_centre():
    found = flat(result("person_framing", detections=objects("person", [k / 2 for k in range(24)])))
    assert "minimal_creator_presence" in found["patternTags"]
    assert found["framingArchetype"] is None
    shown = flat(result("person_framing", faces=[face(k / 2, 0.1) for k in range(24)]))
    assert (shown["framingArchetype"], "minimal_creator_presence" in shown["patternTags"]) == ("talking_head", False)


def test_cuts_every_three_seconds_are_not_quick():
    found = flat(result("scene_pacing", cuts=[3.0, 6.0, 9.0]))
    assert (found["quickCutsCount"], "quick_cuts" in found["pacingTags"]) == (0, False)


def test_stop_scrolling_is_a_hook():
    found = flat(
        result("speech_analysis", segments=[segment("Stop scrolling and look at this cat for a while", 0.0, 4.0)])
    )
    assert found["openingHookStrength"] == 0.5
    plain = flat(result("speech_analysis", segments=[segment("The cat sat on the mat for a whole day", 0.0, 4.0)]))
    assert plain["openingHookStrength"] is None
