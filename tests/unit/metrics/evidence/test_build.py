"""Evidence of hand-made videos."""

from __future__ import annotations

import dataclasses

import pytest

from rumiai.contracts.services.yolo import YoloData, YoloMetadata
from rumiai.metrics.evidence.build import grid_of, read_evidence

from ...metrics_videos import analysis, expression, gesture, segment


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
        if item.name not in ("duration_s", "metadata", "services", "observed", "aspect"):
            assert getattr(gone, item.name) is None, item.name
    assert (gone.observed, gone.aspect) == ({}, 576 / 1024)  # the file's shape needs no service
    assert gone.seen("ocr").seconds == 0.0


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
    def grid(duration_s=3.0, **found):
        data = YoloData(tracks=(), metadata=YoloMetadata(processed=True, sample_fps=found.pop("rate", None)), **found)
        return grid_of(data, duration_s)

    told = grid(rate=2.0, observed=(0.0, 0.51, 1.0))
    assert (told.times_s.tolist(), told.nominal_s.tolist(), told.step_s) == ([0.0, 0.51, 1.0], [0.0, 0.5, 1.0], 0.5)
    assert grid(rate=2.0, observed=((0.0, 1.0),)).times_s.tolist() == [0.0, 0.5]
    assert grid(rate=2.0, observed=()).count == grid(rate=2.0).count == 0
    assert grid(observed=(0.0, 1.0, 2.0)).step_s == 1.0  # the rate is not told


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
