"""Where a running server listens, and the private file that tells programs of the same user."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from rumiai.core.processes import ProcessIdentity

# ``up`` is a model that has answered a trial request since it was loaded.
ModelState = Literal["up", "down"]


@dataclass(frozen=True)
class ServerAddress:
    """Where a server listens, and the token for what is guarded (shared memory among it).

    Attributes:
        grpc: ``host:port``.
        http: ``host:port``; None when it speaks gRPC only.
        metrics: URL; None when it speaks gRPC only.
        token: New for each start of the launcher.
        models: What it serves.
        pid: Of the launcher.
        device: Where the models run, for people.
    """

    grpc: str
    http: str | None
    metrics: str | None
    token: str = field(repr=False)
    models: tuple[str, ...]
    pid: int
    device: str


def server_file(grpc_port: int) -> Path:
    """Where the address and token of the server on this port are written, mode 0600."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    usable = runtime and os.access(runtime, os.W_OK)
    folder = Path(runtime, "rumiai") if runtime and usable else Path.home() / ".cache/rumiai/run"
    return folder / f"{grpc_port}.json"


def write_server_file(address: ServerAddress, owner: ProcessIdentity, state: Mapping[str, ModelState]) -> Path:
    """Write or replace the file, readable by this user alone.

    Args:
        address: Its members are those of the file.
        owner: The launcher, as ``owner``: after its end another process may have the same pid.
        state: Of each model, as ``state``.

    Returns:
        Its path.
    """
    path = server_file(int(address.grpc.rpartition(":")[2]))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{owner}")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump({**asdict(address), "owner": str(owner), "state": dict(state)}, stream)
    temporary.replace(path)
    return path
