"""Which stages of a video are finished, and from which inputs."""

from __future__ import annotations

import json
from pathlib import Path

from rumiai.results.run_state import RunState
from rumiai.results.store import write_json


def test_finished_stages_are_known_by_fingerprint_and_files(tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    write_json(output, {"a": 1})
    state = RunState(tmp_path / "state.json")
    assert not state.finished("ml.yolo", "f1")
    state.finish("ml.yolo", "f1", [output], "2026-01-01T00:00:00Z")
    again = RunState(tmp_path / "state.json")
    assert again.finished("ml.yolo", "f1")
    assert not again.finished("ml.yolo", "f2")
    output.write_text("changed by hand")
    assert not again.finished("ml.yolo", "f1")
    again.forget("ml.yolo")
    assert json.loads((tmp_path / "state.json").read_text())["stages"] == {}


def test_a_damaged_state_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{nonsense")
    assert not RunState(tmp_path / "state.json").finished("ml.yolo", "f1")
