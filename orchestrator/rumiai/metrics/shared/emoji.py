"""Emoji of a text as a reader counts them: a joined sequence, a flag or a keycap is one.

Which code points are emoji is told by the ``regex`` package, from the Unicode data that it carries.
"""

from __future__ import annotations

from typing import Final, Literal

import regex

from rumiai.metrics.shared.words import NEGATIVE_EMOJI, POSITIVE_EMOJI

# Digits, #, *, the copyright and the registered sign have the Emoji property and are emoji only in a sequence. A letter
# of a flag is one only in a pair.
_BASE: Final = r"[\p{Emoji}--[0-9#*\u00A9\u00AE]--\p{Regional_Indicator}]"
_TAG_SEQUENCE: Final = r"[\U000E0020-\U000E007E]+\U000E007F"  # the flags of England, Scotland and Wales
_ONE: Final = rf"{_BASE}\uFE0F?\p{{Emoji_Modifier}}?(?:{_TAG_SEQUENCE})?"
_EMOJI: Final = regex.compile(
    rf"\p{{Regional_Indicator}}{{2}}|[0-9#*\u00A9\u00AE]\uFE0F\u20E3?|[0-9#*]\u20E3|{_ONE}(?:\u200D{_ONE})*",
    regex.VERSION1,  # set difference
)


def find_emoji(text: str) -> list[str]:
    """Every emoji of a text, in order; sequences are whole.

    Args:
        text: Any text.

    Returns:
        Emoji with their modifiers and selectors, repeated ones repeated. Empty for a text without emoji.
    """
    return [str(found) for found in _EMOJI.findall(text)]


def without_emoji(text: str) -> str:
    """The text with one blank in place of each emoji.

    Args:
        text: Any text.

    Returns:
        The text; "" for "".
    """
    return str(_EMOJI.sub(" ", text))


def emoji_sentiment(emoji: str) -> Literal["positive", "negative", "neutral"]:
    """Tone of an emoji, told by its first code point.

    Args:
        emoji: One emoji, as :func:`find_emoji` gives it.

    Returns:
        "neutral" for an emoji that is in neither list of :mod:`rumiai.metrics.shared.words`.
    """
    if emoji[0] in POSITIVE_EMOJI:
        return "positive"
    return "negative" if emoji[0] in NEGATIVE_EMOJI else "neutral"
