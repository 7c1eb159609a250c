"""Remove what killed servers left behind: processes, shared memory, semaphores, folders, server files.

Everything that a server creates carries the identity of its launcher. What belongs to a launcher that has ended is
removed; what belongs to a running one, or to one in another PID namespace, is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from rumiai.core.processes import SHARED_MEMORY, ProcessIdentity, own_processes, sweep_semaphores
from rumiai_server.address import server_file
from rumiai_server.workspace import WORKSPACE_PREFIX

# Environment variable of all processes below a launcher: its identity, and a number that grows with each tritonserver.
OWNER_VARIABLE: Final = "RUMIAI_SERVER_OWNER"
# The pools of the Python backend; followed by the launcher's identity.
POOL_PREFIX: Final = "rumiai-triton-"

# The Python backend makes this empty folder when it is loaded and removes it in order, so a killed one leaves it. The
# path is fixed in its code.
_ENVIRONMENTS: Final = Path("/tmp")
_ENVIRONMENT_PREFIX: Final = "python_env_"
# How long after its start a tritonserver may take, on a busy machine, to load the backend.
_BACKEND_LOAD_S: Final = 600.0
# A killed process is gone within milliseconds, unless the kernel is still writing or freeing gigabytes for it.
_KILL_S: Final = 10.0
_POLL_S: Final = 0.02


def owner_value(owner: ProcessIdentity, generation: int) -> str:
    """Value of :data:`OWNER_VARIABLE` for the processes of one tritonserver."""
    return f"{owner}-{generation}"


def pool_prefix(owner: ProcessIdentity, generation: int) -> str:
    """Beginning of the names that the pools of one tritonserver have in ``/dev/shm``."""
    return f"{POOL_PREFIX}{owner_value(owner, generation)}-"


def end_processes(belongs: Callable[[str], bool]) -> list[int]:
    """Kill the processes of this user whose :data:`OWNER_VARIABLE` fits, and wait until they have ended.

    Args:
        belongs: Told the variable's value.

    Returns:
        Their pids.
    """
    found = [process for pid, value in _owned() if belongs(value) and (process := ProcessIdentity.of(pid)) is not None]
    for process in found:
        with contextlib.suppress(OSError):
            if process.alive:
                os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + _KILL_S
    while any(process.alive for process in found) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return [process.pid for process in found]


def _owned() -> Iterator[tuple[int, str]]:
    prefix = f"{OWNER_VARIABLE}=".encode()
    for pid in own_processes():
        with contextlib.suppress(OSError):  # it may end meanwhile
            for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                if entry.startswith(prefix) and pid != os.getpid():
                    yield pid, entry.removeprefix(prefix).decode(errors="replace")


def unlink_pools(prefix: str) -> None:
    """Remove the pools whose names start so; a process that has one mapped keeps its memory."""
    for path in SHARED_MEMORY.glob(f"{prefix}*"):
        path.unlink(missing_ok=True)


def sweep() -> list[str]:
    """Remove everything of launchers that have ended.

    Returns:
        What was removed: names of files and folders, and ``pid N``.
    """
    removed = [f"pid {pid}" for pid in end_processes(_of_ended)]
    for path in SHARED_MEMORY.glob(f"{POOL_PREFIX}*"):
        if _of_ended(path.name.removeprefix(POOL_PREFIX)):
            removed += _removed(path, path.unlink)
    for folder in Path(tempfile.gettempdir()).glob(f"{WORKSPACE_PREFIX}*"):
        if _of_ended(folder.name.removeprefix(WORKSPACE_PREFIX)) and _is_own(folder):
            removed += _removed(folder, lambda folder=folder: shutil.rmtree(folder))  # type: ignore[misc]
    removed += sweep_semaphores(time.time())
    removed += _sweep_environments()
    for path in server_file(0).parent.glob("*.json"):
        if _names_ended(path):
            removed += _removed(path, path.unlink)
    return removed


def _of_ended(text: str) -> bool:
    owner = ProcessIdentity.parse(text)
    return owner is not None and owner.ended


def _is_own(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.getuid()
    except OSError:
        return False


def _removed(path: Path, remove: Callable[[], object]) -> list[str]:
    try:
        remove()
    except OSError:  # another server that starts may sweep it first
        return []
    return [path.name]


def _names_ended(path: Path) -> bool:
    try:
        return _of_ended(str(json.loads(path.read_text(encoding="utf-8"))["owner"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _sweep_environments() -> list[str]:
    """Remove the backend's empty folders that were made while no tritonserver that still runs was starting."""
    folders = list(_ENVIRONMENTS.glob(f"{_ENVIRONMENT_PREFIX}*"))  # before the servers, of which one may just start
    starts = [_started_s(pid) for pid in own_processes() if _is_tritonserver(pid)]
    removed = []
    for folder in folders:
        with contextlib.suppress(OSError):
            made_s = folder.stat().st_ctime
            in_use = any(start is None or start - 1 <= made_s <= start + _BACKEND_LOAD_S for start in starts)
            if _is_own(folder) and not in_use:
                folder.rmdir()  # fails when there is something in it
                removed.append(folder.name)
    return removed


def _is_tritonserver(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "tritonserver"
    except OSError:
        return False


def _started_s(pid: int) -> float | None:
    """When a process started, in seconds since the epoch; None when it cannot be told."""
    process = ProcessIdentity.of(pid)
    if process is None:
        return None
    uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return time.time() - uptime_s + process.started_ticks / os.sysconf("SC_CLK_TCK")
