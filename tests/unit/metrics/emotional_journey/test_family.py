"""emotional_journey by hand-computed videos."""

from __future__ import annotations

import math

import pytest

from rumiai.contracts.metadata import VideoMetadata
from rumiai.metrics.registry import schema_of

from ...metrics_videos import expression, flat, gesture, result, segment, text

NAME = "emotional_journey"


def journey(duration_s=12.0, **content):
    found = result(NAME, duration_s, **content)
    assert [str(p) for p in schema_of(NAME).problems(found.blocks, duration_s=duration_s)] == []
    return {**flat(found), "further": found.precompute}


def faces(*runs):
    """Two samples a second: (label, seconds[, confidence]) in a row; None is no face."""
    found, time = [], 0.0
    for label, seconds, *confidence in runs:
        for _ in range(int(2 * seconds)):
            if label is not None:
                found.append(expression(time, label, *confidence))
            time += 0.5
    return found


def curve(*levels):
    """Energy of each second."""
    return {"rms_curve": [level for level in levels for _ in range(10)]}


def test_one_change_by_hand():
    # 6 s neutral at .9, then 6 s joy at .8: intensity is confidence x |weight|, joy's weight is 1.
    found = journey(expressions=faces(("neutral", 6, 0.9), ("joy", 6, 0.8)))
    further = found["further"]
    assert (found["uniqueEmotions"], found["emotionTransitions"]) == (2, 1)
    assert found["dominantEmotion"] == "neutral"  # 12 x .9 > 12 x .8
    assert found["emotionalDiversity"] == pytest.approx(math.log(2) / math.log(7), abs=1e-3)
    assert found["emotionalIntensity"] == 0.4
    assert found["stabilityScore"] == pytest.approx(1 - 1 / 23, abs=1e-3)
    assert found["transitionSmoothness"] == 0.6  # the valence jumps by .8
    assert found["emotionalArc"] == "rising"
    assert found["peakEmotionMoments"] == [{"timestamp": "6-7s", "emotion": "joy", "intensity": 0.8}]
    assert found["emotionalPeaks"] == [{"timestamp": "6-7s", "emotion": "joy", "intensity": 0.8, "trigger": "unknown"}]
    assert found["transitionPoints"] == [{"timestamp": "6-7s", "from": "neutral", "to": "joy", "trigger": "unknown"}]
    assert found["climaxMoment"] == {"timestamp": "6-7s", "emotion": "joy", "intensity": 0.8}
    assert found["resolutionMoment"] is None  # the change is not in the last 20 %
    assert found["journeyArchetype"] == "surprise_delight"
    assert found["pacingStrategy"] == "gradual_build"  # 5 a minute
    assert found["viewerJourneyMap"] == "slow_build"
    assert found["engagementHooks"] == ["joy at 6-7s"]
    assert found["emotionalTechniques"] == []
    assert (found["detectionConfidence"], found["timelineCoverage"]) == (0.85, 1.0)
    assert found["emotionalDataCompleteness"] == 1.0
    assert found["analysisReliability"] == "high"
    assert found["missingDataPoints"] == ["no_speech"]
    assert further["emotion_sequence"] == ["neutral"] * 6 + ["joy"] * 6
    assert further["emotion_valence"] == [0.0] * 6 + [0.8] * 6
    assert further["emotion_timestamps"][11] == "11-12s"
    assert further["emotion_variability"] == 0.4
    assert (further["positive_ratio"], further["negative_ratio"], further["neutral_ratio"]) == (0.5, 0.0, 0.5)
    assert further["emotion_change_rate"] == pytest.approx(1 / 11, abs=1e-3)
    assert further["emotional_consistency"] == pytest.approx(10 / 11, abs=1e-3)
    assert further["emotion_changes_per_minute"] == 5.0
    assert further["mean_valence_change"] == pytest.approx(0.8 / 11, abs=1e-3)
    assert further["has_high_emotion_peak"]
    assert further["peak_intensity_count"] == 6
    assert further["emotional_trajectory"] == "ascending"
    assert further["emotion_transition_counts"] == {"joy_to_joy": 5, "neutral_to_joy": 1, "neutral_to_neutral": 5}
    assert further["emotion_transition_matrix"] == {
        "joy_to_joy": 1.0, "neutral_to_joy": 0.167, "neutral_to_neutral": 0.833,
    }  # fmt: skip
    assert further["emotion_transitions"] == [
        {"timestamp": "6-7s", "fromEmotion": "neutral", "toEmotion": "joy", "transitionProbability": 0.167}
    ]
    assert further["valence_momentum"] == {
        "average_momentum": 0.073, "max_positive_momentum": 0.8, "max_negative_momentum": 0.0, "momentum_changes": [],
    }  # fmt: skip
    assert further["dead_zones"] == [{"start": 0.0, "end": 6.0, "averageValence": 0.0}]
    assert further["emotional_archetype"] is None  # it ascends
    assert further["emotional_ml_tags"] == ["uplifting_arc"]
    assert further["emotion_valence_curve"][6] == {"timestamp": "6-7s", "valence": 0.8, "emotion": "joy"}
    assert further["expression_detection_rate"] == 1.0
    assert further["analysis_parameters"] == {"sample_interval": 1.0, "intensity_threshold": 0.6}


