"""The main job: sources become tasks, a model server runs for them, the batch is analysed, its end is printed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rumiai import weights
from rumiai.contracts.outcome import VideoOutcome, exit_code
from rumiai.core.signals import stop_signals
from rumiai.errors import RumiAIError, StoreError
from rumiai.insights import ClaudeSettings
from rumiai.results.store import Store, assign_ids
from rumiai.run.batch import run_batch
from rumiai.run.claude import Totals, open_claude
from rumiai.run.embedded_server import embedded_server
from rumiai.run.types import Event, EventHandler, ServerAccess, VideoTask
from rumiai.services import AnyService, chosen_services
from rumiai.settings import Settings
from rumiai.sources import Source, SourceItem, find_source, list_items
from rumiai.terminal.console import Display, choose_display, print_outcomes
from rumiai.terminal.streams import write_line

# The exit status of an interrupted run (docs/outputs.md).
_INTERRUPTED = 1
# A named server is up, or just being started.
_SERVER_READY_S = 10.0


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
    tasks = _tasks(digests, store)
    outcomes: list[VideoOutcome] = []
    error: RumiAIError | None = None
    totals: Totals | None = None
    with choose_display(len(tasks), as_json=as_json, quiet=quiet) as display, _interrupts(display) as stop:
        handler = _serialised(display.handle)
        try:
            with open_claude(settings, claude or ClaudeSettings(), len(tasks), handler) as judge:
                totals = judge.totals if judge else None
                with _server(settings, display, stop) as server:
                    for task in tasks:
                        store.remember_input(task.video_id, task.item, digests[task.item])
                    outcomes = run_batch(
                        tasks,
                        settings,
                        server,
                        handler,
                        stop,
                        insights=insights,
                        post_process=judge.judge if judge else None,
                    )
                if judge and not stop.is_set():
                    judge.submit_pending()
        except RumiAIError as exc:
            error = exc
    if as_json:
        _print_done(tasks, outcomes, error, totals)
    else:
        print_outcomes(outcomes)
        if error is not None:
            raise error
    if stop.is_set():
        return _INTERRUPTED
    return error.exit_code if error else exit_code(outcomes)


def _serialised(handler: EventHandler) -> EventHandler:
    """Call ``handler`` from one thread at a time: events come from the workers' thread and from Claude's."""
    lock = threading.Lock()

    def handle(event: Event) -> None:
        with lock:
            handler(event)

    return handle


def _digest(item: SourceItem) -> str:
    """Of the content; of the location where the content cannot be read, so that this video alone fails."""
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


@contextlib.contextmanager
def _server(settings: Settings, display: Display, stop: threading.Event) -> Iterator[ServerAccess]:
    """The server named in the settings, else an embedded one for the length of the run."""
    services = chosen_services(settings.services)
    models = tuple(dict.fromkeys(service.server_model for service in services if service.server_model))
    _check_weights(services, settings)
    if not models:
        yield ServerAccess(settings.server or "127.0.0.1:0", None, models)
        return
    if settings.server:
        asyncio.run(_check_server(settings.server, models))
        yield ServerAccess(settings.server, None, models)
        return
    display.handle({"event": "server", "state": "starting", "message": "starting the model server ..."})
    with embedded_server(settings, models, settings.out / "logs" / "server.log", stop) as server:
        display.handle({"event": "server", "state": "ready", "message": f"model server ready at {server.grpc}"})
        yield server
        display.handle({"event": "server", "state": "stopping", "message": "stopping the model server ..."})


def _check_weights(services: Sequence[AnyService], settings: Settings) -> None:
    """Refuse to start without the model files that the run needs on this machine.

    Raises:
        WeightsError: One is missing or damaged; the message says how to fetch it.
    """
    local = [service for service in services if not (settings.server and service.server_model)]
    for name in dict.fromkeys(name for service in local for name in service.weights(settings)):
        if "/" not in name:  # a path is the user's own file
            weights.path(name)


async def _check_server(address: str, models: tuple[str, ...]) -> None:
    """Refuse to start when the named server is not ready.

    Raises:
        ServerError: It does not answer, or lacks a model.
    """
    from rumiai.inference.client import TritonClient

    async with TritonClient.connect(address) as client:
        await client.wait_ready(models, _SERVER_READY_S)


@contextlib.contextmanager
def _interrupts(display: Display) -> Iterator[threading.Event]:
    """SIGINT, SIGTERM and SIGHUP set the event.

    Videos in flight are given up then, the server stops, and shared memory is removed.
    """
    stop = threading.Event()

    def request_stop(_: signal.Signals) -> None:
        if not stop.is_set():
            stop.set()
            display.handle({"event": "server", "state": "interrupted", "message": "stopping ..."})

    with stop_signals(request_stop):
        yield stop


def _print_done(
    tasks: Sequence[VideoTask], outcomes: Sequence[VideoOutcome], error: RumiAIError | None, totals: Totals | None
) -> None:
    finished = {outcome.video_id: outcome.to_dict() for outcome in outcomes}
    unfinished: Mapping[str, Any] = {
        "status": "failed",
        "skipped": False,
        "seconds": 0.0,
        "files": {},
        "error": {"type": "NotStarted", "message": "the run ended before this video", "stage": "start"},
    }
    videos = [finished.get(task.video_id, {"video_id": task.video_id, **unfinished}) for task in tasks]
    outer = {"type": type(error).__name__, "message": str(error)} if error else None
    done = {"event": "done", "videos": videos, "claude": vars(totals) if totals else None, "error": outer}
    write_line(json.dumps(done, ensure_ascii=False), sys.stdout)
