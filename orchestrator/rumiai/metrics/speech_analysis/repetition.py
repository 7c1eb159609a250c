"""Phrases and words that are said again.

Source: docs/analyses.md, speechPatterns, ``repetitionRate``. Conventions: ``tokens`` are words in order, lower case,
without punctuation; ``words`` the same as spelled, ``times_s`` their starts in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.metrics.shared.statistics import ratio
from rumiai.metrics.shared.words import STOP_WORDS
from rumiai.metrics.shared.words import tokens as tokens_of

_SIZES: Final = (3, 2)  # words of a phrase
_EMPHASISED: Final = 3  # times that a word is said


@dataclass(frozen=True)
class RepeatedPhrase:
    """Two or three words in a row that are said more than once.

    Attributes:
        first_token: Index of the first token of each saying; sayings do not overlap.
        size: Number of words.
    """

    first_token: tuple[int, ...]
    size: int


def repeated_phrases(tokens: Sequence[str]) -> list[RepeatedPhrase]:
    """Phrases of two or three words, without stop words at their ends, that are said more than once.

    Args:
        tokens: ``n`` tokens of the transcript.

    Returns:
        The most frequent first, then the longer, then the earlier. Empty without repetition.
    """
    found = []
    for gram, starts in _grams(tokens).items():
        apart = [starts[0]]
        for start in starts[1:]:
            if start - apart[-1] >= len(gram):
                apart.append(start)
        if len(apart) > 1:
            found.append(RepeatedPhrase(tuple(apart), len(gram)))
    return sorted(found, key=lambda phrase: (-len(phrase.first_token), -phrase.size, phrase.first_token[0]))


def _grams(tokens: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    places: dict[tuple[str, ...], list[int]] = {}
    for size in _SIZES:
        for i in range(len(tokens) - size + 1):
            gram = tuple(tokens[i : i + size])
            if gram[0] not in STOP_WORDS and gram[-1] not in STOP_WORDS:
                places.setdefault(gram, []).append(i)
    return places


def repetition_rate(phrases: Iterable[RepeatedPhrase], token_count: int) -> float | None:
    """Tokens that belong to a repetition of a phrase, the first saying left out / tokens.

    Args:
        phrases: Repeated phrases of the transcript.
        token_count: Its tokens.

    Returns:
        0..1; None without tokens.
    """
    repeats = {
        index for phrase in phrases for start in phrase.first_token[1:] for index in range(start, start + phrase.size)
    }
    return ratio(len(repeats), token_count)


def emphasised_words(tokens: Iterable[str], shouted: Iterable[str]) -> list[str]:
    """Content words that are said three times, or that are also on screen in capitals.

    Args:
        tokens: Tokens of the transcript.
        shouted: Tokens of the words that are on screen in capitals.

    Returns:
        The most frequent first, then by the alphabet.
    """
    counts: dict[str, int] = {}
    for token in tokens:
        if token not in STOP_WORDS and len(token) > 1:
            counts[token] = counts.get(token, 0) + 1
    on_screen = set(shouted)
    found = [word for word, count in counts.items() if count >= _EMPHASISED or word in on_screen]
    return sorted(found, key=lambda word: (-counts[word], word))


def words_in_capitals(texts: Iterable[str]) -> set[str]:
    """Words that stand in capitals.

    Args:
        texts: Texts on screen.

    Returns:
        Tokens of the words of two or more letters that stand in capitals in any of the texts; empty without any.
    """
    return {
        token
        for text in texts
        for word in text.split()
        if word.isupper() and len(word) > 1
        for token in tokens_of(word)
    }
