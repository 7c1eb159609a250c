"""``rumiai-orch serve``: the application behind uvicorn, until a signal ends it."""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import sys
from types import FrameType
from typing import Final

from rumiai.core.secrets import secrets_hidden
from rumiai.errors import ConfigurationError, ServerError
from rumiai.results.store import Store
from rumiai.run.batch import hidden_from_workers
from rumiai.service.config import Address, ServiceConfig
from rumiai.service.database import open_database
from rumiai.service.keys import Keys
from rumiai.terminal.logs import start_logging
from rumiai.terminal.streams import write_line

LOG = logging.getLogger(__name__)

# More than the connections of a large client that come at once.
_BACKLOG: Final = 4096
# Callers that follow a run are let go at once; a request takes milliseconds.
_GRACE_S: Final = 10
# How long a thread with work of its own may keep the event loop from the interpreter; Python's default is 5 ms.
_SWITCH_S: Final = 0.001
_PACKAGES: Final = ("uvicorn", "fastapi", "fastapi_offline", "limits", "prometheus_client", "python_multipart")


def serve(config: ServiceConfig, address: Address) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: The packages of the service are not installed.
        ServerError: The address cannot be listened at.
        StoreError: The output folder cannot be used, or another service has it.
    """
    if missing := [name for name in (*_PACKAGES, "standardwebhooks") if importlib.util.find_spec(name) is None]:
        raise ConfigurationError(
            f"the service needs packages that are not installed ({', '.join(missing)})",
            hint='pip install "rumiai[service]"',
        )
    start_logging(config.settings)
    store = Store(*config.settings.folders)
    store.check_writable()
    with store.service_lock(), secrets_hidden(os.environ, hidden_from_workers(config.settings)):
        _say_when_nobody_may_call(config)
        with _listening(address) as listener:
            _run(config, address, listener)


def _run(config: ServiceConfig, address: Address, listener: socket.socket) -> None:
    import uvicorn

    from rumiai.service.app import create_app

    app = create_app(config)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Callers that follow runs would keep their connections for ever. While it starts, there are none.
            if (parts := getattr(app.state, "service", None)) is not None:
                parts.closing.set()
            super().handle_exit(sig, frame)

    server = Server(
        uvicorn.Config(
            app,
            backlog=_BACKLOG,
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            lifespan="on",
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=address.certificate,
            ssl_keyfile=address.private_key,
        )
    )
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    write_line(f"http{'s' if address.certificate else ''}://{shown}:{port}", sys.stdout)
    sys.setswitchinterval(_SWITCH_S)
    server.run(sockets=[listener])


def _listening(address: Address) -> socket.socket:
    try:
        kind = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=kind, backlog=_BACKLOG)
    except OSError as exc:
        raise ServerError(
            f"cannot listen at {address.host}:{address.port}: {exc.strerror or exc}", hint="choose another --port"
        ) from exc


def _say_when_nobody_may_call(config: ServiceConfig) -> None:
    database = open_database(config.settings.out)
    try:
        if not any(key.revoked_at is None for key in Keys(database).all()):
            LOG.warning("there is no API key yet: `rumiai-orch keys add --out %s --name NAME`", config.settings.out)
    finally:
        database.close()
