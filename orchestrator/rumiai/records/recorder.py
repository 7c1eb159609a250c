"""Writes the records of a run while it goes on, in a thread of its own.

The run only hands its events over. A commit holds all that has come since the last one, so that many events cost little
more than one. Progress waits for half a second; what ends a video is written at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rumiai.contracts.run_events import LogEvent, ProgressEvent, RunEvent
from rumiai.core.clock import now_iso
from rumiai.errors import StoreError
from rumiai.records.connection import Connection
from rumiai.records.folding import Folding
from rumiai.records.place import records_file
from rumiai.records.types import CancelKind

LOG = logging.getLogger(__name__)

# What a person who watches does not notice.
_INTERVAL_S: Final = 0.5
# How often a run without events says that it is there.
_SEEN_S: Final = 5.0


class Recorder:
    """Records one run; use it as a context manager. What it cannot write costs the records, never the run.

    Args:
        out: The output folder.
        run_id: A run that this process has claimed.
        on_cancel: Called, from the thread, once for each kind of end that is asked for.
    """

    def __init__(self, out: Path, run_id: str, on_cancel: Callable[[CancelKind], None] = lambda kind: None) -> None:
        self._run_id, self._on_cancel = run_id, on_cancel
        self._db = Connection(records_file(out), create=False)
        begun = self._db.read("SELECT video_id, attempts FROM videos WHERE run_id = ? AND attempts > 0", run_id)
        self._folding = Folding(run_id, {row["video_id"]: row["attempts"] for row in begun})
        self._lock = threading.Lock()
        self._events: list[tuple[RunEvent, str]] = []
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._asked: CancelKind | None = None
        self._failed = False
        self._seen_s = 0.0
        self._thread = threading.Thread(target=self._write_on, name="records", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        """Write what is left and end the thread."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._db.close()

    def handle(self, event: RunEvent) -> None:
        """Take an event; returns at once, from any thread."""
        with self._lock:
            self._events.append((event, now_iso()))
        if not isinstance(event, ProgressEvent | LogEvent):
            self._wake.set()

    def _write_on(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(_INTERVAL_S)
            self._wake.clear()
            self._try_step()
        self._try_step()

    def _try_step(self) -> None:
        if self._failed:
            return
        try:
            self._step()
        except StoreError as exc:
            self._failed = True
            LOG.warning("the run goes on without records: %s; `rumiai-orch status --rebuild` mends them", exc)

    def _step(self) -> None:
        with self._lock:
            events, self._events = self._events, []
        now_s = time.monotonic()
        if events or now_s - self._seen_s >= _SEEN_S:
            self._seen_s = now_s
            self._write(events)
        (row,) = self._db.read("SELECT cancel FROM runs WHERE run_id = ?", self._run_id) or ({"cancel": None},)
        if row["cancel"] is not None and row["cancel"] != self._asked:
            self._asked = row["cancel"]
            self._on_cancel(row["cancel"])

    def _write(self, events: Sequence[tuple[RunEvent, str]]) -> None:
        with self._db.transaction():
            for event, at in events:
                for sql, values in self._folding.changes(event, at):
                    self._db.write(sql, *values)
            self._db.write("UPDATE runs SET seen_at = ? WHERE run_id = ?", now_iso(), self._run_id)
