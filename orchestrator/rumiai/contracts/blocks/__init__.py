"""The six blocks of an analysis: the base of the models, and everything that is made from them.

An analysis declares its blocks once, as models in its own package (``metrics/<name>/blocks.py``)::

    class CoreMetrics(Block):
        total_scenes: Annotated[Count | None, num("shots")]
        pace: Annotated[Pace | None, num("by mean scene")]

    class Blocks(AnalysisBlocks):
        core_metrics: CoreMetrics
        ...

    SCHEMA: Final = Schema("scene_pacing", "scenePacing", Blocks)

* The key of ``total_scenes`` is ``totalScenes``; ``Field(alias=...)`` inside ``Annotated`` names another one.
* ``num(...)`` and ``judge(...)`` say what no type says: meaning, further keys of the same value, what a model may add.
* A field that can be unknown is ``... | None``. Every field is given by name where the block is filled:
  ``CoreMetrics(total_scenes=3, pace="fast")``. A name that is wrong or missing does not pass mypy.
* Words are a ``Literal`` with a name; the function that chooses one returns that type.
* Numbers are rounded as they enter a model, so compute with the values, not with what a block holds.
* ``confidence``, ``missing_services`` and ``overall_confidence`` are filled in by ``rumiai.metrics.families``.

Validation of foreign answers, JSON Schema, contract text and the tables of the documentation come from the same models
through :class:`Schema`; a test holds them against the written specification. Which analyses there are, is known to
``rumiai.metrics.registry``.
"""

from __future__ import annotations

from rumiai.contracts.blocks.check import Problem
from rumiai.contracts.blocks.measured import MeasuredAnalysis
from rumiai.contracts.blocks.model import (
    GENERIC_BLOCKS,
    AnalysisBlocks,
    Block,
    BlockName,
    Blocks,
    MissingService,
    MoreMetrics,
    QualityBlock,
    Record,
    judge,
    num,
)
from rumiai.contracts.blocks.schema import EXTRA, BlockSchema, FieldSchema, Schema

__all__ = [
    "EXTRA", "GENERIC_BLOCKS", "AnalysisBlocks", "Block", "BlockName", "BlockSchema", "Blocks", "FieldSchema",
    "MeasuredAnalysis", "MissingService", "MoreMetrics", "Problem", "QualityBlock", "Record", "Schema", "judge", "num",
]  # fmt: skip
