"""Positions in joined words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rumiai.core.joined_words import JoinedWords


@given(st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=6), st.sampled_from(" \n"))
def test_every_character_is_led_back_to_its_word(words: list[str], between: str) -> None:
    joined = JoinedWords(words)
    owners = [index for index, word in enumerate(words) for _ in word]
    text = between.join(words)
    assert [joined.at(place) for place, sign in enumerate(text) if sign != between] == owners


def test_a_position_between_words_belongs_to_the_next() -> None:
    assert [JoinedWords(["one", "two"]).at(place) for place in (2, 3, 4)] == [0, 1, 1]
