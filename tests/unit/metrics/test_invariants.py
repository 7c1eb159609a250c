"""What holds of every family for every input, on random videos."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rumiai.contracts.blocks import GENERIC_BLOCKS
from rumiai.contracts.metadata import VideoMetadata
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.confidence import service_names
from rumiai.metrics.registry import ANALYSES, family, schema_of
from rumiai.metrics.shared.bins import Bins

from ..metrics_videos import analysis, computed, expression, face, gesture, objects, segment, sticker, text

SERVICE_OF = service_names()
SERVICES = sorted(SERVICE_OF.values())
SAYINGS = (
    "Follow me for more", "wait for it", "SALE 50% off", "hello you", "this secret coffee", "why?", "link in bio now",
    "caf\u00e9 \u2615", "not good", "amazing", "\u4eca\u5929", "a",
)  # fmt: skip
RANDOM = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def compute(content, name):
    return computed(name, read_evidence(content))


def bodies(content):
    evidence = read_evidence(content)
    return {name: computed(name, evidence).blocks for name in ANALYSES}


@st.composite
def videos(draw, durations=(0.3, 1.0, 2.1, 5.5, 12.0, 31.2)):
    """Arguments of :func:`analysis`, with times on a grid of half seconds and off it."""
    duration = draw(st.sampled_from(durations))
    any_time = st.floats(0, duration, exclude_max=True).map(lambda x: round(x, 3))
    samples = [k / 2 for k in range(max(1, int(duration * 2)))]
    sample = st.sampled_from(samples)
    span = st.tuples(any_time, any_time).map(lambda p: (min(p), max(p) if max(p) > min(p) else min(p) + 0.001))
    unit = st.floats(0.01, 0.99)
    box = st.tuples(unit, unit, unit, unit).map(
        lambda b: [b[0] * 0.9, b[1] * 0.9, b[2] * (1 - b[0]), b[3] * (1 - b[1])]
    )
    texts = [
        text(word, a, b, bbox=place, contrast=c, confidence=c)
        for word, (a, b), place, c in draw(st.lists(st.tuples(st.sampled_from(SAYINGS), span, box, unit), max_size=7))
    ]
    detections = [
        found
        for kind, times in draw(
            st.lists(st.tuples(st.sampled_from(["person", "cup", "dog"]), st.lists(sample, unique=True)), max_size=5)
        )
        for found in (objects(kind, sorted(times)) if times else [])
    ]
    faces_at = draw(st.lists(st.tuples(sample, unit), max_size=20, unique_by=lambda item: item[0]))
    labels = st.sampled_from(["joy", "neutral", "anger", "surprise"])
    moods = draw(st.lists(st.tuples(sample, labels, unit), max_size=20, unique_by=lambda item: item[0]))
    gestures = draw(
        st.lists(
            st.tuples(sample, st.sampled_from(["pointing", "victory"])), max_size=6, unique_by=lambda item: item[0]
        )
    )
    said = draw(st.lists(st.tuples(st.sampled_from(SAYINGS), span), max_size=6))
    cuts = sorted(draw(st.sets(any_time.filter(lambda x: 0.05 < x < duration - 0.05), max_size=8)))
    audio = {
        "onsets": sorted(draw(st.lists(any_time, max_size=8))),
        "beats": sorted(draw(st.lists(any_time, max_size=8))),
    }
    caption = draw(st.none() | st.sampled_from(["", "Wait for it! #fyp #coffee \U0001f525", "so sad. why? @bob"]))
    views = draw(st.none() | st.integers(0, 9))
    return {
        "duration_s": duration,
        "texts": texts,
        "stickers": [sticker(a, b) for a, b in draw(st.lists(span, max_size=3))],
        "detections": detections,
        "faces": [face(t, area) for t, area in faces_at],
        "expressions": [expression(t, label, c) for t, label, c in moods],
        "gestures": [gesture(t, kind) for t, kind in gestures],
        "segments": [segment(word, a, b) for word, (a, b) in said],
        "cuts": cuts,
        "audio": audio,
        "missing": draw(st.sets(st.sampled_from(SERVICES), max_size=3)) | {"emotion_detection"},
        "metadata": VideoMetadata("v", description=caption, views=views, likes=views, comments=0, shares=1),
    }


@RANDOM
@given(videos())
def test_blocks_are_complete_valid_json_and_the_same_again(content):
    video = analysis(**content)
    for name, blocks in bodies(video).items():
        problems = schema_of(name).problems(blocks, duration_s=content["duration_s"])
        assert not problems, [str(problem) for problem in problems]
        written = json.dumps(blocks, allow_nan=False)
        assert written == json.dumps(compute(analysis(**content), name).blocks, allow_nan=False)
        json.dumps(compute(video, name).precompute, allow_nan=False)


@RANDOM
@given(videos(), st.integers(0, 99))
def test_the_order_of_the_lists_does_not_matter(content, seed):
    shuffled = dict(content)
    for key in ("texts", "stickers", "detections", "faces", "expressions", "gestures", "segments"):
        shuffled[key] = list(content[key])
        random.Random(seed).shuffle(shuffled[key])
    assert bodies(analysis(**content)) == bodies(analysis(**shuffled))


def test_segments_of_one_instant_may_stand_in_any_order():
    """Joined in the file's order, "not good amazing" and "amazing not good" had another tone."""
    said = [segment(words, 0.0, 0.001) for words in ("Follow me for more", "amazing", "not good", "amazing")]
    one, other = (analysis(duration_s=0.3, segments=order) for order in (said, said[::-1]))
    assert bodies(one) == bodies(other)


