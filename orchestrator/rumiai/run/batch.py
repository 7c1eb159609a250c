"""Many videos: one worker process for each in flight. The parent schedules them and receives their events.

A worker that dies (a decoder's segmentation fault, the out-of-memory killer) costs its video, never the run. The video
gets a second worker. If it ends that one too, it is quarantined with the reason. Workers are spawned, not forked.

A model server that has gone for good ends the workers. Another one gets their videos; without another the rest fails at
once. Limits are counted by the monotonic clock: the wall clock may be set while a run is under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from typing import Any, Final

from pebble import ProcessExpired, ProcessPool

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.run_events import EventHandler, RetryEvent, VideoEvent
from rumiai.core.secrets import CLAUDE_KEYS, holds_secret, secrets_hidden
from rumiai.errors import ServerError, StoreError
from rumiai.results.report import write_report
from rumiai.results.store import Store
from rumiai.run import leftovers
from rumiai.run.ahead import Ahead
from rumiai.run.events import event_socket
from rumiai.run.model_server import ModelServer
from rumiai.run.types import PostProcess, RunContext, ServerAccess, VideoTask
from rumiai.settings import Settings
from rumiai.sources import Access

LOG = logging.getLogger("rumiai")

# One death may be bad luck (memory pressure); a second one over the same video is caused by it.
_ATTEMPTS: Final = 2
# A server that ends is shared by all videos in flight, so that each may meet more such ends than it causes.
_SERVER_LOSSES: Final = 3
# Pools whose workers all end before they take a video, one after the other.
_BROKEN_POOLS: Final = 3
# On small machines more videos in flight only compete for the cores.
_MAX_WORKERS_SMALL: Final = 5
_POLL_S: Final = 0.2


def worker_count(settings: Settings, videos: int) -> int:
    """How many videos are in flight: as asked for, else one for every core, up to 5 (one in four beyond 20 cores)."""
    cores = len(os.sched_getaffinity(0))
    chosen = settings.workers or min(cores, max(_MAX_WORKERS_SMALL, cores // 4))
    return max(1, min(chosen, videos))


def run_batch(
    tasks: Sequence[VideoTask],
    settings: Settings,
    server: ModelServer,
    handler: EventHandler,
    stop: threading.Event,
    *,
    insights: bool = True,
    post_process: PostProcess | None = None,
    access: Access | None = None,
) -> list[VideoOutcome]:
    """Analyse the videos.

    Args:
        tasks: The videos; ids are unique.
        settings: For all of them.
        server: A server that is ready.
        handler: Gets the events of the workers, and an event for each retry and for each video that ends; called
            from several threads.
        stop: When it is set, no new video is begun and those in flight are given up.
        insights: Whether to go on after the unified analysis.
        post_process: Begun for each video that has a result, while others are still with the workers.
        access: For sources that bring videos from beyond this machine.

    Returns:
        An outcome for each task, in their order; given-up ones are failed with ``Interrupted``.
    """
    leftovers.sweep()
    run_id = f"run{os.getpid()}-{secrets.token_hex(4)}"
    try:
        with event_socket(handler) as address, secrets_hidden(os.environ, hidden_from_workers(settings)):
            context = RunContext(run_id, settings, server.access, address, insights)
            with Ahead(settings, access, worker_count(settings, len(tasks)), handler) as ahead:
                return _Scheduler(tasks, context, server, handler, stop, post_process, ahead).run()
    finally:
        _sweep(run_id, server.access)


class _Scheduler:
    def __init__(
        self,
        tasks: Sequence[VideoTask],
        context: RunContext,
        server: ModelServer,
        handler: EventHandler,
        stop: threading.Event,
        post_process: PostProcess | None,
        ahead: Ahead,
    ) -> None:
        self._ahead = ahead
        self._tasks, self._context, self._handler, self._stop = tasks, context, handler, stop
        self._server = server
        self._post_process = post_process
        self._in_work: dict[Future[VideoOutcome], VideoTask] = {}
        self._in_post: dict[Future[VideoOutcome], VideoOutcome] = {}
        self._outcomes: dict[str, VideoOutcome] = {}
        self._deadlines: dict[Future[VideoOutcome], float] = {}
        self._worker_deaths: Counter[str] = Counter()
        self._server_losses: Counter[str] = Counter()
        self._broken: str | None = None
        self._broken_pools = 0

    def run(self) -> list[VideoOutcome]:
        waiting = list(self._tasks)
        while waiting and not self._stop.is_set():
            waiting = self._run_pool(waiting)
            if self._stop.is_set():
                break
            if waiting and self._server.lost():
                waiting = self._with_another_server(waiting)
            elif self._broken_pools == _BROKEN_POOLS:
                for task in waiting:
                    self._finish(_failed(task, "WorkerDied", f"no worker process could be started: {self._broken}"))
                waiting = []
        while self._in_post and not self._stop.is_set():
            self._collect_posts(wait(self._in_post, timeout=_POLL_S, return_when=FIRST_COMPLETED).done)
        self._give_up(waiting)
        return [self._outcomes[task.video_id] for task in self._tasks]

    def _run_pool(self, tasks: Sequence[VideoTask]) -> list[VideoTask]:
        """Analyse the videos until the server is lost, or the workers all end before they take one.

        Returns:
            Those that are not finished.
        """
        workers = worker_count(self._context.settings, len(tasks))
        pool = ProcessPool(
            max_workers=workers, context=get_context("spawn"), initializer=_start_worker, initargs=[self._context]
        )
        self._broken = None
        try:
            for task in tasks:
                if self._ahead.concerns(task):
                    self._ahead.want(task)
                else:
                    self._schedule(pool, task)
            while (self._in_work or self._in_post or self._ahead.is_busy) and not self._must_end():
                self._take_from_ahead(pool)
                self._collect_finished(pool)
        finally:
            pool.stop()
            pool.join()
        self._broken_pools += self._broken is not None
        unfinished = [task for task in tasks if task.video_id not in self._outcomes and not self._is_in_post(task)]
        if self._server.lost():
            running = [task for future, task in self._in_work.items() if future in self._deadlines]
            self._server_losses.update(task.video_id for task in running)
        self._in_work.clear()
        self._deadlines.clear()
        return unfinished

    def _take_from_ahead(self, pool: ProcessPool) -> None:
        for task in self._ahead.ready():
            self._schedule(pool, task)
        for outcome in self._ahead.failures():
            self._finish(outcome)

    def _must_end(self) -> bool:
        return self._stop.is_set() or self._broken is not None or self._server.lost() is not None

    def _is_in_post(self, task: VideoTask) -> bool:
        return any(outcome.video_id == task.video_id for outcome in self._in_post.values())

    def _with_another_server(self, tasks: Sequence[VideoTask]) -> list[VideoTask]:
        """Put another server in the place of the one that is lost.

        Returns:
            The videos to go on with; the others have failed.
        """
        reason = self._server.lost() or "the model server has ended"
        try:
            renewed = self._server.renew()
        except ServerError as exc:
            renewed, reason = False, f"{reason}; and another one did not come up: {exc}"
        if self._stop.is_set():
            return list(tasks)
        if renewed:
            self._context = replace(self._context, server=self._server.access)
        tried = f"{reason} ({_SERVER_LOSSES} times while this video was analysed)"
        hopeless = [task for task in tasks if not renewed or self._server_losses[task.video_id] >= _SERVER_LOSSES]
        for task in hopeless:
            self._finish(_failed(task, "ServerGoneError", tried if renewed else reason))
        again = [task for task in tasks if task not in hopeless]
        for task in again:
            if self._server_losses[task.video_id]:
                self._handler(RetryEvent(task.video_id, reason))
        return again

    def _collect_finished(self, pool: ProcessPool) -> None:
        waited: list[Future[Any]] = [*self._in_work, *self._in_post, *self._ahead.futures]
        done = wait(waited, timeout=_POLL_S, return_when=FIRST_COMPLETED).done
        self._collect_posts(done & self._in_post.keys())
        for future in done & self._in_work.keys():
            self._collect(pool, future)
        self._end_overdue()

    def _collect_posts(self, done: Iterable[Future[VideoOutcome]]) -> None:
        for future in done:
            self._finish(_post_processed(future, self._in_post.pop(future)))

    def _schedule(self, pool: ProcessPool, task: VideoTask) -> None:
        try:
            # Pebble has limits of its own, by the wall clock.
            future: Future[VideoOutcome] = pool.schedule(_analyse, args=[task])
        except RuntimeError as exc:  # the pool has broken since; another one gets the video
            self._broken = str(exc)
        else:
            self._in_work[future] = task

    def _end_overdue(self) -> None:
        """End the workers of videos that take too long; their futures are cancelled thereby."""
        now_s = time.monotonic()
        for future in self._in_work:
            if future.running():
                deadline = self._deadlines.setdefault(future, now_s + self._context.settings.video_timeout_s)
                if now_s > deadline:
                    future.cancel()

    def _collect(self, pool: ProcessPool, future: Future[VideoOutcome]) -> None:
        task = self._in_work.pop(future)
        self._deadlines.pop(future, None)
        try:
            self._take(pool, task, future.result())
        except CancelledError:
            limit_s = self._context.settings.video_timeout_s
            self._finish(_failed(task, "Timeout", f"not finished within {limit_s:g} s (RUMIAI_VIDEO_TIMEOUT_S)"))
        except BrokenProcessPool as exc:
            self._broken = str(exc)
        except ProcessExpired as exc:
            self._retry(pool, task, _cause_of_death(exc))

    def _retry(self, pool: ProcessPool, task: VideoTask, cause: str) -> None:
        self._worker_deaths[task.video_id] += 1
        if self._worker_deaths[task.video_id] < _ATTEMPTS:
            self._handler(RetryEvent(task.video_id, f"its worker ended ({cause})"))
            self._schedule(pool, task)
        else:
            message = f"quarantined: it ended its worker process {_ATTEMPTS} times ({cause})"
            self._finish(_failed(task, "WorkerDied", message))

    def _take(self, pool: ProcessPool, task: VideoTask, outcome: VideoOutcome) -> None:
        """A worker is done with a video: finish it, begin its post-processing, or try again what lacked a server."""
        self._broken_pools = 0
        if outcome.server_gone:
            self._server.missed()
            self._server_losses[task.video_id] += 1
            if self._server_losses[task.video_id] < _SERVER_LOSSES:
                if not self._server.lost():
                    reason = "it lacks what the model server was asked for"
                    self._handler(RetryEvent(task.video_id, reason))
                    self._schedule(pool, task)
                    return
                if self._server.is_ours:
                    return  # another server gets it
        elif outcome.status != "failed":
            self._server.finished_one()
        if self._post_process is None or outcome.status == "failed" or not outcome.analyses:
            self._finish(outcome)
        else:
            self._in_post[self._post_process(outcome)] = outcome

    def _give_up(self, unfinished: Sequence[VideoTask]) -> None:
        """Record what was still in flight when the run was stopped."""
        for future, outcome in self._in_post.items():
            future.cancel()
            warning = "the run was stopped before Claude was done with this video"
            self._finish(replace(outcome, status="partial", warnings=[*outcome.warnings, warning]))
        for task in unfinished:
            self._finish(_failed(task, "Interrupted", "the run was stopped before this video was finished"))

    def _finish(self, outcome: VideoOutcome) -> None:
        self._outcomes[outcome.video_id] = outcome
        self._ahead.release(outcome.video_id)
        if outcome.analyses or outcome.status == "failed":
            self._report(outcome)
        self._handler(VideoEvent(outcome))

    def _report(self, outcome: VideoOutcome) -> None:
        settings = self._context.settings
        try:
            write_report(Store(*settings.folders), outcome, settings)
        except StoreError as exc:
            LOG.warning("%s: no report: %s", outcome.video_id, exc)


def hidden_from_workers(settings: Settings) -> set[str]:
    """Variables that no worker needs: Claude is asked by this process; a plug-in's source may need a key of its own."""
    return {name for name in os.environ if holds_secret(name) and (name in CLAUDE_KEYS or not settings.plugins)}


