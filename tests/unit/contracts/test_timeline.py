"""Timestamps, entries, the timeline and its windows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumiai.contracts.timeline import Timeline, TimelineEntry, Timestamp
from rumiai.timeline.validate import timeline_problems


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (5, 5.0), (0, 0.0), (0.0, 0.0), (-1, 0.0), ("5", 5.0), ("5s", 5.0), ("0.5s", 0.5), ("3-4", 3.0),
        ("1.5-2.5s", 1.5), ("1:05", 65.0), ("0:01.5", 1.5), ("1:02:03", 3723.0), ({"seconds": "3", "nanos": 5e8}, 3.5),
    ],
)  # fmt: skip
def test_timestamps_of_every_age(value, seconds):
    assert Timestamp.from_value(value) == Timestamp(seconds)


@pytest.mark.parametrize("value", [None, True, "", "soon", "3-4sx", "90:75", math.nan, math.inf, [1], {"seconds": "x"}])
def test_what_is_no_timestamp(value):
    assert Timestamp.from_value(value) is None


def entry(start, end=None, kind="text", **data):
    return TimelineEntry(start, kind, data, end)


def test_windows_are_half_open_and_the_last_is_closed():
    timeline = Timeline.from_entries("v", 10.0, [entry(5.0), entry(4.0, 5.0), entry(10.0), entry(5.0, 6.0)])
    assert [(e.start_s, e.end_s) for e in timeline.in_range(0, 5)] == [(4.0, 5.0)]
    assert [(e.start_s, e.end_s) for e in timeline.in_range(5, 10)] == [(5.0, None), (5.0, 6.0), (10.0, None)]


intervals = st.tuples(st.integers(0, 40), st.integers(0, 12) | st.none(), st.sampled_from(["text", "speech", "face"]))


@given(st.lists(intervals, max_size=30), st.integers(0, 40), st.integers(0, 20), st.randoms())
def test_windows_against_a_plain_scan_in_any_order(items, start, length, random):
    made = [entry(s / 4, None if d is None else (s + d) / 4, kind, i=i) for i, (s, d, kind) in enumerate(items)]
    timeline = Timeline.from_entries("v", 10.0, made)
    random.shuffle(made)
    assert Timeline.from_entries("v", 10.0, made) == timeline
    a, b = start / 4, (start + length) / 4
    expected = {
        e.data["i"]
        for e in timeline.entries
        if (e.start_s < b or b >= 10.0) and ((e.end_s or e.start_s) > a or (e.duration_s == 0 and e.start_s >= a))
    }
    assert {e.data["i"] for e in timeline.in_range(a, b)} == expected
    found = timeline.in_range(a, b, "text", "face")
    assert {e.data["i"] for e in found} == {i for i in expected if items[i][2] != "speech"}
    assert list(found) == sorted(found, key=lambda e: e.start_s)


@given(st.lists(intervals, max_size=30))
def test_an_instant_is_in_exactly_one_of_adjacent_windows(items):
    timeline = Timeline.from_entries("v", 10.0, [entry(s / 4, kind=kind, i=i) for i, (s, _, kind) in enumerate(items)])
    seen = [e.data["i"] for k in range(10) for e in timeline.in_range(k, k + 1)]
    assert sorted(seen) == list(range(len(items)))


@given(st.lists(intervals, max_size=20))
def test_the_timeline_reads_back_as_it_was_saved(items):
    timeline = Timeline.from_entries("v", 10.0, [entry(s / 4, kind=kind, i=i) for i, (s, _, kind) in enumerate(items)])
    assert Timeline.from_dict(timeline.to_dict()) == timeline


def test_what_starts_after_the_end_is_dropped_and_counted():
    timeline = Timeline.from_entries("v", 10.0, [entry(10.02), entry(10.5), entry(9.0, 12.0)], frame_s=1 / 30)
    assert [(e.start_s, e.end_s) for e in timeline.entries] == [(9.0, 10.0), (10.0, None)]
    assert timeline.dropped == 1


def test_sampled_instants_are_found_with_a_tolerance():
    timeline = Timeline.from_entries("v", 10.0, [entry(1.0), entry(2.0, 3.0)])
    assert timeline.at_time(1.2) == ()
    assert [e.start_s for e in timeline.at_time(1.2, 0.25)] == [1.0]
    assert [e.start_s for e in timeline.at_time(2.5)] == [2.0]
    assert timeline.at_time(3.0) == ()


def test_buckets_and_merging():
    one = Timeline.from_entries("v", 2.5, [entry(0.0), entry(2.5)])
    two = Timeline.from_entries("v", 3.0, [entry(0.0), entry(1.0)])
    assert one.density_buckets() == [1, 0, 1]
    merged = one.merge_with(two)
    assert ([e.start_s for e in merged.entries], merged.duration_s) == ([0.0, 1.0, 2.5], 3.0)
    with pytest.raises(ValueError, match="one video"):
        one.merge_with(Timeline("w", 1.0))
    with pytest.raises(ValueError, match="duration"):
        Timeline("v", 0.0)


def test_an_entry_never_ends_before_it_starts():
    with pytest.raises(ValueError, match="before start"):
        entry(2.0, 1.0)


def test_timeline_problems_are_told_one_by_one():
    raw = {
        "video_id": "", "duration": 5,
        "entries": [
            {"start": "3s", "entry_type": "text", "data": {}},
            {"start": 2.0, "entry_type": "text_overlay"},
            {"start": "later"},
            {"start": 4, "end": 9, "type": "speech", "data": "hello"},
        ],
    }  # fmt: skip
    problems = timeline_problems(raw, ("text", "speech"))
    assert len(problems) == 5
    for part in ("entries[2]", "video_id", "starts at 2.0", "text_overlay", "ends after the video"):
        assert any(part in problem for problem in problems), part
    assert timeline_problems({"video_id": "v", "duration": 0, "entries": []}, ())
    assert timeline_problems({"video_id": "v", "duration": 1}, ())
