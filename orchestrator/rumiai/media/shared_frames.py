"""Shared memory between the decoder, the model server and MediaPipe: fixed regions under ``/dev/shm``.

Plain mmap'ed files instead of ``multiprocessing.shared_memory``: with that, an attaching process that exits unlinks
the owner's segment. A region is reserved in full when it is made (a later write can then neither fail nor raise
SIGBUS), is never truncated (that would kill a server that has it registered) and is unlinked by ``close``.

A file is called ``rumiai-<pid>-<random>-<name>``, where ``name`` is ``<run id>`` or ``<run id>-<tag>``; its owner holds
a lock on it as long as it lives. So a parent removes what a killed worker left with :func:`unlink_run`, and the next
run what a killed parent left with :func:`sweep_stale`.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import re
import secrets
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import SharedSpan
from rumiai.errors import RumiAIError, StoreError, UsageError

SHM_DIR: Final = Path("/dev/shm")
_PREFIX: Final = "rumiai-"
_NAME: Final = re.compile(r"[A-Za-z0-9_.]+(-[A-Za-z0-9_.]+)*")
# Offsets of slots are whole pages, so that a reader may map one slot alone.
# Between making a file and locking it lie microseconds.
_LOCKED_WITHIN_S: Final = 60.0
_PAGE_BYTES: Final = mmap.PAGESIZE


class SharedRegion:
    """One stretch of shared memory, made, reserved and owned by this process.

    Attributes:
        region: Name under which to register it with the server (unique on this machine).
        key: POSIX name, with its leading slash.
        size_bytes: Length as asked for.

    Args:
        name: ``<run id>`` or ``<run id>-<tag>``: letters, digits, ``_`` and ``.``, with ``-`` between the parts.
        size_bytes: How much to reserve.

    Raises:
        UsageError: The name cannot be part of a file name, or the size is not positive.
        StoreError: ``/dev/shm`` has no room for it, or cannot be written.
    """

    def __init__(self, name: str, size_bytes: int) -> None:
        _check_name(name)
        if size_bytes <= 0:
            raise UsageError(f"a shared region of {size_bytes} bytes was asked for, expected at least 1")
        self.size_bytes = size_bytes
        self.region = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{name}"
        self.key = f"/{self.region}"
        self._path = SHM_DIR / self.region
        self._fd, self._map = _create(self._path, size_bytes)
        self._closed = False

    def view(self, offset_bytes: int, size_bytes: int) -> npt.NDArray[np.uint8]:
        """Writable bytes of the region, (size_bytes,) uint8; it stays valid after ``close``.

        Raises:
            ValueError: The stretch does not lie within the region.
        """
        if offset_bytes < 0 or size_bytes < 0 or offset_bytes + size_bytes > self.size_bytes:
            raise ValueError(f"[{offset_bytes}, +{size_bytes}) does not lie within {self.size_bytes} bytes")
        return np.frombuffer(self._map, dtype=np.uint8, count=size_bytes, offset=offset_bytes)

    def span(self, offset_bytes: int, size_bytes: int) -> SharedSpan:
        """The same stretch as the server names it."""
        return SharedSpan(self.region, self.key, offset_bytes, size_bytes)

    def close(self) -> None:
        """Unlink the file; may be called again. Memory is freed when the last view and the last reader are gone."""
        if self._closed:
            return
        self._closed = True
        self._path.unlink(missing_ok=True)
        os.close(self._fd)
        try:
            self._map.close()
        except BufferError:
            # Someone still holds a view; the mapping goes with it.
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class Slot:
    """One slot of a :class:`FrameArena`: written by the decoder, then read by a number of readers.

    Attributes:
        data: (slot_bytes,) uint8, writable.
        offset_bytes: Where it begins in the region.
    """

    def __init__(self, arena: FrameArena, index: int, offset_bytes: int, data: npt.NDArray[np.uint8]) -> None:
        self._arena = arena
        self._index = index
        self.offset_bytes = offset_bytes
        self.data = data

    def publish(self, readers: int) -> None:
        """The writer is done; the slot is free again after ``release`` was called ``readers`` times."""
        self._arena._publish(self._index, readers)

    def release(self) -> None:
        """One reader is done; any thread may call it.

        Raises:
            RumiAIError: It was called more often than there are readers.
        """
        self._arena._release(self._index)


class FrameArena:
    """A fixed number of slots in one shared region: memory is bounded, and a slow reader slows the writer.

    Args:
        name: As of :class:`SharedRegion`.
        slots: How many batches may be in flight.
        slot_bytes: Room of each slot.

    Raises:
        UsageError: A count is not positive.
        StoreError: As of :class:`SharedRegion`.
    """

    def __init__(self, name: str, *, slots: int, slot_bytes: int) -> None:
        if slots < 1 or slot_bytes < 1:
            raise UsageError(f"got {slots} slots of {slot_bytes} bytes, expected at least one of at least one byte")
        stride = -(-slot_bytes // _PAGE_BYTES) * _PAGE_BYTES
        self.slots = slots
        self.slot_bytes = slot_bytes
        self._memory = SharedRegion(name, slots * stride)
        self._slots = [
            Slot(self, i, i * stride, self._memory.view(i * stride, slot_bytes)) for i in range(slots)
        ]  # fmt: skip
        self._free = list(range(slots))
        self._readers = [0] * slots
        self._closed = False
        self._changed = threading.Condition()

    @property
    def region(self) -> str:
        """Name under which to register the memory with the server."""
        return self._memory.region

    @property
    def key(self) -> str:
        """POSIX name of the memory, with its leading slash."""
        return self._memory.key

    @property
    def size_bytes(self) -> int:
        """Length of the whole region."""
        return self._memory.size_bytes

    @property
    def free_slots(self) -> int:
        """Slots that nobody writes or reads now."""
        with self._changed:
            return len(self._free)

    def span(self, slot: Slot, size_bytes: int) -> SharedSpan:
        """The first bytes of a slot as the server names them."""
        return self._memory.span(slot.offset_bytes, size_bytes)

    def acquire(self, timeout_s: float | None = None) -> Slot | None:
        """A free slot to write into, waiting for one; None when none became free in time.

        Raises:
            RumiAIError: The arena is closed, also when that happens during the wait.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            while not self._free and not self._closed:
                rest = None if deadline is None else deadline - time.monotonic()
                if rest is not None and rest <= 0:
                    return None
                self._changed.wait(rest)
            if self._closed:
                raise RumiAIError("the frame arena is closed", hint="the video was given up while it was decoded")
            index = self._free.pop()
            self._readers[index] = 1  # the writer
            return self._slots[index]

    def _publish(self, index: int, readers: int) -> None:
        if readers < 0:
            raise ValueError(f"got {readers} readers")
        with self._changed:
            self._readers[index] += readers
        self._release(index)

    def _release(self, index: int) -> None:
        with self._changed:
            if self._readers[index] <= 0:
                raise RumiAIError(f"slot {index} was released more often than it has readers")
            self._readers[index] -= 1
            if self._readers[index] == 0:
                self._free.append(index)
                self._changed.notify()

    def close(self) -> None:
        """Unlink the memory and wake a waiting writer; may be called again. Unregister it from the server before."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._slots.clear()
        self._memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def unlink_run(run_id: str) -> list[str]:
    """Remove every region of a run, whoever made it; for the parent, after its workers have ended.

    Returns:
        The names removed, sorted.

    Raises:
        UsageError: ``run_id`` is no part of a region's name.
    """
    _check_name(run_id)
    mine = (path for path, _, name in _segments() if name == run_id or name.startswith(f"{run_id}-"))
    return sorted(path.name for path in mine if _unlink(path))


def sweep_stale() -> list[str]:
    """Remove the regions whose owners are dead.

    Dead means both: nobody holds the owner's lock, and no process has that id or the file is older than a minute. The
    id alone would be wrong between containers that share ``/dev/shm``, and when another process got it since; the lock
    alone in the moment between making and locking a file.

    Returns:
        The names removed, sorted.
    """
    stale = (path for path, pid, _ in _segments() if (not _alive(pid) or _is_old(path)) and not _locked(path))
    return sorted(path.name for path in stale if _unlink(path))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise UsageError(f"{name!r} cannot name shared memory: expected letters, digits, '_', '.' and '-' between them")


def _create(path: Path, size_bytes: int) -> tuple[int, mmap.mmap]:
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise StoreError(f"cannot make shared memory at {path}: {exc.strerror}") from exc
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.posix_fallocate(fd, 0, size_bytes)
        return fd, mmap.mmap(fd, size_bytes)
    except OSError as exc:
        path.unlink(missing_ok=True)
        os.close(fd)
        if exc.errno in (errno.ENOSPC, errno.ENOMEM, errno.EFBIG, errno.EINVAL):
            free = os.statvfs(SHM_DIR)
            raise StoreError(
                f"{SHM_DIR} has {free.f_bavail * free.f_frsize / 2**20:.0f} MiB free,"
                f" {size_bytes / 2**20:.0f} MiB are needed",
                hint="enlarge it (docker: --shm-size), run fewer workers or lower the analysis size",
            ) from exc
        raise StoreError(f"cannot reserve {size_bytes} bytes of shared memory: {exc.strerror}") from exc


def _segments() -> list[tuple[Path, int, str]]:
    """All regions of RumiAI on this machine: file, process id, name."""
    found = []
    for path in SHM_DIR.glob(f"{_PREFIX}*"):
        match = re.fullmatch(rf"{_PREFIX}(\d+)-[0-9a-f]{{8}}-(.+)", path.name)
        if match:
            found.append((path, int(match[1]), match[2]))
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_old(path: Path) -> bool:
    """Whether the file was made long enough ago for its owner to have locked it."""
    try:
        return time.time() - path.stat().st_ctime > _LOCKED_WITHIN_S
    except OSError:
        return False


def _locked(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        # Gone, or another user's: in both cases not ours to remove.
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
