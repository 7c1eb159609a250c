"""What the records say of a run, on one screen: counts and what needs attention first, then the rest."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rumiai.core.json_values import JsonValue
from rumiai.errors import UsageError
from rumiai.records import ErrorRecord, Records, RunRecord, VideoRecord, VideoState
from rumiai.records.types import OPEN
from rumiai.results.rebuilding import KIND as REBUILT
from rumiai.terminal.streams import printable, write_line

# Videos of one state on the screen; `--videos` shows all.
_MOST_LISTED: Final = 10
# Those that need attention come first. Of the others the counts say enough.
_LISTED: Final[Sequence[VideoState]] = ("failed", "running", "partial", "unfinished")
_COLOURS: Final = {"ok": "green", "partial": "yellow", "failed": "red", "running": "cyan", "died": "red"}
_ORDER: Final[Sequence[VideoState]] = ("ok", "partial", "failed", "running", "waiting", "unfinished")
# Of partial videos so many are told with what they lack.
_MOST_TOLD: Final = 200
# As of the table at a run's end: in a file or a pipe nothing is folded.
_NO_TERMINAL_COLUMNS: Final = 5000
# Of a message in a list: two lines beside an id in 80 columns. `--errors` shows all of it.
_BRIEF_CHARS: Final = 120
_WATCH_S: Final = 1.0
# A run says every few seconds that it is there; one in another container or on another machine may have died unseen.
_SILENT: Final = timedelta(minutes=1)
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600


@dataclass(frozen=True)
class RunView:
    """One run with its videos and errors, at one moment."""

    run: RunRecord
    videos: Sequence[VideoRecord]
    errors: Sequence[ErrorRecord]
    now: datetime

    @classmethod
    def of(cls, records: Records, run_id: str) -> RunView:
        """Read a run; videos that a process that died had before it or in flight are ``unfinished``.

        Only partial videos, and of these the first ones, come with their outcome.
        """
        run = records.run(run_id)
        videos = records.videos(run.run_id, outcomes=False)
        told = records.videos(run.run_id, states=("partial",), limit=_MOST_TOLD)
        partial = {video.video_id: video for video in told}
        videos = [partial.get(video.video_id, video) for video in videos]
        if run.died:
            videos = [replace(video, state="unfinished") if video.state in OPEN else video for video in videos]
        return cls(run, videos, records.errors(run.run_id), datetime.now(UTC))

    @property
    def is_over(self) -> bool:
        """Whether nothing changes any more."""
        return self.run.died or self.run.state not in ("accepted", "running")

    def to_json(self) -> dict[str, JsonValue]:
        """JSON form: the run, its videos without their outcomes, its errors."""
        videos: list[Any] = [asdict(replace(video, outcome=None)) for video in self.videos]
        for video in videos:
            del video["outcome"]
        return {"run": self.run_json(), "videos": videos, "errors": [asdict(error) for error in self.errors]}

    def run_json(self) -> dict[str, JsonValue]:
        """JSON form of the run alone."""
        run: dict[str, Any] = asdict(self.run)
        return {**run, "state": self.run.shown_state, "counts": dict(self.run.shown_counts)}


def newest(records: Records) -> RunRecord:
    """The newest run of a folder.

    Raises:
        UsageError: There is none.
    """
    runs = records.runs(limit=1)
    if not runs:
        raise UsageError("nothing was submitted into this folder", hint="name the folder of the results with --out")
    return runs[0]


def run_screen(view: RunView, *, every_video: bool = False, logs: bool = False, out: str = "out") -> RenderableType:
    """A run on a screen.

    Args:
        view: The run.
        every_video: List all videos, not only those that need attention.
        logs: The last lines of the log below each error.
        out: The folder, for what to do next.
    """
    parts: list[RenderableType] = [_header(view)]
    for state in _ORDER if every_video else _LISTED:
        chosen = [video for video in view.videos if video.state == state]
        if chosen:
            shown = chosen if every_video else chosen[:_MOST_LISTED]
            parts += [Text(), Text(state, style=_COLOURS.get(state, "bold")), _video_rows(shown, view, logs=logs)]
            if len(shown) < len(chosen):
                parts.append(Text(f"  and {len(chosen) - len(shown)} more: --videos lists them", style="dim"))
    if hint := _hint(view, out):
        parts += [Text(), Text(hint, style="dim")]
    return Group(*parts)


def _header(view: RunView) -> RenderableType:
    run = view.run
    lines = [Text.assemble("run ", (run.run_id, "bold"), ": ", (_state_line(view), _COLOURS.get(run.shown_state, "")))]
    counts = _told_counts(view.run)
    lines.append(Text(f"  {_plural(len(view.videos), 'video')}" + (f": {counts}" if counts else "")))
    facts = [*_pace(view)]
    if run.bytes:
        facts.append(told_bytes(run.bytes))
    if run.cost_usd is None:
        facts.append("cost unknown")
    elif run.cost_usd:
        facts.append(f"{run.cost_usd:.4f} USD")
    if facts:
        lines.append(Text(f"  {', '.join(facts)}"))
    if run.error_message:
        lines.append(Text(printable(f"  {run.error_type}: {run.error_message}"), style="red"))
    return Group(*lines)


def _told_counts(run: RunRecord) -> str:
    counts = run.shown_counts
    return ", ".join(f"{counts[state]} {state}" for state in _ORDER if state in counts)


def _state_line(view: RunView) -> str:
    run = view.run
    pid = (run.owner or "").partition("-")[0]
    if run.kind == REBUILT:
        return f"made again from the results {_ago(run.ended_at, view.now)} ago"
    if run.died:
        return f"died: its process {pid} ended without finishing it, last heard of {_ago(run.seen_at, view.now)} ago"
    if run.state == "running":
        what = f"running for {_ago(run.started_at, view.now)}, process {pid}"
        if run.seen_at and view.now - datetime.fromisoformat(run.seen_at) > _SILENT:
            what += f", not heard of for {_ago(run.seen_at, view.now)}"
        return f"{what}, being cancelled" if run.cancel else what
    if run.state == "accepted":
        return f"waits since {_ago(run.created_at, view.now)}"
    code = "" if run.exit_code is None else f", exit status {run.exit_code}"
    return f"{run.state} {_ago(run.ended_at, view.now)} ago after {_between(run.started_at, run.ended_at)}{code}"


def _pace(view: RunView) -> Iterator[str]:
    """Videos a minute and the time left, of a run that goes on."""
    run = view.run
    done = sum(video.ended_at is not None and not video.skipped for video in view.videos)
    left = sum(video.state in ("waiting", "running") for video in view.videos)
    if run.state == "running" and not run.died and run.started_at and done:
        seconds = (view.now - datetime.fromisoformat(run.started_at)).total_seconds()
        yield f"{done / seconds * _MINUTE_S:.1f} videos a minute"
        yield f"about {told_seconds(seconds / done * left)} left"


def _video_rows(videos: Sequence[VideoRecord], view: RunView, *, logs: bool) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, max_width=32, overflow="ellipsis")
    table.add_column(overflow="fold")
    for video in videos:
        table.add_row(Text(printable(f"  {video.video_id}")), Text(printable(_video_line(video, view))))
        if logs:
            for error in (error for error in view.errors if error.video_id == video.video_id):
                table.add_row(Text(), Text(printable(_error_lines(error)), style="dim"))
    return table


def _video_line(video: VideoRecord, view: RunView) -> str:
    if video.state == "running":
        counted = f" {video.done}/{video.of}" if video.of else ""
        again = f", attempt {video.attempts}" if video.attempts > 1 else ""
        return f"{video.stage}{counted}, {_ago(video.stage_since, view.now)} in this stage{again}"
    if video.state == "failed":
        tried = f" ({video.attempts} attempts)" if video.attempts > 1 else ""
        return f"{video.error_type} in {video.error_stage}: {_brief(video.error_message or '')}{tried}"
    if video.state == "unfinished":
        return f"it was in {video.stage}" if video.stage and video.attempts else "not begun"
    if video.state == "waiting":
        return video.source
    what = "done by an earlier run" if video.skipped else told_seconds(video.seconds or 0.0)
    return ", ".join([what, *_lacks(video)])


def _brief(message: str) -> str:
    return message if len(message) <= _BRIEF_CHARS else f"{message[: _BRIEF_CHARS - 3].rstrip()}..."


def _lacks(video: VideoRecord) -> Iterator[str]:
    """Why a video is partial."""
    outcome: Any = video.outcome or {}
    failed = [name for name, service in outcome.get("services", {}).items() if not service["ok"]]
    if failed:
        yield f"without {', '.join(failed)}"
    yield from outcome.get("warnings", [])


def _error_lines(error: ErrorRecord) -> str:
    attempt = f"attempt {error.attempt}, " if error.attempt else ""
    return "\n".join([f"{attempt}{error.type}: {error.message}", *error.log_tail.splitlines()])


def _hint(view: RunView, out: str) -> str:
    if not view.is_over:
        return ""
    again = sum(video.state in ("failed", "unfinished") for video in view.videos)
    where = "" if out == "out" else f" --out {shlex.quote(out)}"
    return f"rumiai-orch retry --failed{where} begins {_plural(again, 'video')} again" if again else ""


def runs_table(runs: Sequence[RunRecord], now: datetime) -> RenderableType:
    """Runs, a line each."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("run", "state", "videos", "began", "took"):
        table.add_column(name, no_wrap=name != "videos")
    for run in runs:
        state = Text(run.shown_state, style=_COLOURS.get(run.shown_state, ""))
        began = f"{_ago(run.started_at or run.created_at, now)} ago"
        table.add_row(
            run.run_id, state, _told_counts(run) or "none", began, _between(run.started_at, run.ended_at or run.seen_at)
        )
    return table


