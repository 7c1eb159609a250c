"""What all tests share: weights, a running model server, clips with known truth."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import PIL.Image
import pytest
from hypothesis import settings

# Idle OpenMP threads that spin take the cores from everything else; it must be set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from rumiai.demo import Caption, ClipSpec, Shot, Truth, Utterance, View, render

# The same examples on every machine and in every run; for new ones: HYPOTHESIS_PROFILE=default. No deadlines: a busy
# machine is no error, and what has a limit measures its processor time.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# Started under ``nohup``, or in a script's background, the tests and all that they start would ignore what they send.
for _signal, _usual in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _usual)


_SCHEDULING = os.sched_getscheduler(0)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """No test leaves the process with real-time priority: what it starts then would starve the machine."""
    assert os.sched_getscheduler(0) == _SCHEDULING, "this test, or a library in it, changed the scheduling class"


# ultralytics, which tests of the server import, puts another function in its place, that fails otherwise. The
# orchestrator's processes never import it.
PILLOWS_OPEN = PIL.Image.open

_DEFAULT_WEIGHTS_DIR = Path.home() / ".cache/rumiai/weights"


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """Where a weights file lies, by its name in ``weights.toml``; fails when ``make setup`` has not fetched it."""
    root = Path(os.environ.get("RUMIAI_WEIGHTS_DIR", _DEFAULT_WEIGHTS_DIR))

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.fail(f"{path} is missing: run `make setup`")
        return path

    return find


@dataclass(frozen=True)
class RunningServer:
    """A server as a child process, and what it said when it was ready."""

    grpc: str
    http: str
    metrics: str
    token: str
    process: subprocess.Popen[str]
    log: Path

    def stop(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        return self.process.wait(60)


def serve_command(*options: str) -> list[str]:
    return [sys.executable, "-m", "rumiai_server", "serve", "--json", "--until-stdin-closes", *options]


@contextlib.contextmanager
def serving(log: Path, *options: str) -> Iterator[RunningServer]:
    """``rumiai-triton serve`` with these options, ready."""
    with log.open("w") as stream:
        process = subprocess.Popen(
            serve_command(*options), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stream, text=True
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ready = _ready(process.stdout, log)
        yield RunningServer(ready["grpc"], ready["http"], ready["metrics"], ready["token"], process, log)
    finally:
        process.stdin.close()
        try:
            process.wait(60)
        finally:
            process.kill()
            process.stdout.close()


def _ready(stdout: IO[str], log: Path) -> dict[str, str]:
    line = stdout.readline()
    if not line:
        pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")
    ready: dict[str, str] = json.loads(line)
    return ready


@pytest.fixture(scope="session")
def triton_server(tmp_path_factory: pytest.TempPathFactory, weights: Callable[[str], Path]) -> Iterator[RunningServer]:
    """All three models, once for the whole session."""
    weights("yolov8n.onnx")
    with serving(tmp_path_factory.mktemp("server") / "log") as server:
        yield server


@dataclass(frozen=True)
class Clip:
    path: Path
    truth: Truth


def short_spec(**changes: object) -> ClipSpec:
    """Six seconds with two cuts, three captions and a sentence; small, so that it is analysed in seconds."""
    spec: dict[str, object] = {
        "shots": (
            Shot("zidane", 2.0, View(0.70, 0.5, 1.0)),
            Shot("bus", 2.0, View(0.5, 0.55, 1.2)),
            Shot("hopper", 2.0, View(0.5, 0.4, 1.1), View(0.5, 0.4, 1.2)),
        ),
        "captions": (
            Caption("WAIT FOR IT", 0.3, 1.8, (0.5, 0.70), 0.05),
            Caption("Take the bus", 2.2, 3.8, (0.5, 0.20), 0.05),
            Caption("FOLLOW ME", 4.3, 6.0, (0.5, 0.80), 0.05),
        ),
        "speech": (Utterance("Wait for it, this is the trick that saves you money.", 0.4),),
        "width": 360,
        "height": 640,
        "fps": 24,
    }
    return ClipSpec(**{**spec, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """The short clip as H.264 and AAC in mp4."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return Clip(path, render(short_spec(), path))
