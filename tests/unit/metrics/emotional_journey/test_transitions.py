"""Transitions and movement by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.emotional_journey import transitions as t

NONE = np.zeros(0)


def test_tone_shares():
    found = t.tone_shares(np.array([0.5, 0.11, 0.1, -0.1, -0.2]))
    assert found == t.ToneShares(0.4, 0.2, 0.4)
    assert t.tone_shares(NONE) == t.ToneShares(None, None, None)


def test_transitions_are_probabilities_of_each_row():
    counts = t.transition_counts(["neutral", "joy", "joy", "neutral", "neutral", "joy"])
    assert counts == {
        ("joy", "joy"): 1, ("joy", "neutral"): 1, ("neutral", "joy"): 2, ("neutral", "neutral"): 1,
    }  # fmt: skip
    assert list(counts) == sorted(counts)
    matrix = t.transition_matrix(counts)
    assert matrix == {
        ("joy", "joy"): 0.5, ("joy", "neutral"): 0.5,
        ("neutral", "joy"): pytest.approx(2 / 3), ("neutral", "neutral"): pytest.approx(1 / 3),
    }  # fmt: skip
    assert t.transition_counts(["joy"]) == t.transition_matrix({}) == {}


def test_momentum_telescopes():
    found = t.valence_momentum(np.array([0.0, 0.5, 0.2, 0.3]))
    assert found.average == pytest.approx(0.1)
    assert (found.largest_rise, found.largest_fall) == (0.5, pytest.approx(-0.3))
    assert found.turns == ((2, pytest.approx(-0.3)), (3, pytest.approx(0.1)))
    # It rises, stays, and falls: a turn, where it begins to fall; a plateau on the way up is none.
    plateau = t.valence_momentum(np.array([0.0, 0.5, 0.5, 0.2]))
    assert plateau.turns == ((3, pytest.approx(-0.3)),)
    assert t.valence_momentum(np.array([0.0, 0.5, 0.5, 0.7])).turns == ()
    falling = t.valence_momentum(np.array([0.5, 0.2]))
    assert (falling.largest_rise, falling.turns) == (0.0, ())
    assert t.valence_momentum(np.array([0.5])) == t.Momentum(None, None, None, ())


def test_unknown_bins_end_a_dead_zone():
    assert t.dead_zones(np.array([0.1, -0.1, np.nan, 0.0, 0.5, 0.19, 0.0, 0.2])) == [(0, 2), (5, 7)]
    assert t.dead_zones(NONE) == []
