"""What a run shows: live progress on stderr, JSON events on stdout, and a table for each video at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from rumiai.contracts.outcome import AnalysisOutcome, VideoOutcome
from rumiai.contracts.run_events import (
    ClaudeEvent,
    LogEvent,
    ProgressEvent,
    RetryEvent,
    RunEvent,
    RunStartedEvent,
    ServerEvent,
    VideoEvent,
)
from rumiai.terminal.logs import LOG, is_json, log_event
from rumiai.terminal.streams import printable, write_line

# What a reader can follow; more often costs processor time that the models need.
_REDRAWS_PER_S: Final = 4
# With more videos than this, the end of the run lists one line each instead of a table each.
_MOST_TABLES: Final = 20
# Wider than any path.
_NO_TERMINAL_COLUMNS: Final = 5000
_COLOURS: Final = {"ok": "green", "partial": "yellow", "failed": "red"}


class Display(Protocol):
    """Takes the events of a run."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None: ...
    def handle(self, event: RunEvent) -> None:
        """Show one event, or pass it over."""


@dataclass
class _Flight:
    stage: str = "waiting"
    done: int = 0
    of: int = 0
    began: float = field(default_factory=time.monotonic)


class _Base:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        return None


class JsonDisplay(_Base):
    """One event a line on stdout, and nothing else there."""

    def handle(self, event: RunEvent) -> None:
        """Print it; the workers' log lines go to stderr."""
        if isinstance(event, LogEvent):
            log_event(event)
        else:
            write_line(json.dumps(event.to_json(), ensure_ascii=False, allow_nan=False), sys.stdout)


