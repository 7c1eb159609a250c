"""``submit --to``: submit to a service, show the run as it goes on, and bring its results here."""

from __future__ import annotations

import logging
import math
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rumiai import errors
from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import DoneEvent, NotStarted, RunEvent, RunStartedEvent, ServerEvent, VideoEvent
from rumiai.core.json_values import JsonObject, JsonValue
from rumiai.errors import ConfigurationError, RumiAIError, UsageError
from rumiai.results.store import Store
from rumiai.run.submit import interrupts, print_end
from rumiai.service.models import RunSettings
from rumiai.service.remote.client import ServiceClient
from rumiai.service.remote.events import read_event, read_totals
from rumiai.service.remote.results import bring
from rumiai.settings import Settings
from rumiai.sources import Named, SourceItem, UnlistedSource, list_named
from rumiai.sources.sidecars import read_sidecars
from rumiai.terminal.console import Display, choose_display
from rumiai.terminal.flags import refuse_upload
from rumiai.terminal.logs import start_logging

LOG = logging.getLogger(__name__)

# Of the command here.
_OURS: Final = ("out", "log_level", "log_format")


@dataclass(frozen=True)
class Remote:
    """A service that runs are sent to.

    Attributes:
        url: Where it is.
        key: An API key of it.
    """

    url: str
    key: str = field(repr=False)


def submit_to(remote: Remote, named: Named, settings: Settings, *, as_json: bool, quiet: bool, insights: bool) -> int:
    """Have a service analyse what the sources name; files of this machine are sent to it.

    Args:
        remote: The service.
        named: What the user named; addresses on the network are fetched by the service.
        settings: Of the run. Results come into their output folder.
        as_json: Events on stdout instead of tables.
        quiet: No progress.
        insights: Whether to go on after the unified analysis.

    Returns:
        The exit code that ``submit`` would have had there.

    Raises:
        RumiAIError: The service refused, or is away.
    """
    start_logging(settings)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    refuse_upload(settings, "submit --to")
    if not remote.key:
        raise ConfigurationError("--to needs an API key of the service", hint="set RUMIAI_API_KEY")
    _check_address(remote.url)
    files, videos = _divided(named)
    request: JsonObject = {**videos, "settings": _chosen(settings), "insights": insights}
    store = Store(*settings.folders)
    store.check_writable()
    with ServiceClient(remote.url, remote.key) as client:
        run_id = client.submit(request, files, secrets.token_hex(16))
        with _Shown(
            lambda total: choose_display(total, as_json=as_json, quiet=quiet, colored=settings.colored_logs)
        ) as shown:
            brought = _follow(client, run_id, store, shown.handle)
        run = client.run(run_id)
        done = _done(run, list(client.videos(run_id)), brought)
    print_end(done, as_json=as_json, colored=settings.colored_logs)
    return int(str(run["exit_code"]))


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        hint = f"write http://{url}" if url and "://" not in url else None
        raise UsageError(f"--to: got {url!r}, expected the URL of a service, such as http://127.0.0.1:8080", hint=hint)


def refuse_operators_flags(flags: Mapping[str, object], names: Mapping[str, str]) -> None:
    """Refuse flags of ``submit`` that are the service's to choose.

    Args:
        flags: By member; None counts as not given.
        names: What the command line calls them.

    Raises:
        UsageError: One was given.
    """
    for member, value in flags.items():
        if value is not None and member not in RunSettings.model_fields and member not in _OURS:
            raise UsageError(f"{names.get(member, member)} is the service's to choose", hint="leave it out with --to")


def _divided(named: Named) -> tuple[list[Path], JsonObject]:
    """Files that are sent, and the members of the request that name the videos.

    Addresses on the command line are left to the service, which may list what stands behind them. Of a list each video
    is told with what is known of it, and of files also what lies beside them.
    """
    addresses = [text for text in named.texts if "://" in text]
    others = replace(named, texts=[text for text in named.texts if "://" not in text])
    if named.metadata and addresses:
        raise UsageError("with --to, --metadata describes files and lists alone", hint="put it into a manifest")
    items = list_named(others) if others.texts or others.manifest or not addresses else []
    files: list[Path] = []
    entries = []
    for item in items:
        entry: dict[str, JsonValue] = {"upload": len(files)} if item.source == "local" else {"source": item.location}
        if item.source == "local":
            files.append(Path(item.location))
        elif item.source == UnlistedSource.name:
            entry["problem"] = item.address
        elif item.address:
            entry["source"] = item.address
        entries.append({**entry, **_told(item)})
    return files, {"sources": addresses, "videos": entries}


def _told(item: SourceItem) -> JsonObject:
    """What is known of a video here."""
    metadata = item.metadata
    if item.source == "local":
        beside, problems = read_sidecars(Path(item.location))
        for problem in problems:
            LOG.warning("%s: %s", item.location, problem)
        metadata = metadata.completed(beside) if metadata else beside
    told: dict[str, JsonValue] = {"id": item.stem}
    if metadata is not None:
        told["metadata"] = {name: value for name, value in metadata.needed().to_dict().items() if value is not None}
    if item.language:
        told["language"] = item.language
    return told


def _chosen(settings: Settings) -> JsonObject:
    """The settings that a request may choose and that are not the default."""
    told = settings.to_json()
    default = Settings().to_json()
    chosen = {name: told[name] for name in RunSettings.model_fields if told[name] != default[name]}
    if math.isinf(settings.max_cost_usd):
        raise UsageError("--max-cost none: the service has a limit of its own", hint="give a number, or leave it out")
    return chosen


class _Shown:
    """The display of a run that says only when it begins how many videos it has."""

    def __init__(self, choose: Callable[[int], Display]) -> None:
        self._choose = choose
        self._stack = ExitStack()
        self._display: Display | None = None

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def handle(self, event: RunEvent) -> None:
        """Show an event."""
        if self._display is None:
            total = event.videos if isinstance(event, RunStartedEvent) else 0
            self._display = self._stack.enter_context(self._choose(total))
        self._display.handle(event)


def _follow(
    client: ServiceClient, run_id: str, store: Store, show: Callable[[RunEvent], None]
) -> dict[str, VideoOutcome]:
    """Show the events of a run to its end, and bring the results of each video as it ends; Ctrl-C cancels the run."""
    brought: dict[str, VideoOutcome] = {}

    def handle(event: RunEvent) -> None:
        show(event)
        if isinstance(event, ServerEvent) and event.state == "interrupted":
            client.cancel(run_id)

    with interrupts(handle, threading.Event(), threading.Event()):
        for members in client.events(run_id):
            event = read_event(members)
            if isinstance(event, VideoEvent):
                outcome = bring(client, run_id, event.outcome, store)
                brought[outcome.video_id] = outcome
                event = VideoEvent(outcome)
            if event is not None:
                show(event)
    return brought


def _done(run: JsonObject, videos: Sequence[JsonObject], brought: Mapping[str, VideoOutcome]) -> DoneEvent:
    ids = [str(video["id"]) for video in videos]
    error = run["error"]
    claude = run["claude"]
    return DoneEvent(
        [brought.get(video_id) or NotStarted(video_id) for video_id in ids],
        read_totals(claude) if isinstance(claude, Mapping) else None,
        _error(str(error["type"]), str(error["message"])) if isinstance(error, Mapping) else None,
    )


def _error(name: str, message: str) -> RumiAIError:
    """The error that ended a run there, as one of ours."""
    kind = getattr(errors, name, RumiAIError)
    is_ours = isinstance(kind, type) and issubclass(kind, RumiAIError)
    return kind(message) if is_ours else RumiAIError(message)
