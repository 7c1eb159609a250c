"""The embedded model server: ``rumiai-triton serve`` as a child process, for the length of a run."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from rumiai.contracts.server_events import ServerEvent, ServerReady, ServerStateChange, read_event
from rumiai.core.secrets import without_secrets
from rumiai.errors import ContractError, ServerError, ServerGoneError
from rumiai.run.types import ServerAccess
from rumiai.settings import Settings

LOG = logging.getLogger(__name__)

# Loading all models takes 10 to 20 s on two cores; a slow disk or a busy machine takes a multiple. The child gives up
# by itself before this.
_START_LIMIT_S: Final = 960.0
# Triton gets 30 s for requests in flight; beyond that it is ended.
_STOP_LIMIT_S: Final = 40.0
_POLL_S: Final = 0.2
_LOG_LINES: Final = 12
# Of the 107 bytes that the path of a Unix socket has, what the server's own folders and names leave.
_TEMPORARY_BYTES: Final = 40

EventListener = Callable[[ServerStateChange], None]


@contextlib.contextmanager
def embedded_server(
    settings: Settings,
    models: tuple[str, ...],
    log_file: Path,
    stop: threading.Event,
    on_event: EventListener | None = None,
) -> Iterator[ServerAccess]:
    """Start a server with the given models, wait until they are loaded and warm, and stop it at the end.

    The server speaks gRPC only. Its environment holds no secrets. It watches its standard input: when this process
    ends, however it ends, the pipe closes and the server stops.

    Args:
        settings: Device, mode and model names.
        models: Which of yolo, ocr and whisper.
        log_file: Where the server's log goes. A file of an earlier run is replaced, not truncated: its server may still
            be writing.
        stop: Gives up waiting for the server when it is set.
        on_event: Told, from another thread, when the server or a model of it goes down or serves again, see
            :class:`ServerStateChange`; ``gave_up`` also when the launcher itself has ended. After it nothing serves at
            this address any more.

    Raises:
        ServerError: The server packages are missing, or it did not come up; with the end of its log.
        ServerGoneError: A signal ended it while it started.
    """
    if importlib.util.find_spec("pytriton") is None:
        raise ServerError(
            "the embedded server needs packages that are not installed",
            hint='pip install "rumiai[server]", or name a running server with --server HOST:PORT',
        )
    log_file.parent.mkdir(parents=True, exist_ok=True)
    log_file.unlink(missing_ok=True)
    with log_file.open("x", encoding="utf-8") as log:
        process = subprocess.Popen(
            _command(settings, models),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(),
            start_new_session=True,
        )
    assert process.stdout is not None
    events = _EventReader(process.stdout, on_event)
    try:
        ready = _wait_ready(process, events, log_file, stop)
        LOG.info("the models run on %s", ready.device)
        yield ServerAccess(ready.grpc, ready.token, ready.models)
    finally:
        events.stop_listening()
        _stop(process)


def _environment() -> dict[str, str]:
    """This process' environment without secrets, and without a ``TMPDIR`` that is too long for the server's sockets."""
    environment = without_secrets(os.environ)
    if len(os.fsencode(tempfile.gettempdir())) > _TEMPORARY_BYTES:
        for name in ("TMPDIR", "TEMP", "TMP"):
            environment.pop(name, None)
    return environment


def _command(settings: Settings, models: tuple[str, ...]) -> list[str]:
    command = [sys.executable, "-m", "rumiai_server", "serve", "--json", "--until-stdin-closes", "--no-http"]
    command += ["--models", ",".join(models), "--device", settings.device, "--mode", settings.mode]
    command += ["--yolo-weights", settings.yolo_weights, "--ocr-langs", settings.ocr_langs]
    command += ["--ocr-engine", settings.ocr_engine]
    return [*command, "--whisper-model", settings.whisper_model, "--whisper-engine", settings.whisper_engine]


class _EventReader:
    """Reads the child's events in a thread until its output ends."""

    def __init__(self, stream: IO[bytes], on_event: EventListener | None) -> None:
        self._on_event = on_event
        self._listening = threading.Event()
        self._listening.set()
        self._gave_up = False
        self.ready: ServerReady | None = None
        self.ended = threading.Event()
        self._first = threading.Event()
        threading.Thread(target=self._read, args=(stream,), daemon=True, name="server-events").start()

    def wait_first(self, timeout_s: float) -> bool:
        """Whether the child has said that it is ready, or has ended, within this time."""
        return self._first.wait(timeout_s)

    def stop_listening(self) -> None:
        """Report no further events: the server is being stopped on purpose."""
        self._listening.clear()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                try:
                    self._take(read_event(line))
                except ContractError as exc:
                    LOG.warning("model server: %s", exc)
        self.ended.set()
        self._first.set()
        if self.ready is not None and not self._gave_up:
            self._tell(ServerStateChange(event="gave_up", reason="the process of the model server has ended"))

    def _take(self, event: ServerEvent) -> None:
        if isinstance(event, ServerReady):
            self.ready = event
            self._first.set()
        else:
            self._gave_up = self._gave_up or event.event == "gave_up"
            self._tell(event)

    def _tell(self, event: ServerStateChange) -> None:
        if self._listening.is_set():
            LOG.warning("model server: %s", " ".join(filter(None, (event.event, event.model, event.reason))))
            if self._on_event is not None:
                self._on_event(event)


def _wait_ready(
    process: subprocess.Popen[bytes], events: _EventReader, log_file: Path, stop: threading.Event
) -> ServerReady:
    began = time.monotonic()
    while not events.wait_first(_POLL_S) and time.monotonic() - began < _START_LIMIT_S:
        if stop.is_set():
            break
    if events.ready is not None:
        return events.ready
    if stop.is_set():
        raise ServerError("stopped while the model server was starting")
    waited_s = time.monotonic() - began
    if not events.ended.is_set():
        raise ServerError(f"the model server was not ready after {waited_s:.0f} s", hint=_hint(log_file))
    with contextlib.suppress(subprocess.TimeoutExpired):  # its output has ended, it may still be cleaning up
        process.wait(_STOP_LIMIT_S)
    # Of its own accord it ends with a status and a reason; a signal may not come again.
    kind = ServerGoneError if (process.poll() or 0) < 0 else ServerError
    raise kind(f"the model server ended after {waited_s:.0f} s with exit status {process.poll()}", hint=_hint(log_file))


def _hint(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([f"the end of {log_file}:", *lines[-_LOG_LINES:]])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
