"""Hashtags and mentions, by hand."""

from __future__ import annotations

import pytest

from rumiai.metrics.metadata_analysis import hashtags


def test_distinct_names_keep_their_first_spelling():
    assert hashtags.distinct(["Coffee", "fyp", "COFFEE", "tea"], hashtags.tag_key) == ["Coffee", "fyp", "tea"]
    assert hashtags.distinct([], str.lower) == []


def test_tags_are_compared_without_case_and_width():
    assert hashtags.tag_key("#\uff26\uff39P") == "fyp"
    assert hashtags.is_generic("FYP")
    assert not hashtags.is_generic("coffee")


@pytest.mark.parametrize(
    ("count", "word"), [(0, "none"), (2, "minimal"), (3, "moderate"), (7, "moderate"), (8, "heavy"), (16, "spam")]
)
def test_strategy(count, word):
    assert hashtags.hashtag_strategy(count) == word


@pytest.mark.parametrize(
    ("tags", "quality"),
    [
        ([], "none"),
        (["fyp", "viral", "rain"], "spammy"),
        (["fyp", "rain"], "mixed"),  # half is no majority
        (["fyp", "Coffee"], "relevant"),
        (["coffee", "rain", "snow"], "relevant"),  # a third
        (["coffee", "rain", "snow", "ice"], "mixed"),
    ],
)
def test_quality(tags, quality):
    assert hashtags.hashtag_quality(tags, {"coffee", "kitchen"}) == quality


def test_patterns():
    assert hashtags.leads_with_generic(["fyp", "tea"])
    assert not hashtags.leads_with_generic(["tea", "fyp"])
    assert not hashtags.leads_with_generic([])
    assert hashtags.any_in_capitals(["tea", "DIY"])
    assert not hashtags.any_in_capitals(["UK", "Tea"])
