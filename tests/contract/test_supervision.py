"""Kills: whatever dies below ``rumiai-triton serve`` serves again, and nothing of a dead server stays."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import tritonclient.grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from rumiai.contracts.server_events import ServerEvent, ServerReady, ServerStateChange, read_event
from rumiai.core.processes import ProcessIdentity

from . import toy_server

pytestmark = pytest.mark.server

PROGRAM = Path(toy_server.__file__)
# A toy model is loaded within 3 s; the rest is for a busy machine.
LIMIT_S = 90.0


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own for server files and for temporary ones."""
    for name in ("run", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path


@dataclass
class Toy:
    """A launcher, what it has said, and a way to ask its model."""

    process: subprocess.Popen[bytes]
    events: queue.Queue[ServerEvent]
    ready: ServerReady

    def pid_of_model(self, wish: int = 0, timeout_s: float = 20.0) -> int:
        with contextlib.closing(triton_grpc.InferenceServerClient(self.ready.grpc)) as client:
            wire = triton_grpc.InferInput("IMAGES", [1, 8, 8, 3], "UINT8")
            wire.set_data_from_numpy(np.full((1, 8, 8, 3), wish, np.uint8))
            return int(client.infer("yolo", [wire], client_timeout=timeout_s).as_numpy("PID")[0, 0])

    def is_model_ready(self) -> bool:
        with contextlib.closing(triton_grpc.InferenceServerClient(self.ready.grpc)) as client:
            return bool(client.is_model_ready("yolo"))

    def next_event(self) -> ServerStateChange:
        event = self.events.get(timeout=LIMIT_S)
        assert isinstance(event, ServerStateChange)
        return event

    def tritonserver(self) -> psutil.Process:
        [found] = [p for p in psutil.Process(self.process.pid).children() if p.name() == "tritonserver"]
        return found

    def state_in_file(self) -> dict[str, str]:
        [path] = Path(os.environ["XDG_RUNTIME_DIR"], "rumiai").glob("*.json")
        content = json.loads(path.read_text())
        assert content["token"] == self.ready.token
        state: dict[str, str] = content["state"]
        return state

    @contextlib.contextmanager
    def request_in_flight(self, wish: int) -> Iterator[None]:
        """A request that the model is busy with, from a thread that takes any answer."""

        def send() -> None:
            with contextlib.suppress(InferenceServerException):
                self.pid_of_model(wish, LIMIT_S)

        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(1.0)
        yield
        thread.join(LIMIT_S)
        assert not thread.is_alive()


@contextlib.contextmanager
def started(repository: Path, failures: int = 5) -> Iterator[tuple[subprocess.Popen[bytes], queue.Queue[ServerEvent]]]:
    with (repository.parent / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(repository), str(failures)], stdout=subprocess.PIPE, stderr=log
        )
    events: queue.Queue[ServerEvent] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                events.put(read_event(line))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield process, events
    finally:
        process.terminate()
        process.wait(LIMIT_S)
        reader.join()


@contextlib.contextmanager
def toy(folder: Path, failures: int = 5) -> Iterator[Toy]:
    with started(toy_server.write_repository(folder / "models"), failures) as (process, events):
        first = events.get(timeout=LIMIT_S)
        assert isinstance(first, ServerReady)
        yield Toy(process, events, first)


