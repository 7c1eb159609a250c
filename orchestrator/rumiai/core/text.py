"""Likeness of short texts that OCR has read: when two readings are of one text.

Compared are letters, marks and digits alone: compatibility forms (NFKC) and case are folded, blanks and punctuation are
left out, because whether a reader saw a blank or a full stop is chance.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from rumiai.core.arrays import Bools

# Share of characters that two readings of one text have in common at least.
SAME_TEXT: Final = 0.8
# Letters that readers take for digits.
_CONFUSABLE: Final = str.maketrans("oil|sbz", "0111582")
# Rows of likenesses that are held at once: of n texts 4 x 512 x n bytes.
_BLOCK: Final = 512
_DIGIT: Final = re.compile(r"\d")
# Letters of scripts that are written without blanks between words: kana, han, Thai, Lao, Tibetan, Burmese, Khmer.
UNSPACED_LETTERS: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"
# With their punctuation.
_UNSPACED: Final = re.compile(f"[{UNSPACED_LETTERS}\u3000-\u303f\uff00-\uff65]")


def characters(text: str) -> str:
    """The characters that are compared: letters, combining marks and digits; of a text without these all but blanks.

    Marks stay because in Indic scripts they are the vowels.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")
    return kept or "".join(folded.split())


def likeness(a: str, b: str) -> float:
    """1 - d / n, 0..1: d is the Levenshtein distance of the texts' ``characters``, n the length of the longer.

    Two empty texts give 1.0, an empty and another one 0.0.
    """
    return Levenshtein.normalized_similarity(characters(a), characters(b))


def same_text(a: str, b: str) -> bool:
    """Whether two readings are of one text: a likeness of 0.8 or more, and no digit that differs.

    ``Step 1`` and ``Step 2`` are two texts, though five of six characters agree; ``1O TIPS`` and ``10 TIPS`` are one.
    """
    return digits_agree(a, b) and likeness(a, b) >= SAME_TEXT


def group_same_texts(texts: Sequence[str]) -> list[int]:
    """Number of the distinct text that each text is a reading of, from 0 by first appearance.

    The first reading of a text stands for it: a later one joins the earliest text whose first reading it is the same
    text as. Empty input gives an empty list.
    """
    unique = list(dict.fromkeys(texts))
    compared = [characters(text) for text in unique]
    is_first = np.zeros(len(unique), dtype=np.bool_)
    stands_for = {}
    for index, near in enumerate(_near_before(compared)):
        earlier = np.flatnonzero(near & is_first[: len(near)])
        same = next((int(i) for i in earlier if digits_agree(unique[i], unique[index])), index)
        is_first[index] = same == index
        stands_for[unique[index]] = same
    number = np.cumsum(is_first) - 1
    return [int(number[stands_for[text]]) for text in texts]


def _near_before(compared: Sequence[str]) -> Iterator[Bools]:
    """For each text, which of those before it have a likeness of 0.8 or more: (index,) bool."""
    for begin in range(0, len(compared), _BLOCK):
        end = min(begin + _BLOCK, len(compared))
        scores = cdist(
            compared[begin:end], compared[:end], scorer=Levenshtein.normalized_similarity, score_cutoff=SAME_TEXT
        )
        yield from (row[:index] > 0 for index, row in enumerate(scores, start=begin))


def digits_agree(a: str, b: str) -> bool:
    """Whether no digit differs: as read, or when letters that look like digits are taken for them."""
    if not (_DIGIT.search(a) and _DIGIT.search(b)):
        return True
    meant = (_digits(text.casefold().translate(_CONFUSABLE)) for text in (a, b))
    return _digits(a) == _digits(b) or len(set(meant)) == 1


def _digits(text: str) -> str:
    return "".join(_DIGIT.findall(text))


def joined(parts: Iterable[str]) -> str:
    """Parts of a text with a blank between them, and none between two that a script without blanks writes side by side.

    Empty parts are left out; no parts give "".
    """
    whole = ""
    for part in parts:
        beside = bool(_UNSPACED.match(whole[-1:]) and _UNSPACED.match(part[:1]))
        whole += part if beside or not whole or not part else f" {part}"
    return whole
