"""Temporal markers, computed by hand for one small clip, and their limits and invariants."""

from __future__ import annotations

import copy
import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.metadata import AnalysisMetadata
from rumiai.contracts.results import ServiceResult, ServiceStatus
from rumiai.contracts.timeline import Timeline, TimelineEntry, UnifiedAnalysis
from rumiai.legacy.stored import read_unified
from rumiai.services import entries_of
from rumiai.timeline.build import build
from rumiai.timeline.cta import window_of
from rumiai.timeline.markers import compute_markers, measure_markers
from rumiai.timeline.shrinking import MAX_MARKER_BYTES, shrunk, size_bytes

from ..timeline_samples import FACTS, SERVICES, canonical, results


def markers(facts=FACTS, **replaced):
    return compute_markers(build("v1", AnalysisMetadata(), facts, results(**replaced), entries_of))


def holding(entries, duration=20.0, services=SERVICES, observed=None):
    """The analysis of hand-made entries; every service looked at the whole video unless ``observed`` says otherwise."""
    looked = {service: ((0.0, duration),) for service in services} | (observed or {})
    listed = [TimelineEntry(start, kind, data, end) for start, end, kind, data in entries]
    return UnifiedAnalysis(
        "v", duration, AnalysisMetadata(), {s: {"metadata": {"sample_fps": 2.0}} for s in services},
        {s: ServiceStatus(s in services, None if s in services else "did not run") for s in SERVICES},
        Timeline.from_entries("v", duration, listed, 0.0, looked),
    )  # fmt: skip


def of(entries, duration=20.0, services=SERVICES, observed=None):
    """Markers of hand-made entries."""
    return compute_markers(holding(entries, duration, services, observed))


def text(start, end, words, box=(0.1, 0.4, 0.5, 0.1), **more):
    return (start, end, "text", {"text": words, "bbox": list(box), "position": "center", **more})


def speech(start, end, words):
    return (start, end, "speech", {"text": words, "words": []})


def test_the_first_five_seconds_by_hand():
    first = markers()["first_5_seconds"]
    # text 3, speech 2, person, pose, face, gaze 1 each; then text, sticker, person and two emotions; ...
    assert first["density_progression"] == [9, 7, 4, 6, 1]
    assert first["text_moments"] == [
        {"time": 0.0, "timestamp": "0s", "text": "STOP SCROLLING", "duration": 3.25, "position": "center"}
    ]
    # joy .74 x .5 s against surprise .9 x .5 s
    assert first["emotion_sequence"] == ["unknown", "surprise", "unknown", "unknown", "unknown"]
    assert first["emotion_sources"] == [None, "emotion", None, None, None]
    assert first["object_appearances"] == [{"class": "person", "first_appearance": 0.0, "count": 1}]
    assert first["speech_segments"] == [{"start": 0.2, "end": 1.0, "text": "Wait for it."}]
    assert first["scene_changes"] == [3.5, 3.75]
    assert first["gesture_moments"] == []


def test_the_call_to_action_window_by_hand():
    window = markers()["cta_window"]
    assert (window["start"], window["end"], window["time_range"]) == (9.0, 12.0, "9-12s")
    assert [(c["time"], c["cta_type"], c["keyword"], c["type"]) for c in window["cta_appearances"]] == [
        (9.5, "like", "hit like", "speech"),
        (10.5, "follow", "follow me", "speech"),
    ]
    assert window["cta_appearances"][0]["timestamp"] == "9s"
    assert window["gesture_sync"] == {"gesture_count": 2, "speech_count": 1, "sync_ratio": 1.0}
    assert window["object_focus"] == ["cup"]
    assert window["speech_emphasis"] == {
        "speech_duration": 2.0, "word_count": 5, "words_per_second": 2.5, "segment_count": 1,
    }  # fmt: skip
    assert window["text_overlays"] == []


def test_peaks_and_curve_by_hand():
    found = markers()
    # Starts: person 1, speech 1.5, text 3, pose + face + gaze 3; two cuts at 3 s make 4, below mean + std (4.1).
    assert [(p["timestamp"], p["intensity"]) for p in found["peak_moments"]] == [(0.0, 8.5)]
    assert found["peak_moments"][0]["events"][0] == {"type": "text", "value": "STOP SCROLLING", "count": 1}
    assert {event["type"] for event in found["peak_moments"][0]["events"]} == {
        "text", "speech", "object", "pose", "face", "gaze",
    }  # fmt: skip
    # 2 + 2 x 1.5 + 1 + 0.5; 1; 1 + 0.5
    assert found["engagement_curve"] == [0.65, 0.1, 0.15]


