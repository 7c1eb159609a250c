"""Captions through a real server: alike ones, held frames, a stream with few frames, all in one short video each."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from rumiai.demo import Caption, ClipSpec, Shot, render
from rumiai.demo.draw import CaptionPainter, ShotPainter

from ..conftest import RunningServer
from .running import orch

pytestmark = pytest.mark.server

WIDTH, HEIGHT = 360, 640


def _alike(folder: Path) -> Path:
    """Four captions that differ by their last letter, a second each; beside them one of two lines."""
    captions = [Caption(f"Option {c}", i, i + 1, (0.5, 0.3), 0.06) for i, c in enumerate("ABCD")]
    captions.append(Caption("My morning\nroutine", 0.4, 3.6, (0.5, 0.7), 0.06, outline=None, box=(20, 30, 70)))
    spec = ClipSpec((Shot("cat", 4.0),), tuple(captions), width=WIDTH, height=HEIGHT, fps=20, silent=True)
    render(spec, folder / "alike.mp4")
    return folder / "alike.mp4"


def _sparse(folder: Path) -> Path:
    """Three pictures that begin at 0, 1.3 and 2.3 s; the last is held to 5 s by a picture that equals it."""
    path, back = folder / "sparse.mp4", ShotPainter(Shot("coffee", 5.0), WIDTH, HEIGHT)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=1, options={"preset": "ultrafast", "bf": "0"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        for text, time_ms in (("INTRO", 0), ("ONE MORE", 1300), ("THE END", 2300), ("THE END", 5000)):
            image: Any = back.frame(0.0, 0)
            CaptionPainter(Caption(text, 0.0, 9.0, (0.5, 0.4), 0.08), WIDTH, HEIGHT).draw(image, 0.0)
            frame = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), "rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            out.mux(video.encode(frame))
        out.mux(video.encode())
    return path


def test_captions_as_people_see_them(triton_server: RunningServer, tmp_path: Path) -> None:
    paths = [_alike(tmp_path), _sparse(tmp_path)]
    out = tmp_path / "out"
    ran = orch("submit", *paths, "--out", out, "--server", triton_server.grpc, "--services", "ocr", "--json")
    assert ran.code == 0, ran.stderr
    found = {}
    for video in ran.done["videos"]:
        texts = json.loads(Path(video["files"]["ocr"]).read_text())["textAnnotations"]
        found[video["video_id"]] = [(text["text"], text["start"], text["end"]) for text in texts]
    frame_s = 0.05 + 1e-6
    options = [text for text in found["alike"] if text[0].startswith("Option")]
    assert options == [
        (f"Option {c}", pytest.approx(i, abs=frame_s), pytest.approx(i + 1, abs=frame_s)) for i, c in enumerate("ABCD")
    ]
    assert [text for text in found["alike"] if "routine" in text[0]] == [
        ("My morning routine", pytest.approx(0.4, abs=frame_s), pytest.approx(3.6, abs=frame_s))
    ]
    assert [text[0] for text in found["sparse"]] == ["INTRO", "ONE MORE", "THE END"]
    assert [text[1] for text in found["sparse"]] == pytest.approx([0.0, 1.3, 2.3], abs=1e-3)
    assert [text[2] for text in found["sparse"][:2]] == pytest.approx([1.3, 2.3], abs=1e-3)
