"""person_framing by hand-computed videos."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import schema_of

from ...metrics_videos import analysis, computed, flat, gesture, result, segment

NAME = "person_framing"


def framing(duration_s=12.0, **content):
    found = result(NAME, duration_s, **content)
    assert [str(p) for p in schema_of(NAME).problems(found.blocks, duration_s=duration_s)] == []
    changes = found.blocks["KeyEvents"]["framingChanges"]
    core = found.blocks["CoreMetrics"]
    return {**flat(found), **core, "framingChangesList": changes, "further": found.precompute}


def face(time, area, x=0.5, y=1 / 3, confidence=0.9):
    """A face around a centre; one of a tenth of the frame is broad and low, so that a body has room below it."""
    width = height = area**0.5
    if 0.05 < area < 0.125:
        width, height = area / 0.2, 0.2
    box = [x - width / 2, y - height / 2, width, height]
    return {"timestamp": time, "frame_number": 0, "count": 1, "confidence": confidence, "bbox": box}


def faces(start, stop, area, step=0.5, **where):
    return [face(t, area, **where) for t in np.arange(start, stop, step).tolist()]


def body(time, height=0.5, visible=range(33), **more):
    """A body whose landmarks are visible as told."""
    points = [{"i": i, "x": 0.5, "y": 0.5, "z": 0.0, "v": 0.9 if i in visible else 0.1} for i in range(33)]
    box = [0.3, 0.5 - height / 2, 0.4, height]
    told = {"timestamp": time, "frame_number": 0, "confidence": 0.8, "bbox": box, "landmarks": points}
    return {**told, "witness": "person", **more}


def person(times, box=(0.25, 0.0, 0.5, 1.0)):
    frames = [{"timestamp": t, "frame_number": round(t * 30), "confidence": 0.8, "bbox": list(box)} for t in times]
    return {"className": "person", "confidence": 0.8, "frames": frames}


def look(time, score, direction="camera"):
    return {"timestamp": time, "frame_number": 0, "eye_contact": score, "gaze_direction": direction, "confidence": 0.9}


def looks(start, stop, score, **more):
    return [look(t, score, **more) for t in np.arange(start, stop, 0.5).tolist()]


def times(start, stop):
    return np.arange(start, stop, 0.5).tolist()


def acting(*actions):
    return [{"action": kind, "start": a, "end": b, "timestamp": a, "confidence": 0.9} for kind, a, b in actions]


def test_one_person_by_hand():
    # 4 s medium (10 % face, 40 % box), 4 s nobody, 4 s close (36 % face, 90 % box).
    found = framing(
        faces=faces(0, 4, 0.1) + faces(8, 12, 0.36),
        detections=[person(times(0, 4), (0.3, 0.0, 0.4, 1.0)), person(times(8, 12), (0.05, 0.0, 0.9, 1.0))],
        cuts=[4.0, 8.0],
    )
    further = found["further"]
    assert found["personPresenceRate"] == found["faceVisibilityRate"] == pytest.approx(16 / 24, abs=1e-3)
    assert (found["avgPersonCount"], found["maxSimultaneousPeople"]) == (1.0, 1)
    assert found["dominantFraming"] == "close"  # as long as medium, and the closer
    assert found["framingChanges"] == 2
    assert found["personScreenCoverage"] == pytest.approx((0.4 + 0.9) / 3, abs=1e-3)
    assert found["positionStability"] == 1.0
    assert found["gestureClarity"] is None
    assert found["bodyVisibilityRate"] == 0.0
    assert found["overallFramingQuality"] == pytest.approx((16 / 24 + 1 + 1) / 3, abs=1e-3)
    assert found["averageFaceSize"] == pytest.approx(23.0)
    assert (found["primarySubject"], found["subjectCount"]) == ("single", 1)
    assert found["framingConsistency"] == pytest.approx(1 - 10 / 30, abs=1e-3)
    assert found["framingProgression"] == [
        {"timestamp": "0-4s", "distance": "medium", "coverage": 0.4, "start": 0.0, "end": 4.0},
        {"timestamp": "4-8s", "distance": "none", "coverage": 0.0, "start": 4.0, "end": 8.0},
        {"timestamp": "8-12s", "distance": "close", "coverage": 0.9, "start": 8.0, "end": 12.0},
    ]
    assert found["framingTransitions"] == found["framingChangesList"]
    assert found["framingTransitions"] == [
        {"timestamp": 4.0, "from": "medium", "to": "none"}, {"timestamp": 8.0, "from": "none", "to": "close"},
    ]  # fmt: skip
    assert (found["movementPattern"], found["zoomTrend"]) == ("static", "stable")
    assert found["stabilityTimeline"][0] == {"second": 0, "stability": 1.0}
    assert found["stabilityTimeline"][5] == {"second": 5, "stability": None}
    assert found["distanceVariation"] == pytest.approx(0.13 / 0.23, abs=1e-3)
    assert found["expressionVisibility"] == pytest.approx(16 / 24, abs=1e-3)
    assert found["actionSpaceUtilization"] == pytest.approx(0.9, abs=0.01)
    assert found["socialDistance"] == "personal"
    assert found["closeUpMoments"] == [{"start": 8.0, "end": 12.0, "duration": 4.0}]
    assert found["framingHighlights"] == [
        {"timestamp": "8-12s", "type": "close_up", "impact": "medium"},
        {"timestamp": "8-9s", "type": "return", "impact": "medium"},
    ]
    assert [m["event"] for m in found["criticalFramingMoments"]] == ["person_exit", "first_close", "person_enter"]
    assert found["framingDistribution"] == {"close": 0.333, "medium": 0.333, "wide": 0.0, "none": 0.333}
    assert (found["framingStrategy"], found["framingArchetype"]) == ("staged", "balanced_presence")
    assert found["visualNarrative"] == "single_focus"
    assert found["patternTags"] == ["talking_head_style"]
    assert found["trackingConsistency"] == 1.0  # nobody is lost inside a scene
    assert found["analysisLimitations"] == ["no_body_landmarks"]
    assert further["absence_segments"] == [{"start": 4.0, "end": 8.0, "duration": 4.0}]
    assert (further["subject_absence_count"], further["absence_seconds"]) == (1, 4.0)
    assert (further["longest_absence_duration"], further["prolonged_absences"]) == (4.0, [])
    assert [t["transitionType"] for t in further["shot_transitions"]] == ["cut", "cut"]
    assert further["intro_shot_type"] == "medium"
    assert further["framing_volatility"] == pytest.approx(1 / 3, abs=1e-3)
    assert further["shot_changes_per_minute"] == 10.0
    assert further["temporal_evolution"]["middle"] == {
        "face_presence": 0.0, "person_presence": 0.0, "dominant_distance": "none",
        "camera_distance": {"close": 0.0, "medium": 0.0, "wide": 0.0, "none": 1.0},
    }  # fmt: skip
    assert further["temporal_evolution"]["end"]["dominant_distance"] == "close"
    assert further["framing_timeline"]["8-9s"] == {"shot_type": "close", "face_size": 36.0, "confidence": 0.9}
    assert further["framing_timeline"]["4-5s"] == {"shot_type": "none", "face_size": None, "confidence": None}
    assert further["compositionRule"] == "center"
    assert further["video_intent"] == "educational"
    assert found["framingPurposeAlignment"] is None  # no rule for that intent
    assert further["action_recognition"] is further["background_analysis"] is None
    assert further["detection_coverage"]["gazeDataAvailable"] is False
    assert further["intro_person_present"]


def test_nobody():
    found = framing()
    assert (found["personPresenceRate"], found["faceVisibilityRate"]) == (0.0, 0.0)
    assert (found["subjectCount"], found["maxSimultaneousPeople"], found["primarySubject"]) == (0, 0, "none")
    assert (found["dominantFraming"], found["framingChanges"], found["visualNarrative"]) == (
        "none", 0, None,
    )  # fmt: skip
    nothing = (
        "avgPersonCount", "positionStability", "gestureClarity", "overallFramingQuality", "averageFaceSize",
        "eyeContactRate", "framingConsistency", "movementPattern", "zoomTrend", "distanceVariation",
        "gestureFramingSync", "multiPersonCoordination", "framingPurposeAlignment", "socialDistance",
        "framingStrategy", "trackingConsistency",
    )  # fmt: skip
    assert {name: found[name] for name in nothing} == dict.fromkeys(nothing)
    assert found["gazeSteadiness"] is found["engagementTechniques"] is None
    assert found["framingHighlights"] == found["criticalFramingMoments"] == found["groupShots"] == []
    assert found["patternTags"] == ["minimal_creator_presence"]
    assert found["framingArchetype"] is None
    assert found["analysisLimitations"] == ["no_person_detected"]
    assert found["further"]["video_intent"] is found["further"]["compositionRule"] is None
    assert found["further"]["prolonged_absences"] == [{"start": 0.0, "end": 12.0, "duration": 12.0}]
    assert found["technicalExecution"] is found["productionValue"] is None


def test_without_people_or_objects():
    found = result(NAME, missing={"mediapipe": "no weights", "emotion_detection": "off"}, detections=[person([1.0])])
    assert schema_of(NAME).problems(found.blocks) == []
    assert {k for k, v in found.blocks["CoreMetrics"].items() if v is not None} == {"confidence"}
    assert found.blocks["Quality"]["analysisLimitations"] == ["no_people_data"]
    assert {"service": "mediapipe", "reason": "no weights"} in found.blocks["Quality"]["missingServices"]
    assert found.precompute == {}
    found = framing(faces=faces(0, 12, 0.1), missing=["yolo", "scene_detection", "emotion_detection"])
    assert found["personPresenceRate"] == 1.0
    lost = ("avgPersonCount", "maxSimultaneousPeople", "personScreenCoverage", "actionSpaceUtilization")
    assert {name: found[name] for name in lost} == dict.fromkeys(lost)
    assert found["framingProgression"][0]["coverage"] is None
    assert found["positionStability"] is None  # a cut moves everybody
    assert found["analysisLimitations"] == ["no_object_data", "no_scene_data", "no_body_landmarks"]
    assert found["visualNarrative"] == "single_focus"


def test_a_file_that_does_not_say_how_often_it_looked():
    video = analysis(faces=faces(2, 4, 0.1)).to_dict()
    bare = {"processed": True}
    video["ml_data"]["mediapipe"]["metadata"] = video["ml_data"]["yolo"]["metadata"] = bare
    del video["ml_data"]["mediapipe"]["observed"], video["ml_data"]["yolo"]["observed"]
    found = computed(NAME, read_evidence(UnifiedAnalysis.from_dict(video)))
    assert schema_of(NAME).problems(found.blocks, duration_s=12.0) == []
    assert found.blocks["CoreMetrics"]["faceVisibilityRate"] == 1.0  # of the instants that are known
    video["ml_data"]["mediapipe"]["faces"] = []
    found = computed(NAME, read_evidence(UnifiedAnalysis.from_dict(video)))
    assert schema_of(NAME).problems(found.blocks, duration_s=12.0) == []
    assert found.blocks["CoreMetrics"]["personPresenceRate"] is None
    assert found.blocks["Patterns"]["framingDistribution"] is found.blocks["Patterns"]["visualNarrative"] is None


def test_bodies():
    whole = framing(poses=[body(t) for t in times(0, 12)])
    assert (whole["bodyVisibilityRate"], whole["dominantFraming"]) == (1.0, "wide")
    assert whole["avgPersonCount"] == 1.0  # a body without box or face is one person
    assert whole["patternTags"] == [
        "minimal_creator_presence", "continuous_presence", "stable_framing", "full_body_content",
    ]  # fmt: skip
    assert whole["framingStrategy"] == "observational"
    assert whole["framingArchetype"] is None  # hardly a face: no creator is in the centre
    assert whole["positionStability"] is None
    cut = framing(poses=[body(t, height=0.95, visible=range(23)) for t in times(0, 12)])
    assert (cut["bodyVisibilityRate"], cut["dominantFraming"]) == (0.0, "medium")


def test_speed_in_frame_widths_per_second():
    # The face moves by .05 per half second inside both scenes and jumps at the cut.
    moving = [face(t, 0.04, x=0.2 + 0.1 * t) for t in times(0, 4)] + [
        face(t, 0.04, x=0.9 - 0.1 * (t - 4)) for t in times(4, 8)
    ]
    found = framing(8.0, faces=moving, cuts=[4.0])
    assert found["positionStability"] == pytest.approx(1 - 0.1 / 0.3, abs=1e-3)
    assert found["movementPattern"] == "dynamic"
    assert found["stabilityTimeline"][4] == {"second": 4, "stability": 0.667}
    slow = [face(t, 0.04, x=0.2 + 0.03 * t) for t in times(0, 8)]
    assert framing(8.0, faces=slow)["movementPattern"] == "gradual"
    # Sampled four times a second the same movement has the same speed.
    finer = [face(t, 0.04, x=0.2 + 0.1 * t) for t in np.arange(0, 4, 0.25).tolist()]
    assert framing(4.0, faces=finer, sample_fps=4.0)["positionStability"] == pytest.approx(2 / 3, abs=1e-3)
    # Without a face the person's box counts; from one to the other there is no speed.
    boxes = [person([t], (0.1 + 0.06 * t, 0.2, 0.2, 0.5)) for t in times(0, 8)]
    assert framing(8.0, detections=boxes)["positionStability"] == pytest.approx(1 - 0.06 / 0.3, abs=1e-3)
    # A gap of a second is no movement.
    assert framing(8.0, faces=[face(0.0, 0.04, x=0.1), face(2.0, 0.04, x=0.9)])["positionStability"] is None


def test_zoom():
    def zoom(*areas, cuts=()):
        return framing(faces=[face(t, area) for t, area in zip(times(0, 12), areas, strict=False)], cuts=cuts)

    assert zoom(*np.linspace(0.05, 0.2, 24))["zoomTrend"] == "in"
    assert zoom(*np.linspace(0.2, 0.05, 24))["zoomTrend"] == "out"
    assert zoom(*np.linspace(0.05, 0.2, 12), *np.linspace(0.2, 0.05, 12), cuts=[6.0])["zoomTrend"] == "varied"
    # Larger faces in the second scene are a cut, not a zoom.
    assert zoom(*[0.05] * 12, *[0.2] * 12, cuts=[6.0])["zoomTrend"] == "stable"
    assert zoom(0.1, 0.1)["zoomTrend"] is None


def test_changes_inside_a_scene_are_zooms():
    found = framing(faces=faces(0, 4, 0.1) + faces(4, 8, 0.3) + faces(8, 12, 0.1))
    assert [t["transitionType"] for t in found["further"]["shot_transitions"]] == ["zoom_in", "zoom_out"]
    assert found["criticalFramingMoments"] == [
        {"timestamp": 4.0, "event": "first_close", "framing": "close"},
        {"timestamp": 4.0, "event": "zoom_in", "framing": "close"},
        {"timestamp": 8.0, "event": "zoom_out", "framing": "medium"},
    ]
    # Samples are half a second apart: a cut up to that and .2 s before a change made it.
    near, far = (framing(faces=faces(0, 4, 0.1) + faces(4, 12, 0.3), cuts=[cut]) for cut in (3.35, 3.25))
    assert near["further"]["shot_transitions"][0]["transitionType"] == "cut"
    assert far["further"]["shot_transitions"][0]["transitionType"] == "zoom_in"
    away = framing(faces=faces(0, 4, 0.1) + faces(8, 12, 0.1))
    assert [t["transitionType"] for t in away["further"]["shot_transitions"]] == ["exit", "return"]
    assert away["trackingConsistency"] == pytest.approx(1 - 8 / 24, abs=1e-3)  # lost and found in one scene
    entering = framing(faces=faces(4, 12, 0.1))
    assert entering["framingHighlights"] == []  # the first to come does not come back
    assert entering["criticalFramingMoments"] == [{"timestamp": 4.0, "event": "person_enter", "framing": "medium"}]


def test_eye_contact():
    found = framing(
        faces=faces(0, 12, 0.1), gaze=looks(0, 4, 0.9) + looks(4, 8, 0.1, direction="left") + looks(8, 12, 0.5)
    )
    assert found["eyeContactRate"] == pytest.approx(2 / 3, abs=1e-3)
    scores = [0.9] * 8 + [0.1] * 8 + [0.5] * 8
    assert np.std(scores) == pytest.approx(0.3266, abs=1e-3)
    assert found["gazeSteadiness"] == "low"
    assert found["further"]["gaze_analysis"] == {"eye_contact_ratio": 0.667, "primary_gaze_direction": "camera"}
    assert found["further"]["eyeContactScreenRate"] == 0.667
    assert [h for h in found["framingHighlights"] if h["type"] == "eye_contact_run"] == [
        {"timestamp": "0-4s", "type": "eye_contact_run", "impact": "high"},
        {"timestamp": "8-12s", "type": "eye_contact_run", "impact": "medium"},
    ]
    assert [(p["start"], p["end"]) for p in found["optimalFramingPeriods"]] == [(0.0, 4.0), (8.0, 12.0)]
    assert found["engagementTechniques"] == ["direct_eye_contact"]
    away = framing(faces=faces(0, 12, 0.1), gaze=looks(0, 12, 0.0))
    assert (away["eyeContactRate"], away["gazeSteadiness"]) == (0.0, "high")
    few = framing(faces=faces(0, 12, 0.1), gaze=looks(0, 2, 0.9))
    assert few["gazeSteadiness"] is None
    assert few["eyeContactRate"] == pytest.approx(4 / 24, abs=1e-3)
    some = framing(faces=faces(0, 12, 0.1), gaze=looks(0, 6, 0.9) + looks(6, 12, 0.4))
    assert some["gazeSteadiness"] == "medium"
    # One that moves is not steady.
    moving = [face(t, 0.04, x=0.1 + 0.07 * t) for t in times(0, 12)]
    assert framing(faces=moving, gaze=looks(0, 12, 0.9))["optimalFramingPeriods"] == []


def test_two_people():
    pair = faces(2, 6, 0.12, x=0.3) + faces(2, 6, 0.04, x=0.8)
    found = framing(faces=pair, detections=[person(times(2, 6)), person(times(2, 6)), person(times(2, 4))])
    assert found["multiPersonCoordination"] == 0.5  # 1 - .08 / .16
    assert (found["subjectCount"], found["primarySubject"]) == (2, "multiple")
    assert found["avgPersonCount"] == 2.5
    assert found["maxSimultaneousPeople"] == 3
    assert found["groupShots"] == [{"start": 2.0, "end": 6.0, "duration": 4.0}]
    assert found["visualNarrative"] == "multi_person"
    assert {"timestamp": "2-6s", "type": "group_shot", "impact": "high"} in found["framingHighlights"]
    assert "group_shots" in found["engagementTechniques"]


def test_gestures_inside_the_frame():
    inside = {"bbox": [0.7, 0.4, 0.2, 0.2]}
    cut = {"bbox": [0.8, 0.4, 0.19, 0.2]}
    moves = [gesture(1.0, **inside), gesture(3.0, "victory", **cut), gesture(9.0, "wave", **inside)]
    found = framing(faces=faces(0, 6, 0.1), gestures=moves)
    assert found["gestureFramingSync"] == pytest.approx(1 / 3, abs=1e-3)  # one hand is cut, one has no face
    assert found["gestureClarity"] == 0.8
    assert "gesture_emphasis" in found["engagementTechniques"]
    assert framing(faces=faces(0, 6, 0.1), gestures=[gesture(1.0, bbox=None)])["gestureFramingSync"] is None
    edge = framing(faces=faces(0, 6, 0.1, x=0.1), gestures=[gesture(1.0, **inside)])
    assert edge["gestureFramingSync"] == 0.0


def test_speaker():
    talk = [segment("one two three four", 0.1, 5.9)]  # voiced 0..6
    found = framing(faces=faces(0, 3, 0.3), segments=talk)
    assert found["speakerFraming"] == {"speechWithFaceRatio": 0.5, "dominantShotWhileSpeaking": "close"}
    assert framing()["speakerFraming"] == {"speechWithFaceRatio": None, "dominantShotWhileSpeaking": None}
    assert framing(missing=["whisper", "emotion_detection"])["speakerFraming"] is None


@pytest.mark.parametrize(
    ("area", "word"), [(0.26, "intimate"), (0.25, "personal"), (0.08, "social"), (0.021, "social"), (0.02, "public")]
)
def test_social_distance(area, word):
    # The side of a face is its root, so the area may miss the limit by rounding: hand it over as a plain box.
    box = {"bbox": [0.0, 0.0, area, 1.0]}
    found = framing(faces=[{**face(t, 0.01), **box} for t in times(0, 12)])
    assert found["socialDistance"] == word


def test_intent_and_risk():
    close = framing(faces=faces(0, 12, 0.3))
    assert close["further"]["video_intent"] == "personal_message"
    assert (close["framingPurposeAlignment"], close["further"]["intent_alignment_risk_level"]) == (1.0, "low")
    assert close["framingStrategy"] == "intimate"
    assert close["framingArchetype"] == "talking_head"
    assert close["further"]["ml_tags"] == ["high_face_time", "low_volatility", "close_shot_intro", "person_dominant"]
    assert "close_up_intro" in close["engagementTechniques"]
    half = framing(faces=faces(0, 4, 0.3) + faces(4, 12, 0.1))  # close .33, 5 changes a minute
    assert half["further"]["intent_alignment_risk"] == 0.3
    assert half["framingPurposeAlignment"] == 0.7
    assert half["further"]["intent_alignment_risk_level"] == "medium"
    wide = framing(poses=[body(t) for t in times(0, 12)])
    assert wide["further"]["video_intent"] == "performance"
    product = framing(faces=faces(9, 12, 0.1))
    assert product["further"]["video_intent"] == "product_showcase"
    assert product["further"]["intent_alignment_risk"] == 0.2  # hardly any change
    assert product["further"]["ml_tags"] == ["low_volatility", "has_prolonged_absences"]
    general = framing(faces=faces(3, 9, 0.1))
    assert general["further"]["video_intent"] is None


def test_actions():
    everything = acting(("talking", 0, 8), ("dancing", 2, 6), ("standing", 0, 12), ("gesturing", 1, 2))
    found = framing(faces=faces(3, 9, 0.1), actions=everything)
    assert found["further"]["video_intent"] == "entertainment_dance"
    assert found["further"]["intent_alignment_risk"] == 0.2  # volatility .33: not dynamic
    assert found["further"]["action_recognition"] == {
        "primary_actions": ["standing", "talking", "dancing"], "action_diversity": 4,
    }  # fmt: skip
    assert "high_action_diversity" in found["further"]["ml_tags"]
    kinds = ("talking", "walking", "standing", "sitting")
    shown = framing(faces=faces(3, 9, 0.1), actions=acting(*((kind, 0, 1) for kind in kinds)))
    assert shown["further"]["video_intent"] == "tutorial_demonstration"
    assert shown["further"]["intent_alignment_risk"] == 0.0


def test_restless_framing():
    sizes = [0.3 if int(t) % 2 else 0.1 for t in times(0, 12)]
    busy = [face(t, size, x=0.2 + 0.5 * (i % 2)) for i, (t, size) in enumerate(zip(times(0, 12), sizes, strict=True))]
    found = framing(faces=busy, actions=acting(("talking", 0, 1), ("walking", 0, 1), ("standing", 0, 1)))
    assert found["further"]["framing_volatility"] == 1.0  # 11 changes in 12 s
    assert found["framingStrategy"] == "intimate"  # half of it is close
    assert found["framingArchetype"] == "dynamic_demo"
    assert "dynamic_framing" in found["patternTags"]
    assert found["technicalExecution"] == "experimental"
    assert "changing_shot_sizes" in found["engagementTechniques"]
    less = [face(t, 0.3 if int(t) % 3 == 0 else 0.1) for t in times(0, 12)]
    assert framing(faces=less)["framingStrategy"] == "dynamic"


def test_composition():
    def rule(x):
        return framing(faces=faces(0, 12, 0.04, x=x))["further"]["compositionRule"]

    assert [rule(x) for x in (0.5, 0.57, 0.35, 0.66, 0.2)] == ["center", "center", "thirds", "thirds", "offset"]


def test_limitations():
    poor = framing(faces=faces(0, 4, 0.1, confidence=0.4), detections=[person(times(0, 12))])
    assert poor["analysisLimitations"] == ["no_body_landmarks", "low_face_confidence", "occlusion"]
    assert framing(2.0, poses=[body(0.0)])["analysisLimitations"] == ["few_samples"]


def test_quality_words():
    low = framing(faces=[face(t, 0.04, x=0.2 + 0.5 * (i % 2), y=0.8) for i, t in enumerate(times(0, 4))])
    # present 1/3, moving 1 width a second, below the band
    assert low["overallFramingQuality"] == pytest.approx(1 / 9, abs=1e-3)
    assert low["productionValue"] == "low"
    assert framing(faces=faces(0, 12, 0.1))["productionValue"] == "high"
