"""Voiced time and sound that is not silent, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.shared.voice import face_share_of_speech, loud_spans, voiced_spans

from ...metrics_videos import analysis, segment

NOTHING = np.zeros((0, 2))


def spans(*pairs):
    return np.array(pairs, dtype=float).reshape(-1, 2)


def test_words_are_padded_and_joined():
    # .4 s apart: .2 s after padding, which is joined; .6 s apart: .4 s, which is not.
    found = voiced_spans(spans((1.0, 2.0), (2.4, 3.0), (3.6, 4.0)), NOTHING, None, 10.0)
    assert found == pytest.approx(np.array([[0.9, 3.1], [3.5, 4.1]]))


def test_speech_ends_with_the_video():
    assert voiced_spans(spans((0.0, 2.0), (3.9, 5.0)), NOTHING, None, 4.0) == pytest.approx(
        np.array([[0.0, 2.1], [3.8, 4.0]])
    )


def test_segments_without_word_times_count_where_it_is_loud():
    segments = spans((0.0, 6.0))
    assert voiced_spans(NOTHING, segments, spans((0, 2), (4, 9)), 12.0).tolist() == [[0.0, 2.0], [4.0, 6.0]]
    assert voiced_spans(NOTHING, segments, None, 12.0).tolist() == [[0.0, 6.0]]
    assert voiced_spans(NOTHING, segments, NOTHING, 12.0).shape == (0, 2)


def test_nobody_speaks():
    assert voiced_spans(NOTHING, NOTHING, None, 5.0).shape == (0, 2)


def test_loud_sound():
    # The file's loud level is 0.5: 40 dB below is 0.005; -50 dBFS is 0.0032.
    energy = np.array([0.5] * 10 + [0.004] * 10 + [0.006] * 10)
    assert loud_spans(energy, 10.0) == pytest.approx(np.array([[0.0, 1.0], [2.0, 3.0]]))
    quiet = np.array([0.001] * 20)
    assert loud_spans(quiet, 10.0).shape == (0, 2)
    assert loud_spans(np.array([0.1, 0.1, 0.0, 0.0, 0.1]), 10.0) == pytest.approx(np.array([[0.0, 0.5]]))


def test_of_a_video():
    evidence = read_evidence(analysis(6.0, segments=[segment("a b", 1.0, 3.0), segment("c d", 4.0, 5.0, words=[])]))
    assert evidence.voiced_s == pytest.approx(np.array([[0.9, 3.1], [4.0, 5.0]]))
    assert evidence.voiced_or_silent_s is evidence.voiced_s
    unknown = read_evidence(analysis(missing=["whisper", "emotion_detection"]))
    assert unknown.voiced_s is None
    assert unknown.voiced_or_silent_s.shape == (0, 2)


def test_speech_with_a_face():
    assert face_share_of_speech(spans((0, 2), (4, 6)), spans((1, 5))) == 0.5
    assert face_share_of_speech(spans((0, 4)), spans((1, 2), (3.5, 9))) == 0.375
    assert face_share_of_speech(NOTHING, spans((1, 5))) is None
    assert face_share_of_speech(spans((0, 4)), NOTHING) == 0.0
