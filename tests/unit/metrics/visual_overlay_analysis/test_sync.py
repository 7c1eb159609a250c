"""Overlays against cuts, gestures and stickers, by arrays."""

from __future__ import annotations

import numpy as np

from rumiai.core.intervals import as_intervals
from rumiai.metrics.visual_overlay_analysis.sync import cta_matrix, emphasis_alignment


def test_emphasis():
    starts = np.array([1.0, 5.0, 9.0, 9.5])
    assert emphasis_alignment(starts, [np.array([1.3]), None, np.array([9.2])]) == 0.75
    assert emphasis_alignment(starts, [np.array([])]) == 0.0
    assert emphasis_alignment(starts, [None, None]) is None
    assert emphasis_alignment(np.array([]), [np.array([1.0])]) is None


def test_calls_to_action_by_company():
    texts = as_intervals([(0.0, 1.0), (2.0, 3.0), (4.0, 5.0), (6.0, 7.0), (8.0, 9.0)])
    gestures, stickers = as_intervals([(2.5, 4.5)]), as_intervals([(4.5, 6.5)])
    assert cta_matrix(texts, [True, True, True, True, False], gestures, stickers) == {
        "text_only": 1, "text_gesture": 1, "text_sticker": 1, "all_three": 1,
    }  # fmt: skip