def show(screen: RenderableType, *, colored: bool = True) -> None:
    """Print a screen; in a file or a pipe nothing is folded."""
    is_terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if is_terminal else _NO_TERMINAL_COLUMNS, no_color=not colored)
    with console.capture() as captured:
        console.print(screen)
    for line in captured.get().splitlines():
        write_line(line.rstrip(), sys.stdout, styled=True)


def watch(look: Callable[[], RunView], draw: Callable[[RunView], RenderableType], *, colored: bool = True) -> RunView:
    """Show a run until it is over; on something else than a terminal nothing is shown before."""
    view = look()
    if not sys.stdout.isatty():
        while not view.is_over:
            time.sleep(_WATCH_S)
            view = look()
        return view
    console = Console(highlight=False, no_color=not colored)
    with Live(draw(view), console=console, transient=True, auto_refresh=False) as live:
        while not view.is_over:
            time.sleep(_WATCH_S)
            view = look()
            live.update(draw(view), refresh=True)
    return view


def told_seconds(seconds: float) -> str:
    """A duration for a person."""
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S:.0f} min {seconds % _MINUTE_S:.0f} s"
    return f"{seconds // _HOUR_S:.0f} h {seconds % _HOUR_S // _MINUTE_S:.0f} min"


def told_bytes(size: int) -> str:
    """A size for a person, in powers of ten."""
    power, unit = next((each for each in ((1e9, "GB"), (1e6, "MB")) if size >= each[0]), (1e3, "kB"))
    return f"{size / power:.1f} {unit}"


def _ago(moment: str | None, now: datetime) -> str:
    return told_seconds(max(0.0, (now - datetime.fromisoformat(moment)).total_seconds())) if moment else "?"


def _between(start: str | None, end: str | None) -> str:
    if not start or not end:
        return "?"
    return told_seconds((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
