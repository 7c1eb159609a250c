"""Calls of the service that its OpenAPI document allows, and mutations that it forbids, judged by schemathesis.

A service without models listens on a real port. Every second call is about a run and a video that there are, unless it
would delete them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import SkipTest

import httpx
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from rumiai.service.app import create_app
from rumiai.service.config import Limits, ServiceConfig
from rumiai.service.database import open_database
from rumiai.service.keys import SCOPES, Keys
from rumiai.settings import Settings

from ..unit.service.doubles import Analyst, Receiver, no_models
from .report import Report

_START_S: Final = 30.0
# A text that the document allows may name a file that is not there: a refusal is right then.
_LEFT_OUT: Final = ("positive_data_acceptance",)


@dataclass
class ServiceReport(Report):
    """What the calls brought to light.

    Attributes:
        operations: Of the document.
        calls: That were made.
        statuses: How often each status came.
        failures: Answers that are not what the document says, or errors of the server.
    """

    must_be_empty = ("failures",)

    operations: int = 0
    calls: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def headline(self) -> Iterator[str]:
        """How many calls, and their statuses."""
        counts = ", ".join(f"{count} x {status}" for status, count in sorted(self.statuses.items()))
        yield f"service: {self.calls} calls of {self.operations} operations ({counts})"


@dataclass(frozen=True)
class Served:
    """A running service: its address, headers with a key, a run that has ended and its video."""

    address: str
    headers: dict[str, str]
    run_id: str
    video_id: str


def run(folder: Path, count: int, seed: int) -> ServiceReport:
    """Make about ``count`` calls.

    Args:
        folder: For the service; made.
        count: Calls, divided among the operations.
        seed: The same one gives the same calls.
    """
    folder.mkdir()
    report = ServiceReport()
    with serving(folder) as served:
        schema = schemathesis.openapi.from_url(f"{served.address}/openapi.json")
        operations = [result.ok() for result in schema.get_all_operations()]
        report.operations = len(operations)
        each = max(1, count // (2 * len(operations)))
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _attack(operation, mode, served, report, each, seed)
    return report


def _attack(
    operation: Any, mode: GenerationMode, served: Served, report: ServiceReport, count: int, number: int
) -> None:
    checks = [each for name, each in _checks().items() if name not in _LEFT_OUT]

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        report.calls += 1
        # What is wrong with a call must stay in it, and other calls need what a deletion would take.
        if report.calls % 2 and mode == GenerationMode.POSITIVE and case.method != "DELETE":
            known = {"run_id": served.run_id, "video_id": served.video_id}
            case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
        answer = case.call(headers=served.headers, timeout=60)
        report.statuses[answer.status_code] = report.statuses.get(answer.status_code, 0) + 1
        try:
            case.validate_response(answer, checks=checks, headers=served.headers)
        except BaseExceptionGroup as exc:
            report.failures += [f"{operation.label}: {_line(each)}" for each in exc.exceptions]
        except AssertionError as exc:
            report.failures.append(f"{operation.label}: {_line(exc)}")

    with contextlib.suppress(SkipTest, Unsatisfiable):  # some operations have nothing that could be wrong
        call()


def _checks() -> dict[str, Any]:
    found = schemathesis.checks.CHECKS
    return {each.__name__: each for each in found.get_all()}


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:600]


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """A service without models on a port of its own, with a run that has ended."""
    video = folder / "videos" / "clip.mp4"
    video.parent.mkdir()
    video.write_bytes(b"1")
    limits = Limits(requests_a_minute=10**6, failures_a_minute=10**6)
    out = Settings(out=folder / "out", services=("none",), claude="off")
    config = ServiceConfig(out, roots=(video.parent.resolve(),), limits=limits)
    database = open_database(config.settings.out)
    text = Keys(database).add("fuzz", SCOPES)[1]
    database.close()
    app = create_app(config, make_server=no_models, post=Receiver(), analyse=Analyst())
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="on"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield _prepared(address, {"Authorization": f"Bearer {text}"}, video)
        finally:
            server.should_exit = True
            thread.join(_START_S)


def _prepared(address: str, headers: dict[str, str], video: Path) -> Served:
    with httpx.Client(base_url=address, headers=headers) as client:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                client.get("/healthz")
                break
            time.sleep(0.05)
        run_id = client.post("/v1/runs", json={"sources": [str(video)]}).json()["id"]
        while client.get(f"/v1/runs/{run_id}").json()["ended_at"] is None and time.monotonic() < deadline:
            time.sleep(0.05)
    return Served(address, headers, run_id, "clip")
