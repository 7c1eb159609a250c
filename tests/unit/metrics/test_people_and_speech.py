"""emotional_journey, person_framing and speech_analysis on random videos: always valid, and as slow references say."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rumiai.metrics.emotional_journey.journey import measure_journey, measure_sync
from rumiai.metrics.emotional_journey.sync import COMPATIBLE_GESTURES
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.person_framing.people import Presence
from rumiai.metrics.registry import schema_of
from rumiai.metrics.speech_analysis.phrases import Phrases
from rumiai.metrics.speech_analysis.visual import Visual
from rumiai.metrics.speech_analysis.words import Spoken

from ..metrics_videos import analysis, computed, expression, gesture, segment, text

FAMILIES = ("emotional_journey", "person_framing", "speech_analysis")
RANDOM = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
SAYINGS = (
    "Hey, did you know? I love this amazing secret!", "follow me and save this now", "so sad. I hate it, um, like, no",
    "First mix it, then go to the shop", "coffee bean coffee bean", "\u4eca\u5929\u5929\u6c14\u5f88\u597d", "...", "a",
    "I went home and I saw it. I laughed", "LOUD LOUD LOUD",
)  # fmt: skip
unit = st.floats(0, 1)
# Boxes that reach the frame's borders and beyond them by rounding.
boxes = st.tuples(unit, unit, unit, unit).map(
    lambda b: [0.9 * b[0], 0.9 * b[1], max(0.01, b[2] * (1 - 0.9 * b[0])), max(0.01, b[3] * (1 - 0.9 * b[1]))]
)


@st.composite
def videos(draw, durations=(0.2, 0.6, 1.0, 2.9, 5.5, 12.0, 31.2)):
    """Arguments of ``analysis`` with people, words and sound of all kinds, some of them past the ends."""
    duration = draw(st.sampled_from(durations))
    sample = st.sampled_from([k / 2 for k in range(max(1, int(duration * 2)))])
    moment = st.floats(0, duration).map(lambda x: round(x, 2))
    span = st.tuples(moment, moment).map(lambda p: (min(p), max(p) if max(p) > min(p) else min(p) + 0.001))

    def at(t, **more):
        return {"timestamp": t, "frame_number": 0, "confidence": 0.8, **more}

    landmarks = st.integers(0, 33).map(lambda n: [{"i": i, "x": 0.5, "y": 0.5, "z": 0, "v": i / 32} for i in range(n)])
    said = []
    for words, (a, b), timed, sure in draw(
        st.lists(st.tuples(st.sampled_from(SAYINGS), span, st.booleans(), st.none() | unit), max_size=5)
    ):
        more = {"confidence": sure} if timed else {"confidence": sure, "words": []}
        said.append(segment(words, a, b, **more))
    curve = draw(st.none() | st.lists(unit, max_size=40))
    return {
        "duration_s": duration,
        "texts": [text(w, a, b) for w, (a, b) in draw(st.lists(st.tuples(st.sampled_from(SAYINGS), span), max_size=2))],
        "detections": [
            {"className": "person", "confidence": 0.8, "frames": [at(t, bbox=box)]}
            for t, box in draw(st.lists(st.tuples(sample, boxes), max_size=12))
        ],
        "faces": [at(t, count=1, bbox=box) for t, box in draw(st.lists(st.tuples(sample, boxes), max_size=20))],
        "poses": [
            at(t, bbox=box, landmarks=points)
            for t, box, points in draw(st.lists(st.tuples(sample, boxes, landmarks), max_size=4))
        ],
        "gaze": [
            at(t, eye_contact=score, gaze_direction=way)
            for t, score, way in draw(
                st.lists(
                    st.tuples(sample, unit, st.sampled_from(["camera", "left", None])),
                    max_size=12,
                    unique_by=lambda item: item[0],
                )
            )
        ],
        "expressions": [
            expression(t, label, c)
            for t, label, c in draw(
                st.lists(st.tuples(sample, st.sampled_from(["joy", "neutral", "anger", "fear", "surprise"]), unit))
            )
        ],
        "gestures": [
            gesture(t, kind, bbox=box)
            for t, kind, box in draw(
                st.lists(
                    st.tuples(sample, st.sampled_from(["pointing", "victory", "closed_fist"]), st.none() | boxes),
                    max_size=6,
                    unique_by=lambda item: item[0],
                )
            )
        ],
        "segments": said,
        "cuts": sorted(draw(st.sets(moment.filter(lambda x: 0.05 < x < duration - 0.05), max_size=5))),
        "audio": {
            "beats": sorted(draw(st.lists(moment, max_size=5))),
            "onsets": sorted(draw(st.lists(moment, max_size=5))),
            "energy_level_windows": {"0-5s": draw(unit)},
            **({} if curve is None else {"rms_curve": curve}),
        },
        "missing": draw(
            st.sets(
                st.sampled_from(["yolo", "whisper", "ocr", "mediapipe", "scene_detection", "audio_energy"]), max_size=2
            )
        )
        | {"emotion_detection"},
    }


@RANDOM
@given(videos())
def test_blocks_are_valid_and_everything_is_json(content):
    evidence = read_evidence(analysis(**content))
    for name in FAMILIES:
        found = computed(name, evidence)
        problems = schema_of(name).problems(found.blocks, duration_s=content["duration_s"])
        assert not problems, [str(problem) for problem in problems]
        json.dumps([found.blocks, found.precompute], allow_nan=False)


@RANDOM
@given(videos())
def test_everything_that_is_quoted_was_said(content):
    content["missing"] = {"emotion_detection"}
    video = analysis(**content)
    found = computed("speech_analysis", read_evidence(video)).blocks
    said = " ".join(item["text"] for item in content["segments"])
    events = found["KeyEvents"]
    quoted = [item["phrase"] for key in ("keyPhrases", "transitionPhrases") for item in events[key]]
    quoted += [item["text"] for key in ("hookPhrases", "ctaPhrases") for item in events[key]]
    quoted += [item["speechContent"] for item in events["offCameraSpeechSegments"]]
    quoted += [item["speech"] for item in found["Interactions"]["multimodalEmphasis"]]
    quoted += [item["word"] for item in found["Dynamics"]["emphasisMoments"] or ()]
    quoted += [events["speechClimax"]["text"]] if events["speechClimax"] else []
    assert [phrase for phrase in quoted if phrase not in said] == []
    for trigger in (
        p["trigger"]
        for p in computed("emotional_journey", read_evidence(video)).blocks["KeyEvents"]["transitionPoints"]
    ):
        if trigger.startswith("speech"):
            assert trigger.split('"', 1)[1][:-1] in said


def marked(spans, grid):
    """Which instants of a fine grid lie in any of the spans."""
    inside = np.zeros(grid.size, dtype=bool)
    for start, end in spans:
        inside |= (grid >= start) & (grid < end)
    return inside


@RANDOM
@given(videos(durations=(2.9, 5.5, 12.0)))
def test_times_agree_with_a_slow_raster(content):
    content["missing"] = {"emotion_detection"}
    evidence = read_evidence(analysis(**content))
    duration, step = content["duration_s"], 0.005
    grid = np.arange(step / 2, duration, step)
    spoken, faces = Spoken(evidence.speech, evidence), evidence.expressions
    journey = measure_journey(faces, evidence.bins)

    met = fits = 0
    mood = np.full(grid.size, "", dtype=object)
    for t, label in zip(faces.times_s, faces.labels, strict=True):
        mood[(grid >= t) & (grid < t + 0.5)] = label
    shown = marked([(g.start_s, g.end_s) for g in evidence.gestures], grid)
    for label, kinds in COMPATIBLE_GESTURES.items():
        fitting = marked([(g.start_s, g.end_s) for g in evidence.gestures if g.kind in kinds], grid)
        met += ((mood == label) & shown).sum()
        fits += ((mood == label) & fitting).sum()
    expected = fits / met if met else None
    assert measure_sync(journey, evidence, None).gesture == (pytest.approx(expected, abs=0.05) if met else None)

    voiced = marked(spoken.voiced_s, grid)
    assert spoken.speech_s == pytest.approx(voiced.sum() * step, abs=0.1)
    with_face = np.zeros(grid.size, dtype=bool)
    for t in {item["timestamp"] for item in content["faces"]}:
        with_face |= (grid >= t) & (grid < t + 0.5)
    if spoken.speech_s > 0.3:
        share = (with_face & voiced).sum() / voiced.sum()
        assert Visual(spoken).face_share == pytest.approx(share, abs=0.1)

    for until in (0.0, duration / 3, duration / 2, duration):
        slow = 0.0
        for (start, end), weight in zip(spoken.word_spans_s, spoken.weights, strict=True):
            share = min(1.0, max(0.0, until - start) / (end - start)) if end > start else float(until > start)
            slow += weight * (1.0 if until >= duration else share)
        assert float(spoken.words_until(np.array([until]))[0]) == pytest.approx(slow, abs=1e-6)


@RANDOM
@given(videos(durations=(5.5, 12.0)))
def test_speed_agrees_with_walking_from_sample_to_sample(content):
    content["missing"] = {"emotion_detection"}
    evidence = read_evidence(analysis(**content))
    cuts, speeds, before = content["cuts"], [], None
    for k in range(int(2 * content["duration_s"])):
        t, here = k / 2, {}
        for kind, items in (("face", content["faces"]), ("person", content["detections"])):
            boxes_now = [f["bbox"] for item in items for f in item.get("frames", [item]) if f["timestamp"] == t]
            if boxes_now:
                x, y, w, h = max(boxes_now, key=lambda box: box[2] * box[3])
                here[kind] = (x + w / 2, y + h / 2)
        if before is not None and not any(t - 0.5 < cut <= t for cut in cuts):
            for kind in ("face", "person"):
                if kind in here and kind in before:
                    speeds.append(2 * np.hypot(here[kind][0] - before[kind][0], here[kind][1] - before[kind][1]))
                    break
        before = here
    found = Presence(evidence.people, evidence).speed
    assert found == (pytest.approx(float(np.median(speeds))) if speeds else None)


def test_repeated_phrases_agree_with_counting():
    rng = np.random.default_rng(3)
    for _ in range(20):
        said = " ".join(rng.choice(["red", "car", "dog", "the", "sun"], 40))
        evidence = read_evidence(analysis(40.0, segments=[segment(said, 0.0, 40.0)]))
        phrases = Phrases(Spoken(evidence.speech, evidence))
        found = {item.text: len(item.times_s) for item in phrases.repeated}
        tokens = said.split()
        for size in (2, 3):
            for i in range(40 - size + 1):
                gram = tokens[i : i + size]
                if "the" in (gram[0], gram[-1]):
                    assert " ".join(gram) not in found
                    continue
                count, at = 0, 0
                while at <= 40 - size:
                    hit = tokens[at : at + size] == gram
                    count += hit
                    at += size if hit else 1
                assert found.get(" ".join(gram), 1) == count


def test_a_minute_of_everything_takes_milliseconds():
    """All three families of a 60 s video at five samples a second; the bound leaves room for a busy machine."""
    grid = [i / 5 for i in range(300)]
    rng = np.random.default_rng(0)

    def seen(t, *box, **more):
        return {"timestamp": t, "frame_number": 0, "confidence": 0.8, "bbox": [*map(float, box)], **more}

    words = "you won't believe this amazing trick so follow me now"
    content = analysis(
        60.0,
        faces=[seen(t, 0.3, 0.2, 0.3, 0.3, count=1) for t in grid],
        gaze=[
            {"timestamp": t, "frame_number": 0, "eye_contact": float(rng.random()), "gaze_direction": "camera"}
            for t in grid
        ],
        expressions=[expression(t, str(rng.choice(["joy", "neutral", "anger"]))) for t in grid],
        gestures=[gesture(t) for t in grid if rng.random() < 0.2],
        detections=[
            {"className": "person", "confidence": 0.8, "frames": [seen(t, *rng.random(2) / 2, 0.3, 0.3) for t in grid]}
            for _ in range(2)
        ],
        segments=[segment(words, 3.0 * i, 3.0 * i + 3) for i in range(20)],
        texts=[text(f"save this {i}", 2.0 * i, 2.0 * i + 2) for i in range(30)],
        cuts=[2.5 * i for i in range(1, 24)],
        audio={
            "rms_curve": rng.random(600).tolist(),
            "onsets": [i / 4 for i in range(240)],
            "beats": [i / 2 for i in range(120)],
        },
        sample_fps=5.0,
    )
    evidence = read_evidence(content)
    best = dict.fromkeys(FAMILIES, 1.0)
    for _ in range(5):
        for name in FAMILIES:
            begin = time.process_time()
            found = computed(name, evidence)
            best[name] = min(best[name], time.process_time() - begin)
            assert schema_of(name).problems(found.blocks, duration_s=60.0) == []
    assert sum(best.values()) < 0.15, best
