"""The runner protocol: one video, steps on stdout, the result as the last line. For Node and other callers."""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import RunEvent
from rumiai.core.json_values import JsonObject
from rumiai.errors import ConfigurationError, RumiAIError, SourceError, UsageError
from rumiai.insights import ClaudeSettings
from rumiai.metrics.registry import ANALYSES
from rumiai.results.store import Store, safe_id
from rumiai.run.access import open_access
from rumiai.run.finished import noted_path
from rumiai.run.mirror import open_mirror
from rumiai.run.runner_result import failure, result, runner_code
from rumiai.run.stored_video import analyse_stored
from rumiai.run.submission import serialised
from rumiai.run.submit import Recorded, run_items
from rumiai.settings import Secrets, Settings
from rumiai.sources import Access, Named, SourceItem, list_named
from rumiai.sources.listing import STDIN
from rumiai.sources.local import MEDIA_SUFFIXES
from rumiai.terminal.console import JsonDisplay, print_outcomes
from rumiai.terminal.logs import start_logging
from rumiai.terminal.steps import StepDisplay
from rumiai.terminal.streams import write_line

# What tells a URL from a file or an id.
_SCHEME: Final = "://"
# Of what was named, in a message.
_SHOWN_CHARS: Final = 80


@dataclass(frozen=True)
class Wanted:
    """What a caller named.

    Attributes:
        url: Of a video.
        path: Of a file.
        video_id: Of an earlier run; beside a path, the id that the video gets.
        metadata: Path of what is known of the video; empty for none.
    """

    url: str = ""
    path: str = ""
    video_id: str = ""
    metadata: str = ""

    @property
    def is_id(self) -> bool:
        """Whether it is an id alone."""
        return not (self.url or self.path)

    @classmethod
    def of(cls, given: str, url: str, path: str, video_id: str) -> Wanted:
        """The video that is meant: a flag counts more than what stands alone, a URL more than an id.

        Args:
            given: What stands alone: a URL, a file, or an id.
            url: As of ``--video-url``.
            path: As of ``--video-path``.
            video_id: As of ``--video-id``.

        Raises:
            UsageError: Nothing was named, or a URL is none.
        """
        if url or (_SCHEME in given and not (path or video_id)):
            url = url or given
            if _SCHEME not in url:
                raise UsageError(f"{url} is no URL of a video", hint="it starts with https://")
            return cls(url=url)
        if not path and given and _is_file(given):
            path = given
        if path or video_id:
            return cls(path=path, video_id=video_id)
        if given:
            return cls(video_id=given)
        raise UsageError("no video was named", hint="give a URL, a file, or the id of an earlier run")


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than a name may be
        return False


@dataclass(frozen=True)
class Answer:
    """How the caller wants to be answered.

    Attributes:
        answer_format: ``json``: the result is the last line. ``text``: for people.
        pretty: The JSON on several lines.
        quiet: No steps.
        as_json: The events of ``submit --json`` in place of both.
        analyses: Those that the result tells.
    """

    answer_format: str = "json"
    pretty: bool = False
    quiet: bool = False
    as_json: bool = False
    analyses: tuple[str, ...] = ANALYSES


def run_video(wanted: Wanted, settings: Settings, secrets: Secrets, claude: ClaudeSettings, answer: Answer) -> int:
    """Analyse the video, or take up an earlier run's, and tell the result.

    Args:
        wanted: Which video.
        settings: Of the run.
        secrets: The keys, for sources.
        claude: How Claude is used.
        answer: How the result is told.

    Returns:
        The exit code of the protocol.

    Raises:
        RumiAIError: Nothing could start.
    """
    start_logging(settings)
    store = Store(*settings.folders)
    display: StepDisplay | JsonDisplay = JsonDisplay() if answer.as_json else StepDisplay(quiet=answer.quiet)
    offline = threading.Event()
    with open_access(settings, secrets, offline) as access:
        item = _item(wanted, store, access)
        store.check_writable()
        if item is None:
            return _take_up(wanted.video_id, store, settings, claude, access, display, answer)
        record = Recorded(Named((item.location,), metadata=wanted.metadata), "runner")
        submission, code = run_items([item], record, settings, claude, access, lambda total: display, offline)
    if answer.as_json:
        write_line(json.dumps(submission.done.to_json(), ensure_ascii=False), sys.stdout)
        return runner_code(code)
    if submission.error is not None:
        raise submission.error
    if not submission.outcomes:
        raise RumiAIError("the run was interrupted before the video was begun")
    (outcome,) = submission.outcomes
    return _tell(outcome, store, settings, display, answer, by_id=wanted.is_id, code=code)


