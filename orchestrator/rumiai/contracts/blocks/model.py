"""What an analysis, a block and a field are, and what blocks are called in files of each origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from rumiai.contracts.blocks.types import RATIO, TEXT, ListOf, Maybe, Record, Type

Kind = Literal["num", "judge"]

GENERIC_BLOCKS: Final[tuple[str, ...]] = (
    "CoreMetrics", "Dynamics", "Interactions", "KeyEvents", "Patterns", "Quality",
)  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One field of a block.

    Attributes:
        name: Its key.
        type: What it may hold; a :class:`Maybe` when it can be null.
        kind: ``num``: computed and authoritative; ``judge``: an interpretation, by rule where no model answers.
        meaning: One line.
        aliases: Further keys that always hold the same value.
        judged: Members of its items that a model may word; the rest stays as computed.
        extensible: Whether a model may append items to the computed list.
        origin: ``P`` or ``T`` when it is kept for readers of older files, else empty.
    """

    name: str
    type: Type
    kind: Kind
    meaning: str
    aliases: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    extensible: bool = False
    origin: str = ""

    @property
    def nullable(self) -> bool:
        """Whether the value may be null."""
        return isinstance(self.type, Maybe)


@dataclass(frozen=True)
class Block:
    """One of the six blocks of an analysis: generic name and fields in order, the common ones last."""

    name: str
    fields: tuple[Field, ...]

    @cached_property
    def by_key(self) -> dict[str, Field]:
        """Field of every key, aliases included."""
        return {key: field for field in self.fields for key in (field.name, *field.aliases)}


_MISSING: Final = Field(
    "missingServices",
    ListOf(Record(service=TEXT, reason=TEXT)),
    "num",
    "failed or absent services; ocr with reason unsupported_script when suspected",
)
_OVERALL: Final = Field("overallConfidence", RATIO, "num", "mean block confidence x sqrt(dataCompleteness)")
_CONFIDENCE: Final = Field("confidence", RATIO, "num", "weighted mean of the quality of the block's services")


@dataclass(frozen=True)
class Analysis:
    """The schema of one analysis.

    Attributes:
        name: As the runner calls it.
        prefix: What stands before the generic block name in ``result`` files.
        blocks: The six blocks, in order.
        alias_prefixes: Prefixes of older files and answers.
        alias_blocks: Further block names -> generic name.
    """

    name: str
    prefix: str
    blocks: tuple[Block, ...]
    alias_prefixes: tuple[str, ...] = ()
    alias_blocks: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = tuple(block.name for block in self.blocks)
        if names != GENERIC_BLOCKS:
            raise ValueError(f"{self.name}: got blocks {names}, expected {GENERIC_BLOCKS}")

    def block(self, generic: str) -> Block:
        """The block of a generic name."""
        return self.blocks[GENERIC_BLOCKS.index(generic)]

    @cached_property
    def generic_of(self) -> dict[str, str]:
        """Generic name of every accepted block name."""
        known = dict(self.alias_blocks)
        for generic in GENERIC_BLOCKS:
            known[generic] = generic
            for prefix in (self.prefix, *self.alias_prefixes):
                known[prefix + generic] = generic
        return known


def analysis(
    name: str,
    prefix: str,
    *,
    core: tuple[Field, ...],
    dynamics: tuple[Field, ...],
    interactions: tuple[Field, ...],
    key_events: tuple[Field, ...],
    patterns: tuple[Field, ...],
    quality: tuple[Field, ...],
    alias_prefixes: tuple[str, ...] = (),
    alias_blocks: tuple[tuple[str, str], ...] = (),
) -> Analysis:
    """Put the six blocks together and add the fields that every block carries."""
    measured = (core, dynamics, interactions, key_events, patterns)
    blocks = [Block(g, (*f, _CONFIDENCE)) for g, f in zip(GENERIC_BLOCKS, measured, strict=False)]
    blocks.append(Block("Quality", (*quality, _MISSING, _OVERALL)))
    return Analysis(name, prefix, tuple(blocks), alias_prefixes, alias_blocks)


def num(name: str, kind: Type, meaning: str = "", *, origin: str = "", aliases: tuple[str, ...] = (),
        judged: tuple[str, ...] = (), extensible: bool = False) -> Field:  # fmt: skip
    """A computed field that can be null when its input is missing."""
    return Field(name, Maybe(kind), "num", meaning, aliases, judged, extensible, origin)


def sure(name: str, kind: Type, meaning: str = "", *, origin: str = "") -> Field:
    """A computed field that is never null."""
    return Field(name, kind, "num", meaning, origin=origin)


def judge(name: str, kind: Type, meaning: str = "") -> Field:
    """An interpreted field that is never null; wrap the type in :class:`Maybe` for one that can be."""
    return Field(name, kind, "judge", meaning)


Blocks = Mapping[str, Mapping[str, Any]]
