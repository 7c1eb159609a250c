"""Whether there is memory for one more video: no work is begun that would make the machine swap.

What is available is the least of what the machine and every control group above this process has. What one video needs
is measured while others run: the most private and shared memory that a worker has had. Until a video has ended it is
taken from :data:`FIRST_NEED_BYTES`. A worker that has just begun has not taken yet what it will need, so each video in
flight counts with its whole need, and what the workers have already counts as available.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_MIB: Final = 2**20
# A worker with all services has had 450 MiB over a 1080p clip; it hardly grows with the length of the video.
FIRST_NEED_BYTES: Final = 600 * _MIB
# For everything else: the model server's larger requests, other programs, the page cache.
_RESERVE_BYTES: Final = 256 * _MIB
# What was measured, with some air: the next video may be a larger one.
_AIR: Final = 1.1
# Reading /proc for every worker takes a millisecond.
_MEASURE_EVERY_S: Final = 1.0
# With nothing in flight only other programs can give memory back; they are waited for this long.
PATIENCE_S: Final = 60.0
# Control groups without a limit have one of 2**63 bytes or so.
_NO_LIMIT: Final = 2**60


@dataclass
class MemoryGuard:
    """Admits videos while there is memory for them.

    Args:
        fixed_need_bytes: What a video is taken to need; None measures it.
        available: Bytes that are available now.
        workers: Bytes that each worker has now.
        clock: Seconds, monotonic.
    """

    fixed_need_bytes: int | None = None
    available: Callable[[], int] = field(default_factory=lambda: available_bytes)
    workers: Callable[[], list[int]] = field(default_factory=lambda: worker_bytes)
    clock: Callable[[], float] = time.monotonic
    _most: int = 0
    _is_measured: bool = False
    _measured_at: float = -1e9
    _idle_since: float | None = None

    @property
    def need_bytes(self) -> int:
        """What one video is taken to need, in bytes."""
        if self.fixed_need_bytes is not None:
            return self.fixed_need_bytes
        return round(self._most * _AIR) if self._is_measured else max(FIRST_NEED_BYTES, self._most)

    def measure(self, *, ended: bool = False) -> None:
        """Look at the workers, once a second at most; to be called while videos are in flight.

        Args:
            ended: Whether a video has ended well: what was seen until now is then what one needs.
        """
        if self.clock() - self._measured_at >= _MEASURE_EVERY_S:
            self._measured_at = self.clock()
            self._most = max([self._most, *self.workers()])
        self._is_measured |= ended and self._most > 0

    def fitting(self, wanted: int) -> int:
        """How many workers to start, of those that are wanted: one at least."""
        return max(1, min(wanted, (self.available() - _RESERVE_BYTES) // self.need_bytes))

    def allows(self, in_flight: int) -> bool:
        """Whether there is memory for one more video beside those in flight."""
        there = self.available() + sum(self.workers())
        allowed = there - _RESERVE_BYTES >= (in_flight + 1) * self.need_bytes
        if allowed or in_flight:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = self.clock()
        return allowed

    @property
    def hopeless(self) -> bool:
        """Whether nothing was in flight for a minute, and there is no memory for a single video all the same."""
        return self._idle_since is not None and self.clock() - self._idle_since >= PATIENCE_S

    def line(self) -> str:
        """What is there and what is needed, for a person."""
        return f"{_told(self.available())} of memory are available, a video needs {_told(self.need_bytes)}"


def _told(size: int) -> str:
    return f"{size / 2**30:.1f} GB"


def worker_bytes() -> list[int]:
    """Private and shared memory of each child process of ``multiprocessing``, in bytes; not the files it has mapped."""
    return [memory_of(child.pid) for child in multiprocessing.active_children() if child.pid is not None]


def memory_of(pid: int, proc: Path = Path("/proc")) -> int:
    """Private and shared memory of a process in bytes; 0 when it is not there."""
    values = _read_table(proc / str(pid) / "status")
    return (values.get("RssAnon:", 0) + values.get("RssShmem:", 0)) * 1024


def available_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that can be had without swapping, in bytes: of the machine, and within the limits of all control groups.

    Args:
        proc: The file system of processes.
        groups: Where control groups are mounted.
    """
    return min([_read_table(proc / "meminfo").get("MemAvailable:", 0) * 1024, *_group_rooms(proc, groups)])


def _group_rooms(proc: Path, groups: Path) -> Iterator[int]:
    """What each control group above this process has left, of those that have a limit."""
    with contextlib.suppress(OSError):
        for line in (proc / "self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:  # version 2
                for mount in (groups, groups / "unified"):
                    yield from _rooms(mount, path, ("memory.max", "memory.high"), "memory.current", "inactive_file")
            elif "memory" in controllers.split(","):
                yield from _rooms(
                    groups / "memory", path, ("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"
                )


def _rooms(mount: Path, path: str, limits: tuple[str, ...], usage: str, reclaimable: str) -> Iterator[int]:
    folder = mount / path.lstrip("/")
    # In a container the path is the host's, and its own group is what is mounted.
    folder = folder if folder.is_dir() else mount
    while folder.is_relative_to(mount):
        found = [limit for name in limits if (limit := _read_number(folder / name)) is not None and limit < _NO_LIMIT]
        used = _read_number(folder / usage)
        if found and used is not None:
            # Pages of files that nobody uses are given back before anything is swapped.
            yield max(0, min(found) - used + _read_table(folder / "memory.stat").get(reclaimable, 0))
        folder = folder.parent


def _read_number(path: Path) -> int | None:
    """The number in a file; None when it is not there or holds another word, as ``max``."""
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return None


def _read_table(path: Path) -> dict[str, int]:
    """Name -> number of each line that has both."""
    with contextlib.suppress(OSError):
        rows = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}
    return {}
