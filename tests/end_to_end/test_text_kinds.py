"""A filmed sign and a caption laid over it, through a real server: the caption counts, the sign is in the scene."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from rumiai.demo import Caption

from ..conftest import RunningServer
from .running import alike, orch

pytestmark = pytest.mark.server

BENCH = Path(__file__).parents[2] / "bench"
CAPTION = Caption("you will not believe it", 0.4, 3.0, (0.5, 0.8), 0.035)


@pytest.fixture
def clips(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("text_kind_clips")
    for name in ("text_kind_clips", "scene_writing"):
        sys.modules.pop(name, None)


def test_a_caption_over_a_filmed_page_is_the_only_overlay(clips, triton_server: RunningServer, tmp_path: Path) -> None:
    clip = clips.KindClip(7, 576, 1024, 25, ((3.0, "pan", "page"),), (), (CAPTION,))
    clips.render(clip, tmp_path / "page.mp4")
    out = tmp_path / "out"
    ran = orch(
        "submit", tmp_path / "page.mp4", "--out", out, "--server", triton_server.grpc, "--json",
        "--services", "ocr,scene_detection",
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    unified = json.loads((out / "unified_analysis/page.json").read_text())
    texts = unified["ml_data"]["ocr"]["textAnnotations"]
    overlays = [text for text in texts if text["kind"] == "overlay"]
    assert [alike(text["text"], CAPTION.text) >= 0.8 for text in overlays] == [True], texts
    scene = [text for text in texts if text["kind"] == "scene"]
    assert scene
    metadata = unified["ml_data"]["ocr"]["metadata"]
    assert (metadata["overlay_texts"], metadata["scene_texts"]) == (1, len(scene))
    folder = out / "insights/page/visual_overlay_analysis"
    blocks = json.loads((folder / json.loads((folder / "latest.json").read_text())["ml"]).read_text())
    assert blocks["CoreMetrics"]["totalTextOverlays"] == 1
