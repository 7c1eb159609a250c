"""Listed phrases in what is spoken, with the time at which they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rumiai.contracts.lexicons import PhraseMatch
from rumiai.core.joined_words import JoinedWords

Find = Callable[[str], tuple[PhraseMatch, ...]]


class TimedWord(Protocol):
    """A spoken word: its text, its start and end in seconds."""

    @property
    def text(self) -> str:
        """The word as spoken, with its punctuation."""

    @property
    def start_s(self) -> float:
        """Start, seconds."""

    @property
    def end_s(self) -> float:
        """End, seconds."""


class SpokenWords(Protocol):
    """A stretch of transcript: its words in the order in which they are spoken."""

    @property
    def words(self) -> Sequence[TimedWord]:
        """Its words, in the order in which they are spoken; empty for none."""


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
    joined = JoinedWords(word.text for word in words)
    result = []
    for match in find(own + rest):
        if match.start >= len(own):
            continue
        first, last = (words[joined.at(place)] for place in (match.start, match.end - 1))
        text = (own + rest)[match.start : match.end].replace("\n", " ")
        result.append(SpokenPhrase(match.kind, match.phrase, text, first.start_s, last.end_s))
    return result
