"""Pieces of work side by side on a CPU, each on a thread of its own.

torch splits every operation among its threads and joins them after it, and what is no operation of torch's has one core
to itself. Pictures have nothing to do with each other: side by side they keep all cores busy from end to end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

import cv2
import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")

# Each piece under way takes memory of its own: 0.4 GB for OCR's largest picture.
MAX_LANES: Final = 16


class Lanes:
    """Threads for whole pieces of work; on one of them, and for a single piece, the caller's thread does it.

    OpenCV loses the threads of its own, in the whole process: they would be more than there are cores.

    Args:
        threads: Of all lanes together; torch's operations on a lane have their share of them.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(min(threads, MAX_LANES), "lane")
        self._lane = threading.local()
        cv2.setNumThreads(1)

    def map(self, work: Callable[[Piece], Result], pieces: Sequence[Piece]) -> list[Result]:
        """Do ``work`` on every piece; the results in order, or the first piece's error that failed.

        ``work`` must be safe to be called by several threads. What holds for the caller's thread alone, such as torch's
        inference mode, it must set itself.
        """
        if self._threads == 1 or len(pieces) <= 1:
            return [work(piece) for piece in pieces]
        share = max(self._threads // min(len(pieces), MAX_LANES), 1)
        return list(self._pool.map(partial(self._run, work, share), pieces))

    def _run(self, work: Callable[[Piece], Result], threads: int, piece: Piece) -> Result:
        if getattr(self._lane, "threads", None) != threads:
            torch.set_num_threads(threads)  # of this thread
            self._lane.threads = threads
        return work(piece)
