"""scene_pacing by hand-computed videos."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import schema_of

from ...metrics_videos import analysis, computed, expression, face, flat, gesture, objects, result, text

NAME = "scene_pacing"


def pacing(duration_s=12.0, **content):
    found = result(NAME, duration_s, **content)
    assert [str(p) for p in schema_of(NAME).problems(found.blocks, duration_s=duration_s)] == []
    return flat(found) | found.precompute


def test_four_scenes_by_hand():
    found = pacing(12.0, cuts=[0.5, 2.0, 7.0], scores=[3.0, 6.0, 9.0])  # .5 1.5 5 5
    durations = np.array([0.5, 1.5, 5.0, 5.0])
    cv = durations.std() / 3.0
    assert found["totalScenes"] == 4
    assert found["sceneChangeRate"] == 0.25
    assert found["avgSceneDuration"] == found["averageSceneDuration"] == 3.0
    assert (found["minSceneDuration"], found["maxSceneDuration"]) == (0.5, 5.0)
    assert found["sceneDurationVariance"] == pytest.approx(durations.var(), abs=1e-3)
    assert (found["quickCutsCount"], found["longTakesCount"], found["shortScenesCount"]) == (1, 2, 2)
    assert found["sceneRhythmScore"] == pytest.approx(1 / (1 + cv), abs=1e-3)
    assert found["pacingConsistency"] == pytest.approx(1 - cv, abs=1e-3)
    assert (found["videoDuration"], found["scenesPerMinute"], found["cut_frequency"]) == (12.0, 20.0, 15.0)
    assert found["pacingClassification"] == "fast"
    assert [row["cutsPerSecond"] for row in found["pacingCurve"]] == [0.5, 0.5, 0.0, 0.5, 0.0, 0.0]
    assert [row["second"] for row in found["pacingCurve"]] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert found["accelerationScore"] == pytest.approx(-1 / 3, abs=1e-3)
    assert (found["pacingMomentum"], found["accelerationPattern"]) == ("decelerating", "variable")
    assert found["rhythmRegularity"] == pytest.approx(1 / (1 + 1.75 / 3.25), abs=1e-3)
    assert found["dynamicRange"] == 0.9
    assert (found["introPacing"], found["outroPacing"]) == (2, 0)
    assert found["longestScene"] == {"duration": 5.0, "timestamp": "2-7s", "position": "middle"}
    assert found["shortestScene"] == {"duration": 0.5, "timestamp": "0-0.5s", "position": "intro"}
    assert found["climaxTiming"] == pytest.approx(1 / 12, abs=1e-3)
    assert found["sceneDetectionAccuracy"] == pytest.approx((0.5 + 1 + 1) / 3, abs=1e-3)
    assert found["transitionAnalysisReliability"] == 1.0
    assert found["shot_distribution"] == {"quickCuts": 1, "short": 2, "medium": 0, "long": 2}
    assert found["tempo_balance"] == {"earlyCuts": 2, "lateCuts": 1, "balanceIndex": 0.667}
    assert found["energy_curve"][0] == {"time": 0.0, "energy": 2.0}
    assert found["rhythm_consistency"] == "varied"
    assert (found["visualTempo"], found["editingRhythm"], found["editingStyle"]) == ("fast", "syncopated", "standard")
    assert found["pacingTags"] == ["quick_cuts", "decelerating_pace"]


def test_one_scene():
    found = pacing(12.0)
    assert (found["totalScenes"], found["sceneChangeRate"], found["avgSceneDuration"]) == (1, 0.0, 12.0)
    for name in ("sceneRhythmScore", "rhythmRegularity", "editingRhythm", "climaxTiming", "sceneDetectionAccuracy"):
        assert found[name] is None
    assert found["audioVisualSync"] is None
    assert found["transitionTypes"] == []
    assert found["pacingValleys"] == []
    assert found["analysisLimitations"] == ["single_scene", "no_expression_data"]
    assert found["pacingStyle"] is found["editingStyle"] is found["classified_patterns"] is None  # nobody paced it
    assert found["accelerationPattern"] is found["pacingMomentum"] is found["accelerationScore"] is None
    assert found["narrativeFlowScore"] is found["viewerAdaptationCurve"] is found["cutMotivation"] is None
    assert found["tempo_balance"]["balanceIndex"] is None
    assert (found["pacingClassification"], found["visualTempo"]) == ("slow", "slow")
    assert pacing(3.0)["pacingClassification"] is None  # a short scene does not tell when the next cut would come


def test_two_montages_and_a_break():
    cuts = [1.0, 2.0, 3.0, 9.0, 10.0, 11.0]  # 1 1 1 6 1 1 1
    found = pacing(12.0, cuts=cuts)
    assert found["montageSegments"] == [
        {"start": 0.0, "end": 3.0, "shots": 3, "avgShotDuration": 1.0},
        {"start": 9.0, "end": 12.0, "shots": 3, "avgShotDuration": 1.0},
    ]
    assert found["rhythmBreaks"] == [{"timestamp": 3.0, "expectedDuration": 1.0, "actualDuration": 6.0}]
    assert found["narrativeFlowScore"] == pytest.approx(6 / 7, abs=1e-3)
    assert found["viewerAdaptationCurve"] == "jarring"  # one break in 12 s is five a minute
    assert found["pacingStyle"] == "montage"
    assert found["pacingValleys"] == [{"timestamp": "3-9s", "sceneDuration": 6.0, "type": "long_take"}]
    assert found["pacingTechniques"] == ["montage", "long_take", "rapid_cutting"]
    assert found["introPacing"] == 2
    assert found["outroPacing"] == 2
    assert found["visualTempo"] == "variable"
    assert found["editingRhythm"] == "free_form"
    assert found["editingStyle"] == "experimental"
    assert found["accelerationPattern"] == "variable"


def test_contrasts():
    cuts = [4.0, 8.0, 12.0, 13.0, 14.0]  # 4 4 4 1 1 1
    found = pacing(15.0, cuts=cuts)
    assert found["accelerationPoints"] == [12.0]
    assert found["decelerationPoints"] == []
    assert found["pacingContrastMoments"] == [{"timestamp": 12.0, "shift": "accelerating", "impact": "high"}]
    assert found["criticalTransitions"] == [
        {"timestamp": 12.0, "fromPace": "moderate", "toPace": "rapid", "effect": "energy_rise"}
    ]
    assert found["pacingMomentum"] == "accelerating"
    assert found["accelerationPattern"] == "building"
    assert found["editingRhythm"] == "accelerando"
    assert found["acceleration_phases"] == 0
    assert "building_momentum" in found["ml_tags"]
    mirrored = pacing(15.0, cuts=[1.0, 2.0, 3.0, 7.0, 11.0])
    assert mirrored["decelerationPoints"] == [3.0]
    assert mirrored["accelerationPattern"] == "declining"
    assert mirrored["pacingContrastMoments"][0]["shift"] == "decelerating"
    assert mirrored["acceleration_trend"] == "decelerating"


def test_even_cutting():
    found = pacing(12.0, cuts=[2.0, 4.0, 6.0, 8.0, 10.0])
    assert found["sceneRhythmScore"] == found["pacingConsistency"] == found["rhythmRegularity"] == 1.0
    assert (found["editingRhythm"], found["editingStyle"]) == ("metronomic", "rhythmic")
    assert found["accelerationPattern"] == "steady"
    assert found["pacingMomentum"] == "maintaining"
    assert found["dynamicRange"] == 0.0
    assert found["viewerAdaptationCurve"] == "smooth"
    assert found["technicalQuality"] == "professional"
    assert found["pacingPeaks"] == []
    classic = pacing(16.0, cuts=[4.0, 8.0, 12.0])
    assert classic["editingStyle"] == "classic_narrative"
    assert classic["pacingClassification"] == "moderate"
    slow = pacing(24.0, cuts=[8.0, 16.0])
    assert slow["pacingClassification"] == slow["visualTempo"] == "slow"


def test_peaks_are_above_a_deviation_and_half_a_cut_per_second():
    cuts = [10.2, 10.6, 11.0, 11.4]
    found = pacing(20.0, cuts=cuts)
    assert found["pacingPeaks"] == [{"timestamp": "10-12s", "cutsPerSecond": 2.0, "intensity": 1.0}]
    assert found["peak_cut_moments"] == [{"window": "10-12s", "cutCount": 4, "intensity": 1.0}]
    assert found["cut_density_zones"] == ["10-12s"]
    assert found["climaxTiming"] == 0.55
    assert found["peak_pacing_moments"] == 1  # the three shots of 0.4 s: mean 0.4 < 2


def test_very_fast_cutting():
    cuts = [0.5 * i for i in range(1, 24)]
    found = pacing(12.0, cuts=cuts)
    assert (found["pacingStyle"], found["editingStyle"]) == ("music_video", "mtv_style")
    assert found["classified_patterns"]["hasRapidPacing"]
    assert [row["intensity"] for row in found["pacingCurve"]] == ["high"] * 6
    assert len(found["energy_curve"]) == 10
    assert found["energy_curve"][3] == {"time": 3.6, "energy": 2.0}
    assert found["quickCutsCount"] == 24


def test_cuts_on_sound_above_chance():
    found = pacing(12.0, cuts=[2.0, 4.0, 6.0, 9.5], audio={"onsets": [2.1, 4.0, 6.14], "beats": [2.0, 4.0, 6.05]})
    chance = 3 * 0.3 / 12
    assert found["audioVisualSync"] == pytest.approx((0.75 - chance) / (1 - chance), abs=1e-3)
    chance = 3 * 0.2 / 12
    assert found["beatMatching"] == pytest.approx((0.75 - chance) / (1 - chance), abs=1e-3)
    assert found["cutMotivation"] == "beat_driven"
    assert "beat_cutting" in found["pacingTechniques"]
    assert found["technicalQuality"] == "professional"
    everywhere = {"onsets": [round(0.1 * i, 1) for i in range(121)], "beats": []}
    found = pacing(12.0, cuts=[6.0, 7.0], audio=everywhere)
    assert found["audioVisualSync"] is None  # chance alone hits
    assert found["beatMatching"] is None  # no beats
    silent = pacing(12.0, cuts=[6.0], missing=["audio_energy", "emotion_detection"])
    assert silent["audioVisualSync"] is silent["beatMatching"] is None
    assert silent["cutMotivation"] == "unknown"
    assert "no_audio_features" in silent["analysisLimitations"]


def test_alignment_with_density_and_arousal():
    cuts = [2.2, 2.6, 6.2]
    texts = [text(f"t{i}", i, i + 1) for i in (2, 6)] + [text("more", 2.0, 3.0)]
    excited = {4, 5, 12}
    faces = [expression(i / 2, "joy" if i in excited else "neutral", 1.0) for i in range(24)]
    found = pacing(12.0, cuts=cuts, texts=texts, expressions=faces)
    assert pacing(12.0, cuts=cuts, texts=texts)["contentPacingAlignment"] == 1.0
    cut_rate = np.bincount([2, 2, 6], minlength=12)
    arousal = np.bincount([2, 2, 6], minlength=12) / 2
    assert found["emotionalPacingSync"] == pytest.approx((np.corrcoef(cut_rate, arousal)[0, 1] + 1) / 2, abs=1e-3)
    constant = pacing(12.0, cuts=cuts)
    assert constant["contentPacingAlignment"] is None
    assert constant["emotionalPacingSync"] is None


def test_objects_per_scene():
    found = pacing(
        8.0, cuts=[4.0], detections=objects("cup", np.arange(0, 4, 0.5), 3) + objects("dog", [4.0, 4.5, 5.0, 5.5])
    )
    assert found["objectDensityPacing"] == {"avgObjectsPerShot": 1.75, "complexityLevel": "low"}
    assert found["visual_load_per_scene"] == 1.75
    assert found["complexity_changes"] == 0
    kinds = [o for name in ("cup", "dog", "cat", "bird") for o in objects(name, [0.0])]
    assert pacing(8.0, cuts=[4.0], detections=kinds)["complexity_changes"] == 1
    assert pacing(8.0, missing=["yolo"])["objectDensityPacing"] is None


def test_shot_types_at_cuts():
    faces = [face(i / 2, 0.3 if i < 8 else 0.05) for i in range(16)]
    found = pacing(8.0, cuts=[2.0, 4.0], faces=faces)
    assert found["shot_type_changes"] == found["camera_movement_cuts"] == 1
    assert found["shot_camera_alignment"] == {"cameraChangesPerShot": 0.333, "alignmentScore": 0.5}
    assert not pacing(8.0, missing=["mediapipe"])["camera_data_available"]


def test_without_scenes_everything_measured_is_null():
    found = result(NAME, missing={"scene_detection": "decode error"}, gestures=[gesture(1.0)])
    assert schema_of(NAME).problems(found.blocks) == []
    blocks = found.blocks
    assert blocks["CoreMetrics"]["totalScenes"] is None
    assert blocks["CoreMetrics"]["videoDuration"] == 12.0
    assert blocks["Dynamics"]["confidence"] == 0.0
    assert {value for name, value in blocks["Patterns"].items() if name != "confidence"} == {None}
    assert blocks["Quality"]["technicalQuality"] is blocks["Interactions"]["viewerAdaptationCurve"] is None
    assert blocks["Quality"]["missingServices"] == [{"service": "scene_detection", "reason": "decode error"}]
    assert blocks["Quality"]["analysisLimitations"] == ["no_scene_data", "no_expression_data"]


def test_scene_durations_sum_to_the_duration():
    shots = analysis(10.0, cuts=[1.234, 5.678])
    assert sum(scene.duration_s for scene in shots.get(ScenesData).scenes) == pytest.approx(10.0)


def test_short_videos():
    found = pacing(0.4)
    assert found["totalScenes"] == 1
    assert len(found["pacingCurve"]) == 1
    assert pacing(5.9, cuts=[2.0])["pacingCurve"][1]["second"] == 2.95


def test_shots_of_a_post_of_pictures_are_told_to_be_nobodys_editing():
    video = analysis(9.0, cuts=[3.0, 6.0])
    post = dataclasses.replace(video, metadata=video.metadata.of_pictures(3, 3.0))
    stored = UnifiedAnalysis.from_dict(json.loads(json.dumps(post.to_dict())))
    for name, remark in (("scene_pacing", True), ("creative_density", True), ("metadata_analysis", False)):
        found = computed(name, read_evidence(stored)).blocks["Quality"]
        told = {item["service"]: item["reason"] for item in found["missingServices"]}
        reason = "stills: each of 3 pictures is shown for 3.0 s by RumiAI" if remark else None
        assert told.get("scene_detection") == reason
    plain = computed(NAME, read_evidence(video)).blocks["Quality"]["missingServices"]
    assert "scene_detection" not in {item["service"] for item in plain}
