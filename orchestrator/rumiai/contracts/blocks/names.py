"""The seven analyses in the runner's order, and block names between their three forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rumiai.contracts.blocks.creative_density import CREATIVE_DENSITY
from rumiai.contracts.blocks.emotional_journey import EMOTIONAL_JOURNEY
from rumiai.contracts.blocks.metadata_analysis import METADATA_ANALYSIS
from rumiai.contracts.blocks.model import Analysis
from rumiai.contracts.blocks.person_framing import PERSON_FRAMING
from rumiai.contracts.blocks.scene_pacing import SCENE_PACING
from rumiai.contracts.blocks.speech_analysis import SPEECH_ANALYSIS
from rumiai.contracts.blocks.visual_overlay_analysis import VISUAL_OVERLAY_ANALYSIS
from rumiai.errors import ContractError

SCHEMAS: Final[Mapping[str, Analysis]] = {
    schema.name: schema
    for schema in (
        CREATIVE_DENSITY, EMOTIONAL_JOURNEY, SPEECH_ANALYSIS, VISUAL_OVERLAY_ANALYSIS, METADATA_ANALYSIS,
        PERSON_FRAMING, SCENE_PACING,
    )
}  # fmt: skip

ANALYSES: Final[tuple[str, ...]] = tuple(SCHEMAS)


def schema_of(analysis: str) -> Analysis:
    """The schema of an analysis.

    Raises:
        ContractError: There is no analysis of that name.
    """
    try:
        return SCHEMAS[analysis]
    except KeyError:
        known = ", ".join(ANALYSES)
        raise ContractError(f"got analysis {analysis!r}, expected one of {known}", hint="check the spelling") from None


def to_generic(analysis: str, blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks under their generic names, whichever accepted names they came with; unknown names stay as they are."""
    known = schema_of(analysis).generic_of
    return {known.get(name, name): content for name, content in blocks.items()}


def to_prefixed(analysis: str, blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks under the names of the ``result`` files, e.g. ``densityCoreMetrics``; unknown names stay as they are."""
    schema = schema_of(analysis)
    known = schema.generic_of
    return {schema.prefix + known[name] if name in known else name: content for name, content in blocks.items()}
