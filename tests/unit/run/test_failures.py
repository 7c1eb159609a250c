from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rumiai.contracts.run_events import LogEvent, RunEvent
from rumiai.run.failures import WorkersLog


def test_the_end_of_what_was_printed_since_the_attempt_began(tmp_path: Path) -> None:
    path = tmp_path / "workers.log"
    log = WorkersLog(path)
    log.begin("a")  # no worker has printed anything yet
    assert log.tail("a") == ""
    path.write_text("older\n")
    assert log.tail("a") == "older"
    log.begin("a")
    assert log.tail("a") == ""
    with path.open("a") as stream:
        stream.write("Fatal Python error: Segmentation fault\n")
    assert log.tail("a") == "Fatal Python error: Segmentation fault"
    with path.open("ab") as stream:
        stream.write(b"\xff" + b"x" * 5000)
    assert log.tail("a") == "x" * 1500


_CRASH = """
import faulthandler, os, sys, threading, time
import numpy
faulthandler.enable(sys.stderr)
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def in_work():
    os.kill(os.getpid(), 11)
in_work()
"""


def test_of_a_crash_its_reason_and_its_stack(tmp_path: Path) -> None:
    """A real one, with other threads and with modules that are listed."""
    path = tmp_path / "workers.log"
    path.write_text("W0000 a line of a library\n")
    with path.open("ab") as stream:
        subprocess.run([sys.executable, "-c", _CRASH], stderr=stream, check=False)
    assert "Extension modules" in path.read_text()
    lines = WorkersLog(path).tail("a").splitlines()
    assert lines[0] == "Fatal Python error: Segmentation fault"
    assert lines[1].startswith("Current thread 0x")
    assert [line.split(" in ")[-1] for line in lines[2:]] == ["in_work", "<module>"]


def test_it_becomes_a_line_of_the_videos_log(tmp_path: Path) -> None:
    told: list[RunEvent] = []
    log = WorkersLog(tmp_path / "workers.log")
    log.tell("a", told.append)
    (tmp_path / "workers.log").write_text("Fatal Python error\n")
    log.tell("a", told.append)
    assert told == [LogEvent("DEBUG", "rumiai.worker", "Fatal Python error", os.getpid(), "a")]
