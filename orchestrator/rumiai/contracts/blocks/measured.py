"""One analysis of one video, measured by the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rumiai.contracts.blocks.model import AnalysisBlocks, MoreMetrics
from rumiai.contracts.blocks.schema import Schema


@dataclass(frozen=True)
class MeasuredAnalysis:
    """What the rules make of one analysis of one video.

    Attributes:
        schema: Of the analysis.
        blocks: Its six blocks, complete.
        precompute: Metrics that have no field in them.
    """

    schema: Schema
    blocks: AnalysisBlocks
    precompute: MoreMetrics

    @property
    def completeness(self) -> float:
        """Share of the data that the analysis needs and has, in 0..1."""
        return self.blocks.quality.completeness

    @property
    def confidence(self) -> float:
        """Overall confidence, in 0..1."""
        return self.blocks.quality.overall_confidence

    def blocks_json(self) -> dict[str, dict[str, Any]]:
        """Generic block name -> key -> value, JSON types, aliases repeated."""
        return self.schema.to_json(self.blocks)

    def precompute_json(self) -> dict[str, Any]:
        """Name -> value, JSON types."""
        return self.precompute.to_dict()