COUNTS = (
    "elementCounts", "totalElements", "sceneChangeCount", "totalScenes", "totalTextOverlays", "totalStickers",
    "uniqueTexts", "emotionTransitions", "uniqueEmotions", "framingChanges", "totalWords", "totalSpeechSegments",
    "hashtagCount", "burstPatterns", "quickCutsCount", "longTakesCount", "subjectCount", "maxSimultaneousPeople",
    "pauseCount",
)  # fmt: skip
RATES = (
    "avgDensity", "timelineCoverage", "sceneChangeRate", "overlayDensity", "avgTextsPerSecond", "speechRate",
    "wordsPerMinute", "personPresenceRate", "faceVisibilityRate", "positionStability", "emotionalIntensity",
)  # fmt: skip


def fields(found):
    return {key: value for blocks in found.values() for block in blocks.values() for key, value in block.items()}


def doubled(content):
    """The same detections seen twice as often."""

    def twice(items):
        return [{**item, "timestamp": item["timestamp"] + late} for item in items for late in (0.0, 0.25)]

    tracks = [{**track, "frames": twice(track["frames"])} for track in content["detections"]]
    more = {name: twice(content[name]) for name in ("faces", "expressions", "gestures")}
    return {**content, **more, "detections": tracks, "sample_fps": 4.0}


@RANDOM
@given(videos(durations=(1.0, 5.5, 12.0)))
def test_sampling_twice_as_often_changes_no_count(content):
    content["cuts"] = sorted({round(2 * cut) / 2 for cut in content["cuts"]} - {0.0, content["duration_s"]})
    once, twice = fields(bodies(analysis(**content))), fields(bodies(analysis(**doubled(content))))
    for name in COUNTS:
        if not isinstance(once.get(name), list):
            assert once.get(name) == twice.get(name), name
    for name in RATES:
        if once.get(name):
            assert twice[name] == pytest.approx(once[name], rel=0.05, abs=0.002), name


def shifted(value, by):
    """Every time in a structure moved."""
    if isinstance(value, dict):
        moved = {"start", "end", "timestamp", "first_seen", "last_seen"}
        return {k: v + by if k in moved else shifted(v, by) for k, v in value.items()}
    return [shifted(item, by) for item in value] if isinstance(value, list) else value


@RANDOM
@given(videos(durations=(5.5,)))
def test_a_shift_inside_a_longer_video_leaves_counts_unchanged(content):
    # A cut before and after, so that the scenes with events stay as long as they were.
    content["missing"] = {"emotion_detection"}

    def moved(by):
        cuts = [by, *(cut + by for cut in content["cuts"]), 5.5 + by]
        lists = {
            k: shifted(content[k], by)
            for k in ("texts", "stickers", "detections", "faces", "expressions", "gestures", "segments")
        }
        audio = {k: [t + by for t in v] for k, v in content["audio"].items()}
        return fields(bodies(analysis(**{**content, **lists, "audio": audio, "cuts": cuts, "duration_s": 20.0})))

    here, there = moved(6.0), moved(7.0)
    for name in COUNTS:
        if not isinstance(here.get(name), list):
            assert here.get(name) == there.get(name), name
    if here["timeToFirstText"] is not None:
        assert there["timeToFirstText"] == pytest.approx(here["timeToFirstText"] + 1, abs=0.002)


