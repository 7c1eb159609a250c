"""Where a running server listens, and the private file that tells programs of the same user."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ServerAddress:
    """Where a running server listens, and the token for what PyTriton guards (shared memory among it)."""

    grpc: str
    http: str
    metrics: str
    token: str
    models: tuple[str, ...]
    pid: int

    def to_dict(self) -> dict[str, Any]:
        """JSON form, as it is written to the server file."""
        return {
            "grpc": self.grpc,
            "http": self.http,
            "metrics": self.metrics,
            "token": self.token,
            "models": list(self.models),
            "pid": self.pid,
        }


def server_file(grpc_port: int) -> Path:
    """Where the address and token of the server on this port are written, mode 0600."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    usable = runtime and os.access(runtime, os.W_OK)
    folder = Path(runtime, "rumiai") if runtime and usable else Path.home() / ".cache/rumiai/run"
    return folder / f"{grpc_port}.json"


def write_server_file(address: ServerAddress) -> Path:
    """Write the file, readable by this user alone; returns its path."""
    path = server_file(int(address.grpc.rsplit(":", 1)[1]))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(address.to_dict(), stream)
    temporary.replace(path)
    return path