def _item(wanted: Wanted, store: Store, access: Access) -> SourceItem | None:
    """The video at its source; None when only the results of an earlier run are there.

    Raises:
        SourceError: Nothing is known of the id, or a name stands for no video, or for several.
    """
    video_id = wanted.video_id
    if not wanted.is_id:
        return _named(wanted.url or wanted.path, video_id, wanted.metadata, access)
    if safe_id(video_id)[1]:
        raise SourceError(f"{video_id[:_SHOWN_CHARS]} does not exist, and is no id", hint="check the path")
    known = store.known_input(video_id)
    location = known.location if known else ""
    is_here = any(path and os.path.exists(path) for path in (location, noted_path(store, video_id)))
    # Without the video its stored results are taken up; the network is not asked.
    if store.unified_file(video_id).is_file() and not is_here:
        return None
    if is_here or _SCHEME in location:
        return _named(location, video_id, wanted.metadata, access)
    if Path(video_id).suffix.lower() in MEDIA_SUFFIXES:
        raise SourceError(
            f"{video_id} does not exist, and nothing is known of such an id in {store.base}", hint="check the path"
        )
    raise SourceError(
        f"nothing is known of {video_id} in {store.base}",
        hint="name its file with --video-path or its address with --video-url, or the folder of the run with --out",
    )


def _named(text: str, video_id: str, metadata: str, access: Access) -> SourceItem:
    """The one video that a name stands for, with this id where there is one."""
    text = f"./{STDIN}" if text == STDIN else text  # a file of that name, not a list
    items = list_named(Named((text,), metadata=metadata), access)
    if len(items) != 1:
        raise SourceError(f"{text} stands for {len(items)} videos; the runner takes one", hint="use submit")
    (item,) = items
    if not video_id:
        return item
    return replace(item, stem=video_id, metadata=item.metadata and replace(item.metadata, video_id=video_id))


def _take_up(
    video_id: str,
    store: Store,
    settings: Settings,
    claude: ClaudeSettings,
    access: Access,
    display: StepDisplay | JsonDisplay,
    answer: Answer,
) -> int:
    """Go on from the stored results of a video that is no longer there."""
    with open_mirror(settings, access, store) as mirror, display:

        @serialised
        def handler(event: RunEvent) -> None:
            display.handle(event)
            if mirror is not None:
                mirror.watch(event)

        outcome = analyse_stored(video_id, store, settings, claude, handler)
    if mirror is not None and mirror.problem is not None:
        raise mirror.problem
    if answer.as_json:
        done: JsonObject = {"event": "done", "videos": [outcome.to_dict()], "claude": None, "error": None}
        write_line(json.dumps(done, ensure_ascii=False), sys.stdout)
        return 0
    return _tell(outcome, store, settings, display, answer, by_id=True)


def _tell(
    outcome: VideoOutcome,
    store: Store,
    settings: Settings,
    display: StepDisplay | JsonDisplay,
    answer: Answer,
    *,
    by_id: bool,
    code: int = 0,
) -> int:
    """End with the result; an id of an earlier run is told how many of its analyses are there too."""
    if isinstance(display, StepDisplay) and outcome.status != "failed":
        display.reach("completed")
    if answer.answer_format == "text":
        _tell_text(outcome, settings)
    else:
        video = noted_path(store, outcome.video_id)
        told = result(outcome, store, settings, video, analyses=answer.analyses)
        more: JsonObject = {"prompts_completed": len(outcome.analyses)} if by_id else {}
        write_result({**told, **more}, pretty=answer.pretty)
    return runner_code(code)


def _tell_text(outcome: VideoOutcome, settings: Settings) -> None:
    if outcome.status == "failed":
        message = outcome.error.message if outcome.error else "unknown reason"
        write_line(f"error: {outcome.video_id}: {message}", sys.stderr)
        return
    write_line(f"success: {outcome.video_id}", sys.stdout)
    print_outcomes([outcome], colored=settings.colored_logs)


def write_result(told: JsonObject, *, pretty: bool = False) -> None:
    """Write the result to stdout: one line, the last one, or indented by 2."""
    write_line(json.dumps(told, ensure_ascii=False, allow_nan=False, indent=2 if pretty else None), sys.stdout)


def chosen_analyses(names: str | None) -> tuple[str, ...]:
    """The analyses of these names, comma separated; all of them without any.

    Raises:
        ConfigurationError: A name is none of an analysis.
    """
    chosen = tuple(name.strip() for name in (names or "").split(",") if name.strip()) or ANALYSES
    for name in chosen:
        if name not in ANALYSES:
            raise ConfigurationError(f"--analyses: got {name!r}, expected some of {', '.join(ANALYSES)}")
    return chosen


def end_early(words: Sequence[str], kind: str, message: str, exit_code: int) -> int:
    """Write the result of a call that could not start, unless it was to be text.

    Args:
        words: The call.
        kind: Of the error.
        message: For people.
        exit_code: Of another command.

    Returns:
        The exit code of the protocol.
    """
    is_text = "--output-format=text" in words or ("--output-format", "text") in itertools.pairwise(words)
    if not is_text:
        write_result(failure(kind, message), pretty="--pretty" in words)
    return runner_code(exit_code)
