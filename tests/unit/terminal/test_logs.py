"""The log on stderr as JSON: what a line holds, and that nothing else is written there."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import LogEvent, ServerEvent, VideoEvent
from rumiai.settings import Settings
from rumiai.terminal.console import PlainDisplay, choose_display
from rumiai.terminal.logs import TextFormatter, is_json, log_event, start_logging
from rumiai.terminal.steps import StepDisplay

MEMBERS = {"timestamp", "level", "logger", "message", "module", "function", "line", "exception", "extras"}


@contextlib.contextmanager
def as_json() -> Iterator[None]:
    """Logging as a command sets it up that is asked for JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    start_logging(Settings(log_format="json"))
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all(set(line) == MEMBERS for line in told)
    return told


def test_a_line_says_when_what_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("rumiai.test")
    with as_json():
        try:
            raise ValueError("no\nfilm")
        except ValueError:
            log.exception("it went %s", "wrong\nhere", extra={"video": 7})
        log.debug("not at this level")
    (line,) = lines(capsys)
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "rumiai.test", "it went wrong\nhere")
    assert (line["module"], line["function"]) == ("test_logs", "test_a_line_says_when_what_and_where")
    assert line["line"] > 0
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: no\nfilm")
    assert line["extras"] == {"video": "7"}
    assert line["timestamp"].endswith("+00:00")


def test_what_a_worker_logs_has_its_number_in_place_of_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with as_json():
        log_event(LogEvent("WARNING", "rumiai.media", "odd", 99))
    (line,) = lines(capsys)
    assert (line["level"], line["logger"], line["message"]) == ("WARNING", "rumiai.media", "odd")
    assert (line["module"], line["function"], line["line"]) == (None, None, None)
    assert line["extras"] == {"worker": "99"}


def test_progress_is_logged_where_stderr_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    with as_json():
        assert is_json()
        display = choose_display(1, as_json=False, quiet=False)
        display.handle(ServerEvent("ready", "it is ready"))
        display.handle(VideoEvent(VideoOutcome("clip", "clip.mp4", "ok", seconds=1.0)))
        StepDisplay().handle(ServerEvent("ready", "it is ready"))
    assert [line["message"] for line in lines(capsys)] == ["it is ready", "[1/1] clip: ok in 1.0 s", "it is ready"]


def test_progress_is_text_elsewhere() -> None:
    assert not is_json()
    assert type(choose_display(1, as_json=False, quiet=True)) is PlainDisplay


def test_a_command_says_its_warnings_and_errors_in_json(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "from rumiai.cli import main; main()",
        "submit",
        "none.mp4",
        "--log-format",
        "json",
    ]
    ran = subprocess.run(
        command, env={"RUMIAI_SPEED": "9"}, cwd=tmp_path, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ran.returncode == 2
    warning, error = (json.loads(line) for line in ran.stderr.splitlines())
    assert warning["message"].startswith("RUMIAI_SPEED is set but no setting has that name")
    assert (error["level"], error["message"]) == ("ERROR", "none.mp4 does not exist")
    assert error["extras"] == {"hint": "check the path"}


def test_control_characters_of_a_message_are_escaped_in_text() -> None:
    record = logging.makeLogRecord({"msg": "%s does not exist", "args": ("a\x1b[2J\0",), "levelname": "WARNING"})
    assert TextFormatter("%(levelname)s %(message)s").format(record) == "WARNING a\\u001b[2J\\u0000 does not exist"
