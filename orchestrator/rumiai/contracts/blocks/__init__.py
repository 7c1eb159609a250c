"""The six blocks of the seven analyses: one schema object per analysis, and everything that is made from it.

The schema is the only place that says which fields there are. The validator, the JSON Schema, the contract text of the
prompts and the tables of the documentation are generated from it; a test holds it against the written specification.
"""

from __future__ import annotations

from rumiai.contracts.blocks.model import GENERIC_BLOCKS, Analysis, Block, Blocks, Field, Kind
from rumiai.contracts.blocks.names import ANALYSES, SCHEMAS, schema_of, to_generic, to_prefixed
from rumiai.contracts.blocks.render import contract_text, fields_of, json_schema, markdown, needs_judgement
from rumiai.contracts.blocks.types import Problem
from rumiai.contracts.blocks.validate import EXTRA, validate_blocks

__all__ = [
    "ANALYSES", "EXTRA", "GENERIC_BLOCKS", "SCHEMAS", "Analysis", "Block", "Blocks", "Field", "Kind", "Problem",
    "contract_text", "fields_of", "json_schema", "markdown", "needs_judgement", "schema_of", "to_generic",
    "to_prefixed", "validate_blocks",
]  # fmt: skip
