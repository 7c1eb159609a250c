"""Runs what was accepted, oldest first, by the code that ``submit`` uses.

The records say which runs there are and which videos of them have ended. A run that a kill broke off is taken up again
and goes on with the other videos.
When the service ends, runs in work are left as they are, for the next service.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final

from rumiai.contracts.outcome import VideoOutcome, exit_code
from rumiai.contracts.outcome_reading import read_outcome
from rumiai.contracts.run_events import EventHandler, RunEvent, RunStartedEvent, VideoEvent
from rumiai.core.processes import step_back
from rumiai.errors import RumiAIError
from rumiai.records import Records, RunEnding, RunRecord
from rumiai.results.store import Store
from rumiai.run.access import open_access
from rumiai.run.mirror import Mirror, open_mirror
from rumiai.run.model_server import ModelServer, NamedServer
from rumiai.run.recording import Recording, recorded
from rumiai.run.submission import INTERRUPTED, Inputs, Submission, serialised
from rumiai.run.types import ServerAccess
from rumiai.service.accepting import AcceptedRun, effective
from rumiai.service.config import KIND, ServiceConfig
from rumiai.service.listing import list_accepted
from rumiai.service.places import Places
from rumiai.service.uploads import remove_uploads
from rumiai.service.warm_server import STEPS_BEHIND_CALLERS, WarmServer
from rumiai.services import chosen_services
from rumiai.sources import Access

LOG = logging.getLogger(__name__)

_WAIT_S: Final = 0.5
_ENDED: Final = ("ok", "partial", "failed")


Analyse = Callable[[Submission, EventHandler, threading.Event, ModelServer], None]


@dataclass(frozen=True)
class Prepared:
    """A run without the videos that ended before a kill, the outcomes of these, and where results go as well."""

    submission: Submission
    before: list[VideoOutcome]
    mirror: Mirror | None


class Engine:
    """The threads that run accepted runs.

    Args:
        config: Of the service.
        server: The model server that all runs share.
        on_end: Called when a run has ended, with its id.
        listener: Gets the events of all runs; called from several threads.
        analyse: Runs a submission; for tests.
    """

    def __init__(
        self,
        config: ServiceConfig,
        server: WarmServer,
        on_end: Callable[[str], None] = lambda run_id: None,
        listener: EventHandler = lambda event: None,
        analyse: Analyse = Submission.run,
    ) -> None:
        self._config, self._server, self._on_end, self._listener = config, server, on_end, listener
        self._analyse = analyse
        self._records = Records.open(config.settings.out)
        self._places = Places(config.roots, config.prefixes)
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._closing = threading.Event()
        self._stops: dict[str, threading.Event] = {}
        self._videos = _VideosInWork()
        self._threads = [
            threading.Thread(target=self._work, name=f"runs-{number}") for number in range(config.runs_at_once)
        ]

    @property
    def waiting(self) -> int:
        """Runs that wait for their turn."""
        return self._queue.qsize()

    @property
    def running(self) -> int:
        """Runs in work."""
        return len(self._stops)

    def start(self) -> None:
        """Take up the runs that earlier services accepted, and begin."""
        runs = [self._records.run(run_id) for run_id in self._records.claimable()]
        left = sorted((run for run in runs if run.kind == KIND), key=lambda run: run.created_at)
        if left:
            LOG.info("%d accepted runs of an earlier service are taken up", len(left))
        for run in left:
            self._queue.put(run.run_id)
        for thread in self._threads:
            thread.start()

    def submit(self, run_id: str) -> None:
        """Run an accepted run when its turn comes."""
        self._queue.put(run_id)

    def cancel(self, run_id: str) -> RunRecord:
        """Ask a run to end; one that waits ends at once.

        Raises:
            UsageError: There is no such run.
        """
        run = self._records.request_cancel(run_id, "all")
        if run.ended_at is not None:
            if stop := self._stops.get(run_id):  # it has its turn and waits for the model server
                stop.set()
            self._on_end(run_id)
        return run

    def close(self) -> None:
        """Give up what is in work; it is taken up by the next service."""
        self._closing.set()
        for stop in list(self._stops.values()):
            stop.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._records.close()

    def _work(self) -> None:
        step_back(STEPS_BEHIND_CALLERS)
        while (run_id := self._queue.get()) is not None and not self._closing.is_set():
            stop = self._stops[run_id] = threading.Event()
            try:
                self._run(run_id, stop)
            except RumiAIError as exc:
                LOG.error("run %s: %s", run_id, exc)
            except Exception:
                # The thread's boundary: a bug costs this run, with its traceback in the log.
                LOG.exception("run %s: unexpected error", run_id)
                self._fail(run_id, RunEnding("failed", 1, "Unexpected", "an unexpected error; the log has it"))
            finally:
                del self._stops[run_id]

    def _run(self, run_id: str, stop: threading.Event) -> None:
        run = self._records.run(run_id)
        if not _is_open(run):
            if run.ended_at is not None:  # `rumiai-orch cancel` has ended it meanwhile
                self._on_end(run_id)
            return
        accepted, base = AcceptedRun.of(run), self._config.settings
        try:
            with open_access(base, self._config.secrets, stop) as access, ExitStack() as uploading:
                mirror = uploading.enter_context(open_mirror(base, access, Store(*base.folders)))
                prepared = self._prepared(run, accepted, access, mirror)
                server = self._server_for(prepared.submission, stop)
                with self._videos.held([task.video_id for task in prepared.submission.tasks], stop):
                    if self._closing.is_set() or not _is_open(self._records.run(run_id)):
                        return
                    ending = self._recorded(run, prepared, server, stop, uploading)
        except RumiAIError as exc:
            # What the end of the service has broken off is taken up by the next one.
            if not self._closing.is_set():
                self._fail(run_id, RunEnding("failed", exc.exit_code, type(exc).__name__, str(exc)))
            return
        if ending is None:
            self._records.release(run_id)
            return
        if ending.exit_code == 0 and not self._config.keep_uploads:
            remove_uploads(accepted.uploads)
        self._on_end(run_id)

    def _prepared(self, run: RunRecord, accepted: AcceptedRun, access: Access, mirror: Mirror | None) -> Prepared:
        settings, claude = effective(self._config, accepted.settings, insights=accepted.insights)
        store = Store(*settings.folders)
        items = list_accepted(accepted, self._places, access)
        if mirror is not None:
            mirror.recall_inputs(items)
        with self._videos.preparing:
            # Two callers may call different files the same.
            inputs = Inputs.of(items, store, places_last=False)
            inputs.remember(store)
        if mirror is not None:
            mirror.recall(inputs.tasks)
        ended = [video for video in self._records.videos(run.run_id, states=_ENDED) if video.outcome]
        done = {video.video_id for video in ended}
        left = replace(inputs, tasks=tuple(task for task in inputs.tasks if task.video_id not in done))
        return Prepared(
            Submission(left, store, settings, claude, accepted.insights, access),
            [read_outcome(video.outcome) for video in ended if video.outcome],
            mirror,
        )

    def _server_for(self, submission: Submission, stop: threading.Event) -> ModelServer:
        if not any(service.server_model for service in chosen_services(submission.settings.services)):
            return NamedServer(ServerAccess("127.0.0.1:0", None))
        self._server.wait_ready(stop)
        return self._server

    def _recorded(
        self,
        run: RunRecord,
        prepared: Prepared,
        server: ModelServer,
        stop: threading.Event,
        uploading: ExitStack,
    ) -> RunEnding | None:
        """Run it; None when the service ends before the run did."""
        submission = prepared.submission
        with recorded(run.sources, submission.tasks, submission.settings, kind=KIND, run_id=run.run_id) as recording:
            recording.on_cancel(lambda how: (stop if how == "all" else submission.closing).set())
            handler = serialised(self._passing_on(recording, prepared.mirror))
            if not self._records.events(run.run_id, limit=1):
                handler(RunStartedEvent(run.run_id, len(submission.tasks)))
            self._analyse(submission, handler, stop, server)
            if self._closing.is_set():
                return None
            uploading.close()  # a run has ended when its results are where they belong
            problem = prepared.mirror.problem if prepared.mirror is not None else None
            error, outcomes = submission.error or problem, [*prepared.before, *submission.outcomes]
            code = INTERRUPTED if recording.cancelled else error.exit_code if error else exit_code(outcomes)
            recording.end(code, cut_short=recording.cancelled, error=error, claude=submission.totals)
        return recording.ending

    def _passing_on(self, recording: Recording, mirror: Mirror | None) -> EventHandler:
        def handle(event: RunEvent) -> None:
            # What is given up because the service ends has not ended: the next service does it.
            if isinstance(event, VideoEvent) and self._closing.is_set():
                return
            recording.recorder.handle(event)
            self._listener(event)
            if mirror is not None:
                mirror.watch(event)

        return handle

    def _fail(self, run_id: str, ending: RunEnding) -> None:
        with contextlib.suppress(RumiAIError):
            if self._records.claim(run_id) or self._records.run(run_id).state == "running":
                self._records.finish_run(run_id, ending)
                self._on_end(run_id)


def _is_open(run: RunRecord) -> bool:
    """Whether it waits to be run: nobody cancelled it meanwhile."""
    return run.state == "accepted" or run.died


class _VideosInWork:
    """Keeps two runs from working on one video of the folder at the same time.

    Attributes:
        preparing: Held while a run's videos get their ids, so that two videos do not get the same one.
    """

    def __init__(self) -> None:
        self.preparing = threading.Lock()
        self._changed = threading.Condition()
        self._ids: set[str] = set()

    @contextlib.contextmanager
    def held(self, ids: list[str], stop: threading.Event) -> Iterator[None]:
        """Hold these ids in the ``with`` block, after waiting for runs that hold one of them."""
        wanted = set(ids)
        with self._changed:
            while self._ids & wanted and not stop.is_set():
                self._changed.wait(_WAIT_S)
            self._ids |= wanted
        try:
            yield
        finally:
            with self._changed:
                self._ids -= wanted
                self._changed.notify_all()
