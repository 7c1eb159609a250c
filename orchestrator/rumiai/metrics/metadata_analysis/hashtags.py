"""Hashtags and mentions.

Source: docs/analyses.md, metadataInteractions, metadataPatterns and metadataQuality. Conventions: tags stand without #,
mentions without @.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Literal

from rumiai.metrics.shared.statistics import mean
from rumiai.metrics.shared.words import listed

# Tags that say nothing of the content.
_GENERIC: Final = listed(
    """fyp foryou foryoupage viral trending explore fy fypage foryourpage viralvideo trend tiktok xyzbca parati
    pourtoi"""
)
_RELEVANT_SHARE: Final = 0.3
_CAPITAL_LETTERS: Final = 3

Strategy = Literal["none", "minimal", "moderate", "heavy", "spam"]
HashtagQuality = Literal["relevant", "mixed", "spammy", "none"]
# Most tags of each strategy.
_STRATEGIES: Final[tuple[tuple[int, Strategy], ...]] = ((0, "none"), (2, "minimal"), (7, "moderate"), (15, "heavy"))


def tag_key(tag: str) -> str:
    """A tag as it is compared.

    Args:
        tag: With or without #.

    Returns:
        NFKC, lower case, without #.
    """
    return unicodedata.normalize("NFKC", tag).lower().lstrip("#")


def distinct(names: Sequence[str], key: Callable[[str], str]) -> list[str]:
    """Names without those that repeat an earlier one.

    Args:
        names: Names in order.
        key: A name as it is compared.

    Returns:
        The first spelling of each, in order.
    """
    first = {key(name): name for name in reversed(names)}
    return [first[known] for known in dict.fromkeys(map(key, names))]


def is_generic(tag: str) -> bool:
    """Whether a tag says nothing of the content, such as #fyp.

    Args:
        tag: With or without #, in any case.

    Returns:
        True for a tag of a list of those by which people ask for reach.
    """
    return tag_key(tag) in _GENERIC


def hashtag_strategy(count: int) -> Strategy:
    """Strategy by the number of tags.

    Source: docs/analyses.md, metadataDynamics, ``hashtagStrategy``.

    Args:
        count: Number of tags.

    Returns:
        none for 0, minimal up to 2, moderate up to 7, heavy up to 15, else spam.
    """
    return next((word for limit, word in _STRATEGIES if count <= limit), "spam")


def hashtag_quality(
    tags: Sequence[str], content: AbstractSet[str], *, content_known: bool = True
) -> HashtagQuality | None:
    """Whether the tags fit the video.

    Source: docs/analyses.md, metadataQuality, ``hashtagQuality``.

    Args:
        tags: Tags of the video.
        content: Words that are spoken, read or seen in it, as :func:`tag_key` writes them.
        content_known: Whether all of speech, text and objects were looked for.

    Returns:
        spammy when more than half are generic, relevant when 30 % of the others are in the content, mixed when fewer
        are; none without tags. None where fewer are and not everything was looked for.
    """
    if not tags:
        return "none"
    niche = [tag for tag in tags if not is_generic(tag)]
    if len(tags) - len(niche) > len(tags) / 2:
        return "spammy"
    if (mean([tag_key(tag) in content for tag in niche]) or 0.0) >= _RELEVANT_SHARE:
        return "relevant"
    return "mixed" if content_known else None


def leads_with_generic(tags: Sequence[str]) -> bool:
    """Whether the first tag is a generic one.

    Source: docs/analyses.md, metadataPatterns, ``hashtagPatterns``.

    Args:
        tags: Tags of the video, in order.

    Returns:
        The flag; False without tags.
    """
    return bool(tags) and is_generic(tags[0])


def any_in_capitals(tags: Iterable[str]) -> bool:
    """Whether a tag stands in capitals.

    Source: docs/analyses.md, metadataPatterns, ``hashtagPatterns``.

    Args:
        tags: Tags of the video.

    Returns:
        True for a tag of three or more characters in capitals; False without tags.
    """
    return any(len(tag) >= _CAPITAL_LETTERS and tag.isupper() for tag in tags)
