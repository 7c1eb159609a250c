"""Shared memory that the model server maps for as long as the services of one stage need it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Protocol

from rumiai.errors import RumiAIError, ServerError, ServerGoneError
from rumiai.inference.client import TritonClient

LOG = logging.getLogger(__name__)


class Memory(Protocol):
    """Memory of this process that other processes may map: a region, or an arena of slots in one."""

    @property
    def region(self) -> str:
        """Name under which the server registers it."""

    @property
    def key(self) -> str:
        """POSIX name, with its leading slash."""

    @property
    def size_bytes(self) -> int:
        """Its length."""

    def close(self) -> None:
        """Unlink it; may be called again."""


@contextlib.asynccontextmanager
async def mapped_by_server(memory: Memory, client: TritonClient) -> AsyncIterator[None]:
    """Have the server map memory; at the end it unmaps it.

    No error of the server is raised here. Without a server that answers, requests wait for it and register the memory
    when it is back, or fail, each for its own service. Where the server refuses the mapping, the client sends bytes
    instead. The results do not depend on any of this.

    Args:
        memory: The memory; the caller closes it afterwards. After an exception in the body it is closed before the
            server is asked, so that a writer which waits in it stops at once.
        client: Connected to the server.
    """
    with contextlib.suppress(ServerError):
        await client.register(memory.region, memory.key, memory.size_bytes)
    try:
        with contextlib.ExitStack() as after_an_exception:
            after_an_exception.callback(memory.close)
            yield
            after_an_exception.pop_all()
    finally:
        await _unmapped(memory, client)


async def _unmapped(memory: Memory, client: TritonClient) -> None:
    if not client.maps(memory.region):
        client.forget(memory.region)
        return
    try:
        await client.unregister(memory.region)
    except ServerGoneError:
        LOG.debug("%s went with its server", memory.region)
    except RumiAIError as exc:
        LOG.warning("%s", exc)
