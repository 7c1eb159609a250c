"""The records of a run: accepted and claimed at its begin, written while it goes on, ended with it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rumiai.contracts.outcome import ClaudeTotals
from rumiai.core.json_values import JsonObject
from rumiai.errors import RumiAIError, UsageError
from rumiai.records import CancelKind, EndingState, NewRun, NewVideo, Recorder, RunEnding
from rumiai.results.rebuilding import open_records
from rumiai.results.store import Store
from rumiai.run.types import VideoTask
from rumiai.settings import Settings
from rumiai.sources.listing import Named


class Recording:
    """A run that is recorded.

    Attributes:
        run_id: What the records call it.
        recorder: Takes its events.
        ending: How it ended; None while it goes on.
    """

    def __init__(self, out: Path, run_id: str) -> None:
        self.run_id = run_id
        self.recorder = Recorder(out, run_id, self._cancel)
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
        StoreError: The records cannot be opened.
        UsageError: Another process has the run.
    """
    with open_records(Store(*settings.folders)) as records:
        if run_id is None:
            run_id = records.create_run(NewRun(tuple(sources), settings.to_json(), kind, request or {}))[0].run_id
        if not records.claim(run_id):
            raise UsageError(f"the run {run_id} has ended, or another process has it")
        records.add_videos(run_id, [_new_video(task) for task in tasks])
        recording = Recording(settings.out, run_id)
        try:
            with recording.recorder:
                yield recording
        except BaseException as exc:
            recording.ending = recording.ending or RunEnding("failed", 1, type(exc).__name__, str(exc))
            raise
        finally:
            if recording.ending is not None:
                records.finish_run(run_id, recording.ending)


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
