"""Hooks, calls to action and transitions in speech.

Source: docs/analyses.md, speechKeyEvents ``hookPhrases``, ``ctaPhrases`` and ``transitionPhrases``, speechPatterns
``openingHookStrength``. Conventions: times are seconds from the start of the video.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from rumiai.contracts.lexicons import Lexicon, PhraseMatch, Urgency, find_in
from rumiai.core.arrays import Floats
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.words import tokens

_OPENING_S: Final = 5.0
_LATER_CONFIDENCE: Final = 0.7  # of a hook that does not open the video
_CONTEXT_WORDS: Final = 5  # on either side of a call to action
_CLOSING_SHARE: Final = 0.3
_CLUSTER_S: Final = 5.0
_STRETCH_S: Final = 10
_TRANSITIONS: Final[Lexicon] = {
    "sequence": ("first", "firstly", "second", "secondly", "third", "thirdly", "next", "after that", "finally",
                 "lastly", "step one", "step two", "step three", "number one", "number two", "number three"),
    "contrast": ("however", "on the other hand", "instead", "nevertheless"),
    "cause": ("therefore", "that's why", "as a result"),
    "example": ("for example", "for instance"),
    "conclusion": ("in conclusion", "in the end", "to sum up", "overall"),
}  # fmt: skip
_ANY_TRANSITION: Final = re.compile(
    "|".join(sorted({phrase[:5] for phrases in _TRANSITIONS.values() for phrase in phrases})), re.IGNORECASE
)
_ALSO_NUMBERS: Final = frozenset({"first", "second", "third", "next"})
# After these a number counts something and leads nowhere ("my first", "a second").
_COUNTING_AFTER: Final = frozenset(
    ("a", "an", "the", "my", "your", "this", "that", "of", "in", "per", "one", "every", "at", "love")
)
_CATEGORIES: Final[dict[str, CtaCategory]] = {
    "follow": "engagement", "like": "engagement", "comment": "engagement", "subscribe": "engagement", "share": "viral",
    "save": "save", "visit": "traffic", "buy": "conversion", "download": "conversion",
}  # fmt: skip

CtaCategory = Literal["engagement", "traffic", "conversion", "save", "viral"]
CtaUrgency = Literal["low", "medium", "high"]


@dataclass(frozen=True)
class Cluster:
    """Calls to action close to each other: the first and the last start, and their number."""

    start_s: float
    end_s: float
    count: int


def find_transitions(text: str) -> tuple[PhraseMatch, ...]:
    """Phrases that lead from one thought to the next.

    Args:
        text: What is said; a break of the line parts segments.

    Returns:
        Matches by position, with sequence, contrast, cause, example or conclusion as their kind; () for no text.
    """
    # Most segments hold none, and are told so in one search.
    found = find_in(text, _TRANSITIONS) if _ANY_TRANSITION.search(text) else ()
    return tuple(match for match in found if match.phrase not in _ALSO_NUMBERS or not _counts(text, match))


def _counts(text: str, match: PhraseMatch) -> bool:
    before = tokens(text[: match.start].rsplit("\n", 1)[-1])[-1:]
    return bool(set(before) & _COUNTING_AFTER)


def opens(start_s: float) -> bool:
    """Whether something is said in the opening of the video: its first 5 s.

    Source: docs/analyses.md, speechPatterns, ``openingHookStrength``.

    Args:
        start_s: When it begins.

    Returns:
        True below 5 s.
    """
    return start_s < _OPENING_S


def opening_strength(hook_starts_s: Sequence[float]) -> float | None:
    """Strength of the hooks that open a video: those in the first 5 s / 2.

    Source: docs/analyses.md, speechPatterns, ``openingHookStrength``.

    Args:
        hook_starts_s: Starts of all hooks.

    Returns:
        0.5 or 1; None when none opens the video: the list does not know every hook there is.
    """
    count = sum(map(opens, hook_starts_s))
    return min(1.0, count / 2) if count else None


def hook_confidence(start_s: float) -> float:
    """How sure a hook is.

    Source: docs/analyses.md, speechKeyEvents, ``hookPhrases``.

    Args:
        start_s: When it begins.

    Returns:
        1 in the first 5 s, 0.7 later.
    """
    return 1.0 if opens(start_s) else _LATER_CONFIDENCE


def cta_category(kind: str) -> CtaCategory:
    """What a call to action asks for, by the list that it is in.

    Source: docs/analyses.md, speechKeyEvents, ``ctaPhrases``.

    Args:
        kind: Key of that list in :mod:`rumiai.contracts.lexicons`.

    Returns:
        engagement, viral, save, traffic or conversion.

    Raises:
        KeyError: No list has that key.
    """
    return _CATEGORIES[kind]


def words_around(starts_s: Floats, start_s: float, end_s: float) -> slice:
    """Which words stand in and around a phrase: its own and five on either side.

    Args:
        starts_s: ``(n,)`` starts of the words, ascending.
        start_s: Start of the phrase.
        end_s: Its end.

    Returns:
        Slice of the words.
    """
    first, stop = (int(i) for i in np.searchsorted(starts_s, [start_s - 1e-9, end_s - 1e-9]))
    return slice(max(0, first - _CONTEXT_WORDS), stop + _CONTEXT_WORDS)


def cta_urgency(context: Urgency, start_s: float, duration_s: float) -> CtaUrgency:
    """Urgency of a call to action.

    Source: docs/analyses.md, speechKeyEvents, ``ctaPhrases``.

    Args:
        context: Urgency of the words around it.
        start_s: When it begins.
        duration_s: Length of the video.

    Returns:
        That of the words where it is high or medium; else medium in the last 30 % of the video, low before.
    """
    if context in ("high", "medium"):
        return context
    return "medium" if start_s >= (1 - _CLOSING_SHARE) * duration_s else "low"


def cta_clusters(times_s: Sequence[float]) -> list[Cluster]:
    """Two or more calls to action of which each begins less than 5 s after the one before.

    Args:
        times_s: Their starts, ascending.

    Returns:
        Clusters by time; empty for fewer than two.
    """
    groups: list[list[float]] = []
    for time_s in times_s:
        if groups and time_s - groups[-1][-1] < _CLUSTER_S:
            groups[-1].append(time_s)
        else:
            groups.append([time_s])
    return [Cluster(group[0], group[-1], len(group)) for group in groups if len(group) > 1]


def count_per_ten_seconds(times_s: Sequence[float]) -> dict[str, int]:
    """How many of the instants lie in each ten seconds.

    Args:
        times_s: The instants.

    Returns:
        Label ``"a-bs"`` -> number, in order of appearance; stretches without any are left out.
    """
    counts: dict[str, int] = {}
    for time_s in times_s:
        ten = int(time_s // _STRETCH_S) * _STRETCH_S
        label = span(ten, ten + _STRETCH_S)
        counts[label] = counts.get(label, 0) + 1
    return counts
