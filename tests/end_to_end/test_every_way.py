"""A file, a web address, an object and a link to TikTok, each way in: a list, the service, Node; the same results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from rumiai.demo import ClipSpec, Shot, render

from ..faults.apify_server import TOKEN, apify
from ..node import node
from ..unit.s3_server import bucket_with, s3_server
from ..unit.web_server import file, serving
from .running import LIMIT_S, Done, Tracked, orch
from .test_service import free_port
from .test_service import serving as service

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = Path(__file__).parent / "plugins" / "tiktok_elsewhere.py"
POST = "7454000000000000001"
SERVICES = "scene_detection,audio_energy"
NODE = """
const { Runner } = require(process.argv[1]);
const [, , python, settings, ...sources] = process.argv;
(async () => {
  const told = [];
  for (const source of sources) {
    told.push(await new Runner({ python }).run(source, { settings: JSON.parse(settings) }));
  }
  console.log(JSON.stringify(told.map((result) => result.video_id)));
})().catch((error) => { console.error(error); process.exit(1); });
"""


@dataclass(frozen=True)
class Places:
    """Four videos: what they are called, and by which variables they are reached."""

    sources: tuple[str, ...]
    ids: tuple[str, ...]
    env: Mapping[str, str]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("places")
    for name, kind in (("here", "gradient"), ("web", "noise"), ("cloud", "gradient"), ("post", "noise")):
        spec = ClipSpec(shots=(Shot(kind, 1.0), Shot("noise", 1.0)), width=160, height=284, fps=12, tone_hz=440.0)
        render(spec, folder / f"{name}.mp4")
    content = {path.stem: path.read_bytes() for path in folder.glob("*.mp4")}
    with apify() as world, s3_server() as cloud, serving(file(content["web"])) as site:
        world.video_post(POST, content["post"])
        bucket_with(cloud, "videos", {"posts/cloud.mp4": content["cloud"]})
        env = {name: value for name, value in os.environ.items() if not name.startswith("APIFY")}
        env |= {**cloud, "APIFY_ELSEWHERE": world.api, "APIFY_API_TOKEN": TOKEN, "RUMIAI_PLUGINS": str(PLUGIN)}
        env["RUMIAI_ALLOW_ADDRESSES"] = "127.0.0.1,localhost"
        link = f"https://www.tiktok.com/@somebody/video/{POST}"
        sources = (str(folder / "here.mp4"), site.url("/media/web.mp4"), "s3://videos/posts/cloud.mp4", link)
        yield Places(sources, ("here", "web", "cloud", POST), env)


@pytest.fixture(scope="module")
def listed(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a list, and on the way what ``status`` says of the run."""
    folder = tmp_path_factory.mktemp("listed")
    manifest, out = folder / "posts.jsonl", folder / "out"
    manifest.write_text("".join(json.dumps({"source": source}) + "\n" for source in places.sources))
    env = dict(places.env)
    options = ("--services", SERVICES, "--workers", "1", "--json")
    run = Tracked("submit", "--manifest", manifest, "--out", out, *options, env=env)
    try:
        run.read_until('"event": "run"')
        assert status(out, env)["state"] == "running"
    finally:
        done = run.finish()
    assert done.code == 0, done.stderr
    after = status(out, env)
    assert (after["state"], after["counts"]["ok"], after["exit_code"]) == ("done", 4, 0)
    return out


def status(out: Path, env: dict[str, str]) -> dict[str, Any]:
    told = orch("status", "--out", out, "--json", env=env)
    assert told.code == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)["run"]
    return found


def blocks(out: Path) -> dict[tuple[str, str], Any]:
    """Video and analysis -> the six blocks."""
    found = {}
    for latest in (out / "insights").glob("*/*/latest.json"):
        newest = latest.parent / json.loads(latest.read_text())["ml"]
        found[latest.parts[-3], latest.parts[-2]] = json.loads(newest.read_text())
    return found


def test_the_service_gives_what_a_list_gives(places: Places, listed: Path, tmp_path: Path) -> None:
    out, port, log = tmp_path / "out", free_port(), tmp_path / "log"
    made: Done = orch("keys", "add", "--out", out, "--name", "test", "--json")
    headers = {"Authorization": f"Bearer {json.loads(made.stdout)['key']}"}
    env = dict(places.env)
    allowed = (
        "--services",
        SERVICES,
        "--allow-source",
        str(Path(places.sources[0]).parent),
        "--allow-source",
        "s3://videos/",
    )
    with (
        service(out, port, None, log, *allowed, env=env),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as api,
    ):
        accepted = api.post("/v1/runs", json={"sources": places.sources})
        assert accepted.status_code == 202, accepted.text
        run = accepted.json()["id"]
        assert status(out, env)["state"] in ("accepted", "running", "done")
        deadline = time.monotonic() + LIMIT_S / 2
        while (now := api.get(f"/v1/runs/{run}").json())["state"] in ("accepted", "running"):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
    assert (now["state"], now["exit_code"], now["videos"]["ok"]) == ("done", 0, 4), now
    assert status(out, env)["state"] == "done"
    assert blocks(out) == blocks(listed)


def test_node_gives_what_a_list_gives(places: Places, listed: Path, tmp_path: Path) -> None:
    settings = json.dumps({"out": str(tmp_path / "out"), "services": SERVICES.split(",")})
    command = [node(), "-e", NODE, str(ROOT / "clients/node"), sys.executable, settings, *places.sources]
    ran = subprocess.run(command, capture_output=True, text=True, env=dict(places.env), timeout=LIMIT_S, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == list(places.ids)
    assert blocks(tmp_path / "out") == blocks(listed)


def test_each_place_gave_its_video(places: Places, listed: Path) -> None:
    found = blocks(listed)
    assert len(found) == 7 * 4
    assert {video for video, _ in found} == set(places.ids)
    # What the platform knows of the post is in its analysis; of the others nothing is known.
    views = {video: found[video, "metadata_analysis"]["CoreMetrics"]["viewCount"] for video in places.ids}
    assert views[POST] is not None
    assert [views[video] for video in ("here", "web", "cloud")] == [None] * 3
