"""Words and their tone, by hand."""

from __future__ import annotations

import pytest

from rumiai.metrics.shared.words import content_words, sentiment, tokens, word_count


def test_words():
    assert tokens("Don\u2019t STOP, mind-blowing! 3 ... #1") == ["don't", "stop", "mind-blowing", "3", "1"]
    assert content_words("This is the Coffee of 5 a b") == ["coffee", "5"]
    assert word_count("two words") == 2
    assert word_count("\u4eca\u5929\u5929\u6c14\u597d ok") == round(5 / 1.7) + 1


@pytest.mark.parametrize(
    ("caption", "polarity", "category"),
    [
        ("goodbye, I know", 0.0, "neutral"),
        ("this is not good", -1.0, "negative"),
        ("never a bad day", 1.0, "positive"),
        ("good good bad bad", 0.0, "mixed"),
        ("so sad 😀", 0.0, "neutral"),
    ],
)
def test_sentiment(caption, polarity, category):
    assert (sentiment(caption).polarity, sentiment(caption).category) == (polarity, category)
