"""The flat v1 form of the analyses, made from their six blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from rumiai.contracts.blocks import GENERIC_BLOCKS
from rumiai.errors import ContractError
from rumiai.metrics.families import V1Key
from rumiai.metrics.registry import PACKAGES, family, schema_of

Format = Literal["v1", "v2"]


_CONFIDENCE: Final = {"confidence": V1Key("CoreMetrics", "confidence")}


def v1_form(analysis: str) -> Mapping[str, V1Key]:
    """The v1 keys of an analysis in their order; empty for one that v1 does not know."""
    return family(analysis).v1 if analysis in PACKAGES else {}


def to_legacy(analysis: str, blocks: Mapping[str, Any]) -> dict[str, Any]:
    """The v1 form of one analysis.

    Args:
        analysis: Its name; blocks of an analysis that v1 does not know come back unchanged.
        blocks: The six blocks under any accepted names: generic, prefixed, or an alias of these.

    Returns:
        The v1 keys in their order; {} for no blocks. A field that is not there is null, or v1's word for that.

    Raises:
        ContractError: None of the blocks belongs to the analysis, a block is no object, or a value cannot be converted.
    """
    if not blocks or not (form := v1_form(analysis)):
        return dict(blocks)
    generic = schema_of(analysis).to_generic(blocks)
    if not generic.keys() & set(GENERIC_BLOCKS):
        raise ContractError(f"{analysis}: got blocks {', '.join(blocks)}, expected its six blocks")
    return {key: _value(analysis, generic, source) for key, source in {**form, **_CONFIDENCE}.items()}


def _value(analysis: str, generic: Mapping[str, Any], source: V1Key) -> Any:
    block = generic.get(source.block, {})
    if not isinstance(block, Mapping):
        raise ContractError(f"{analysis} {source.block}: got {type(block).__name__}, expected an object")
    value = block.get(source.field, source.absent)
    if value is None or source.convert is None:
        return value
    try:
        return round(source.convert(value), 3)
    except TypeError as exc:
        raise ContractError(f"{analysis} {source.field}: got {value!r}, expected a number") from exc


def merge_all(analyses: Mapping[str, Mapping[str, Any]], output_format: Format) -> dict[str, Any]:
    """All analyses of a video in one object: v2 as they are, v1 each converted; those with an error as they are.

    Raises:
        ContractError: The format is neither, or an analysis cannot be converted.
    """
    if output_format not in ("v1", "v2"):
        raise ContractError(f"got output format {output_format!r}, expected v1 or v2")
    return {
        name: dict(blocks) if output_format == "v2" or "error" in blocks else to_legacy(name, blocks)
        for name, blocks in analyses.items()
    }
