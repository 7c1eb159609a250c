"""JSON from outside: lone surrogates, and what is nested too deeply."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumiai.core.foreign_json import longest_text, read_foreign, valid

TEXT = st.text(st.characters(exclude_categories=[]))
VALUES = st.recursive(st.none() | st.integers() | TEXT, lambda v: st.lists(v) | st.dictionaries(TEXT, v), max_leaves=8)


@given(VALUES)
def test_every_value_can_be_written_as_utf8(value: object) -> None:
    text = json.dumps(valid(value), ensure_ascii=False)
    assert json.loads(text.encode()) == valid(value)


@given(st.text())
def test_valid_text_stays(text: str) -> None:
    assert valid({text: [text]}) == {text: [text]}


def test_depth() -> None:
    assert read_foreign("[" * 64 + "]" * 64)
    for text in ("[" * 65 + "]" * 65, "[" * 10**6, '{"a":' * 10**5):
        with pytest.raises(ValueError, match="nested more than 64 levels deep"):
            read_foreign(text)


def test_longest_text() -> None:
    assert longest_text({"long name": ["ab", {"x": "abc"}, 12345]}) == 3
    assert longest_text(7) == 0
