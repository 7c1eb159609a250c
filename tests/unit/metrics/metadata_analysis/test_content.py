"""Caption and tags against the content, by hand."""

from __future__ import annotations

from rumiai.metrics.metadata_analysis.content import content_category, found_in, joined_words


def test_words_in_a_row_are_joined():
    assert joined_words(["My iced coffee", "Tea"]) == {
        "my", "iced", "coffee", "myiced", "icedcoffee", "myicedcoffee", "tea",
    }  # fmt: skip
    assert joined_words([]) == joined_words([""]) == set()


def test_what_is_found():
    assert found_in({"icedcoffee", "tea"}, ["IcedCoffee", "Rain", "TEA"], ["icedcoffee", "rain", "tea"]) == [
        "IcedCoffee", "TEA",
    ]  # fmt: skip
    assert found_in(set(), ["x"], ["x"]) == []


def test_category():
    assert content_category(["my", "dog", "eat", "puppy"]) == "pets"
    assert content_category(["dog", "eat"]) == "food"  # the first of equals
    assert content_category(["plain", "words"]) is content_category([]) is None
