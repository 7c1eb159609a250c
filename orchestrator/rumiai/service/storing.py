"""Runs are put into the records by one thread, as many at once as have come: a commit for each would limit how many."""

from __future__ import annotations

import asyncio
import queue
import threading
from dataclasses import dataclass
from typing import Final

from rumiai.errors import RumiAIError, StoreError
from rumiai.records import NewRun, Records, RunRecord

# A transaction keeps other writers out; so many take a few milliseconds.
_AT_ONCE: Final = 64


@dataclass(frozen=True)
class _Waiting:
    run: NewRun
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[tuple[RunRecord, bool]]


class RunStore:
    """Accepts runs for the event loop.

    Args:
        records: Of the output folder.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="accepting", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Accept what has come, and end."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    async def create(self, run: NewRun) -> tuple[RunRecord, bool]:
        """See :meth:`Records.create_run`; returns when it is in the file.

        Raises:
            StoreError: It cannot be written.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(run, loop, loop.create_future())
        self._queue.put(waiting)
        return await waiting.answer

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, is_last = [first], False
            while len(batch) < _AT_ONCE and not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    is_last = True
                    break
                batch.append(more)
            self._store(batch)
            if is_last:
                return

    def _store(self, batch: list[_Waiting]) -> None:
        try:
            made = self._records.create_runs([waiting.run for waiting in batch])
        except RumiAIError as exc:
            reason = exc if isinstance(exc, StoreError) else StoreError(str(exc))
            batch[0].loop.call_soon_threadsafe(_refuse, batch, reason)
        else:
            batch[0].loop.call_soon_threadsafe(_answer, batch, made)


def _answer(batch: list[_Waiting], made: list[tuple[RunRecord, bool]]) -> None:
    for waiting, each in zip(batch, made, strict=True):
        if not waiting.answer.done():  # its caller may have gone
            waiting.answer.set_result(each)


def _refuse(batch: list[_Waiting], reason: StoreError) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(reason)
