"""Transcripts and quotes, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.evidence.sound import Segment, Speech, Word
from rumiai.metrics.speech_analysis.transcript import (
    Transcript,
    bare,
    confidence_by_window,
    longest_segment,
    mean_confidence,
    quote,
    quote_at,
    quote_during,
    spelled,
)


def segment(text, start, end, *, timed=True, confidence=None):
    words = text.split()
    edges = np.linspace(start, end, len(words) + 1).tolist()
    spoken = tuple(Word(w, a, b, None, timed) for w, a, b in zip(words, edges, edges[1:], strict=False))
    return Segment(start, end, text, confidence, spoken)


def transcript(*segments, duration_s=10.0):
    return Transcript(Speech(" ".join(s.text for s in segments), "en", True, segments), duration_s)


def test_words_and_spans():
    found = transcript(segment("Hello, hello you", 0.0, 3.0), segment("Bye", 9.0, 12.0))
    assert found.text == "Hello, hello you Bye"
    assert (found.tokens, found.total_words) == (["hello", "hello", "you", "bye"], 4)
    assert found.word_spans_s.tolist() == [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [9.0, 10.0]]
    assert found.segment_spans_s.tolist() == [[0.0, 3.0], [9.0, 10.0]]
    assert (found.word_weights.tolist(), found.segment_words) == ([1.0] * 4, [3, 1])
    assert found.token_words[:2] == [("hello", 0), ("hello", 1)]
    assert found.timed


def test_no_words():
    found = transcript()
    assert (found.text, found.tokens, found.total_words) == ("", [], 0)
    assert found.word_spans_s.shape == found.segment_spans_s.shape == (0, 2)
    assert found.word_weights.size == 0
    assert not found.timed


def test_words_without_times_are_spelled_as_in_the_text():
    plain = segment("Well, done!", 0.0, 2.0, timed=False)
    found = transcript(plain)
    assert [(word.text, word.start_s) for word in found.words] == [("Well,", 0.0), ("done!", 1.0)]
    assert not found.timed
    assert spelled(Segment(0.0, 1.0, "", None, ())) == ()


def test_scripts_without_blanks_count_their_characters():
    found = transcript(segment("\u4eca\u5929\u5929\u6c14\u597d\u554a \u597d", 0.0, 2.0))
    assert found.total_words == 4  # 7 characters / 1.7
    assert found.word_weights.tolist() == pytest.approx([3.2, 0.8])  # 4 and 1 words as they are counted alone


def test_quotes():
    spoken = segment("one two three four five six seven eight nine", 0.0, 9.0)
    assert quote(spoken, 1, 3) == "two three"
    assert quote_at([spoken], 4.5) == "two three four five six seven eight"
    assert quote_at([spoken, segment("later", 11.0, 12.0)], 10.5) == "later"
    assert quote_at([Segment(0.0, 1.0, "no words", None, ())], 0.5) == "no words"
    assert quote_during(spoken, 1.5, 2.5) == "two three"
    assert quote_during(spoken, 0.0, 9.0) == "one two three four five six"
    assert quote_during(spoken, 9.0, 10.0) is None
    joined = Segment(0.0, 2.0, "ab c", None, (Word("a", 0, 1, None, True), Word("b", 1, 2, None, True)))
    assert quote(joined, 0, 2) == "ab"
    other = Segment(0.0, 2.0, "a-b", None, (Word("a", 0, 1, None, True), Word("b", 1, 2, None, True)))
    assert quote(other, 0, 2) == "b"  # the text spaces them in no known way
    assert [bare(word) for word in ("\u201cHi!\u201d", "...", "don't")] == ["Hi", "...", "don't"]


def test_confidences():
    assert mean_confidence([0.5, None, 1.0], [1.0, 9.0, 3.0]) == 0.875
    assert mean_confidence([None], [1.0]) is None
    assert mean_confidence([0.5], [0.0]) is None
    assert mean_confidence([], []) is None
    edges = np.array([0.0, 5.0, 10.0, 12.0])
    assert confidence_by_window([0.0, 4.9, 5.0, 11.0], [0.4, 0.6, 0.9, None], edges) == [0.5, 0.9, None]


def test_longest_segment():
    assert longest_segment(np.array([[0.0, 0.3], [0.3, 0.9], [1.1, 1.7]])) == 1  # 0.6, though the last misses by less
    assert longest_segment(np.zeros((0, 2))) is None
