"""The file in which ``rumiai-triton serve`` leaves its address and token for programs of the same user."""

from __future__ import annotations

import json
import logging
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rumiai.core.processes import ProcessIdentity

LOG = logging.getLogger(__name__)

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True)
class ServerFile:
    """What the file says: addresses as host:port (no HTTP when it is off), the access token, and the launcher."""

    grpc: str
    http: str | None
    token: str = field(repr=False)
    owner: ProcessIdentity


def split_address(address: str) -> tuple[str, int]:
    """Host and port of ``host:port``.

    Raises:
        ValueError: The address does not have this form.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"got {address!r}, expected host:port")
    return host, int(port)


def is_local(address: str) -> bool:
    """Whether this address is this machine's loopback, so that memory can be shared."""
    return split_address(address)[0] in LOOPBACK


def read_server_file(grpc_address: str) -> ServerFile | None:
    """Find the token of the server at this address.

    Args:
        grpc_address: ``host:port``; only a loopback address has such a file.

    Returns:
        None when there is no file, when it was left by a server that has ended, or (with a warning) when others could
        have read or written it or it cannot be parsed.

    Raises:
        ValueError: The address is not ``host:port``.
    """
    _, port = split_address(grpc_address)
    if not is_local(grpc_address):
        return None
    folders = [Path.home() / ".cache/rumiai/run"]
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        folders.insert(0, Path(runtime) / "rumiai")
    for folder in folders:
        found = _read(folder / f"{port}.json")
        if found is not None:
            return found
    return None


def _read(path: Path) -> ServerFile | None:
    try:
        with path.open(encoding="utf-8") as stream:
            status = os.fstat(stream.fileno())
            if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
                LOG.warning("%s is not private to this user (mode %o): ignored", path, stat.S_IMODE(status.st_mode))
                return None
            raw = json.load(stream)
        owner = ProcessIdentity.parse(raw["owner"])
        if owner is None:
            raise ValueError(f"owner: got {raw['owner']!r}, expected pid, start and namespace")
        http = None if raw["http"] is None else str(raw["http"])
        found = ServerFile(str(raw["grpc"]), http, str(raw["token"]), owner)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        LOG.warning("%s cannot be read as a server file: %s", path, exc)
        return None
    return found if found.owner.alive else None
