"""visual_overlay_analysis by hand-computed videos."""

from __future__ import annotations

import pytest

from rumiai.metrics.registry import schema_of

from ...metrics_videos import flat, gesture, result, segment, sticker, text

NAME = "visual_overlay_analysis"


def overlays(duration_s=12.0, **content):
    found = result(NAME, duration_s, **content)
    assert [str(p) for p in schema_of(NAME).problems(found.blocks, duration_s=duration_s)] == []
    return flat(found) | found.precompute


def test_core_by_hand():
    found = overlays(
        10.0,
        texts=[
            text("Treasure tea", 1.0, 3.0),
            text("Treasuretea", 4.0, 6.0),
            text("@user", 0.0, 10.0, category="watermark"),
        ],
        stickers=[sticker(0.5, 2.5), sticker(6.0, 7.0, bbox=[0.1, 0.1, 0.1, 0.1])],
    )
    assert (found["totalTextOverlays"], found["uniqueTexts"], found["uniqueOverlayCount"]) == (2, 1, 1)
    assert found["uniqueOverlayRatio"] == 0.5
    assert found["text_repetition_ratio"] == 0.5
    assert (found["avgTextsPerSecond"], found["timeToFirstText"], found["timeToFirstOverlay"]) == (0.2, 1.0, 0.5)
    assert found["avgTextDisplayDuration"] == found["avgOverlayDuration"] == 2.0
    assert (found["totalStickers"], found["uniqueStickers"], found["textStickerRatio"]) == (2, 2, 1.0)
    assert (found["overlayDensity"], found["totalOverlays"], found["overlayFrequency"]) == (0.4, 4, 24.0)
    assert found["avgSimultaneousTexts"] == 0.4
    area = (4 * 0.04 + 3 * 0.01) / 10
    assert found["visualComplexityScore"] == pytest.approx(2 * 0.7 + 4 * 5 / 10 + 20 * area, abs=1e-3)
    assert found["overlay_free_duration"] == pytest.approx(10 - (2.5 + 3), abs=1e-3)  # .5-3, 4-7
    assert found["breathing_room_ratio"] == 0.45
    assert found["textDetectionAccuracy"] == 0.9
    assert found["stickerRecognitionRate"] == 0.6
    assert found["sticker_types"] == {"graphic_overlay": 2}
    assert found["appearance_intervals"] == [0.5, 3.0, 2.0]


def test_nothing_found_is_not_unknown():
    found = overlays()
    assert (found["totalTextOverlays"], found["totalOverlays"], found["overlayDensity"]) == (0, 0, 0.0)
    for name in (
        "timeToFirstText", "avgTextDisplayDuration", "textStickerRatio", "appearancePattern", "climaxMoment",
        "readingFlowScore", "textSpeechSync", "communicationApproach", "visualAccessibility", "climax_timing",
        "textPositionDistribution",
        "densityProgression", "engagementArchetype", "overlayStrategy", "textStyle", "productionQuality",
        "visualTechniques", "visualPacing", "multiLayerComplexity", "visualComplexityScore", "primary_message_type",
    ):  # fmt: skip
        assert found[name] is None, name
    assert found["quietMoments"] == ["0-3s", "3-6s", "6-9s", "9-12s"]
    assert found["missingDataPoints"] == ["no_text_detected", "no_stickers_detected", "no_speech", "no_gestures"]
    assert found["impactfulOverlays"] == found["keyTextMoments"] == found["readabilityIssues"] == []


def test_without_ocr():
    found = result(NAME, missing={"ocr": "out of memory"}, segments=[segment("hello", 0.0, 1.0)])
    assert schema_of(NAME).problems(found.blocks) == []
    assert found.blocks["CoreMetrics"]["confidence"] == 0.0
    assert found.blocks["CoreMetrics"]["totalTextOverlays"] is None
    assert found.blocks["Interactions"]["textSpeechSync"] is None
    assert {value for name, value in found.blocks["Patterns"].items() if name != "confidence"} == {None}
    assert found.blocks["Quality"]["missingServices"] == [{"service": "ocr", "reason": "out of memory"}]
    assert found.blocks["Quality"]["missingDataPoints"] == ["no_gestures"]


def unread(script, score, end_s):
    return {"start": 0.0, "end": end_s, "bbox": [0.1, 0.1, 0.5, 0.1], "script_guess": script, "script_score": score}


