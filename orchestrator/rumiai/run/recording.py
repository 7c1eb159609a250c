"""The records of a run: accepted and claimed at its begin, written while it goes on, ended with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rumiai.contracts.outcome import ClaudeTotals
from rumiai.errors import RumiAIError, UsageError
from rumiai.records import CancelKind, EndingState, NewRun, NewVideo, Recorder, Records, RunEnding
from rumiai.run.types import VideoTask
from rumiai.settings import Settings


@dataclass
class Recording:
    """A run that is recorded.

    Attributes:
        run_id: What the records call it.
        recorder: Takes its events.
        cancelled: What was asked to end; None when nothing was.
        ending: How it ended; None while it goes on.
    """

    run_id: str
    recorder: Recorder
    cancelled: CancelKind | None = None
    ending: RunEnding | None = field(default=None)

    def end(
        self,
        exit_code: int,
        *,
        interrupted: bool = False,
        error: RumiAIError | None = None,
        claude: ClaudeTotals | None = None,
    ) -> None:
        """Say how the run ended.

        Args:
            exit_code: Of the program.
            interrupted: Whether a signal ended it.
            error: What ended it early.
            claude: Totals of Claude's half.
        """
        state = _ending_state(self.cancelled is not None, interrupted, error is not None)
        kind, message = (type(error).__name__, str(error)) if error else (None, None)
        self.ending = RunEnding(state, exit_code, kind, message, claude)


def _ending_state(cancelled: bool, interrupted: bool, failed: bool) -> EndingState:
    if cancelled:
        return "cancelled"
    return "interrupted" if interrupted else "failed" if failed else "done"


@contextlib.contextmanager
def recorded(
    sources: Sequence[str],
    tasks: Sequence[VideoTask],
    settings: Settings,
    on_cancel: Callable[[CancelKind], None],
    *,
    kind: str = "submit",
    run_id: str | None = None,
) -> Iterator[Recording]:
    """Record a run for the length of a ``with`` block.

    Args:
        sources: What the user named.
        tasks: The videos.
        settings: Of the run.
        on_cancel: Called from another thread when the run is asked to end.
        kind: Who runs it; see :class:`rumiai.records.NewRun`.
        run_id: A run that was accepted before; None accepts one.

    Raises:
        StoreError: The records cannot be opened.
        UsageError: Another process has the run.
    """
    with Records.open(settings.out) as records:
        if run_id is None:
            run, _ = records.create_run(NewRun(tuple(sources), settings.to_json(), kind))
            run_id = run.run_id
        if not records.claim(run_id):
            raise UsageError(f"the run {run_id} has ended, or another process has it")
        records.add_videos(run_id, [_new_video(task) for task in tasks])
        recording: Recording | None = None

        def cancel(how: CancelKind) -> None:
            assert recording is not None
            recording.cancelled = how
            on_cancel(how)

        recorder = Recorder(settings.out, run_id, cancel)
        recording = Recording(run_id, recorder)
        try:
            with recorder:
                yield recording
        except BaseException as exc:
            recording.ending = recording.ending or RunEnding("failed", 1, type(exc).__name__, str(exc))
            raise
        finally:
            if recording.ending is not None:
                records.finish_run(run_id, recording.ending)


def _new_video(task: VideoTask) -> NewVideo:
    path = Path(task.item.location)
    size = path.stat().st_size if path.is_file() else None
    return NewVideo(task.video_id, task.item.location, size)
