"""``rumiai-triton serve`` as a process: how it starts, how it ends, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from rumiai.contracts.tensors import YOLO

from ..conftest import RunningServer, serving
from .calling import by_grpc

pytestmark = pytest.mark.server

COMMAND = [sys.executable, "-m", "rumiai_server", "serve"]
IMAGE = np.full((1, 64, 64, 3), 90, np.uint8)


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own for server files and for temporary ones."""
    for name in ("run", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path


def fails(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


def descendants(server: RunningServer) -> list[psutil.Process]:
    found = psutil.Process(server.process.pid).children(recursive=True)
    assert [p.name() for p in found if p.name().startswith("tritonserver")], "no tritonserver: the test tests nothing"
    return found


def runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(children: list[psutil.Process], limit_s: float) -> list[psutil.Process]:
    """Those that are still there after this time; an orphan that init has not reaped yet has ended."""
    deadline = time.monotonic() + limit_s
    while alive := [process for process in children if runs(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return alive


def left_behind(runtime: Path, pid: int, children: list[psutil.Process]) -> list[str]:
    """What there should not be any more."""
    alive = ended(children, 10)
    segments = Path("/dev/shm").glob(f"rumiai-triton-{pid}-*")
    files = [*(runtime / "tmp").glob("rumiai-serve-*"), *(runtime / "run").rglob("*.json")]
    return [*map(str, alive), *map(str, segments), *map(str, files)]


@contextlib.contextmanager
def announced(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server as a person starts it, and what it printed when it was ready."""
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "stop" in line:
                break
        yield process, "".join(lines)
    finally:
        process.kill()
        process.wait(30)
        process.stdout.close()


def test_it_tells_a_person_where_it_listens_and_ctrl_c_ends_it(runtime):
    with announced("--models", "yolo") as (process, text):
        server_file = next((runtime / "run/rumiai").glob("*.json"))
        found = json.loads(server_file.read_text())
        assert text.startswith("serving yolo on ")
        assert re.search(rf"gRPC +{re.escape(found['grpc'])}\n", text)
        assert f"--server {found['grpc']}" in text
        health = re.search(r"HTTP +(http://\S+)\n", text)
        assert health is not None
        with urllib.request.urlopen(health[1], timeout=30) as response:
            assert response.status == 200
        assert found["token"] not in text
        assert server_file.stat().st_mode & 0o777 == 0o600
        assert server_file.parent.stat().st_mode & 0o777 == 0o700
        assert set(found) == {"grpc", "http", "metrics", "token", "models", "pid", "device", "owner", "state"}
        assert found["state"] == {"yolo": "up"}
        assert {found[key].rpartition(":")[0] for key in ("grpc", "http")} == {"127.0.0.1"}

        children = psutil.Process(process.pid).children(recursive=True)
        listening = {
            connection.laddr.ip.removeprefix("::ffff:")  # Triton's HTTP listens on IPv4 through an IPv6 socket
            for child in children
            for connection in child.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert left_behind(runtime, process.pid, children) == []


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_nothing_is_left(runtime, signum):
    with serving(runtime / "log", "--models", "yolo") as server:
        children = descendants(server)
        assert server.stop(signum) == 0
        assert left_behind(runtime, server.process.pid, children) == []


def test_it_ends_with_its_parent(runtime):
    with serving(runtime / "log", "--models", "yolo") as server:
        children = descendants(server)
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.process.wait(60) == 0
        assert left_behind(runtime, server.process.pid, children) == []


def test_a_model_that_a_request_ends_is_loaded_again(runtime):
    """The shape's size is right, so Triton 2.51 takes it, and its Python backend aborts: see the supervisor."""
    with serving(runtime / "log", "--models", "yolo") as server:
        with contextlib.closing(triton_grpc.InferenceServerClient(server.grpc)) as client:
            wire = triton_grpc.InferInput("IMAGES", [1, -64, -64, 3], "UINT8")
            wire._raw_content = IMAGE.tobytes()
            with pytest.raises(InferenceServerException, match="not healthy"):
                client.infer("yolo", [wire])
        wait_served(server, 120)
        assert "yolo: its process has ended; loading it again" in server.log.read_text()
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 20  # Triton itself would wait 30 s for the dead process


def test_after_a_kill_its_children_end_and_the_next_start_sweeps(runtime):
    with serving(runtime / "log", "--models", "yolo") as server:
        children = descendants(server)
        server.process.kill()
        server.process.wait(30)
        assert ended(children, 30) == []
        left = left_behind(runtime, server.process.pid, [])
        assert any("rumiai-serve-" in name for name in left), "the kill left nothing: the test tests nothing"
        # Sweeping comes before anything that can fail, so a start that fails is enough.
        with taken_port() as port:
            assert fails("--models", "yolo", "--grpc-port", str(port)).returncode == 2
        assert left_behind(runtime, server.process.pid, []) == []


def wait_served(server: RunningServer, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        try:
            by_grpc(server, YOLO, IMAGE, {})
        except InferenceServerException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


@contextlib.contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


@pytest.mark.parametrize("option", ["--grpc-port", "--http-port", "--metrics-port"])
def test_a_taken_port_is_a_usage_error(option):
    with taken_port() as port:
        found = fails("--models", "yolo", option, str(port))
    assert found.returncode == 2
    assert f"error: cannot listen on 127.0.0.1:{port}: Address already in use (choose another port" in found.stderr
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--address", "0.0.0.0"], "error: will not listen on 0.0.0.0: the embedded Triton 2.51 has known vulnerabil"),
        (["--models", "yolo,sam"], "error: got models sam, expected some of yolo, ocr, whisper"),
        (["--models", " , "], "error: got models none, expected some of yolo, ocr, whisper"),
        (["--instances", "sam=2"], "error: got models sam, expected some of"),
        (["--instances", "yolo=0"], "expected at least 1 of each model"),
        (["--instances", "yolo"], "got 'yolo', expected NAME=VALUE"),
        (["--device", "tpu"], "'tpu' is not one of 'auto', 'cpu', 'cuda'"),
        (["--grpc-port", "70000"], "70000 is not in the range 0<=x<=65535"),
    ],
)
def test_what_cannot_be_asked_for(options, message):
    found = fails(*options)
    assert found.returncode == 2
    assert message in found.stderr
    assert "Traceback" not in found.stderr


def test_missing_weights_are_named_with_what_to_do(runtime):
    (runtime / "empty").mkdir()
    found = fails("--models", "yolo", RUMIAI_WEIGHTS_DIR=str(runtime / "empty"))
    assert found.returncode == 1
    error = found.stderr.splitlines()[-1]
    assert error.startswith("error: Triton could not load yolo")
    assert "yolov8n.onnx" in error
    assert "weights fetch" in error
    assert [*(runtime / "tmp").glob("rumiai-serve-*"), *(runtime / "run").rglob("*.json")] == []
