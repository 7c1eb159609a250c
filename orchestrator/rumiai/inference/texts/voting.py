"""What a line says, by all its readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from rumiai.core.text import characters
from rumiai.inference.texts.lines import Line

_Choice = TypeVar("_Choice", int, str)

# Narrower sightings show a part of the line.
_WHOLE: Final = 0.85


@dataclass(frozen=True)
class Reading:
    """A text and how sure it is, 0..1."""

    text: str
    confidence: float


def vote(lines: Sequence[Line]) -> Reading:
    """The text on which the readings agree, each weighted by its confidence.

    Of readings of unequal length that length is taken which has the most weight. Among those of that length each
    character is voted on alone: one misread letter in each of three readings leaves none. Of equally good ones the
    surest counts.

    Args:
        lines: Sightings of one line, at least one.

    Returns:
        The text; its confidence is that of the surest reading that agrees with it, else the mean of all.
    """
    widest = max(line.box[2] for line in lines)
    whole = [line for line in lines if line.box[2] >= _WHOLE * widest]
    read = [line for line in whole if line.is_read] or whole
    length = _heaviest((len(line.text), line) for line in read)
    chosen = [line for line in read if len(line.text) == length]
    text = "".join(_heaviest((line.text[place], line) for line in chosen) for place in range(length))
    agreeing = [line.confidence for line in whole if characters(line.text) == characters(text)]
    mean = sum(line.confidence for line in whole) / len(whole)
    return Reading(text, max(agreeing, default=mean))


def _heaviest(votes: Iterable[tuple[_Choice, Line]]) -> _Choice:
    """The choice with the largest sum of confidences; of equal ones that of the surest line."""
    weights: dict[_Choice, float] = {}
    surest: dict[_Choice, float] = {}
    for choice, line in votes:
        weights[choice] = weights.get(choice, 0.0) + line.confidence
        surest[choice] = max(surest.get(choice, 0.0), line.confidence)
    return max(weights, key=lambda choice: (weights[choice], surest[choice]))
