"""Families with people, words and sound on random videos: always valid, quick, and as slow references say."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given

from rumiai.metrics.emotional_journey.journey import measure_journey, measure_sync
from rumiai.metrics.emotional_journey.sync import COMPATIBLE_GESTURES
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.person_framing.framing import measure_framing
from rumiai.metrics.registry import schema_of

from ..metrics_random import RANDOM, videos
from ..metrics_videos import analysis, computed, expression, gesture, segment, text

FAMILIES = ("emotional_journey", "person_framing", "speech_analysis")


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
def test_triggers_quote_what_was_said(content):
    content["missing"] = {"emotion_detection"}
    said = " ".join(item["text"] for item in content["segments"])
    for trigger in (
        p["trigger"]
        for p in computed("emotional_journey", read_evidence(analysis(**content))).blocks["KeyEvents"][
            "transitionPoints"
        ]
        or ()
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
def test_gestures_on_emotions_agree_with_a_slow_raster(content):
    content["missing"] = {"emotion_detection"}
    evidence = read_evidence(analysis(**content))
    duration, step = content["duration_s"], 0.005
    grid = np.arange(step / 2, duration, step)
    faces = evidence.expressions
    journey = measure_journey(faces, evidence.bins, evidence.seen("emotion"))

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
                    # Pixels of a frame of 576 x 1024, in its widths.
                    across, down = np.subtract(here[kind], before[kind]) * (576, 1024)
                    speeds.append(2 * np.hypot(across, down) / 576)
                    break
        before = here
    found = measure_framing(evidence.people, evidence).positions.speed
    assert found == (pytest.approx(float(np.median(speeds))) if speeds else None)


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
