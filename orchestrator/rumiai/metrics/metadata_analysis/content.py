"""Caption and tags against what is said and shown.

Source: docs/analyses.md, metadataInteractions ``contentAlignment``, metadataPatterns ``contentCategory``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from rumiai.metrics.shared.words import listed, tokens

_JOINED: Final = 3  # words in a row that a tag may join
_CATEGORIES: Final = {
    "food": listed("food recipe cooking cook foodie baking restaurant eat coffee tea drink"),
    "beauty": listed("makeup skincare beauty hair nails cosmetics lipstick"),
    "fashion": listed("fashion outfit ootd style clothes dress shoes haul"),
    "fitness": listed("fitness workout gym exercise yoga training health"),
    "travel": listed("travel trip vacation beach hotel flight wanderlust"),
    "education": listed("learn tutorial howto study school lesson facts science history"),
    "technology": listed("tech iphone android coding programming software gadget ai computer"),
    "comedy": listed("funny comedy meme prank joke humor lol"),
    "music_dance": listed("music song dance dancing singing cover choreography"),
    "gaming": listed("gaming game gamer minecraft fortnite roblox xbox playstation"),
    "pets": listed("dog cat puppy kitten pet pets animal animals"),
    "business": listed("business money entrepreneur marketing investing finance sidehustle"),
}


def joined_words(texts: Iterable[str]) -> set[str]:
    """Words of some texts, and two or three in a row joined, as tags join them.

    Args:
        texts: What is said and read in a video.

    Returns:
        Lower-case words; empty for no text.
    """
    found: set[str] = set()
    for text in texts:
        words = tokens(text)
        for size in range(1, _JOINED + 1):
            found.update("".join(words[i : i + size]) for i in range(len(words) - size + 1))
    return found


def found_in(content: AbstractSet[str], names: Iterable[str], keys: Iterable[str]) -> list[str]:
    """Which names are in the content of a video.

    Args:
        content: Words of the content.
        names: Names, such as tags.
        keys: Each name as the content writes it.

    Returns:
        The names that are there, in order.
    """
    return [name for name, key in zip(names, keys, strict=True) if key in content]


def content_category(words: Sequence[str]) -> str | None:
    """What a video is about: the category with most words.

    Args:
        words: Caption words and tags, lower case.

    Returns:
        One of twelve categories, the first of the list on ties; None when none has a word.
    """
    counts = {name: sum(word in known for word in words) for name, known in _CATEGORIES.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None
