"""Moments of the overlays."""

from __future__ import annotations

import numpy as np

from rumiai.core.intervals import as_intervals
from rumiai.metrics.evidence.types import Sticker
from rumiai.metrics.visual_overlay_analysis.moments import (
    overlay_bursts,
    overlay_peaks,
    sticker_highlights,
    texts_begun,
)
from rumiai.metrics.visual_overlay_analysis.timing import Burst


def test_peaks_of_windows():
    edges = np.array([0.0, 3.0, 6.0, 9.0])
    seen = np.ones(3, bool)
    (peak,) = overlay_peaks(edges, np.array([1, 4, 1]), seen)
    assert (peak.timestamp, peak.overlay_count, peak.intensity) == ("3-6s", 4, 1.0)
    assert overlay_peaks(edges, np.zeros(3, int), seen) == []
    # Held against two empty windows three overlays are many; of the windows that were looked at they are usual.
    assert len(overlay_peaks(edges, np.array([3, 0, 0]), seen)) == 1
    assert overlay_peaks(edges, np.array([3, 0, 0]), np.array([True, False, False])) == []


def test_what_a_burst_serves():
    starts = np.array([0.0, 1.0, 5.0])
    bursts = [Burst(0.0, 5.0, 3, 4.0), Burst(5.0, 10.0, 3, 9.0), Burst(10.0, 12.0, 3, 11.0)]
    assert [texts_begun(starts, burst) for burst in bursts] == [range(2), range(2, 3), range(3, 3)]
    found = overlay_bursts(bursts, starts, [(), ("follow",), ()])
    assert [burst.purpose for burst in found] == ["call_to_action", "information", "decoration"]


def test_the_five_largest_stickers():
    stickers = [Sticker(f"s{i}", float(i), i + 1.0, 0.5, (0.0, 0.0, 0.1 * (7 - i), 0.1)) for i in range(7)]
    found = sticker_highlights(stickers, as_intervals([(2.5, 2.7)]))
    assert [item.sticker for item in found] == ["s0", "s1", "s2", "s3", "s4"]
    assert [item.purpose == "call_to_action" for item in found] == [False, False, True, False, False]
