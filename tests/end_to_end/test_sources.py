"""One list of a local file, a web address and an object, run by the program: the same results as the plain files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rumiai.demo import ClipSpec, Shot, render

from ..unit.s3_server import bucket_with, objects_in, s3_server
from ..unit.web_server import file, serving
from .running import Done, orch

SERVICES = ("--services", "scene_detection,audio_energy")
NAMES = ("one", "two", "three")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, kind in zip(NAMES, ("gradient", "noise", "gradient"), strict=True):
        spec = ClipSpec(shots=(Shot(kind, 1.0), Shot("noise", 1.0)), width=160, height=284, fps=12, tone_hz=440.0)
        render(spec, folder / f"{name}.mp4")
    return folder


@pytest.fixture(scope="module")
def cloud(clips: Path) -> Iterator[dict[str, str]]:
    with s3_server() as variables:
        bucket_with(variables, "videos", {"posts/three.mp4": (clips / "three.mp4").read_bytes()})
        bucket_with(variables, "results", {})
        yield {**os.environ, **variables, "RUMIAI_ALLOW_ADDRESSES": "127.0.0.1"}


def submit(out: Path, *arguments: str | Path, env: dict[str, str] | None = None) -> Done:
    return orch("submit", *arguments, "--out", out, *SERVICES, "--json", env=env)


def blocks(out: Path, video_id: str) -> dict[str, Any]:
    """The six blocks of each analysis."""
    found = {}
    for latest in (out / "insights" / video_id).glob("*/latest.json"):
        found[latest.parent.name] = json.loads((latest.parent / json.loads(latest.read_text())["ml"]).read_text())
    assert len(found) == 7
    return found


def test_a_list_of_three_kinds_gives_what_the_files_give(clips: Path, cloud: dict[str, str], tmp_path: Path) -> None:
    described = tmp_path / "described.jsonl"
    described.write_text(
        "".join(
            json.dumps({"id": name, "caption": f"Hello #{name}", "views": 1000 * n, "likes": 40 + 10 * n}) + "\n"
            for n, name in enumerate(NAMES, 1)
        )
    )
    plain = submit(tmp_path / "plain", *(clips / f"{name}.mp4" for name in NAMES), "--metadata", described)
    assert plain.code == 0, plain.stderr
    with serving(file((clips / "two.mp4").read_bytes())) as site:
        table = tmp_path / "posts.csv"
        table.write_text(
            "source,id,caption,views,likes\n"
            f"{clips / 'one.mp4'},7001,Hello #one,1000,50\n"
            f"{site.url('/media/two.mp4?sig=secret')},7002,Hello #two,2000,60\n"
            "s3://videos/posts/three.mp4,7003,Hello #three,3000,70\n"
            "gone.mp4,7004,Hello,1,1\n"
        )
        arguments = ("--manifest", table, "--upload", "s3://results/batch")
        listed = submit(tmp_path / "listed", *arguments, env=cloud)
        assert listed.code == 1, listed.stderr  # three were analysed, one could not be
        outcomes = {video["video_id"]: video for video in listed.done["videos"]}
        assert {name: video["status"] for name, video in outcomes.items()} == {
            "7001": "ok", "7002": "ok", "7003": "ok", "7004": "failed",
        }  # fmt: skip
        assert "posts.csv, line 5: " in outcomes["7004"]["error"]["message"]
        assert "secret" not in listed.stdout + listed.stderr

        for number, name in enumerate(NAMES, 1):
            found = blocks(tmp_path / "listed", f"700{number}")
            assert found == blocks(tmp_path / "plain", name)
            assert found["metadata_analysis"]["CoreMetrics"]["viewCount"] == 1000 * number

        # What was finished is in the bucket, and another machine goes on from there.
        stored = objects_in(cloud, "results")
        assert {f"batch/unified_analysis/700{number}.json" for number in (1, 2, 3)} <= stored.keys()
        assert not any(b"secret" in content for content in stored.values())
        elsewhere = submit(tmp_path / "elsewhere", *arguments, env=cloud)
        skipped = {video["video_id"]: video["skipped"] for video in elsewhere.done["videos"] if not video["error"]}
        assert skipped == {"7001": True, "7002": True, "7003": True}, elsewhere.stderr


def test_copies_are_removed_and_results_stay(clips: Path, cloud: dict[str, str], tmp_path: Path) -> None:
    env = {**cloud, "RUMIAI_CLEANUP_VIDEO": "true"}
    with serving(file((clips / "two.mp4").read_bytes())) as site:
        first = submit(tmp_path / "out", site.url("/two.mp4"), clips / "one.mp4", env=env)
        assert first.code == 0, first.stderr
        assert not list((tmp_path / "out" / "downloads").rglob("*.mp4"))
        assert (clips / "one.mp4").exists()
        asked = len(site.requests)
        again = submit(tmp_path / "out", site.url("/two.mp4"), env=env)
        assert [video["skipped"] for video in again.done["videos"]] == [True], again.stderr
        assert len(site.requests) == asked
        # A result that is lost is made again, and the video is brought again for it.
        next((tmp_path / "out" / "scene_detection_outputs").rglob("two*.json")).unlink()
        other = submit(tmp_path / "out", site.url("/two.mp4"), env=env)
        assert [(v["status"], v["skipped"]) for v in other.done["videos"]] == [("ok", False)], other.stderr
        assert len(site.requests) == asked + 1
    assert not list((tmp_path / "out" / "downloads").rglob("*.mp4"))
