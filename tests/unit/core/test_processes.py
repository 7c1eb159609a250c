"""Which process left something, and whether it still runs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from multiprocessing import synchronize
from pathlib import Path

import psutil
import pytest

from rumiai.core import processes
from rumiai.core.processes import ProcessIdentity, own_processes, step_back, sweep_semaphores


def test_the_start_is_that_of_psutil() -> None:
    own = ProcessIdentity.own()
    assert own.pid == os.getpid()
    ticks = os.sysconf("SC_CLK_TCK")
    assert psutil.boot_time() + own.started_ticks / ticks == pytest.approx(psutil.Process().create_time(), abs=1.5)


def test_text_and_back() -> None:
    own = ProcessIdentity.own()
    assert ProcessIdentity.parse(str(own)) == own
    assert ProcessIdentity.parse(f"{own}-1-4fa1") == own
    for text in ("", "12", "12-34", "a-1-2", "1-2-x"):
        assert ProcessIdentity.parse(text) is None


def test_a_process_runs_until_it_ends_also_when_nobody_has_reaped_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = ProcessIdentity.of(child.pid)
        assert found is not None
        assert (found.alive, found.ended) == (True, False)
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
        assert (found.alive, found.ended) == (False, True)
        assert ProcessIdentity.of(child.pid) is None


def test_another_process_of_the_same_number_is_another() -> None:
    own = ProcessIdentity.own()
    assert replace(own, started_ticks=own.started_ticks - 1).ended
    elsewhere = replace(own, namespace=own.namespace + 1)
    assert (elsewhere.alive, elsewhere.ended) == (False, False)  # it cannot be told


def test_own_processes_holds_this_one_and_none_of_others() -> None:
    found = set(own_processes())
    assert os.getpid() in found
    assert all(psutil.Process(pid).uids().real == os.getuid() for pid in found if psutil.pid_exists(pid))


def test_semaphores_that_nobody_maps_are_removed_and_others_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    used = multiprocessing.get_context("spawn").Semaphore(1)
    assert isinstance(used, synchronize.Semaphore)
    name = "sem." + used._semlock.name.lstrip("/")  # type: ignore[attr-defined]
    assert (processes.SHARED_MEMORY / name).exists()
    left = processes.SHARED_MEMORY / "sem.mp-rumiai-test"
    left.touch()
    try:
        monkeypatch.setattr(processes, "_SEMAPHORE_AGE_S", 3600.0)
        assert left.name not in sweep_semaphores(time.time())  # too young
        monkeypatch.setattr(processes, "_SEMAPHORE_AGE_S", -1.0)
        removed = sweep_semaphores(time.time())
        assert left.name in removed
        assert name not in removed
        assert not left.exists()
        assert (processes.SHARED_MEMORY / name).exists()
    finally:
        left.unlink(missing_ok=True)


def test_a_folder_without_semaphores_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "SHARED_MEMORY", tmp_path)
    assert sweep_semaphores(time.time()) == []


def test_a_process_ends_with_the_parent_that_was_killed() -> None:
    child = "import os, time; from rumiai.core.processes import end_with_parent; end_with_parent(os.getppid()); "
    child += "print(os.getpid(), flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        orphan = psutil.Process(int(running.stdout.readline()))
        assert orphan.is_running()
        running.kill()
        orphan.wait(20)
    assert not psutil.pid_exists(orphan.pid) or orphan.status() == psutil.STATUS_ZOMBIE


def test_a_thread_steps_back_with_what_it_starts_and_the_others_do_not() -> None:
    found: list[int] = []

    def work() -> None:
        step_back(3)
        code = "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"
        found.append(int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout))

    own = os.getpriority(os.PRIO_PROCESS, 0)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (found, os.getpriority(os.PRIO_PROCESS, 0)) == ([min(own + 3, 19)], own)
