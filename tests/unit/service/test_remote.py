"""``submit --to`` against a service that listens: what it shows, brings and returns, also through its absence."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from click.testing import CliRunner

from rumiai.cli import main
from rumiai.contracts.outcome import AnalysisOutcome, ClaudeTotals, Failure, MemoryUse, ServiceOutcome, VideoOutcome
from rumiai.contracts.outcome_reading import exit_code_of, read_outcome
from rumiai.contracts.run_events import (
    ClaudeEvent,
    ProgressEvent,
    RetryEvent,
    RunEvent,
    RunStartedEvent,
    ServerEvent,
    VideoEvent,
)
from rumiai.errors import ConfigurationError, ContractError, ServerError, UsageError
from rumiai.service.app import create_app
from rumiai.service.config import ServiceConfig
from rumiai.service.database import open_database
from rumiai.service.keys import SCOPES, Keys
from rumiai.service.remote.client import ServiceClient
from rumiai.service.remote.events import read_event
from rumiai.service.remote.results import _inside
from rumiai.service.remote.submit import refuse_operators_flags
from rumiai.settings import Settings

from .doubles import Analyst, Receiver, no_models


@contextlib.contextmanager
def listening(out: Path, analyst: Analyst, port: int = 0) -> Iterator[str]:
    """A service without models on a port; yields its address."""
    config = ServiceConfig(Settings(out=out, services=("none",), claude="off"))
    app = create_app(config, make_server=no_models, post=Receiver(), analyse=analyst)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="on"))
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            app.state.service.closing.set()
            server.should_exit = True
            thread.join(30)


@pytest.fixture
def key(tmp_path: Path) -> str:
    database = open_database(tmp_path / "there")
    try:
        return Keys(database).add("test", SCOPES)[1]
    finally:
        database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "videos"
    found.mkdir()
    (found / "one.mp4").write_bytes(b"1")
    (found / "two.mp4").write_bytes(b"2")
    return found


def submit(url: str, key: str, *arguments: object):
    return CliRunner().invoke(main, ["submit", *map(str, arguments), "--to", url], env={"RUMIAI_API_KEY": key})


def test_the_lines_of_a_run_elsewhere_are_those_of_one_here(tmp_path: Path, folder: Path, key: str) -> None:
    with listening(tmp_path / "there", Analyst()) as url:
        ran = submit(url, key, folder, "--out", tmp_path / "here")
    assert ran.exit_code == 0, ran.stderr
    lines = ran.stderr.splitlines()
    assert lines[0].startswith("run ")
    assert lines[0].endswith(": 2 videos")
    assert lines[1:] == ["[1/2] one: ok in 1.5 s", "[2/2] two: ok in 1.5 s"]
    assert ran.stdout.splitlines()[-1] == "2 ok"


def test_flags_of_the_command_here_are_taken() -> None:
    refuse_operators_flags({"out": "x", "log_level": "info", "log_format": "json", "mode": "fast", "workers": None}, {})
    with pytest.raises(UsageError, match=r"^--workers is the service's"):
        refuse_operators_flags({"workers": "2"}, {"workers": "--workers"})


def test_with_json_every_event_comes_and_done_is_the_last(tmp_path: Path, folder: Path, key: str) -> None:
    (folder / "bad.mp4").write_bytes(b"bad")
    with listening(tmp_path / "there", Analyst()) as url:
        ran = submit(url, key, folder, "--out", tmp_path / "here", "--json")
    assert ran.exit_code == 5
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [event["event"] for event in events if event["event"] != "progress"] == ["run", *["video"] * 3, "done"]
    told = [(video["video_id"], video["status"], video["source"]) for video in events[-1]["videos"]]
    names = (("bad", "failed"), ("one", "ok"), ("two", "ok"))
    assert told == [(name, status, str(folder / f"{name}.mp4")) for name, status in names]
    assert events[-1]["error"] is None


def test_what_is_known_of_videos_here_reaches_the_service(tmp_path: Path, folder: Path, key: str) -> None:
    (folder / "one.info.json").write_text(json.dumps({"description": "Beside", "like_count": 5, "uploader": "me"}))
    manifest = tmp_path / "posts.jsonl"
    rows = [
        {"source": "videos/one.mp4", "id": "71", "caption": "Listed", "language": "pt"},
        {"source": "videos/two.mp4"},
        {"source": "http://127.0.0.1:1/three.mp4", "id": "73", "views": 9},
        17,
    ]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    analyst = Analyst()
    with listening(tmp_path / "there", analyst) as url:
        ran = submit(url, key, "--manifest", manifest, "--out", tmp_path / "here", "--json")
    done = json.loads(ran.stdout.splitlines()[-1])
    named = [task.item for task in analyst.tasks.values()]
    assert [item.stem for item in named[:3]] == ["71", "two", "73"], ran.output
    first, second, third = named[:3]
    assert (first.metadata.description, first.metadata.likes, first.language) == ("Listed", 5, "pt")
    assert second.metadata is None
    assert third.metadata.views == 9
    assert [item.source for item in named] == ["upload", "upload", "web", "unlisted"]
    assert len(done["videos"]) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none-here.mp4"], 2, "none-here.mp4 does not exist"),
        (["{folder}", "--workers", "2"], 2, "--workers is the service's to choose"),
        (["{folder}", "--max-cost", "none"], 2, "--max-cost none"),
        (["{folder}", "--services", "nonsense"], 2, "nonsense"),
        (["file:///etc/passwd"], 2, "no source that the service takes"),
        (["http://127.0.0.1:1/v.mp4", "--max-video-duration", "301"], 2, "at most 300"),
    ],
)
def test_what_is_refused_is_one_line_and_ends_with_2(
    tmp_path: Path, folder: Path, key: str, arguments: list[str], code: int, message: str
) -> None:
    named = [argument.format(folder=folder) for argument in arguments]
    with listening(tmp_path / "there", Analyst()) as url:
        ran = submit(url, key, *named, "--out", tmp_path / "here")
        as_json = submit(url, key, *named, "--out", tmp_path / "here", "--json")
    assert (ran.exit_code, as_json.exit_code) == (code, code)
    assert message in ran.stderr
    assert "Traceback" not in ran.output
    assert message in json.loads(as_json.stdout.splitlines()[-1])["error"]["message"]


def test_without_a_good_key_it_ends_with_2(tmp_path: Path, folder: Path, key: str) -> None:
    with listening(tmp_path / "there", Analyst()) as url:
        assert "RUMIAI_API_KEY" in submit(url, "", folder, "--out", tmp_path / "here").stderr
        ran = submit(url, "rumiai_00000000_" + "A" * 43, folder, "--out", tmp_path / "here")
    assert ran.exit_code == 2
    assert "the service refused the API key" in ran.stderr


def test_a_run_goes_on_where_the_service_was_started_again(tmp_path: Path, folder: Path, key: str) -> None:
    analyst, told = Analyst(), []
    analyst.go.clear()
    with ServiceClient("", key) as client:
        with listening(tmp_path / "there", analyst) as url:
            client._url = url
            run_id = client.submit({"sources": []}, [folder / "one.mp4", folder / "two.mp4"], "k")
            assert client.submit({"sources": []}, [folder / "one.mp4", folder / "two.mp4"], "k") == run_id
            events = client.events(run_id)
            told += [next(events), next(events)]
        analyst.go.set()
        with listening(tmp_path / "there", analyst, int(url.rpartition(":")[2])):
            told += list(events)
    kinds = [event["event"] for event in told if event["event"] != "progress"]
    assert kinds == ["run", "video", "video", "done"]


def test_a_service_that_stays_away_is_told_after_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with ServiceClient(f"http://127.0.0.1:{port}", "x", patience_s=0.1) as client:
        with pytest.raises(ServerError, match="does not answer"):
            client.run("20261128-101500-a1b2c3")
        with pytest.raises(ServerError, match="does not answer"):
            list(client.events("20261128-101500-a1b2c3"))


def test_a_service_that_was_never_there_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("rumiai.service.remote.client._FIRST_CONTACT_S", 0.6)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        ServiceClient(f"http://127.0.0.1:{port}", "x") as client,
        pytest.raises(ServerError, match="does not answer") as told,
    ):
        client.run("20261128-101500-a1b2c3")
    assert "--to" in (told.value.hint or "")
    assert caplog.text.count(f"waiting for the service at http://127.0.0.1:{port}: ") == 1


def test_a_service_that_comes_back_is_told(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter(
        [httpx.ConnectError("refused"), httpx.ConnectError("refused"), httpx.Response(200, json={"id": "r"})]
    )

    def answer(request: httpx.Request) -> httpx.Response:
        told = next(answers)
        if isinstance(told, httpx.Response):
            return told
        raise told

    with ServiceClient("http://x.test", "x") as client:
        client._client = httpx.Client(transport=httpx.MockTransport(answer))
        assert client.run("r") == {"id": "r"}
    assert [record.getMessage() for record in caplog.records if "the service at" in record.getMessage()] == [
        "waiting for the service at http://x.test: refused",
        "the service at http://x.test is there again",
    ]


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "localhost", "", "ftp://x.test", "http://", "http://x:99999"])
def test_an_address_that_is_none_is_refused_at_once(folder: Path, key: str, address: str, tmp_path: Path) -> None:
    ran = submit(address, key, folder, "--out", tmp_path / "here")
    assert ran.exit_code == 2
    assert "--to: got" in ran.stderr


@pytest.mark.parametrize(
    ("status", "kind"), [(401, ConfigurationError), (403, ConfigurationError), (422, UsageError), (500, ServerError)]
)
def test_an_answer_with_an_error_becomes_ours(status: int, kind: type[Exception]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        problem = {"detail": "no", "hint": "so", "errors": [{"at": "body/x", "message": "odd"}]}
        return httpx.Response(status, json=problem, headers={"content-type": "application/problem+json"})

    with ServiceClient("http://x.test", "x") as client:
        client._client = httpx.Client(transport=httpx.MockTransport(answer))
        with pytest.raises(kind, match="no"):
            client.run("r")


@pytest.mark.parametrize("content", [b"<html>hello</html>", b"[]", b"\xff"])
def test_what_is_no_service_is_told(content: bytes) -> None:
    with ServiceClient("http://x.test", "x") as client:
        client._client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=content)))
        with pytest.raises(ServerError, match="something else than JSON"):
            client.submit({"sources": []}, [], "k")


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "", ".", "a\0b"])
def test_no_file_of_a_service_is_written_outside_of_the_folder(name: str) -> None:
    with pytest.raises(ContractError):
        _inside(name)


OUTCOME = VideoOutcome(
    "clip",
    "/v/clip.mp4",
    "partial",
    seconds=1.25,
    files={"unified": "u.json"},
    services={"yolo": ServiceOutcome(False, "gone", 1.0, False)},
    stage_seconds={"total": 1.25},
    analyses={"scene_pacing": AnalysisOutcome("claude", 0.5, "m", 0.25, 7, 1.0, ("e",), {"ml": "m.json"})},
    warnings=("w",),
    memory=MemoryUse(1.0, 2.0, 3.0),
)
FAILED = VideoOutcome("clip", "/v/clip.mp4", "failed", error=Failure("LimitError", "long", "probe", 5))


@pytest.mark.parametrize("outcome", [OUTCOME, FAILED])
def test_an_outcome_is_read_as_it_was_told(outcome: VideoOutcome) -> None:
    assert read_outcome(json.loads(json.dumps(outcome.to_dict()))) == outcome


@pytest.mark.parametrize(
    "event",
    [
        RunStartedEvent("r", 2),
        ProgressEvent("clip", "probe"),
        ProgressEvent("clip", "frames", 1, 2),
        RetryEvent("clip", "died"),
        ServerEvent("model_down", "m"),
        ClaudeEvent("estimate", "m"),
        ClaudeEvent("done", "m", ClaudeTotals(1, 2, cost_usd=0.5)),
        VideoEvent(FAILED),
    ],
)
def test_an_event_is_read_as_it_was_told(event: RunEvent) -> None:
    assert read_event(json.loads(json.dumps(event.to_json()))) == event


def test_an_event_of_a_later_version_is_passed_over() -> None:
    assert read_event({"event": "tomorrow"}) is None
    with pytest.raises(ContractError):
        read_event({"event": "retry"})


def test_errors_have_their_exit_codes() -> None:
    assert [exit_code_of(name) for name in ("MLError", "APIError", "ProbeError", "WorkerDied")] == [4, 3, 5, 1]


def test_the_caller_needs_none_of_the_packages_of_the_service() -> None:
    code = (
        "import sys, rumiai.service.remote.submit\n"
        "print(sorted({'fastapi', 'uvicorn', 'limits', 'prometheus_client', 'standardwebhooks'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
