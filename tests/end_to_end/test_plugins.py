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
