"""Which script a language is written in, and which of Tesseract's languages reads a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# ISO 639-1 codes as Whisper names languages. Scripts are those of ``contracts.tensors.SCRIPTS``; han includes kana.
_LANGUAGES: Final[Mapping[str, str]] = {
    "han": "zh yue ja",
    "greek": "el",
    "cyrillic": "ru uk be bg mk sr kk ky mn tg tt ba",
    "hangul": "ko",
    "arabic": "ar fa ur ps sd ug ckb",
    "devanagari": "hi mr ne sa",
    "gujarati": "gu",
    "thai": "th",
    "other": "he yi hy ka bn as pa ta te kn ml si my km lo bo am",
}
# Tesseract's name of the most spoken language of each script that has one; Debian's packages are tesseract-ocr-NAME.
TESSERACT_LANGUAGES: Final[Mapping[str, str]] = {
    "greek": "ell", "cyrillic": "rus", "hangul": "kor", "arabic": "ara", "devanagari": "hin", "gujarati": "guj",
    "thai": "tha",
}  # fmt: skip
_SCRIPTS: Final = {language: script for script, codes in _LANGUAGES.items() for language in codes.split()}


def script_of_language(language: str) -> str:
    """The script of a language by its ISO 639-1 code; ``latin`` for those that are not written otherwise."""
    return _SCRIPTS.get(language, "latin")
