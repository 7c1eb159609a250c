"""Overlays in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.contracts.observed import Observed, whole
from rumiai.core.intervals import as_intervals, length
from rumiai.metrics.evidence.types import Sticker
from rumiai.metrics.visual_overlay_analysis.picture import (
    area_share,
    complexity_score,
    covers,
    free_s,
    layering,
    occlusions,
    path_speed,
    place_shares,
    unique_stickers,
)


def sticker(start_s, end_s, box, kind="emoji"):
    return Sticker(kind, start_s, end_s, 0.5, box)


def test_covering_boxes():
    assert covers((0.0, 0.0, 0.5, 0.5), (0.4, 0.4, 0.5, 0.5)) is False  # 0.01 of 0.25
    assert covers((0.0, 0.0, 0.5, 0.5), (0.3, 0.3, 0.5, 0.5))
    assert not covers(None, (0.0, 0.0, 1.0, 1.0))


def test_seconds_on_screen():
    spans = as_intervals([(0.0, 2.0), (1.0, 4.0), (9.0, 12.0)])
    assert length(spans) == 8.0
    assert free_s(spans, whole(10.0)) == 5.0
    assert free_s(as_intervals([]), whole(10.0)) == 10.0
    assert free_s(spans, Observed(as_intervals([(0.0, 5.0)]), 10.0)) == 1.0


def test_area_and_complexity():
    half = sticker(0.0, 5.0, (0.0, 0.0, 1.0, 0.5))
    assert area_share([half, sticker(0.0, 10.0, None)], whole(10.0)) == 0.25
    assert area_share([half] * 9, whole(5.0)) == 1.0
    assert area_share([half], Observed(as_intervals([(0.0, 2.0), (8.0, 10.0)]), 10.0)) == 0.25  # two seconds of four
    assert complexity_score(1.0, 2, 0.1, 10.0) == pytest.approx(2 + 1 + 2)
    assert complexity_score(9.0, 90, 1.0, 1.0) == 10.0
    assert complexity_score(0.0, 0, 0.0, 10.0) is None
    assert [layering(n) for n in (0, 1, 2, 3, 4)] == [None, "simple", "moderate", "moderate", "complex"]


def test_path_of_a_box():
    boxes = np.array([[0.0, 0.0, 0.2, 0.2], [0.3, 0.4, 0.2, 0.2], [0.3, 0.4, 0.2, 0.2]])
    assert path_speed(np.array([0.0, 1.0, 2.0]), boxes, 1.0) == pytest.approx(0.25)
    # In a frame twice as high as wide .4 of the height are .8 widths.
    assert path_speed(np.array([0.0, 1.0, 2.0]), boxes, 0.5) == pytest.approx(np.hypot(0.3, 0.8) / 2)
    assert path_speed(np.array([1.0]), boxes[:1], 1.0) is None
    assert path_speed(np.array([1.0, 1.0]), boxes[:2], 1.0) is None


def test_places_by_height():
    assert place_shares([0.1, 0.2, 0.5, 1.0]) == (0.5, 0.25, 0.25)
    assert place_shares([]) is None


def test_stickers_that_differ():
    places = [(0.0, 0.0, 0.1, 0.1), (0.01, 0.0, 0.1, 0.1), (0.5, 0.5, 0.1, 0.1)]
    assert unique_stickers([sticker(0.0, 1.0, place) for place in places]) == 2
    assert unique_stickers([sticker(0.0, 1.0, places[0]), sticker(0.0, 1.0, places[0], "gif")]) == 2


def test_only_overlays_of_one_time_cover_each_other():
    box = (0.1, 0.1, 0.5, 0.5)
    assert occlusions([sticker(0.0, 2.0, box), sticker(1.0, 3.0, box), sticker(3.0, 4.0, box)]) == (1, 0)
    assert occlusions([]) == (0, 0)
