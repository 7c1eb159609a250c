"""Manner of speaking by rule: delivery, tone, strategy, techniques.

Source: docs/analyses.md, speechPatterns. These are interpretations; a model may judge otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from rumiai.metrics.shared.words import Sentiment, listed, tokens

_SELLING: Final = frozenset({"buy", "visit"})
_CALLS_TO_PROMOTE: Final = 2
_STEPS_TO_LIST: Final = 2
_IMPERATIVES_TO_INSTRUCT: Final = 3
_SENTENCES_TO_NARRATE: Final = 2
_EXCLAIMED: Final = 0.3  # share of the sentences
_EAGER_WPM, _CALM_WPM = 160.0, 120.0
_IMPERATIVES: Final = listed(
    """add bake boil bring buy call check choose click close combine cook cover cut drag fill find flip fold follow
    get give go grab have heat hold keep leave let make mix move open peel pick place pour press pull push put remove
    repeat roll save select set start stir stop take tap tie try turn type use wait wash watch wear whisk write"""
)
_TOLD: Final = re.compile(
    r"\bi (?:was|went|had|did|said|saw|got|came|thought|told|made|found|felt|knew|took|bought|met|ran|left|\w{2,}ed)\b"
)

Delivery = Literal["conversational", "instructional", "narrative", "promotional", "none"]
Tone = Literal["enthusiastic", "calm", "urgent", "informative"]
Strategy = Literal["storytelling", "demonstration", "explanation"]


def is_listing(transitions: Sequence[str]) -> bool:
    """Whether things are counted up: two transitions of the kind "sequence" ("first", "step two").

    Source: docs/analyses.md, speechPatterns, ``speechTechniques``; two is a rule of ours, for one may stand for itself.

    Args:
        transitions: Kinds of the transitions.

    Returns:
        False without transitions.
    """
    return transitions.count("sequence") >= _STEPS_TO_LIST


def is_instruction(sentences: Iterable[str], *, listing: bool) -> bool:
    """Whether steps are counted up, or three sentences begin with an imperative.

    Args:
        sentences: Sentences with at least one word each.
        listing: Whether things are counted up.

    Returns:
        False without sentences and steps.
    """
    return listing or sum(tokens(sentence)[0] in _IMPERATIVES for sentence in sentences) >= _IMPERATIVES_TO_INSTRUCT


def is_narration(spoken: Sequence[str]) -> bool:
    """Whether somebody tells what they did: "I" with a verb of the past, twice.

    Source: docs/analyses.md, speechPatterns, ``deliveryStyle``; the verbs are common irregular ones and those in "-ed".

    Args:
        spoken: Tokens of the transcript.

    Returns:
        False without tokens.
    """
    return len(_TOLD.findall(" ".join(spoken))) >= _SENTENCES_TO_NARRATE


def delivery_style(cta_kinds: Iterable[str], *, instructs: bool, narrates: bool) -> Delivery:
    """How somebody speaks, the first rule that fits.

    Args:
        cta_kinds: Kinds of the calls to action.
        instructs: Whether it is an instruction.
        narrates: Whether it is a narration.

    Returns:
        promotional with two calls to buy or visit, then instructional, narrative, else conversational.
    """
    if sum(kind in _SELLING for kind in cta_kinds) >= _CALLS_TO_PROMOTE:
        return "promotional"
    if instructs:
        return "instructional"
    return "narrative" if narrates else "conversational"


def tone_category(
    *, urgent: bool, exclaimed: float, sentiment: Sentiment, words_per_minute: float | None
) -> Tone | None:
    """Tone of the words and of their pace.

    Args:
        urgent: Whether a call to action is of high urgency.
        exclaimed: Share of the sentences that end in an exclamation mark.
        sentiment: Of the words.
        words_per_minute: Speaking rate; None when unknown.

    Returns:
        urgent; enthusiastic for 30 % exclamations, or positive words above 160 words per minute; calm below 120. None
        where no rule fits.
    """
    if urgent:
        return "urgent"
    if exclaimed >= _EXCLAIMED or (sentiment == "positive" and (words_per_minute or 0.0) > _EAGER_WPM):
        return "enthusiastic"
    return "calm" if words_per_minute is not None and words_per_minute < _CALM_WPM else None


def engagement_strategy(delivery: Delivery | None) -> Strategy | None:
    """How a delivery holds attention.

    Args:
        delivery: Manner of speaking; None when unknown.

    Returns:
        storytelling for a narrative, demonstration for an instruction; None for all else, which may explain or not.
    """
    if delivery == "narrative":
        return "storytelling"
    return "demonstration" if delivery == "instructional" else None
