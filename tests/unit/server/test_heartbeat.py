"""Which processes hang: real ones that wait, work or are stopped, and a clock that is given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rumiai.core.processes import ProcessIdentity, cpu_seconds, is_stopped
from rumiai_server.heartbeat import STOPPED_S, Heartbeat, StoppedProcesses, kill

WAITS = "input()"
WORKS = "print(flush=True)\nwhile True: pass"


@contextmanager
def running(program: str) -> Iterator[ProcessIdentity]:
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            process = ProcessIdentity.of(child.pid)
            assert process is not None
            yield process
        finally:
            child.kill()  # whatever happened: else its end would be waited for


@dataclass
class Sent:
    answered: bool


def looks(process: ProcessIdentity, *, answered: bool, until_s: int = 100) -> list[int]:
    """The seconds of a clock at which the process seems to hang."""
    heart = Heartbeat([process], lambda: Sent(answered))
    return [now_s for now_s in range(until_s) if heart.hangs(float(now_s))]


def test_one_that_neither_answers_nor_works_hangs_after_half_a_minute() -> None:
    with running(WAITS) as process:
        time.sleep(1.0)  # until it has started, which is work
        assert looks(process, answered=False)[0] == 30


def test_one_that_answers_does_not_hang() -> None:
    with running(WAITS) as process:
        assert looks(process, answered=True) == []


def test_one_that_works_does_not_hang() -> None:
    with running(WORKS) as process:
        heart = Heartbeat([process], lambda: Sent(False))
        assert not heart.hangs(0.0)
        before = cpu_seconds(process.pid)
        while cpu_seconds(process.pid) < before + 1.0:
            time.sleep(0.05)
        assert not any(heart.hangs(float(now_s)) for now_s in range(1, 45))


def test_a_machine_that_slept_is_no_sign() -> None:
    with running(WAITS) as process:
        heart = Heartbeat([process], lambda: Sent(False))
        assert not heart.hangs(0.0)
        assert not heart.hangs(5000.0)
        assert not heart.hangs(5009.0)


def test_what_has_been_stopped_for_too_long_is_ended_and_what_goes_on_is_not() -> None:
    with running(WORKS) as one, running(WORKS) as other:
        stopped = StoppedProcesses()
        for process in (one, other):
            os.kill(process.pid, signal.SIGSTOP)
            deadline = time.monotonic() + 30
            while not is_stopped(process.pid):
                assert time.monotonic() < deadline
        assert stopped.overdue([one, other], 0.0) == []
        os.kill(other.pid, signal.SIGCONT)
        assert stopped.overdue([one, other], STOPPED_S / 2) == []
        os.kill(other.pid, signal.SIGSTOP)
        assert stopped.overdue([one, other], STOPPED_S) == [one]
        kill([one])
        deadline = time.monotonic() + 30
        while one.alive:
            assert time.monotonic() < deadline
        assert other.alive


def test_a_process_that_has_ended_is_neither_stopped_nor_at_work() -> None:
    gone = 2**22 + 1  # beyond the greatest pid
    assert not is_stopped(gone)
    assert cpu_seconds(gone) == 0.0
