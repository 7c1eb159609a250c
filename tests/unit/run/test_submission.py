"""A run apart from where it is shown: its inputs, its exit code, what becomes of videos that it never came to."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.outcome import Failure, VideoOutcome
from rumiai.errors import ServerError
from rumiai.results.store import Store
from rumiai.run.model_server import ModelServer, NamedServer
from rumiai.run.submission import Inputs, Submission
from rumiai.run.types import ServerAccess
from rumiai.settings import Settings
from rumiai.sources import list_items


def submission(folder: Path, **files: str) -> Submission:
    for name, text in files.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "clip.mp4").write_text(text)
    settings = Settings(out=folder / "out", services=("none",))
    store = Store(*settings.folders)
    return Submission(Inputs.of(list_items([str(folder / name) for name in files]), store), store, settings)


def test_the_same_content_under_the_same_name_is_one_video(tmp_path):
    assert [task.video_id for task in submission(tmp_path, a="x", b="x").tasks] == ["clip_2d711642"]


def test_other_content_under_the_same_name_is_another_video(tmp_path):
    first, second = (task.video_id for task in submission(tmp_path, a="x", b="y").tasks)
    # printf x | sha256sum, printf y | sha256sum
    assert (first, second) == ("clip_2d711642", "clip_a1fce436")


def failed(exit_code: int) -> VideoOutcome:
    return VideoOutcome("clip", "clip.mp4", "failed", error=Failure("MLError", "no", "services", exit_code))


@pytest.mark.parametrize(("interrupted", "code"), [(False, 4), (True, 1)])
def test_the_exit_code_is_that_of_the_failures_unless_it_was_interrupted(tmp_path, interrupted, code):
    run = submission(tmp_path, a="x")
    run.outcomes = [failed(4)]
    assert run.exit_code(interrupted=interrupted) == code


class _Refusing(NamedServer):
    """A server whose address nobody gets."""

    def __init__(self) -> None:
        ModelServer.__init__(self)

    @property
    def access(self) -> ServerAccess:
        raise ServerError("no server")


def test_an_error_ends_the_run_and_every_video_is_told_as_not_started(tmp_path):
    run = submission(tmp_path, a="x")
    run.run(lambda event: None, threading.Event(), _Refusing())
    done = run.done.to_json()
    assert run.exit_code(interrupted=False) == 1
    assert done["error"] == {"type": "ServerError", "message": "no server"}
    assert [video["error"]["type"] for video in done["videos"]] == ["NotStarted"]


def test_what_was_said_of_a_video_need_not_be_said_again(tmp_path):
    (tmp_path / "clip.mp4").write_text("x")
    path, store = str(tmp_path / "clip.mp4"), Store(tmp_path / "out")
    told = replace(list_items([path])[0], metadata=VideoMetadata("clip", description="hi", views=3), language="pt")
    Inputs.of([told], store).remember(store)
    (again,) = Inputs.of(list_items([path]), store).tasks
    assert (again.item.metadata, again.item.language) == (told.metadata, "pt")
    newer = replace(told, metadata=VideoMetadata("clip", views=9), language="en")
    (task,) = Inputs.of([newer], store).tasks
    assert (task.item.metadata, task.item.language) == (VideoMetadata("clip", description="hi", views=9), "en")
