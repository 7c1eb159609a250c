"""What the pipeline hands over of one video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rumiai.contracts.blocks import AnalysisBlocks, MeasuredAnalysis
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.registry import family


@dataclass(frozen=True)
class VideoInput:
    """One video, measured.

    Attributes:
        analysis: As it reads back from its file, temporal markers included where they were made.
        measured: Analysis -> its blocks and further metrics; analyses that are not in it are left alone.
        decided: Analysis -> model, where that was decided before: the question must be the same to find its answer.
    """

    analysis: UnifiedAnalysis
    measured: Mapping[str, MeasuredAnalysis]
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
        return self.analysis.metadata.video.username


def nothing_to_judge(analysis: str, blocks: AnalysisBlocks) -> str | None:
    """Why no model is asked: there is no data, or nothing in it that could be judged. None when there is."""
    if blocks.quality.completeness == 0:
        return "none of the services it needs has succeeded"
    return family(analysis).nothing_to_judge(blocks)
