"""The v1 form, field by field."""

from __future__ import annotations

import pytest

from rumiai.errors import ContractError
from rumiai.metrics.registry import ANALYSES, schema_of
from rumiai.results.v1 import merge_all, to_legacy

from ..metrics_videos import expression, face, result, segment, text

# analysis -> v1 key -> (block, field, word when the field is not there)
FORMS = {
    "creative_density": {
        "elements_per_second": ("CoreMetrics", "elementsPerSecond", None),
        "density_pattern": ("Dynamics", "accelerationPattern", "unknown"),
        "peak_moments": ("KeyEvents", "peakMoments", None),
        "visual_complexity": ("Patterns", "densityClassification", "medium"),
        "ml_tags": ("Patterns", "mlTags", None),
    },
    "emotional_journey": {
        "dominant_emotion": ("CoreMetrics", "dominantEmotion", "neutral"),
        "emotional_arc": ("Dynamics", "emotionalArc", "stable"),
        "emotion_changes": ("CoreMetrics", "emotionTransitions", None),
        "engagement_pattern": ("Patterns", "viewerJourneyMap", "steady"),
        "emotional_peaks": ("Dynamics", "peakEmotionMoments", None),
    },
    "person_framing": {
        "person_presence_rate": ("CoreMetrics", "personPresenceRate", None),
        "average_person_count": ("CoreMetrics", "avgPersonCount", None),
        "dominant_framing": ("CoreMetrics", "dominantFraming", "medium"),
        "framing_quality": ("CoreMetrics", "overallFramingQuality", None),
        "production_value": ("Patterns", "productionValue", "medium"),
    },
    "scene_pacing": {
        "total_scenes": ("CoreMetrics", "totalScenes", None),
        "average_scene_duration": ("CoreMetrics", "avgSceneDuration", None),
        "pacing_style": ("Patterns", "pacingStyle", "moderate"),
        "rhythm_consistency": ("CoreMetrics", "pacingConsistency", None),
        "editing_style": ("Patterns", "editingRhythm", "standard"),
    },
    "speech_analysis": {
        "total_speech_duration": ("CoreMetrics", "speechDuration", None),
        "words_per_minute": ("CoreMetrics", "wordsPerMinute", None),
        "speech_clarity": ("CoreMetrics", "speechClarityScore", None),
        "delivery_style": ("Patterns", "deliveryStyle", "conversational"),
        "key_phrases": ("KeyEvents", "keyPhrases", None),
        "pause_pattern": ("Dynamics", "pausePattern", "natural"),
    },
    "visual_overlay_analysis": {
        "total_text_overlays": ("CoreMetrics", "totalTextOverlays", None),
        "overlay_density": ("CoreMetrics", "overlayDensity", None),
        "text_strategy": ("Patterns", "overlayStrategy", "moderate"),
        "visual_complexity": ("CoreMetrics", "visualComplexityScore", None),
        "key_text_moments": ("KeyEvents", "keyTextMoments", None),
        "production_quality": ("Patterns", "productionQuality", "medium"),
    },
    "metadata_analysis": {
        "caption_length": ("CoreMetrics", "captionLength", None),
        "hashtag_count": ("CoreMetrics", "hashtagCount", None),
        "engagement_rate": ("CoreMetrics", "engagementRate", None),
        "viral_potential": ("Dynamics", "viralPotentialScore", None),
        "caption_sentiment": ("Dynamics", "sentimentCategory", "neutral"),
        "hashtags": ("KeyEvents", "hashtags", None),
        "hooks": ("KeyEvents", "hooks", None),
    },
}
CONTENT = {
    "texts": [text("Follow me for more", 1.0, 3.0)],
    "segments": [segment("hey you won't believe this amazing trick", 0.0, 4.0)],
    "faces": [face(i / 2, 0.3) for i in range(24)],
    "expressions": [expression(i / 2, "joy") for i in range(24)],
    "cuts": [4.0],
}
FIELDS = [(name, key, *source) for name, form in FORMS.items() for key, source in form.items()]


def test_all_analyses_have_a_form():
    assert set(FORMS) == set(ANALYSES)
    for name in ANALYSES:
        more = {"creative_density_score"} if name == "creative_density" else set()
        assert set(to_legacy(name, result(name, **CONTENT).blocks)) == {*FORMS[name], "confidence", *more}


@pytest.mark.parametrize(("name", "key", "block", "field", "absent"), FIELDS)
def test_field(name, key, block, field, absent):
    marked = object()
    assert to_legacy(name, {block: {field: marked}})[key] is marked
    assert to_legacy(name, schema_of(name).to_prefixed({block: {field: marked}}))[key] is marked
    assert to_legacy(name, {block: {}})[key] == absent
    assert to_legacy(name, {block: {field: None}})[key] is None  # unknown is not v1's default word
    assert field in result(name, **CONTENT).blocks[block]


@pytest.mark.parametrize("name", ANALYSES)
def test_confidence_and_both_namings_of_a_real_video(name):
    blocks = result(name, **CONTENT).blocks
    found = to_legacy(name, blocks)
    assert found == to_legacy(name, schema_of(name).to_prefixed(blocks))
    assert found["confidence"] == blocks["CoreMetrics"]["confidence"]
    for key, (block, field, _) in FORMS[name].items():
        assert found[key] == blocks[block][field]


@pytest.mark.parametrize(("density", "score"), [(0.0, 0.0), (0.4, 2.4), (1.0, 4.5), (2.0, 7.0), (9.0, 10.0)])
def test_density_score_is_that_of_the_metrics(density, score):
    assert to_legacy("creative_density", {"CoreMetrics": {"avgDensity": density}})["creative_density_score"] == score


def test_older_prefixes_are_read():
    found = to_legacy("person_framing", {"framingCoreMetrics": {"personPresenceRate": 0.4}})
    assert found["person_presence_rate"] == 0.4
    found = to_legacy("visual_overlay_analysis", {"visualOverlayCoreMetrics": {"totalTextOverlays": 3}})
    assert found["total_text_overlays"] == 3


def test_empty_unknown_and_wrong():
    assert to_legacy("speech_analysis", {}) == {}
    assert to_legacy("weather", {"rain": 1}) == {"rain": 1}
    with pytest.raises(ContractError, match="got blocks rain, expected its six blocks"):
        to_legacy("speech_analysis", {"rain": {}})
    with pytest.raises(ContractError, match="KeyEvents: got list, expected an object"):
        to_legacy("speech_analysis", {"speechKeyEvents": []})
    with pytest.raises(ContractError, match="avgDensity: got 'many', expected a number"):
        to_legacy("creative_density", {"CoreMetrics": {"avgDensity": "many"}})


def test_merge_all():
    speech = {"speechCoreMetrics": {"speechDuration": 2.0}}
    failed = {"error": "no answer"}
    both = {"speech_analysis": speech, "scene_pacing": failed}
    assert merge_all(both, "v2") == both
    merged = merge_all(both, "v1")
    assert merged["scene_pacing"] == failed
    assert merged["speech_analysis"]["total_speech_duration"] == 2.0
    assert merged["speech_analysis"]["delivery_style"] == "conversational"
    with pytest.raises(ContractError, match="got output format 'v3'"):
        merge_all(both, "v3")
