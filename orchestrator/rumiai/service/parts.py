"""The parts of a running service, and how routes get at them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import Depends, Request

from rumiai.records import Records
from rumiai.service.access import Gate
from rumiai.service.config import ServiceConfig
from rumiai.service.engine import Engine
from rumiai.service.metrics import Metrics
from rumiai.service.storing import RunStore
from rumiai.service.warm_server import WarmServer

_T = TypeVar("_T")


class Streams:
    """How many callers follow runs.

    Attributes:
        count: Now.
    """

    def __init__(self) -> None:
        self.count = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Count one more inside the ``with`` block."""
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


@dataclass(frozen=True)
class Parts:
    """What a running service is made of.

    Attributes:
        config: How it was started.
        records: Of its output folder.
        runs: Puts accepted runs into them.
        gate: Lets requests in.
        engine: Runs what was accepted.
        server: The model server.
        metrics: Figures.
        storage: Takes one call at a time: SQLite has one writer.
        streams: Callers that follow runs.
        closing: Set when the service ends, so that they are let go.
    """

    config: ServiceConfig
    records: Records
    runs: RunStore
    gate: Gate
    engine: Engine
    server: WarmServer
    metrics: Metrics
    storage: CapacityLimiter
    streams: Streams = field(default_factory=Streams)
    closing: threading.Event = field(default_factory=threading.Event)

    async def stored(self, call: Callable[..., _T], *arguments: object, **named: object) -> _T:
        """Read or write the records in a thread, so that the loop goes on."""
        return await anyio.to_thread.run_sync(partial(call, *arguments, **named), limiter=self.storage)


async def _parts(request: Request) -> Parts:  # an ordinary function would be called in a thread
    parts: Parts = request.app.state.service
    return parts


InService = Annotated[Parts, Depends(_parts)]
