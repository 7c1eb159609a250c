"""The rooms of the metrics: what is shared knows no evidence, the evidence no analysis, an analysis no other one."""

from __future__ import annotations

import pytest

from rumiai.metrics.registry import ANALYSES

from ..test_import_boundaries import ORCHESTRATOR, imports_of

METRICS = ORCHESTRATOR / "metrics"


def rooms_known_to(room):
    """Rooms of ``rumiai.metrics`` that a room imports from, itself left out."""
    names = {name for path in (METRICS / room).rglob("*.py") for name in imports_of(path)}
    return {name.split(".")[2] for name in names if name.startswith("rumiai.metrics.")} - {room}


def test_shared_measures_know_no_evidence_and_no_analysis():
    assert rooms_known_to("shared") == set()


def test_evidence_knows_what_is_shared_alone():
    assert rooms_known_to("evidence") == {"shared"}


@pytest.mark.parametrize("analysis", ANALYSES)
def test_no_analysis_knows_another(analysis):
    assert rooms_known_to(analysis) <= {"shared", "evidence", "families"}