class PlainDisplay(_Base):
    """A line on stderr for what matters: for logs, pipes and continuous integration."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total, self._quiet, self._done = total, quiet, 0

    def handle(self, event: RunEvent) -> None:
        """Print stages of the run and finished videos."""
        match event:
            case LogEvent():
                log_event(event)
            case VideoEvent(outcome):
                self._done += 1
                self._say(f"[{self._done}/{self._total}] {outcome.video_id}: {_verdict(outcome)}")
            case RunStartedEvent(run_id, videos):
                self._say(_run_line(run_id, videos))
            case RetryEvent(video_id, reason):
                self._say(f"{video_id}: {reason}; once more")
            case ServerEvent(message=message) | ClaudeEvent(message=message):
                self._say(message)

    def _say(self, text: str) -> None:
        if not self._quiet:
            write_line(text, sys.stderr)


class LogDisplay(PlainDisplay):
    """The same as records of the log, where stderr carries nothing else."""

    def _say(self, text: str) -> None:
        if not self._quiet:
            LOG.info("%s", text)


class LiveDisplay(_Base):
    """A row for each video in flight, with its stage and bar, and a line with rate and time left."""

    def __init__(self, total: int, *, colored: bool = True) -> None:
        self._total = total
        self._flights: dict[str, _Flight] = {}
        self._finished = 0
        self._began: float | None = None
        self._server = ""
        self._console = Console(stderr=True, no_color=None if colored else True)
        self._live = Live(console=self._console, refresh_per_second=_REDRAWS_PER_S, get_renderable=self._render)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._live.stop()

    def handle(self, event: RunEvent) -> None:
        """Update the rows."""
        match event:
            case ProgressEvent():
                self._advance(event)
            case VideoEvent(outcome):
                self._flights.pop(outcome.video_id, None)
                self._finished += 1
                self._say(f"{outcome.video_id}: {_verdict(outcome)}")
            case RunStartedEvent(run_id, videos):
                self._say(_run_line(run_id, videos))
            case RetryEvent(video_id, reason):
                self._say(f"{video_id}: {reason}; once more")
            case ServerEvent():
                self._server = event.message
            case ClaudeEvent():
                self._say(event.message)
            case LogEvent():
                log_event(event)

    def _advance(self, event: ProgressEvent) -> None:
        self._began = self._began or time.monotonic()
        flight = self._flights.setdefault(event.video_id, _Flight())
        # Speech runs beside the frames; the frames are what the bar shows.
        if event.stage != "speech" or flight.stage in ("waiting", "probe", "speech"):
            flight.stage = event.stage
            flight.done, flight.of = event.done or 0, event.of or 0

    def _say(self, text: str) -> None:
        self._console.print(_plain(text), highlight=False)

    def _render(self) -> RenderableType:
        rows = Table.grid(padding=(0, 1))
        for video_id, flight in list(self._flights.items()):
            bar = ProgressBar(total=flight.of or 1, completed=flight.done, width=24)
            share = f"{flight.done}/{flight.of}" if flight.of else ""
            elapsed = f"{time.monotonic() - flight.began:.0f} s"
            rows.add_row(_plain(video_id[:40]), flight.stage, bar, share, elapsed)
        return Group(rows, self._footer())

    def _footer(self) -> str:
        done = self._finished
        if self._began is None:
            return f"[dim]{_plain(self._server)}[/dim]"
        elapsed = time.monotonic() - self._began
        line = f"{done}/{self._total} videos, {elapsed:.0f} s"
        if done:
            left = elapsed / done * (self._total - done)
            line += f", {done / elapsed * 60:.1f} videos a minute, about {left:.0f} s left"
        return f"[dim]{line}[/dim]"


def choose_display(total: int, *, as_json: bool, quiet: bool, colored: bool = True) -> Display:
    """JSON when asked for, live on a terminal, plain lines elsewhere; without colours also where NO_COLOR is set."""
    if as_json:
        return JsonDisplay()
    if is_json():
        return LogDisplay(total, quiet=quiet)
    if quiet or not sys.stderr.isatty():
        return PlainDisplay(total, quiet=quiet)
    return LiveDisplay(total, colored=colored)


def _plain(text: str) -> str:
    """A text from outside, without what steers the terminal or rich."""
    return escape(printable(text))


def _run_line(run_id: str, videos: int) -> str:
    return f"run {run_id}: {videos} video{'s' * (videos != 1)}"


def _verdict(outcome: VideoOutcome) -> str:
    if outcome.status == "failed":
        return f"failed: {outcome.error.message if outcome.error else 'unknown reason'}"
    if outcome.skipped:
        return "done by an earlier run"
    failed = [name for name, service in outcome.services.items() if not service.ok]
    more = f", without {', '.join(failed)}" if failed else ""
    return f"{outcome.status} in {outcome.seconds:.1f} s{more}"


def print_outcomes(outcomes: Sequence[VideoOutcome], *, colored: bool = True) -> None:
    """A table for each video; for a large run a line each, and a table only for those that are not ok."""
    # In a file or a pipe a path that is cut in two is of no use to anybody.
    width = None if sys.stdout.isatty() else _NO_TERMINAL_COLUMNS
    console = Console(highlight=False, width=width, no_color=None if colored else True)
    with console.capture() as captured:
        for outcome in outcomes:
            if len(outcomes) <= _MOST_TABLES or outcome.status != "ok":
                console.print(outcome_table(outcome))
            else:
                console.print(
                    f"{_plain(outcome.video_id)}: {outcome.status}, {_plain(outcome.files.get('unified', ''))}"
                )
        counts = {status: sum(o.status == status for o in outcomes) for status in _COLOURS}
        if len(outcomes) > 1:
            console.print(", ".join(f"{count} {status}" for status, count in counts.items() if count))
    for line in captured.get().splitlines():
        write_line(line.rstrip(), sys.stdout, styled=True)  # tables are filled up with blanks


def outcome_table(outcome: VideoOutcome) -> Table:
    """What was found in one video, what failed and why, where the time went and where the files are."""
    colour = _COLOURS[outcome.status]
    state = "ok (done by an earlier run)" if outcome.skipped and outcome.status == "ok" else outcome.status
    title = f"{_plain(outcome.video_id)}  [{colour}]{state}[/{colour}]"
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False, title_style="bold")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _rows(outcome):
        table.add_row(name, _plain(text))
    return table


def _rows(outcome: VideoOutcome) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if outcome.error:
        rows.append(("error", f"{outcome.error.type} in {outcome.error.stage}: {outcome.error.message}"))
    rows += outcome.summary.lines
    if outcome.analyses:
        rows.append(("analyses", _analyses(outcome.analyses)))
    rows += [
        (f"no {name}", str(service.reason)) for name, service in outcome.services.items() if not service.ok
    ]  # fmt: skip
    rows += [("warning", warning) for warning in outcome.warnings]
    if outcome.stage_seconds and not outcome.skipped:
        spent = {**{k: v for k, v in outcome.stage_seconds.items() if k != "total"}, **_service_seconds(outcome)}
        parts = [f"{name} {seconds:.1f}" for name, seconds in spent.items()]
        rows.append(("seconds", f"{outcome.seconds:.1f} in all; side by side: {', '.join(parts)}"))
    if "unified" in outcome.files:
        rows.append(("files", outcome.files["unified"]))
    return rows


def _analyses(analyses: Mapping[str, AnalysisOutcome]) -> str:
    """How many, by whom, and what that cost."""
    models = [analysis.model for analysis in analyses.values() if analysis.model]
    parts = [f"{models.count(model)} judged by {model}" for model in dict.fromkeys(models)]
    if len(models) < len(analyses):
        parts.append(f"{len(analyses) - len(models)} by rules")
    costs = [analysis.cost_usd for analysis in analyses.values()]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        parts.append("cost unknown")
    elif sum(known):
        parts.append(f"{sum(known):.4f} USD")
    return ", ".join(parts)


def _service_seconds(outcome: VideoOutcome) -> dict[str, float]:
    return {name: service.seconds for name, service in outcome.services.items() if not service.cached}
