"""What killed runs left is removed at the start of the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rumiai.core.processes import ProcessIdentity
from rumiai.media.shared_frames import SHM_DIR
from rumiai.run import leftovers
from rumiai.run.events import event_socket
from rumiai.run.leftovers import EVENTS_PREFIX, OWNER_FILE, sweep

KILLED = """
import time
from rumiai.media.shared_frames import FrameArena
from rumiai.run.events import event_socket
arena = FrameArena("killed-w1", slots=2, slot_bytes=100)
with event_socket(print) as address:
    print(arena.region, address, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(leftovers.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_memory_and_folders_of_a_killed_run_go_and_those_of_a_living_one_stay() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        region, address = child.stdout.readline().split()
        assert not {region, Path(address).parent.name} & set(sweep())
        assert Path(address).exists()
        child.send_signal(signal.SIGKILL)
    with event_socket(print) as living:
        assert {region, Path(address).parent.name} <= set(sweep())
        assert Path(living).exists()
    assert not Path(address).parent.exists()
    assert not Path(SHM_DIR, region).exists()


@pytest.mark.parametrize(
    ("content", "stays"),
    [
        (str(ProcessIdentity.own()), True),
        (str(replace(ProcessIdentity.own(), namespace=1, started_ticks=1)), True),
        ("something else", True),
        (None, True),
        (str(replace(ProcessIdentity.own(), started_ticks=1)), False),
    ],
)
def test_only_a_folder_of_a_process_that_has_certainly_ended_goes(temporary, content, stays) -> None:
    folder = temporary / f"{EVENTS_PREFIX}x"
    folder.mkdir()
    if content is not None:
        (folder / OWNER_FILE).write_text(content)
    sweep()
    assert folder.is_dir() is stays


def test_the_folder_names_its_process() -> None:
    with event_socket(print) as address:
        owner = ProcessIdentity.parse((Path(address).parent / OWNER_FILE).read_text())
        assert owner is not None
        assert (owner.pid, owner.alive) == (os.getpid(), True)
