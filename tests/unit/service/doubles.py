"""What stands for workers, models and receivers of webhooks in tests of the service."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.contracts.run_events import EventHandler, ProgressEvent, VideoEvent
from rumiai.run.model_server import ModelServer, NamedServer
from rumiai.run.submission import Submission
from rumiai.run.types import ServerAccess, VideoTask
from rumiai.service.config import ServiceConfig
from rumiai.service.warm_server import WarmServer


@dataclass
class Analyst:
    """Stands for workers and models: every video is ok, unless its file says otherwise.

    Attributes:
        seen: Ids of the videos, as they were analysed.
        tasks: The same with what they are.
        go: While it is not set, a video stays in its stage.
    """

    seen: list[str] = field(default_factory=list)
    tasks: dict[str, VideoTask] = field(default_factory=dict)
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
            elif task.item.source == "unlisted":
                error = Failure("SourceError", task.item.address, "fetch", 2)
                outcome = VideoOutcome(task.video_id, task.item.location, "failed", error=error)
            elif task.item.source != "web" and Path(task.item.address or task.item.location).read_bytes() == b"bad":
                error = Failure("ProbeError", "no video", "probe", 5)
                outcome = VideoOutcome(task.video_id, task.item.location, "failed", error=error)
            self.seen.append(task.video_id)
            self.tasks[task.video_id] = task
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


def no_models(config: ServiceConfig) -> WarmServer:
    return WarmServer(
        config.settings, lambda event: None, lambda *_: NamedServer(ServerAccess("127.0.0.1:0", None, ()))
    )
