"""How suddenly a text comes, and how constant it is at a cut, on frames of known grey levels."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.inference.text_kinds.arrival import constancy, suddenness

BOX = (0.25, 0.4, 0.5, 0.1)
INSIDE = np.s_[40:50, 25:75]


def frame(inside, around):
    image = np.full((100, 100), around, np.uint8)
    image[INSIDE] = inside
    return image


def test_what_pops_up_over_a_still_picture_is_as_sudden_as_can_be():
    assert suddenness(np.stack([frame(60, 60), frame(60, 60), frame(200, 60)]), BOX, ()) == 1.0


def test_what_fades_in_is_seen_by_the_whole_way():
    fading = np.stack([frame(60 + 3 * k, 60) for k in range(12)])
    # 33 levels inside, none around: log2(35 / 2) is above three doublings.
    assert suddenness(fading, BOX, ()) == 1.0


def test_what_comes_with_its_surroundings_is_not_sudden():
    assert suddenness(np.stack([frame(60, 60), frame(100, 100)]), BOX, ()) == 0.0
    # log2((6 + 2) / (2 + 2)) = 1 of 3 doublings.
    assert suddenness(np.stack([frame(60, 60), frame(66, 62)]), BOX, ()) == pytest.approx(1 / 3)


def test_a_text_that_did_not_change_tells_nothing():
    assert suddenness(np.stack([frame(60, 60), frame(62, 90)]), BOX, ()) is None
    assert suddenness(frame(60, 60)[None], BOX, ()) is None


def test_other_lines_are_no_surroundings():
    before, after = frame(60, 60), frame(200, 60)
    after[55:65, 25:75] = 200  # the second line of the caption comes with the first
    assert suddenness(np.stack([before, after]), BOX, [(0.25, 0.55, 0.5, 0.1)]) == 1.0
    assert suddenness(np.stack([before, after]), BOX, ()) < 1.0


def test_a_text_that_stays_at_a_cut_is_constant():
    assert constancy(frame(200, 40), frame(200, 120), BOX, ()) == 1.0
    assert constancy(frame(200, 40), frame(90, 40), BOX, ()) == 0.0
