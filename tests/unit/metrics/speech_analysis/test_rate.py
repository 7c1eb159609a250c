"""Speaking rate and rhythm, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.contracts.observed import Observed, whole
from rumiai.metrics.speech_analysis import rate

NO_WORDS = np.zeros((0, 2))
# Two words of weight 1: the first from 1 to 3 s, the second from 5 to 6 s, of ten seconds.
WORDS = np.array([[1.0, 3.0], [5.0, 6.0]])
ONES = np.ones(2)


def test_coverage():
    assert rate.coverage(np.array([[0.0, 1.0], [2.0, 4.0]]), 6.0) == 0.5
    assert rate.coverage(NO_WORDS, 6.0) == 0.0
    assert rate.coverage(np.array([[0.0, 6.0000001]]), 6.0) == 1.0


@pytest.mark.parametrize(("covered", "words", "present"), [(0.1, 5, True), (0.09, 50, False), (0.9, 4, False)])
def test_enough_speech_to_be_described(covered, words, present):
    assert rate.is_speech_present(covered, words) is present


def test_words_per_minute():
    assert rate.words_per_minute(10, 4.0) == 150.0
    assert rate.words_per_minute(0, 0.0) is None


def test_words_until_an_instant():
    times = np.array([0.0, 1.0, 2.0, 3.0, 5.5, 9.0, 10.0])
    assert rate.words_until(WORDS, ONES, times, 10.0).tolist() == pytest.approx([0, 0, 0.5, 1, 1.5, 2, 2])
    assert rate.words_until(WORDS, np.array([4.0, 1.0]), times, 10.0)[2] == pytest.approx(2.0)
    assert rate.words_until(NO_WORDS, np.zeros(0), times, 10.0).tolist() == [0.0] * 7


def test_a_word_without_length_is_a_step():
    instant = np.array([[2.0, 2.0]])
    found = rate.words_until(instant, np.ones(1), np.array([1.9, 2.1, 4.0]), 4.0)
    assert found.tolist() == pytest.approx([0, 1, 1])


def test_rates_of_windows():
    edges = np.array([0.0, 2.0, 5.5, 10.0])
    assert rate.window_rates(WORDS, ONES, edges).tolist() == pytest.approx([0.25, 1 / 3.5, 0.5 / 4.5])


def test_windows_with_speech():
    edges, rates = np.array([0.0, 5.0, 10.0, 15.0, 17.0]), np.array([1.0, 2.0, 3.0, 4.0])
    # The second has 0.4 s of speech, the last is shorter than half of a window.
    voiced = np.array([[4.0, 5.4], [11.0, 17.0]])
    assert rate.spoken_rates(rates, edges, voiced).tolist() == [1.0, 3.0]
    assert rate.spoken_rates(np.array([2.0]), np.array([0.0, 1.0]), np.array([[0.0, 1.0]])).tolist() == [2.0]
    assert rate.spoken_rates(rates, edges, NO_WORDS).size == 0


def test_spread():
    assert rate.rate_spread(np.array([1.0, 3.0])) == 0.5
    assert rate.rate_spread(np.array([2.0])) is None
    assert rate.rhythm_consistency(0.5) == pytest.approx(2 / 3)
    assert rate.rhythm_consistency(None) is None


def test_acceleration_and_front_load():
    starts, weights = np.array([0.0, 1.9, 2.0, 6.0]), np.array([1.0, 1.0, 1.0, 3.0])
    assert rate.acceleration(starts, weights, whole(10.0)) == 0.0  # three words in each half
    assert rate.acceleration(starts, weights, whole(12.0)) == 0.0
    assert rate.acceleration(starts, weights, whole(13.0)) == -1.0
    assert rate.front_load(starts, weights, whole(10.0)) == pytest.approx(2 / 6)  # before 2 s
    assert rate.acceleration(np.zeros(0), np.zeros(0), whole(10.0)) is None
    assert rate.front_load(np.zeros(0), np.zeros(0), whole(10.0)) is None


def test_what_was_not_heard_is_not_silent():
    starts, weights = np.array([0.0, 1.9, 2.0, 6.0]), np.array([1.0, 1.0, 1.0, 3.0])
    half = Observed(np.array([[0.0, 7.5]]), 10.0)
    # Three words in 5 s, three in 2.5 s.
    assert rate.acceleration(starts, weights, half) == pytest.approx((1.2 - 0.6) / 1.8)
    # Two words in the first 2 s; four in 5.5 s are 5.82 in 8 s.
    assert rate.front_load(starts, weights, half) == pytest.approx(2 / (2 + 4 * 8 / 5.5))
    less = Observed(np.array([[0.0, 7.4]]), 10.0)
    assert rate.acceleration(starts, weights, less) is None
    assert rate.front_load(starts, weights, less) is not None
    assert rate.front_load(starts, weights, Observed(np.array([[1.1, 10.0]]), 10.0)) is None


@pytest.mark.parametrize(
    ("spread", "change", "per_minute", "rhythm", "older"),
    [
        (0.1, 0.9, 0, "steady", "flowing"),
        (0.17, 0.9, 0, "steady", "building"),
        (0.5, 0.2, 0, "variable", "erratic"),
        (0.5, 0.3, 0, "accelerating", "building"),
        (0.5, -0.3, 10, "decelerating", "staccato"),
        (0.5, None, 9.9, "variable", "erratic"),
        (None, 0.5, 20, None, None),
    ],
)
def test_rhythm(spread, change, per_minute, rhythm, older):
    assert rate.rhythm(spread, change) == rhythm
    assert rate.rhythm_type(spread, change, per_minute) == older


def test_intensity():
    assert [rate.intensity(words) for words in (0.0, 1.79, 1.8, 3.19, 3.2)] == [
        "low", "low", "moderate", "moderate", "high",
    ]  # fmt: skip
