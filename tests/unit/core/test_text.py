"""One notion of the same text, against Levenshtein's distance by its definition."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rumiai.core.text import characters, group_same_texts, joined, likeness, same_text

few_letters = st.text("ab1 !É", max_size=7)
any_text = st.text(max_size=20)


def edits(a: str, b: str) -> int:
    """Fewest insertions, deletions and substitutions, by the recursion that defines them."""

    @cache
    def of(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return of(len(a), len(b))


@settings(max_examples=300, deadline=None)
@given(few_letters, few_letters)
def test_likeness_against_the_definition(a, b):
    one, two = characters(a), characters(b)
    longest = max(len(one), len(two))
    assert likeness(a, b) == pytest.approx(1 - edits(one, two) / longest if longest else 1.0)


@settings(max_examples=300, deadline=None)
@given(any_text, any_text)
def test_likeness_and_sameness_are_symmetric(a, b):
    assert 0.0 <= likeness(a, b) == likeness(b, a) <= 1.0
    assert same_text(a, b) is same_text(b, a)
    assert same_text(a, a)


@settings(max_examples=200, deadline=None)
@given(st.lists(few_letters | st.sampled_from(["Step 1", "Step 2", "step 1.", "STOP", "ST0P", "S T O P"]), max_size=25))
def test_groups_against_one_comparison_after_the_other(texts):
    firsts, slow = [], []
    for text in texts:
        same = next((i for i, first in enumerate(firsts) if first == text), None)
        if same is None:
            # A spelling that was given a number keeps it.
            seen = next((number for earlier, number in zip(texts, slow, strict=False) if earlier == text), None)
            same = next((i for i, f in enumerate(firsts) if same_text(f, text)), None) if seen is None else seen
        if same is None:
            same = len(firsts)
            firsts.append(text)
        slow.append(same)
    assert group_same_texts(texts) == slow


def test_groups_of_more_texts_than_one_block_holds():
    texts = [f"number {i:04d}" for i in range(1200)]
    assert group_same_texts([*texts, *reversed(texts)]) == [*range(1200), *reversed(range(1200))]


def test_spellings():
    assert group_same_texts(["Treasuretea", "TREASURE  TEA", "Treasure tee", "other", "other!"]) == [0, 0, 0, 1, 1]
    assert group_same_texts(["$5", "$6", ""]) == [0, 1, 2]
    assert group_same_texts([]) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Wait for it ...", "waitforit"),
        ("①ＡＢ", "1ab"),
        ("E\u0301te\u0301", "été"),
        ("Straße", "strasse"),
        ("कि का", "किका"),
        ("!? !", "!?!"),
        (" \n", ""),
    ],
)
def test_characters(text, kept):
    assert characters(text) == kept


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("STOP SCROLLING", "stop scrolling!", True),
        ("STOP SCROLLING", "ST0P SCROLLING", True),
        ("10 TIPS", "1O TIPS", True),
        ("1. Coffee after", "1o Coffee after", True),
        ("Step 1", "Step 2", False),
        ("my favourite tip 9", "my favourite tip 10", False),
        ("saves $80", "saves $30", False),
        ("hello", "help", False),
        ("abcde", "abcdx", True),
        ("abcd", "abcx", False),
        ("!", "?", False),
        ("kettle", "ketle", True),
        ("kettle", "bottle", False),
        ("कि", "का", False),
        ("", "a", False),
    ],
)
def test_same_text(a, b, same):
    assert same_text(a, b) is same
    assert same_text(b, a) is same


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["Wait for it.", "This is it."], "Wait for it. This is it."),
        (["大家好。", "今天做饭。"], "大家好。今天做饭。"),
        (["みなさん", "こんにちは"], "みなさんこんにちは"),
        (["สวัสดี", "ครับ"], "สวัสดีครับ"),
        (["今天", "OK", "好"], "今天 OK 好"),
        (["안녕하세요", "여러분"], "안녕하세요 여러분"),
        (["", "one", "", "two"], "one two"),
        ([], ""),
    ],
)
def test_texts_are_joined_as_their_script_is_written(parts: list[str], whole: str) -> None:
    assert joined(parts) == whole
