"""Pictures named on the command line: posts of stills, and animations that are played once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .running import orch


def test_pictures_are_posts_and_are_made_into_videos_once(tmp_path: Path) -> None:
    colours = np.random.default_rng(3).integers(0, 255, (4, 4, 6, 3), dtype=np.uint8)
    pictures = [Image.fromarray(pixels).resize((320, 180)) for pixels in colours]
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures[0].save(tmp_path / "photo.jpg", exif=exif)
    pictures[1].save(tmp_path / "loop.gif", save_all=True, append_images=pictures[2:], duration=600)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    out = tmp_path / "out"
    names = [tmp_path / name for name in ("photo.jpg", "loop.gif", "broken.png")]
    arguments = ["submit", *names, "--services", "scene_detection,audio_energy", "--out", out, "--json"]
    env = {**os.environ, "RUMIAI_CLEANUP_VIDEO": "true"}
    ran = orch(*arguments, env=env)
    photo, loop, broken = ran.done["videos"]
    assert (photo["status"], loop["status"], broken["status"]) == ("ok", "ok", "failed")
    assert (broken["error"]["type"], ran.code) == ("ProbeError", 5)
    assert "broken.png is no picture that we can read" in broken["error"]["message"]

    unified = json.loads((out / "unified_analysis" / "photo.json").read_text())
    assert unified["metadata"]["stills"] == {"pictures": 1, "seconds_each": 3.0}
    assert (unified["metadata"]["width"], unified["metadata"]["height"]) == (180, 320)
    assert unified["metadata"]["duration"] == pytest.approx(3.0)
    unified = json.loads((out / "unified_analysis" / "loop.json").read_text())
    assert "stills" not in unified["metadata"]
    scenes = unified["ml_data"]["scene_detection"]["scenes"]
    assert [scene["start_time"] for scene in scenes] == pytest.approx([0.0, 0.6, 1.2])
    # The videos were the run's own; the pictures are the user's.
    assert not list((out / "downloads").rglob("*.mp4"))
    assert all(path.exists() for path in names)

    again = orch(*arguments, env=env)
    assert [video["skipped"] for video in again.done["videos"]] == [True, True, False]
