"""Words of captions, overlays and speech: tokens, content words, sentiment.

The sentiment lexicon is small on purpose: words whose tone does not depend on the subject. A negation turns the tone
around for the three words after it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from rumiai.core.text import UNSPACED_LETTERS

Sentiment = Literal["positive", "negative", "neutral", "mixed"]
# A text, when it begins and when it ends, in seconds.
TimedText = tuple[str, float, float]

_TOKEN = re.compile(r"[^\W_]+(?:['\u2019\u02bc\-][^\W_]+)*")
# Scripts that are written without blanks; one word is about 1.7 characters.
_UNSPACED = re.compile(f"[{UNSPACED_LETTERS}]")
CHARACTERS_PER_WORD: Final = 1.7
_NEGATION_REACH: Final = 3  # "not a very good": words that a negation still reaches


def listed(text: str) -> frozenset[str]:
    """The words of a list that is written with blanks between them.

    Args:
        text: Words with blanks or line breaks between them.

    Returns:
        The set of them, as written; empty for "".
    """
    return frozenset(text.split())


def count_among(words: Iterable[str], among: frozenset[str]) -> int:
    """How many of some words are on a list.

    Args:
        words: Words or tokens in lower case.
        among: The list.

    Returns:
        Their number, repetitions included; 0 without words.
    """
    return sum(word in among for word in words)


STOP_WORDS: Final[frozenset[str]] = listed(
    """a about after all also am an and any are as at be because been but by can could did do does doing don't down for
    from get go going got had has have he her here him his how i if i'm in into is it it's its just let like me more my
    no not now of off on one only or our out over really she so some than that that's the their them then there these
    they this those to too up us very was we were what when where which who why will with would you
    you're your"""
)
POSITIVE_WORDS: Final[frozenset[str]] = listed(
    """adorable amazing awesome beautiful best better brilliant calm celebrate cheerful cool cute delicious delighted
    easy enjoy enjoyed enjoying excellent excited exciting fabulous fantastic favorite favourite free fresh fun funny
    genius glad good gorgeous grateful great happiness happy helpful incredible inspiring joy joyful laugh lol love
    loved lovely loves loving lucky magic magical nice obsessed perfect perfectly pretty proud recommend relaxing safe
    satisfying smart smile stunning success super sweet thank thankful thanks thrilled useful win winner winning
    wonderful wow yay yummy"""
)
NEGATIVE_WORDS: Final[frozenset[str]] = listed(
    """afraid alone angry annoyed annoying anxious awful bad boring broken cried cry crying danger dangerous dead death
    depressed depressing difficult disappointed disappointing disaster disgusting dumb embarrassing evil fail failed
    failure fake fear gross hate hated hates horrible hurt hurts lonely lose loser losing lost mad mess miserable
    mistake mistakes nasty nightmare pain painful pathetic poor problem problems sad scam scared scary sick stress
    stressed stupid suffer suffering terrible toxic trash tired ugly unhappy upset useless waste wasted weak worse worst
    worry worried wrong"""
)
_NEGATIONS: Final[frozenset[str]] = listed(
    """ain't aren't can't cannot cant couldn't didn't didnt doesn't doesnt don't dont hardly isn't isnt never no nobody
    not nothing wasn't wasnt without won't wont wouldn't"""
)
POSITIVE_EMOJI: Final[frozenset[str]] = frozenset(
    "😀😁😂🤣😃😄😅😆😊😋😍🥰😘😎🤩🥳🤗🙂😇😻👍👏🙌💪🎉🎊✨🌟⭐💖💕💗💓💯❤🧡💛💚💙💜🤍🔥🏆🥇😌🫶"
)
NEGATIVE_EMOJI: Final[frozenset[str]] = frozenset("😢😭😞😔😟😕🙁☹😣😖😫😩😤😠😡🤬😨😰😱🤢🤮👎💔😒🙄💀😓😥")


def normalised(text: str) -> str:
    """A text as it is compared: NFKC, lower case, straight apostrophes.

    Args:
        text: Any text.

    Returns:
        The text; "" for "".
    """
    return unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'").replace("\u02bc", "'")


def tokens(text: str) -> list[str]:
    """Words of a text.

    Args:
        text: Any text.

    Returns:
        Words in order, normalised, without the punctuation around them, each with at least one letter or digit.
        Text without blanks between its words is one token. Empty for no words.
    """
    return _TOKEN.findall(normalised(text))


def word_count(text: str) -> int:
    """Number of words.

    Source: docs/analyses.md, speechCoreMetrics, ``totalWords``.

    Args:
        text: Any text.

    Returns:
        Tokens, and in scripts without blanks between words (Chinese, Japanese, Thai) one per 1.7 characters; 0 for
        no words.
    """
    spaced = _UNSPACED.sub(" ", text)
    unspaced = len(_UNSPACED.findall(text))
    return len(tokens(spaced)) + round(unspaced / CHARACTERS_PER_WORD)


def content_words(text: str) -> list[str]:
    """Tokens that carry meaning.

    Args:
        text: Any text.

    Returns:
        Tokens in order without stop words and single letters, repeated ones repeated; empty for no words.
    """
    return [token for token in tokens(text) if token not in STOP_WORDS and (len(token) > 1 or token.isdigit())]


@dataclass(frozen=True)
class SentimentScore:
    """Tone of a text.

    Attributes:
        positive: Number of its positive words and emoji.
        negative: Number of its negative words and emoji.
    """

    positive: int
    negative: int

    @property
    def polarity(self) -> float:
        """(p - n) / (p + n), p and n the positive and negative words and emoji: -1..1; 0 without either.

        Source: docs/analyses.md, metadataDynamics, ``sentimentPolarity``.
        """
        total = self.positive + self.negative
        return (self.positive - self.negative) / total if total else 0.0

    @property
    def category(self) -> Sentiment:
        """Tone in a word: positive above a polarity of 0.2, negative below -0.2.

        Between them mixed with two or more of both, else neutral, as for a text without tone.
        Source: docs/analyses.md, metadataDynamics, ``sentimentCategory``.
        """
        if abs(self.polarity) > 0.2:
            return "positive" if self.polarity > 0 else "negative"
        return "mixed" if min(self.positive, self.negative) >= 2 else "neutral"


def sentiment(text: str) -> SentimentScore:
    """Tone of a text, by lists of words and emoji.

    A negation turns round the tone of the three words after it, up to the end of the clause. Emoji count like words and
    are never negated.
    Source: docs/analyses.md, metadataDynamics, ``sentimentPolarity``.

    Args:
        text: Any text.

    Returns:
        Counts; both 0 for a text without tone.
    """
    positive = sum(character in POSITIVE_EMOJI for character in text)
    negative = sum(character in NEGATIVE_EMOJI for character in text)
    for clause in re.split(r"[.!?;,:\n]", normalised(text)):
        found = _TOKEN.findall(clause)
        for index, token in enumerate(found):
            tone = (token in POSITIVE_WORDS) - (token in NEGATIVE_WORDS)
            if tone and any(word in _NEGATIONS for word in found[max(0, index - _NEGATION_REACH) : index]):
                tone = -tone
            positive += tone > 0
            negative += tone < 0
    return SentimentScore(positive, negative)
