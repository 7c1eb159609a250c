"""Processes that are there and do nothing: stopped by a signal, or in a deadlock."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from rumiai.core.processes import ProcessIdentity, cpu_seconds, is_stopped

# A process that somebody stopped has a while to be let go on.
STOPPED_S: Final = 10.0
# A small request is answered within a second, unless others wait before it: then the processes work.
_EVERY_S: Final = 20.0
_UNANSWERED_S: Final = 30.0
# Share of one core that a model's processes use at least while they work. Their guards alone use a thousandth.
_WORKING: Final = 0.02
# Longer between two looks, and it was us who did not run: a machine that slept, a container that was paused.
_GAP_S: Final = 10.0


class Trial(Protocol):
    """A trial request that was sent."""

    @property
    def answered(self) -> bool:
        """Whether there is an answer, an error too."""


class Heartbeat:
    """Trial requests to one model, and whether its processes hang.

    Two signs must come together: a request has no answer for half a minute, and meanwhile the processes have used no
    processor time worth the name. A model that is busy with the requests of others shows the first sign alone.

    Args:
        processes: Of the model.
        send: Sends a trial request.
    """

    def __init__(self, processes: Sequence[ProcessIdentity], send: Callable[[], Trial]) -> None:
        self._processes, self._send = processes, send
        self._trial: Trial | None = None
        self._since_s = self._looked_s = float("-inf")
        self._used_s = 0.0

    def hangs(self, now_s: float) -> bool:
        """Look; to be called several times a second.

        Args:
            now_s: The monotonic clock.
        """
        slept = now_s - self._looked_s > _GAP_S
        self._looked_s = now_s
        if self._trial is None:
            if now_s - self._since_s >= _EVERY_S:
                self._trial = self._send()
                self._begin(now_s)
        elif self._trial.answered:
            self._trial, self._since_s = None, now_s
        elif slept:
            self._begin(now_s)
        elif now_s - self._since_s >= _UNANSWERED_S:
            if self._used() - self._used_s < _WORKING * (now_s - self._since_s):
                return True
            self._begin(now_s)
        return False

    def _begin(self, now_s: float) -> None:
        self._since_s, self._used_s = now_s, self._used()

    def _used(self) -> float:
        return sum(cpu_seconds(process.pid) for process in self._processes)


class StoppedProcesses:
    """Which processes have been stopped for too long."""

    def __init__(self) -> None:
        self._since_s: dict[ProcessIdentity, float] = {}

    def overdue(self, processes: Iterable[ProcessIdentity], now_s: float) -> list[ProcessIdentity]:
        """Those of ``processes`` that have been stopped at every look for :data:`STOPPED_S`.

        Args:
            processes: All that matter.
            now_s: The monotonic clock.
        """
        stopped = {process for process in processes if is_stopped(process.pid)}
        self._since_s = {process: self._since_s.get(process, now_s) for process in stopped}
        return [process for process, since_s in self._since_s.items() if now_s - since_s >= STOPPED_S]


def kill(processes: Iterable[ProcessIdentity]) -> None:
    """End processes; a stopped one too."""
    for process in processes:
        with contextlib.suppress(OSError):
            if process.alive:
                os.kill(process.pid, signal.SIGKILL)
