from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rumiai.run.memory import FIRST_NEED_BYTES, PATIENCE_S, MemoryGuard, available_bytes, memory_of

MIB = 2**20
GIB = 2**30


class Machine:
    """A fake reading: what is available, what each worker has, and the clock."""

    def __init__(self, available: int, *workers: int, need: int | None = None) -> None:
        self.available, self.workers, self.now_s = available, list(workers), 0.0
        self.guard = MemoryGuard(need, lambda: self.available, lambda: self.workers, lambda: self.now_s)

    def measured(self, *workers: int, ended: bool = False) -> None:
        self.workers = list(workers)
        self.now_s += 2
        self.guard.measure(ended=ended)


def test_what_a_video_needs_is_measured() -> None:
    machine = Machine(8 * GIB)
    assert machine.guard.need_bytes == FIRST_NEED_BYTES
    machine.measured(100 * MIB, 500 * MIB)
    assert machine.guard.need_bytes == FIRST_NEED_BYTES  # it may still grow
    machine.measured(400 * MIB, ended=True)
    assert machine.guard.need_bytes == round(500 * MIB * 1.1)
    machine.measured(2000 * MIB)
    assert machine.guard.need_bytes == round(2000 * MIB * 1.1)


def test_a_growing_worker_raises_the_first_guess() -> None:
    machine = Machine(8 * GIB)
    machine.measured(FIRST_NEED_BYTES + 7)
    assert machine.guard.need_bytes == FIRST_NEED_BYTES + 7


def test_each_video_in_flight_counts_with_all_that_it_will_need() -> None:
    # Three videos of 1000 MiB and the reserve of 256: the two in flight have 300 of their 2000 yet.
    machine = Machine(2956 * MIB, 200 * MIB, 100 * MIB, need=1000 * MIB)
    assert machine.guard.allows(2)
    machine.available -= 1
    assert not machine.guard.allows(2)
    # They have grown: what they have is no longer available, and no longer to come.
    machine.available, machine.workers = 1256 * MIB, [1000 * MIB, 1000 * MIB]
    assert machine.guard.allows(2)


def test_workers_are_started_that_fit() -> None:
    machine = Machine(2500 * MIB, need=1000 * MIB)
    assert machine.guard.fitting(5) == 2
    assert machine.guard.fitting(1) == 1
    machine.available = 0
    assert machine.guard.fitting(5) == 1


def test_it_is_hopeless_when_nothing_has_been_in_flight_for_a_minute() -> None:
    machine = Machine(500 * MIB, need=1000 * MIB)
    assert not machine.guard.allows(1)
    machine.now_s += 2 * PATIENCE_S
    assert not machine.guard.hopeless  # what is in flight gives memory back when it ends
    assert not machine.guard.allows(0)
    assert not machine.guard.hopeless
    machine.now_s += PATIENCE_S
    assert not machine.guard.allows(0)
    assert machine.guard.hopeless
    machine.available = 2 * GIB
    assert machine.guard.allows(0)
    assert not machine.guard.hopeless
    assert machine.guard.line() == "2.0 GB of memory are available, a video needs 1.0 GB"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal:  4000 kB\nMemAvailable:   3000 kB\n")
    return tmp_path / "proc"


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_without_control_groups_the_machine_counts(proc: Path, tmp_path: Path) -> None:
    assert available_bytes(proc, tmp_path / "none") == 3000 * 1024


@pytest.mark.parametrize("unified", ["", "unified"])
def test_the_tightest_group_above_the_process_counts(proc: Path, tmp_path: Path, unified: str) -> None:
    (proc / "self/cgroup").write_text("0::/a/b\n")
    groups = tmp_path / "groups" / unified
    group(groups / "a/b", memory__max="max\n", memory__high="max\n", memory__current="10\n")
    assert available_bytes(proc, tmp_path / "groups") == 3000 * 1024
    # Of 900 used, 200 are pages of files that nobody uses.
    group(groups / "a", memory__max="1000\n", memory__current="900\n", memory__stat="anon 5\ninactive_file 200\n")
    assert available_bytes(proc, tmp_path / "groups") == 300
    group(groups / "a/b", memory__high="50\n")
    assert available_bytes(proc, tmp_path / "groups") == 40
    group(groups / "a/b", memory__current="90\n")
    assert available_bytes(proc, tmp_path / "groups") == 0


def test_groups_of_version_1_and_of_a_container(proc: Path, tmp_path: Path) -> None:
    (proc / "self/cgroup").write_text("5:cpu,cpuacct:/\n4:memory:/docker/1234\n")
    own = tmp_path / "groups/memory"  # the host's path is not mounted
    group(own, memory__limit_in_bytes=f"{2**63 - 4096}\n", memory__usage_in_bytes="500\n")
    assert available_bytes(proc, tmp_path / "groups") == 3000 * 1024
    group(own, memory__limit_in_bytes="2000\n", memory__stat="total_inactive_file 100\n")
    assert available_bytes(proc, tmp_path / "groups") == 1600


def test_on_this_machine_it_is_what_psutil_says_at_most() -> None:
    assert 0 < available_bytes() <= psutil.virtual_memory().available * 1.1


def test_memory_of_a_process_is_its_own_pages() -> None:
    code = "block = bytearray(64 << 20); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 64 * MIB < memory_of(process.pid) < 100 * MIB
        process.kill()
    assert memory_of(process.pid) == 0


@contextlib.contextmanager
def limited_group(limit: int) -> Iterator[Path]:
    """A control group with a memory limit, of the version that this machine has."""
    roots = [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")]
    name, file = f"rumiai-test-{os.getpid()}", ("memory.limit_in_bytes", "memory.max")
    folder = next((root / name for root in roots if root.is_dir()), None)
    try:
        assert folder is not None
        folder.mkdir()
    except (OSError, AssertionError) as exc:
        pytest.skip(f"no control group can be made here: {exc}")
    try:
        limit_file = next((folder / each for each in file if (folder / each).exists()), None)
        if limit_file is None:
            pytest.skip("the control group has no memory limit")
        limit_file.write_text(str(limit))
        yield folder
    finally:
        folder.rmdir()


def test_a_real_limit_of_a_control_group_is_read() -> None:
    """A process in a group of 300 MiB has at most these, whatever the machine has."""
    code = "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid()));"
    code += "from rumiai.run.memory import available_bytes; print(available_bytes())"
    with limited_group(300 * MIB) as folder:
        done = subprocess.run(
            [sys.executable, "-c", code, folder / "cgroup.procs"], capture_output=True, text=True, check=False
        )
        if done.returncode and "PermissionError" in done.stderr:
            pytest.skip("no process may be put into a control group here")
        assert 100 * MIB < int(done.stdout) <= 300 * MIB, done.stderr
