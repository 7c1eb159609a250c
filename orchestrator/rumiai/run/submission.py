"""What one run analyses, and how: the videos behind the sources, a model server, Claude's half, the batch.

``run/submit.py`` shows it on a terminal, ``service/`` to callers elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from rumiai import weights
from rumiai.contracts.outcome import ClaudeTotals, VideoOutcome, exit_code
from rumiai.contracts.run_events import DoneEvent, EventHandler, NotStarted, RunEvent
from rumiai.errors import RumiAIError, StoreError
from rumiai.insights import ClaudeSettings
from rumiai.results.store import KnownInput, Store, assign_ids
from rumiai.run.batch import run_batch
from rumiai.run.claude import ClaudeRun, open_claude
from rumiai.run.finished import needs_server
from rumiai.run.model_server import ModelServer, serving
from rumiai.run.types import VideoTask
from rumiai.services import AnyService, chosen_services
from rumiai.settings import Settings
from rumiai.sources import Access, Source, SourceItem, find_source

# The exit status of an interrupted run (docs/outputs.md).
INTERRUPTED = 1


@dataclass(frozen=True)
class Inputs:
    """The videos of a run.

    Attributes:
        tasks: One for each id: the same content under the same name in two folders is one video.
        digests: Of the content of every input.
    """

    tasks: tuple[VideoTask, ...]
    digests: Mapping[SourceItem, str]

    @classmethod
    def of(cls, items: Sequence[SourceItem], store: Store, *, places_last: bool = True) -> Inputs:
        """Read every input once for its digest, and give each video its id in the output folder.

        Args:
            items: The inputs.
            store: The output folder.
            places_last: Whether another file at the place of an earlier one is the same video, changed.
        """
        digests = {item: _digest(item) for item in items}
        known = store.known_input if places_last else partial(_known_content, store)
        found: dict[str, SourceItem] = {}
        for item, video_id in assign_ids(list(digests), digests.__getitem__, known).items():
            found.setdefault(video_id, item)
        tasks = (VideoTask(_as_told_before(item, store.known_input(name)), name) for name, item in found.items())
        return cls(tuple(tasks), digests)

    def remember(self, store: Store) -> None:
        """Record which video each id stands for.

        Raises:
            StoreError: It cannot be written.
        """
        for task in self.tasks:
            store.remember_input(task.video_id, task.item, self.digests[task.item])


@dataclass
class Submission:
    """One run, and what came of it.

    Attributes:
        inputs: The videos.
        store: The output folder.
        settings: For all videos.
        claude: How Claude is used.
        insights: Whether to go on after the unified analysis.
        access: For videos from beyond this machine; None where there are none.
        closing: When it is set, no new video is begun, and those in flight are finished.
        outcomes: Of the videos; empty when the run ended before the batch did.
        totals: Of Claude's half; None when it is off.
        error: What ended the run early.
    """

    inputs: Inputs
    store: Store
    settings: Settings
    claude: ClaudeSettings = field(default_factory=ClaudeSettings)
    insights: bool = True
    access: Access | None = None
    closing: threading.Event = field(default_factory=threading.Event)
    outcomes: list[VideoOutcome] = field(default_factory=list)
    totals: ClaudeTotals | None = None
    error: RumiAIError | None = None

    @property
    def tasks(self) -> tuple[VideoTask, ...]:
        """The videos."""
        return self.inputs.tasks

    def run(self, handler: EventHandler, stop: threading.Event, server: ModelServer | None = None) -> None:
        """Analyse the videos, with Claude's half beside it; an error of ours ends the run early.

        Args:
            handler: Gets the events of the run; called from several threads, see :func:`serialised`.
            stop: When it is set, videos in flight are given up.
            server: One that is ready and goes on after the run; None for what the settings say.
        """
        judge: ClaudeRun | None = None
        try:
            with open_claude(self.settings, self.claude, len(self.tasks), handler) as judge:
                if server is not None:
                    self._run_batch(server, handler, stop, judge)
                else:
                    self._run_with_server(handler, stop, judge)
                if judge and not stop.is_set():
                    judge.submit_pending()
        except RumiAIError as exc:
            self.error = exc
        # Claude's half closes its account when it ends.
        self.totals = judge.totals if judge else None

    def _run_with_server(self, handler: EventHandler, stop: threading.Event, judge: ClaudeRun | None) -> None:
        services = chosen_services(self.settings.services)
        models = tuple(dict.fromkeys(service.server_model for service in services if service.server_model))
        check_weights(services, self.settings)
        deferred = not needs_server(self.tasks, self.settings, self.store)
        with serving(self.settings, models, stop, handler, deferred=deferred) as server:
            self._run_batch(server, handler, stop, judge)

    def _run_batch(
        self, server: ModelServer, handler: EventHandler, stop: threading.Event, judge: ClaudeRun | None
    ) -> None:
        self.inputs.remember(self.store)
        post_process = judge.judge if judge else None
        self.outcomes = run_batch(
            self.tasks,
            self.settings,
            server,
            handler,
            stop,
            insights=self.insights,
            post_process=post_process,
            access=self.access,
            closing=self.closing,
        )

    @property
    def videos(self) -> list[VideoOutcome | NotStarted]:
        """Every video, also those that the run never came to."""
        finished = {outcome.video_id: outcome for outcome in self.outcomes}
        return [finished.get(task.video_id) or NotStarted(task.video_id) for task in self.tasks]

    @property
    def done(self) -> DoneEvent:
        """The last event of the run."""
        return DoneEvent(self.videos, self.totals, self.error)

    @property
    def is_cancelled(self) -> bool:
        """Whether videos were not begun because of ``closing``."""
        return any(outcome.error is not None and outcome.error.type == "Cancelled" for outcome in self.outcomes)

    def exit_code(self, *, interrupted: bool) -> int:
        """The exit code of the run (docs/outputs.md)."""
        if interrupted or self.is_cancelled:
            return INTERRUPTED
        return self.error.exit_code if self.error else exit_code(self.outcomes)


def serialised(handler: EventHandler) -> EventHandler:
    """Call ``handler`` from one thread at a time: workers, Claude and the signals have threads of their own."""
    lock = threading.Lock()

    def handle(event: RunEvent) -> None:
        with lock:
            handler(event)

    return handle


def _as_told_before(item: SourceItem, known: KnownInput | None) -> SourceItem:
    """The item with what the user said of it in an earlier run and does not say now: a list need not be given again."""
    if known is None or known.location != item.location:
        return item
    metadata = item.metadata.completed(known.metadata) if item.metadata else known.metadata
    return replace(item, metadata=metadata, language=item.language or known.language)


def _known_content(store: Store, video_id: str) -> KnownInput | None:
    """The video that an id stands for, wherever it was."""
    known = store.known_input(video_id)
    return None if known is None else replace(known, location="")


def _digest(item: SourceItem) -> str:
    """Digest of the content; of the location where the content cannot be read, so that this video alone fails."""
    source = find_source(item.source)
    try:
        return source.digest(item)
    except StoreError:
        return Source.digest(source, item)


def check_weights(services: Sequence[AnyService], settings: Settings) -> None:
    """Refuse to start without the model files that the run needs on this machine.

    Raises:
        WeightsError: One is missing or damaged; the message says how to fetch it.
    """
    local = [service for service in services if not (settings.server and service.server_model)]
    for name in dict.fromkeys(name for service in local for name in service.weights(settings)):
        if "/" not in name:  # a path is the user's own file
            weights.path(name)
