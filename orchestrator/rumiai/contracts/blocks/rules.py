"""What labels and numbers of one analysis may say together: each rule once, for the metrics and for a model's answer.

The rules of an analysis stand in its own package (``metrics/<name>/rules.py``).

A rule says: where a field holds one of these words, something else of the same analysis is so. What is unknown
contradicts nothing. The metrics keep the rules by how they choose a word; a test holds them to it on random videos. Of
a model's answer the word that breaks one is not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rumiai.contracts.blocks.model import Blocks

Holds = Callable[[Any], bool]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        label: ``Block.field`` that holds a word, or a list of words.
        words: The words that the rule is about; none given is any word.
        other: ``Block.field`` that they must go with.
        holds: Whether a known value of the other field does.
        says: The rule in words.
    """

    label: str
    words: frozenset[str]
    other: str
    holds: Holds
    says: str

    def broken_by(self, blocks: Blocks) -> bool:
        """Whether the blocks of an analysis break the rule."""
        found = _at(blocks, self.label)
        said = set(found) if isinstance(found, list) else set() if found is None else {found}
        value = _at(blocks, self.other)
        return bool(said & self.words if self.words else said) and value is not None and not self.holds(value)


def _at(blocks: Blocks, path: str) -> Any:
    value: Any = blocks
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def rule(label: str, words: str, other: str, holds: Holds, says: str) -> Rule:
    """A rule from its words, parted by blanks; no words is any word."""
    return Rule(label, frozenset(words.split()), other, holds, says)


def one_of(*words: str | bool) -> Holds:
    """The other field holds one of these values."""
    return lambda value: value in words


def below(limit: float) -> Holds:
    """The other field is below a limit, rounding aside."""
    return lambda value: value < limit + _ROUNDING


def at_least(limit: float) -> Holds:
    """The other field is at least a limit, rounding aside."""
    return lambda value: value >= limit - _ROUNDING


def without(word: str) -> Holds:
    """The other field, a list, does not hold a word."""
    return lambda value: word not in value


def is_empty(value: Collection[object]) -> bool:
    """The other field is an empty list."""
    return not value


def is_not_empty(value: Collection[object]) -> bool:
    """The other field is a list with items."""
    return bool(value)


def is_none(value: float) -> bool:
    """The other field counts nothing."""
    return value == 0


def is_some(value: float) -> bool:
    """The other field counts something."""
    return value > 0


# Numbers of the blocks are rounded to three digits.
_ROUNDING: Final = 0.001


def contradictions(rules: Iterable[Rule], blocks: Blocks) -> list[Rule]:
    """The rules that the blocks of an analysis break.

    Args:
        rules: Of the analysis (``rumiai.metrics.registry.rules_of``).
        blocks: Its six blocks by generic name, as JSON types; what is missing or null contradicts nothing.

    Returns:
        In the order of the rules; empty when nothing contradicts anything.
    """
    return [rule for rule in rules if rule.broken_by(blocks)]
