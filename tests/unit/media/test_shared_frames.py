"""The arena: who may write, who may read, what stays behind when a process is killed."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from rumiai.errors import RumiAIError, StoreError, UsageError
from rumiai.media import shared_frames
from rumiai.media.shared_frames import SHM_DIR, FrameArena, SharedRegion, sweep_stale, unlink_run

RUN = f"t{os.getpid()}"


def _mine() -> list[str]:
    return sorted(path.name for path in SHM_DIR.glob(f"rumiai-*-{RUN}*"))


def test_another_mapping_sees_what_was_written() -> None:
    with FrameArena(f"{RUN}-w0", slots=3, slot_bytes=5000) as arena:
        slot = arena.acquire()
        assert slot is not None
        slot.data[:] = np.arange(5000) % 251
        span = arena.span(slot, 5000)
        assert (span.region, span.key) == (arena.region, f"/{arena.region}")
        with (SHM_DIR / span.region).open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as other:
            assert other[span.offset_bytes : span.offset_bytes + 5000] == bytes(i % 251 for i in range(5000))
        slot.publish(1)
        slot.release()
    assert _mine() == []


def test_slots_are_disjoint_whole_pages() -> None:
    with FrameArena(f"{RUN}-w0", slots=4, slot_bytes=5000) as arena:
        slots = [arena.acquire(0) for _ in range(4)]
        offsets = sorted(slot.offset_bytes for slot in slots if slot)
        assert offsets == [0, 8192, 16384, 24576]
        assert arena.size_bytes == 32768
        assert (SHM_DIR / arena.region).stat().st_size == 32768
        # Reserved, not only promised: a later write cannot fail.
        assert (SHM_DIR / arena.region).stat().st_blocks * 512 >= 32768
        assert arena.acquire(timeout_s=0.01) is None


def test_a_slot_is_free_after_its_last_reader() -> None:
    with FrameArena(f"{RUN}-w0", slots=1, slot_bytes=10) as arena:
        slot = arena.acquire()
        assert slot is not None
        slot.publish(3)
        slot.release()
        slot.release()
        assert arena.acquire(timeout_s=0.0) is None
        slot.release()
        assert arena.free_slots == 1
        with pytest.raises(RumiAIError, match="more often"):
            slot.release()


def test_a_writer_waits_for_a_reader_in_another_thread() -> None:
    with FrameArena(f"{RUN}-w0", slots=1, slot_bytes=10) as arena:
        slot = arena.acquire()
        assert slot is not None
        slot.publish(1)
        timer = threading.Timer(0.1, slot.release)
        timer.start()
        assert arena.acquire(timeout_s=10.0) is slot
        timer.join()


def test_closing_wakes_a_waiting_writer() -> None:
    arena = FrameArena(f"{RUN}-w0", slots=1, slot_bytes=10)
    slot = arena.acquire()
    assert slot is not None
    timer = threading.Timer(0.1, arena.close)
    timer.start()
    with pytest.raises(RumiAIError, match="closed"):
        arena.acquire(timeout_s=10.0)
    timer.join()
    arena.close()
    slot.data[:] = 7  # a view outlives the name
    assert slot.data.sum() == 70
    assert _mine() == []


def test_many_threads_share_few_slots() -> None:
    seen: list[int] = []
    with FrameArena(f"{RUN}-w0", slots=3, slot_bytes=8) as arena:

        def read(slot: object, value: int) -> None:
            assert slot.data[0] == value  # type: ignore[attr-defined]
            seen.append(value)
            slot.release()  # type: ignore[attr-defined]

        threads = []
        for value in range(200):
            slot = arena.acquire(timeout_s=10.0)
            assert slot is not None
            slot.data[:] = value
            slot.publish(2)
            threads += [threading.Thread(target=read, args=(slot, value)) for _ in range(2)]
            threads[-1].start()
            threads[-2].start()
        for thread in threads:
            thread.join()
        assert sorted(seen) == sorted([*range(200), *range(200)])
        assert arena.free_slots == 3


def test_no_room_says_how_much_is_needed() -> None:
    with pytest.raises(StoreError, match=r"/dev/shm has \d+ MiB free, 67108864 MiB are needed"):
        SharedRegion(f"{RUN}-w0", 2**46)
    assert _mine() == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", "-a", "a-", "a b", "a--b", "a\n", "x" * 201])
def test_names_that_are_no_names(name: str) -> None:
    with pytest.raises(UsageError):
        SharedRegion(name, 10)
    with pytest.raises(UsageError):
        unlink_run(name)


@pytest.mark.parametrize(("slots", "size"), [(0, 10), (1, 0), (-1, 5)])
def test_sizes_that_are_no_sizes(slots: int, size: int) -> None:
    with pytest.raises(UsageError):
        FrameArena(f"{RUN}-w0", slots=slots, slot_bytes=size)


def test_views_stay_within_the_region() -> None:
    with SharedRegion(f"{RUN}-audio", 100) as region:
        assert region.view(90, 10).nbytes == 10
        for offset, size in ((-1, 5), (96, 5), (0, 101), (5, -1)):
            with pytest.raises(ValueError, match="does not lie within"):
                region.view(offset, size)


def _killed_owner(name: str) -> str:
    """The region of a process that was killed while it owned it."""
    script = f"""
import sys, time
from rumiai.media.shared_frames import FrameArena
arena = FrameArena({name!r}, slots=2, slot_bytes=100)
print(arena.region, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        region = child.stdout.readline().strip()
        assert region not in sweep_stale()  # its owner lives
        child.send_signal(signal.SIGKILL)
    assert Path(SHM_DIR, region).exists()
    return region


def test_a_killed_workers_memory_is_removed_by_its_parent() -> None:
    region = _killed_owner(f"{RUN}-w1")
    other = SharedRegion(f"{RUN}x-w1", 10)
    assert unlink_run(RUN) == [region]
    assert _mine() == [other.region]
    other.close()


def test_a_region_whose_owners_id_another_process_has_got_is_swept_when_it_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    region = _killed_owner(f"{RUN}-w3")
    monkeypatch.setattr(shared_frames, "_alive", lambda pid: True)
    with SharedRegion(f"{RUN}-alive", 10) as alive:
        assert region not in sweep_stale()
        monkeypatch.setattr(shared_frames, "_LOCKED_WITHIN_S", -1.0)
        assert region in sweep_stale()
        assert _mine() == [alive.region]


def test_the_next_run_sweeps_what_killed_processes_left() -> None:
    region = _killed_owner(f"{RUN}-w2")
    with SharedRegion(f"{RUN}-alive", 10) as alive:
        assert region in sweep_stale()  # beside what others on this machine left
        assert _mine() == [alive.region]
