"""A service without models: what would analyse videos tells outcomes at once, or when a test lets it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rumiai.service.app import create_app
from rumiai.service.config import ServiceConfig
from rumiai.service.database import open_database
from rumiai.service.keys import ApiKey, Keys, Scope
from rumiai.settings import Settings

from .doubles import Analyst, Receiver, no_models


@dataclass
class Service:
    """A running service with a key for both scopes."""

    client: TestClient
    config: ServiceConfig
    analyst: Analyst
    receiver: Receiver
    key: ApiKey
    text: str

    def add_key(self, *scopes: Scope) -> dict[str, str]:
        """Headers with another key."""
        database = open_database(self.config.settings.out)
        try:
            return {"Authorization": f"Bearer {Keys(database).add('other', scopes)[1]}"}
        finally:
            database.close()

    def ended(self, run_id: str) -> dict[str, object]:
        """A run when it has ended."""
        for _ in range(900):  # a busy machine is no error
            run: dict[str, object] = self.client.get(f"/v1/runs/{run_id}").json()
            if run["ended_at"]:
                return run
            threading.Event().wait(0.1)  # a key has 20 requests a second
        raise AssertionError(f"{run_id} has not ended: {run}")


StartService = Callable[..., contextlib.AbstractContextManager[Service]]


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder that the service allows, with two files of the right suffix."""
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "one.mp4").write_bytes(b"1")
    (folder / "two.mp4").write_bytes(b"2")
    return folder


@pytest.fixture
def start(tmp_path: Path, videos: Path) -> StartService:
    """Starts a service over one and the same folder, each time it is called."""

    @contextlib.contextmanager
    def started(analyst: Analyst | None = None, **members: object) -> Iterator[Service]:
        settings = Settings(out=tmp_path / "out", services=("none",), claude="off")
        config = ServiceConfig(**{"settings": settings, "roots": (videos.resolve(),), **members})  # type: ignore[arg-type]
        config.settings.out.mkdir(exist_ok=True)
        database = open_database(config.settings.out)
        key, text = Keys(database).add("test", ("read", "submit"))
        database.close()
        analyst, receiver = analyst or Analyst(), Receiver()
        app = create_app(config, make_server=no_models, post=receiver, analyse=analyst)
        headers = {"Authorization": f"Bearer {text}"}
        with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
            yield Service(client, config, analyst, receiver, key, text)

    return started


@pytest.fixture
def service(start: StartService) -> Iterator[Service]:
    """A running service."""
    with start() as running:
        yield running
