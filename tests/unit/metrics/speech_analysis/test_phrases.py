"""Hooks, calls to action and transitions, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.speech_analysis import phrases
from rumiai.metrics.speech_analysis.phrases import Cluster


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("First, mix it. Finally, wait", [("first", "sequence"), ("finally", "sequence")]),
        ("wait a second, at first", []),
        ("wait one\nSecond, stir", [("second", "sequence")]),  # a break of the line parts segments
        ("However, for example tea", [("however", "contrast"), ("for example", "example")]),
        ("", []),
    ],
)
def test_transitions(text, found):
    assert [(match.phrase, match.kind) for match in phrases.find_transitions(text)] == found


def test_opening():
    assert phrases.opening_strength([0.0, 5.0, 9.0]) == 0.5
    assert phrases.opening_strength([0.0, 1.0, 4.9]) == 1.0
    assert phrases.opening_strength([]) is phrases.opening_strength([9.0]) is None
    assert [phrases.hook_confidence(t) for t in (4.99, 5.0)] == [1.0, 0.7]


def test_words_around_a_phrase():
    starts = np.arange(20.0)
    assert phrases.words_around(starts, 8.0, 10.0) == slice(3, 15)  # words 8 and 9, and five on either side
    assert phrases.words_around(starts, 1.0, 2.0) == slice(0, 7)


@pytest.mark.parametrize(
    ("context", "start", "urgency"),
    [
        ("high", 0.0, "high"),
        ("medium", 9.0, "medium"),
        ("low", 6.9, "low"),
        ("none", 7.0, "medium"),
        ("low", 7.0, "medium"),
    ],
)
def test_urgency(context, start, urgency):
    assert phrases.cta_urgency(context, start, 10.0) == urgency


def test_clusters():
    assert phrases.cta_clusters([1.0, 5.9, 10.9, 20.0, 24.0]) == [Cluster(1.0, 5.9, 2), Cluster(20.0, 24.0, 2)]
    assert phrases.cta_clusters([1.0]) == phrases.cta_clusters([]) == []


def test_counts_per_ten_seconds():
    assert phrases.count_per_ten_seconds([0.0, 9.99, 10.0, 31.0]) == {"0-10s": 2, "10-20s": 1, "30-40s": 1}
    assert phrases.count_per_ten_seconds([]) == {}


def test_categories():
    assert [phrases.cta_category(kind) for kind in ("follow", "share", "visit", "download", "save")] == [
        "engagement", "viral", "traffic", "conversion", "save",
    ]  # fmt: skip
