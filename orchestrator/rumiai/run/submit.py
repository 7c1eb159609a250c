"""The main job: list the sources, run a model server, analyse the batch, print the outcomes."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rumiai import weights
from rumiai.contracts.outcome import ClaudeTotals, VideoOutcome, exit_code
from rumiai.contracts.run_events import DoneEvent, EventHandler, NotStarted, RunEvent, ServerEvent
from rumiai.core.signals import stop_signals
from rumiai.errors import RumiAIError, StoreError
from rumiai.insights import ClaudeSettings
from rumiai.results.store import Store, assign_ids
from rumiai.run.batch import run_batch
from rumiai.run.claude import ClaudeRun, open_claude
from rumiai.run.model_server import ModelServer, serving
from rumiai.run.types import VideoTask
from rumiai.services import AnyService, chosen_services
from rumiai.settings import Settings
from rumiai.sources import Source, SourceItem, find_source, list_items
from rumiai.terminal.console import choose_display, print_outcomes
from rumiai.terminal.streams import write_line

# The exit status of an interrupted run (docs/outputs.md).
_INTERRUPTED = 1


def submit_videos(
    sources: Sequence[str],
    settings: Settings,
    *,
    claude: ClaudeSettings | None = None,
    as_json: bool = False,
    quiet: bool = False,
    insights: bool = True,
) -> int:
    """Analyse what the sources name.

    Args:
        sources: What the registered sources accept: files, folders, glob patterns.
        settings: For all videos.
        claude: How Claude is used; None switches it off.
        as_json: Events on stdout instead of tables.
        quiet: No progress.
        insights: Whether to go on after the unified analysis.

    Returns:
        The exit code.

    Raises:
        RumiAIError: Nothing could start.
    """
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    store = Store(*settings.folders)
    items = list_items(sources)
    store.check_writable()
    digests = {item: _digest(item) for item in items}
    submission = _Submission(_tasks(digests, store), digests, store, settings, claude or ClaudeSettings(), insights)
    with choose_display(len(submission.tasks), as_json=as_json, quiet=quiet) as display:
        handler = _serialised(display.handle)
        with _interrupts(handler) as stop:
            submission.run(handler, stop)
    if as_json:
        done = DoneEvent(submission.videos, submission.totals, submission.error)
        write_line(json.dumps(done.to_json(), ensure_ascii=False), sys.stdout)
    else:
        print_outcomes(submission.outcomes)
        if submission.error is not None:
            raise submission.error
    if stop.is_set():
        return _INTERRUPTED
    return submission.error.exit_code if submission.error else exit_code(submission.outcomes)


@dataclass
class _Submission:
    """What one call analyses, and what came of it.

    Attributes:
        tasks: The videos.
        digests: Of the content of every input.
        store: The output folder.
        settings: For all videos.
        claude: How Claude is used.
        insights: Whether to go on after the unified analysis.
        outcomes: Of the videos; empty when the run ended before the batch did.
        totals: Of Claude's half; None when it is off.
        error: What ended the run early.
    """

    tasks: Sequence[VideoTask]
    digests: Mapping[SourceItem, str]
    store: Store
    settings: Settings
    claude: ClaudeSettings
    insights: bool
    outcomes: list[VideoOutcome] = field(default_factory=list)
    totals: ClaudeTotals | None = None
    error: RumiAIError | None = None

    def run(self, handler: EventHandler, stop: threading.Event) -> None:
        """Analyse the videos with a model server and Claude's half beside it; an error of ours ends the run early."""
        judge: ClaudeRun | None = None
        try:
            with open_claude(self.settings, self.claude, len(self.tasks), handler) as judge:
                services = chosen_services(self.settings.services)
                models = tuple(dict.fromkeys(service.server_model for service in services if service.server_model))
                _check_weights(services, self.settings)
                with serving(self.settings, models, stop, handler) as server:
                    self._run_batch(server, handler, stop, judge)
                if judge and not stop.is_set():
                    judge.submit_pending()
        except RumiAIError as exc:
            self.error = exc
        # Claude's half closes its account when it ends.
        self.totals = judge.totals if judge else None

    def _run_batch(
        self, server: ModelServer, handler: EventHandler, stop: threading.Event, judge: ClaudeRun | None
    ) -> None:
        for task in self.tasks:
            self.store.remember_input(task.video_id, task.item, self.digests[task.item])
        post_process = judge.judge if judge else None
        self.outcomes = run_batch(
            self.tasks, self.settings, server, handler, stop, insights=self.insights, post_process=post_process
        )

    @property
    def videos(self) -> list[VideoOutcome | NotStarted]:
        """Every video, also those that the run never came to."""
        finished = {outcome.video_id: outcome for outcome in self.outcomes}
        return [finished.get(task.video_id) or NotStarted(task.video_id) for task in self.tasks]


def _serialised(handler: EventHandler) -> EventHandler:
    """Call ``handler`` from one thread at a time: workers, Claude and the signals have threads of their own."""
    lock = threading.Lock()

    def handle(event: RunEvent) -> None:
        with lock:
            handler(event)

    return handle


def _digest(item: SourceItem) -> str:
    """Digest of the content; of the location where the content cannot be read, so that this video alone fails."""
    source = find_source(item.source)
    try:
        return source.digest(item)
    except StoreError:
        return Source.digest(source, item)


def _tasks(digests: Mapping[SourceItem, str], store: Store) -> list[VideoTask]:
    """One task for each id: the same content under the same name in two folders is one video."""
    found: dict[str, SourceItem] = {}
    for item, video_id in assign_ids(list(digests), digests.__getitem__, store.known_input).items():
        found.setdefault(video_id, item)
    return [VideoTask(item, video_id) for video_id, item in found.items()]


def _check_weights(services: Sequence[AnyService], settings: Settings) -> None:
    """Refuse to start without the model files that the run needs on this machine.

    Raises:
        WeightsError: One is missing or damaged; the message says how to fetch it.
    """
    local = [service for service in services if not (settings.server and service.server_model)]
    for name in dict.fromkeys(name for service in local for name in service.weights(settings)):
        if "/" not in name:  # a path is the user's own file
            weights.path(name)


@contextlib.contextmanager
def _interrupts(handler: EventHandler) -> Iterator[threading.Event]:
    """Yield an event that SIGINT, SIGTERM and SIGHUP set.

    Videos in flight are given up then, the server stops, and shared memory is removed.
    """
    stop = threading.Event()

    def request_stop(_: signal.Signals) -> None:
        if not stop.is_set():
            stop.set()
            handler(ServerEvent("interrupted", "stopping ..."))

    with stop_signals(request_stop):
        yield stop