def test_metadata_and_clock():
    analysis = build("v1", AnalysisMetadata(), FACTS, results(yolo=None), entries_of)
    found = compute_markers(analysis, generated_at="2026-01-01T00:00:00+00:00")
    assert found["metadata"]["generated_at"] == "2026-01-01T00:00:00+00:00"
    assert found["metadata"]["ml_data_available"]["yolo"] is False
    assert found["metadata"]["missing"] == {"yolo": "did not run"}
    assert compute_markers(analysis)["metadata"]["generated_at"] is None
    assert compute_markers(analysis) == compute_markers(analysis)


def test_nothing_ran():
    found = compute_markers(build("v", AnalysisMetadata(), MediaFacts(duration_s=2.0), {}, entries_of))
    first, window = found["first_5_seconds"], found["cta_window"]
    assert (window.pop("start"), window.pop("end"), window.pop("time_range")) == (0.0, 2.0, "0-2s")
    assert set(window.pop("gesture_sync").values()) == set(window.pop("speech_emphasis").values()) == {None}
    assert set(window.values()) == {None}
    for progression in ("density_progression", "emotion_sequence", "emotion_sources"):
        assert first.pop(progression) == [None] * 5
    assert set(first.values()) == {None}
    assert found["peak_moments"] is None
    assert found["engagement_curve"] == [None]
    assert set(found["metadata"]["missing"].values()) == {"did not run"}


def test_what_nothing_looked_at_is_none_and_not_zero():
    """The picture breaks off at 3.5 s of a video of 20 s; the sound was heard whole."""
    entries = [text(1.0, 3.5, "one"), speech(18.2, 19.0, "follow me"), (2.0, None, "scene_change", {})]
    picture = {service: ((0.0, 3.5),) for service in SERVICES if service not in ("whisper", "audio_energy")}
    found = of(entries, observed=picture)
    first, window = found["first_5_seconds"], found["cta_window"]
    assert first["density_progression"] == [0, 3, 4, 3, None]  # half of the fourth second was looked at
    assert first["gesture_moments"] == []  # looked for, in part of the opening
    assert first["emotion_sequence"] == ["unknown"] * 5  # the words might have told
    assert found["engagement_curve"] == [0.35, None, None, None]
    assert [c["keyword"] for c in window["cta_appearances"]] == ["follow me"]
    assert window["gesture_sync"] == {"gesture_count": None, "speech_count": 1, "sync_ratio": None}
    assert window["object_focus"] is window["text_overlays"] is None
    assert window["speech_emphasis"]["segment_count"] == 1
    # Of the four seconds that were looked at 0, 3, 2 and 0 begin: mean 1.25 + deviation 1.3. Those after them count in
    # no mean: with them the second at 2 s would be a peak too, had it no higher neighbour.
    assert [(p["timestamp"], p["intensity"]) for p in found["peak_moments"]] == [(1.0, 3.0)]


def test_windows_that_a_service_with_data_did_not_look_at_are_named():
    analysis = build("v1", AnalysisMetadata(), FACTS, results(), entries_of)
    assert compute_markers(analysis)["metadata"]["unobserved"] == {}
    ocr = analysis.ml_data["ocr"].observing(((0.0, 6.0),))
    ran = {service: ServiceResult(service, "1", data) for service, data in {**analysis.ml_data, "ocr": ocr}.items()}
    found = compute_markers(build("v1", AnalysisMetadata(), FACTS, ran, entries_of))
    assert found["metadata"]["unobserved"] == {"cta_window": ["ocr"]}
    assert found["cta_window"]["text_overlays"] is None


def test_after_the_end_of_a_short_video_there_is_nothing():
    found = of([text(0.0, 1.0, "one")], 2.0)["first_5_seconds"]
    assert found["density_progression"] == [3, 0, 0, 0, 0]


def test_windows_are_half_open():
    entries = [
        text(5.0, 6.0, "at five"),
        text(4.0, 5.0, "until five"),
        (5.0, None, "scene_change", {"transition_type": "cut"}),
        (4.999, None, "scene_change", {"transition_type": "cut"}),
    ]
    found = of(entries)
    assert [m["text"] for m in found["first_5_seconds"]["text_moments"]] == ["until five"]
    assert found["first_5_seconds"]["scene_changes"] == [4.999]
    assert found["engagement_curve"] == [0.35, 0.35, 0.0, 0.0]


@pytest.mark.parametrize(("duration", "start"), [(2.0, 0.0), (3.0, 0.0), (10.0, 7.0), (20.0, 17.0), (60.0, 51.0)])
def test_the_window_is_the_last_15_percent_but_at_least_3_seconds(duration, start):
    assert window_of(duration) == (pytest.approx(start), duration)


