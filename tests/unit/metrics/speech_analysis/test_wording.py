"""The wording of speech, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rumiai.metrics.shared.words import count_among, tokens
from rumiai.metrics.speech_analysis import wording


def test_type_token_ratio():
    assert wording.type_token_ratio(["a", "b", "a", "c"]) == 0.75
    assert wording.type_token_ratio([]) is None


def test_moving_average_type_token_ratio():
    # Stretches of two: ab, ba, aa.
    assert wording.moving_average_type_token_ratio(["a", "b", "a", "a"], window=2) == pytest.approx((1 + 1 + 0.5) / 3)
    assert wording.moving_average_type_token_ratio(["a", "a"]) == 0.5
    assert wording.moving_average_type_token_ratio([]) is None
    rng = np.random.default_rng(1)
    said = [f"w{i}" for i in rng.integers(0, 30, 120)]
    slow = np.mean([len(set(said[i : i + 50])) / 50 for i in range(71)])
    assert wording.moving_average_type_token_ratio(said) == pytest.approx(slow)


@pytest.mark.parametrize(
    ("sentence", "count"),
    [
        ("um so this is uh basically actually good", 4),
        ("it is you know big", 1),
        ("did you know that they know", 0),
        ("I like it and it looks like rain", 0),
        ("a video like this", 0),
        ("and like everybody was like really happy", 2),
        ("it was, like, huge", 1),
        ("", 0),
    ],
)
def test_fillers(sentence, count):
    assert wording.filler_count(tokens(sentence), sentence) == count


def test_forms_of_address():
    said = tokens("You know we love your video, don't you? Let's go, us two. Youth")
    assert count_among(said, wording.ADDRESS_WORDS) == 3
    assert count_among(said, wording.INCLUSIVE_WORDS) == 3
    assert count_among([], wording.ADDRESS_WORDS) == 0


def test_sentences():
    assert wording.split_sentences("Is it? No... \u597d\u5417\uff1f", []) == ["Is it?", "No...", "\u597d\u5417\uff1f"]
    assert wording.split_sentences("no marks here", ["no marks", "\u2014", "here"]) == ["no marks", "here"]
    assert wording.split_sentences("", []) == []


def test_questions():
    assert wording.question_count(["Is it?", "No.", "what is this", "how to do it", "Why not."]) == 2
    assert wording.question_count([]) == 0


def test_exclamations():
    assert wording.exclamation_share(["Wow!", "Yes\uff01", "no", "no."]) == 0.5
    assert wording.exclamation_share([]) == 0.0


def test_complexity():
    def of(*sentences):
        return wording.complexity(sentences, tokens(" ".join(sentences)))

    assert of("we all go now") == "simple"
    assert of(" ".join(["go"] * 9)) == "moderate"
    assert of(" ".join(["go"] * 17)) == "complex"
    assert of("one wonderful day") == "complex"  # a third of the words is long
    assert of("we all go to the wonderful day") == "moderate"  # 1 of 7 is above 12 %
