"""A recorded video's markers and analyses are what they were when someone last looked at the difference."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.registry import ANALYSES
from rumiai.results.analyses import measure, read_analyses, save_unified, with_markers, write_analyses
from rumiai.results.recompute import find_stored, recompute
from rumiai.results.store import Store, read_json, write_json
from rumiai.results.v1 import to_legacy

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


@pytest.fixture(scope="module")
def golden() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_generate", GOLDEN / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def unified(golden: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = golden.read(golden.UNIFIED)
    return found


def marked(store: Store, unified: dict[str, Any]) -> UnifiedAnalysis:
    """The recorded video with its markers, saved."""
    analysis = replace(with_markers(UnifiedAnalysis.from_dict(unified), "then"), video_id="clip")
    save_unified(store, analysis)
    return analysis


def test_the_recorded_video_gives_the_recorded_results(golden: ModuleType, unified: dict[str, Any]) -> None:
    expected = golden.read(golden.EXPECTED)
    found = json.loads(json.dumps(golden.computed(unified)))
    assert found["markers"] == expected["markers"]
    for name in ANALYSES:
        assert found["analyses"][name] == expected["analyses"][name], name


def test_files_of_an_analysis(unified: dict[str, Any], golden: ModuleType, tmp_path: Path) -> None:
    store = Store(tmp_path)
    summaries = write_analyses(store, "clip", measure(marked(store, unified)))
    expected = golden.read(golden.EXPECTED)["analyses"]
    assert list(summaries) == list(ANALYSES)
    for name, summary in summaries.items():
        blocks = read_json(Path(summary.files["ml"]))
        assert blocks == expected[name]["blocks"]
        complete = read_json(Path(summary.files["complete"]))
        assert complete["precompute"] == expected[name]["precompute"]
        assert {block: facts["source"] for block, facts in complete["provenance"].items()} == dict.fromkeys(
            blocks, "python"
        )
        assert summary.confidence == blocks["Quality"]["overallConfidence"]
    assert read_json(store.markers_file("clip"))["metadata"]["generated_at"] == "then"
    assert {name: s.files for name, s in read_analyses(store, "clip").items()} == {
        name: s.files for name, s in summaries.items()
    }


def test_a_second_writing_replaces_the_first(unified: dict[str, Any], tmp_path: Path) -> None:
    store = Store(tmp_path)
    analysis = marked(store, unified)
    write_analyses(store, "clip", measure(analysis))
    summaries = write_analyses(store, "clip", measure(analysis))
    for name, summary in summaries.items():
        left = {path.name for path in (store.insights_folder("clip") / name).iterdir()}
        assert left == {"latest.json", *(Path(path).name for path in summary.files.values())}


def test_the_legacy_form_is_in_the_result_file_alone(
    unified: dict[str, Any], golden: ModuleType, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    expected = golden.read(golden.EXPECTED)["analyses"]
    for name, summary in write_analyses(store, "clip", measure(marked(store, unified)), "v1").items():
        blocks = expected[name]["blocks"]
        assert read_json(Path(summary.files["ml"])) == blocks
        assert read_json(Path(summary.files["result"])) == to_legacy(name, blocks)


def test_many_are_recomputed_in_parallel_and_a_damaged_one_is_reported(
    unified: dict[str, Any], golden: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "unified_analysis"
    for i in range(11):
        write_json(folder / f"v{i}.json", {**unified, "video_id": f"v{i}", "timeline": {**unified["timeline"]}})
    (folder / "broken.json").write_text("{")
    told = []
    results = recompute(find_stored([str(tmp_path)]), Store(tmp_path / "out"), told.append, workers=2)
    assert len(told) == len(results) == 12
    assert [item.video_id for item in results if item.error] == [None]
    assert "not valid JSON" in next(item.error for item in results if item.error)
    expected = golden.read(golden.EXPECTED)["analyses"]
    store = Store(tmp_path / "out")
    for i in range(11):
        summaries = read_analyses(store, f"v{i}")
        for name in ANALYSES:
            assert read_json(Path(summaries[name].files["ml"])) == expected[name]["blocks"]
