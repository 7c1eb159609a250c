"""Moments of the density curve."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.creative_density.events import dead_zones, density_shifts, multi_modal_peaks, peak_moments, surprise
from rumiai.metrics.shared.bins import Bins


def test_dead_zones_and_shifts():
    bins = Bins(9.5)
    d = np.array([4.0, 4, 0, 0, 0, 4, 4, 0, 0, 0])
    assert [zone.model_dump() for zone in dead_zones(d, bins)] == [
        {"start": 2.0, "end": 5.0, "duration": 3.0},
        {"start": 7.0, "end": 9.5, "duration": 2.5},
    ]
    assert [shift.model_dump(by_alias=True) for shift in density_shifts(d, bins)] == [
        {"timestamp": 2.0, "from": "high", "to": "low", "magnitude": 1.0},
        {"timestamp": 5.0, "from": "low", "to": "high", "magnitude": 1.0},
        {"timestamp": 7.0, "from": "high", "to": "low", "magnitude": 1.0},
    ]
    assert density_shifts(np.zeros(10), bins) == []
    assert density_shifts(np.array([1.0, 5, 1]), Bins(3.0)) == []
    # Neighbouring borders of one slope: the sharpest alone.
    assert [s.timestamp for s in density_shifts(np.array([9.0, 9, 9, 4, 0.5, 0.5, 0.5, 9]), Bins(8.0))] == [4.0, 6.0]


def test_peaks_of_arrays():
    d = np.array([1.0, 1, 6, 1, 1])
    (peak,) = peak_moments(d, {"text": np.array([1, 1, 5, 1, 1]), "sticker": np.array([0, 0, 1, 0, 0])}, Bins(5.0))
    assert (peak.timestamp, peak.total_elements) == ("2-3s", 6)
    assert peak.element_breakdown == {"text": 5, "sticker": 1}
    assert peak.surprise_score == pytest.approx(surprise(d, 2, d.std()), abs=5e-4) == 2.5
    assert peak_moments(np.ones(4), {}, Bins(4.0)) == []


def test_multi_modal_peaks_of_arrays():
    types = ("text", "gesture", "object")
    present = np.array([[True, True, True], [True, True, False], [True, True, True]])
    words = [({"tea"}, {"tea"}, True), ({"tea"}, set(), False), (set(), set(), False)]
    found = multi_modal_peaks(types, present, words, Bins(3.0))
    assert [(peak.timestamp, peak.sync_type) for peak in found] == [("0-1s", "redundant"), ("1-2s", "reinforcing")]