def test_a_script_that_could_not_be_read():
    found = result(NAME, unread=[unread("hangul", 0.9, 3.0), unread("hangul", 0.8, 2.0)]).blocks
    assert found["Quality"]["missingServices"] == [{"service": "ocr", "reason": "unsupported_script"}]
    assert "2 hangul texts unread" in found["Quality"]["missingDataPoints"]
    assert found["CoreMetrics"]["totalTextOverlays"] == 0
    assert found["CoreMetrics"]["confidence"] == 0.0


def test_surely_and_long_or_in_the_script_that_is_spoken():
    doubtful = [unread("hangul", 0.4, 3.0), unread("hangul", 0.9, 0.5)]
    silent, korean = (
        result(NAME, unread=doubtful, segments=[segment("hello", 0.0, 1.0)], language=language).blocks["Quality"]
        for language in ("en", "ko")
    )
    assert (silent["missingServices"], "2 hangul texts unread" in korean["missingDataPoints"]) == ([], True)


def test_a_poor_reading_is_no_other_script():
    meta = {"regions_detected": 12, "best_confidence": 0.06, "mean_confidence": 0.04}
    assert result(NAME, ocr_meta=meta).blocks["Quality"]["missingServices"] == []


def test_timeline_windows():
    found = overlays(7.0, texts=[text("A", 0.0, 4.0), text("B", 6.5, 7.0)], stickers=[sticker(3.0, 6.0)])
    assert found["overlayTimeline"] == [
        {"timestamp": "0-3s", "overlayCount": 1, "type": "text", "density": "low"},
        {"timestamp": "3-6s", "overlayCount": 2, "type": "mixed", "density": "medium"},
        {"timestamp": "6-7s", "overlayCount": 1, "type": "text", "density": "low"},
    ]
    assert found["overlayPeaks"] == []
    assert found["climaxMoment"] == "3-6s"
    assert found["climax_timing"] == 4.5
    assert found["clutter_timeline"]["0-5s"] == {"text": 1, "sticker": 1, "total": 2}
    assert (found["intro_overlay_count"], found["outro_overlay_count"]) == (2, 3)


@pytest.mark.parametrize(
    ("duration_s", "starts", "pattern", "progression", "distribution", "trend"),
    [
        (12.0, [1, 4, 7, 10], "rhythmic", "even", "balanced", "stable"),
        (12.0, [0, 0.5, 1, 1.5, 11], "burst", "front_loaded", "front_loaded", "decelerating"),
        (30.0, [1, 15, 21, 26], "gradual", "climactic", "back_loaded", "accelerating"),
        (30.0, [1, 11, 18.9, 21, 28], "gradual", "building", "balanced", "stable"),
    ],
)
def test_appearance(duration_s, starts, pattern, progression, distribution, trend):
    found = overlays(duration_s, texts=[text(f"text number {'abcdefg'[i]}", s, s + 0.5) for i, s in enumerate(starts)])
    assert found["appearancePattern"] == pattern
    assert found["densityProgression"] == progression
    assert found["temporalDistribution"] == distribution
    assert found["overlayAcceleration"] == trend


def test_bursts():
    texts = [text(f"word{i}", s, s + 1) for i, s in enumerate([0.0, 1.0, 4.0, 9.0, 20.0, 20.5, 21.0])]
    found = overlays(30.0, texts=[*texts[:-1], text("buy now", 21.0, 22.0)])
    assert found["burstWindows"] == [{"window": "0-5s", "count": 3}, {"window": "20-25s", "count": 3}]
    assert found["overlayBursts"] == [
        {"timestamp": "0-5s", "count": 3, "purpose": "information"},
        {"timestamp": "20-25s", "count": 3, "purpose": "call_to_action"},
    ]
    assert found["burstPatterns"] == 2
    assert found["peak_overlay_moments"][0] == {"timestamp": "0-5s", "overlay_count": 3, "types": ["text"]}
    assert found["visualPacing"] == "variable"
    assert found["appearancePattern"] == "burst"


def test_speech_by_content():
    found = overlays(
        20.0,
        segments=[segment("this secret coffee recipe", 1.0, 3.0), segment("buy the blue kettle", 12.0, 14.0)],
        texts=[
            text("SECRET COFFEE", 1.5, 3.0),  # match
            text("blue kettle", 7.0, 8.0),  # precedes by four seconds
            text("coffee recipe", 6.0, 7.5),  # follows by three
            text("unrelated thing", 1.0, 2.0),
        ],
    )
    assert found["textSpeechSync"] == found["overlaySpeechAlignment"] == 0.25
    assert found["text_speech_alignment"] == {
        "text_matches_speech": 1, "text_precedes_speech": 1, "text_follows_speech": 1, "text_unrelated_to_speech": 1,
    }  # fmt: skip
    assert found["communicationApproach"] == "supplementary"
    assert found["multimodalMoments"] == [
        {"timestamp": 1.5, "textContent": "SECRET COFFEE", "hasSpeech": True, "hasGesture": False}
    ]
    alone = overlays(texts=[text("alone", 1.0, 2.0)])
    assert alone["communicationApproach"] == "dominant"
    together = overlays(texts=[text("blue kettle", 1.0, 2.0)], segments=[segment("blue kettle", 1.0, 2.0)])
    assert together["communicationApproach"] == "reinforcing"


