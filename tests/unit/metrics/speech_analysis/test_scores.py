"""Heuristic scores, by hand."""

from __future__ import annotations

import pytest

from rumiai.metrics.speech_analysis import scores


def test_hooks_and_calls():
    assert scores.hook_effectiveness(2, 0.5) == pytest.approx(0.9)
    assert scores.hook_effectiveness(5, 0.5) == 1.0
    assert scores.hook_effectiveness(0, None) is None
    assert scores.cta_effectiveness(3, 1) == pytest.approx(0.6)
    assert scores.cta_effectiveness(0, 0) is None


def test_authenticity():
    assert scores.authenticity(0.02, 0, 0) == 1.0
    assert scores.authenticity(0.0, 0, 0) == 0.75
    assert scores.authenticity(0.06, 3, 2) == 0.25


def test_engagement_and_harmony():
    assert scores.verbal_engagement([0.5, 0, 3, 0.0]) == 0.5
    assert scores.verbal_engagement([]) == 0.0
    assert scores.visual_harmony(0.5, None) == 0.5
    assert scores.visual_harmony(0.5, 1.0) == 0.75
    assert scores.visual_harmony(None, None) is None
