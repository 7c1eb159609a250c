"""Confidence of cuts, by hand."""

from __future__ import annotations

import numpy as np

from rumiai.core.cuts import cut_confidence


def test_confidence_of_cuts():
    assert [cut_confidence(score) for score in (-1.0, 0.0, 3.0, 4.5, 6.0, 255.0)] == [0.0, 0.0, 0.5, 0.75, 1.0, 1.0]
    assert cut_confidence(np.array([0.0, 3.0, 255.0])).tolist() == [0.0, 0.5, 1.0]
    assert cut_confidence(27.0, threshold=27.0) == 0.5
    assert cut_confidence(np.array([])).shape == (0,)