def test_progression_covers_the_video_and_knows_no_face():
    found = journey(20.0, expressions=faces(("joy", 2, 0.5), (None, 2), ("anger", 16, 0.5)))
    rows = found["emotionProgression"]
    assert [row["timestamp"] for row in rows][:3] == ["0-2s", "2-4s", "4-6s"]
    assert len(rows) == 10
    assert rows[0] == {"timestamp": "0-2s", "emotion": "joy", "intensity": 0.5}
    assert rows[1] == {"timestamp": "2-4s", "emotion": None, "intensity": None}
    assert rows[9] == {"timestamp": "18-20s", "emotion": "anger", "intensity": 0.4}  # .5 x .8
    assert found["timelineCoverage"] == 0.9
    assert found["further"]["emotion_sequence"][2] is None
    assert journey(3.0)["emotionProgression"] is None  # nobody in it


def test_no_face_is_no_neutral():
    found = journey()
    assert (found["uniqueEmotions"], found["emotionTransitions"]) == (0, None)
    nothing = (
        "dominantEmotion", "emotionalDiversity", "emotionalIntensity", "transitionSmoothness", "emotionalArc",
        "stabilityScore", "climaxMoment", "resolutionMoment", "journeyArchetype", "pacingStrategy",
        "detectionConfidence", "multimodalCoherence", "audioMoodCongruence", "gestureReinforcement",
    )  # fmt: skip
    assert {name: found[name] for name in nothing} == dict.fromkeys(nothing)
    assert found["peakEmotionMoments"] is found["transitionPoints"] is found["emotionalContrastMoments"] is None
    assert found["viewerJourneyMap"] is found["emotionalTechniques"] is found["engagementHooks"] is None
    assert found["timelineCoverage"] == 0.0
    assert found["analysisReliability"] is None
    assert found["missingDataPoints"] == ["no_emotions_detected", "no_speech"]
    assert found["further"] == {}


def test_without_its_services_it_is_null_with_the_reason():
    found = result(NAME, missing={"emotion_detection": "no model", "mediapipe": "no weights"})
    assert schema_of(NAME).problems(found.blocks) == []
    blocks = found.blocks
    assert {k: v for k, v in blocks["CoreMetrics"].items() if v is not None} == {"confidence": 0.0}
    assert blocks["KeyEvents"]["emotionalPeaks"] is None
    assert blocks["Patterns"]["viewerJourneyMap"] is blocks["Quality"]["analysisReliability"] is None
    assert blocks["Quality"]["emotionalDataCompleteness"] == 0.0
    assert {"service": "mediapipe", "reason": "no weights"} in blocks["Quality"]["missingServices"]
    assert found.precompute == {}


def test_flicker_is_no_transition():
    found = journey(expressions=faces(("joy", 4), ("anger", 0.5), ("joy", 3), ("neutral", 4.5)))
    assert found["uniqueEmotions"] == 3
    assert found["emotionTransitions"] == 1
    assert found["further"]["emotion_transition_counts"] == {
        "joy_to_joy": 7, "joy_to_neutral": 1, "neutral_to_neutral": 3,
    }  # fmt: skip


