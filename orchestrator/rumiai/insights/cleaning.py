"""Text of strangers, made fit to be data in a prompt."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_BLANKS: Final = re.compile(r"\s+")
# Joins emoji of several parts; every other format character only hides or reorders text.
_JOINER: Final = "\u200d"
_DECIMALS: Final = 3
# Shorter names are ordinary words.
_NAME_CHARS: Final = 3


def clean_text(text: str, author: str | None = None) -> str:
    """One line without control, format and surrogate characters, addresses and the author's name."""
    kept = "".join(
        " " if (kind := unicodedata.category(c)) in ("Cc", "Zl", "Zp") else "" if _unseen(c, kind) else c for c in text
    )
    kept = _URL.sub("[url]", kept)
    if author and len(author) >= _NAME_CHARS:
        kept = re.sub(rf"(?<!\w)@?{re.escape(author)}(?!\w)", "[author]", kept, flags=re.IGNORECASE)
    return _BLANKS.sub(" ", kept).strip()


def _unseen(char: str, category: str) -> bool:
    return category in ("Cf", "Cs", "Co", "Cn") and char != _JOINER


def clean(value: Any, author: str | None = None) -> Any:
    """JSON types with clean texts and numbers of three decimals; what is not finite is null."""
    if isinstance(value, str):
        return clean_text(value, author)
    if isinstance(value, float):
        return round(value, _DECIMALS) + 0.0 if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {clean_text(str(key), author): clean(item, author) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item, author) for item in value]
    return value


def words_of(text: str) -> str:
    """A text as its words alone, for comparison: NFKC, case folded, one blank around each."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("\u2019", "")
    spoken = "".join(c if unicodedata.category(c)[0] in "LMNS" else " " for c in folded)
    return f" {' '.join(spoken.split())} "
