"""The main job sends nothing anywhere, and writes nowhere but to ``--out`` and its private folders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..conftest import Clip
from . import recording

RECORDER = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, recording.__file__]
CONTROL = """
import pathlib, socket
calls = (
    lambda: socket.getaddrinfo("telemetry.example", 443),
    lambda: socket.create_connection(("198.51.100.7", 443), 1),
)
for call in calls:
    try:
        call()
    except OSError:
        pass
pathlib.Path("/tmp/rumiai-test-control").touch()
pathlib.Path("/dev/shm/rumiai-test-control").touch()
"""


@dataclass(frozen=True)
class Recorded:
    code: int
    sent: list[str]
    files: list[str]
    shared_memory: list[str]
    log: str


def recorded(folder: Path, *command: str) -> Recorded:
    """Run a command cut off from the network, without the variable that stops some libraries' telemetry."""
    if os.getuid() or not all(shutil.which(tool) for tool in ("unshare", "ip", "mount")):
        pytest.skip("needs root, unshare, ip and mount: a network namespace of its own")
    layers = folder / "layers"
    layers.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [*RECORDER, str(layers), *command], env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    if not done.stdout:
        pytest.skip(f"no namespaces, veth devices or overlays here: {done.stderr.strip().splitlines()[-1:]}")
    return Recorded(**json.loads(done.stdout), log=done.stderr)


def test_the_recording_sees_a_connect_a_look_up_and_files(tmp_path):
    found = recorded(tmp_path, sys.executable, "-c", CONTROL)
    assert found.code == 0, found.log
    assert "look-up of telemetry.example" in found.sent
    assert "tcp to 198.51.100.7 port 443" in found.sent
    assert "/tmp/rumiai-test-control" in found.files
    assert found.shared_memory == ["rumiai-test-control"]


@pytest.mark.server
def test_the_main_job_connects_to_nobody_and_writes_only_results(tmp_path, clip: Clip):
    """Its server is started, every model gets requests, and all of it is stopped again."""
    program = "from rumiai.cli import main; main()"
    out = tmp_path / "out"
    found = recorded(
        tmp_path, sys.executable, "-c", program, "submit", str(clip.path), "--out", str(out), "--no-claude", "--json"
    )
    done = json.loads(found.log.strip().splitlines()[-1])
    assert (found.code, done["videos"][0]["status"]) == (0, "ok"), found.log
    assert found.sent == []
    private = (out, Path.home() / ".cache/rumiai")
    elsewhere = [path for path in found.files if not any(map(Path(path).is_relative_to, private))]
    assert [path for path in elsewhere if not path.endswith(".pyc")] == []  # Python's own, beside the sources
    assert f"{out}/logs/server.log" in found.files
    assert found.shared_memory == []
