"""Overlays against cuts, gestures and stickers, by arrays."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.core.intervals import as_intervals
from rumiai.metrics.visual_overlay_analysis.sync import cta_matrix, emphasis_alignment

TEN = as_intervals([(0.0, 10.0)])


def test_emphasis():
    starts = np.array([1.0, 5.0, 9.0, 9.5])
    # Three of four hits; two targets of .6 s each in 10 s: chance .12, and .0063 for so many hits.
    found = emphasis_alignment(starts, [np.array([1.3]), None, np.array([9.2])], TEN)
    assert found == pytest.approx((0.75 - 0.12) / 0.88)
    often = np.arange(0.0, 10.0, 0.7)  # chance .86 and more
    assert emphasis_alignment(starts, [often], TEN) is None
    assert emphasis_alignment(starts, [np.array([])], TEN) is emphasis_alignment(starts, [None, None], TEN) is None
    assert emphasis_alignment(np.array([]), [np.array([1.0])], TEN) is None


def test_emphasis_takes_its_chance_from_the_time_that_was_looked_at():
    starts = np.array([1.0, 5.0, 9.0, 9.5])
    # In the 5 s that were looked at: both starts hit, a target of .6 s each, chance .24; .0576 for two hits of two.
    seen = as_intervals([(0.0, 5.5)])
    assert emphasis_alignment(starts, [np.array([1.3, 4.8])], seen) == pytest.approx(1.0)
    assert emphasis_alignment(starts, [np.array([1.3, 4.8])], as_intervals([(6.0, 10.0)])) is None


def test_calls_to_action_by_company():
    texts = as_intervals([(0.0, 1.0), (2.0, 3.0), (4.0, 5.0), (6.0, 7.0), (8.0, 9.0)])
    gestures, stickers = as_intervals([(2.5, 4.5)]), as_intervals([(4.5, 6.5)])
    assert cta_matrix(texts, [True, True, True, True, False], gestures, stickers) == {
        "text_only": 1, "text_gesture": 1, "text_sticker": 1, "all_three": 1,
    }  # fmt: skip