def test_gestures_towards_and_away_from_a_text():
    # The hand is right of the text: pointing left is towards it.
    towards = overlays(texts=[text("A", 2.0, 4.0)], gestures=[gesture(3.0, direction=[-1.0, 0.0])])
    away = overlays(texts=[text("A", 2.0, 4.0)], gestures=[gesture(3.0, direction=[1.0, 0.0])])
    other = overlays(texts=[text("A", 2.0, 4.0)], gestures=[gesture(3.0, "victory")])
    late = overlays(texts=[text("A", 2.0, 4.0)], gestures=[gesture(5.5, "thumbs_up")])
    near = overlays(texts=[text("A", 2.0, 4.0)], gestures=[gesture(5.0, "thumbs_up")])
    assert [v["overlayGestureCoordination"] for v in (towards, away, other, late, near)] == [1.0, 0.0, 0.0, None, 1.0]
    assert towards["text_gesture_coordination"] == {"aligned": 1, "misaligned": 0, "neutral": 0}
    assert away["text_gesture_coordination"]["misaligned"] == 1
    assert late["text_gesture_coordination"]["neutral"] == 1
    assert towards["multimodalReinforcementCount"] == 1
    unknown = overlays(texts=[text("A", 2.0, 4.0)], missing=["mediapipe", "whisper"])
    assert (
        unknown["overlayGestureCoordination"]
        is unknown["ctaReinforcementMatrix"]
        is unknown["multimodalMoments"]
        is None
    )


def test_calls_to_action():
    found = overlays(
        texts=[
            text("Follow me for more", 1.0, 3.0), text("Link in bio", 5.0, 6.0), text("shop now", 8.0, 9.0),
            text("I like this video", 10.0, 11.0),
        ],
        gestures=[gesture(1.0), gesture(2.0)],
        stickers=[sticker(5.5, 6.5)],
    )  # fmt: skip
    assert [m["ctaType"] for m in found["ctaMoments"]] == ["follow", "visit", "buy"]
    assert found["ctaReinforcementMatrix"] == {"text_only": 1, "text_gesture": 1, "text_sticker": 1, "all_three": 0}
    assert found["engagementArchetype"] == "conversion_focused"
    assert found["reinforced_moments"] == [
        {"timestamp": 1.0, "type": "text_gesture_sync", "elements": ["text", "pointing"]}
    ]
    assert {"cta_focused", "multi_reinforced"} <= set(found["mlTags"])
    assert found["stickerHighlights"] == [{"timestamp": 5.5, "sticker": "graphic_overlay", "purpose": "call_to_action"}]
    assert [m["function"] for m in found["keyTextMoments"]] == ["cta", "cta", "cta", "punchline"]
    assert [m["impact"] for m in found["impactfulOverlays"]] == ["high", "high", "high", "low"]
    assert found["visualTechniques"][0] == "direct_cta"


def test_emphasis_by_cut_sound_and_gesture():
    texts = [text("a1", 1.0, 2.0), text("b2", 4.2, 5.0), text("c3", 7.0, 8.0), text("d4", 10.0, 11.0)]
    found = overlays(texts=texts, cuts=[4.0], audio={"onsets": [0.8]}, gestures=[gesture(7.5)])
    assert found["visualEmphasisAlignment"] is None  # two of four, where chance gives one hit in seven
    every = [text(f"{i} x", float(i), i + 0.5) for i in range(1, 11, 3)]
    struck = overlays(texts=every, cuts=[1.0, 4.1, 7.0, 10.0])
    chance = 4 * 0.6 / 12  # the hits beyond that are no chance: .2 ** 4
    assert struck["visualEmphasisAlignment"] == pytest.approx((1 - chance) / (1 - chance))
    nothing = overlays(texts=texts, missing=["scene_detection", "audio_energy", "mediapipe"])
    assert nothing["visualEmphasisAlignment"] is None


