"""The registry of the families and how a family's numbers become its six blocks."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from rumiai.contracts.blocks import ANALYSES, schema_of
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.errors import ContractError
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.types import Evidence

_DECIMALS: Final = 3
# analyses.md 7.2 asks for another precision here.
_OTHER_DECIMALS: Final[Mapping[str, int]] = {
    "likesToViewsRatio": 4, "commentsToViewsRatio": 4, "sharesToViewsRatio": 4,
    "engagementRate": 2, "engagementRateWithSaves": 2,
}  # fmt: skip
_CONFIDENCE_DECIMALS: Final = 2


@dataclass(frozen=True)
class FamilyResult:
    """What one family says of one video.

    Attributes:
        blocks: Generic block name -> field -> value, JSON types, every field of the schema.
        precompute: Metrics that have no field, under the names of the metric tables, JSON types.
    """

    blocks: dict[str, dict[str, Any]]
    precompute: dict[str, Any] = field(default_factory=dict)


def rounded(value: Any, name: str = "") -> Any:
    """JSON types with numbers rounded for output; tuples become lists, numpy scalars Python ones.

    Raises:
        ContractError: A number is not finite, which JSON cannot say.
    """
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            raise ContractError(f"metric {name!r}: got {value}, expected a finite number or None")
        return round(float(value), _OTHER_DECIMALS.get(name, _DECIMALS)) + 0.0  # + 0.0 turns -0.0 into 0.0
    if isinstance(value, str | bool | None):
        return value
    if isinstance(value, dict):
        return {str(key): rounded(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [rounded(item, name) for item in value]
    return bool(value) if isinstance(value, np.bool_) else int(value)


def assemble(
    analysis: str,
    evidence: Evidence,
    *,
    core: Mapping[str, Any],
    dynamics: Mapping[str, Any],
    interactions: Mapping[str, Any],
    key_events: Mapping[str, Any],
    patterns: Mapping[str, Any],
    quality: Mapping[str, Any],
    precompute: Mapping[str, Any],
) -> FamilyResult:
    """Make the six blocks: aliases, confidences, missing services, rounding, null where all services failed.

    Raises:
        ContractError: A block lacks a field of the schema or has one that it does not know.
    """
    services = evidence.services
    contents = (core, dynamics, interactions, key_events, patterns, quality)
    blocks: dict[str, dict[str, Any]] = {}
    for block, content in zip(schema_of(analysis).blocks, contents, strict=True):
        given = dict(content)
        if block.name == "Quality":
            given["missingServices"] = services.missing(analysis)
            given["overallConfidence"] = round(services.overall_confidence(analysis), _CONFIDENCE_DECIMALS)
        else:
            confidence = services.block_confidence(analysis, block.name)
            given["confidence"] = round(confidence, _CONFIDENCE_DECIMALS)
        expected = [item.name for item in block.fields]
        if set(given) != set(expected):
            differ = ", ".join(sorted(set(given) ^ set(expected)))
            raise ContractError(f"{analysis} {block.name}: got other fields than the schema has ({differ})")
        failed = block.name != "Quality" and services.block_failed(analysis, block.name)
        out: dict[str, Any] = {}
        for item in block.fields:
            value = None if failed and item.kind == "num" and item.nullable else rounded(given[item.name], item.name)
            out.update(dict.fromkeys((item.name, *item.aliases), value))
        blocks[block.name] = out
    return FamilyResult(blocks, rounded(precompute))


def unknown(analysis: str, block: str) -> dict[str, None]:
    """All fields of a block that can be null, as null: what a family starts from when its input is missing."""
    return {item.name: None for item in schema_of(analysis).block(block).fields if item.nullable}


Compute = Callable[[Evidence], FamilyResult]


def family(analysis: str) -> Compute:
    """The ``compute`` function of an analysis: that of the module of the same name in this package."""
    module = importlib.import_module(f"rumiai.metrics.{schema_of(analysis).name}")
    compute: Compute = module.compute
    return compute


def compute_all(analysis: UnifiedAnalysis) -> dict[str, FamilyResult]:
    """All seven families of one video, in the runner's order; the same input gives the same bytes."""
    evidence = read_evidence(analysis)
    return {name: family(name)(evidence) for name in ANALYSES}