def test_arcs():
    assert journey(expressions=faces(("joy", 4), ("neutral", 8)))["emotionalArc"] == "falling"
    assert journey(expressions=faces(("joy", 12)))["emotionalArc"] == "stable"
    swings = faces(("joy", 3), ("anger", 2), ("joy", 2), ("anger", 2), ("joy", 3))
    found = journey(expressions=swings)
    assert found["emotionalArc"] == "rollercoaster"
    assert found["journeyArchetype"] == "transformation"
    assert found["pacingStrategy"] == "quick_shifts"
    assert found["emotionalTechniques"] == ["contrast", "repetition"]
    assert [m["conflict"] for m in found["emotionalContrastMoments"]][:2] == [
        "joy turns to anger", "anger turns to joy",
    ]  # fmt: skip
    assert found["emotionalContrastMoments"][0]["timestamp"] == "3-4s"
    assert found["viewerJourneyMap"] == "immediate_hook"
    # A last third without a face leaves the arc open.
    assert journey(expressions=faces(("joy", 6)))["emotionalArc"] is None
    assert found["further"]["emotional_trajectory"] == "u-shaped"  # thirds .44, .08, .44


def test_trajectories():
    def shape(*runs):
        return journey(expressions=faces(*runs))["further"]["emotional_trajectory"]

    assert shape(("joy", 4), ("sadness", 4), ("joy", 4)) == "u-shaped"
    assert shape(("neutral", 4), ("joy", 4), ("neutral", 4)) == "inverted-u"
    assert shape(("neutral", 12)) == "flat"
    assert shape(("joy", 4), ("neutral", 8)) == "descending"
    assert shape(("joy", 6), (None, 4), ("joy", 2)) is None  # two known bins in the last third


def test_archetypes():
    def kinds(*runs):
        found = journey(expressions=faces(*runs))
        return found["journeyArchetype"], found["further"]["emotional_archetype"]

    assert kinds(("sadness", 4), ("neutral", 4), ("joy", 4)) == ("problem_solution", "volatile")
    assert kinds(("neutral", 5), ("surprise", 2), ("neutral", 5)) == ("discovery", "monotonous")
    assert kinds(("joy", 12)) == ("steady_state", "monotonous")
    assert kinds(("anger", 4, 1.0), ("sadness", 8)) == (None, "steady_negative")  # it rises
    assert kinds(("joy", 9), ("neutral", 3)) == (None, "steady_positive")  # a falling arc is no steady state
    flags = journey(expressions=faces(("joy", 9), ("neutral", 3)))["further"]["archetype_flags"]
    assert flags == {
        "hasEmotionalRollercoaster": False, "hasFlatArc": False, "isPositiveDominant": True,
        "isNegativeDominant": False, "isEmotionallyDiverse": False,
    }  # fmt: skip


def test_peaks_in_time_order_and_their_rhythm():
    runs = (("neutral", 2), ("joy", 1, 0.7), ("neutral", 3), ("anger", 1, 0.9), ("neutral", 3), ("joy", 1, 0.9))
    found = journey(expressions=faces(*runs, ("neutral", 1)))
    assert [p["timestamp"] for p in found["emotionalPeaks"]] == ["2-3s", "6-7s", "10-11s"]
    assert [p["intensity"] for p in found["emotionalPeaks"]] == [0.7, 0.72, 0.9]
    assert found["climaxMoment"] == {"timestamp": "10-11s", "emotion": "joy", "intensity": 0.9}
    assert found["resolutionMoment"] == {"timestamp": "11-12s", "emotion": "neutral", "closure": True}
    assert found["viewerJourneyMap"] == "immediate_hook"
    assert found["further"]["peak_rhythm"] == {
        "peak_spacing_mean": 4.0, "peak_spacing_variance": 0.0, "regularity_score": 1.0, "peak_count": 3,
    }  # fmt: skip
    ranks = {p["timestamp"]: p["rank"] for p in found["further"]["emotional_peaks"]}
    assert ranks["10-11s"] == 1  # .9, and as far from the mean around it
    assert "multi_peak" in found["further"]["emotional_ml_tags"]
    momentum = found["further"]["valence_momentum"]
    assert momentum["average_momentum"] == 0.0  # it telescopes to (last - first) / (n - 1)
    assert momentum["max_positive_momentum"] == 0.9
    assert momentum["max_negative_momentum"] == -0.9
    assert momentum["momentum_changes"] == [
        {"timestamp": "3-4s", "momentum": -0.7},
        {"timestamp": "7-8s", "momentum": 0.72},
        {"timestamp": "11-12s", "momentum": -0.9},
    ]
    later = journey(expressions=faces(("neutral", 3), *runs[1:4], ("neutral", 6)))
    assert later["viewerJourneyMap"] == "slow_build"


