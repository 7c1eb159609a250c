"""A run that is sent to a service which is killed in the middle ends as a run here: once, with the same results."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ..conftest import Clip, RunningServer
from .running import COMMAND, Tracked, orch

SERVICES = ("--services", "yolo,scene_detection,audio_energy", "--no-claude")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def serving(
    out: Path, port: int, models: str | None, log: Path, *more: str, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """``rumiai-orch serve`` over this folder, listening; killed at the end."""
    options = ["--out", str(out), "--port", str(port), "--workers", "1", "--claude", "off", *more]
    options += ["--server", models] if models else []
    with log.open("a") as stream:
        command = [*COMMAND, "serve", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, text=True, env=env)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().strip() == f"http://127.0.0.1:{port}", log.read_text()
        yield process
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()


def blocks(out: Path) -> dict[str, object]:
    """Video and analysis -> its six blocks."""
    files = (out / "insights").glob("*/*/*_ml_*.json")
    return {f"{path.parts[-3]} {path.parts[-2]}": json.loads(path.read_text()) for path in files}


@pytest.mark.server
def test_a_run_sent_to_a_service_that_is_killed_ends_as_one_here(
    tmp_path: Path, clip: Clip, triton_server: RunningServer
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("a", "b", "c"):
        shutil.copy(clip.path, videos / f"{name}.mp4")
    here = orch("submit", videos, "--out", tmp_path / "here", "--server", triton_server.grpc, *SERVICES, "--json")
    assert here.code == 0, here.stderr

    out, port, log = tmp_path / "there", free_port(), tmp_path / "log"
    key = json.loads(orch("keys", "add", "--out", out, "--name", "test", "--json").stdout)["key"]
    client = {**os.environ, "RUMIAI_API_KEY": key}
    address = f"http://127.0.0.1:{port}"
    with serving(out, port, triton_server.grpc, log) as first:
        run = Tracked("submit", videos, "--out", tmp_path / "brought", "--to", address, *SERVICES, "--json", env=client)
        run.read_until('"event": "video"')
        first.kill()
        first.wait(60)
    time.sleep(1)  # callers find nobody
    with serving(out, port, triton_server.grpc, log):
        there = run.finish()
        assert there.code == 0, there.stderr
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}) as api:
            (listed,) = api.get("/v1/runs").json()["runs"]
            assert (listed["state"], listed["exit_code"], listed["videos"]["ok"]) == ("done", 0, 3)
            assert api.get("/readyz").json()["models"] == ["yolo", "whisper", "ocr"]

    # What came before the kill was read above; the rest tells each of the other videos once.
    assert sorted(event["video_id"] for event in there.events if event["event"] == "video") == ["b", "c"]
    members = ("video_id", "status", "error", "source", "summary", "warnings")
    told, expected = (
        [{name: video[name] for name in members} for video in done.done["videos"]] for done in (there, here)
    )
    assert told == expected
    assert blocks(tmp_path / "brought") == blocks(out) == blocks(tmp_path / "here")
    assert len(blocks(tmp_path / "brought")) == 21
    for video in there.done["videos"]:
        assert all(Path(path).is_relative_to(tmp_path / "brought") for path in video["files"].values())
        assert all(Path(path).is_file() for path in video["files"].values())
    assert not list((out / "uploads").iterdir())
