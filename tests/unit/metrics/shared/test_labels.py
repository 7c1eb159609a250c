"""Smoothed labels, by hand and against a slow reference."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.metrics.shared.labels import most_frequent, smooth


def slow_smooth(labels, step):
    """0.2 sample by sample."""
    known = [label for label in labels if label is not None]

    def run_of(i):
        a = b = i
        while a > 0 and known[a - 1] == known[i]:
            a -= 1
        while b + 1 < len(known) and known[b + 1] == known[i]:
            b += 1
        return (b - a + 1) * step >= 1.0 - 1e-9

    held = [known[i] for i in range(len(known)) if run_of(i)]
    current = held[0] if held else most_frequent(known)
    out = []
    for i, label in enumerate(known):
        current = label if run_of(i) else current
        out.append(current)
    return out


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["joy", "anger", None]), max_size=24), st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0]))
def test_smoothing_against_a_slow_reference(labels, step):
    smoothed = smooth([i * step for i in range(len(labels))], labels, step)
    assert list(smoothed.labels) == slow_smooth(labels, step)
    assert [run.label for run in smoothed.runs for _ in range(run.first, run.stop)] == list(smoothed.labels)
    assert all(change.before != change.after for change in smoothed.changes)


def test_smoothing_by_hand():
    labels = ["joy", "anger", "anger", "joy", None, "neutral", "neutral", "neutral"]
    smoothed = smooth([i * 0.5 for i in range(8)], labels, 0.5)
    assert smoothed.labels == ("anger",) * 4 + ("neutral",) * 3
    (change,) = smoothed.changes
    assert (change.time_s, change.before, change.after) == (2.5, "anger", "neutral")
    assert smooth([0, 0.5, 1], ["b", "a", "b"], 0.5).labels == ("b", "b", "b")
    assert smooth([], [], 0.5).changes == ()
    assert most_frequent(["b", "a"]) == "a"