def _post_processed(future: Future[VideoOutcome], before: VideoOutcome) -> VideoOutcome:
    """The outcome after post-processing; a bug there fails this video alone, and what the worker wrote stays."""
    error = future.exception()
    if error is None:
        return future.result()
    LOG.error("%s: unexpected error", before.video_id, exc_info=error)
    return replace(before, status="failed", error=Failure(type(error).__name__, str(error), "afterwards"))


def _cause_of_death(exc: ProcessExpired) -> str:
    code = exc.exitcode
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"


def _failed(task: VideoTask, kind: str, message: str) -> VideoOutcome:
    return VideoOutcome(task.video_id, task.item.location, "failed", error=Failure(kind, message, "worker"))


def _sweep(run_id: str, server: ServerAccess) -> None:
    """Remove what killed workers left in shared memory, and its registrations with the server."""
    from rumiai.media.shared_frames import unlink_run

    if (left := unlink_run(run_id)) and server.is_there:
        with contextlib.suppress(ServerError):  # a server that has gone has no registrations either
            asyncio.run(_unregister(left, server))


async def _unregister(regions: Sequence[str], server: ServerAccess) -> None:
    from rumiai.inference.client import TritonClient

    async with TritonClient.connect(server.grpc, server.token) as client:
        for region in regions:
            await client.unregister(region)


# The worker of this process, where this process is one. What it imports is heavy and never loaded in the parent.
_worker: Any = None


def _start_worker(context: RunContext) -> None:
    global _worker
    from rumiai.run.worker import Worker

    _worker = Worker(context)


def _analyse(task: VideoTask) -> VideoOutcome:
    outcome: VideoOutcome = _worker.analyse(task)
    return outcome