def test_readability():
    found = overlays(
        texts=[
            text("0123456789", 0.0, 0.9),  # needs 0.3 + 0.6
            text("0123456789x", 2.0, 2.9, contrast=0.1),  # too short and pale
            text("tiny", 4.0, 6.0, bbox=[0.1, 0.1, 0.2, 0.02]),
            text("over", 4.0, 6.0, bbox=[0.1, 0.1, 0.2, 0.1]),
        ]
    )
    assert found["readingFlowScore"] == 0.75
    assert found["readabilityIssues"] == [
        "text_too_fast", "overlapping_elements", "low_contrast", "text_too_small",
    ]  # fmt: skip
    assert found["visualAccessibility"] == "medium"
    assert found["occlusion_events"] == 1
    assert found["readability_metrics"]["contrastScore"] == pytest.approx((0.8 * 3 + 0.1) / 4)
    assert found["readability_metrics"]["centerFocusRatio"] == 0.5
    assert found["textPositionDistribution"] == {"top": 0.5, "middle": 0.5, "bottom": 0.0}
    assert found["dominant_text_changes"] >= 1
    good = overlays(texts=[text("hello", 0.0, 3.0)])
    assert (good["visualAccessibility"], good["productionQuality"]) == ("high", "professional")


def test_moving_and_varied_texts():
    seen = [
        {"timestamp": float(t), "frame_number": 0, "confidence": 0.9, "bbox": [0.1 * t, 0.1, 0.2, 0.1], "contrast": 0.5}
        for t in range(3)
    ]
    found = overlays(
        texts=[
            text("moving", 0.0, 2.5, sightings=seen),
            text("large", 4.0, 6.0, bbox=[0.1, 0.5, 0.5, 0.4]),
            text("small", 4.0, 6.0, bbox=[0.1, 0.1, 0.2, 0.05]),
        ]
    )
    assert found["animationIntensity"] == pytest.approx(0.1 / 3, abs=1e-3)
    assert found["overlayStrategy"] == "dynamic"
    assert found["textStyle"] == "mixed"
    assert found["multiLayerComplexity"] == "moderate"


def test_clutter_and_decoration():
    many = [text(f"{w} text", 1.0, 3.0) for w in ("alpha", "beta", "gamma", "delta")]
    found = overlays(texts=many)
    assert (found["textStyle"], found["multiLayerComplexity"]) == ("chaotic", "complex")
    assert "overlay_dense" in found["mlTags"]
    assert overlays(stickers=[sticker(0.0, 1.0)])["textStyle"] is None  # there are no texts


def test_strategy_by_rate():
    def strategy(count):
        return overlays(10.0, texts=[text(f"{chr(97 + i)}word", i, i + 0.5) for i in range(count)])["overlayStrategy"]

    assert [strategy(n) for n in (2, 3, 8, 9)] == ["minimal", "moderate", "moderate", "heavy"]


def test_texts_by_meaning():
    found = overlays(texts=[text("hurry", 0.0, 1.0), text("why?", 2.0, 3.0), text("who?", 5.0, 6.0)])
    assert found["textSemanticGroups"]["questions"] == 2
    assert found["primary_message_type"] == "questions"
    assert found["urgency_score"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["overlay_pattern_flags"]["urgencyDriven"]


def test_writing_in_the_scene_and_texts_of_unknown_kind_count_in_no_overlay_metric():
    found = overlays(
        10.0,
        texts=[
            text("wait for it", 1.0, 3.0, kind="overlay"),
            text("link in bio", 2.0, 4.0),  # of an older version, which does not tell
            text("FOLLOW the sign", 0.0, 10.0, kind="scene"),
            text("EXIT", 5.0, 6.0, kind="unknown"),
        ],
    )
    assert (found["totalTextOverlays"], found["totalOverlays"], found["timeToFirstText"]) == (2, 2, 1.0)
    assert [moment["textContent"] for moment in found["ctaMoments"]] == ["link in bio"]
    assert (found["scene_text_count"], found["unknown_text_count"]) == (1, 1)
    assert found["scene_texts"] == [{"text": "FOLLOW the sign", "start": 0.0, "end": 10.0}]
    assert found["unknown_texts"] == [{"text": "EXIT", "start": 5.0, "end": 6.0}]
    assert [item["reason"] for item in found["missingServices"] if item["service"] == "ocr"] == [
        "text_kind_unknown: 1 of 4 texts count in neither kind",
        "text_kind_not_told: 1 of 4 texts count as overlays",
    ]
