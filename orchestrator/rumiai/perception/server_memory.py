"""Shared memory that the model server maps for as long as the services of one stage need it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from rumiai.errors import RumiAIError, ServerError
from rumiai.inference.client import TritonClient


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
async def mapped_by_server(memory: Memory, client: TritonClient, warnings: list[str]) -> AsyncIterator[None]:
    """Have the server map memory; at the end it unmaps it.

    No error of the server is raised here. Without a server that answers, requests fail, each for its own service.
    Where the server refuses the mapping, the client sends bytes instead.

    Args:
        memory: The memory; the caller closes it afterwards. After an exception in the body it is closed before the
            server is asked, so that a writer which waits in it stops at once.
        client: Connected to the server.
        warnings: Gets a line when the server did not unmap the memory: it is gone, or a request still uses it.
    """
    registered = False
    with contextlib.suppress(ServerError):
        registered = await client.register(memory.region, memory.key, memory.size_bytes)
    try:
        yield
    except BaseException:
        memory.close()
        raise
    finally:
        if registered:
            await _unmapped(memory, client, warnings)


async def _unmapped(memory: Memory, client: TritonClient, warnings: list[str]) -> None:
    try:
        await client.unregister(memory.region)
    except RumiAIError as exc:
        warnings.append(str(exc))
