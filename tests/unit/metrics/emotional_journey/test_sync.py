"""Expressions against everything else, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.core.intervals import as_intervals
from rumiai.metrics.emotional_journey import sync as s
from rumiai.metrics.emotional_journey.triggers import Event, last_before, triggers, visible_events
from rumiai.metrics.evidence.sound import Segment
from rumiai.metrics.evidence.types import TextTrack

NONE = np.zeros(0)
NO_SPANS = as_intervals([])
WHOLE = as_intervals([(0.0, 12.0)])


def test_gestures_against_expressions():
    # Joy 0-2, anger 2-4, neutral 4-6; a thumb up 1-3, a fist 3-5.
    faces = as_intervals([(0, 2), (2, 4), (4, 6)])
    overlap = s.gesture_overlap(
        faces, ["joy", "anger", "neutral"], as_intervals([(1, 3), (3, 5)]), ["thumbs_up", "closed_fist"]
    )
    assert overlap.compared_s.tolist() == [[1.0, 4.0]]  # neutral goes with all and is not compared
    assert overlap.compatible_s.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert s.gesture_alignment(overlap) == pytest.approx(2 / 3)
    assert s.gesture_alignment_by_bin(overlap, np.arange(7.0)) == [None, 1.0, 0.0, 1.0, None, None]


def test_nothing_to_compare():
    for overlap in (
        s.gesture_overlap(NO_SPANS, [], as_intervals([(0, 1)]), ["love"]),
        s.gesture_overlap(as_intervals([(0, 1)]), ["joy"], NO_SPANS, []),
    ):
        assert s.gesture_alignment(overlap) is None
        assert s.gesture_alignment_by_bin(overlap, np.arange(2.0)) == [None]


def test_gestures_in_bins_and_at_peaks():
    gestures = as_intervals([(1.5, 2.5), (8.0, 8.2)])
    assert s.gestures_at(gestures, np.arange(5.0)).tolist() == [False, True, True, False]
    # Within 1 s of a bin: the first is half a second away, the second 3 s, the third holds one.
    assert s.gesture_reinforcement(as_intervals([(0, 1), (4, 5), (8, 9)]), gestures) == pytest.approx(2 / 3)
    assert s.gesture_reinforcement(NO_SPANS, gestures) is None
    assert s.gesture_reinforcement(as_intervals([(0, 1)]), NO_SPANS) == 0.0


def test_moods_are_compared_by_rank():
    rising, falling = np.array([0.1, 0.2, 0.3]), np.array([0.9, 0.5, 0.1])
    assert s.mood_congruence(rising, rising * 5) == 1.0
    assert s.mood_congruence(rising, falling) == pytest.approx(1 - 4 / 3 / 2)
    assert s.mood_congruence(rising, np.array([0.1, np.nan, 0.3])) is None
    assert s.mood_congruence(rising[:2], rising[:2]) is None


def test_ranks_share():
    assert s.shared_ranks(np.array([0.3, 0.1, 0.2])).tolist() == [3.0, 1.0, 2.0]
    assert s.shared_ranks(np.array([0.2, 0.1 + 0.1, 0.5])).tolist() == [1.5, 1.5, 3.0]


def test_beats():
    beats_s = np.arange(0.0, 12.0, 2.0)
    chance = (0.25 + 5 * 0.5) / 12
    assert s.beat_sync(np.array([2.2, 5.0]), beats_s, 0.1, WHOLE) == pytest.approx(0.5 - chance)
    assert s.beat_sync(np.array([5.0]), beats_s, 0.1, WHOLE) == 0.0  # below chance
    # Of the first 3 s alone: a quarter and half a second of beats.
    first = as_intervals([(0.0, 3.0)])
    assert s.beat_sync(np.array([2.2, 5.0]), beats_s, 0.1, first) == pytest.approx(1 - 0.75 / 3)
    assert s.beat_sync(NONE, beats_s, 0.1, WHOLE) is None
    assert s.beat_sync(np.array([2.0]), beats_s[:1], 0.1, WHOLE) is None
    assert s.beat_sync(np.array([2.0]), beats_s, 0.2, WHOLE) is None  # a step too coarse
    assert s.beat_sync(np.array([2.0]), beats_s / 2, 0.1, WHOLE) is None  # a quarter of a second is a quarter beat


def test_caption():
    assert s.caption_alignment(1.0, np.array([0.4, 0.6])) == 0.75
    assert s.caption_alignment(-1.0, np.array([1.0])) == 0.0
    assert s.caption_alignment(1.0, NONE) is None


def test_visible_events():
    text = TextTrack("LOOK", 1.0, 2.0, None, None, "other", NONE, np.zeros((0, 4)), NONE)
    speech = Segment(0.5, 3.0, "one two three four five six seven", None, ())
    assert visible_events([2.0], [text], [speech]) == [
        Event(2.0, "scene_change"), Event(1.0, 'text "LOOK"'), Event(0.5, 'speech "one two three four five six"'),
    ]  # fmt: skip
    assert visible_events([]) == []


def test_triggers_lie_within_the_second_before():
    events = [Event(3.0, "cut"), Event(3.0, "text"), Event(1.0, "speech")]
    assert triggers([3.0, 2.0, 2.5, 0.5], events, np.array([0.4, 2.1])) == [
        "cut",
        "speech",
        "energy_rise",
        "energy_rise",
    ]
    assert triggers([5.0], events, NONE) == ["unknown"]
    assert triggers([5.0], [], NONE) == ["unknown"]
    assert triggers([], events, NONE) == []


def test_the_last_event_before():
    events_s = np.array([1.0, 2.0, 2.0])
    assert [last_before(events_s, time) for time in (0.9, 1.0, 2.0, 3.0, 3.1)] == [None, 0, 2, 2, None]
