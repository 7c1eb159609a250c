"""What the families share: bins, statistics, intervals, labels, words, confidence, evidence, assembling."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.contracts.lexicons import find_ctas, find_hooks
from rumiai.contracts.services import ServiceMetadata
from rumiai.errors import ContractError
from rumiai.metrics.creative_density.blocks import CoreMetrics
from rumiai.metrics.evidence.build import grid_of, read_evidence
from rumiai.metrics.evidence.confidence import Weights, answered, found_confidence
from rumiai.metrics.families import rounded
from rumiai.metrics.metadata_analysis.blocks import EngagementAlignment
from rumiai.metrics.registry import ANALYSES, family
from rumiai.metrics.shared import phrases
from rumiai.metrics.shared.bins import Bins, active_in, count_in, equal_windows, span, windows_of
from rumiai.metrics.shared.framing import smoothed_shots
from rumiai.metrics.shared.labels import most_frequent, smooth
from rumiai.metrics.shared.series import local_maxima, runs_of
from rumiai.metrics.shared.statistics import (
    above_chance,
    alignment,
    balance,
    correlation,
    cv,
    line,
    mean,
    mean_known,
    median,
    ratio,
    std,
    variance,
)
from rumiai.metrics.shared.words import content_words, tokens, word_count

from ..metrics_videos import analysis, expression, face, gesture, objects, segment, sticker, text

times = st.floats(0, 20, allow_nan=False).map(lambda x: round(x, 3))
spans = st.lists(st.tuples(times, times).map(lambda p: (min(p), max(p))), max_size=8)


@pytest.mark.parametrize(
    ("duration", "count", "last"),
    [
        (10.0, 10, 1.0),
        (10.2, 10, 1.2),
        (10.25, 11, 0.25),
        (10.5, 11, 0.5),
        (0.1, 1, 0.1),
        (1.2, 1, 1.2),
        (3600.0, 3600, 1),
    ],
)
def test_bins(duration, count, last):
    bins = Bins(duration)
    assert bins.count == count
    assert bins.last_length_s == pytest.approx(last)
    assert bins.edges_s[-1] == duration
    assert bins.index(duration) == count - 1
    assert (Bins(12.0).third, Bins(2.0).third, Bins(11.0).third) == (4, 1, 3)


def slow_active(bins, start, end):
    """0.1 bin by bin."""
    edges = bins.edges_s
    found = [i for i in range(bins.count) if min(end, edges[i + 1]) - max(start, edges[i]) >= 0.1 - 1e-9]
    return found or [next(i for i in reversed(range(bins.count)) if edges[i] <= start)]


@settings(max_examples=200, deadline=None)
@given(st.floats(0.2, 15).map(lambda x: round(x, 2)), spans)
def test_active_against_a_slow_reference(duration, pairs):
    bins = Bins(duration)
    pairs = [(min(a, duration), min(b, duration)) for a, b in pairs]
    expected = np.zeros(bins.count, int)
    for start, end in pairs:
        expected[slow_active(bins, start, end)] += 1
    assert bins.active([a for a, _ in pairs], [b for _, b in pairs]).tolist() == expected.tolist()


def test_active_by_hand():
    bins = Bins(4.0)
    assert bins.active([0.95], [2.05]).tolist() == [0, 1, 0, 0]  # 0.05 in either neighbour
    assert bins.active([0.95], [1.05]).tolist() == [1, 0, 0, 0]  # 0.1 in no bin
    assert bins.active([0.9], [1.1]).tolist() == [1, 1, 0, 0]
    assert bins.onsets([0.0, 3.999, 4.0]).tolist() == [1, 0, 0, 2]
    assert Bins(3.5).per_second([1, 0, 0, 1]).tolist() == [1, 0, 0, 2]
    assert Bins(3.2).per_second([1, 0, 1]).tolist() == [1, 0, 1]
    assert bins.means([0.1, 0.2, 3.0], [1, 3, 5]).tolist()[0] == 2.0
    assert np.isnan(bins.means([0.1], [1])[1])
    assert bins.label_at(2.7) == "2-3s"


def test_windows():
    assert span(0.04, 12.25) == "0-12.2s"
    assert windows_of(7.0, 3.0).tolist() == [0.0, 3.0, 6.0, 7.0]
    assert windows_of(6.0, 3.0).tolist() == [0.0, 3.0, 6.0]
    assert equal_windows(3.0, 2).tolist() == [0.0, 1.5, 3.0]
    assert count_in(windows_of(6.0, 3.0), [0.0, 3.0, 6.0, 7.0]).tolist() == [1, 3]
    assert active_in(windows_of(9.0, 3.0), [0.0, 2.9, 3.0, 8.0], [3.0, 6.1, 3.0, 9.0]).tolist() == [2, 2, 2]
    assert active_in(windows_of(9.0, 3.0), [], []).tolist() == [0, 0, 0]


def test_statistics():
    assert mean([]) is std([]) is cv([]) is variance([]) is median([]) is None
    assert std([1, 3]) == 1.0
    assert variance([1, 3]) == 1.0
    assert cv([1, 3]) == 0.5
    assert cv([0, 0]) == 0
    assert std([0.1] * 10) == 0
    assert mean_known([None, 1, 3]) == 2
    assert mean_known([None]) is None
    assert median([3, 1, 2]) == 2
    assert ratio(1, 0) is None
    assert (balance(1, 3), balance(0, 0)) == (0.5, 0.0)
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert correlation([1, 1, 1], [1, 2, 3]) is None
    assert correlation([1, 2, np.nan], [3, 3, 9]) is None
    assert alignment([1, 2, 3], [3, 2, 1]) == pytest.approx(0)
    assert above_chance(0.5, 0.0) == 0.5
    assert above_chance(0.1, 0.5) == 0.0
    assert above_chance(1.0, 0.9) is above_chance(None, 0.1) is None
    slope, intercept, explained = line([0, 1, 2], [1, 3, 5])
    assert (slope, intercept, explained) == pytest.approx((2, 1, 1))
    assert line([1], [5]) == (0.0, 5.0, 0.0)


def slow_smooth(labels, step):
    """0.2 sample by sample."""
    known = [label for label in labels if label is not None]

    def run_of(i):
        a = b = i
        while a > 0 and known[a - 1] == known[i]:
            a -= 1
        while b + 1 < len(known) and known[b + 1] == known[i]:
            b += 1
        return (b - a + 1) * step >= 1.0 - 1e-9

    held = [known[i] for i in range(len(known)) if run_of(i)]
    current = held[0] if held else most_frequent(known)
    out = []
    for i, label in enumerate(known):
        current = label if run_of(i) else current
        out.append(current)
    return out


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["joy", "anger", None]), max_size=24), st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0]))
def test_smoothing_against_a_slow_reference(labels, step):
    smoothed = smooth([i * step for i in range(len(labels))], labels, step)
    assert list(smoothed.labels) == slow_smooth(labels, step)
    assert [run.label for run in smoothed.runs for _ in range(run.first, run.stop)] == list(smoothed.labels)
    assert all(change.before != change.after for change in smoothed.changes)


def test_smoothing_by_hand():
    labels = ["joy", "anger", "anger", "joy", None, "neutral", "neutral", "neutral"]
    smoothed = smooth([i * 0.5 for i in range(8)], labels, 0.5)
    assert smoothed.labels == ("anger",) * 4 + ("neutral",) * 3
    (change,) = smoothed.changes
    assert (change.time_s, change.before, change.after) == (2.5, "anger", "neutral")
    assert smooth([0, 0.5, 1], ["b", "a", "b"], 0.5).labels == ("b", "b", "b")
    assert smooth([], [], 0.5).changes == ()
    assert most_frequent(["b", "a"]) == "a"


def test_series():
    assert local_maxima([1, 3, 3, 2, 5, 0, 7]) == [1, 4, 6]
    assert local_maxima([2, 2]) == [0]
    assert local_maxima([]) == []
    assert runs_of([True, False, True, True]) == [(0, 1), (2, 4)]


def test_words():
    assert tokens("Don\u2019t STOP, mind-blowing! 3 ... #1") == ["don't", "stop", "mind-blowing", "3", "1"]
    assert content_words("This is the Coffee of 5 a b") == ["coffee", "5"]
    assert word_count("two words") == 2
    assert word_count("\u4eca\u5929\u5929\u6c14\u597d ok") == round(5 / 1.7) + 1


def test_confidence_of_services():
    assert found_confidence([]) == 1.0
    assert found_confidence([None]) == 0.9
    assert found_confidence([0.5, None, 0.7]) == pytest.approx(0.6)
    parts = ServiceMetadata(processed=True, frames_read=10, frames_carried=5, frames_gated=5, frames_analyzed=7)
    assert answered(parts.frames_answered, 40) == 0.5
    assert answered(ServiceMetadata(processed=True, frames_analyzed=50).frames_answered, 40) == 1.0
    assert answered(None, None) == 1.0


def test_the_weights_are_those_of_the_table():
    assert list(family("emotional_journey").weights.interactions.values()) == [0.4, 0.2, 0.2, 0.2]
    for name in ANALYSES:
        for weights in family(name).weights.by_block.values():
            assert sum(weights.values()) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="core_metrics: got weights that sum to"):
        Weights({"ocr": 0.5}, {"ocr": 1.0}, {"ocr": 1.0}, {"ocr": 1.0}, {"ocr": 1.0})


def test_quality_of_a_video():
    content = analysis(
        texts=[text("A", 0, 1, confidence=0.8)], stickers=[sticker(0, 1)], cuts=[3.0, 6.0], scores=[3.0, 60.0],
        detections=objects("cup", [1.0]), faces=[face(0.0, 0.3)], segments=[segment("hi there", 0, 1, confidence=0.7)],
        expressions=[expression(0.0, "joy", 0.6)], ocr_meta={"frames_read": 6, "frames_gated": 6},
        missing={"audio_energy": "broken track", "emotion_detection": "did not run"},
    )  # fmt: skip
    services = read_evidence(content).services
    assert services.q("ocr") == pytest.approx(0.7 * 12 / 24)
    assert services.q("scenes") == pytest.approx((0.5 + 1) / 2)
    assert services.q("yolo") == pytest.approx(0.8)
    assert services.q("whisper") == pytest.approx(0.7)
    assert services.q("mediapipe") == 1.0
    assert services.q("emotion") == pytest.approx(0.6)  # the expressions of mediapipe
    assert services.q("audio") == 0.0
    pacing, metadata = family("scene_pacing").weights, family("metadata_analysis").weights
    assert services.confidence(pacing.key_events) == pytest.approx(0.9 * 0.75)
    assert services.missing(pacing) == [("audio_energy", "broken track")]
    assert services.completeness(pacing) == pytest.approx(5 / 6)
    assert services.overall_confidence(metadata) == pytest.approx((0.1 * 0.7 + 0.1 * 0.35) / 5 * (2 / 7) ** 0.5)
    unscored = read_evidence(analysis(cuts=[3.0], scores=[])).services
    assert unscored.q("scenes") == 0.9


def test_emotion_detection_comes_first():
    evidence = read_evidence(analysis(missing=(), expressions=[expression(0.0, "joy")]))
    assert evidence.expressions.source == "emotion_detection"
    assert evidence.expressions.labels == ()
    other = read_evidence(
        analysis(expressions=[expression(0.0, "joy", 0.6), expression(0.0, "anger", 0.7)])
    ).expressions
    assert other.source == "mediapipe"
    assert other.labels == ("anger",)
    assert other.valences.tolist() == pytest.approx([-0.8 * 0.7])
    assert other.intensities.tolist() == pytest.approx([0.56])
    assert other.arousals.tolist() == pytest.approx([0.7])
    assert read_evidence(analysis(missing=["mediapipe", "emotion_detection"])).expressions is None


def test_evidence_of_missing_services_is_none_and_of_empty_ones_empty():
    evidence = read_evidence(analysis())
    assert evidence.texts == evidence.stickers == evidence.gestures == ()
    assert evidence.objects.boxes.shape == (0, 4)
    assert evidence.objects.grid.count == 24
    gone = read_evidence(
        analysis(
            missing=["ocr", "yolo", "mediapipe", "whisper", "scene_detection", "audio_energy", "emotion_detection"]
        )
    )
    for item in dataclasses.fields(gone):
        if item.name not in ("duration_s", "metadata", "services"):
            assert getattr(gone, item.name) is None, item.name


def test_words_without_times_share_their_segment():
    (found,) = read_evidence(analysis(segments=[segment("one, two", 2.0, 4.0, words=[])])).speech.segments
    assert [(w.text, w.start_s, w.end_s, w.timed) for w in found.words] == [
        ("one", 2.0, 3.0, False), ("two", 3.0, 4.0, False),
    ]  # fmt: skip


def test_gestures_are_the_intervals_of_the_timeline():
    (one,) = read_evidence(analysis(gestures=[gesture(1.0), gesture(1.5), gesture(2.0)])).gestures
    assert (one.kind, one.start_s, one.end_s, one.hand) == ("pointing", 1.0, 2.25, "right")
    evidence = read_evidence(analysis(gestures=[gesture(1.0), gesture(5.0, "victory")]))
    assert evidence.gesture_spans_s.tolist() == [[1.0, 1.25], [5.0, 5.25]]


def test_grids():
    grid, rate = grid_of(ServiceMetadata(processed=True, sample_fps=2.0), 3.0, [0.51])
    assert (grid.times_s.tolist(), rate) == ([0.0, 0.51, 1.0, 1.5, 2.0, 2.5], 2.0)
    by_count, rate = grid_of(ServiceMetadata(processed=True, frames_analyzed=6), 3.0, [])
    assert (by_count.count, rate) == (6, 2.0)
    seen, rate = grid_of(ServiceMetadata(processed=True), 3.0, [0.0, 1.0, 2.0])
    assert (seen.times_s.tolist(), seen.step_s, rate) == ([0.0, 1.0, 2.0], 1.0, 0.0)


def test_audio_energy_per_bin():
    curve = read_evidence(analysis(2.0, audio={"rms_curve": [0.2] * 10 + [0.4] * 10})).audio
    assert curve.per_bin(Bins(2.0)).tolist() == pytest.approx([0.2, 0.4])
    windows = read_evidence(analysis(7.0, audio={"energy_level_windows": {"0-5s": 0.5, "5-7s": 1.0}})).audio
    assert windows.per_bin(Bins(7.0)).tolist() == [0.5] * 5 + [1.0] * 2
    silent = {"metadata": {"processed": True, "has_audio": False}, "burst_pattern": "none", "climax_timestamp": None}
    assert read_evidence(analysis(audio=silent)).audio is None


def test_shot_types_by_face_and_body():
    def pose(time, height, hips):
        landmarks = [{"i": i, "x": 0.5, "y": 0.5, "z": 0.0, "v": 0.9} for i in (11, 12)]
        landmarks += [{"i": i, "x": 0.5, "y": 0.5, "z": 0.0, "v": 0.9 if hips else 0.1} for i in (23, 24)]
        return {
            "timestamp": time, "frame_number": 0, "person": 0, "visibility": 0.9, "confidence": 0.9,
            "bbox": [0.2, 0.0, 0.5, height], "landmarks": landmarks, "posture": "standing",
        }  # fmt: skip

    faces = [face(0.0, 0.26), face(1.0, 0.25), face(2.0, 0.08)]
    poses = [pose(3.0, 0.95, hips=False), pose(4.0, 0.95, hips=True)]
    evidence = read_evidence(
        analysis(7.0, faces=faces, poses=poses, detections=objects("person", [5.0]), sample_fps=1.0)
    )
    shots = smoothed_shots(evidence.people, evidence.objects)
    assert shots.labels == ("close", "medium", "wide", "medium", "wide", "wide", "none")


@pytest.mark.parametrize(
    "text_", ["Follow me", "please SHOP now", "I know", "hey there", "you won't believe", "mind blowing", "dont miss"]
)
def test_the_quick_look_misses_no_phrase(text_):
    assert phrases.find_ctas(text_) == find_ctas(text_)
    assert phrases.find_hooks(text_) == find_hooks(text_)


def test_spoken_phrases_have_the_times_of_their_words():
    speech = read_evidence(
        analysis(segments=[segment("hey make sure to", 0.0, 2.0), segment("follow hey link in bio", 3.0, 5.5)])
    ).speech
    found = phrases.spoken_phrases(speech, phrases.find_ctas)
    assert [(p.kind, p.text, p.start_s, p.end_s) for p in found] == [
        ("follow", "make sure to follow", 0.5, 3.5), ("visit", "link in bio", 4.0, 5.5),
    ]  # fmt: skip
    assert [p.start_s for p in phrases.spoken_phrases(speech, phrases.find_hooks)] == [0.0]  # one greeting
    assert phrases.spoken_phrases(read_evidence(analysis()).speech, phrases.find_ctas) == ()


def test_output_is_json_and_rounded_once():
    assert rounded({"a": np.float64(1 / 3), "b": [np.int64(2), np.bool_(True)], "c": (-0.0001, None, "x")}) == {
        "a": 0.333, "b": [2, True], "c": [0.0, None, "x"],
    }  # fmt: skip
    shares = EngagementAlignment(
        likes_to_views_ratio=0.12345, comments_to_views_ratio=None, shares_to_views_ratio=0.00004,
        above_average_engagement=None,
    )  # fmt: skip
    assert (shares.likes_to_views_ratio, shares.shares_to_views_ratio) == (0.1235, 0.0)
    with pytest.raises(ContractError, match="got nan"):
        rounded({"x": float("nan")})


def test_a_family_that_breaks_its_schema_is_told():
    def without_counts(_evidence):
        return CoreMetrics.unknown(), None

    broken = dataclasses.replace(family("creative_density"), measure=without_counts)
    with pytest.raises(ContractError, match="creative_density CoreMetrics: element_counts: got None"):
        broken.compute(read_evidence(analysis()))
    with pytest.raises(ContractError, match="got analysis"):
        family("pacing")


def test_emotions_with_scores():
    scores = {"joy": 0.5, "surprise": 0.2, "neutral": 0.3}
    emotions = [{"timestamp": 1.0, "emotion": "joy", "confidence": 0.5, "all_scores": scores}]
    found = read_evidence(analysis(missing=(), emotions=emotions)).expressions
    assert (found.labels, found.step_s) == (("joy",), 0.5)
    assert found.valences.tolist() == pytest.approx([0.5 + 0.2 * 0.3])


def test_gaze_and_actions():
    gaze = [{"timestamp": 0.5, "frame_number": 15, "eye_contact": 0.8, "gaze_direction": "camera", "confidence": 0.9}]
    actions = [
        {"action": "talking", "start": 1.0, "end": 2.5, "confidence": 0.7},
        {"action": "walking", "timestamp": 0.5},
    ]
    people = read_evidence(analysis(gaze=gaze, actions=actions)).people
    assert people.gaze.sample.tolist() == [1]
    assert (people.gaze.eye_contact.tolist(), people.gaze.directions) == ([0.8], ("camera",))
    assert [(a.kind, a.start_s, a.end_s) for a in people.actions] == [("walking", 0.5, 0.5), ("talking", 1.0, 2.5)]
    assert read_evidence(analysis()).people.actions is None
