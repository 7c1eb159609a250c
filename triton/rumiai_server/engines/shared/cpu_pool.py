"""A pool of threads that each process a whole work item on a CPU.

torch splits one operation among its threads and joins them after it. Python code between two operations runs on one
core. Items that do not depend on each other, such as pictures, therefore run one to a thread: all cores stay busy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

import cv2
import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

# Each item in progress takes memory of its own: 0.4 GB for OCR's largest picture.
MAX_WORKERS: Final = 16


class CpuPool:
    """Worker threads for whole items. A single item, or a pool of one thread, runs on the caller's thread.

    OpenCV's own threads are switched off for the whole process: with them there would be more threads than cores.

    Args:
        threads: Of all workers together. torch's operations on a worker use its share of them.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(min(threads, MAX_WORKERS), "cpu-pool")
        self._local = threading.local()
        cv2.setNumThreads(1)

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Call ``work`` on every item.

        Args:
            work: Called by several threads at once. It must set by itself what holds for one thread alone, such as
                torch's inference mode.
            items: May be empty.

        Returns:
            The results, in the order of the items. The first item that failed raises its error here.
        """
        if self._threads == 1 or len(items) <= 1:
            return [work(item) for item in items]
        share = max(self._threads // min(len(items), MAX_WORKERS), 1)
        return list(self._pool.map(partial(self._run, work, share), items))

    def _run(self, work: Callable[[Item], Result], threads: int, item: Item) -> Result:
        if getattr(self._local, "threads", None) != threads:
            torch.set_num_threads(threads)  # of this thread
            self._local.threads = threads
        return work(item)
