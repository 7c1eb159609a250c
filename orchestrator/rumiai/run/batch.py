"""Many videos: one worker process for each in flight. The parent schedules them and receives their events.

A worker that dies (a decoder's segmentation fault, the out-of-memory killer) costs its video, never the run. The video
gets a second worker. If it ends that one too, it is quarantined with the reason. Workers are spawned, not forked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from typing import Any, Final

from pebble import ProcessExpired, ProcessPool

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.run_events import EventHandler, RetryEvent, VideoEvent
from rumiai.errors import ServerError, StoreError
from rumiai.results.report import write_report
from rumiai.results.store import Store
from rumiai.run import leftovers
from rumiai.run.events import event_socket
from rumiai.run.types import PostProcess, RunContext, ServerAccess, VideoTask
from rumiai.settings import Settings

LOG = logging.getLogger("rumiai")

# One death may be bad luck (memory pressure); a second one over the same video is caused by it.
_ATTEMPTS: Final = 2
# On small machines more videos in flight only compete for the cores.
_MAX_WORKERS_SMALL: Final = 5
_POLL_S: Final = 0.2
_JOIN_LIMIT_S: Final = 20


def worker_count(settings: Settings, videos: int) -> int:
    """How many videos are in flight: as asked for, else one for every core, up to 5 (one in four beyond 20 cores)."""
    cores = len(os.sched_getaffinity(0))
    chosen = settings.workers or min(cores, max(_MAX_WORKERS_SMALL, cores // 4))
    return max(1, min(chosen, videos))


def run_batch(
    tasks: Sequence[VideoTask],
    settings: Settings,
    server: ServerAccess,
    handler: EventHandler,
    stop: threading.Event,
    *,
    insights: bool = True,
    post_process: PostProcess | None = None,
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

    Returns:
        An outcome for each task, in their order; given-up ones are failed with ``Interrupted``.
    """
    leftovers.sweep()
    run_id = f"run{os.getpid()}-{secrets.token_hex(4)}"
    try:
        with event_socket(handler) as address:
            context = RunContext(run_id, settings, server, address, insights)
            return _Scheduler(tasks, context, handler, stop, post_process).run()
    finally:
        _sweep(run_id, server)


class _Scheduler:
    def __init__(
        self,
        tasks: Sequence[VideoTask],
        context: RunContext,
        handler: EventHandler,
        stop: threading.Event,
        post_process: PostProcess | None,
    ) -> None:
        self._tasks, self._context, self._handler, self._stop = tasks, context, handler, stop
        self._post_process = post_process
        self._in_work: dict[Future[VideoOutcome], VideoTask] = {}
        self._in_post: dict[Future[VideoOutcome], VideoOutcome] = {}
        self._outcomes: dict[str, VideoOutcome] = {}
        self._attempts: dict[str, int] = {}

    def run(self) -> list[VideoOutcome]:
        workers = worker_count(self._context.settings, len(self._tasks))
        pool = ProcessPool(
            max_workers=workers, context=get_context("spawn"), initializer=_start_worker, initargs=[self._context]
        )
        try:
            for task in self._tasks:
                self._schedule(pool, task)
            while (self._in_work or self._in_post) and not self._stop.is_set():
                done, _ = wait([*self._in_work, *self._in_post], timeout=_POLL_S, return_when=FIRST_COMPLETED)
                for future in done:
                    if future in self._in_post:
                        self._finish(_post_processed(future, self._in_post.pop(future)))
                    else:
                        self._collect(pool, future)
        finally:
            pool.stop() if self._in_work else pool.close()
            pool.join(timeout=_JOIN_LIMIT_S)
        self._give_up()
        return [self._outcomes[task.video_id] for task in self._tasks]

    def _schedule(self, pool: ProcessPool, task: VideoTask) -> None:
        self._attempts[task.video_id] = self._attempts.get(task.video_id, 0) + 1
        limit_s = self._context.settings.video_timeout_s
        future: Future[VideoOutcome] = pool.schedule(_analyse, args=[task], timeout=limit_s)
        self._in_work[future] = task

    def _collect(self, pool: ProcessPool, future: Future[VideoOutcome]) -> None:
        task = self._in_work.pop(future)
        try:
            self._take(future.result())
        except (FutureTimeoutError, TimeoutError):
            limit_s = self._context.settings.video_timeout_s
            self._finish(_failed(task, "Timeout", f"not finished within {limit_s:g} s (RUMIAI_VIDEO_TIMEOUT_S)"))
        except BrokenProcessPool as exc:
            self._finish(_failed(task, "WorkerDied", f"no worker process could be started: {exc}"))
        except ProcessExpired as exc:
            self._retry(pool, task, _cause_of_death(exc))

    def _retry(self, pool: ProcessPool, task: VideoTask, cause: str) -> None:
        if self._attempts[task.video_id] < _ATTEMPTS:
            self._handler(RetryEvent(task.video_id, cause))
            self._schedule(pool, task)
        else:
            message = f"quarantined: it ended its worker process {_ATTEMPTS} times ({cause})"
            self._finish(_failed(task, "WorkerDied", message))

    def _take(self, outcome: VideoOutcome) -> None:
        """A worker is done with a video: finish it, or begin its post-processing."""
        if self._post_process is None or outcome.status == "failed" or not outcome.analyses:
            self._finish(outcome)
        else:
            self._in_post[self._post_process(outcome)] = outcome

    def _give_up(self) -> None:
        """Record what was still in flight when the run was stopped."""
        for future, outcome in self._in_post.items():
            future.cancel()
            warning = "the run was stopped before Claude was done with this video"
            self._finish(replace(outcome, status="partial", warnings=[*outcome.warnings, warning]))
        for task in self._in_work.values():
            self._finish(_failed(task, "Interrupted", "the run was stopped before this video was finished"))

    def _finish(self, outcome: VideoOutcome) -> None:
        self._outcomes[outcome.video_id] = outcome
        if outcome.analyses or outcome.status == "failed":
            self._report(outcome)
        self._handler(VideoEvent(outcome))

    def _report(self, outcome: VideoOutcome) -> None:
        settings = self._context.settings
        try:
            write_report(Store(*settings.folders), outcome, settings)
        except StoreError as exc:
            LOG.warning("%s: no report: %s", outcome.video_id, exc)


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

    if left := unlink_run(run_id):
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
