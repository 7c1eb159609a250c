"""A caption taken apart: words, hashtags, mentions, links, sentences, language (docs: analyses, 7.2)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rumiai.metrics.shared.emoji import find_emoji, without_emoji
from rumiai.metrics.shared.statistics import clamp
from rumiai.metrics.shared.words import SentimentScore, content_words, sentiment, tokens

GENERIC_TAGS: Final = frozenset(
    (
        "fyp", "foryou", "foryoupage", "viral", "trending", "explore", "fy", "fypage", "foryourpage", "viralvideo",
        "trend", "tiktok", "xyzbca", "parati", "pourtoi",
    )
)  # fmt: skip

_TAG: Final = re.compile(r"#([\w]+)")
_MENTION: Final = re.compile(r"(?<!\w)@([\w.]*\w)")
_DOMAINS: Final = "com|net|org|io|co|shop|store|app|link|me|tv|ly|bio|info|biz|us|uk|de|fr|es|it|ca|au|eu|gg|page|site"
_LINK: Final = re.compile(
    rf"https?://\S+|(?<![\w@.])www\.[\w-]+\.\S+|(?<![\w@.])(?:[a-z0-9-]+\.)+(?:{_DOMAINS})\b(?!@)(?:/\S*)?",
    re.IGNORECASE,
)
_SENTENCE_END: Final = re.compile(r"[.!?…]+(?=\s|$)")
_ITEM: Final = re.compile(r"^\s*(?:\d+\s*[.):\-]|[-*•\u2013▪✓✔✅➡]|\d\ufe0f?\u20e3)\s*(?=\S)", re.MULTILINE)
_VOWELS: Final = re.compile(r"[aeiouyàâäáãåèéêëìíîïòóôöõùúûü]+")
_PRONOUNS: Final = frozenset(
    """i me my mine myself we us our ours you your yours he him his she her hers they them their theirs i'm i've i'll
    i'd we're we've you're you've you'll""".replace("\n", " ").split(" ")
)  # fmt: skip
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
_STOPS: Final = {
    "en": frozenset(("the", "and", "you", "is", "this", "for", "with", "my", "of", "it", "what", "how", "are")),
    "es": frozenset(("el", "los", "las", "y", "una", "con", "por", "para", "mi", "esto", "pero", "muy")),
    "pt": frozenset(("o", "os", "uma", "com", "não", "você", "meu", "minha", "isso", "muito", "em")),
    "fr": frozenset(("le", "les", "et", "une", "des", "est", "dans", "pour", "avec", "je", "vous")),
    "de": frozenset(("der", "das", "und", "ist", "ich", "nicht", "ein", "eine", "mit", "für", "auf")),
}
_LONG_WORD: Final = 4  # keywords have more letters


def tag_key(tag: str) -> str:
    """A tag as it is compared."""
    return unicodedata.normalize("NFKC", tag).lower().lstrip("#")


@dataclass(frozen=True)
class Caption:
    """A caption; the text is NFC."""

    raw: str

    @cached_property
    def text(self) -> str:
        """The caption in NFC."""
        return unicodedata.normalize("NFC", self.raw)

    @cached_property
    def prose(self) -> str:
        """The caption without hashtags, mentions, addresses and emoji."""
        return without_emoji(self.masked).strip()

    @cached_property
    def masked(self) -> str:
        """The caption with blanks in place of hashtags, mentions and addresses, so that places stay the same."""
        text = self.text
        for pattern in (_LINK, _MENTION, _TAG):
            text = pattern.sub(lambda match: " " * len(match[0]), text)
        return text

    @cached_property
    def words(self) -> list[str]:
        """Caption words, lower case: no hashtags, mentions, addresses, emoji."""
        return tokens(self.prose)

    @cached_property
    def tags(self) -> list[str]:
        """Hashtags in order, without #."""
        return _TAG.findall(_LINK.sub(" ", self.text))

    @cached_property
    def mentions(self) -> list[str]:
        """Mentions in order, without @."""
        return _MENTION.findall(self.text)

    @cached_property
    def emoji(self) -> list[str]:
        """Emoji in order."""
        return find_emoji(self.text)

    @property
    def has_link(self) -> bool:
        """Whether a web address is in it, with or without its scheme."""
        return _LINK.search(self.text) is not None

    @cached_property
    def sentences(self) -> list[str]:
        """Sentences of the prose that hold a word; the numbers of a list end none."""
        return [part for part in _SENTENCE_END.split(_ITEM.sub(" ", self.prose)) if tokens(part)]

    @property
    def style(self) -> str:
        """Question, storytelling, list, minimal or direct; the first that fits."""
        if self.prose.rstrip().endswith("?"):
            return "question"
        if len(self.sentences) > 3:
            return "storytelling"
        if len(_ITEM.findall(self.text)) >= 2:
            return "list"
        return "minimal" if len(self.words) < 10 else "direct"

    def readability(self) -> float | None:
        """Flesch reading ease / 100 within 0..1; None with fewer than three words."""
        if len(self.words) < 3:
            return None
        per_sentence = len(self.words) / max(1, len(self.sentences))
        per_word = sum(_syllables(word) for word in self.words) / len(self.words)
        return clamp((206.835 - 1.015 * per_sentence - 84.6 * per_word) / 100)

    @cached_property
    def sentiment(self) -> SentimentScore:
        """Tone of words and emoji."""
        return sentiment(self.text)

    @property
    def caps_words(self) -> int:
        """Caption words of two or more letters, all upper case."""
        return sum(word.isupper() and sum(map(str.isalpha, word)) > 1 for word in re.findall(r"[^\W_]+", self.prose))

    @property
    def pronouns(self) -> int:
        """Personal pronouns among the caption words."""
        return sum(word in _PRONOUNS for word in self.words)

    def keywords(self) -> list[str]:
        """The five most used content words, the earlier first on ties."""
        found = [word for word in content_words(self.prose) if len(word) > 2]
        first = {word: index for index, word in reversed(list(enumerate(found)))}
        return sorted(first, key=lambda word: (-found.count(word), first[word]))[:5]

    def long_words(self) -> list[str]:
        """Distinct content words of more than four letters, in order."""
        return list(dict.fromkeys(word for word in content_words(self.prose) if len(word) > _LONG_WORD))

    def language(self) -> str | None:
        """Language by script, else by frequent words; None when neither tells."""
        letters = [character for character in self.prose if character.isalpha()]
        for code, script in _SCRIPTS:
            if letters and len(script.findall(self.prose)) > 0.3 * len(letters):
                return code
        counts = {code: sum(word in stops for word in self.words) for code, stops in _STOPS.items()}
        best = max(counts, key=lambda code: (counts[code], code == "en"))
        clear = counts[best] >= 2 and all(counts[best] > count for code, count in counts.items() if code != best)
        return best if clear else None


def read_caption(description: str | None) -> Caption | None:
    """The caption of a video; None when the source has none, not when it is empty."""
    return None if description is None else Caption(description)


def _syllables(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)