def test_likes_that_ask_for_nothing():
    said = ["I like this video of his.", "It looks like if you buy", "We buy things to drop", "Like this video!"]
    found = of([speech(17.5 + i / 2, 18 + i / 2, words) for i, words in enumerate(said)])
    assert [c["keyword"] for c in found["cta_window"]["cta_appearances"]] == ["like this video"]


def test_one_call_per_phrase_and_entry_and_the_first_of_every_kind_when_there_are_many():
    entries = [text(18.0, 19.0, f"buy buy buy {i}") for i in range(12)] + [speech(19.5, 20.0, "link in bio")]
    calls = of(entries)["cta_window"]["cta_appearances"]
    assert len(calls) == 8
    assert [c["cta_type"] for c in calls].count("visit") == 1
    assert calls[-1]["time"] == 19.5


def test_watermarks_are_no_events():
    found = of([text(0.0, 20.0, "visit @tiktok", category="watermark")])
    assert found["first_5_seconds"]["density_progression"] == [0] * 5
    assert found["first_5_seconds"]["text_moments"] == []
    assert found["cta_window"]["cta_appearances"] == []


def test_of_many_texts_the_largest_are_kept_in_order_of_time():
    entries = [text(i / 10, 4.0, f"text {i}", (0, 0, 0.5, 0.01 * (i + 1))) for i in range(15)]
    moments = of(entries)["first_5_seconds"]["text_moments"]
    assert [m["text"] for m in moments] == [f"text {i}" for i in range(5, 15)]


def test_texts_are_clipped_to_fifty_characters():
    (moment,) = of([text(0.0, 1.0, "x" * 51)])["first_5_seconds"]["text_moments"]
    assert moment["text"] == "x" * 47 + "..."


def test_gestures_none_is_no_gesture_and_the_surest_eight_are_kept():
    entries = [(i / 4, i / 4 + 0.1, "gesture", {"type": "wave", "confidence": i / 20}) for i in range(12)]
    entries.append((0.0, None, "gesture", {"type": "none", "confidence": 1.0}))
    moments = of(entries)["first_5_seconds"]["gesture_moments"]
    assert [m["time"] for m in moments] == [i / 4 for i in range(4, 12)]


def test_emotions_are_weighed_by_confidence_and_unknown_is_not_neutral():
    emotion = [(0.0, 0.5, "emotion", {"emotion": "neutral", "confidence": 0.4}),
               (0.5, 1.0, "emotion", {"emotion": "joy", "confidence": 0.9}),
               (2.0, 2.5, "emotion", {"emotion": "fear", "confidence": None})]  # fmt: skip
    found = of([*emotion, speech(1.2, 1.8, "This is amazing"), speech(3.2, 3.8, "well then")])["first_5_seconds"]
    assert found["emotion_sequence"] == ["joy", "positive", "fear", "unknown", "unknown"]
    assert found["emotion_sources"] == ["emotion", "speech_keywords", "emotion", None, None]


def test_objects_count_what_is_there_at_once_and_not_broken_tracks():
    def thing(start, end, name="cup"):
        return (start, end, "object", {"class": name})

    found = of([thing(0, 1), thing(1, 2), thing(2, 3), thing(0.5, 0.9, "dog"), thing(0.6, 0.8, "dog")])
    assert found["first_5_seconds"]["object_appearances"] == [
        {"class": "cup", "first_appearance": 0.0, "count": 1},
        {"class": "dog", "first_appearance": 0.5, "count": 2},
    ]
    assert found["first_5_seconds"]["density_progression"] == [3, 1, 1, 0, 0]
    assert found["engagement_curve"][0] == 0.15  # a cup and two dogs


def test_peaks_at_both_ends_and_on_plateaus():
    def burst(second, count):
        return [text(second + 0.1, second + 0.2, f"{second} {i}") for i in range(count)]

    peaks = of([*burst(0, 4), *burst(9, 5), *burst(10, 5), *burst(19, 6), *burst(5, 1)])["peak_moments"]
    assert [(p["timestamp"], p["intensity"]) for p in peaks] == [(19.0, 18.0), (9.0, 15.0), (0.0, 12.0)]
    flat = of([item for second in range(20) for item in burst(second, 2)])
    assert flat["peak_moments"] == []


