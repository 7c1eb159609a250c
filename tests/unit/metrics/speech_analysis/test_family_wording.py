"""speech_analysis by the wording of hand-made videos."""

from __future__ import annotations

import pytest

from rumiai.metrics.registry import schema_of

from ...metrics_videos import flat, result, segment, text

NAME = "speech_analysis"


def speech(duration_s=12.0, **content):
    found = result(NAME, duration_s, **content)
    assert [str(p) for p in schema_of(NAME).problems(found.blocks, duration_s=duration_s)] == []
    return {**flat(found), "further": found.precompute}


def test_hooks_at_their_real_times():
    talk = [
        segment("hey you won't", 1.0, 4.0),
        segment("believe this trick", 4.0, 7.0),
        segment("what an amazing secret", 8.0, 12.0),
    ]
    found = speech(segments=talk)
    assert found["hookPhrases"] == [
        {"text": "hey", "timestamp": 1.0, "type": "greeting", "confidence": 1.0},
        {"text": "you won't believe", "timestamp": 2.0, "type": "promise", "confidence": 1.0},
        {"text": "trick", "timestamp": 6.0, "type": "value_prop", "confidence": 0.7},
        {"text": "amazing", "timestamp": 10.0, "type": "hyperbole", "confidence": 0.7},
        {"text": "secret", "timestamp": 11.0, "type": "value_prop", "confidence": 0.7},
    ]
    assert found["openingHookStrength"] == 1.0
    assert found["verbalHooks"] == ["hey", "you won't believe", "trick", "amazing", "secret"]
    assert found["further"]["hook_density_per_10s"] == {"0-10s": 3, "10-20s": 2}
    assert found["further"]["hook_effectiveness_score"] == 1.0
    assert "strong_opening" in found["further"]["speech_pattern_tags"]
    assert {p["significance"] for p in found["keyPhrases"]} >= {"hook: promise", "hook: greeting"}


def test_calls_to_action():
    talk = [
        segment("I like this video a lot but I know you", 0.0, 5.0),
        segment("please buy it right now", 5.0, 7.5),
        segment("and save this for the days that come", 10.0, 12.0),
        segment("check out my page", 17.0, 19.0),
    ]
    found = speech(20.0, segments=talk)
    assert found["ctaPhrases"] == [
        {"text": "buy", "timestamp": 5.5, "urgency": "high", "category": "conversion"},
        {"text": "save this", "timestamp": 10.25, "urgency": "high", "category": "save"},
        {"text": "check out", "timestamp": 17.0, "urgency": "medium", "category": "traffic"},
    ]  # "now" is four words before "save"
    assert found["deliveryStyle"] == "promotional"
    assert found["toneCategory"] == "urgent"
    assert found["further"]["cta_clustering"] == [{"start": 5.5, "end": 10.25, "count": 2}]
    assert found["further"]["cta_density_per_10s"] == {"0-10s": 1, "10-20s": 2}
    assert found["further"]["cta_effectiveness_score"] == 0.6
    assert "cta_clustered" in found["further"]["speech_pattern_tags"]
    far = speech(30.0, segments=[segment("tag a friend of yours", 0.0, 5.0)])
    assert far["ctaPhrases"] == [{"text": "tag a friend", "timestamp": 0.0, "urgency": "low", "category": "viral"}]


def test_fillers():
    def ratio(sentence):
        count = len(sentence.split())
        return round(speech(segments=[segment(sentence, 0.0, 10.0)])["fillerWordRatio"] * count)

    assert ratio("um so this is uh basically actually good") == 4
    assert ratio("it is you know big") == 1
    assert ratio("did you know that they know") == 0
    assert ratio("I like it and it looks like rain") == 0
    assert ratio("a video like this") == 0
    assert ratio("and like everybody was like really happy") == 2
    assert ratio("it was, like, huge") == 1


def test_questions():
    def count(*sentences):
        talk = [segment(s, 2.0 * i, 2.0 * i + 2) for i, s in enumerate(sentences)]
        return speech(segments=talk)["questionCount"]

    assert count("Is it? No. Really?") == 2
    assert count("what is this", "how to do it", "it is good") == 1
    assert count("Why not. what then") == 1  # the last one has no mark
    assert count("\u4eca\u5929\u597d\u5417\uff1f") == 1


def test_repetition():
    talk = [segment("coffee bean time. more coffee bean. the coffee bean and the time", 0.0, 12.0)]
    found = speech(segments=talk)
    patterns = found["further"]["repetition_patterns"]
    assert patterns["phrases"] == [{"text": "coffee bean", "count": 3, "timestamps": [0.0, 4.0, 7.0]}]
    assert patterns["emphasis_words"] == ["bean", "coffee"]
    assert found["repetitionRate"] == pytest.approx(4 / 12, abs=1e-3)
    assert {"timestamp": 0.0, "phrase": "coffee bean", "significance": "said 3 times"} in found["keyPhrases"]
    assert "repetition" in found["speechTechniques"]
    on_screen = speech(segments=talk, texts=[text("MORE Coffee TIME", 1.0, 2.0)])
    assert "time" in on_screen["further"]["repetition_patterns"]["emphasis_words"]
    again = speech(segments=[segment("la la la la", 0.0, 4.0)])  # overlapping pairs are one
    assert again["further"]["repetition_patterns"]["phrases"] == [
        {"text": "la la", "count": 2, "timestamps": [0.0, 2.0]}
    ]
    assert again["repetitionRate"] == 0.5


def test_steps_and_manner():
    talk = [
        segment("First, mix the flour.", 0.0, 3.0),
        segment("Second, add some milk.", 3.0, 6.0),
        segment("Finally, wait a second.", 6.0, 9.0),
    ]
    found = speech(segments=talk)
    assert found["transitionPhrases"] == [
        {"timestamp": 0.0, "phrase": "First", "function": "sequence"},
        {"timestamp": 3.0, "phrase": "Second", "function": "sequence"},
        {"timestamp": 6.0, "phrase": "Finally", "function": "sequence"},
    ]
    assert (found["deliveryStyle"], found["engagementStrategy"]) == ("instructional", "demonstration")
    assert found["speechTechniques"] == ["listing"]
    told = speech(segments=[segment("Yesterday I went home. I saw a cat. I laughed.", 0.0, 10.0)])
    assert (told["deliveryStyle"], told["engagementStrategy"]) == ("narrative", "storytelling")
    assert told["toneCategory"] == "calm"
    plain = speech(segments=[segment("It is a small house with two doors.", 0.0, 3.0)])
    assert (plain["deliveryStyle"], plain["engagementStrategy"]) == ("conversational", None)
    assert plain["toneCategory"] is None  # no rule tells
    glad = speech(segments=[segment("So good! I love it! What a day! Great fun!", 0.0, 6.0)])
    assert glad["toneCategory"] == "enthusiastic"
    orders = speech(segments=[segment("Mix it well. Add the salt. Stir the pot.", 0.0, 6.0)])
    assert orders["deliveryStyle"] == "instructional"


def test_complexity():
    def complexity(sentence):
        return speech(segments=[segment(sentence, 0.0, 12.0)])["linguisticComplexity"]

    assert complexity("I go. You go too. We all go now.") == "simple"
    assert complexity("Wonderful architecture demonstrates extraordinary craftsmanship. It is so.") == "complex"
    assert complexity("a b c d e f g h i j k l") == "moderate"
    assert complexity(" ".join(["go"] * 17)) == "complex"
