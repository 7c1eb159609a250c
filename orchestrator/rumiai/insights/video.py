"""What the pipeline hands over of one video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rumiai.contracts.blocks import Blocks
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.registry import family


@dataclass(frozen=True)
class VideoInput:
    """One video, measured.

    Attributes:
        analysis: As it reads back from its file, temporal markers included where they were made.
        blocks: Analysis -> generic block name -> fields, complete; analyses that are not in it are left alone.
        precompute: Analysis -> metrics without a field in the blocks.
        decided: Analysis -> model, where that was decided before: the question must be the same to find its answer.
    """

    analysis: UnifiedAnalysis
    blocks: Mapping[str, Blocks]
    precompute: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    decided: Mapping[str, str] = field(default_factory=dict)

    @property
    def video_id(self) -> str:
        """The safe id."""
        return self.analysis.video_id

    @property
    def duration_s(self) -> float:
        """The decoder's."""
        return self.analysis.duration_s

    @property
    def author(self) -> str | None:
        """Who published it; left out of prompts."""
        name = self.analysis.metadata.get("username")
        return str(name) if name else None


def completeness(blocks: Blocks) -> float:
    """Share of the services of an analysis that ran, as its Quality block says; 0 when it does not say."""
    for name, value in blocks.get("Quality", {}).items():
        if name.lower().endswith("datacompleteness") and isinstance(value, int | float):
            return float(value)
    return 0.0


def confidence(blocks: Blocks) -> float:
    """Overall confidence of the data of an analysis, 0 when unknown."""
    value = blocks.get("Quality", {}).get("overallConfidence")
    return float(value) if isinstance(value, int | float) else 0.0


def nothing_to_judge(analysis: str, blocks: Blocks) -> str | None:
    """Why no model is asked: there is no data, or nothing in it that could be judged. None when there is."""
    if completeness(blocks) == 0:
        return "none of the services it needs has succeeded"
    asked = family(analysis)
    return asked.nothing_to_judge(asked.schema.read(blocks))