@RANDOM
@given(videos())
def test_the_analyses_agree_with_each_other(content):
    video = analysis(**content)
    found = bodies(video)
    density, overlays = fields({"d": found["creative_density"]}), found["visual_overlay_analysis"]["CoreMetrics"]
    pacing = found["scene_pacing"]["CoreMetrics"]
    duration, bins = content["duration_s"], Bins(content["duration_s"])
    if "scene_detection" not in content["missing"]:
        assert pacing["totalScenes"] - 1 == density["sceneChangeCount"] == len(video.timeline.of_type("scene_change"))
        assert sum(read_evidence(video).shots.durations_s) == pytest.approx(duration, abs=1 / 30)
    assert overlays["totalTextOverlays"] == density["elementCounts"]["text"]
    if density["totalElements"] is None:
        assert density["elementsPerSecond"] is None
        assert content["missing"] & {"ocr", "yolo", "mediapipe", "scene_detection"}
    else:
        assert density["totalElements"] == sum(count or 0 for count in density["elementCounts"].values())
        assert density["elementsPerSecond"] == pytest.approx(density["totalElements"] / duration, abs=1e-3)
    if (curve := density["densityCurve"]) is not None:
        assert len(curve) == bins.count
        assert density["avgDensity"] == pytest.approx(sum(row["density"] for row in curve) / len(curve), abs=2e-3)
        assert density["emptySeconds"] in (None, [row["second"] for row in curve if row["density"] == 0])
        if density["emptySeconds"] is not None:
            coverage = 1 - len(density["emptySeconds"]) / bins.count
            assert density["timelineCoverage"] == pytest.approx(coverage, abs=1e-3)


@RANDOM
@given(videos())
def test_a_failed_service_is_listed_and_never_a_number(content):
    video = analysis(**content)
    for name, blocks in bodies(video).items():
        missing = {item["service"]: item["reason"] for item in blocks["Quality"]["missingServices"]}
        used = {SERVICE_OF[s] for s in family(name).weights.used if s in SERVICE_OF}
        expected = {service for service in used & content["missing"] if service != "emotion_detection"}
        assert expected <= set(missing)
        assert all(missing[service] == "out of memory" for service in expected)
        services = read_evidence(video).services
        for block, weights in zip(GENERIC_BLOCKS, family(name).weights.by_block.values(), strict=False):
            if not any(services.ok(service) for service in weights):
                assert blocks[block]["confidence"] == 0.0
    overlays = fields({"o": bodies(video)["visual_overlay_analysis"]})
    if "ocr" in content["missing"]:
        assert overlays["totalTextOverlays"] is overlays["overlayTimeline"] is overlays["mlTags"] is None
    if "scene_detection" in content["missing"]:
        pacing = fields({"p": bodies(video)["scene_pacing"]})
        assert pacing["totalScenes"] is pacing["pacingCurve"] is pacing["montageSegments"] is None


@RANDOM
@given(videos())
def test_every_quoted_text_exists(content):
    found = bodies(analysis(**content))
    read = {item["text"] for item in content["texts"]}
    events = found["visual_overlay_analysis"]["KeyEvents"]
    quoted = [m["text"] for key in ("impactfulOverlays", "keyTextMoments") for m in events[key] or ()]
    quoted += [m["textContent"] for m in events["ctaMoments"] or ()]
    quoted += [m["textContent"] for m in found["visual_overlay_analysis"]["Interactions"]["multimodalMoments"] or ()]
    assert set(quoted) <= read
    caption = content["metadata"].description or ""
    metadata = found["metadata_analysis"]["KeyEvents"]
    for key in ("hooks", "callToActions"):
        assert all(item["text"] in caption for item in metadata[key] or ())
    assert all(item["emoji"] in caption for item in metadata["emojis"] or ())


def test_confidence_follows_the_evidence():
    """Two videos whose services differ in what they saw have different Quality blocks."""
    sure, unsure = (
        bodies(analysis(texts=[text("A", 1.0, 2.0, confidence=c)], detections=objects("cup", [1.0])))
        for c in (0.95, 0.55)
    )
    for name in ("creative_density", "visual_overlay_analysis"):
        assert sure[name]["Quality"]["overallConfidence"] > unsure[name]["Quality"]["overallConfidence"]


def test_an_hour_is_no_trouble():
    """Linear in the length: an hour of everything, each family within seconds on a busy machine."""
    hour = 3600.0
    content = analysis(
        hour,
        texts=[text(f"{SAYINGS[i % 12]} {i}", 2.0 * i, 2.0 * i + 1.5) for i in range(1700)],
        detections=[o for k in range(0, 7000, 20) for o in objects("cup", [k / 2, k / 2 + 0.5], 2)],
        segments=[segment("hello you and me", 4.0 * i, 4.0 * i + 2) for i in range(800)],
        expressions=[expression(k / 2, "joy" if k % 40 < 20 else "neutral") for k in range(7000)],
        cuts=[3.0 * i for i in range(1, 1150)],
    )
    begin = time.process_time()
    evidence = read_evidence(content)
    for name in ANALYSES:
        blocks = computed(name, evidence).blocks
        assert schema_of(name).problems(blocks, duration_s=hour) == []
    assert time.process_time() - begin < 2.0 * len(ANALYSES)
