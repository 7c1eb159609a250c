"""Style of captions, by hand."""

from __future__ import annotations

import pytest

from rumiai.metrics.metadata_analysis import caption_style
from rumiai.metrics.metadata_analysis.measures import CaptionMeasures
from rumiai.metrics.shared.caption import Caption
from rumiai.metrics.shared.words import count_among


@pytest.mark.parametrize(
    ("caption", "style"),
    [
        ("What would you do? #question", "question"),
        ("We went out. It rained. We stayed. We laughed.", "storytelling"),
        ("You need:\n1. milk\n2. eggs", "list"),
        ("- milk\n- eggs", "list"),
        ("1. milk\n2. eggs\n3. flour\n4. salt\n5. butter", "list"),
        ("3 eggs and 2 cups", "minimal"),
        ("a plain caption that simply has more than ten words in it", "direct"),
    ],
)
def test_caption_style(caption, style):
    assert CaptionMeasures(Caption(caption)).style == style


def test_rules_of_the_style():
    def of(prose="", sentences=0, list_items=0, words=0):
        return caption_style.caption_style(prose, sentences=sentences, list_items=list_items, words=words)

    assert of("really? ", 9, 9, 99) == "question"
    assert [of(sentences=n) for n in (3, 4)] == ["minimal", "storytelling"]
    assert [of(list_items=n) for n in (1, 2)] == ["minimal", "list"]
    assert [of(words=n) for n in (9, 10)] == ["minimal", "direct"]


def test_reading_ease():
    # 6 words, 1 sentence, 6 syllables: 206.835 - 1.015 x 6 - 84.6 = 116.1, clamped
    assert caption_style.reading_ease(["the", "cat", "sat", "on", "the", "mat"], 1) == 1.0
    # 3 words, 1 sentence, 3 + 4 + 3 syllables
    assert caption_style.reading_ease(["beautiful", "photography", "tomorrow"], 1) == 0.0
    # 8 words, 2 sentences, 12 syllables: 206.835 - 4.06 - 126.9 = 75.875
    words = ["coffee", "is", "easy", "you", "only", "need", "water", "daily"]
    assert caption_style.reading_ease(words, 2) == pytest.approx(0.75875, abs=1e-5)
    assert caption_style.reading_ease(["too", "short"], 1) is None
    assert caption_style.reading_ease(["go"] * 3, 0) == caption_style.reading_ease(["go"] * 3, 1)


@pytest.mark.parametrize(
    ("word", "count"), [("make", 1), ("table", 2), ("beautiful", 3), ("hmm", 1), ("the", 1), ("honey", 2)]
)
def test_syllables(word, count):
    assert caption_style.syllables(word) == count


def test_emphasis():
    assert caption_style.capital_words("STOP it NOW, U 2 B4") == 2
    assert count_among(["i", "love", "your", "yours", "you've", "youth"], caption_style.PERSONAL_PRONOUNS) == 4


def test_keywords():
    prose = "coffee recipe and the recipe of my tea, ok tea time"
    assert caption_style.keywords(prose) == ["recipe", "tea", "coffee", "time"]
    assert caption_style.keywords("") == []
    assert caption_style.long_words("Coffee coffee time kitchen") == ["coffee", "kitchen"]


def test_quality():
    assert caption_style.caption_quality("  ", 0, None) == "empty"
    assert caption_style.caption_quality("x", 11, 0.71) == "high"
    assert caption_style.caption_quality("x", 10, 0.71) == "medium"
    assert caption_style.caption_quality("x", 6, 0.5) == "low"
    assert caption_style.caption_quality("x", 2, None) == "low"


def test_places():
    assert [caption_style.position_of(i, 10) for i in (0, 1, 2, 8, 9)] == ["start", "start", "middle", "middle", "end"]
    text = "First. Buy it now!\nLast"
    at = text.index("Buy")
    assert caption_style.sentence_around(text, at, at + 3) == " Buy it now"
    assert caption_style.sentence_around("Buy it", 0, 3) == "Buy it"
