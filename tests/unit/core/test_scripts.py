"""Languages and their scripts."""

from __future__ import annotations

import pytest

from rumiai.contracts.tensors import SCRIPTS
from rumiai.core import scripts


@pytest.mark.parametrize(
    ("language", "script"),
    [("en", "latin"), ("vi", "latin"), ("ja", "han"), ("uk", "cyrillic"), ("ne", "devanagari"), ("ta", "other")],
)
def test_script_of_a_language(language, script):
    assert scripts.script_of_language(language) == script


def test_every_script_is_one_of_the_endpoints():
    assert set(scripts._SCRIPTS.values()) <= set(SCRIPTS)
