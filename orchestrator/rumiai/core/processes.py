"""Identify a process beyond the reuse of its pid, and tell whether what it left behind may be removed.

What a process creates outside its own memory (shared memory, folders, child processes) carries its
:class:`ProcessIdentity` as text. A later start removes what belongs to a process that has ended.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

# How soon a process notices that the one it works for has ended.
_PARENT_POLL_S: Final = 0.5
SHARED_MEMORY: Final = Path("/dev/shm")

_PROC: Final = Path("/proc")
_TEXT: Final = re.compile(r"(\d+)-(\d+)-(\d+)")
# A semaphore is created under another name, mapped, and only then renamed; a young one is left alone all the same.
_SEMAPHORE_AGE_S: Final = 60.0


@dataclass(frozen=True)
class ProcessIdentity:
    """One process of one PID namespace.

    Attributes:
        pid: Its number, which the kernel gives to another process later.
        started_ticks: When it started, in clock ticks since boot: ``/proc/<pid>/stat``, field 22.
        namespace: Inode of its PID namespace. A container may share ``/dev/shm`` or ``/tmp`` with its host, where the
            same number means another process.
    """

    pid: int
    started_ticks: int
    namespace: int

    @classmethod
    def own(cls) -> Self:
        """The identity of the calling process."""
        found = cls.of(os.getpid())
        assert found is not None
        return found

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The identity of a process of this PID namespace; None when it has ended, even if it is still a zombie."""
        state = _stat(pid)
        return None if state is None else cls(pid, state, _namespace())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what :meth:`__str__` wrote; None when the text does not start with it."""
        match = _TEXT.match(text)
        return None if match is None else cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.pid}-{self.started_ticks}-{self.namespace}"

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.namespace == _namespace() and _stat(self.pid) == self.started_ticks

    @property
    def ended(self) -> bool:
        """Whether the process has certainly ended; false of one in another PID namespace, which cannot be seen."""
        return self.namespace == _namespace() and not self.alive


def end_with_parent(parent: int) -> None:
    """Have this process killed as soon as its parent has ended, however that ended.

    A process whose parent was killed would go on, with its memory and its locks.

    Args:
        parent: Pid of the process that started this one.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


def _namespace() -> int:
    return (_PROC / "self/ns/pid").stat().st_ino


def _stat(pid: int) -> int | None:
    """Start of a process in clock ticks since boot; None when it is not there or a zombie."""
    fields = _fields(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def _fields(pid: int) -> list[str] | None:
    """``/proc/<pid>/stat`` from field 3, the state, on; None when the process is not there."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The name, in parentheses, may hold blanks and parentheses itself.
    return text.rpartition(")")[2].split()


def step_back(by: int) -> None:
    """Lower the priority of the calling thread, and of the threads and processes that it starts from now on.

    On Linux each thread has a nice value of its own, which what it starts inherits.

    Args:
        by: Steps of the nice value.
    """
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + by)


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped the process and none has let it go on."""
    fields = _fields(pid)
    return fields is not None and fields[0] == "T"


def cpu_seconds(pid: int) -> float:
    """Processor time that the process has used, in seconds; 0.0 when it is not there."""
    fields = _fields(pid)
    return 0.0 if fields is None else (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_processes() -> Iterator[int]:
    """Pids of all running processes of this user."""
    user = os.getuid()
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # it may end between being listed and being looked at
                if entry.stat().st_uid == user:
                    yield int(entry.name)


def sweep_semaphores(now_s: float) -> list[str]:
    """Remove the named semaphores of Python's ``multiprocessing`` that killed processes of this user left behind.

    Their names do not say who made them. A process that uses one has it mapped, so one that no process maps is unused.

    Args:
        now_s: Seconds since the epoch, to leave those alone that were made within the last minute.

    Returns:
        The names of what was removed.
    """
    candidates: dict[int, Path] = {}
    for path in SHARED_MEMORY.glob("sem.mp-*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if status.st_uid == os.getuid() and now_s - status.st_ctime > _SEMAPHORE_AGE_S:
                candidates[status.st_ino] = path
    mapped = _mapped_inodes() if candidates else set()
    removed = []
    for inode, path in candidates.items():
        if inode not in mapped:
            with contextlib.suppress(OSError):
                path.unlink()
                removed.append(path.name)
    return removed


def _mapped_inodes() -> set[int]:
    """Inodes of what processes of this user have mapped from ``/dev/shm``.

    A semaphore is mapped under the name it was made with, not under the one that it has now.
    """
    found: set[int] = set()
    for pid in own_processes():
        with contextlib.suppress(OSError):
            for line in (_PROC / str(pid) / "maps").read_text(encoding="utf-8", errors="replace").splitlines():
                fields = line.split(maxsplit=5)  # addresses, permissions, offset, device, inode, path
                if len(fields) == 6 and fields[5].startswith("/dev/shm/"):
                    found.add(int(fields[4]))
    return found
