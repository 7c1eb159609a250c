"""Health, readiness, figures, and the pages that describe the service."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Message, Receive, Scope, Send

from rumiai.contracts.run_events import EventHandler
from rumiai.errors import ServerError
from rumiai.run.model_server import ModelServer
from rumiai.run.types import ServerAccess
from rumiai.service.metrics import Measured, Metrics
from rumiai.service.warm_server import WarmServer
from rumiai.settings import Settings

from .conftest import Service

ANONYMOUS = {"Authorization": ""}


def test_health_and_readiness_need_no_key(service: Service) -> None:
    assert service.client.get("/healthz", headers=ANONYMOUS).json()["status"] == "ok"
    for _ in range(100):
        ready = service.client.get("/readyz", headers=ANONYMOUS)
        if ready.status_code == 200:
            break
        time.sleep(0.01)
    assert ready.json() == {"status": "ready", "models": [], "waiting": 0, "running": 0}


def test_figures_are_prometheus_text(service: Service, videos: Path) -> None:
    run = service.client.post("/v1/runs", json={"sources": [str(videos)]}).json()
    service.ended(run["id"])
    text = service.client.get("/metrics").text
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["rumiai_runs_accepted_total", ()] == 1
    assert samples["rumiai_videos_total", (("status", "ok"),)] == 2
    assert samples["rumiai_runs_waiting", ()] == 0
    posted = (("method", "POST"), ("route", "/v1/runs"), ("status", "202"))
    assert samples["rumiai_http_requests_total", posted] == 1
    assert run["id"] not in text


def test_a_bug_is_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("rumiai.records.database.Records.runs", broken)
        assert service.client.get("/v1/runs").status_code == 500
    assert 'rumiai_http_requests_total{method="GET",route="/v1/runs",status="500"} 1.0' in (
        service.client.get("/metrics").text
    )


def test_an_answer_that_breaks_off_is_counted_once() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    async def nothing(message: Message | None = None) -> Message:
        return {}

    metrics = Metrics()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(Measured(broken, metrics)({"type": "http", "method": "GET"}, nothing, nothing))
    counted = [line for line in metrics.text().decode().splitlines() if line.startswith("rumiai_http_requests_total{")]
    assert counted == ['rumiai_http_requests_total{method="GET",route="none",status="200"} 1.0']


def test_the_pages_load_nothing_from_elsewhere(service: Service) -> None:
    page = service.client.get("/docs", headers=ANONYMOUS)
    assert page.status_code == 200
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert len(loaded) >= 3
    for address in loaded:
        assert address.startswith("/")
        assert service.client.get(address, headers=ANONYMOUS).status_code == 200


def test_the_document_describes_every_error_as_a_problem(service: Service) -> None:
    document = service.client.get("/openapi.json", headers=ANONYMOUS).json()
    assert set(document["paths"]["/v1/runs"]) == {"get", "post"}
    for operations in document["paths"].values():
        for operation in operations.values():
            assert set(operation["responses"]["4XX"]["content"]) == {"application/problem+json"}
    known = document["components"]["schemas"]
    for name in re.findall(r"#/components/schemas/(\w+)", str(document)):
        assert name in known


class Failing(ModelServer):
    """A server that is lost as soon as it is told so."""

    def __init__(self) -> None:
        self.access = ServerAccess("127.0.0.1:1", None, ())
        self.reason: str | None = None

    def lost(self) -> str | None:
        return self.reason

    def missed(self) -> None: ...

    def finished_one(self) -> None: ...

    def renew(self) -> bool:
        return False


def test_a_server_that_has_gone_is_started_again_once_for_all_runs() -> None:
    made: list[Failing] = []

    def make(settings: Settings, stop: threading.Event, handler: EventHandler) -> ModelServer:
        made.append(Failing())
        return made[-1]

    server = WarmServer(Settings(), lambda event: None, make)
    assert server.lost() is not None
    with pytest.raises(ServerError, match="not been started"):
        _ = server.access
    server.start()
    assert server.wait_ready(threading.Event(), 5)
    made[0].reason = "it was killed"
    assert server.lost() == "it was killed"
    renewed = [threading.Thread(target=server.renew) for _ in range(3)]
    for thread in renewed:
        thread.start()
    for thread in renewed:
        thread.join(10)
    assert server.lost() is None
    assert len(made) == 2
    server.close()
    assert server.lost() is not None
