"""The models of the blocks, and what their fields say about themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from rumiai.contracts.blocks.types import Number, Text

Kind = Literal["num", "judge"]
BlockName = Literal["CoreMetrics", "Dynamics", "Interactions", "KeyEvents", "Patterns", "Quality"]

GENERIC_BLOCKS: Final[tuple[BlockName, ...]] = (
    "CoreMetrics", "Dynamics", "Interactions", "KeyEvents", "Patterns", "Quality",
)  # fmt: skip

# Blocks as JSON: generic name -> key -> value.
Blocks: TypeAlias = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Facts:
    """What the annotation of a field says beside its type.

    Attributes:
        kind: ``num``: computed and authoritative; ``judge``: an interpretation, by rule where no model answers.
        meaning: One line.
        aliases: Further keys that always hold the same value.
        judged: Keys of its items that a model may word; the rest stays as computed.
        extensible: Whether a model may append items to the computed list.
        origin: ``P`` or ``T`` when it is kept for readers of older files, else empty.
        open_to_model: Whether a model may decide an interpreted field where the rule decides nothing, of a block whose
            data is there.
    """

    kind: Kind
    meaning: str
    aliases: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    extensible: bool = False
    origin: str = ""
    open_to_model: bool = False


def num(
    meaning: str,
    *,
    origin: str = "",
    aliases: tuple[str, ...] = (),
    judged: tuple[str, ...] = (),
    extensible: bool = False,
) -> Facts:
    """Facts of a computed field."""
    return Facts("num", meaning, aliases, judged, extensible, origin)


def judge(meaning: str, *, open_to_model: bool = False) -> Facts:
    """Facts of an interpreted field."""
    return Facts("judge", meaning, open_to_model=open_to_model)


class Record(BaseModel):
    """An object with exactly these members; keys are the attribute names in camelCase.

    Attributes are given by name, and all of them: mypy refuses a name that does not exist or is missing.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="forbid", frozen=True
    )


class Block(Record):
    """One of the first five blocks of an analysis; its confidence is filled in where its services are known."""

    confidence: Annotated[
        float, Number(low=0, high=1, decimals=2), num("weighted mean of the quality of the block's services")
    ] = 0.0

    @classmethod
    def unknown(cls, **known: object) -> Self:
        """A block whose input is missing: every field null but the given ones.

        Raises:
            pydantic.ValidationError: A field that is not given cannot be null, or a given one does not exist.
        """
        return cls.model_validate({name: None for name in cls.model_fields if name != "confidence"} | known)


class MissingService(Record):
    """A service that an analysis uses and that has no data."""

    service: Text
    reason: Text


class QualityBlock(Record, ABC):
    """The last block of an analysis; its two last fields are filled in where its services are known."""

    missing_services: Annotated[
        list[MissingService],
        num("failed or absent services; others with what is to be known: scripts, kinds of texts, stills"),
    ] = []
    overall_confidence: Annotated[
        float, Number(low=0, high=1, decimals=2), num("mean block confidence x sqrt(dataCompleteness)")
    ] = 0.0

    @property
    @abstractmethod
    def completeness(self) -> float:
        """Share of the data that the analysis needs and has, in 0..1; each analysis has a field of its own for it."""


class AnalysisBlocks(BaseModel):
    """The six blocks of an analysis; a subclass gives each its own model."""

    model_config = ConfigDict(frozen=True)

    core_metrics: Block
    dynamics: Block
    interactions: Block
    key_events: Block
    patterns: Block
    quality: QualityBlock


class MoreMetrics(BaseModel):
    """Metrics of an analysis that have no field in its blocks; keys are the attribute names.

    One with a default is left out of the file where it was not given.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, extra="forbid", frozen=True)

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return self.model_dump(exclude_unset=True, by_alias=True)
