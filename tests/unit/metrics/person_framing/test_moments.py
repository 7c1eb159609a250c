"""Moments of the framing by hand."""

from __future__ import annotations

from rumiai.core.intervals import as_intervals
from rumiai.metrics.person_framing import moments as m
from rumiai.metrics.person_framing.blocks import CriticalFramingMoment, FramingHighlight, Run
from rumiai.metrics.person_framing.shots import Transition
from rumiai.metrics.shared.bins import Bins

NO_SPANS = as_intervals([])


def test_runs():
    assert m.runs_of_spans(as_intervals([(1, 2.5)])) == [Run(start=1.0, end=2.5, duration=1.5)]
    assert m.runs_of_spans(NO_SPANS) == []


def test_impacts():
    assert [m.impact_of(*span) for span in ((2.9, 3.0), (3.0, 8.0), (3.0, 5.0), (3.0, 4.9))] == [
        "high", "high", "medium", "low",
    ]  # fmt: skip


def test_highlights_by_time():
    found = m.highlights(
        close_ups_s=as_intervals([(8, 12)]),
        groups_s=as_intervals([(0, 1)]),
        eye_contact_s=as_intervals([(8, 11)]),
        transitions=[Transition(0.5, "none", "wide", "return"), Transition(6.0, "none", "wide", "return")],
        bins=Bins(12.0),
    )
    assert [(h.timestamp, h.type, h.impact) for h in found] == [
        ("0-1s", "group_shot", "high"),
        ("6-7s", "return", "medium"),  # who comes first does not come back
        ("8-12s", "close_up", "medium"),
        ("8-11s", "eye_contact_run", "medium"),
    ]
    assert isinstance(found[0], FramingHighlight)
    nothing = {"close_ups_s": NO_SPANS, "groups_s": NO_SPANS, "eye_contact_s": NO_SPANS}
    assert m.highlights(**nothing, transitions=[], bins=Bins(12.0)) == []


def test_critical_moments():
    changes = [
        Transition(1.0, "none", "wide", "return"),
        Transition(2.0, "wide", "close", "zoom_in"),
        Transition(3.0, "close", "medium", "cut"),  # a cut is no event
        Transition(4.0, "medium", "none", "exit"),
    ]
    found = m.critical_moments(changes, as_intervals([(2, 3)]))
    assert found == [
        CriticalFramingMoment(timestamp=1.0, event="person_enter", framing="wide"),
        CriticalFramingMoment(timestamp=2.0, event="first_close", framing="close"),
        CriticalFramingMoment(timestamp=2.0, event="zoom_in", framing="close"),
        CriticalFramingMoment(timestamp=4.0, event="person_exit", framing="none"),
    ]
    assert m.critical_moments([], NO_SPANS) == []
