"""A service without models: what would analyse videos tells outcomes at once, or when a test lets it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.run_events import EventHandler, ProgressEvent, VideoEvent
from rumiai.run.model_server import ModelServer, NamedServer
from rumiai.run.submission import Submission
from rumiai.run.types import ServerAccess
from rumiai.service.app import create_app
from rumiai.service.config import ServiceConfig
from rumiai.service.database import open_database
from rumiai.service.keys import ApiKey, Keys, Scope
from rumiai.service.warm_server import WarmServer
from rumiai.settings import Settings


@dataclass
class Analyst:
    """Stands for workers and models: every video is ok, unless its file says otherwise.

    Attributes:
        seen: Ids of the videos, as they were analysed.
        go: While it is not set, a video stays in its stage.
    """

    seen: list[str] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.go.set()

    def __call__(
        self, submission: Submission, handler: EventHandler, stop: threading.Event, server: ModelServer
    ) -> None:
        for task in submission.tasks:
            handler(ProgressEvent(task.video_id, "services", 1, 4))
            while not self.go.wait(0.01) and not stop.is_set():
                pass
            outcome = VideoOutcome(task.video_id, task.item.location, "ok", seconds=1.5)
            if stop.is_set():
                error = Failure("Interrupted", "the run was stopped before this video was finished", "worker")
                outcome = VideoOutcome(task.video_id, task.item.location, "failed", error=error)
            elif Path(task.item.address or task.item.location).read_bytes() == b"bad":
                error = Failure("ProbeError", "no video", "probe", 5)
                outcome = VideoOutcome(task.video_id, task.item.location, "failed", error=error)
            self.seen.append(task.video_id)
            submission.outcomes.append(outcome)
            handler(VideoEvent(outcome))


@dataclass
class Receiver:
    """Takes webhooks; ``statuses`` are its answers, the last one again and again."""

    statuses: list[int] = field(default_factory=lambda: [204])
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.got.append((url, headers, body))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


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
        for _ in range(500):
            run: dict[str, object] = self.client.get(f"/v1/runs/{run_id}").json()
            if run["ended_at"]:
                return run
            threading.Event().wait(0.01)
        raise AssertionError(f"{run_id} has not ended: {run}")


def no_models(config: ServiceConfig) -> WarmServer:
    return WarmServer(
        config.settings, lambda event: None, lambda *_: NamedServer(ServerAccess("127.0.0.1:0", None, ()))
    )


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
