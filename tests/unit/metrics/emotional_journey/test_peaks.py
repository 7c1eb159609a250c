"""Peaks of emotion by hand."""

from __future__ import annotations

import numpy as np

from rumiai.metrics.emotional_journey import peaks as p
from rumiai.metrics.emotional_journey.blocks import PeakRhythm

NAN = np.nan


def every(curve):
    return np.arange(len(curve))


def test_a_shallow_dip_does_not_separate_two_maxima():
    shallow, deep = np.array([0.1, 0.8, 0.71, 0.9, 0.1]), np.array([0.1, 0.8, 0.69, 0.9, 0.1])
    assert p.distinct_maxima(shallow, every(shallow)) == [3]  # the higher
    assert p.distinct_maxima(deep, every(deep)) == [1, 3]


def test_the_earlier_of_two_equal_maxima_stands():
    steady = np.array([0.800, 0.805, 0.800, 0.809, 0.800])
    assert p.distinct_maxima(steady, every(steady)) == [1]


def test_bins_that_are_not_eligible_are_valleys():
    curve = np.array([0.5, 0.9, 0.5, NAN])
    assert p.distinct_maxima(curve, np.array([0, 2])) == [0, 2]
    assert p.distinct_maxima(curve, np.zeros(0, dtype=np.int64)) == []
    assert p.distinct_maxima(np.zeros(3), every(curve)[:3]) == []  # nothing above 0


def test_intense_bins_by_intensity():
    intensity = np.array([0.3, 0.0, 0.9, 0.0, 0.3])
    assert p.intense_bins(intensity, np.array([0, 2, 4])) == [2, 0, 4]


def test_emotion_peaks_by_intensity_or_movement():
    # Bin 3 moves the valence by .5 with little intensity, bin 6 is intense.
    valence = np.array([0.0, 0.0, 0.0, -0.5, 0.0, 0.0, 0.7, 0.0])
    intensity = np.array([0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.75, 0.0])
    assert p.emotion_peaks(valence, intensity, np.array([3, 6])) == [6, 3]  # heights .867 and .5
    calm = np.array([0.0, 0.0, 0.0, -0.2, 0.0])
    assert p.emotion_peaks(calm, np.abs(calm), np.array([3])) == []


def rhythm(mean_s, variance, regularity, count):
    return PeakRhythm(
        peak_spacing_mean=mean_s, peak_spacing_variance=variance, regularity_score=regularity, peak_count=count
    )


def test_rhythm():
    assert p.peak_rhythm(np.array([10.0, 2.0, 6.0])) == rhythm(4.0, 0.0, 1.0, 3)
    # Spacings 2 and 4: mean 3, deviation 1.
    assert p.peak_rhythm(np.array([0.0, 2.0, 6.0])) == rhythm(3.0, 1.0, 0.75, 3)
    assert p.peak_rhythm(np.array([0.0, 2.0])) == rhythm(2.0, 0.0, None, 2)
    assert p.peak_rhythm(np.zeros(0)) == rhythm(None, None, None, 0)
