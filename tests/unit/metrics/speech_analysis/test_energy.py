"""Energy of speech, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.speech_analysis import energy
from rumiai.metrics.speech_analysis.energy import Burst, Climax, VoicedEnergy

WINDOWS = ((0.0, 5.0, 0.5), (5.0, 10.0, 0.95), (10.0, 15.0, 1.2))


def speech(*levels):
    return VoicedEnergy(np.arange(len(levels)) + 0.5, np.array(levels, dtype=float))


def test_energy_inside_the_speech():
    found = energy.voiced_energy(np.array([0.1, 0.2, 0.3, 0.4]), 2.0, np.array([[0.5, 1.5]]))
    assert (found.times_s.tolist(), found.levels.tolist()) == ([0.75, 1.25], [0.2, 0.3])
    assert energy.voiced_energy(np.array([0.1]), 2.0, np.zeros((0, 2))).levels.size == 0


def test_word_at_an_instant():
    words = np.array([[0.0, 4.0], [1.0, 2.0]])
    assert [energy.word_at(words, t) for t in (0.5, 1.5, 3.0, -1.0)] == [0, 1, None, None]


def test_stressed_words():
    # Mean 0.2, deviation 0.3: a peak counts above 0.65.
    found = speech(0.1, 0.1, 1.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
    words = np.array([[0.0, 2.0], [2.0, 3.0], [3.0, 9.0]])
    assert energy.stressed_words(found, words) == [1]
    assert energy.stressed_words(found, np.array([[0.0, 2.0]])) == []  # the peak is on no word
    assert energy.stressed_words(speech(0.1, 0.1, 0.1), words) == []
    assert energy.stressed_words(speech(), words) == []


def test_at_most_ten_words_are_stressed():
    # Peaks 40, 41 ... 51, each on a word of its own, in 120 values.
    levels = np.zeros(120)
    levels[5::10] = np.arange(40, 52)
    words = np.stack([np.arange(12) * 10.0, np.arange(1, 13) * 10.0], axis=1)
    assert energy.stressed_words(VoicedEnergy(np.arange(120) + 0.5, levels), words) == list(range(2, 12))


def test_climax():
    assert energy.energy_climax(speech(0.1, 0.4, 0.4), 0.8) == Climax(1.5, 0.5)
    assert energy.energy_climax(speech(), 0.8) is None
    assert energy.energy_climax(speech(0.0), 0.0) is None


def test_energy_of_a_window():
    assert [energy.window_energy(WINDOWS, t) for t in (0.0, 5.0, 12.0, 15.0, -1.0)] == [0.5, 0.95, 1.0, None, None]
    assert energy.window_energy((), 1.0) is None


def test_rapid_segments():
    spans = np.array([[0.0, 4.0], [4.0, 8.0], [8.0, 12.0], [12.0, 14.0]])
    # 60, 135, 210 and 600 words per minute; the last takes no more than 2 s.
    found = energy.rapid_segments(spans, [4, 9, 14, 20], 100.0, WINDOWS)
    assert found == [Burst(4.0, 8.0, 9.0, 0.95, "energetic"), Burst(8.0, 12.0, 14.0, 1.0, "rapid")]
    assert [burst.words_per_minute for burst in found] == [135.0, 210.0]
    assert energy.rapid_segments(np.zeros((0, 2)), [], 0.0, ()) == []


def test_loud_windows():
    assert energy.loud_windows(WINDOWS, 12.0) == [(5.0, 10.0, 0.95), (10.0, 12.0, 1.0)]
    assert energy.loud_windows(WINDOWS, 4.0) == []


def test_where_the_bursts_lie():
    assert energy.burst_pattern([], 10.0) == "none"
    assert energy.burst_pattern([1.0, 4.0], 10.0) == "front_loaded"
    assert energy.burst_pattern([1.0, 9.0], 10.0) == "distributed"
    assert energy.burst_pattern([8.0], 10.0) == "climax"


def test_noise():
    assert [energy.noise_ratio(db) for db in (5.0, 17.5, 30.0, 60.0)] == [1.0, 0.5, 0.0, 0.0]
    assert energy.noise_ratio(None) is energy.audio_quality(None) is None
    assert [energy.audio_quality(noise) for noise in (0.29, 0.3, 0.59, 0.6)] == [
        "clear", "moderate", "moderate", "poor",
    ]  # fmt: skip
    assert energy.noise_ratio(12.0) == pytest.approx(0.72)
