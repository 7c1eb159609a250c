"""A family computes one analysis: it measures the evidence of a video and fills the six blocks.

This module adds what all blocks have in common: confidences, missing services, and nulls where every service failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from rumiai.contracts.blocks import (
    AnalysisBlocks,
    BlockName,
    Blocks,
    MeasuredAnalysis,
    MissingService,
    MoreMetrics,
    Record,
    Schema,
)
from rumiai.errors import ContractError
from rumiai.metrics.evidence.confidence import Services, Weights
from rumiai.metrics.evidence.types import Evidence

_CONFIDENCE_DECIMALS: Final = 2
_NO_FINDING: Final = ("confidence", "video_duration", "has_audio_energy")

B = TypeVar("B", bound=AnalysisBlocks)


@dataclass(frozen=True)
class V1Key:
    """Where a key of the flat v1 form comes from.

    Attributes:
        block: Generic block name.
        field: Its field there.
        absent: The word that v1 has for an answer without the field; a null, which is unknown, stays null.
        convert: Applied to a value that is not null.
    """

    block: BlockName
    field: str
    absent: str | None = None
    convert: Callable[[float], float] | None = None


@dataclass(frozen=True)
class Family(Generic[B]):
    """One analysis: what it says, what it needs, how it is computed.

    Attributes:
        schema: Of its blocks.
        weights: Of the services behind each block.
        measure: Evidence -> the six blocks, and the metrics that have no field in them. Confidences are left at their
            defaults; as missing services it names what nothing measures, whatever ran.
        nothing_to_judge: Why no model is asked about these blocks; None when there is something to judge.
        v1: Its flat v1 form; empty for an analysis that v1 did not have.
        further: What ``measure`` may return beside the blocks, the smaller models first; a bare :class:`MoreMetrics`
            need not be named.
    """

    schema: Schema
    weights: Weights
    measure: Callable[[Evidence], tuple[B, MoreMetrics]]
    nothing_to_judge: Callable[[B], str | None]
    v1: Mapping[str, V1Key] = field(default_factory=dict)
    further: tuple[type[MoreMetrics], ...] = ()

    def compute(self, evidence: Evidence) -> MeasuredAnalysis:
        """The six blocks and further metrics of one video.

        A computed field that can be null is null where all services of its block failed.

        Raises:
            ContractError: A value breaks the schema, or is no finite number.
        """
        try:
            blocks, more = self.measure(evidence)
        except ValidationError as exc:
            first = exc.errors(include_url=False)[0]
            place = ".".join(str(step) for step in first["loc"])
            raise ContractError(
                f"{self.schema.name} {exc.title}: {place}: got {first['input']!r}, {first['msg'].lower()}"
            ) from exc
        return MeasuredAnalysis(self.schema, self._finished(blocks, evidence.services), more)

    def read(self, blocks: Blocks, precompute: Mapping[str, object]) -> MeasuredAnalysis:
        """What :meth:`compute` gave, from its JSON form.

        Raises:
            ContractError: The blocks break the schema, or the metrics are none that this analysis has.
        """
        try:
            read = self.schema.read(blocks)
        except (KeyError, TypeError, ValidationError) as exc:
            raise ContractError(f"{self.schema.name}: stored blocks break their schema: {str(exc)[:200]}") from exc
        return MeasuredAnalysis(self.schema, read, self._read_further(precompute))

    def _read_further(self, stored: Mapping[str, object]) -> MoreMetrics:
        models: tuple[type[MoreMetrics], ...] = (MoreMetrics, *self.further)
        for model in models:
            try:
                return model.model_validate(stored)
            except ValidationError:
                continue
        names = ", ".join(model.__name__ for model in self.further) or "no further metrics"
        raise ContractError(f"{self.schema.name}: got further metrics {sorted(stored)}, expected {names}")

    def _finished(self, blocks: B, services: Services) -> B:
        """The blocks with confidences and missing services, null where all services failed."""
        finished: dict[str, Any] = {}
        for schema, (attribute, weights) in zip(self.schema.blocks, self.weights.by_block.items(), strict=False):
            changes: dict[str, Any] = {"confidence": round(services.confidence(weights), _CONFIDENCE_DECIMALS)}
            if not any(services.ok(name) for name in weights):
                changes.update(dict.fromkeys(schema.nullable_numbers))
            block = getattr(blocks, attribute).model_copy(update=changes)
            # What says nothing cannot be trusted in anything.
            finished[attribute] = block if says_anything(block) else block.model_copy(update={"confidence": 0.0})
        missing = [MissingService(service=name, reason=why) for name, why in services.missing(self.weights)]
        confidences = [block.confidence for block in finished.values()]
        completeness = services.completeness(self.weights) ** 0.5
        overall = round(sum(confidences) / len(confidences) * completeness, _CONFIDENCE_DECIMALS)
        missing += blocks.quality.missing_services  # what nothing measures, whatever ran
        quality = blocks.quality.model_copy(update={"missing_services": missing, "overall_confidence": overall})
        return blocks.model_copy(update={**finished, "quality": quality})


def unknown_because(blocks: AnalysisBlocks, what: str, *services: str) -> str:
    """Why a model is not asked about what is unknown.

    Args:
        blocks: Of the video, finished.
        what: That is unknown, in the plural.
        services: Whose data tells it.

    Returns:
        ``WHAT are unknown (SERVICE: REASON)``, with the services of these that are missing.
    """
    missing = [f"{m.service}: {m.reason}" for m in blocks.quality.missing_services if m.service in services]
    return f"{what} are unknown" + (f" ({'; '.join(missing)})" if missing else "")


def says_anything(value: object) -> bool:
    """Whether anything in a value is known.

    Args:
        value: A block, a record or a value inside one. An empty list is known: it was looked for, and none was found.
            The length of a video and a block's own confidence are no finding.
    """
    if isinstance(value, Record):
        return any(says_anything(member) for name, member in value if name not in _NO_FINDING)
    return value is not None
