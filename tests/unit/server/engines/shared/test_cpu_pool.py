"""Pieces of work side by side: their order, their errors, their share of the threads."""

from __future__ import annotations

import threading

import pytest
import torch

from rumiai_server.engines.shared.cpu_pool import MAX_WORKERS, CpuPool


def torch_threads(_: int) -> tuple[str, int]:
    return threading.current_thread().name, torch.get_num_threads()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order(threads: int) -> None:
    turn = threading.Barrier(2) if threads > 1 else None

    def square(number: int) -> int:
        if turn is not None and number < 2:  # two pieces meet: they are under way together
            turn.wait(timeout=10)
        return number * number

    assert CpuPool(threads).map(square, range(20)) == [number * number for number in range(20)]


def test_workers_share_the_threads_and_leave_the_callers_alone() -> None:
    before = torch.get_num_threads()
    workers = CpuPool(6)
    for pieces, share in ((2, 3), (4, 1), (3, 2), (50, 1)):
        found = workers.map(torch_threads, range(pieces))
        assert {count for _, count in found} == {share}, pieces
        assert all(name.startswith("cpu-pool") for name, _ in found)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("threads", "pieces"), [(1, 9), (6, 1), (6, 0)])
def test_what_cannot_go_side_by_side_is_done_by_the_caller(threads: int, pieces: int) -> None:
    here = threading.current_thread().name, torch.get_num_threads()
    assert CpuPool(threads).map(torch_threads, range(pieces)) == [here] * pieces


def test_many_cores_do_not_make_many_workers() -> None:
    found = CpuPool(64).map(torch_threads, range(200))
    assert len({name for name, _ in found}) <= MAX_WORKERS
    assert {count for _, count in found} == {64 // MAX_WORKERS}


def test_an_error_is_the_callers() -> None:
    def fail(number: int) -> int:
        if number % 3 == 1:
            raise ValueError(f"piece {number}")
        return number

    workers = CpuPool(2)
    with pytest.raises(ValueError, match="piece 1"):
        workers.map(fail, range(9))
    assert workers.map(abs, [-1, -2]) == [1, 2]
