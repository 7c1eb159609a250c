"""The embedded server's child process, played by small programs that print what the real one prints."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from rumiai.contracts.server_events import ServerStateChange
from rumiai.errors import ServerError
from rumiai.run import embedded_server as module
from rumiai.run.embedded_server import embedded_server
from rumiai.settings import load

SETTINGS = load({}, {}, {})[0]
READY = {
    "event": "ready", "grpc": "127.0.0.1:1", "http": None, "metrics": None, "token": "t0ken",
    "models": ["yolo"], "pid": 1,
}  # fmt: skip


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch):
    """Sets the program that stands for ``rumiai-triton serve``."""

    def play(program: str) -> None:
        prelude = "import json, os, sys, time\ndef say(**event): print(json.dumps(event), flush=True)\n"
        command = [sys.executable, "-c", f"{prelude}ready = {READY!r}\n{program}"]
        monkeypatch.setattr(module, "_command", lambda settings, models: command)

    return play


def test_it_is_asked_for_grpc_alone() -> None:
    command = module._command(SETTINGS, ("yolo", "ocr"))
    assert "--no-http" in command
    assert command[command.index("--models") + 1] == "yolo,ocr"


def test_what_happens_is_told_until_it_is_stopped(child, tmp_path: Path) -> None:
    child(
        "say(**ready); say(event='model_down', model='yolo', reason='killed')\n"
        "say(event='model_up', model='yolo', down_s=1.0); sys.stdin.read()"
    )
    events: list[ServerStateChange] = []
    twice = threading.Event()

    def listen(event: ServerStateChange) -> None:
        events.append(event)
        if len(events) == 2:
            twice.set()

    with embedded_server(SETTINGS, ("yolo",), tmp_path / "log", threading.Event(), listen) as access:
        assert (access.grpc, access.token, access.models) == ("127.0.0.1:1", "t0ken", ("yolo",))
        assert twice.wait(30)
    assert [(event.event, event.model) for event in events] == [("model_down", "yolo"), ("model_up", "yolo")]


@pytest.mark.parametrize("last_words", ["", "say(event='gave_up', reason='the process of the model server has ended')"])
def test_its_end_is_told_once(child, tmp_path: Path, last_words: str) -> None:
    child(f"say(**ready)\n{last_words}")
    events: list[ServerStateChange] = []
    told = threading.Event()

    def listen(event: ServerStateChange) -> None:
        events.append(event)
        told.set()

    with embedded_server(SETTINGS, ("yolo",), tmp_path / "log", threading.Event(), listen):
        assert told.wait(30)
    assert events == [ServerStateChange(event="gave_up", reason="the process of the model server has ended")]


def test_a_server_that_ends_before_it_is_ready_is_an_error_with_its_log(child, tmp_path: Path) -> None:
    child("print('no weights', file=sys.stderr); sys.exit(1)")
    with (
        pytest.raises(
            ServerError, match=r"the model server ended after \d+ s with exit status 1 .*\n?no weights"
        ) as failure,
        embedded_server(SETTINGS, ("yolo",), tmp_path / "log", threading.Event()),
    ):
        pass
    assert "960" not in str(failure.value)


def test_one_that_never_gets_ready_is_given_up_after_the_time_that_passed(child, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_START_LIMIT_S", 0.5)
    child("sys.stdin.read()")
    with (
        pytest.raises(ServerError, match=r"the model server was not ready after [01] s"),
        embedded_server(SETTINGS, ("yolo",), tmp_path / "log", threading.Event()),
    ):
        pass


def test_a_stop_ends_the_wait(child, tmp_path: Path) -> None:
    child("sys.stdin.read()")
    stop = threading.Event()
    stop.set()
    with (
        pytest.raises(ServerError, match="stopped while the model server was starting"),
        embedded_server(SETTINGS, ("yolo",), tmp_path / "log", stop),
    ):
        pass


def test_the_log_of_a_server_that_still_writes_is_not_truncated(child, tmp_path: Path) -> None:
    child("say(**ready); sys.stdin.read()")
    log = tmp_path / "log"
    with log.open("w") as old:
        old.write("first\n")
        old.flush()
        with embedded_server(SETTINGS, ("yolo",), log, threading.Event()):
            old.write("second\n")
            old.flush()
            assert log.read_text() == ""
            assert os.fstat(old.fileno()).st_size == len("first\nsecond\n")


def test_no_secret_reaches_it(child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_API_KEY", "sk-test-not-a-key")
    told = tmp_path / "environment"
    child(f"open({str(told)!r}, 'w').write(json.dumps(dict(os.environ))); say(**ready); sys.stdin.read()")
    with embedded_server(SETTINGS, ("yolo",), tmp_path / "log", threading.Event()):
        found = json.loads(told.read_text())
    assert found["PATH"] == os.environ["PATH"]
    assert "sk-test-not-a-key" not in json.dumps(found)


@pytest.mark.parametrize(("length", "kept"), [(20, True), (100, False)])
def test_the_server_gets_no_temporary_folder_that_its_sockets_do_not_fit_into(
    length: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = "/" + "t" * (length - 1)
    monkeypatch.setenv("TMPDIR", folder)
    monkeypatch.setattr(tempfile, "tempdir", folder)
    assert module._environment().get("TMPDIR") == (folder if kept else None)
