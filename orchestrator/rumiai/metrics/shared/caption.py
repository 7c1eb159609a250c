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
        """The caption in NFC."""
        return unicodedata.normalize("NFC", self.raw)

    @cached_property
    def masked(self) -> str:
        """The text with a blank for each character of hashtags, mentions and addresses: places stay the same."""
        text = self.text
        for pattern in (_LINK, _MENTION, _TAG):
            text = pattern.sub(lambda match: " " * len(match[0]), text)
        return text

    @cached_property
    def prose(self) -> str:
        """The text without hashtags, mentions, addresses and emoji."""
        return without_emoji(self.masked).strip()

    @cached_property
    def words(self) -> list[str]:
        """Words of the prose in order, lower case, without punctuation."""
        return tokens(self.prose)

    @cached_property
    def sentences(self) -> list[str]:
        """Sentences of the prose that hold a word; the number of a list item ends none."""
        return [part for part in _SENTENCE_END.split(_ITEM.sub(" ", self.prose)) if tokens(part)]

    @cached_property
    def tags(self) -> list[str]:
        """Hashtags in order, without #."""
        return _TAG.findall(_LINK.sub(" ", self.text))

    @cached_property
    def mentions(self) -> list[str]:
        """Mentions in order, without @; parts of mail addresses are none."""
        return _MENTION.findall(self.text)

    @cached_property
    def emoji(self) -> list[str]:
        """Emoji in order."""
        return find_emoji(self.text)

    @property
    def has_link(self) -> bool:
        """Whether a web address is in it, with or without its scheme."""
        return _LINK.search(self.text) is not None

    @property
    def list_items(self) -> int:
        """Lines that begin with a number or a bullet."""
        return len(_ITEM.findall(self.text))

    @cached_property
    def sentiment(self) -> SentimentScore:
        """Tone of words and emoji."""
        return sentiment(self.text)


def read_caption(description: str | None) -> Caption | None:
    """The caption of a video; None when the source has none, not when it is empty."""
    return None if description is None else Caption(description)
