"""When a service looked, and what follows from it."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.contracts.observed import Observed, of_instants, whole
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.quality import LOOKED_AT_NOTHING

from ...metrics_videos import analysis, computed, face, flat, objects, segment, text


def spans(found: Observed) -> list[list[float]]:
    return found.spans_s.tolist()


def test_an_instant_stands_for_its_step():
    assert spans(of_instants([0.0, 0.5, 1.0, 1.5], 0.5, 2.0)) == [[0.0, 2.0]]
    assert spans(of_instants([0.03, 0.52, 1.0], 0.5, 9.0)) == [[0.0, 1.5]]  # the frames nearest to a grid
    assert spans(of_instants([0.0, 0.5, 4.0], 0.5, 9.0)) == [[0.0, 1.0], [4.0, 4.5]]
    assert spans(of_instants([2.0, 2.375, 3.25, 3.5], 0.5, 9.0)) == [
        [2.0, 4.0]
    ]  # those of 2.5 and 3.0, off their places
    assert spans(of_instants([2.0, 2.5, 3.5, 4.0], 0.5, 9.0)) == [[2.0, 3.0], [3.5, 4.5]]  # 3.0 was missed
    assert spans(of_instants([2.0], None, 3.0)) == [[0.0, 3.0]]
    nothing = of_instants([], 0.5, 9.0)
    assert (spans(nothing), nothing.seconds, nothing.share, nothing.until_s) == ([], 0.0, 0.0, 0.0)


def test_shares_and_windows():
    half = of_instants(np.arange(0, 5, 0.5).tolist(), 0.5, 10.0)
    assert (half.seconds, half.share, half.until_s, half.is_whole) == (5.0, 0.5, 5.0, False)
    assert half.windows(np.array([0.0, 3.0, 6.0, 10.0])).tolist() == [True, True, False]
    assert half.at(np.array([0.0, 4.9, 5.0])).tolist() == [True, True, False]
    assert whole(3.0).is_whole
    assert spans(whole(9.0).without(np.array([[2.0, 4.0]]))) == [[0.0, 2.0], [4.0, 9.0]]


def until(video: UnifiedAnalysis, service: str, observed: object) -> UnifiedAnalysis:
    """The same video, of which a service saw only so much."""
    raw = video.to_dict()
    raw["ml_data"][service]["observed"] = observed
    return UnifiedAnalysis.from_dict(raw)


HALF = [k / 2 for k in range(12)]


def test_what_ocr_did_not_look_at_is_null_and_rates_divide_by_what_it_did():
    video = until(analysis(12.0, texts=[text("ONE", 0.0, 2.0), text("TWO", 3.0, 5.0)]), "ocr", HALF)
    found = flat(computed("visual_overlay_analysis", read_evidence(video)))
    assert [row["overlayCount"] for row in found["overlayTimeline"]] == [1, 1, None, None]
    assert found["quietMoments"] == []
    assert found["overlayDensity"] == pytest.approx(2 / 6, abs=1e-3)
    curve = flat(computed("creative_density", read_evidence(video)))
    assert [row["density"] for row in curve["densityCurve"]][6:] == [None] * 6
    assert curve["emptySeconds"] == [2, 5]


def test_a_picture_that_breaks_off_ends_its_last_scene():
    video = until(analysis(12.0, cuts=[2.0, 4.0, 9.0]), "scene_detection", [[0.0, 6.0]])
    found = flat(computed("scene_pacing", read_evidence(video)))
    assert (found["totalScenes"], found["maxSceneDuration"], found["videoDuration"]) == (3, 2.0, 12.0)
    assert found["sceneChangeRate"] == pytest.approx(2 / 6, abs=1e-3)
    assert found["outroPacing"] is None


def test_texts_and_transitions_end_with_the_picture():
    """The picture ends at 3.5 s, the sound at 6 s; the last text was held to the end of the file."""
    seen = [k / 2 for k in range(7)]
    texts = [text("ONE", 0.0, 1.0), text("TWO", 0.5, 6.0)]
    video = until(analysis(6.0, texts=texts, segments=[segment("well then", 0.0, 6.0)]), "ocr", seen)
    evidence = read_evidence(video)
    assert [(t.start_s, t.end_s) for t in evidence.texts] == [(0.0, 1.0), (0.5, 3.5)]
    found = computed("visual_overlay_analysis", evidence)
    core = found.blocks["CoreMetrics"]
    assert (core["avgSimultaneousTexts"], core["avgTextDisplayDuration"]) == (pytest.approx(4 / 3.5, abs=1e-3), 2.0)
    # Less than half of the second half, and of the last third, was looked at.
    dynamics, more = found.blocks["Dynamics"], found.precompute
    assert {dynamics[name] for name in ("densityProgression", "temporalDistribution", "overlayAcceleration")} == {None}
    assert {more[name] for name in ("front_loaded_ratio", "overlay_acceleration_score")} == {None}
    assert (more["intro_overlay_count"], more["outro_overlay_count"]) == (2, 1)
    kinds = ["cut", "dissolve", "fade"]
    cut = until(analysis(12.0, cuts=[2.0, 4.0, 9.0], types=kinds), "scene_detection", [[0.0, 6.0]])
    assert read_evidence(cut).shots.transition_types == ("cut", "dissolve")


def test_texts_around_which_nobody_listened_say_nothing_of_the_speech():
    texts = [text("hello there friends", 0.0, 2.0), text("great offer", 3.0, 4.0), text("last words", 9.0, 11.0)]
    said = [segment("hello there friends", 0.0, 2.0)]
    video = until(analysis(12.0, texts=texts, segments=said), "whisper", [[0.0, 5.0]])
    found = computed("visual_overlay_analysis", read_evidence(video))
    assert found.blocks["Interactions"]["textSpeechSync"] == 0.5  # of the two that were listened to
    assert sum(found.precompute["text_speech_alignment"].values()) == 2
    silent = analysis(12.0, texts=texts).to_dict()
    silent["ml_data"]["whisper"]["metadata"]["has_audio"] = False
    found = computed("visual_overlay_analysis", read_evidence(UnifiedAnalysis.from_dict(silent)))
    assert found.blocks["Interactions"]["textSpeechSync"] is None
    assert found.precompute["text_speech_alignment"] is None
    assert found.blocks["Patterns"]["communicationApproach"] == "dominant"  # nobody can speak


def test_halves_and_beginnings_that_nobody_heard_say_nothing():
    said = [segment("one two three four five six", 0.0, 4.0)]
    video = until(analysis(12.0, segments=said), "whisper", [[0.0, 5.0]])
    dynamics = computed("speech_analysis", read_evidence(video)).blocks["Dynamics"]
    assert (dynamics["accelerationScore"], dynamics["speechFrontLoadRatio"]) == (None, None)
    assert dynamics["burstPattern"] is None


def test_sound_that_breaks_off_is_not_silent():
    video = until(analysis(12.0, segments=[segment("one two three four five six", 0.0, 4.0)]), "whisper", [[0.0, 5.0]])
    found = flat(computed("speech_analysis", read_evidence(video)))
    assert found["silencePeriods"] == [{"start": 4.0, "end": 5.0, "duration": 1.0}]
    assert found["speechRate"] == pytest.approx(6 / 5, abs=1e-3)
    assert found["wpmProgression"][1:] == [None, None]
    assert found["speechCoverage"] == pytest.approx(found["speechDuration"] / 5, abs=1e-3)


def test_speech_that_was_lost_is_present_and_no_more():
    raw = analysis(12.0).to_dict()
    raw["ml_data"]["whisper"]["speech_lost"] = [{"start": 0.0, "end": 11.0, "reason": "decoding loops"}]
    evidence = read_evidence(UnifiedAnalysis.from_dict(raw))
    found = computed("speech_analysis", evidence)
    core = {name: value for name, value in found.blocks["CoreMetrics"].items() if value is not None}
    assert core == {"speechPresent": True, "language": "en", "confidence": 0.1}  # the sound alone was measured
    assert "speech_lost" in found.blocks["Quality"]["analysisLimitations"]
    assert evidence.services.q("whisper") == 0.0
    said = analysis(12.0, segments=[segment("one two three four five six", 3.0, 6.0)]).to_dict()
    said["ml_data"]["whisper"]["speech_lost"] = [{"start": 0.0, "end": 2.0, "reason": "decoding loops"}]
    partly = read_evidence(UnifiedAnalysis.from_dict(said))
    silent = flat(computed("speech_analysis", partly))["silencePeriods"]
    assert [(period["start"], period["end"]) for period in silent] == [(2.0, 3.0), (6.0, 12.0)]
    assert partly.services.q("whisper") == pytest.approx(0.9 * (10 / 12) * 3 / 5)
    assert partly.seen("whisper").seconds == 10.0


def test_a_service_that_looked_at_nothing_has_nothing_to_say():
    for service in ("ocr", "yolo", "mediapipe"):
        evidence = read_evidence(until(analysis(12.0), service, []))
        quality = evidence.services.of[service]
        assert (quality.ok, quality.q, quality.reason) == (False, 0.0, LOOKED_AT_NOTHING)
    none = computed("visual_overlay_analysis", read_evidence(until(analysis(12.0), "ocr", [])))
    assert none.blocks["CoreMetrics"]["totalTextOverlays"] is None
    assert none.blocks["Quality"]["missingServices"] == [{"service": "ocr", "reason": LOOKED_AT_NOTHING}]


def test_a_face_of_unknown_place_is_a_face():
    faces = [{**face(k / 2, 0.1), "bbox": None} for k in range(24)]
    found = flat(computed("person_framing", read_evidence(analysis(12.0, faces=faces))))
    assert (found["faceVisibilityRate"], found["personPresenceRate"]) == (1.0, 1.0)
    unknown = ("averageFaceSize", "dominantFraming", "socialDistance", "expressionVisibility", "framingDistribution")
    assert {name: found[name] for name in unknown} == dict.fromkeys(unknown)


def test_faces_without_any_gaze_tell_nothing_of_eye_contact():
    found = flat(computed("person_framing", read_evidence(analysis(12.0, faces=[face(k / 2, 0.1) for k in range(24)]))))
    assert found["eyeContactRate"] is None


def test_objects_are_counted_over_the_samples_that_were_looked_at():
    video = until(analysis(12.0, detections=objects("person", HALF)), "yolo", HALF)
    found = flat(computed("person_framing", read_evidence(video)))
    assert found["avgPersonCount"] == 1.0
    assert found["maxSimultaneousPeople"] == 1
    assert found["personScreenCoverage"] == pytest.approx(0.04)


def test_elements_per_second_are_those_of_the_time_in_which_each_type_was_looked_for():
    content = {"texts": [text("ONE", 0.0, 2.0), text("TWO", 3.0, 5.0)], "detections": objects("cup", HALF)}
    whole_video = flat(computed("creative_density", read_evidence(analysis(12.0, **content))))
    assert whole_video["elementsPerSecond"] == pytest.approx(whole_video["totalElements"] / 12, abs=1e-3)
    half = flat(computed("creative_density", read_evidence(until(analysis(12.0, **content), "ocr", HALF))))
    assert half["totalElements"] == 3
    assert half["elementsPerSecond"] == pytest.approx(2 / 6 + 1 / 12, abs=1e-3)
