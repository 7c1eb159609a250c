"""Many videos: one worker process for each in flight. The parent schedules them and receives their events.

A worker that dies (a decoder's segmentation fault, the out-of-memory killer) costs its video, never the run. The video
gets a second worker. If it ends that one too, it is quarantined with the reason. Workers are spawned, not forked.

A video is begun when a worker is free and there is memory for it. One that stands still is ended, and tried again once.

A model server that has gone for good ends the workers. Another one gets their videos; without another the rest fails at
once. Limits are counted by the monotonic clock: the wall clock may be set while a run is under way.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from typing import Any, Final

from pebble import ProcessExpired, ProcessPool

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import EventHandler, ProgressEvent, RetryEvent, RunEvent, ServerEvent, VideoEvent
from rumiai.core.secrets import CLAUDE_KEYS, holds_secret, secrets_hidden
from rumiai.errors import ServerError, StoreError
from rumiai.results.report import write_report
from rumiai.results.store import Store
from rumiai.run import leftovers
from rumiai.run.ahead import Ahead
from rumiai.run.events import event_socket
from rumiai.run.failures import WorkersLog, cause_of_death, failed, post_processed
from rumiai.run.memory import MemoryGuard
from rumiai.run.model_server import ModelServer
from rumiai.run.stage_watch import StageWatch
from rumiai.run.types import PostProcess, RunContext, Stops, VideoTask
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
    closing: threading.Event | None = None,
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
        closing: When it is set, no new video is begun and those in flight are finished.

    Returns:
        An outcome for each task, in their order; given-up ones are failed with ``Interrupted``, those that were not
        begun because of ``closing`` with ``Cancelled``.
    """
    leftovers.sweep()
    run_id = f"run{os.getpid()}-{secrets.token_hex(4)}"
    try:
        watch = StageWatch(settings.stage_timeout_s + settings.server_wait_s)

        def watched(event: RunEvent) -> None:
            if isinstance(event, ProgressEvent):
                watch.saw(event)
            handler(event)

        with event_socket(watched) as address, secrets_hidden(os.environ, hidden_from_workers(settings)):
            context = RunContext(run_id, settings, server.access, address, insights)
            stops = Stops(stop, closing or threading.Event())
            with Ahead(settings, access, worker_count(settings, len(tasks)), handler) as ahead:
                return _Scheduler(tasks, context, server, handler, stops, watch, post_process, ahead).run()
    finally:
        leftovers.sweep_run(run_id, server.access)


