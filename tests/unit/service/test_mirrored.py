"""A service whose output folder is in an object store (moto's): results are uploaded, uploads are read from there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping

import pytest

from rumiai.contracts.run_events import EventHandler
from rumiai.core.clock import now_iso
from rumiai.results.run_state import RunState
from rumiai.results.store import Store, write_json
from rumiai.run.model_server import ModelServer
from rumiai.run.submission import Submission
from rumiai.settings import Secrets, Settings

from ..s3_server import bucket_with, objects_in, s3_server
from .conftest import StartService
from .doubles import Analyst


@pytest.fixture(scope="module")
def cloud() -> Iterator[Mapping[str, str]]:
    with s3_server() as variables:
        bucket_with(variables, "results", {})
        yield variables


class Writing(Analyst):
    """Writes a unified analysis for each video, as workers do."""

    def __call__(
        self, submission: Submission, handler: EventHandler, stop: threading.Event, server: ModelServer
    ) -> None:
        for task in submission.tasks:
            write_json(submission.store.unified_file(task.video_id), {"video_id": task.video_id})
            state = RunState(submission.store.state_file(task.video_id))
            state.finish("unified", "x", [submission.store.unified_file(task.video_id)], now_iso())
        super().__call__(submission, handler, stop, server)


@pytest.mark.parametrize(("folder", "code"), [("s3://results/runs", 0), ("s3://nobody/runs", 3)])
def test_results_of_the_service_are_uploaded_or_it_is_told(
    start: StartService, cloud: Mapping[str, str], tmp_path, folder: str, code: int
) -> None:
    settings = Settings(
        out=tmp_path / "out", services=("none",), claude="off", upload=folder, allow_addresses=("127.0.0.1",)
    )
    with start(Writing(), settings=settings, secrets=Secrets(cloud=cloud)) as service:
        sent = [("file", ("clip.mp4", b"1"))]
        run = service.ended(service.client.post("/v1/runs", files=sent).json()["id"])
        stored = objects_in(cloud, "results")
        assert Store(tmp_path / "out").unified_file("clip").exists() == (not code)
        if not code:
            assert service.client.delete(f"/v1/runs/{run['id']}/videos/clip").status_code == 204
            assert not [name for name in objects_in(cloud, "results") if name.startswith("runs/") and "clip" in name]
    assert run["exit_code"] == code, run
    if code:
        assert run["error"]["type"] == "DownloadError"
    else:
        assert json.loads(stored["runs/unified_analysis/clip.json"]) == {"video_id": "clip"}
        assert "runs/insights/clip/.input.json" in stored
