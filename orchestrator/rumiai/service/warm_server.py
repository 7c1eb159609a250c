"""The one model server of the service: started with it, shared by all runs, and started again when it has gone."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from rumiai.contracts.run_events import EventHandler, RunEvent, ServerEvent
from rumiai.core.processes import step_back
from rumiai.errors import RumiAIError, ServerError, UsageError
from rumiai.run.model_server import EmbeddedServer, ModelServer, NamedServer, check_server
from rumiai.run.submission import check_weights
from rumiai.run.types import ServerAccess
from rumiai.services import chosen_services
from rumiai.settings import Settings

LOG = logging.getLogger(__name__)

# Who calls waits for milliseconds, and analyses take seconds: workers and models leave the processor to callers.
STEPS_BEHIND_CALLERS: Final = 5
_WATCH_S: Final = 0.5
_ASK_S: Final = 10.0
# After a start that failed, doubled from one to the next.
_FIRST_WAIT_S: Final = 2.0
_LONGEST_WAIT_S: Final = 300.0
# A run whose server has gone waits this long for the next one: longer than a start takes on a slow disk.
_RENEWAL_S: Final = 600.0


class WarmServer(ModelServer):
    """Keeps one server ready; the runs that use it do not stop it.

    Args:
        settings: As the service was started.
        handler: Gets what becomes of the server.
        make: Makes a server from these and an event that gives up its start; for tests.
    """

    def __init__(
        self,
        settings: Settings,
        handler: EventHandler,
        make: Callable[[Settings, threading.Event, EventHandler], ModelServer] | None = None,
    ) -> None:
        self._settings, self._handler, self._make = settings, handler, make or _make_server
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._current: ModelServer | None = None
        self._reason = "the model server has not been started yet"
        self._thread = threading.Thread(target=self._keep, daemon=True, name="warm-server")

    @property
    def access(self) -> ServerAccess:  # type: ignore[override]
        """How workers reach it now.

        Raises:
            ServerError: It is not ready.
        """
        with self._changed:
            if self._current is None:
                raise ServerError(self._reason)
            return self._current.access

    def start(self) -> None:
        """Begin to start it, and return at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def wait_ready(self, stop: threading.Event, timeout_s: float | None = None) -> bool:
        """Whether it is ready, after waiting for it until ``stop`` is set or the time is over."""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while self._current is None or self._current.lost():
                late = deadline_s is not None and time.monotonic() > deadline_s
                if stop.is_set() or self._closing.is_set() or late:
                    return False
                self._changed.wait(_WATCH_S)
        return True

    def lost(self) -> str | None:
        """See :class:`ModelServer`."""
        with self._changed:
            return self._reason if self._current is None else self._current.lost()

    def missed(self) -> None:
        """See :class:`ModelServer`."""
        if current := self._current:
            current.missed()

    def finished_one(self) -> None:
        """See :class:`ModelServer`."""
        if current := self._current:
            current.finished_one()

    def renew(self) -> bool:
        """Wait for the next server; the thread that keeps it starts one, for all runs together."""
        return self.wait_ready(self._closing, _RENEWAL_S)

    async def check(self, timeout_s: float) -> tuple[str, ...]:
        """Ask the server whether it serves its models now.

        Returns:
            The models.

        Raises:
            ServerError: It does not.
        """
        if reason := self.lost():
            raise ServerError(reason)
        access = self.access
        if access.models:
            await check_server(access, timeout_s)
        return access.models

    def _keep(self) -> None:
        step_back(STEPS_BEHIND_CALLERS)
        wait_s = _FIRST_WAIT_S
        while not self._closing.is_set():
            with ExitStack() as stack:
                try:
                    server = self._begin(stack)
                except RumiAIError as exc:
                    self._set(None, str(exc))
                    LOG.error("the model server is not there: %s; once more in %.0f s", exc, wait_s)
                    self._closing.wait(wait_s)
                    wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
                    continue
                wait_s = _FIRST_WAIT_S
                self._set(server, "")
                while not self._closing.wait(_WATCH_S) and not server.lost():
                    pass
                self._set(None, server.lost() or "the service is ending")

    def _begin(self, stack: ExitStack) -> ModelServer:
        server = self._make(self._settings, self._closing, self._handler)
        if isinstance(server, EmbeddedServer):
            stack.callback(server.close)
            server.start()
        elif server.access.models:
            asyncio.run(check_server(server.access, _ASK_S))
        return server

    def _set(self, server: ModelServer | None, reason: str) -> None:
        with self._changed:
            self._current, self._reason = server, reason
            self._changed.notify_all()


def models_of(services: tuple[str, ...]) -> tuple[str, ...]:
    """The models that these services need, as the settings name them."""
    needed = (service.server_model for service in chosen_services(services))
    return tuple(dict.fromkeys(model for model in needed if model))


def refuse_unserved(base: Settings, chosen: Settings) -> None:
    """Refuse a run whose services need a model that the service's own server does not have.

    Args:
        base: As the service was started: its server has the models of these services.
        chosen: Of the run.

    Raises:
        UsageError: It does. What somebody else's server (``--server``) has is not known here.
    """
    served = models_of(base.services)
    lacking = [each for each in chosen_services(chosen.services) if each.server_model not in (None, "", *served)]
    if base.server or not lacking:
        return
    names = ", ".join(each.name for each in chosen_services(base.services)) or "none"
    raise UsageError(
        f"services: got {', '.join(each.name for each in lacking)}, and this service was started for {names}",
        hint="choose among these; the operator's `serve --services` says which there are",
    )


def _make_server(settings: Settings, stop: threading.Event, handler: EventHandler) -> ModelServer:
    models = models_of(settings.services)
    check_weights(chosen_services(settings.services), settings)
    if settings.server or not models:
        return NamedServer(ServerAccess(settings.server or "127.0.0.1:0", None, models))
    return EmbeddedServer(settings, models, stop, handler)


def logged(event: RunEvent) -> None:
    """Write what becomes of the server into the service's log."""
    if isinstance(event, ServerEvent):
        LOG.info("%s", event.message)
