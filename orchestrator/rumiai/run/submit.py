"""The main job: list the sources, run a model server, analyse the batch, print the outcomes."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import DoneEvent, EventHandler, RunEvent, RunStartedEvent, ServerEvent
from rumiai.core.signals import stop_signals
from rumiai.insights import ClaudeSettings
from rumiai.records import CancelKind
from rumiai.results.store import Store
from rumiai.run.access import open_access
from rumiai.run.mirror import Mirror, open_mirror
from rumiai.run.recording import Recording, recorded, request_of
from rumiai.run.submission import Inputs, Submission, serialised
from rumiai.settings import Secrets, Settings
from rumiai.sources import Access, Named, SourceItem, list_named
from rumiai.terminal.console import Display, choose_display, print_outcomes
from rumiai.terminal.logs import start_logging
from rumiai.terminal.streams import write_line

_CANCELLED: Final[Mapping[CancelKind, str]] = {
    "waiting": "cancelled: the videos in flight are finished, no other is begun",
    "all": "cancelled: stopping ...",
}


def submit_videos(
    sources: Sequence[str],
    settings: Settings,
    *,
    manifest: str = "",
    metadata: str = "",
    claude: ClaudeSettings | None = None,
    secrets: Secrets | None = None,
    as_json: bool = False,
    quiet: bool = False,
    insights: bool = True,
    kind: str = "submit",
    run_id: str | None = None,
    only: Collection[str] = (),
) -> int:
    """Analyse what the sources name.

    Args:
        sources: What the registered sources accept: files, folders, glob patterns.
        settings: For all videos.
        manifest: Path of a list of further videos with what is known of each; empty for none.
        metadata: Path of metadata of videos; empty for none.
        claude: How Claude is used; None switches it off.
        secrets: Tokens of places where videos are.
        as_json: Events on stdout instead of tables.
        quiet: No progress.
        insights: Whether to go on after the unified analysis.
        kind: Who asks, for the records.
        run_id: A run of the records that was accepted before and that nobody runs; None accepts one.
        only: Of what the sources list, the videos at these locations; empty takes all.

    Returns:
        The exit code.

    Raises:
        RumiAIError: Nothing could start.
    """
    start_logging(settings)
    store = Store(*settings.folders)
    offline = threading.Event()
    named = Named(sources, manifest, metadata)
    with open_access(settings, secrets, offline) as access:
        items = [item for item in list_named(named, access) if not only or item.location in only]
        store.check_writable()

        def display(total: int) -> Display:
            return choose_display(total, as_json=as_json, quiet=quiet, colored=settings.colored_logs)

        recording = Recorded(named, kind, run_id)
        submission, code = run_items(
            items, recording, settings, claude or ClaudeSettings(), access, display, offline, insights=insights
        )
    print_end(submission.done, as_json=as_json, colored=settings.colored_logs)
    return code


@dataclass(frozen=True)
class Recorded:
    """What the records say of a run.

    Attributes:
        named: What the user named.
        kind: Who asks.
        run_id: A run that was accepted before and that nobody runs; None accepts one.
    """

    named: Named
    kind: str = "submit"
    run_id: str | None = None


def run_items(
    items: Sequence[SourceItem],
    record: Recorded,
    settings: Settings,
    claude: ClaudeSettings,
    access: Access,
    display: Callable[[int], Display],
    offline: threading.Event,
    *,
    insights: bool = True,
) -> tuple[Submission, int]:
    """Analyse videos that are listed, in a folder that can be written.

    Args:
        items: The videos.
        record: What the records say of the run.
        settings: For all videos.
        claude: How Claude is used.
        access: For videos from beyond this machine.
        display: Makes what shows that many videos.
        offline: Set when no more downloads are wanted.
        insights: Whether to go on after the unified analysis.

    Returns:
        What became of them, and the exit code.
    """
    store, named = Store(*settings.folders), record.named
    with open_mirror(settings, access, store) as mirror:
        submission = Submission(_inputs(items, store, mirror), store, settings, claude, insights, access)
        request = request_of(named, insights=insights)
        recording = recorded(
            named.shown, submission.tasks, settings, kind=record.kind, request=request, run_id=record.run_id
        )
        shown = display(len(submission.tasks))
        code = run_shown(submission, recording, shown, offline, mirror.watch if mirror else None)
    if mirror is not None and mirror.problem is not None:
        submission.error = submission.error or mirror.problem
        code = code or mirror.problem.exit_code
    return submission, code


def _inputs(items: Sequence[SourceItem], store: Store, mirror: Mirror | None) -> Inputs:
    """The videos with their ids; a mirror brings what earlier runs have made of them."""
    if mirror is None:
        return Inputs.of(items, store)
    mirror.recall_inputs(items)
    inputs = Inputs.of(items, store)
    mirror.recall(inputs.tasks)
    return inputs


def run_shown(
    submission: Submission,
    recorded: contextlib.AbstractContextManager[Recording],
    display: Display,
    offline: threading.Event,
    watch: EventHandler | None = None,
) -> int:
    """Analyse the videos, shown and recorded.

    Args:
        submission: What is analysed.
        recorded: Records it.
        display: Shows it.
        offline: Set when no more downloads are wanted.
        watch: Gets every event too.

    Returns:
        The exit code.
    """
    stop = threading.Event()
    with recorded as recording, display:

        @serialised
        def handler(event: RunEvent) -> None:
            display.handle(event)
            recording.recorder.handle(event)
            if watch is not None:
                watch(event)

        def cancel(how: CancelKind) -> None:
            handler(ServerEvent("interrupted", _CANCELLED[how]))
            (stop if how == "all" else submission.closing).set()
            offline.set()

        recording.on_cancel(cancel)
        handler(RunStartedEvent(recording.run_id, len(submission.tasks)))
        with interrupts(handler, stop, offline):
            submission.run(handler, stop)
        code = submission.exit_code(interrupted=stop.is_set())
        cut_short = stop.is_set() or submission.is_cancelled
        recording.end(code, cut_short=cut_short, error=submission.error, claude=submission.totals)
    return code


def print_end(done: DoneEvent, *, as_json: bool, colored: bool) -> None:
    """Print the ``done`` event, or a table for each video that was begun.

    Raises:
        Exception: What ended the run early; not with ``as_json``.
    """
    if as_json:
        write_line(json.dumps(done.to_json(), ensure_ascii=False), sys.stdout)
        return
    print_outcomes([video for video in done.videos if isinstance(video, VideoOutcome)], colored=colored)
    if done.error is not None:
        raise done.error


@contextlib.contextmanager
def interrupts(handler: EventHandler, stop: threading.Event, offline: threading.Event) -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP set both events.

    Videos in flight are given up then, the server stops, and shared memory is removed.
    """

    def request_stop(_: signal.Signals) -> None:
        if not stop.is_set():
            stop.set()
            offline.set()
            handler(ServerEvent("interrupted", "stopping ..."))

    with stop_signals(request_stop):
        yield