def test_speech_counts_by_what_lies_in_the_window():
    words = [{"word": f"w{i}", "start": 16.0 + i / 2, "end": 16.5 + i / 2} for i in range(4)]  # middles 16.25 .. 17.75
    entries = [
        (16.0, 18.0, "speech", {"text": "w0 w1 w2 w3", "words": words}),
        speech(17.5, 19.5, "one two three four"),
        speech(16.5, 17.5, "five six"),
    ]
    emphasis = of(entries)["cta_window"]["speech_emphasis"]
    # Window 17..20: w2, w3, all four of the second, half of two words; union 17..19.5.
    assert emphasis == {"speech_duration": 2.5, "word_count": 7.0, "words_per_second": 2.8, "segment_count": 3}


def test_gesture_sync_is_a_share_of_speech():
    gesture = (18.5, 19.0, "gesture", {"type": "wave", "confidence": 0.9})
    entries = [gesture, speech(17, 18, "a"), speech(18, 19, "b"), speech(19, 20, "c")]
    assert of(entries)["cta_window"]["gesture_sync"]["sync_ratio"] == pytest.approx(1 / 3)
    assert of(entries[:1])["cta_window"]["gesture_sync"]["sync_ratio"] is None
    others = [s for s in SERVICES if s != "mediapipe"]
    assert of(entries[1:], services=others)["cta_window"]["gesture_sync"] == {
        "gesture_count": None, "speech_count": 3, "sync_ratio": None,
    }  # fmt: skip


def test_a_call_is_timed_by_its_words_and_counts_only_inside_the_window():
    words = [{"word": w, "start": 15 + i, "end": 16 + i} for i, w in enumerate(["follow", "me", "and", "hit", "like"])]
    calls = of([(15.0, 20.0, "speech", {"text": "follow me and hit like", "words": words})])["cta_window"]
    assert [(c["time"], c["cta_type"]) for c in calls["cta_appearances"]] == [(18.0, "like")]


def test_a_denser_sampling_of_the_same_things_changes_no_marker():
    def sampled(rate):
        data = {"metadata": {"processed": True, "sample_fps": rate, "frames_analyzed": 20 * rate, "duration": 20.0}}
        times = [i / rate for i in range(2 * rate, 6 * rate)]
        boxed = {"bbox": [0.1, 0.1, 0.2, 0.2], "confidence": 0.9}
        seen = [{"timestamp": t, "frame_number": round(30 * t), **boxed} for t in times]
        people = {k: [dict(s, face_index=0, person=0, count=1) for s in seen] for k in ("poses", "faces")}
        people |= {"observed": [i / rate for i in range(20 * rate)]}
        people |= {"hands": [], "gestures": [dict(s, type="wave", hand="left") for s in seen], "gaze": []}
        result = ServiceResult.read("mediapipe", "1", data | people)
        found = compute_markers(
            build("v", AnalysisMetadata(), MediaFacts(20.0, 30.0), {"mediapipe": result}, entries_of)
        )
        return found["first_5_seconds"]["density_progression"], found["engagement_curve"], [
            (p["timestamp"], p["intensity"]) for p in found["peak_moments"]
        ]  # fmt: skip

    assert sampled(2) == sampled(4) == sampled(10) == ([0, 0, 3, 3, 3], [None] * 4, [(2.0, 3.0)])


def test_markers_of_the_saved_and_loaded_analysis_are_the_same():
    analysis = build("v1", AnalysisMetadata(), FACTS, results(), entries_of)
    loaded = UnifiedAnalysis.from_dict(json.loads(json.dumps(analysis.to_dict())))
    assert compute_markers(loaded) == compute_markers(analysis)
    assert json.loads(json.dumps(compute_markers(analysis), allow_nan=False)) == compute_markers(analysis)


def test_markers_do_not_depend_on_the_order_of_detections():
    expected = markers()
    for seed in range(4):
        data = {service: canonical(service) for service in SERVICES}
        for found in data.values():
            for key in ("objectAnnotations", "textAnnotations", "segments", "gestures", "emotions", "faces"):
                random.Random(seed).shuffle(found.get(key, []))
        assert markers(**data) == expected


def test_shifting_everything_by_a_second_leaves_the_window_as_it_is():
    entries = [text(18.0, 19.0, "link in bio"), speech(18.2, 19.0, "follow me")]
    later = [(s + 1, e + 1, kind, data) for s, e, kind, data in entries]
    one, two = of(entries, 20.0)["cta_window"], of(later, 21.0)["cta_window"]
    strip = lambda window: [(c["keyword"], c["time"] - window["end"]) for c in window["cta_appearances"]]  # noqa: E731
    assert strip(one) == strip(two)
    assert one["speech_emphasis"] == two["speech_emphasis"]


