"""creative_density by hand-computed videos."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.registry import schema_of

from ...metrics_videos import expression, flat, gesture, objects, result, segment, sticker, text

NAME = "creative_density"


def density(duration_s=12.0, **content):
    found = result(NAME, duration_s, **content)
    assert [str(p) for p in schema_of(NAME).problems(found.blocks, duration_s=duration_s)] == []
    return flat(found)


def test_a_video_by_hand():
    found = density(
        4.0,
        texts=[text("HELLO THERE", 0.0, 2.0), text("SALE", 1.5, 3.0)],
        stickers=[sticker(2.0, 4.0)],
        detections=objects("cup", [0.0, 0.5], copies=2) + objects("dog", [1.0]),
        gestures=[gesture(3.0), gesture(3.5), gesture(3.0, "victory")],
        cuts=[1.0, 2.5],
    )
    # text 1 2 1 0, sticker 0 0 1 1, gesture 0 0 0 2, object 2 .5 0 0 (medians of 2,2 / 1,0), cuts 0 1 1 0
    assert [row["density"] for row in found["densityCurve"]] == [3.0, 3.5, 3.0, 3.0]
    assert [row["primaryElement"] for row in found["densityCurve"]] == ["object", "text", "text", "gesture"]
    assert found["avgDensity"] == 3.125
    assert (found["maxDensity"], found["minDensity"], found["stdDeviation"]) == (3.5, 3.0, 0.217)
    assert found["elementCounts"] == {
        "text": 2, "sticker": 1, "effect": None, "transition": 0, "object": 3, "gesture": 2, "expression": 0,
    }  # fmt: skip
    assert (found["totalElements"], found["elementsPerSecond"], found["sceneChangeCount"]) == (8, 2.0, 2)
    assert (found["timelineCoverage"], found["emptySeconds"]) == (1.0, [])
    assert found["accelerationPattern"] is None  # thirds of four seconds say nothing
    assert found["densityProgression"] == "stable"
    assert found["elementCooccurrence"]["object_text"] == 2
    assert found["elementCooccurrence"]["gesture_sticker"] == 1
    assert len(found["elementCooccurrence"]) == 15
    assert found["dominantCombination"] == "object_text"
    assert [peak["timestamp"] for peak in found["multiModalPeaks"]] == ["1-2s", "2-3s"]
    assert found["coordinationScore"] == 0.5
    assert found["densityClassification"] == "moderate"
    assert found["pacingStyle"] is None
    assert found["cognitiveLoadCategory"] == "optimal"


def test_objects_do_not_grow_with_the_sampling_rate():
    coarse = density(4.0, detections=objects("cup", np.arange(0, 2, 0.5), 3), cuts=[2.0])
    fine = density(4.0, detections=objects("cup", np.arange(0, 2, 0.25), 3), cuts=[2.0], sample_fps=4.0)
    assert coarse["densityCurve"] == fine["densityCurve"]
    assert coarse["elementCounts"] == fine["elementCounts"]
    assert coarse["elementCounts"]["object"] == 3


def test_the_90th_percentile_leaves_out_a_flash():
    times = np.arange(0, 10, 0.5)  # 20 frames; nearest rank 18
    base = objects("cup", times)
    assert density(10.0, detections=base + objects("cup", [3.0, 3.5]))["elementCounts"]["object"] == 1
    assert density(10.0, detections=base + objects("cup", [3.0, 3.5, 4.0]))["elementCounts"]["object"] == 2


def test_sync_types_in_their_order():
    common = {"stickers": [sticker(0.0, 3.0)], "cuts": [0.5, 1.5, 2.5], "texts": [text("free coffee", 0.0, 3.0)]}
    peaks = density(3.0, segments=[segment("some coffee", 0.0, 0.9), segment("hello you", 1.0, 1.9)], **common)
    assert [peak["syncType"] for peak in peaks["multiModalPeaks"]] == ["redundant", "reinforcing", "complementary"]
    assert peaks["multiModalPeaks"][0]["elements"] == ["text", "sticker", "scene_change"]


def test_peak_moments():
    texts = [text(f"t{i}", i, i + 1) for i in range(12)] + [text(f"p{i}", 6.0, 7.0) for i in range(5)]
    (peak,) = density(texts=texts)["peakMoments"]
    d = np.ones(12)
    d[6] = 6
    assert peak["timestamp"] == "6-7s"
    assert peak["surpriseScore"] == pytest.approx((6 - 1) / d.std(), abs=1e-3)
    assert peak["elementBreakdown"]["text"] == peak["totalElements"] == 6


def test_expression_changes_are_smoothed():
    labels = ["joy"] * 4 + ["anger"] + ["joy"] * 4 + ["surprise"] * 3
    found = density(6.0, expressions=[expression(i / 2, label) for i, label in enumerate(labels)])
    assert found["elementCounts"]["expression"] == 1
    assert [row["density"] for row in found["densityCurve"]] == [0, 0, 0, 0, 1, 0]


def test_onsets_in_a_short_last_bin_are_rates():
    curve = density(3.5, gestures=[gesture(3.0)], texts=[text("A", 3.0, 3.5)])["densityCurve"]
    assert [row["density"] for row in curve] == [0, 0, 0, 3.0]  # one text at once, 1 / 0.5 s gestures


def test_transitions_are_what_is_no_cut():
    found = density(cuts=[3.0, 6.0], types=["cut", "fade", "dissolve"])
    assert found["elementCounts"]["transition"] == 2
    assert found["sceneChangeCount"] == 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"texts": [text("Follow me for more", 11.0, 12.0)]}, True),
        ({"segments": [segment("so link in bio", 10.5, 11.9)]}, True),
        ({"texts": [text("Follow me for more", 1.0, 2.0)]}, False),
        ({"segments": [segment("I like this video a lot", 10.5, 11.9)]}, False),
    ],
)
def test_final_call_to_action(content, expected):
    assert density(**content)["structuralFlags"]["finalCallToAction"] is expected


def test_a_failed_service_gives_null_and_its_reason():
    found = density(missing={"ocr": "no GPU", "emotion_detection": "did not run"}, detections=objects("cup", [1.0]))
    assert found["totalElements"] is found["elementsPerSecond"] is None
    assert found["elementCounts"]["text"] is None
    assert found["elementCounts"]["object"] == 0  # one frame of 24
    assert {"service": "ocr", "reason": "no GPU"} in found["missingServices"]
    assert found["dataCompleteness"] == 0.8
    assert found["detectionReliability"]["textOverlay"] is None
    # What stands for sparse or empty needs every type.
    unknown = ("densityClassification", "cognitiveLoadCategory", "emptySeconds", "deadZones", "timelineCoverage")
    assert {name: found[name] for name in unknown} == dict.fromkeys(unknown)
    assert {"service": "effect", "reason": "no detector"} in found["missingServices"]
    assert "object_text" not in found["elementCooccurrence"]
    assert density(missing=["scene_detection", "emotion_detection"])["elementCounts"]["object"] is None
    assert density(missing=["ocr", "whisper"])["structuralFlags"]["finalCallToAction"] is None


def test_nothing_ran():
    services = ("ocr", "yolo", "mediapipe", "scene_detection", "whisper", "audio_energy", "emotion_detection")
    found = result(NAME, missing=services)
    assert schema_of(NAME).problems(found.blocks) == []
    for block in ("CoreMetrics", "Dynamics", "Interactions", "KeyEvents", "Patterns"):
        assert found.blocks[block]["confidence"] == 0.0
        rest = {k: v for k, v in found.blocks[block].items() if k not in ("confidence", "elementCounts")}
        assert set(rest.values()) == {None}
    assert found.blocks["Quality"]["overallConfidence"] == 0.0
    missing = found.blocks["Quality"]["missingServices"]
    assert len(missing) == 6
    assert missing[-1] == {"service": "effect", "reason": "no detector"}


@pytest.mark.parametrize(
    ("counts", "progression", "style"),
    [
        ([1, 1, 1, 2, 3, 4], "increasing", "building"),
        ([6, 5, 3, 1, 1, 1], "decreasing", "burst_fade"),
        ([0, 0, 6, 6, 0, 0], "erratic", "oscillating"),
        ([2, 2, 2, 2, 2, 2], "stable", "steady"),
    ],
)
def test_progression_and_style(counts, progression, style):
    texts = [text(f"t{i}{n}", i, i + 1) for i, count in enumerate(counts) for n in range(count)]
    found = density(6.0, texts=texts)
    assert (found["densityProgression"], found["pacingStyle"]) == (progression, style)


def test_tags():
    texts = [text(f"t{i}", 4.0 * i, 4.0 * i + 1) for i in range(3)]
    found = result(NAME, texts=texts)
    assert found.blocks["Patterns"]["mlTags"] == ["text_driven", "multi_peak", "sparse_density", "dynamic_pacing"]
    assert found.precompute["patterns_identified"] == ["multi_peak_rhythm"]
    assert found.precompute["timeline_frame_counts"]["text_overlay_count"] == 3
