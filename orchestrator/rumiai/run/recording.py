"""The records of a run: accepted and claimed at its begin, written while it goes on, ended with it."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rumiai.contracts.outcome import ClaudeTotals
from rumiai.contracts.run_events import RunEvent
from rumiai.core.json_values import JsonObject
from rumiai.errors import RumiAIError, UsageError
from rumiai.records import (
    CancelKind,
    EndingState,
    NewRun,
    NewVideo,
    Recorder,
    Records,
    RunEnding,
    UnusableRecordsError,
)
from rumiai.results.rebuilding import open_records
from rumiai.results.store import Store
from rumiai.run.types import VideoTask
from rumiai.settings import Settings
from rumiai.sources.listing import Named

LOG = logging.getLogger(__name__)

# What a run without records calls itself.
_UNRECORDED: Final = "unrecorded"
_MEND: Final = "`rumiai-orch status --rebuild` makes them again"


class Unrecorded:
    """Takes the events of a run whose records cannot be written, and forgets them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to write."""

    def handle(self, event: RunEvent) -> None:
        """Take an event."""


class Recording:
    """A run that is recorded.

    Attributes:
        run_id: What the records call it.
        recorder: Takes its events.
        ending: How it ended; None while it goes on.
    """

    def __init__(self, out: Path, run_id: str) -> None:
        self.run_id = run_id
        self.recorder = Unrecorded() if run_id == _UNRECORDED else Recorder(out, run_id, self._cancel)
        self.ending: RunEnding | None = None
        self._asked: list[CancelKind] = []
        self._on_cancel: Callable[[CancelKind], None] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the run was asked to end."""
        return bool(self._asked)

    def on_cancel(self, handle: Callable[[CancelKind], None]) -> None:
        """Call ``handle``, from another thread, when the run is asked to end."""
        self._on_cancel = handle
        for how in self._asked:
            handle(how)

    def _cancel(self, how: CancelKind) -> None:
        self._asked.append(how)
        if self._on_cancel is not None:
            self._on_cancel(how)

    def end(
        self,
        exit_code: int,
        *,
        cut_short: bool = False,
        error: RumiAIError | None = None,
        claude: ClaudeTotals | None = None,
    ) -> None:
        """Say how the run ended.

        Args:
            exit_code: Of the program.
            cut_short: Whether videos were left out because a signal or ``cancel`` asked for it.
            error: What ended it early.
            claude: Totals of Claude's half.
        """
        state: EndingState = "failed" if error else "done"
        if cut_short:
            state = "cancelled" if self.cancelled else "interrupted"
        kind, message = (type(error).__name__, str(error)) if error else (None, None)
        self.ending = RunEnding(state, exit_code, kind, message, claude)


@contextlib.contextmanager
def recorded(
    sources: Sequence[str],
    tasks: Sequence[VideoTask],
    settings: Settings,
    *,
    kind: str = "submit",
    request: JsonObject | None = None,
    run_id: str | None = None,
) -> Iterator[Recording]:
    """Record a run for the length of a ``with`` block.

    Args:
        sources: What the user named.
        tasks: The videos.
        settings: Of the run.
        kind: Who runs it; see :class:`rumiai.records.NewRun`.
        request: What is kept to ask for the same again, see :func:`request_of`.
        run_id: A run that was accepted before; None accepts one.

    Raises:
        StoreError: A newer version wrote the records; or the run was accepted before, and its records cannot be used.
        UsageError: Another process has the run.

    The records of a run that is accepted here are no condition of it: where a full disk, or what else, keeps them from
    being written, it goes on without and says so.
    """
    new = NewRun(tuple(sources), settings.to_json(), kind, request or {}) if run_id is None else None
    with contextlib.ExitStack() as stack:
        try:
            records = stack.enter_context(open_records(Store(*settings.folders)))
            run_id = _begun(records, new, run_id, tasks)
            recording = Recording(settings.out, run_id)
        except UnusableRecordsError as exc:
            if new is None:
                raise
            LOG.warning("the run goes on without records: %s; %s", exc.message, _MEND)
            recording = Recording(settings.out, _UNRECORDED)
            records = None
        stack.push(partial(_end, records, recording, new is None))
        stack.enter_context(recording.recorder)
        yield recording


def _begun(records: Records, new: NewRun | None, run_id: str | None, tasks: Sequence[VideoTask]) -> str:
    """Accept a run, unless that was done before, and claim it with its videos."""
    run_id = records.create_run(new)[0].run_id if new is not None else run_id or ""
    if not records.claim(run_id):
        raise UsageError(f"the run {run_id} has ended, or another process has it")
    records.add_videos(run_id, [_new_video(task) for task in tasks])
    return run_id


def _end(
    records: Records | None,
    recording: Recording,
    is_needed: bool,
    kind: type[BaseException] | None,
    exc: BaseException | None,
    traceback: TracebackType | None,
) -> None:
    """Record the end of a run, which an exception may be; what cannot be written costs the records alone.

    Args:
        records: Of the output folder; None where the run has none.
        recording: Of the run.
        is_needed: Whether the run cannot go without its records: it then fails with them.
        kind: As of ``__exit__``.
        exc: As of ``__exit__``.
        traceback: As of ``__exit__``.
    """
    if exc is not None and recording.ending is None:
        recording.ending = RunEnding("failed", 1, type(exc).__name__, str(exc))
    if records is None or recording.ending is None:
        return
    try:
        records.finish_run(recording.run_id, recording.ending)
    except UnusableRecordsError as exc:
        if is_needed:
            raise
        LOG.warning("the end of the run is not in its records: %s; %s", exc.message, _MEND)


def request_of(named: Named, *, insights: bool) -> JsonObject:
    """What a later call needs to list the same videos again; ``folder`` is the one that relative paths start from."""
    texts = [shown for shown in named.shown if shown != named.manifest]
    return {
        "texts": texts,
        "manifest": named.manifest,
        "metadata": named.metadata,
        "insights": insights,
        "folder": os.getcwd(),
    }


def _new_video(task: VideoTask) -> NewVideo:
    path = Path(task.item.address or task.item.location)
    size = path.stat().st_size if path.is_file() else None
    return NewVideo(task.video_id, task.item.location, size)
