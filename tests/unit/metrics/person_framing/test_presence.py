"""Who is seen, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.person_framing import presence as p

NONE = np.zeros(0, dtype=np.int64)
FACES = np.array([0, 2, 0, 1, 0])
GRID_S = np.arange(5) * 0.5


def flags(text):
    return np.array([letter == "x" for letter in text], dtype=bool)


def test_faces_bodies_and_boxes_are_signs_of_people():
    present = p.people_present(FACES, np.array([2]), np.array([0, 0]))
    assert present.tolist() == [True, True, True, True, False]
    assert FACES.tolist() == [0, 2, 0, 1, 0]
    # Two boxes, two faces, a mere body, one face, nobody.
    assert p.people_counts(FACES, np.array([0, 0, 3]), present).tolist() == [2, 2, 1, 1, 0]
    assert p.people_present(NONE, NONE, NONE).size == 0


def test_bodies_count_with_shoulders_and_hips():
    landmarks = np.full((3, 33, 4), 0.9)
    landmarks[1, 24, 3] = 0.5  # a hip that is not visible
    assert p.body_visibility_rate(landmarks, np.array([0, 1, 3]), 4) == 0.5
    assert p.body_visibility_rate(landmarks[:0], NONE, 4) == 0.0
    assert p.body_visibility_rate(landmarks[:0], NONE, 0) is None


def test_percentiles_are_numbers_that_occur():
    assert p.percentile_rank(np.array([0, 0, 1, 3]), 90) == 3
    assert p.percentile_rank(np.array([1] * 9 + [5]), 90) == 1
    assert p.percentile_rank(NONE, 90) is None


def test_absences_last_a_second():
    assert p.absence_spans(flags("x.xx."), GRID_S, 0.5, 2.5).tolist() == []
    assert p.absence_spans(flags("x..x."), GRID_S, 0.5, 2.5).tolist() == [[0.5, 1.5]]
    assert p.absence_spans(flags("xxx.."), GRID_S, 0.5, 2.3).tolist() == [[1.5, 2.3]]  # ends with the video
    assert p.absence_spans(flags(""), GRID_S[:0], 0.5, 2.5).shape == (0, 2)


def test_gaps_lie_inside_a_scene():
    one, two = np.zeros(7, dtype=np.int64), np.array([0, 0, 0, 1, 1, 1, 1])
    assert p.gap_samples(flags(".x..x.x"), one) == 3
    assert p.gap_samples(flags(".x..x.x"), two) == 1
    assert p.gap_samples(flags(".x....."), one) == 0  # never found again
    assert p.gap_samples(flags(""), NONE) == 0


def test_spans_of_samples():
    assert p.sample_spans(flags("xx..x"), GRID_S, 0.5, 2.3).tolist() == [[0.0, 1.0], [2.0, 2.3]]
    assert p.sample_spans(flags("....."), GRID_S, 0.5, 2.3).shape == (0, 2)


def test_hidden_people():
    # Somebody on four samples: two with a face, one with a body, one with a box alone.
    assert p.hidden_share(flags("xxxx."), np.array([1, 1, 0, 0, 0]), np.array([2])) == pytest.approx(0.25)
    assert p.hidden_share(flags("....."), np.zeros(5, dtype=np.int64), NONE) == 0.0
