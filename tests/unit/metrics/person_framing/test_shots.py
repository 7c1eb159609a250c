"""Shot types over time, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.core.intervals import as_intervals
from rumiai.metrics.person_framing import shots as s
from rumiai.metrics.shared.labels import LabelChange, smooth

GRID_S = np.arange(8) * 0.5
LABELS = ("wide", "wide", "close", "close", "close", "close", "none", "none")
NO_CUTS = np.zeros(0)


def test_shares():
    assert s.shot_shares(LABELS) == {"close": 0.5, "medium": 0.0, "wide": 0.25, "none": 0.25}
    assert s.shot_shares(LABELS, GRID_S < 1.0) == {"close": 0.0, "medium": 0.0, "wide": 1.0, "none": 0.0}
    assert s.shot_shares(()) is s.shot_shares(LABELS, GRID_S > 9.0) is None


def test_dominant_shots():
    mostly_nobody = {"close": 0.0, "medium": 0.2, "wide": 0.2, "none": 0.6}
    assert s.dominant_shot(mostly_nobody) == "medium"  # the closer of equals
    assert s.most_frequent_shot(mostly_nobody) == "none"
    assert s.dominant_shot({"close": 0.0, "medium": 0.0, "wide": 0.0, "none": 1.0}) == "none"
    assert s.dominant_shot(None) is s.most_frequent_shot(None) is None


def test_volatility_is_one_from_thirty_changes_a_minute():
    assert (s.volatility(0, 60.0), s.volatility(15, 60.0), s.volatility(9, 6.0)) == (0.0, 0.5, 1.0)


def test_runs_cover_the_video():
    smoothed = smooth(GRID_S.tolist(), LABELS, 0.5)
    assert s.run_spans(smoothed, 4.2).tolist() == [[0.0, 1.0], [1.0, 3.0], [3.0, 4.2]]
    assert s.spans_of_label(smoothed, "close", 4.2).tolist() == [[1.0, 3.0]]
    assert s.spans_of_label(smoothed, "medium", 4.2).shape == (0, 2)
    assert s.run_spans(smooth([], [], 0.5), 4.2).shape == (0, 2)


def test_flickers_of_a_flag_are_smoothed():
    flags = np.array([True, False, True, True, False, False, True, True])
    assert s.flagged_spans(flags, GRID_S, 0.5, 4.0).tolist() == [[0.0, 2.0], [3.0, 4.0]]
    assert s.flagged_spans(np.zeros(8, dtype=bool), GRID_S, 0.5, 4.0).shape == (0, 2)


def test_lasting_spans():
    assert s.lasting(as_intervals([(0, 3), (4, 6.9)]), 3.0).tolist() == [[0.0, 3.0]]


def test_a_cut_between_two_samples_makes_the_transition():
    change = LabelChange(4.0, "medium", "close")
    for cut_s, kind in ((3.3, "cut"), (4.2, "cut"), (3.29, "zoom_in"), (4.21, "zoom_in")):
        assert s.transitions([change], np.array([cut_s]), 0.5) == [s.Transition(4.0, "medium", "close", kind)]
    assert s.transitions([], NO_CUTS, 0.5) == []


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("none", "wide", "return"), ("wide", "none", "exit"),
        ("wide", "medium", "zoom_in"), ("close", "wide", "zoom_out"),
    ],
)  # fmt: skip
def test_transition_types(before, after, kind):
    assert s.transition_type(before, after) == kind
    assert s.transitions([LabelChange(1.0, before, after)], NO_CUTS, 0.5)[0].kind == kind
