"""Remove what killed runs left behind: shared memory, semaphores, folders of event sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rumiai.core.processes import ProcessIdentity, sweep_semaphores
from rumiai.errors import ServerError
from rumiai.media.shared_frames import sweep_stale, unlink_run
from rumiai.run.types import ServerAccess

LOG = logging.getLogger(__name__)

EVENTS_PREFIX: Final = "rumiai-events-"
# A file in the folder of an event socket with the identity of its process. In the folder's name it would be too long:
# the path of a socket has at most 107 characters.
OWNER_FILE: Final = "owner"


def sweep() -> list[str]:
    """Remove what belongs to runs whose parent has ended; what belongs to a running one stays.

    Returns:
        The names of what was removed.
    """
    removed = [*sweep_stale(), *sweep_semaphores(time.time())]
    for folder in Path(tempfile.gettempdir()).glob(f"{EVENTS_PREFIX}*"):
        if _left_behind(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    if removed:
        LOG.info("removed what killed runs left: %s", ", ".join(removed))
    return removed


def _left_behind(folder: Path) -> bool:
    try:
        owner = ProcessIdentity.parse((folder / OWNER_FILE).read_text(encoding="ascii"))
        return owner is not None and owner.ended and folder.lstat().st_uid == os.getuid()
    except (OSError, ValueError):  # another run is removing it too, or it is another user's
        return False


def sweep_run(run_id: str, server: ServerAccess) -> None:
    """Remove what killed workers of a run left in shared memory, and its registrations with the server."""
    if (left := unlink_run(run_id)) and server.is_there:
        with contextlib.suppress(ServerError):  # a server that has gone has no registrations either
            asyncio.run(_unregister(left, server))


async def _unregister(regions: Sequence[str], server: ServerAccess) -> None:
    from rumiai.inference.client import TritonClient

    async with TritonClient.connect(server.grpc, server.token) as client:
        for region in regions:
            await client.unregister(region)
