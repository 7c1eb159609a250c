"""A source and a service of a user's own: one file and one registration each, and the rest of RumiAI knows them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rumiai.demo import ClipSpec, Shot, render

from .running import Done, orch

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name in ("one", "two"):
        spec = ClipSpec(shots=(Shot("gradient", 1.0), Shot("noise", 1.0)), width=160, height=284, fps=12, silent=True)
        render(spec, folder / f"{name}.mp4")
        (folder / f"{name}.txt").write_text(f"This is {name}. #toy")
    return folder


def submit(out: Path, shelf: Path, *arguments: str | Path) -> Done:
    env = {**os.environ, "SHELF": str(shelf)}
    return orch("submit", *arguments, "--plugins", PLUGINS / "toy_source.py", "--out", out, "--json", env=env)


def test_a_source_of_ones_own_lists_fetches_and_describes(tmp_path: Path, shelf: Path) -> None:
    out = tmp_path / "out"
    arguments = ("shelf://*", "--services", "scene_detection,audio_energy")
    ran = submit(out, shelf, *arguments)
    assert ran.code == 0, ran.stderr
    assert [(v["video_id"], v["source"], v["status"]) for v in ran.done["videos"]] == [
        ("one", "shelf://one", "ok"),
        ("two", "shelf://two", "ok"),
    ]
    assert (out / "downloads/one/one.mp4").read_bytes() == (shelf / "one.mp4").read_bytes()
    unified = json.loads((out / "unified_analysis/one.json").read_text())
    assert unified["metadata"]["description"] == "This is one. #toy"
    assert unified["metadata"]["url"] == "shelf://one"
    assert unified["pipeline_details"]["scene_detection"] == {"ok": True, "reason": None}

    again = submit(out, shelf, *arguments)
    assert [v["skipped"] for v in again.done["videos"]] == [True, True]

    (shelf / "one.txt").write_text("Another caption")
    renamed = submit(out, shelf, *arguments)
    assert renamed.code == 0, renamed.stderr
    unified = json.loads((out / "unified_analysis/one.json").read_text())
    assert unified["metadata"]["description"] == "Another caption"


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Two seconds of black, then two of white."""
    path = tmp_path / "night.mp4"
    black, white = (0, 0, 0), (255, 255, 255)
    shots = (Shot("solid", 2.0, colours=(black, black)), Shot("solid", 2.0, colours=(white, white)))
    render(ClipSpec(shots=shots, width=160, height=284, fps=12, silent=True), path)
    return path


def test_a_service_of_ones_own_has_its_file_entries_report_and_line_and_is_resumed(tmp_path: Path, night: Path) -> None:
    out = tmp_path / "out"
    arguments = ("submit", night, "--plugins", PLUGINS / "toy_service.py", "--out", out)
    arguments = (*arguments, "--services", "brightness,scene_detection,audio_energy")
    ran = orch(*arguments, "--json")
    assert ran.code == 0, ran.stderr
    (video,) = ran.done["videos"]
    assert (video["status"], video["services"]["brightness"]["ok"]) == ("ok", True)
    assert video["summary"]["brightness"] == pytest.approx(0.5, abs=0.05)

    stored = json.loads((out / "brightness_outputs/night/night_brightness.json").read_text())
    assert [sample["timestamp"] for sample in stored["samples"]] == pytest.approx([k / 2 for k in range(8)])
    assert [sample["level"] > 0.5 for sample in stored["samples"]] == [False] * 4 + [True] * 4
    assert (stored["cuts"], stored["metadata"]["frames_analyzed"], stored["metadata"]["device"]) == (1, 8, "cpu")

    unified = json.loads((out / "unified_analysis/night.json").read_text())
    assert unified["ml_data"]["brightness"] == stored
    assert unified["pipeline_details"]["brightness"] == {"ok": True, "reason": None}
    dark = [(entry["start"], entry["end"]) for entry in unified["timeline"]["entries"] if entry["entry_type"] == "dark"]
    assert dark == [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5), (1.5, 2.0)]
    (report,) = (out / "insights/night").glob("report_*.json")
    assert json.loads(report.read_text())["ml_completion_details"]["brightness"] is True

    again = orch(*arguments, "--json").done["videos"][0]
    assert (again["skipped"], again["services"]["brightness"]["cached"]) == (True, True)
    denser = orch(*arguments, "--sample-fps", "4", "--json").done["videos"][0]["services"]
    assert {name: facts["cached"] for name, facts in denser.items()} == {
        "brightness": False, "scene_detection": True, "audio_energy": True,
    }  # fmt: skip
    told = orch(*arguments)
    assert "brightness  50% on average" in told.stdout.replace("49%", "50%").replace("51%", "50%")

    rebuilt = tmp_path / "rebuilt"
    recomputed = orch("recompute", out, "--out", rebuilt, "--plugins", PLUGINS / "toy_service.py")
    assert recomputed.code == 0, recomputed.stderr
    analysis = json.loads((rebuilt / "unified_analysis/night.json").read_text())
    assert analysis["ml_data"]["brightness"]["cuts"] == 1
    assert "dark" in analysis["processing_metadata"]["entry_types"]


def test_a_service_that_is_nobodys_is_a_mistake_of_the_user(night: Path) -> None:
    ran = orch("submit", night, "--services", "brightness", "--json")
    assert ran.code == 2
    assert ran.done["error"]["type"] == "ConfigurationError"
    assert "brightness" in ran.done["error"]["message"]


def test_a_name_that_the_source_does_not_know_is_a_mistake_of_the_user(tmp_path: Path, shelf: Path) -> None:
    ran = submit(tmp_path / "out", shelf, "shelf://three")
    assert ran.code == 2
    assert ran.done["error"]["type"] == "SourceError"


@pytest.mark.parametrize("plugin", ["absent.py", "absent.module"])
def test_a_plugin_that_is_not_there_is_named(plugin: str, tmp_path: Path) -> None:
    ran = orch("submit", tmp_path, "--plugins", plugin, "--json")
    assert ran.code == 2
    assert ran.done["error"]["type"] == "ConfigurationError"
    assert plugin in ran.done["error"]["message"]
