"""Tone of words against the tone of the face, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.shared.spoken_tone import SpokenTone, spoken_tones, strongest_label, tone_agreement


def test_each_segment_is_compared_with_the_face_during_it():
    labels = ("joy", "joy", "anger", "sadness", "neutral", "neutral")
    valences = np.array([0.8, 0.7, -0.5, -0.4, 0.05, 0.05])
    faces = (np.arange(6.0), labels, valences)
    found = spoken_tones(
        [
            ("I love this", 0.0, 2.0),  # face +.75
            ("it is great", 2.0, 4.0),  # face -.45
            ("so happy", 4.0, 6.0),  # face +.05: no tone
            ("it rains", 0.0, 2.0),  # words without a tone
            ("so happy", 9.0, 10.0),  # no face
        ],
        *faces,
    )
    assert found == [SpokenTone(0.0, 2.0, "joy", "positive", True), SpokenTone(2.0, 4.0, "anger", "positive", False)]
    assert tone_agreement(found) == 0.5
    assert spoken_tones([], *faces) == []


def test_agreement_of_nothing_is_unknown():
    assert tone_agreement([]) is None
    assert tone_agreement(None) is None


@pytest.mark.parametrize(("positive", "expected"), [(True, "joy"), (False, "anger")])
def test_strongest_label_sums_by_label(positive, expected):
    # joy .6 in two parts against surprise .5; anger -.3 against disgust -.3: the alphabetically first.
    labels = ["joy", "surprise", "joy", "disgust", "anger"]
    assert strongest_label(labels, np.array([0.3, 0.5, 0.3, -0.3, -0.3]), positive=positive) == expected
