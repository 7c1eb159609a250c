"""Listed phrases in what is spoken, with the time at which they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rumiai.contracts.lexicons import PhraseMatch
from rumiai.metrics.evidence import Speech

Find = Callable[[str], tuple[PhraseMatch, ...]]


@dataclass(frozen=True)
class SpokenPhrase:
    """A phrase: its list, its words as spoken, the span of its words, and the index of its first and last word."""

    kind: str
    phrase: str
    text: str
    start_s: float
    end_s: float
    first_word: int
    last_word: int


def spoken_phrases(speech: Speech, find: Find) -> tuple[SpokenPhrase, ...]:
    """Every phrase that ``find`` finds in the transcript, by time; segments are clauses of their own."""
    words = [(word, index == 0) for segment in speech.segments for index, word in enumerate(segment.words)]
    if not words:
        return ()
    parts = [("\n" if first and number else " " if number else "") + w.text for number, (w, first) in enumerate(words)]
    ends = np.cumsum([len(part) for part in parts])
    transcript = "".join(parts)
    found = []
    for match in find(transcript):
        first, last = (int(np.searchsorted(ends, at, side="right")) for at in (match.start, match.end - 1))
        start_s, end_s = words[first][0].start_s, words[last][0].end_s
        text = transcript[match.start : match.end].replace("\n", " ")
        found.append(SpokenPhrase(match.kind, match.phrase, text, start_s, end_s, first, last))
    return tuple(sorted(found, key=lambda phrase: (phrase.start_s, phrase.kind, phrase.phrase)))
