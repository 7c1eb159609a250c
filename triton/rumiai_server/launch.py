"""Start a supervised Triton over a runtime copy of ``model_repository/``. When it stops, nothing of it stays."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rumiai.core.processes import ProcessIdentity
from rumiai.errors import ConfigurationError
from rumiai_server.address import ServerAddress, server_file
from rumiai_server.leftovers import sweep
from rumiai_server.repository import device_name, render_repository, resolve_device
from rumiai_server.serve_config import ServeConfig
from rumiai_server.supervisor import EventSink, Supervisor
from rumiai_server.triton_log import TritonLog
from rumiai_server.triton_process import TritonProcess
from rumiai_server.workspace import TritonFiles, workspace

LOG = logging.getLogger("rumiai_server")

_POLL_S: Final = 0.2


@dataclass(frozen=True)
class Serving:
    """A server whose models have all answered."""

    address: ServerAddress
    supervisor: Supervisor

    def wait(self) -> None:
        """Wait until the server has been stopped.

        Raises:
            ServerError: It gave up.
        """
        self.supervisor.wait()


@contextlib.contextmanager
def running(config: ServeConfig, stop: threading.Event, emit: EventSink = lambda event: None) -> Iterator[Serving]:
    """A supervised server with all models loaded and tried out; stopped, and everything of it removed, at the end.

    Args:
        config: What to serve.
        stop: Stops the server, also while it starts; set at the end.
        emit: Told every event, from another thread.

    Raises:
        ServerError: It did not come up.
        ConfigurationError: A port is taken, the device is not there, or weights or a language are not known.
    """
    config.check_parameters()
    if removed := sweep():
        LOG.info("removed what killed servers left: %s", ", ".join(removed))
    device = resolve_device(config.device)
    address = _addresses(config, device_name(device))
    owner = ProcessIdentity.own()
    files = TritonFiles.find()
    log = TritonLog(on_gpu=device == "cuda")
    verbose = config.log_level == "TRACE"
    with workspace(owner, files) as space:
        render_repository(config, device, space.models)

        def start_triton(generation: int) -> TritonProcess:
            return TritonProcess(address, space, files, owner, generation, log, verbose=verbose)

        supervisor = Supervisor(address, owner, start_triton, config.restart_limit, stop, emit)
        thread = threading.Thread(target=supervisor.run, daemon=True, name="supervisor")
        thread.start()
        try:
            supervisor.wait_ready()
            yield Serving(address, supervisor)
        finally:
            stop.set()
            while thread.is_alive():
                supervisor.interrupt()
                thread.join(_POLL_S)
            server_file(int(address.grpc.rpartition(":")[2])).unlink(missing_ok=True)


def _addresses(config: ServeConfig, device: str) -> ServerAddress:
    """Where this server will listen: the ports asked for, or free ones; and a token of its own."""
    wanted = (config.grpc_port, config.http_port, config.metrics_port) if config.http else (config.grpc_port,)
    grpc, *others = (f"{config.address}:{port}" for port in _free_ports(config.address, wanted))
    http, metrics = (others[0], f"http://{others[1]}/metrics") if others else (None, None)
    return ServerAddress(grpc, http, metrics, secrets.token_urlsafe(32), config.models, os.getpid(), device)


def _free_ports(address: str, wanted: tuple[int, ...]) -> list[int]:
    """The wanted ports, 0 replaced by free ones; all are held open together so that no two are the same."""
    ports, sockets = [], []
    try:
        for port in wanted:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            held = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(held)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                held.bind((address, port))
            except OSError as exc:
                raise ConfigurationError(
                    f"cannot listen on {address}:{port}: {exc.strerror}",
                    hint="choose another port, or 0 for a free one",
                ) from exc
            ports.append(held.getsockname()[1])
    finally:
        for held in sockets:
            held.close()
    return ports
