"""Pauses and silences, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.speech_analysis.pauses import (
    pause_kind,
    pause_pattern,
    pauses_between,
    silence_purpose,
    silences_between,
)

NO_WORDS = np.zeros((0, 2))


def test_pauses_lie_between_words():
    words = np.array([[1.0, 2.0], [2.5, 3.0], [3.4, 4.0], [6.0, 6.5]])
    assert pauses_between(words, 10.0).tolist() == [[2.0, 2.5], [4.0, 6.0]]
    assert pauses_between(words[:1], 10.0).shape == (0, 2)
    assert pauses_between(NO_WORDS, 10.0).shape == (0, 2)


def test_overlapping_words_leave_no_pause():
    words = np.array([[0.0, 5.0], [1.0, 2.0], [5.2, 6.0]])
    assert pauses_between(words, 10.0).shape == (0, 2)


def test_binary_fractions_do_not_hide_a_pause():
    assert len(pauses_between(np.array([[0.0, 0.1], [0.6, 1.0]]), 2.0)) == 1  # 0.6 - 0.1 is below 0.5


def test_silences_reach_to_the_ends():
    words = np.array([[1.0, 2.0], [2.9, 3.0]])
    assert silences_between(words, 5.0).tolist() == [[0.0, 1.0], [3.0, 5.0]]
    assert silences_between(NO_WORDS, 5.0).tolist() == [[0.0, 5.0]]
    assert silences_between(NO_WORDS, 0.9).shape == (0, 2)


def test_kinds():
    assert [pause_kind(s) for s in (0.5, 0.99, 1.0, 2.0, 3.0, 9.0)] == [
        "breath", "breath", "strategic", "dramatic", "awkward", "awkward",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lengths", "wpm", "pattern"),
    [
        ([], 181.0, "rushed"),
        ([], 180.0, "natural"),
        ([0.5, 2.1], 200.0, "dramatic"),
        ([0.5] * 9 + [2.0], 100.0, "natural"),
        ([0.01] * 9 + [2.0], 100.0, "irregular"),  # cv above 1
        ([0.6, 0.7], 100.0, "natural"),
    ],
)
def test_patterns(lengths, wpm, pattern):
    assert pause_pattern(np.array(lengths), wpm) == pattern


def test_purposes():
    assert silence_purpose(0.0, 9.0, 9.0, shown=True) == "no_speech"
    assert silence_purpose(0.0, 2.0, 9.0, shown=True) == "opening"
    assert silence_purpose(7.0, 9.0, 9.0, shown=True) == "closing"
    assert silence_purpose(3.0, 5.0, 9.0, shown=True) == "visual_focus"
    assert silence_purpose(3.0, 5.0, 9.0, shown=False) == "dramatic_pause"
    assert silence_purpose(3.0, 6.0, 9.0, shown=False) == "awkward_pause"
    assert silence_purpose(3.0, 6.0, 9.0, shown=None) is None
    assert silence_purpose(7.0, 9.0, 9.0, shown=None) == "closing"
