"""Phrases in speech."""

from __future__ import annotations

from rumiai.contracts.lexicons import find_ctas, find_hooks
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.shared import phrases

from ...metrics_videos import analysis, segment


def test_spoken_phrases_have_the_times_of_their_words():
    speech = read_evidence(
        analysis(segments=[segment("hey make sure to", 0.0, 2.0), segment("follow hey link in bio", 3.0, 5.5)])
    ).speech
    found = phrases.spoken_phrases(speech.segments, find_ctas)
    assert [(p.kind, p.text, p.start_s, p.end_s) for p in found] == [
        ("follow", "make sure to follow", 0.5, 3.5), ("visit", "link in bio", 4.0, 5.5),
    ]  # fmt: skip
    assert [p.start_s for p in phrases.spoken_phrases(speech.segments, find_hooks)] == [0.0]  # one greeting
    assert phrases.spoken_phrases((), find_ctas) == ()