def wait_until(condition: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def residue(pid: int) -> list[str]:
    """What a launcher leaves in shared memory, the temporary folder, the run folder and the process table."""
    names = [*Path("/dev/shm").glob(f"rumiai-triton-{pid}-*"), *Path(os.environ["TMPDIR"]).glob("rumiai-serve-*")]
    names += Path(os.environ["XDG_RUNTIME_DIR"]).rglob("*.json")
    return [*map(str, names), *(f"pid {p}" for p in processes_of(pid))]


def processes_of(launcher: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"\0RUMIAI_SERVER_OWNER={launcher}-".encode() in b"\0" + path.read_bytes():
                found.append(int(path.parent.name))
    return found


def test_a_model_that_is_killed_three_times_serves_again_each_time(runtime):
    with toy(runtime) as server:
        pid = server.pid_of_model()
        seen = {pid}
        for _ in range(3):
            os.kill(pid, signal.SIGKILL)
            # Triton itself would go on calling it ready.
            down = server.next_event()
            assert (down.event, down.model, down.reason) == ("model_down", "yolo", "its process has ended")
            up = server.next_event()
            assert (up.event, up.model) == ("model_up", "yolo")
            assert up.down_s is not None
            assert 0 < up.down_s < LIMIT_S
            pid = server.pid_of_model()  # at once: it is called up when it answers
            assert pid not in seen
            seen.add(pid)
            assert server.state_in_file() == {"yolo": "up"}
        assert len(seen) == 4


def test_a_dead_model_is_not_called_ready(runtime):
    with started(toy_server.write_repository(runtime / "models", load_s=4.0)) as (process, events):
        ready = events.get(timeout=LIMIT_S)
        assert isinstance(ready, ServerReady)
        server = Toy(process, events, ready)
        assert server.is_model_ready()
        os.kill(server.pid_of_model(), signal.SIGKILL)
        wait_until(lambda: not server.is_model_ready(), 3.0)
        assert server.next_event().event == "model_down"
        assert server.state_in_file() == {"yolo": "down"}
        assert not server.is_model_ready()  # it takes 4 s to load
        assert server.next_event().event == "model_up"
        assert server.is_model_ready()


def test_a_model_that_was_stopped_is_ended_and_serves_again(runtime):
    with toy(runtime) as server:
        os.kill(server.pid_of_model(), signal.SIGSTOP)
        assert (server.next_event().event, server.next_event().event) == ("model_down", "model_up")
        server.pid_of_model()
        assert "has been stopped for 10 s: ended" in (runtime / "log").read_text()


def test_a_model_that_is_killed_while_it_loads_does_not_fail_the_start(runtime):
    with started(toy_server.write_repository(runtime / "models", load_s=3.0)) as (process, events):
        # guard_process has made the pool private, so the model is being initialised.
        pools = f"rumiai-triton-{process.pid}-*"
        wait_until(lambda: any(p.stat().st_mode & 0o077 == 0 for p in Path("/dev/shm").glob(pools)), LIMIT_S)
        [stub] = [p for p in psutil.Process(process.pid).children(recursive=True) if "backend_stub" in p.cmdline()[0]]
        stub.kill()
        assert isinstance(events.get(timeout=LIMIT_S), ServerReady)


def test_a_model_that_cannot_be_loaded_any_more_takes_the_others_down_once_at_most(runtime):
    repository = toy_server.write_repository(runtime / "models", models=("ocr", "yolo"))
    with started(repository) as (process, events):
        ready = events.get(timeout=LIMIT_S)
        assert isinstance(ready, ServerReady)
        server = Toy(process, events, ready)
        pid = server.pid_of_model()
        [program] = (runtime / "tmp").glob("rumiai-serve-*/models/yolo/1/model.py")
        whole = program.read_text()
        program.write_text("raise RuntimeError('its file is damaged')\n")
        os.kill(pid, signal.SIGKILL)
        assert (server.next_event().event, server.next_event().event) == ("model_down", "server_down")
        up = server.next_event()
        assert (up.event, up.model) == ("model_up", "ocr")
        assert server.state_in_file() == {"ocr": "up", "yolo": "down"}
        assert "yolo could not be loaded 4 times in a row: " in (runtime / "log").read_text()
        assert "its file is damaged" in (runtime / "log").read_text()
        program.write_text(whole)
        up = server.next_event()
        assert (up.event, up.model) == ("model_up", "yolo")
        assert server.next_event().event == "server_up"
        assert server.pid_of_model() != pid


def test_a_killed_tritonserver_serves_again_at_the_same_address(runtime):
    with toy(runtime) as server:
        first = server.pid_of_model()
        # The model holds the interpreter, so it cannot see by itself that its server has gone.
        with server.request_in_flight(2):
            server.tritonserver().kill()
        down = server.next_event()
        assert (down.event, down.reason) == ("server_down", "killed by SIGKILL")
        assert server.next_event().event == "model_up"
        assert server.next_event().event == "server_up"
        assert ProcessIdentity.of(first) is None  # it has ended; a zombie counts as such
        assert server.pid_of_model() != first
        assert server.state_in_file() == {"yolo": "up"}


# With the default limits of Triton 2.51 each ends the server: CVE-2025-23310 is the second.
def nested_json(address: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("POST", "/v2/models/yolo/infer", b"[" * 200_000)
    connection.getresponse()


def a_million_chunks(address: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.putrequest("POST", "/v2/models/yolo/infer")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    connection.send(b"1\r\nA\r\n" * 1_000_000 + b"0\r\n\r\n")
    connection.getresponse()


@pytest.mark.parametrize("attack", [nested_json, a_million_chunks])
def test_a_request_that_ends_tritonserver_ends_nothing_for_good(runtime, attack):
    with toy(runtime) as server:
        assert server.ready.http is not None
        with contextlib.suppress(OSError, http.client.HTTPException):
            attack(server.ready.http)
        assert server.next_event().event == "server_down"
        while server.next_event().event != "server_up":
            pass
        assert server.pid_of_model() > 0


def test_a_server_that_ends_again_and_again_is_given_up(runtime):
    with toy(runtime, failures=2) as server:
        server.tritonserver().kill()
        while server.next_event().event != "server_up":
            pass
        server.tritonserver().kill()
        gave_up = server.next_event()
        assert gave_up.event == "gave_up"
        assert gave_up.reason is not None
        assert gave_up.reason.startswith("tritonserver ended 2 times within ")
        assert gave_up.reason.endswith(" s, the last time: killed by SIGKILL")
        assert server.process.wait(LIMIT_S) == 1
        assert "error: tritonserver ended 2 times within " in (runtime / "log").read_text()
        assert residue(server.process.pid) == []


def test_the_next_start_removes_what_a_killed_launcher_left_and_nothing_else(runtime):
    with toy(runtime / "a") as other, toy(runtime / "b") as server:
        other_pid = other.pid_of_model()
        with server.request_in_flight(2):
            tritonserver = server.tritonserver()
            server.process.kill()
            server.process.wait(LIMIT_S)
            tritonserver.kill()  # else it may end in order and clean up
        pid = server.process.pid
        left = residue(pid)
        assert any("/dev/shm/" in name for name in left)
        assert any("rumiai-serve-" in name for name in left)
        assert any("pid " in name for name in left), "the killed server left no process: the test tests nothing"
        third = subprocess.run(  # a start that fails, which is enough: sweeping comes first
            [sys.executable, "-m", "rumiai_server", "serve", "--models", "yolo", "--yolo-weights", __file__],
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert third.returncode == 1
        mine = [name for name in residue(pid) if not name.endswith(".json") and f"-{other.process.pid}-" not in name]
        assert mine == []
        assert other.pid_of_model() == other_pid
        assert other.state_in_file() == {"yolo": "up"}  # the one file that is left


def test_its_memory_and_folders_are_for_its_user_alone(runtime):
    with toy(runtime) as server:
        for path in (*Path("/dev/shm").glob(f"rumiai-triton-{server.process.pid}-*"), *(runtime / "tmp").iterdir()):
            assert path.stat().st_mode & 0o077 == 0, path


def test_no_secret_is_in_the_environment_of_triton_and_its_models(runtime, monkeypatch):
    monkeypatch.setenv("CLAUDE_API_KEY", "sk-test-not-a-key")
    with toy(runtime) as server:
        found = processes_of(server.process.pid)
        assert len(found) == 2  # tritonserver and one model process
        for pid in found:
            assert b"sk-test-not-a-key" not in Path(f"/proc/{pid}/environ").read_bytes()