class _Scheduler:
    def __init__(
        self,
        tasks: Sequence[VideoTask],
        context: RunContext,
        server: ModelServer,
        handler: EventHandler,
        stops: Stops,
        watch: StageWatch,
        post_process: PostProcess | None,
        ahead: Ahead,
    ) -> None:
        self._ahead = ahead
        self._tasks, self._context, self._handler, self._stops = tasks, context, handler, stops
        self._stop, self._watch = stops.now, watch
        need_mb = context.settings.video_memory_mb
        self._memory = MemoryGuard(round(need_mb * 2**20) if need_mb else None)
        self._has_told_of_memory = False
        self._workers_log = WorkersLog(Store(*context.settings.folders).log_folder / "workers.log")
        self._server = server
        self._post_process = post_process
        self._in_work: dict[Future[VideoOutcome], VideoTask] = {}
        self._in_post: dict[Future[VideoOutcome], VideoOutcome] = {}
        self._outcomes: dict[str, VideoOutcome] = {}
        self._deadlines: dict[Future[VideoOutcome], float] = {}
        self._hung: dict[Future[VideoOutcome], str] = {}
        self._worker_deaths: Counter[str] = Counter()
        self._server_losses: Counter[str] = Counter()
        self._broken: str | None = None
        self._broken_pools = 0

    def run(self) -> list[VideoOutcome]:
        waiting = list(self._tasks)
        while waiting and not self._stops.any:
            waiting = self._run_pool(waiting)
            if self._stops.any:
                break
            if waiting and self._server.lost():
                waiting = self._with_another_server(waiting)
            elif self._broken_pools == _BROKEN_POOLS:
                for task in waiting:
                    self._finish(failed(task, "WorkerDied", f"no worker process could be started: {self._broken}"))
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
        workers = self._memory.fitting(wanted := worker_count(self._context.settings, len(tasks)))
        if workers < wanted:
            self._tell_of_memory(f"{workers} videos at once instead of {wanted}")
        queue = deque(task for task in tasks if not self._ahead.concerns(task))
        for task in tasks:
            if self._ahead.concerns(task):
                self._ahead.want(task)
        pool = ProcessPool(
            max_workers=workers, context=get_context("spawn"), initializer=_start_worker, initargs=[self._context]
        )
        self._broken = None
        try:
            while self._is_busy(queue) and not self._must_end():
                self._take_from_ahead(queue)
                self._admit(pool, queue, workers)
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
        self._hung.clear()
        return unfinished

    def _is_busy(self, queue: deque[VideoTask]) -> bool:
        to_come = not self._stops.closing.is_set() and (queue or self._ahead.is_busy)
        return bool(self._in_work or self._in_post or to_come)

    def _take_from_ahead(self, queue: deque[VideoTask]) -> None:
        queue.extend(self._ahead.ready())
        for outcome in self._ahead.failures():
            self._finish(outcome)

    def _admit(self, pool: ProcessPool, queue: deque[VideoTask], workers: int) -> None:
        """Begin videos while a worker is free and there is memory; when there never will be any, fail the rest."""
        while queue and len(self._in_work) < workers and not (self._broken or self._stops.any):
            if not self._memory.allows(len(self._in_work)):
                self._tell_of_memory(f"{len(self._in_work)} videos in flight, the others wait")
                break
            self._schedule(pool, queue.popleft())
        while queue and self._memory.hopeless:
            message = f"{self._memory.line()} (RUMIAI_VIDEO_MEMORY_MB)"
            self._finish(failed(queue.popleft(), "TooLittleMemory", message))

    def _tell_of_memory(self, what: str) -> None:
        if not self._has_told_of_memory:
            self._has_told_of_memory = True
            self._handler(ServerEvent("waiting", f"{self._memory.line()}: {what}"))

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
            self._finish(failed(task, "ServerGoneError", tried if renewed else reason))
        again = [task for task in tasks if task not in hopeless]
        for task in again:
            if self._server_losses[task.video_id]:
                self._handler(RetryEvent(task.video_id, reason))
        return again

    def _collect_finished(self, pool: ProcessPool) -> None:
        waited: list[Future[Any]] = [*self._in_work, *self._in_post, *self._ahead.futures]
        if not waited:
            self._stop.wait(_POLL_S)
        done = wait(waited, timeout=_POLL_S, return_when=FIRST_COMPLETED).done
        self._collect_posts(done & self._in_post.keys())
        for future in done & self._in_work.keys():
            self._collect(pool, future)
        self._end_overdue()

    def _collect_posts(self, done: Iterable[Future[VideoOutcome]]) -> None:
        for future in done:
            self._finish(post_processed(future, self._in_post.pop(future)))

    def _schedule(self, pool: ProcessPool, task: VideoTask) -> None:
        self._watch.end(task.video_id)
        self._workers_log.begin(task.video_id)
        try:
            # Pebble has limits of its own, by the wall clock.
            future: Future[VideoOutcome] = pool.schedule(_analyse, args=[task])
        except RuntimeError as exc:  # the pool has broken since; another one gets the video
            self._broken = str(exc)
        else:
            self._in_work[future] = task

    def _end_overdue(self) -> None:
        """End the workers of videos that take too long or stand still; their futures are cancelled thereby."""
        now_s = time.monotonic()
        self._watch.look()
        self._memory.measure()
        for future, task in self._in_work.items():
            if future.running():
                if future not in self._deadlines:
                    self._deadlines[future] = now_s + self._context.settings.video_timeout_s
                    self._watch.begin(task.video_id)
                if now_s > self._deadlines[future]:
                    future.cancel()
                elif stage := self._watch.hanging(task.video_id):
                    self._hung[future] = stage
                    future.cancel()

    def _collect(self, pool: ProcessPool, future: Future[VideoOutcome]) -> None:
        task = self._in_work.pop(future)
        self._deadlines.pop(future, None)
        stage = self._hung.pop(future, None)
        settings = self._context.settings
        try:
            self._take(pool, task, future.result())
        except CancelledError:
            if stage is not None:
                limit = f"{settings.stage_timeout_s:g} s (RUMIAI_STAGE_TIMEOUT_S)"
                self._retry(pool, task, f"no progress in stage {stage} for {limit}", stage)
                return
            limit = f"{settings.video_timeout_s:g} s (RUMIAI_VIDEO_TIMEOUT_S)"
            self._finish(failed(task, "Timeout", f"not finished within {limit}"))
        except BrokenProcessPool as exc:
            self._broken = str(exc)
        except ProcessExpired as exc:
            self._workers_log.tell(task.video_id, self._handler)
            self._retry(pool, task, cause_of_death(exc))

    def _retry(self, pool: ProcessPool, task: VideoTask, cause: str, hung_in: str | None = None) -> None:
        """Begin a video again whose worker died or was ended because a stage hung; after two times it has failed."""
        self._worker_deaths[task.video_id] += 1
        if self._worker_deaths[task.video_id] < _ATTEMPTS:
            self._handler(RetryEvent(task.video_id, cause if hung_in else f"its worker ended ({cause})"))
            self._schedule(pool, task)
        elif hung_in:
            self._finish(failed(task, "StageTimeout", f"quarantined: {cause}, {_ATTEMPTS} attempts", hung_in))
        else:
            message = f"quarantined: it ended its worker process {_ATTEMPTS} times ({cause})"
            self._finish(failed(task, "WorkerDied", message))

    def _take(self, pool: ProcessPool, task: VideoTask, outcome: VideoOutcome) -> None:
        """A worker is done with a video: finish it, begin its post-processing, or try again what lacked a server."""
        self._broken_pools = 0
        self._memory.measure(ended=outcome.status != "failed" and not outcome.skipped)
        if outcome.video_gone and self._ahead.bring_again(task):
            self._handler(RetryEvent(task.video_id, "its copy was removed, and is brought again"))
            return
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
            if self._stop.is_set():
                self._finish(failed(task, "Interrupted", "the run was stopped before this video was finished"))
            else:
                self._finish(failed(task, "Cancelled", "the run was cancelled before this video was begun"))

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


# The worker of this process, where this process is one. What it imports is heavy and never loaded in the parent.
_worker: Any = None


def _start_worker(context: RunContext) -> None:
    global _worker
    from rumiai.run.worker import Worker

    _worker = Worker(context)


def _analyse(task: VideoTask) -> VideoOutcome:
    outcome: VideoOutcome = _worker.analyse(task)
    return outcome
