"""A caption taken apart: words, hashtags, mentions, links, emoji, sentences."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rumiai.metrics.shared.emoji import find_emoji, without_emoji
from rumiai.metrics.shared.words import SentimentScore, sentiment, tokens

_TAG: Final = re.compile(r"#([\w]+)")
_MENTION: Final = re.compile(r"(?<!\w)@([\w.]*\w)")
_DOMAINS: Final = "com|net|org|io|co|shop|store|app|link|me|tv|ly|bio|info|biz|us|uk|de|fr|es|it|ca|au|eu|gg|page|site"
_LINK: Final = re.compile(
    rf"https?://\S+|(?<![\w@.])www\.[\w-]+\.\S+|(?<![\w@.])(?:[a-z0-9-]+\.)+(?:{_DOMAINS})\b(?!@)(?:/\S*)?",
    re.IGNORECASE,
)
_SENTENCE_END: Final = re.compile(r"[.!?…]+(?=\s|$)")
_ITEM: Final = re.compile(r"^\s*(?:\d+\s*[.):\-]|[-*•\u2013▪✓✔✅➡]|\d\ufe0f?\u20e3)\s*(?=\S)", re.MULTILINE)


@dataclass(frozen=True)
class Caption:
    """A caption.

    Attributes:
        raw: As the source gave it.
    """

    raw: str

    @cached_property
    def text(self) -> str:
        """The caption in NFC, so that a letter and its accent are one character; "" for ""."""
        return unicodedata.normalize("NFC", self.raw)

    @cached_property
    def masked(self) -> str:
        """The text with blanks in place of addresses, mentions and hashtags, found in this order.

        Each character gives one blank, so that a place in it is the same place in ``text``.
        """
        text = self.text
        for pattern in (_LINK, _MENTION, _TAG):
            text = pattern.sub(lambda match: " " * len(match[0]), text)
        return text

    @cached_property
    def prose(self) -> str:
        """The text without hashtags, mentions, addresses and emoji; "" when it holds nothing else."""
        return without_emoji(self.masked).strip()

    @cached_property
    def words(self) -> list[str]:
        """Words of the prose in order (:func:`tokens`): lower case, without punctuation; empty for none."""
        return tokens(self.prose)

    @cached_property
    def sentences(self) -> list[str]:
        """Sentences of the prose, split at ``.``, ``!``, ``?`` and the ellipsis before a blank or the end.

        A part without a word is none. The number or bullet of a list item is left out first, so that "1." ends no
        sentence. The end marks are left out, blanks around a sentence stay, a line break ends none. Empty for no words.
        """
        return [part for part in _SENTENCE_END.split(_ITEM.sub(" ", self.prose)) if tokens(part)]

    @cached_property
    def tags(self) -> list[str]:
        """Hashtags in order, without #, in their own case; repeated ones repeated, those in addresses left out."""
        return _TAG.findall(_LINK.sub(" ", self.text))

    @cached_property
    def mentions(self) -> list[str]:
        """Mentions in order, without @; parts of mail addresses are none.

        An @ right behind a letter, a digit or "_" begins none, nor does one inside a web address.
        """
        return _MENTION.findall(_LINK.sub(" ", self.text))

    @cached_property
    def emoji(self) -> list[str]:
        """Emoji in order, repeated ones repeated (:func:`find_emoji`); those in addresses count too. Empty for none."""
        return find_emoji(self.text)

    @property
    def has_link(self) -> bool:
        """Whether a web address is in it: with http(s)://, with www., or a name under one of the listed domains."""
        return _LINK.search(self.text) is not None

    @property
    def list_items(self) -> int:
        """Number of lines that begin with a number and its mark, a keycap or a bullet, and go on; 0 for none."""
        return len(_ITEM.findall(self.text))

    @cached_property
    def sentiment(self) -> SentimentScore:
        """Tone of the words and emoji of the whole text, hashtags included (:func:`sentiment`); no signs for ""."""
        return sentiment(self.text)


def read_caption(description: str | None) -> Caption | None:
    """The caption of a video, to be taken apart.

    Args:
        description: As the source gave it; None when it gave none.

    Returns:
        The caption, also of "", which is a caption without words; None for None, which is unknown.
    """
    return None if description is None else Caption(description)
