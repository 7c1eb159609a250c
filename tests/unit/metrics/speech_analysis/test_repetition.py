"""Repeated phrases, by hand and against counting."""

from __future__ import annotations

import numpy as np

from rumiai.metrics.speech_analysis.repetition import (
    RepeatedPhrase,
    emphasised_words,
    repeated_phrases,
    repetition_rate,
    words_in_capitals,
)


def test_by_hand():
    said = ["coffee", "bean", "time", "more", "coffee", "bean", "the", "coffee", "bean", "and", "the", "time"]
    found = repeated_phrases(said)
    assert found == [RepeatedPhrase((0, 4, 7), 2)]
    assert repetition_rate(found, len(said)) == 4 / 12
    assert emphasised_words(said, {"time"}) == ["bean", "coffee", "time"]


def test_sayings_do_not_overlap():
    assert repeated_phrases(["la"] * 4) == [RepeatedPhrase((0, 2), 2)]


def test_the_longer_and_the_earlier_first():
    said = ["red", "car", "dog", "one", "red", "car", "dog"]
    assert [(phrase.first_token, phrase.size) for phrase in repeated_phrases(said)] == [
        ((0, 4), 3), ((0, 4), 2), ((1, 5), 2),
    ]  # fmt: skip
    assert repetition_rate(repeated_phrases(said), 7) == 3 / 7  # the three phrases share their words


def test_nothing_said():
    assert repeated_phrases([]) == []
    assert repetition_rate([], 0) is None
    assert emphasised_words([], ["x"]) == []


def test_capitals():
    assert words_in_capitals(["MORE Coffee TIME-OUT", "A b"]) == {"more", "time-out"}


def test_against_counting():
    rng = np.random.default_rng(3)
    for _ in range(20):
        tokens = [str(word) for word in rng.choice(["red", "car", "dog", "the", "sun"], 40)]
        found = {
            " ".join(tokens[phrase.first_token[0] :][: phrase.size]): len(phrase.first_token)
            for phrase in repeated_phrases(tokens)
        }
        for size in (2, 3):
            for i in range(40 - size + 1):
                gram = tokens[i : i + size]
                if "the" in (gram[0], gram[-1]):
                    assert " ".join(gram) not in found
                    continue
                count, at = 0, 0
                while at <= 40 - size:
                    hit = tokens[at : at + size] == gram
                    count += hit
                    at += size if hit else 1
                assert found.get(" ".join(gram), 1) == count
