"""Many videos: one worker process for each in flight; the parent schedules and listens.

A worker that dies (a decoder's segmentation fault, the out-of-memory killer) costs its video, never the run: the video
gets a second worker, and if it kills that one too it is quarantined with the reason. Workers are spawned, not forked.

Workers report over a Unix datagram socket: unlike a queue's pipe it has no lock that a dying worker could keep.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from pebble import ProcessExpired, ProcessPool

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.errors import ServerError, StoreError
from rumiai.results.report import write_report
from rumiai.results.store import Store
from rumiai.run.embedded_server import ServerAccess
from rumiai.settings import Settings

LOG = logging.getLogger("rumiai")

# A worker that died may have been unlucky (memory pressure); one that dies twice over the same video was not.
_ATTEMPTS: Final = 2
# More videos in flight than this share nothing but contention (spec: at most 5 concurrent videos) on small machines.
_MOST_WORKERS_SMALL: Final = 5
_DATAGRAM_BYTES: Final = 1 << 16

Listener = Callable[[Mapping[str, Any]], None]
# What happens to a video that its worker is done with, elsewhere than in a worker.
Afterwards = Callable[[VideoOutcome], "Future[VideoOutcome]"]


@dataclass(frozen=True)
class Job:
    """One video to be analysed."""

    path: str
    video_id: str


@dataclass(frozen=True)
class RunContext:
    """What every worker of a run is told."""

    run_id: str
    settings: Settings
    server: ServerAccess
    events: str
    insights: bool = True


def worker_count(settings: Settings, videos: int) -> int:
    """How many videos are in flight: as asked for, else one for every core, up to 5 (one in four beyond 20 cores)."""
    cores = len(os.sched_getaffinity(0))
    chosen = settings.workers or min(cores, max(_MOST_WORKERS_SMALL, cores // 4))
    return max(1, min(chosen, videos))


def run_batch(
    jobs: Sequence[Job],
    settings: Settings,
    server: ServerAccess,
    listener: Listener,
    stop: threading.Event,
    *,
    insights: bool = True,
    afterwards: Afterwards | None = None,
) -> list[VideoOutcome]:
    """Analyse the videos.

    Args:
        jobs: What to do; ids are unique.
        settings: For all of them.
        server: A server that is ready.
        listener: Gets every event of the workers, and ``{"event": "video", ...}`` as each video ends; called from
            several threads.
        stop: When it is set, no new video is begun and those in flight are given up.
        insights: Whether to go on after the unified analysis.
        afterwards: Begun for each video that has a result, while others are still with the workers.

    Returns:
        An outcome for each job, in their order; given-up ones are failed with ``Interrupted``.
    """
    run_id = f"run{os.getpid()}-{secrets.token_hex(4)}"
    try:
        with _event_socket(listener) as address:
            context = RunContext(run_id, settings, server, address, insights)
            return _Scheduler(jobs, context, listener, stop, afterwards).run()
    finally:
        _sweep(run_id, server)


class _Scheduler:
    def __init__(
        self,
        jobs: Sequence[Job],
        context: RunContext,
        tell: Listener,
        stop: threading.Event,
        afterwards: Afterwards | None,
    ) -> None:
        self._jobs, self._context, self._tell, self._stop = jobs, context, tell, stop
        self._afterwards = afterwards
        self._after: dict[Future[VideoOutcome], VideoOutcome] = {}
        self._outcomes: dict[str, VideoOutcome] = {}
        self._attempts: dict[str, int] = {}

    def run(self) -> list[VideoOutcome]:
        workers = worker_count(self._context.settings, len(self._jobs))
        pool = ProcessPool(
            max_workers=workers, context=get_context("spawn"), initializer=_start_worker, initargs=[self._context]
        )
        pending: dict[Future[VideoOutcome], Job] = {}
        try:
            for job in self._jobs:
                self._schedule(pool, job, pending)
            while (pending or self._after) and not self._stop.is_set():
                done, _ = wait([*pending, *self._after], timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    if future in self._after:
                        self._finish(_afterwards_of(future, self._after.pop(future)))
                    else:
                        self._take(pool, future, pending)
        finally:
            pool.stop() if pending else pool.close()
            pool.join(timeout=20)
        for future, outcome in self._after.items():
            future.cancel()
            warning = "the run was stopped before Claude was done with this video"
            self._finish(replace(outcome, status="partial", warnings=[*outcome.warnings, warning]))
        for job in pending.values():
            self._finish(_failed(job, "Interrupted", "the run was stopped before this video was finished", 1))
        return [self._outcomes[job.video_id] for job in self._jobs]

    def _schedule(self, pool: ProcessPool, job: Job, pending: dict[Future[VideoOutcome], Job]) -> None:
        self._attempts[job.video_id] = self._attempts.get(job.video_id, 0) + 1
        limit_s = self._context.settings.video_timeout_s
        future: Future[VideoOutcome] = pool.schedule(_work, args=[job], timeout=limit_s)
        pending[future] = job

    def _take(self, pool: ProcessPool, future: Future[VideoOutcome], pending: dict[Future[VideoOutcome], Job]) -> None:
        job = pending.pop(future)
        try:
            self._measured(future.result())
        except (FutureTimeoutError, TimeoutError):
            limit_s = self._context.settings.video_timeout_s
            self._finish(_failed(job, "Timeout", f"not finished within {limit_s:g} s (RUMIAI_VIDEO_TIMEOUT_S)", 1))
        except BrokenProcessPool as exc:
            self._finish(_failed(job, "WorkerDied", f"no worker process could be started: {exc}", 1))
        except ProcessExpired as exc:
            if self._attempts[job.video_id] < _ATTEMPTS:
                self._tell({"event": "retry", "video_id": job.video_id, "reason": _death(exc)})
                self._schedule(pool, job, pending)
            else:
                message = f"quarantined: it ended its worker process {_ATTEMPTS} times ({_death(exc)})"
                self._finish(_failed(job, "WorkerDied", message, 1))

    def _measured(self, outcome: VideoOutcome) -> None:
        if self._afterwards is None or outcome.status == "failed" or not outcome.analyses:
            self._finish(outcome)
        else:
            self._after[self._afterwards(outcome)] = outcome

    def _finish(self, outcome: VideoOutcome) -> None:
        self._outcomes[outcome.video_id] = outcome
        if outcome.analyses or outcome.status == "failed":
            self._report(outcome)
        self._tell({"event": "video", **outcome.to_dict()})

    def _report(self, outcome: VideoOutcome) -> None:
        settings = self._context.settings
        store = Store(*settings.folders)
        try:
            write_report(store, outcome, settings)
        except StoreError as exc:
            LOG.warning("%s: no report: %s", outcome.video_id, exc)


def _afterwards_of(future: Future[VideoOutcome], before: VideoOutcome) -> VideoOutcome:
    """What came of a video in the end; a bug there costs this video alone, and what the worker wrote stays."""
    error = future.exception()
    if error is None:
        return future.result()
    LOG.error("%s: unexpected error", before.video_id, exc_info=error)
    return replace(before, status="failed", error=Failure(type(error).__name__, str(error), "afterwards"))


def _death(exc: ProcessExpired) -> str:
    code = exc.exitcode
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"


def _failed(job: Job, kind: str, message: str, code: int) -> VideoOutcome:
    return VideoOutcome(job.video_id, job.path, "failed", error=Failure(kind, message, "worker", code))


@contextlib.contextmanager
def _event_socket(tell: Listener) -> Iterator[str]:
    """A datagram socket whose JSON messages go to ``tell``; yields its address."""
    with tempfile.TemporaryDirectory(prefix="rumiai-events-") as folder:
        address = str(Path(folder) / "events")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(address)
            receiver.settimeout(0.2)
            closing = threading.Event()
            thread = threading.Thread(target=_receive, args=(receiver, tell, closing), daemon=True)
            thread.start()
            try:
                yield address
            finally:
                closing.set()
                thread.join()


def _receive(receiver: socket.socket, tell: Listener, closing: threading.Event) -> None:
    while True:
        try:
            message = receiver.recv(_DATAGRAM_BYTES)
        except TimeoutError:
            if closing.is_set():
                return
            continue
        tell(json.loads(message))


def _sweep(run_id: str, server: ServerAccess) -> None:
    """Remove what workers that were killed left in shared memory, and in the server's table of it."""
    from rumiai.media.shared_frames import unlink_run

    if left := unlink_run(run_id):
        with contextlib.suppress(ServerError):  # a server that has gone has no table either
            asyncio.run(_unregister(left, server))


async def _unregister(regions: Sequence[str], server: ServerAccess) -> None:
    from rumiai.inference.client import TritonClient

    async with TritonClient.connect(server.grpc, server.token) as client:
        for region in regions:
            await client.unregister(region)


_worker: Any = None


def _start_worker(context: RunContext) -> None:
    global _worker
    from rumiai.run.worker import Worker

    _worker = Worker(context)


def _work(job: Job) -> VideoOutcome:
    outcome: VideoOutcome = _worker.analyse(job)
    return outcome
