"""Listed phrases in a text, found at little cost, and in what is spoken, with the time at which they are."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Protocol

from rumiai.contracts import lexicons
from rumiai.contracts.lexicons import Lexicon, PhraseMatch, Urgency

Find = Callable[[str], tuple[PhraseMatch, ...]]


class TimedWord(Protocol):
    """A spoken word: its text, its start and end in seconds."""

    @property
    def text(self) -> str:
        """As spoken."""

    @property
    def start_s(self) -> float:
        """Start."""

    @property
    def end_s(self) -> float:
        """End."""


class SpokenWords(Protocol):
    """A stretch of transcript: its words in the order in which they are spoken."""

    @property
    def words(self) -> Sequence[TimedWord]:
        """Its words."""


def _guard(lexicon: Lexicon) -> re.Pattern[str]:
    """Matches wherever a phrase of the lexicon could begin: most texts hold none, and are told so in one search."""
    begins = {re.split(r"[^a-z]", phrase)[0] for phrases in lexicon.values() for phrase in phrases}
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(begins))})", re.IGNORECASE)


_CTA_GUARD: Final = _guard(lexicons.CTA_PHRASES)
_HOOK_GUARD: Final = _guard(lexicons.HOOK_PHRASES)
_URGENCY_GUARD: Final = _guard(lexicons.URGENCY_PHRASES)


def find_ctas(text: str) -> tuple[PhraseMatch, ...]:
    """Calls to action in a text, as :func:`rumiai.contracts.lexicons.find_ctas` finds them, found at little cost.

    Args:
        text: Any text.

    Returns:
        Matches by position; () for none.
    """
    return lexicons.find_ctas(text) if _CTA_GUARD.search(text) else ()


def find_hooks(text: str) -> tuple[PhraseMatch, ...]:
    """Hook phrases in a text, as :func:`rumiai.contracts.lexicons.find_hooks` finds them, found at little cost.

    Args:
        text: Any text.

    Returns:
        Matches by position; () for none.
    """
    return lexicons.find_hooks(text) if _HOOK_GUARD.search(text) else ()


def urgency_level(text: str) -> Urgency:
    """The strongest urgency of a text, as :func:`rumiai.contracts.lexicons.urgency_level` tells it.

    Args:
        text: Any text.

    Returns:
        high, medium, low or none.
    """
    return lexicons.urgency_level(text) if _URGENCY_GUARD.search(text) else "none"


@dataclass(frozen=True)
class SpokenPhrase:
    """A phrase that is spoken.

    Attributes:
        kind: Key of the list that it is in.
        phrase: As the list spells it.
        text: As spoken.
        start_s: Start of its first word.
        end_s: End of its last word.
    """

    kind: str
    phrase: str
    text: str
    start_s: float
    end_s: float


def spoken_phrases(segments: Iterable[SpokenWords], find: Find) -> tuple[SpokenPhrase, ...]:
    """Every phrase that is found in a transcript, with its time; one may run on into the next segment.

    Args:
        segments: Segments of the transcript with their words, by time.
        find: Finds phrases in a text.

    Returns:
        Phrases by time. A greeting counts only in the first segment. Empty without words.
    """
    spoken = [segment.words for segment in segments if segment.words]
    found: list[SpokenPhrase] = []
    for number, words in enumerate(spoken):
        following = spoken[number + 1] if number + 1 < len(spoken) else ()
        found += [p for p in _spoken(words, following, find) if p.kind != "greeting" or number == 0]
    return tuple(sorted(found, key=lambda phrase: (phrase.start_s, phrase.kind, phrase.phrase)))


def _spoken(own_words: Sequence[TimedWord], following: Sequence[TimedWord], find: Find) -> list[SpokenPhrase]:
    own = " ".join(word.text for word in own_words)
    rest = "\n" + " ".join(word.text for word in following) if following else ""
    words = [*own_words, *following]
    # End of each word and of the blank (or break) before it, in characters.
    ends = list(accumulate((len(word.text) + 1 for word in words), initial=-1))[1:]
    result = []
    for match in find(own + rest):
        if match.start >= len(own):
            continue
        first, last = (words[bisect_right(ends, at)] for at in (match.start, match.end - 1))
        text = (own + rest)[match.start : match.end].replace("\n", " ")
        result.append(SpokenPhrase(match.kind, match.phrase, text, first.start_s, last.end_s))
    return result
