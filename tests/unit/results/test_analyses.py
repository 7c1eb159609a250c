"""What a run has measured is read back for Claude and not measured again."""

from __future__ import annotations

from pathlib import Path

import pytest

from rumiai.contracts.blocks import MeasuredAnalysis
from rumiai.contracts.metadata import AnalysisMetadata, VideoMetadata
from rumiai.contracts.results import ServiceResult
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.errors import StoreError
from rumiai.metrics.registry import ANALYSES
from rumiai.results.analyses import measure, read_analyses, read_measured, save_unified, with_markers, write_analyses
from rumiai.results.run_state import RunState
from rumiai.results.store import Store, read_json, write_json
from rumiai.services import entries_of
from rumiai.timeline.build import build

from ..timeline_samples import FACTS, SERVICES, canonical


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A video that was measured."""
    results = {service: ServiceResult.read(service, "1", canonical(service)) for service in SERVICES}
    analysis = with_markers(build("clip", AnalysisMetadata.of(VideoMetadata.local("clip")), FACTS, results, entries_of))
    store = Store(tmp_path)
    save_unified(store, analysis)
    summaries = write_analyses(store, "clip", measured_of(store))
    files = [Path(path) for summary in summaries.values() for path in summary.files.values()]
    RunState(store.state_file("clip")).finish("analyses", "inputs", files, "then")
    return store


def measured_of(store: Store) -> dict[str, MeasuredAnalysis]:

    return measure(UnifiedAnalysis.from_dict(read_json(store.unified_file("clip"))))


def test_it_is_what_measuring_again_would_give(store: Store) -> None:
    assert read_measured(store, "clip") == measured_of(store)


def test_a_renewed_unified_analysis_is_measured_again(store: Store) -> None:
    RunState(store.state_file("clip")).forget("analyses")
    assert read_measured(store, "clip") is None


@pytest.mark.parametrize(("member", "value"), [("code", "0123456789abcdef"), ("source", "claude")])
def test_files_of_other_code_or_with_judgements_do_not_count(store: Store, member: str, value: str) -> None:
    latest = store.insights_folder("clip") / "scene_pacing" / "latest.json"
    path = latest.parent / read_json(latest)["complete"]
    size = path.stat().st_size
    changed = {**read_json(path), member: value}
    write_json(path, changed)
    with path.open("a") as stream:  # of the same size, so that it is the content that decides
        stream.write(" " * max(0, size - path.stat().st_size))
    assert read_measured(store, "clip") is None


@pytest.mark.parametrize(
    ("member", "changes"),
    [("parsed_response", {"Quality": {}}), ("parsed_response", {"CoreMetrics": None}), ("precompute", {"tempo": 120})],
)
def test_a_damaged_file_is_measured_again(store: Store, member: str, changes: dict[str, object]) -> None:
    latest = store.insights_folder("clip") / "scene_pacing" / "latest.json"
    path = latest.parent / read_json(latest)["complete"]
    stored = read_json(path)
    write_json(path, {**stored, member: {**stored[member], **changes}})
    # The files are the recorded ones: it is the content that is found wanting.
    files = [store.insights_folder("clip") / name / "latest.json" for name in ANALYSES]
    RunState(store.state_file("clip")).renew("analyses", files, "then")
    assert RunState(store.state_file("clip")).kept("analyses")
    assert read_measured(store, "clip") is None


def test_an_analysis_without_its_blocks_is_an_error_of_the_store(store: Store) -> None:
    latest = store.insights_folder("clip") / "scene_pacing" / "latest.json"
    path = latest.parent / read_json(latest)["complete"]
    write_json(path, {**read_json(path), "parsed_response": {"Quality": {}}})
    with pytest.raises(StoreError, match="stored blocks of scene_pacing are damaged"):
        read_analyses(store, "clip")


def test_without_files_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert read_measured(Store(tmp_path), "clip") is None
