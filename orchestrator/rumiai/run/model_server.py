"""The model server of a run: where it is, whether it has gone for good, and what takes its place then.

A model or a tritonserver that dies comes back by itself, at the same address: requests wait for it
(:mod:`rumiai.inference.outages`). This is about what does not come back: the launcher of an embedded server, or a
server that somebody else runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final

from rumiai.contracts.run_events import EventHandler, ServerEvent, ServerState
from rumiai.contracts.server_events import ServerStateChange
from rumiai.errors import ServerError, ServerGoneError
from rumiai.results.store import Store
from rumiai.run.embedded_server import embedded_server
from rumiai.run.types import ServerAccess
from rumiai.settings import Settings

# Embedded servers that end one after the other before a single video is finished.
_RENEWALS: Final = 3
# A server that is there answers within milliseconds.
_ASK_S: Final = 5.0
# An address that nothing can have.
_NOWHERE: Final = "127.0.0.1:0"


class ModelServer(ABC):
    """The model server of one run.

    Attributes:
        access: How workers reach it now.
    """

    access: ServerAccess
    is_ours: ClassVar[bool] = False  # whether another one can take its place

    @abstractmethod
    def lost(self) -> str | None:
        """Why nothing serves at the address any more; None while something does, or is expected to come back."""

    @abstractmethod
    def missed(self) -> None:
        """A video found no server, after a wait."""

    @abstractmethod
    def finished_one(self) -> None:
        """A video got all that it wanted."""

    @abstractmethod
    def renew(self) -> bool:
        """Put another server in the place of one that is lost; False where that is not possible.

        Raises:
            ServerError: It did not come up.
        """


class NamedServer(ModelServer):
    """A server that somebody else runs; also stands for none, where no service needs one.

    A video that has met it gone has waited for it. If it is still gone then, it is lost: no other video waits.

    Args:
        access: How to reach it.
    """

    def __init__(self, access: ServerAccess) -> None:
        self.access = access
        self._lost: str | None = None

    def lost(self) -> str | None:
        """See :class:`ModelServer`."""
        return self._lost

    def missed(self) -> None:
        """Ask it once more."""
        try:
            asyncio.run(check_server(self.access, _ASK_S))
        except ServerError as exc:
            self._lost = f"the model server has gone and did not come back: {exc.message}"

    def finished_one(self) -> None:
        """Nothing follows from it."""

    def renew(self) -> bool:
        """It is not ours to start."""
        return False


class EmbeddedServer(ModelServer):
    """A server of this run's own; use :func:`serving`.

    Args:
        settings: As of :func:`embedded_server`.
        models: As of :func:`embedded_server`.
        stop: As of :func:`embedded_server`.
        handler: Gets what the server says, as events.
    """

    is_ours = True

    def __init__(
        self, settings: Settings, models: tuple[str, ...], stop: threading.Event, handler: EventHandler
    ) -> None:
        self._settings, self._models, self._stop, self._handler = settings, models, stop, handler
        self._current = contextlib.ExitStack()
        self._lost: str | None = None
        self._starts = 0
        self._renewals = 0

    def start(self) -> None:
        """Start one; another one when a signal ends it meanwhile.

        Raises:
            ServerError: None came up.
        """
        for attempt in range(1, _RENEWALS + 1):
            try:
                self._start_one()
            except ServerGoneError as exc:
                if attempt == _RENEWALS:
                    raise
                self._tell("server_down", exc.message)
            else:
                return

    def _start_one(self) -> None:
        self._starts += 1
        self._tell("starting", "starting the model server ...")
        log = self._log_file(self._starts)
        self._lost = None  # before the start: the new one may say at once that it gives up
        self.access = self._current.enter_context(
            embedded_server(self._settings, self._models, log, self._stop, self._heard)
        )
        self._tell("ready", f"model server ready at {self.access.grpc}")

    def close(self) -> None:
        """Stop it."""
        self._tell("stopping", "stopping the model server ...")
        self._current.close()

    def lost(self) -> str | None:
        """See :class:`ModelServer`."""
        return self._lost

    def missed(self) -> None:
        """Nothing follows from it: the launcher says when it gives up."""

    def finished_one(self) -> None:
        """The servers so far were of use."""
        self._renewals = 0

    def renew(self) -> bool:
        """Start another, unless several have ended without any use."""
        self._current.close()
        if self._renewals == _RENEWALS:
            return False
        self._renewals += 1
        self.start()
        return True

    def _log_file(self, start: int) -> Path:
        name = "server.log" if start == 1 else f"server-{start}.log"
        return Store(*self._settings.folders).log_folder / name

    def _heard(self, change: ServerStateChange) -> None:
        if change.event == "gave_up":
            self._lost = f"the model server has ended: {change.reason}"
        self._tell(change.event, _told(change))

    def _tell(self, state: ServerState, message: str) -> None:
        self._handler(ServerEvent(state, message))


class DeferredServer(EmbeddedServer):
    """A server that is not started until a video turns out to need it; most likely none does."""

    def __init__(
        self, settings: Settings, models: tuple[str, ...], stop: threading.Event, handler: EventHandler
    ) -> None:
        super().__init__(settings, models, stop, handler)
        self.access = ServerAccess(_NOWHERE, None, models, is_there=False)

    def missed(self) -> None:
        """A video needs one after all."""
        if not self._starts:
            self._lost = "a model server is needed after all"

    def renew(self) -> bool:
        """Start the first one, or another."""
        if self._starts:
            return super().renew()
        self.start()
        return True

    def close(self) -> None:
        """Stop it if it was started."""
        if self._starts:
            super().close()


def _told(change: ServerStateChange) -> str:
    what = change.model or "the model server"
    if change.event in ("model_up", "server_up"):
        return f"{what} serves again after {change.down_s or 0.0:.1f} s"
    return f"{what} is down: {change.reason}"


@contextlib.contextmanager
def serving(
    settings: Settings,
    models: tuple[str, ...],
    stop: threading.Event,
    handler: EventHandler,
    *,
    deferred: bool = False,
) -> Iterator[ModelServer]:
    """The server named in the settings, else an embedded one for the length of the run, else none.

    Args:
        settings: Of the run.
        models: What the services need of it.
        stop: Gives up waiting for a server that starts.
        handler: Gets what becomes of the server.
        deferred: Whether it is likely that nobody asks it: it is not looked for, or started, until somebody does.

    Raises:
        ServerError: The named server is not ready, or the embedded one did not come up.
    """
    named = ServerAccess(settings.server or _NOWHERE, None, models)
    if settings.server or not models:
        if models and not deferred:
            try:
                asyncio.run(check_server(named, 2 * _ASK_S))
            except ServerGoneError as exc:  # it has never been there
                raise ServerError(exc.message, hint=exc.hint) from exc
        yield NamedServer(named)
        return
    server = (DeferredServer if deferred else EmbeddedServer)(settings, models, stop, handler)
    if not deferred:
        server.start()
    try:
        yield server
    finally:
        server.close()


async def check_server(access: ServerAccess, timeout_s: float) -> None:
    """See that a server is there with its models.

    Raises:
        ServerError: It does not answer in time, or lacks a model.
    """
    from rumiai.inference.client import TritonClient

    async with TritonClient.connect(access.grpc, access.token) as client:
        await client.wait_ready(access.models, timeout_s)