kinds = st.sampled_from(["text", "speech", "object", "scene_change", "gesture", "emotion", "face", "sticker", "scene"])
words = st.text(max_size=80) | st.sampled_from(["follow me", "buy now", "🔥" * 60])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 40), st.floats(0, 9) | st.none(), kinds, words), max_size=40), st.floats(0.2, 30)
)
def test_any_timeline_keeps_the_limits(items, duration):
    entries = [
        (s, None if d is None else s + d, kind,
         {"text": w, "class": w[:3], "type": "wave", "emotion": "joy", "id": w, "transition_type": "cut"})
        for s, d, kind, w in items
    ]  # fmt: skip
    found = of(entries, duration)
    first, window = found["first_5_seconds"], found["cta_window"]
    assert size_bytes(found) <= MAX_MARKER_BYTES
    assert len(first["density_progression"]) == len(first["emotion_sequence"]) == 5
    assert min(first["density_progression"]) >= 0
    limits = {"text_moments": 10, "gesture_moments": 8, "object_appearances": 5, "speech_segments": 5}
    assert all(len(first[key]) <= limit for key, limit in limits.items())
    assert len(window["cta_appearances"]) <= 8
    assert len(window["text_overlays"]) <= 10
    assert 0 <= (window["gesture_sync"]["sync_ratio"] or 0) <= 1
    assert window["speech_emphasis"]["speech_duration"] <= window["end"] - window["start"] + 1e-3
    assert all(0 <= score <= 1 for score in found["engagement_curve"])
    assert len(found["peak_moments"]) <= 5
    for moment in (*first["text_moments"], *window["text_overlays"], *first["speech_segments"]):
        assert len(moment["text"]) <= 50
    measured = measure_markers(holding(entries, duration))
    before = copy.deepcopy(measured)
    shrunk(measured, 500)
    assert measured == before


def test_too_large_markers_shrink_in_order():
    entries = [text(i / 20, 20.0, f"follow me {i} " + "é" * 60) for i in range(60)]
    entries += [(i / 4, None, "gesture", {"type": "wave", "confidence": 0.5}) for i in range(8)]
    found = measure_markers(holding(entries))
    assert shrunk(found, MAX_MARKER_BYTES) is found
    smaller = shrunk(found, size_bytes(found.to_dict()) - 100).to_dict()
    assert len(smaller["first_5_seconds"]["text_moments"]) == 5
    assert len(smaller["first_5_seconds"]["gesture_moments"]) == 8
    assert "position" in smaller["first_5_seconds"]["text_moments"][0]
    least = shrunk(found, 100).to_dict()
    assert "position" not in least["first_5_seconds"]["text_moments"][0]
    assert "gesture_sync" not in least["cta_window"]
    assert len(least["engagement_curve"]) == 1


def test_three_hours_take_seconds():
    duration = 10_800.0
    rng = random.Random(0)
    entries = [text(t := rng.uniform(0, duration), t + 3, f"text {i}") for i in range(10_000)]
    entries += [(i / 2, None, "face", {"face_index": 0}) for i in range(20_000)]
    entries += [(i / 2, i / 2 + 0.25, "object", {"class": "person"}) for i in range(20_000)]
    entries += [speech(i * 2.0, i * 2.0 + 1.9, "well then") for i in range(5_000)]
    begin = time.process_time()
    found = of(entries, duration)
    assert time.process_time() - begin < 8
    assert len(found["engagement_curve"]) == 2160
    assert size_bytes(found) <= MAX_MARKER_BYTES


def test_what_is_left_of_an_old_file_has_markers_too():
    raw = {
        "video_id": "7", "duration": 10,
        "timeline": {"entries": [
            {"start": "1s", "entry_type": "text", "data": "no words"},
            {"start": "1s", "entry_type": "speech", "data": {}},
            {"start": "1s", "entry_type": "gesture", "data": {"type": "none"}},
            {"start": "1s", "entry_type": "object", "data": {"class": "cup", "bbox": [5, 5, 9, 9]}},
            {"start": "9s", "entry_type": "text", "data": {"text": "follow me"}},
        ]},
    }  # fmt: skip
    found = compute_markers(read_unified(raw))
    # When anything was looked for is not known: what was found stands, nothing else does.
    assert found["first_5_seconds"]["text_moments"] is None
    assert found["first_5_seconds"]["object_appearances"] == [{"class": "cup", "first_appearance": 1.0, "count": 1}]
    assert found["first_5_seconds"]["density_progression"] == [None] * 5
    assert [c["keyword"] for c in found["cta_window"]["cta_appearances"]] == ["follow me"]