def test_a_steady_face_has_one_peak():
    noisy = [expression(i / 2, "joy", 0.8 + 0.004 * (i % 3)) for i in range(24)]
    found = journey(expressions=noisy)
    assert len(found["peakEmotionMoments"]) == len(found["emotionalPeaks"]) == 1
    assert found["missingDataPoints"] == ["limited_emotional_range", "no_speech"]


def test_gestures():
    # Joy 0-6, anger 6-12. A thumb up at 1 and 1.5 lasts to 1.75; one at 8 lasts to 8.25 and does not fit.
    mood = faces(("joy", 6), ("anger", 6))
    moves = [gesture(1.0, "thumbs_up"), gesture(1.5, "thumbs_up"), gesture(8.0, "thumbs_up")]
    found = journey(expressions=mood, gestures=moves)
    assert found["gestureEmotionAlignment"] == 0.75  # .75 of 1.0 s
    peaks = [p["timestamp"] for p in found["emotionalPeaks"]]
    assert peaks == ["0-1s", "6-7s"]
    assert found["gestureReinforcement"] == 1.0  # from 1 s after the one, and 1 s before the other's end
    sync = found["further"]["emotion_gesture_sync"]
    assert sync[1] == {"timestamp": "1-2s", "emotion": "joy", "gesturePresent": True, "alignmentScore": 1.0}
    assert sync[8] == {"timestamp": "8-9s", "emotion": "anger", "gesturePresent": True, "alignmentScore": 0.0}
    assert sync[2]["alignmentScore"] is None
    assert found["further"]["cross_modal_consistency"] == 0.75
    # Neutral goes with every gesture, so there is nothing to compare.
    calm = journey(expressions=faces(("neutral", 12)), gestures=moves)
    assert calm["gestureEmotionAlignment"] is None
    assert calm["gestureReinforcement"] is None


def test_sound():
    mood = faces(("neutral", 4), ("joy", 4, 0.5), ("joy", 4, 1.0))
    found = journey(expressions=mood, audio=curve(*[0.1] * 4, *[0.2] * 4, *[0.3] * 4))
    assert found["audioEmotionAlignment"] == 1.0
    assert found["audioMoodCongruence"] == 1.0
    turned = journey(expressions=mood, audio=curve(*[0.3] * 4, *[0.2] * 4, *[0.1] * 4))
    assert turned["audioEmotionAlignment"] == 0.0
    assert turned["audioMoodCongruence"] == pytest.approx(1 - (2 + 0 + 2) / 3 / 2, abs=1e-3)
    constant = journey(expressions=mood, audio=curve(*[0.2] * 12))
    assert constant["audioEmotionAlignment"] is None
    assert constant["audioMoodCongruence"] == pytest.approx(1 - (1 + 0 + 1) / 3 / 2, abs=1e-3)  # ranks 2, 2, 2
    silent = journey(expressions=mood, audio={"metadata": {"processed": True, "has_audio": False}})
    assert silent["audioEmotionAlignment"] is silent["audioMoodCongruence"] is None
    assert "no_audio" in silent["missingDataPoints"]
    short = journey(2.0, expressions=faces(("joy", 1), ("neutral", 1)), audio=curve(0.1, 0.2))
    assert short["audioMoodCongruence"] is None


def test_beats_need_a_fine_step_and_a_slow_beat():
    # Ten samples a second; changes at 2.0 and 5.0, beats every 2 s: one of two is on a beat.
    mood = [expression(i / 10, "joy" if 20 <= i < 50 else "neutral") for i in range(120)]
    beats = {"beats": [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]}
    found = journey(expressions=mood, audio=beats, sample_fps=10.0)
    chance = (0.25 + 5 * 0.5) / 12
    assert found["tempoEmotionSync"] == pytest.approx(0.5 - chance, abs=1e-3)
    assert journey(expressions=faces(("joy", 6), ("neutral", 6)), audio=beats)["tempoEmotionSync"] is None
    fast = {"beats": [i / 2 for i in range(24)]}
    assert journey(expressions=mood, audio=fast, sample_fps=10.0)["tempoEmotionSync"] is None
    still = [expression(i / 10, "joy") for i in range(120)]
    assert journey(expressions=still, audio=beats, sample_fps=10.0)["tempoEmotionSync"] is None


