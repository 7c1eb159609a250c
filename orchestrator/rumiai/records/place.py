"""Where the records of an output folder lie: in it, or on a local disk where the folder is not on one.

SQLite's write-ahead log has an index that processes share in memory. Network and FUSE file systems do not keep it
coherent. An output folder in an object store has a local one of its own (:mod:`rumiai.settings`).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from pathlib import Path
from typing import Final

from rumiai.errors import StoreError

RECORDS_NAME: Final = "records.sqlite"
# ``f_type`` of statfs(2) (linux/magic.h and the file systems' own sources) of what is no local disk.
_REMOTE: Final = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFE534D42: "SMB2",
    0xFF534D42: "CIFS",
    0x65735546: "FUSE",
    0x01021997: "9P",
    0x00C36400: "Ceph",
    0x5346414F: "AFS",
    0x6B414653: "AFS",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x7461636F: "OCFS2",
    0x01161970: "GFS2",
    0x19830326: "BeeGFS",
    0x564C: "NCP",
    0x786F4256: "vboxsf",
    0xBACBACBC: "vmhgfs",
}
# ``struct statfs`` has about 120 bytes; its first member is the type, a long.
_STATFS_BYTES: Final = 512
_HASH_CHARS: Final = 16


def records_file(out: Path) -> Path:
    """The file with the records of an output folder.

    Args:
        out: A folder, which may not exist yet.

    Raises:
        StoreError: The place cannot be looked at.
    """
    folder = Path(os.path.abspath(out))
    if remote_type(folder) is None:
        return folder / RECORDS_NAME
    return _local_file(os.path.realpath(folder))


def remote_type(folder: Path) -> str | None:
    """Name of the file system that a folder lies on, or will lie on, if that is no local disk; else None.

    Raises:
        StoreError: The place cannot be looked at.
    """
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    return _REMOTE.get(_file_system_type(place))


def _file_system_type(path: Path) -> int:
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(path), buffer) != 0:
        raise StoreError(f"cannot look at the file system of {path}: {os.strerror(ctypes.get_errno())}")
    # A magic number has 32 bits, whatever the size of a long and its sign.
    return ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF


def _local_file(folder: str) -> Path:
    """A file of this user on this machine, named after the folder that it is about."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if os.path.isabs(state) else Path.home() / ".local/state"
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:_HASH_CHARS]
    return base / "rumiai" / "records" / f"{digest}.sqlite"
