"""speech_analysis by hand-computed videos."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.registry import schema_of
from rumiai.metrics.speech_analysis.pauses import pause_kind
from rumiai.metrics.speech_analysis.rate import intensity

from ...metrics_videos import expression, face, flat, gesture, result, segment, text

NAME = "speech_analysis"


def speech(duration_s=12.0, **content):
    found = result(NAME, duration_s, **content)
    assert [str(p) for p in schema_of(NAME).problems(found.blocks, duration_s=duration_s)] == []
    return {**flat(found), "further": found.precompute}


def words(*timed, **more):
    """A segment of (word, start, end)."""
    rows = [{"word": word, "start": a, "end": b, "probability": 0.9} for word, a, b in timed]
    text = " ".join(word for word, _, _ in timed)
    return {"start": timed[0][1], "end": timed[-1][2], "text": text, "confidence": 0.9, "words": rows, **more}


def untimed(text, start, end, **more):
    return {"start": start, "end": end, "text": text, "confidence": 0.9, "words": [], **more}


def curve(*levels):
    """Energy of each second, ten values a second, with how well it stands out of the noise."""
    return {"rms_curve": [level for level in levels for _ in range(10)], "snr_db": 20.0}


def test_two_segments_by_hand():
    # Five words in 1.1..2.9 (voiced 1..3), five in 6.1..7.9 (6..8), the second of lower confidence.
    talk = [
        segment("You know this one thing", 1.1, 2.9),
        segment("You like this one too?", 6.1, 7.9, confidence=0.5),
    ]
    found = speech(segments=talk)
    further = found["further"]
    assert found["speechPresent"] is True
    assert (found["totalSpeechSegments"], found["totalWords"], found["uniqueWords"]) == (2, 10, 7)
    assert found["vocabularyDiversity"] == 0.7
    assert found["speechDuration"] == pytest.approx(4.0)
    assert (found["speechCoverage"], found["silenceRatio"]) == (0.333, 0.667)
    assert found["speechRate"] == found["speechDensity"] == pytest.approx(10 / 12, abs=1e-3)
    assert found["wordsPerMinute"] == 150.0
    assert (found["avgConfidence"], found["speechClarityScore"], found["transcriptionConfidence"]) == (0.7, 0.7, 0.7)
    assert (found["pauseCount"], found["avgPauseDuration"]) == (1, 3.2)
    assert found["avgSegmentDuration"] == 1.8
    assert (found["firstWordTimestamp"], found["lastWordTimestamp"]) == (1.1, 7.9)
    assert found["uniqueSpeakers"] is found["primarySpeakerDominance"] is None
    assert (found["directAddressCount"], found["questionCount"]) == (2, 1)
    assert found["fillerWordRatio"] == 0.1  # "you know", but not "you like"
    assert found["language"] == "en"
    assert found["speechPacingCurve"] == [
        {"timestamp": "0-5s", "wordsPerSecond": 1.0, "intensity": "low"},
        {"timestamp": "5-10s", "wordsPerSecond": 1.0, "intensity": "low"},
        {"timestamp": "10-12s", "wordsPerSecond": 0.0, "intensity": "low"},
    ]
    assert found["wpmProgression"] == [60.0, 60.0, 0.0]
    assert (found["pacingVariation"], found["speechRhythm"]) == (0.0, "steady")
    assert found["accelerationScore"] == 0.0
    assert found["speechFrontLoadRatio"] == 0.4  # words that begin before 2.4 s: 1.1, 1.46, 1.82, 2.18
    assert found["pausePattern"] == "dramatic"
    assert found["silencePeriods"] == [
        {"start": 0.0, "end": 1.1, "duration": 1.1},
        {"start": 2.9, "end": 6.1, "duration": 3.2},
        {"start": 7.9, "end": 12.0, "duration": 4.1},
    ]
    assert [m["purpose"] for m in found["silentMoments"]] == ["opening", "awkward_pause", "closing"]
    assert found["longestSegment"]["words"] == 5
    assert found["longestSegment"]["timestamp"] == "1.1-2.9s"
    assert found["clarityByWindow"] == {"0-5s": 0.9, "5-10s": 0.5, "10-12s": None}
    assert found["mumblingSections"] == [{"start": 6.1, "end": 7.9, "confidence": 0.5}]
    assert found["conversationalDynamics"] == "unknown"
    assert found["linguisticComplexity"] == "moderate"  # one sentence of ten words
    assert found["keyPhrases"] == []
    assert further["pause_analysis"] == {
        "gaps": [{"start": 2.9, "duration": 3.2, "type": "awkward"}], "total_pause_time": 3.2, "pause_count": 1,
        "longest_pause_duration": 3.2, "strategic_pauses": 0, "awkward_pauses": 1, "leading_silence": 1.1,
        "trailing_silence": 4.1,
    }  # fmt: skip
    assert further["wpm_by_segment"] == {"0-5s": 60.0, "5-10s": 60.0, "10-12s": 0.0}
    assert (further["speech_rhythm_type"], further["rhythm_consistency_score"]) == ("flowing", 1.0)
    assert (further["longest_segment"], further["shortest_segment"]) == (1.8, 1.8)
    assert further["avg_words_per_segment"] == 5.0
    assert further["mattr_50"] == 0.7
    assert further["speech_type"] is further["dominant_speaker_ratio"] is further["speaker_changes"] is None
    assert further["delivery_confidence_score"] == 0.7
    assert found["analysisLimitations"] == ["no_speaker_diarisation", "no_expression_data"]


def test_no_speech():
    found = speech()
    assert found["speechPresent"] is False
    zeros = ("totalSpeechSegments", "totalWords", "uniqueWords", "speechDuration", "speechRate", "speechCoverage",
             "directAddressCount", "questionCount")  # fmt: skip
    assert {name: found[name] for name in zeros} == dict.fromkeys(zeros, 0)
    assert found["silenceRatio"] == 1.0
    nothing = (
        "avgConfidence", "speechClarityScore", "avgPauseDuration", "vocabularyDiversity", "avgSegmentDuration",
        "firstWordTimestamp", "lastWordTimestamp", "fillerWordRatio", "pacingVariation", "speechRhythm",
        "pausePattern", "speechFrontLoadRatio", "accelerationScore", "speechGestureSync", "speechExpressionAlignment",
        "speechTextOverlap", "faceOnScreenDuringSpeech", "verbalVisualCoherence", "speechClimax", "longestSegment",
        "linguisticComplexity", "repetitionRate", "transcriptionConfidence", "wordsPerMinute", "pauseCount",
        "openingHookStrength", "toneCategory", "engagementStrategy", "speechTechniques",
    )  # fmt: skip
    assert {name: found[name] for name in nothing} == dict.fromkeys(nothing)
    assert found["silencePeriods"] == [{"start": 0.0, "end": 12.0, "duration": 12.0}]
    assert found["silentMoments"][0]["purpose"] == "no_speech"
    assert (found["deliveryStyle"], found["conversationalDynamics"]) == ("none", "none")
    assert found["keyPhrases"] == found["transitionPhrases"] == []
    assert "no_speech" in found["analysisLimitations"]
    assert found["further"]["speech_type"] == "none"
    assert found["further"]["hook_effectiveness_score"] is None
    assert found["further"]["pause_analysis"]["leading_silence"] is None


def test_without_a_transcript_it_is_null_with_the_reason():
    found = result(NAME, missing={"whisper": "no model", "audio_energy": "broken", "emotion_detection": "off"})
    assert schema_of(NAME).problems(found.blocks) == []
    core = found.blocks["CoreMetrics"]
    assert {k: v for k, v in core.items() if v is not None} == {"confidence": 0.0}
    assert found.blocks["Dynamics"]["hasAudioEnergy"] is False
    assert found.blocks["Dynamics"]["confidence"] == 0.0
    assert found.blocks["KeyEvents"]["hookPhrases"] is None
    assert found.blocks["KeyEvents"]["transitionPhrases"] is None
    assert {value for name, value in found.blocks["Patterns"].items() if name != "confidence"} == {None}
    assert {"service": "whisper", "reason": "no model"} in found.blocks["Quality"]["missingServices"]
    assert found.blocks["Quality"]["analysisLimitations"][:2] == ["no_transcript", "no_audio_energy"]


def test_voiced_time_is_a_union():
    # Gap of .4 s between words: .2 s after padding, which is joined. Overlapping segments count once.
    found = speech(segments=[words(("a", 1.0, 2.0), ("b", 2.4, 3.0)), words(("c", 2.5, 3.0))])
    assert found["speechDuration"] == pytest.approx(2.2)
    apart = speech(segments=[words(("a", 1.0, 2.0), ("b", 2.6, 3.0))])
    assert apart["speechDuration"] == pytest.approx(1.8)  # .4 s apart after padding
    assert apart["pauseCount"] == 1
    whole = speech(4.0, segments=[segment("on and on", 0.0, 4.0)])
    assert (whole["speechCoverage"], whole["silenceRatio"]) == (1.0, 0.0)


def test_segments_without_word_times_count_where_it_is_loud():
    talk = [untimed("one two three four five six", 0.0, 6.0)]
    loud = speech(segments=talk, audio=curve(0.2, 0.2, 0.0, 0.0, 0.2, 0.2, *[0.0] * 6))
    assert loud["speechDuration"] == pytest.approx(4.0)
    assert loud["wordsPerMinute"] == 90.0
    assert loud["emphasisMoments"] is None  # a peak cannot be put on a word
    assert "no_word_timestamps" in loud["analysisLimitations"]
    unknown = speech(segments=talk, missing=["audio_energy", "emotion_detection"])
    assert unknown["speechDuration"] == pytest.approx(6.0)
    assert unknown["pauseCount"] == 0


def test_words_across_a_window_are_shared():
    found = speech(10.0, segments=[words(("slow", 4.0, 6.0), ("fast", 6.0, 7.0))])
    assert [row["wordsPerSecond"] for row in found["speechPacingCurve"]] == [0.1, 0.3]
    assert found["accelerationScore"] == 0.0  # one word begins in each half
    instant = speech(10.0, segments=[words(("now", 2.0, 2.0), ("then", 7.0, 8.0))])
    assert [row["wordsPerSecond"] for row in instant["speechPacingCurve"]] == [0.2, 0.2]


def test_rhythm():
    def rhythm(*counts, gap=False):
        talk = [segment(" ".join(["la"] * n), 5.0 * i, 5.0 * i + (2 if gap else 5)) for i, n in enumerate(counts) if n]
        found = speech(20.0, segments=talk)
        return found["speechRhythm"], found["further"]["speech_rhythm_type"], found["pacingVariation"]

    assert rhythm(5, 5, 5, 5) == ("steady", "flowing", 0.0)
    rates = np.array([2, 4, 8, 10])
    assert rhythm(2, 4, 8, 10) == ("accelerating", "building", round(rates.std() / rates.mean(), 3))
    assert rhythm(10, 8, 4, 2)[:2] == ("decelerating", "erratic")
    assert rhythm(10, 2, 3, 9)[:2] == ("variable", "erratic")
    assert rhythm(9, 3, 2, 10, gap=True)[1] == "erratic"  # three pauses in 20 s
    halting = [(f"w{i}", t, t + 0.5) for i, t in enumerate((0, 1.2, 2.4, 3.6, 5.0, 10.0, 10.6, 15.0))]
    assert speech(20.0, segments=[words(*halting)])["further"]["speech_rhythm_type"] == "staccato"
    assert rhythm(20, 0, 0, 0)[0] is None  # one window with speech has no rhythm


def test_pause_patterns():
    def pattern(*gaps, rate=2.0):
        time, row = 0.0, []
        for gap in (*gaps, 0.0):
            row += [("word", time + i / rate, time + (i + 1) / rate) for i in range(6)]
            time += 6 / rate + gap
        return speech(time + 0.5, segments=[words(*row)])["pausePattern"]

    assert pattern(0.6, 0.7) == "natural"
    assert pattern(0.6, 2.1) == "dramatic"
    assert pattern(rate=2.0) == "natural"
    assert pattern(rate=4.0) == "rushed"
    assert pattern(*[0.5] * 30, 2.0, 2.0) == "natural"  # cv .61
    assert speech(20.0, segments=[segment("one two", 0.0, 1.0)])["pausePattern"] is None  # too little
    assert [pause_kind(s) for s in (0.5, 1.0, 2.0, 3.0)] == ["breath", "strategic", "dramatic", "awkward"]


def test_little_speech():
    found = speech(segments=[segment("hello you there", 0.0, 3.0)])
    assert found["speechPresent"] is False
    assert found["totalWords"] == 3
    assert found["deliveryStyle"] is found["toneCategory"] is None  # too few words to tell
    assert found["linguisticComplexity"] is found["speechRhythm"] is None
    assert "little_speech" in found["analysisLimitations"]


def test_energy():
    talk = [segment("one two three four five six", 0.0, 6.0)]
    levels = [0.1, 0.1, 0.5, 0.1, 0.1, 0.1, *[0.05] * 5, 0.9]
    found = speech(segments=talk, audio=curve(*levels))
    assert found["emphasisMoments"] == [{"timestamp": 2.0, "word": "three", "emphasisType": "volume"}]
    climax = found["speechClimax"]
    assert climax == found["climaxMoment"]
    assert climax["timestamp"] == pytest.approx(2.05)
    assert climax["intensity"] == pytest.approx(0.5 / 0.9, abs=1e-3)  # the loudest is elsewhere
    assert climax["text"] in talk[0]["text"]
    assert "three" in climax["text"]
    assert found["energyVariance"] == 0.05
    assert (found["backgroundNoiseRatio"], found["audioQuality"]) == (0.4, "moderate")
    assert speech(audio={"snr_db": 30.0})["audioQuality"] == "clear"
    assert speech(audio={"snr_db": 5.0})["audioQuality"] == "poor"
    silent = speech(segments=talk, missing=["audio_energy", "emotion_detection"])
    for name in ("emphasisMoments", "speechClimax", "energyVariance", "backgroundNoiseRatio", "audioQuality"):
        assert silent[name] is None
    assert silent["further"]["climax_timestamp"] is None
    assert speech(audio=curve(*[0.1] * 12))["emphasisMoments"] == []
    muted = speech(audio={"metadata": {"processed": True, "has_audio": False}})
    assert muted["hasAudioEnergy"] is False


def test_bursts():
    talk = [
        segment(" ".join(["la"] * 4), 0.0, 4.0),
        segment(" ".join(["la"] * 12), 8.0, 12.0),
        segment(" ".join(["la"] * 4), 12.0, 16.0),
    ]  # 20 words in 12 s and .2 s of padding: 98.4 a minute; the second has 180
    loud = {"energy_level_windows": {"0-5s": 0.5, "5-10s": 0.95, "10-16s": 0.4}}
    found = speech(16.0, segments=talk, audio=loud)
    assert found["speechBursts"] == [
        {"start": 5.0, "end": 10.0, "duration": 5.0, "words": 6.0, "wpm": 72.0, "energy": 0.95, "type": "high_energy"},
        {"start": 8.0, "end": 12.0, "duration": 4.0, "words": 12.0, "wpm": 180.0, "energy": 0.4, "type": "energetic"},
    ]
    assert found["burstPattern"] == "distributed"
    assert found["further"]["energy_level_windows"] == {"0-5s": 0.5, "5-10s": 0.95, "10-16s": 0.4}
    fast = speech(
        30.0, segments=[segment("la " * 12, 0.0, 3.0), *(segment("la", 3.0 * i, 3.0 * i + 3) for i in range(1, 10))]
    )
    assert [b["type"] for b in fast["speechBursts"]] == ["rapid"]
    assert fast["speechBursts"][0]["energy"] is None
    assert fast["burstPattern"] == "front_loaded"
    late = speech(16.0, segments=[segment("la la", 0.0, 10.0), segment("la " * 10, 12.0, 16.0)])
    assert late["burstPattern"] == "climax"
    assert "energy_building" in late["further"]["speech_pattern_tags"]
    assert speech(segments=talk[:1])["burstPattern"] == "none"


def test_gestures_and_faces():
    talk = [segment("one two three four", 0.0, 4.0), segment("five six seven eight", 6.0, 10.0)]
    found = speech(
        segments=talk,
        gestures=[gesture(1.0), gesture(1.5), gesture(4.5)],
        faces=[face(t, 0.1) for t in np.arange(0, 6, 0.5).tolist()],
    )
    assert found["speechGestureSync"] == 0.5
    voiced = 4.1 + 4.2
    assert found["faceOnScreenDuringSpeech"] == pytest.approx((4.1 + 0.1) / voiced, abs=1e-3)
    assert found["offCameraSpeechSegments"] == [{"start": 6.0, "end": 10.0, "speechContent": "five six seven eight"}]
    assert found["further"]["speech_only_ratio"] == 0.5
    assert found["multimodalEmphasis"] == [
        {"timestamp": 1.0, "speech": "two", "gesture": "pointing", "alignment": 1.0}
    ]  # a gesture of two samples lasts from 1 to 1.75
    assert found["further"]["visual_punctuation_count"] == 1
    assert found["verbalVisualCoherence"] == found["multiModalCoherence"]
    assert found["verbalVisualCoherence"] == pytest.approx((0.5 + 4.2 / voiced) / 2, abs=1e-3)
    assert found["further"]["visual_verbal_harmony_score"] == found["verbalVisualCoherence"]
    blind = speech(segments=talk, missing=["mediapipe", "emotion_detection"])
    for name in ("speechGestureSync", "faceOnScreenDuringSpeech", "offCameraSpeechSegments", "multimodalEmphasis"):
        assert blind[name] is None
    assert blind["further"]["speech_only_ratio"] is blind["further"]["visual_punctuation_count"] is None
    partly = speech(segments=talk, gestures=[gesture(3.5), gesture(4.0)])
    assert partly["multimodalEmphasis"][0]["alignment"] == pytest.approx(0.5 / 0.75, abs=1e-3)


def test_expressions():
    mood = [expression(i / 2, "joy" if i < 12 else "anger", 0.9) for i in range(24)]
    talk = [segment("I love this great day", 0.0, 5.0), segment("so happy and so good", 7.0, 11.0)]
    found = speech(segments=talk, expressions=mood)
    assert found["speechExpressionAlignment"] == found["speechEmotionAlignment"] == 0.5
    assert found["further"]["expression_variety_during_speech"] == pytest.approx(2 / 7, abs=1e-3)
    peaks = found["further"]["speech_visual_alignment"]["expression_peaks_during_speech"]
    assert peaks[0] == {"timestamp": 0.0, "emotion": "joy"}
    assert found["further"]["speech_visual_alignment"]["lip_sync_quality"] is None
    assert found["further"]["speech_visual_alignment"]["body_language_congruence"] == 0.25
    assert "no_expression_data" not in found["analysisLimitations"]


def test_overlays_that_are_also_spoken():
    talk = [segment("strong coffee every morning", 2.0, 6.0)]
    found = speech(segments=talk, texts=[text("Strong COFFEE tea", 7.4, 9.0), text("morning", 8.0, 9.0)])
    # "strong" 2..3 and "coffee" 3..4 end before 5.9; "tea" is not said; "morning" 5..6 before 6.5
    assert found["speechTextOverlap"] == 0.0
    near = speech(segments=talk, texts=[text("Strong COFFEE tea", 5.5, 9.0), text("the morning", 7.5, 9.0)])
    assert near["speechTextOverlap"] == 0.5  # coffee and morning of four
    assert speech(segments=talk, missing=["ocr", "emotion_detection"])["speechTextOverlap"] is None


def test_silence_while_something_is_shown():
    talk = [segment("one two three", 0.0, 3.0), segment("four five six", 5.5, 8.5)]
    assert speech(segments=talk)["silentMoments"][0]["purpose"] == "dramatic_pause"
    assert speech(segments=talk, texts=[text("LOOK", 4.0, 5.0)])["silentMoments"][0]["purpose"] == "visual_focus"


def test_scripts_without_blanks():
    said = "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u4eca\u5929\u5f88\u597d"  # ten characters: six words
    parts = ["\u4eca\u5929", "\u5929\u6c14", "\u5f88\u597d", "\u4eca\u5929", "\u5f88\u597d"]
    rows = [{"word": w, "start": i * 1.0, "end": i + 1.0, "probability": 0.9} for i, w in enumerate(parts)]
    talk = [{"start": 0.0, "end": 5.0, "text": said, "confidence": 0.9, "words": rows}]
    found = speech(segments=talk, gestures=[gesture(1.0), gesture(1.5)])
    assert found["totalWords"] == 6
    assert found["vocabularyDiversity"] == 0.6  # three of the five words
    assert found["uniqueWords"] == 4
    assert sum(found["wpmProgression"][:1]) == 72.0  # all six in five seconds
    assert found["multimodalEmphasis"][0]["speech"] == "\u5929\u6c14"


def test_words():
    assert [intensity(rate) for rate in (1.79, 1.8, 3.19, 3.2)] == ["low", "moderate", "moderate", "high"]


def test_tags():
    talk = [segment("you and your friends and you too", 0.0, 2.0)]
    found = speech(4.0, segments=talk, faces=[face(t, 0.1) for t in (0.0, 0.5, 1.0, 1.5, 2.0)], gestures=[gesture(1.0)])
    assert found["further"]["speech_pattern_tags"] == [
        "rapid_delivery", "direct_address_heavy", "clear_articulation", "high_gesture_sync", "face_focused_delivery",
    ]  # fmt: skip
    inclusive = speech(4.0, segments=[segment("we love our home", 0.0, 2.0)])["further"]
    assert inclusive["inclusive_language_ratio"] == 0.5
    assert inclusive["authenticity_score"] == 0.75
    assert inclusive["verbal_engagement_score"] == pytest.approx(1 / 6, abs=1e-3)


def test_a_repeated_phrase_with_a_hyphen_is_quoted_as_it_was_said():
    talk = words(("follow-up", 0.0, 1.0), ("question", 1.0, 2.0), ("and", 2.0, 2.5), ("follow-up", 3.0, 4.0),
                 ("question", 4.0, 5.0))  # fmt: skip
    found = speech(segments=[talk])
    assert [item["phrase"] for item in found["keyPhrases"]][:1] == ["follow-up question"]
    assert not any("follow-up follow-up" in item["phrase"] for item in found["keyPhrases"])


def test_what_a_silence_serves_is_unknown_where_nobody_looked_for_texts_or_gestures():
    talk = [segment("one two three", 1.0, 3.0), segment("four five six", 6.0, 8.0)]

    def purposes(**more):
        return [moment["purpose"] for moment in speech(segments=talk, **more)["silentMoments"]]

    assert purposes() == ["opening", "awkward_pause", "closing"]
    assert purposes(missing=["mediapipe"]) == ["opening", None, "closing"]
    assert purposes(missing=["mediapipe"], texts=[text("LOOK", 3.5, 5.0)]) == ["opening", "visual_focus", "closing"]
