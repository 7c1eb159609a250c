"""The analyses that there are, in the order in which they are computed.

A new analysis is a package with ``blocks.py``, ``rules.py`` and ``family.py``, its prompt template, and one line
here. This module imports none of the packages: settings and the command line read the names alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from rumiai.errors import ContractError

if TYPE_CHECKING:
    from rumiai.contracts.blocks import AnalysisBlocks, Schema
    from rumiai.contracts.blocks.rules import Rule
    from rumiai.metrics.families import Family

# Analysis -> its package.
PACKAGES: Final[dict[str, str]] = {
    "creative_density": "rumiai.metrics.creative_density",
    "emotional_journey": "rumiai.metrics.emotional_journey",
    "speech_analysis": "rumiai.metrics.speech_analysis",
    "visual_overlay_analysis": "rumiai.metrics.visual_overlay_analysis",
    "metadata_analysis": "rumiai.metrics.metadata_analysis",
    "person_framing": "rumiai.metrics.person_framing",
    "scene_pacing": "rumiai.metrics.scene_pacing",
}

ANALYSES: Final[tuple[str, ...]] = tuple(PACKAGES)


def schema_of(analysis: str) -> Schema:
    """The schema of an analysis' blocks: ``SCHEMA`` of its module ``blocks``.

    Raises:
        ContractError: There is no analysis of that name.
    """
    schema: Schema = importlib.import_module(f"{_package(analysis)}.blocks").SCHEMA
    return schema


def rules_of(analysis: str) -> tuple[Rule, ...]:
    """What labels and numbers of an analysis may say together: ``RULES`` of its module ``rules``.

    Raises:
        ContractError: There is no analysis of that name.
    """
    rules: tuple[Rule, ...] = importlib.import_module(f"{_package(analysis)}.rules").RULES
    return rules


def family(analysis: str) -> Family[AnalysisBlocks]:
    """How an analysis is computed: ``FAMILY`` of its module ``family``.

    Raises:
        ContractError: There is no analysis of that name.
    """
    found: Family[AnalysisBlocks] = importlib.import_module(f"{_package(analysis)}.family").FAMILY
    return found


def _package(analysis: str) -> str:
    try:
        return PACKAGES[analysis]
    except KeyError:
        known = ", ".join(PACKAGES)
        raise ContractError(f"got analysis {analysis!r}, expected one of {known}", hint="check the spelling") from None
