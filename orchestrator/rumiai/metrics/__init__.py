"""The seven metric families: a unified analysis in, numbers and complete six-block results out.

Pure: no input or output, no clock, no randomness. One module per family, each with ``compute(evidence)``; what they
share is in ``bins``, ``statistics``, ``intervals``, ``labels``, ``words``, ``confidence`` and ``evidence``.
"""

from __future__ import annotations

from rumiai.contracts.blocks import ANALYSES, to_generic, to_prefixed
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import FamilyResult, compute_all, family

__all__ = [
    "ANALYSES", "Evidence", "FamilyResult", "compute_all", "family", "read_evidence", "to_generic", "to_prefixed",
]  # fmt: skip
