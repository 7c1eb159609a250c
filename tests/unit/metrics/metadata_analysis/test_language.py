"""Language of captions, by hand."""

from __future__ import annotations

import pytest

from rumiai.metrics.metadata_analysis.language import caption_language, known_code
from rumiai.metrics.shared.words import tokens


@pytest.mark.parametrize(
    ("prose", "code"),
    [
        ("これはテストです", "ja"), ("这是测试", "zh"), ("это тест", "ru"), ("the cat and the dog", "en"),
        ("el gato y los perros con una casa", "es"), ("wow", None), ("der Hund und die Katze ist nicht da", "de"),
        ("", None), ("the und", None),
    ],
)  # fmt: skip
def test_language(prose, code):
    assert caption_language(prose, tokens(prose)) == code


def test_codes_that_mean_unknown():
    assert [known_code(code) for code in ("en", "un", "Unknown", "und", "", None)] == ["en", *[None] * 5]
