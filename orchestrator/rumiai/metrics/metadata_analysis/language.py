"""Language of a caption, by its script, else by frequent words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rumiai.metrics.shared.words import listed

_SCRIPT_SHARE: Final = 0.3  # of the letters
_FREQUENT_WORDS: Final = 2
_UNKNOWN_CODES: Final = ("un", "unknown", "und")
# Language that a script points to, with the script's code points; kana before the ideographs that Japanese shares.
_SCRIPTS: Final = tuple(
    (code, re.compile(f"[{ranges}]"))
    for code, ranges in (
        ("ja", "\u3040-\u30ff"),
        ("ko", "\uac00-\ud7af"),
        ("zh", "\u4e00-\u9fff"),
        ("th", "\u0e00-\u0e7f"),
        ("ar", "\u0600-\u06ff"),
        ("he", "\u0590-\u05ff"),
        ("hi", "\u0900-\u097f"),
        ("ru", "\u0400-\u04ff"),
        ("el", "\u0370-\u03ff"),
    )
)
# Frequent words that the other listed languages do not share.
_FREQUENT: Final = {
    "en": listed("the and you is this for with my of it what how are"),
    "es": listed("el los las y una con por para mi esto pero muy"),
    "pt": listed("o os uma com não você meu minha isso muito em"),
    "fr": listed("le les et une des est dans pour avec je vous"),
    "de": listed("der das und ist ich nicht ein eine mit für auf"),
}


def known_code(code: str | None) -> str | None:
    """The language code of a source; None where the source says that it does not know."""
    return code if code and code.lower() not in _UNKNOWN_CODES else None


def caption_language(prose: str, words: Sequence[str]) -> str | None:
    """Language of a caption.

    Source: docs/analyses.md, metadataDynamics, ``languageCode``.

    Args:
        prose: The caption without hashtags, mentions, addresses and emoji.
        words: Its words, lower case.

    Returns:
        ISO 639-1 code: that of a script with more than 30 % of the letters, else that of the language with most
        frequent words, two at least and more than any other. None when neither tells.
    """
    letters = sum(map(str.isalpha, prose))
    for code, script in _SCRIPTS:
        if letters and len(script.findall(prose)) > _SCRIPT_SHARE * letters:
            return code
    counts = {code: sum(word in frequent for word in words) for code, frequent in _FREQUENT.items()}
    best = max(counts, key=lambda code: counts[code])
    clear = all(counts[best] > count for code, count in counts.items() if code != best)
    return best if clear and counts[best] >= _FREQUENT_WORDS else None
