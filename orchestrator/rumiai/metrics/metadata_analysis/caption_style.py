"""Style of a caption: shape, readability, keywords, emphasis.

Source: docs/analyses.md, metadataDynamics, metadataPatterns and metadataQuality. Conventions: ``words`` are the caption
words in order, lower case: no hashtags, mentions, addresses and emoji.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from rumiai.metrics.shared.statistics import clamp
from rumiai.metrics.shared.words import content_words, listed

_VOWELS: Final = re.compile(r"[aeiouyàâäáãåèéêëìíîïòóôöõùúûü]+")
_LETTERS: Final = re.compile(r"[^\W_]+")
# Counted as ``linguisticMarkers`` of docs/analyses.md, metadataPatterns.
PERSONAL_PRONOUNS: Final = listed(
    """i me my mine myself we us our ours you your yours he him his she her hers they them their theirs i'm i've i'll
    i'd we're we've you're you've you'll"""
)
_NARRATIVE_SENTENCES: Final = 3  # more of them tell a story
_ITEMS: Final = 2
_MINIMAL_WORDS: Final = 10
_READABLE_WORDS: Final = 3
_KEYWORDS: Final = 5
_KEYWORD_LETTERS: Final = 3
_LONG_WORD_LETTERS: Final = 5

Style = Literal["storytelling", "direct", "question", "list", "minimal"]
CaptionQuality = Literal["high", "medium", "low", "empty"]
Position = Literal["start", "middle", "end"]


def caption_style(prose: str, *, sentences: int, list_items: int, words: int) -> Style:
    """Shape of a caption, the first that fits.

    Source: docs/analyses.md, metadataDynamics, ``captionStyle``.

    Args:
        prose: The caption without hashtags, mentions, addresses and emoji.
        sentences: Its sentences.
        list_items: Its lines that begin with a number or a bullet.
        words: Its words.

    Returns:
        question when it ends with a question mark, storytelling above three sentences, list from two items, minimal
        below ten words, else direct. An empty caption is minimal.
    """
    if prose.rstrip().endswith("?"):
        return "question"
    if sentences > _NARRATIVE_SENTENCES:
        return "storytelling"
    if list_items >= _ITEMS:
        return "list"
    return "minimal" if words < _MINIMAL_WORDS else "direct"


def reading_ease(words: Sequence[str], sentences: int) -> float | None:
    """Flesch reading ease / 100: (206.835 - 1.015 words per sentence - 84.6 syllables per word) / 100.

    Source: Flesch (1948), A New Readability Yardstick; docs/analyses.md, metadataDynamics, ``readabilityScore``.

    Args:
        words: Caption words.
        sentences: Number of sentences; 0 counts as 1.

    Returns:
        0 (hard) .. 1 (easy); None for fewer than three words.
    """
    if len(words) < _READABLE_WORDS:
        return None
    per_sentence = len(words) / max(1, sentences)
    per_word = sum(map(syllables, words)) / len(words)
    return clamp((206.835 - 1.015 * per_sentence - 84.6 * per_word) / 100)


def syllables(word: str) -> int:
    """Syllables of a word, estimated: groups of vowels, a silent e at the end left out.

    Args:
        word: Lower-case word.

    Returns:
        At least 1.
    """
    groups = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)


def capital_words(prose: str) -> int:
    """Words of two or more letters that stand in capitals.

    Source: docs/analyses.md, metadataPatterns, ``linguisticMarkers``.

    Args:
        prose: The caption without hashtags, mentions, addresses and emoji.

    Returns:
        Their number; 0 for no text.
    """
    return sum(word.isupper() and sum(map(str.isalpha, word)) > 1 for word in _LETTERS.findall(prose))


def keywords(prose: str) -> list[str]:
    """The most used content words of three letters or more.

    Source: docs/analyses.md, metadataPatterns, ``keywords``.

    Args:
        prose: The caption without hashtags, mentions, addresses and emoji.

    Returns:
        At most five, the earlier first on ties; empty for no text.
    """
    found = [word for word in content_words(prose) if len(word) >= _KEYWORD_LETTERS]
    first = {word: index for index, word in reversed(list(enumerate(found)))}
    return sorted(first, key=lambda word: (-found.count(word), first[word]))[:_KEYWORDS]


def long_words(prose: str) -> list[str]:
    """Content words of five letters or more.

    Args:
        prose: The caption without hashtags, mentions, addresses and emoji.

    Returns:
        Each once, in order; empty for no text.
    """
    return list(dict.fromkeys(word for word in content_words(prose) if len(word) >= _LONG_WORD_LETTERS))


def caption_quality(text: str, words: int, readability: float | None) -> CaptionQuality:
    """Quality of a caption by its length and readability.

    Source: docs/analyses.md, metadataQuality, ``captionQuality``.

    Args:
        text: The caption.
        words: Its caption words.
        readability: Its reading ease, 0..1; None for too few words.

    Returns:
        empty for a blank caption; high above ten words and 0.7, medium above five words and 0.5, else low.
    """
    if not text.strip():
        return "empty"
    ease = readability or 0.0
    if words > 10 and ease > 0.7:
        return "high"
    return "medium" if words > 5 and ease > 0.5 else "low"


def position_of(index: int, length: int) -> Position:
    """Where a character stands in a text.

    Args:
        index: Index of the character.
        length: Characters of the text.

    Returns:
        start in the first 20 %, end in the last 20 %, else middle.
    """
    return "start" if index < 0.2 * length else "end" if index > 0.8 * length else "middle"


def sentence_around(text: str, start: int, end: int) -> str:
    """The sentence, or line, that holds a part of a text.

    Args:
        text: The text.
        start: Index of the first character of the part.
        end: Index behind its last character.

    Returns:
        The sentence without its end mark.
    """
    begin = max(text.rfind(mark, 0, start) for mark in ".!?\n") + 1
    ends = [found for mark in ".!?\n" if (found := text.find(mark, end)) >= 0]
    return text[begin : min(ends, default=len(text))]
