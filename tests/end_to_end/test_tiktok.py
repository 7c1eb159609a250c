"""Links to TikTok from the command line to analyses, against servers that speak Apify's and TikTok's side."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from rumiai.demo import ClipSpec, Shot, render

from ..faults.apify_server import PRIVATE, TOKEN, World, apify
from .running import COMMAND, Done, orch

PLUGIN = Path(__file__).parent / "plugins" / "tiktok_elsewhere.py"
VIDEO, PHOTOS, LOST = "7454000000000000001", "7454000000000000002", "7454000000000000003"
SERVICES = ("--services", "scene_detection,audio_energy")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[bytes], bytes]:
    """A video of two shots, three photographs of a phone held upright, and 4 s of sound."""
    folder = tmp_path_factory.mktemp("media")
    shots = (Shot("gradient", 1.0), Shot("noise", 1.0))
    render(ClipSpec(shots=shots, width=160, height=284, fps=12, silent=True), folder / "clip.mp4")
    rate = 44_100
    with av.open(str(folder / "sound.mp3"), "w") as out:
        stream = out.add_stream("mp3", rate=rate, layout="mono")
        samples = np.random.default_rng(1).uniform(-0.3, 0.3, (1, 4 * rate)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = rate
        for piece in av.AudioResampler(stream.format, "mono", rate, stream.codec_context.frame_size).resample(frame):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures = []
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (4, 6, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).resize((320, 180)).save(buffer, "JPEG", exif=exif)
        pictures.append(buffer.getvalue())
    return (folder / "clip.mp4").read_bytes(), pictures, (folder / "sound.mp3").read_bytes()


@pytest.fixture
def world(media: tuple[bytes, list[bytes], bytes]) -> Iterator[World]:
    video, pictures, sound = media
    with apify() as world:
        world.video_post(VIDEO, video)
        world.photo_post(PHOTOS, pictures, sound)
        world.short["ZMshort1"] = PHOTOS
        yield world


def environment(world: World, token: str = TOKEN) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("APIFY")}
    env |= {"APIFY_ELSEWHERE": world.api, "RUMIAI_ALLOW_ADDRESSES": "127.0.0.1,localhost"}
    if token:
        env["APIFY_API_TOKEN"] = token
    return env


def submit(world: World, out: Path, *arguments: str, token: str = TOKEN) -> Done:
    env = environment(world, token)
    return orch("submit", *arguments, *SERVICES, "--plugins", PLUGIN, "--out", out, "--json", env=env)


def block(out: Path, number: str, name: str) -> dict[str, Any]:
    """A block of the metadata analysis."""
    folder = out / "insights" / number / "metadata_analysis"
    latest = json.loads((folder / "latest.json").read_text())
    found: dict[str, Any] = json.loads((folder / latest["ml"]).read_text())[name]
    return found


def test_two_links_become_two_analysed_posts_and_a_rerun_asks_nobody(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    links = (f"https://www.tiktok.com/@somebody/video/{VIDEO}?x=1", "https://vm.tiktok.com/ZMshort1/")
    ran = submit(world, out, *links)
    assert ran.code == 0, ran.stderr
    assert [(video["video_id"], video["status"]) for video in ran.done["videos"]] == [(VIDEO, "ok"), (PHOTOS, "ok")]
    assert len(world.of_kind("start")) == 1
    assert not world.leaks

    for number in (VIDEO, PHOTOS):
        core = block(out, number, "CoreMetrics")
        assert None not in core.values()
        assert (core["viewCount"], core["saveCount"], core["publishHour"]) == (1000, 20, 0)
        interactions = block(out, number, "Interactions")
        assert interactions["creatorContext"]["followerCount"] == 12_000
        assert interactions["musicContext"] == {"name": "a song", "author": "a singer", "original": False}
        quality = block(out, number, "Quality")
        assert (quality["statsAvailable"], quality["publishTimeAvailable"], quality["creatorDataAvailable"]) == (
            True, True, True,
        )  # fmt: skip
        assert (out / "temp" / f"{number}_apify.json").is_file()

    post = json.loads((out / "unified_analysis" / f"{PHOTOS}.json").read_text())
    assert post["metadata"]["stills"] == {"pictures": 3, "seconds_each": 3.0}
    assert post["metadata"]["isSlideshow"] is True
    # Upright: the phone's pictures lie on their side.
    assert (post["metadata"]["width"], post["metadata"]["height"]) == (180, 320)
    scenes = post["ml_data"]["scene_detection"]["scenes"]
    assert [scene["start_time"] for scene in scenes] == pytest.approx([0.0, 3.0, 6.0])
    assert post["pipeline_details"]["audio_energy"]["ok"] is True

    text = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert not [private for private in (*PRIVATE, TOKEN) if private.encode() in text]
    assert TOKEN not in ran.stdout + ran.stderr

    asked = len(world.requests)
    again = submit(world, out, *links, token="")
    assert again.code == 0, again.stderr
    assert [video["skipped"] for video in again.done["videos"]] == [True, True]
    assert len(world.requests) == asked


def test_what_is_missing_of_posts_costs_these_posts_alone(world: World, tmp_path: Path) -> None:
    del world.files[f"/photo/{PHOTOS}/1.jpeg"]
    links = [f"https://www.tiktok.com/@somebody/video/{number}" for number in (LOST, PHOTOS, VIDEO)]
    world.posts[VIDEO]["mediaUrls"] = []
    ran = submit(world, tmp_path / "out", *links)
    lost, photos, video = ran.done["videos"]
    assert (lost["status"], lost["error"]["type"]) == ("failed", "SourceError")
    assert "Post not found or private" in lost["error"]["message"]
    assert (video["status"], video["error"]["type"]) == ("failed", "NoVideoError")
    assert "no downloadable video" in video["error"]["message"]
    assert photos["status"] == "partial"
    assert ran.code == 1
    event = next(e for e in ran.events if e["event"] == "video" and e["video_id"] == PHOTOS)
    assert any("picture 2 of 3 is missing" in warning for warning in event["warnings"])


@pytest.mark.parametrize(
    ("token", "code", "reason"),
    [("", 2, "APIFY_API_TOKEN is not set"), ("wrong", 2, "Apify token rejected")],
)
def test_without_a_good_token_nothing_begins(world: World, tmp_path: Path, token: str, code: int, reason: str) -> None:
    ran = submit(world, tmp_path / "out", f"https://www.tiktok.com/@somebody/video/{VIDEO}", token=token)
    assert ran.code == code
    assert ran.done["error"]["type"] == "ConfigurationError"
    assert reason in ran.done["error"]["message"]
    assert not (tmp_path / "out" / "insights").exists()


def test_after_a_kill_the_next_command_goes_on_with_the_same_run_of_the_scraper(world: World, tmp_path: Path) -> None:
    out, link = tmp_path / "out", f"https://www.tiktok.com/@somebody/video/{VIDEO}"
    world.polls = 1_000_000
    arguments = ["submit", link, *SERVICES, "--plugins", str(PLUGIN), "--out", str(out), "--json"]
    with subprocess.Popen([*COMMAND, *arguments], env=environment(world), stdout=subprocess.DEVNULL) as process:
        deadline_s = time.monotonic() + 60
        while len(world.of_kind("run")) < 2 and time.monotonic() < deadline_s:
            time.sleep(0.05)
        process.kill()
    world.polls = 1
    again = submit(world, out, link)
    assert again.code == 0, again.stderr
    assert len(world.of_kind("start")) == 1
    assert sorted(path.name for path in (out / "temp").iterdir()) == [f"{VIDEO}_apify.json"]
