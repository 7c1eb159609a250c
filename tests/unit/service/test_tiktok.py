"""Links to TikTok through the service: the operator's token, and one run of the scraper whenever the service ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import EventHandler, VideoEvent
from rumiai.run.model_server import ModelServer
from rumiai.run.submission import Submission
from rumiai.settings import Secrets, Settings
from rumiai.sources import registered
from rumiai.sources.tiktok import TikTokSource

from ...faults.apify_server import TOKEN, World, apify
from .conftest import StartService
from .doubles import Analyst

ONE = "7454000000000000001"


class Telling(Analyst):
    """Says of every video where it is."""

    def __call__(
        self, submission: Submission, handler: EventHandler, stop: threading.Event, server: ModelServer
    ) -> None:
        for task in submission.tasks:
            self.seen.append(task.video_id)
            outcome = VideoOutcome(task.video_id, task.item.location, "ok", seconds=1.0)
            submission.outcomes.append(outcome)
            handler(VideoEvent(outcome))


@pytest.fixture
def world() -> Iterator[World]:
    with apify() as world:
        world.video_post(ONE, b"video")
        source = type("ElsewhereSource", (TikTokSource,), {"name": "tiktok_elsewhere"})(apify=world.api)
        with registered(source):
            yield world


def test_a_service_that_ends_while_the_scraper_runs_goes_on_with_that_run(
    start: StartService, world: World, tmp_path: Path
) -> None:
    settings = Settings(
        out=tmp_path / "out", services=("none",), claude="off", allow_addresses=("127.0.0.1", "localhost")
    )
    members = {"settings": settings, "secrets": Secrets(apify_token=TOKEN)}
    world.polls = 1_000_000
    sources = [f"https://www.tiktok.com/@somebody/video/{ONE}"]
    with start(Telling(), **members) as service:
        run_id = service.client.post("/v1/runs", json={"sources": sources}).json()["id"]
        deadline_s = time.monotonic() + 20
        while len(world.of_kind("run")) < 2 and time.monotonic() < deadline_s:
            time.sleep(0.02)
    world.polls = 1
    with start(Telling(), **members) as service:
        run = service.ended(run_id)
        assert (run["state"], service.analyst.seen) == ("done", [ONE])
    assert len(world.of_kind("start")) == 1
    assert not world.leaks
