"""Which server a run has, and when another takes its place; launchers are played by small programs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rumiai.contracts.run_events import ServerEvent
from rumiai.errors import ServerError
from rumiai.run import embedded_server
from rumiai.run.model_server import NamedServer, serving
from rumiai.run.types import ServerAccess
from rumiai.settings import load

READY = {
    "event": "ready", "grpc": "127.0.0.1:1", "http": None, "metrics": None, "token": "t0ken",
    "models": ["yolo"], "pid": 1,
}  # fmt: skip


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the program that stands for ``rumiai-triton serve``."""

    def play(program: str) -> None:
        prelude = "import json, os, sys, time\ndef say(**event): print(json.dumps(event), flush=True)\n"
        command = [sys.executable, "-c", f"{prelude}ready = {READY!r}\n{program}"]
        monkeypatch.setattr(embedded_server, "_command", lambda settings, models: command)

    return play


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_launcher_that_ends_is_lost_and_another_takes_its_place(
    launcher: Callable[[str], None], tmp_path: Path
) -> None:
    settings = load({}, {"out": str(tmp_path)}, {})[0]
    events: list[ServerEvent] = []
    go_on = tmp_path / "go on"
    wait = f"while not os.path.exists({str(go_on)!r}): time.sleep(0.02)\n"
    launcher(f"say(**ready)\n{wait}say(event='model_down', model='yolo', reason='killed')")
    with serving(settings, ("yolo",), threading.Event(), events.append) as server:
        go_on.touch()
        wait_until(server.lost)
        assert server.lost() == "the model server has ended: the process of the model server has ended"
        launcher("say(**{**ready, 'grpc': '127.0.0.1:2'}); sys.stdin.read()")
        assert server.renew()
        assert (server.lost(), server.access.grpc) == (None, "127.0.0.1:2")
        assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["server-2.log", "server.log"]
    assert [event.state for event in events] == [
        "starting", "ready", "model_down", "gave_up", "starting", "ready", "stopping",
    ]  # fmt: skip
    assert events[2].message == "yolo is down: killed"


def test_launchers_that_end_without_any_use_are_not_replaced_for_ever(
    launcher: Callable[[str], None], tmp_path: Path
) -> None:
    settings = load({}, {"out": str(tmp_path)}, {})[0]
    launcher("say(**ready)")
    with serving(settings, ("yolo",), threading.Event(), lambda event: None) as server:
        renewed = []
        for _ in range(5):
            wait_until(server.lost)
            renewed.append(server.renew())
        assert renewed == [True, True, True, False, False]
        server.finished_one()
        assert server.renew()


def test_a_launcher_that_does_not_come_up_again_is_an_error(launcher: Callable[[str], None], tmp_path: Path) -> None:
    settings = load({}, {"out": str(tmp_path)}, {})[0]
    launcher("say(**ready)")
    with serving(settings, ("yolo",), threading.Event(), lambda event: None) as server:
        wait_until(server.lost)
        launcher("sys.exit(3)")
        with pytest.raises(ServerError, match="exit status 3"):
            server.renew()


def test_a_named_server_is_lost_when_it_is_still_gone_after_a_video_has_waited_for_it() -> None:
    server = NamedServer(ServerAccess("127.0.0.1:9", None, ("yolo",)))
    assert server.lost() is None
    server.missed()
    assert "127.0.0.1:9: server not ready" in str(server.lost())
    assert not server.renew()


def test_a_run_without_models_needs_no_server(tmp_path: Path) -> None:
    settings = load({}, {"out": str(tmp_path)}, {})[0]
    with serving(settings, (), threading.Event(), lambda event: None) as server:
        assert server.lost() is None


def test_a_launcher_that_is_killed_while_it_starts_is_started_again(
    launcher: Callable[[str], None], tmp_path: Path
) -> None:
    settings = load({}, {"out": str(tmp_path)}, {})[0]
    once = f"if not os.path.exists({str(tmp_path / 'seen')!r}):\n"
    once += f"    open({str(tmp_path / 'seen')!r}, 'w').close(); os.kill(os.getpid(), 9)\n"
    launcher(f"{once}say(**ready); sys.stdin.read()")
    events: list[ServerEvent] = []
    with serving(settings, ("yolo",), threading.Event(), events.append) as server:
        assert server.lost() is None
    assert [event.state for event in events] == ["starting", "server_down", "starting", "ready", "stopping"]
    assert "exit status -9" in events[1].message
    launcher("os.kill(os.getpid(), 9)")
    with (
        pytest.raises(ServerError, match="exit status -9"),
        serving(settings, ("yolo",), threading.Event(), events.append),
    ):
        pass


def test_a_deferred_server_starts_when_a_video_needs_it(launcher: Callable[[str], None], tmp_path: Path) -> None:
    settings = load({}, {"out": str(tmp_path)}, {})[0]
    launcher("say(**ready); sys.stdin.read()")
    events: list[ServerEvent] = []
    with serving(settings, ("yolo",), threading.Event(), events.append, deferred=True) as server:
        assert (server.access.is_there, server.lost()) == (False, None)
        server.missed()
        assert server.lost() == "a model server is needed after all"
        assert server.renew()
        assert (server.access.is_there, server.access.grpc, server.lost()) == (True, READY["grpc"], None)
    assert [event.state for event in events] == ["starting", "ready", "stopping"]


def test_a_deferred_server_that_nobody_needs_is_not_started(launcher: Callable[[str], None], tmp_path: Path) -> None:
    launcher(f"open({str(tmp_path / 'started')!r}, 'w')")
    events: list[ServerEvent] = []
    settings = load({}, {"out": str(tmp_path)}, {})[0]
    with serving(settings, ("yolo",), threading.Event(), events.append, deferred=True):
        pass
    named = load({}, {"out": str(tmp_path), "server": "127.0.0.1:9"}, {})[0]
    with serving(named, ("yolo",), threading.Event(), events.append, deferred=True) as server:
        assert server.access.is_there
    assert (events, list(tmp_path.iterdir())) == ([], [])
