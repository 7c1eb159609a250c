"""The embedded model server: ``rumiai-triton serve`` as a child process, for the length of a run."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from rumiai.errors import ServerError
from rumiai.run.types import ServerAccess
from rumiai.settings import Settings

# Loading all models takes 10 to 20 s on two cores; a slow disk or a busy machine takes a multiple. The child gives up
# by itself before this.
_START_LIMIT_S: Final = 960.0
# Triton gets 30 s for requests in flight; beyond that it is ended.
_STOP_LIMIT_S: Final = 40.0
_LOG_LINES: Final = 12


@contextlib.contextmanager
def embedded_server(
    settings: Settings, models: tuple[str, ...], log_file: Path, stop: threading.Event
) -> Iterator[ServerAccess]:
    """Start a server with the given models, wait until they are loaded and warm, and stop it at the end.

    The child watches its standard input: when this process goes, however it goes, the pipe closes and the child ends.

    Args:
        settings: Device, mode and model names.
        models: Which of yolo, ocr and whisper.
        log_file: Where the server's log goes.
        stop: Gives up waiting for it when it is set.

    Raises:
        ServerError: The server packages are missing, or it did not come up; with the end of its log.
    """
    if importlib.util.find_spec("pytriton") is None:
        raise ServerError(
            "the embedded server needs packages that are not installed",
            hint='pip install "rumiai[server]", or name a running server with --server HOST:PORT',
        )
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            _command(settings, models),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _wait_ready(process, log_file, stop)
    finally:
        _stop(process)


def _command(settings: Settings, models: tuple[str, ...]) -> list[str]:
    command = [sys.executable, "-m", "rumiai_server", "serve", "--json", "--until-stdin-closes"]
    command += ["--models", ",".join(models), "--device", settings.device, "--mode", settings.mode]
    command += ["--yolo-weights", settings.yolo_weights, "--ocr-langs", settings.ocr_langs]
    command += ["--ocr-engine", settings.ocr_engine]
    return [*command, "--whisper-model", settings.whisper_model, "--whisper-engine", settings.whisper_engine]


def _wait_ready(process: subprocess.Popen[bytes], log_file: Path, stop: threading.Event) -> ServerAccess:
    line = _read_line(process, time.monotonic() + _START_LIMIT_S, stop)
    if stop.is_set():
        raise ServerError("stopped while the model server was starting")
    try:
        ready = json.loads(line)
        return ServerAccess(ready["grpc"], ready["token"], tuple(ready["models"]))
    except (ValueError, KeyError) as exc:
        raise ServerError(
            f"the model server did not come up within {_START_LIMIT_S:.0f} s"
            if process.poll() is None
            else f"the model server ended with exit status {process.returncode}",
            hint=f"the end of {log_file}:\n{_tail(log_file)}",
        ) from exc


def _read_line(process: subprocess.Popen[bytes], deadline: float, stop: threading.Event) -> str:
    """The first line of the child's output; what there is when it ends or the time is over."""
    assert process.stdout is not None
    stream: IO[bytes] = process.stdout
    received = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while b"\n" not in received and time.monotonic() < deadline and not stop.is_set():
            if selector.select(0.2):
                piece = stream.read1(65536)  # type: ignore[attr-defined]
                if not piece:
                    process.wait(_STOP_LIMIT_S)
                    break
                received += piece
    return received.decode(errors="replace").partition("\n")[0]


def _tail(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LOG_LINES:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