def test_caption():
    def with_caption(caption, *runs):
        return journey(expressions=faces(*runs), metadata=VideoMetadata("v", description=caption))

    found = with_caption("I love this, so happy", ("joy", 12, 0.5))
    assert found["captionSentiment"] == "positive"
    assert found["captionEmotionAlignment"] == 0.75  # polarity 1, valence .5
    assert found["multimodalCoherence"] is None  # one alignment coheres with nothing
    sad = with_caption("worst day, so sad", ("joy", 12, 1.0))
    assert (sad["captionSentiment"], sad["captionEmotionAlignment"]) == ("negative", 0.0)
    assert with_caption("", ("joy", 12))["captionEmotionAlignment"] is None
    assert with_caption("so sad")["captionEmotionAlignment"] is None
    assert journey()["captionSentiment"] is None


def test_speech():
    talk = [segment("I love this it is great", 0.0, 4.0), segment("this is so great and nice", 6.0, 9.0)]
    talk.append(segment("and it rains", 9.0, 11.0))
    found = journey(expressions=faces(("joy", 6), ("anger", 6)), segments=talk)
    aligned = found["further"]["emotion_speech_alignment"]
    assert aligned["overallAlignment"] == 0.5
    assert (aligned["conflictsDetected"], aligned["misalignmentCount"]) == (True, 1)
    assert aligned["alignmentEvents"][1] == {
        "timestamp": 6.0, "visualEmotion": "anger", "speechSentiment": "positive", "congruent": False,
    }  # fmt: skip
    assert found["emotionalContrastMoments"][-1] == {
        "timestamp": "6-9s", "conflict": "positive words with a face of anger", "fromEmotion": None, "toEmotion": None,
    }  # fmt: skip
    assert "mixed_signals" in found["further"]["emotional_ml_tags"]
    calm = journey(expressions=faces(("neutral", 12)), segments=talk)["further"]
    assert calm["emotion_speech_alignment"]["overallAlignment"] is None
    missing = journey(expressions=faces(("joy", 12)), missing=["whisper", "emotion_detection"])["further"]
    assert missing["emotion_speech_alignment"] is None


def test_triggers():
    mood = faces(("neutral", 3), ("joy", 3), ("neutral", 3), ("joy", 3))
    found = journey(
        expressions=mood,
        cuts=[2.5],
        texts=[text("LOOK", 5.4, 7.0)],
        segments=[segment("one two three four five six seven", 8.5, 10.0)],
        audio={"onsets": [2.9, 5.9, 8.9]},
    )
    assert [p["trigger"] for p in found["transitionPoints"]] == [
        "scene_change", 'text "LOOK"', 'speech "one two three four five six"',
    ]  # fmt: skip
    sound = journey(expressions=mood, audio={"onsets": [2.0, 5.9]})
    assert [p["trigger"] for p in sound["transitionPoints"]] == ["energy_rise", "energy_rise", "unknown"]
    # Of two at one time the cut is named.
    both = journey(expressions=mood, cuts=[3.0], texts=[text("A", 3.0, 4.0)])
    assert both["transitionPoints"][0]["trigger"] == "scene_change"


def test_resolution():
    back = journey(expressions=faces(("joy", 10), ("neutral", 2)))
    assert back["resolutionMoment"] == {"timestamp": "10-11s", "emotion": "neutral", "closure": True}
    open_end = journey(20.0, expressions=faces(("neutral", 16), ("joy", 2), ("anger", 2)))
    assert open_end["resolutionMoment"] == {"timestamp": "16-17s", "emotion": "joy", "closure": False}
    assert journey(expressions=faces(("neutral", 10), ("anger", 2)))["resolutionMoment"] is None


def test_viewer_journey_over_all_thirds():
    runs = [("neutral", 3), ("joy", 1), ("neutral", 3), ("joy", 1), ("neutral", 3), ("joy", 1)]
    assert journey(expressions=faces(*runs))["viewerJourneyMap"] == "engaged_throughout"


def test_reliability():
    assert journey(expressions=faces(("joy", 5, 0.9)))["analysisReliability"] == "medium"  # 5 of 12 bins
    assert journey(expressions=faces(("joy", 12, 0.2)))["analysisReliability"] == "low"


def test_many_labels_and_reinforcing_gestures():
    mood = faces(("joy", 3), ("anger", 3), ("surprise", 3), ("sadness", 3))
    moves = [gesture(t, "victory") for t in (0.5, 3.5, 6.5, 9.5)]
    found = journey(expressions=mood, gestures=moves)
    assert found["emotionalTechniques"] == ["emotional_variety", "gesture_reinforcement", "contrast"]
    assert found["emotionalDiversity"] == pytest.approx(math.log(4) / math.log(7), abs=1e-3)
