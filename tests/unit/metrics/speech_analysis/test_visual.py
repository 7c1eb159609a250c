"""Speech against what is seen, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.speech_analysis import visual

NONE = np.zeros((0, 2))
SEGMENTS = np.array([[0.0, 4.0], [6.0, 10.0]])


def test_gesture_sync():
    assert visual.gesture_sync(SEGMENTS, np.array([[1.0, 2.0], [4.0, 6.0]])) == 0.5
    assert visual.gesture_sync(SEGMENTS, NONE) == 0.0
    assert visual.gesture_sync(NONE, np.array([[1.0, 2.0]])) is None


def test_text_overlap():
    said = visual.times_by_word([("Coffee,", 1.0, 2.0), ("the", 2.0, 2.5), ("coffee", 8.0, 9.0), ("bean", 9.0, 9.5)])
    assert {word: spans.tolist() for word, spans in said.items()} == {
        "coffee": [[1.0, 2.0], [8.0, 9.0]], "bean": [[9.0, 9.5]],
    }  # fmt: skip
    # "coffee" ends 1.5 s before the first overlay, "bean" is said later, "tea" never.
    overlays = [("COFFEE bean", 3.5, 5.0), ("the tea", 3.0, 5.0)]
    assert visual.text_overlap(said, overlays) == pytest.approx(1 / 3)
    assert visual.text_overlap(said, [("coffee", 3.6, 5.0)]) == 0.0
    assert visual.text_overlap(said, [("the", 1.0, 2.0)]) is None
    assert visual.text_overlap({}, [("tea", 1.0, 2.0)]) == 0.0


def test_sampled_spans():
    assert visual.sampled_spans(np.array([0.0, 0.5, 2.0]), 0.5, 2.2).tolist() == [[0.0, 1.0], [2.0, 2.2]]
    assert visual.sampled_spans(np.zeros(0), 0.5, 2.2).shape == (0, 2)


def test_off_camera():
    faces = np.array([[3.0, 6.7]])  # 1 s of the first segment, 25 % of it; 0.7 s of the second
    hidden = visual.off_camera(SEGMENTS, faces)
    assert hidden.tolist() == [False, True]
    assert visual.speech_only_share(SEGMENTS, hidden) == 0.5
    assert visual.speech_only_share(NONE, np.zeros(0, dtype=bool)) is None
    assert visual.off_camera(np.array([[1.0, 1.0]]), NONE).tolist() == [False]


def test_expressions_while_speaking():
    times, voiced = np.array([0.0, 1.0, 2.0, 3.0]), np.array([[0.5, 2.5]])
    assert visual.expression_variety(["joy", "joy", "anger", "fear"], times, voiced) == pytest.approx(2 / 7)
    assert visual.expression_variety([], np.zeros(0), voiced) is None
    assert visual.expression_peaks(np.array([0.9, 0.9, 0.6, 0.9]), times, voiced) == [1]


def test_gestures_on_words():
    gestures = np.array([[1.0, 3.0], [4.0, 4.0], [5.0, 7.0], [4.5, 5.5]])
    words = np.array([[0.0, 2.0], [6.0, 9.0]])
    assert visual.spoken_share(gestures, words).tolist() == [0.5, 0.0, 0.5, 0.0]
    assert visual.last_segments(SEGMENTS, gestures) == [0, None, 1, None]
    assert visual.last_segments(NONE, gestures) == [None] * 4
