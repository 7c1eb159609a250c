"""Whether a rerun needs a model server, from what the state files say."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rumiai.contracts.frames import VideoInfo
from rumiai.demo import ClipSpec, Shot, render
from rumiai.media.probe import probe
from rumiai.results.run_state import RunState
from rumiai.results.store import Store
from rumiai.run.finished import needs_server, note_video
from rumiai.run.reuse import Provenance, stage_of
from rumiai.run.types import VideoTask
from rumiai.services import chosen_services, with_inputs
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo, SourceItem

MODELS = ("yolo", "whisper", "ocr")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    render(ClipSpec(shots=(Shot("gradient", 0.5),), width=64, height=64, fps=10, silent=True), path)
    return path


@pytest.fixture
def task(film: Path, tmp_path: Path) -> VideoTask:
    path = tmp_path / "film.mp4"
    path.write_bytes(film.read_bytes())
    return VideoTask(SourceItem("local", str(path), "film"), "film")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(out=tmp_path / "out", services=MODELS)


def finish(task: VideoTask, settings: Settings, *, identity: str = "", info: VideoInfo | None = None) -> Store:
    """What a run that did everything leaves."""
    store = Store(*settings.folders)
    video = FetchedVideo(Path(task.item.location), identity=identity)
    state, provenance = RunState(store.state_file(task.video_id)), Provenance(video, settings)
    info = info or probe(video.path)
    note_video(state, task, video, info)
    made_from: dict[str, str] = {}
    for service in with_inputs(chosen_services(settings.services)):
        if service.stage == "visual" and not info.has_video:
            continue
        made_from[service.name] = provenance.of(service, made_from)
        path = store.service_file(service, task.video_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        state.finish(stage_of(service), made_from[service.name], [path], "now")
    return store


def test_a_new_video_needs_one(task: VideoTask, settings: Settings) -> None:
    assert needs_server([task], settings, Store(*settings.folders))


def test_a_finished_one_does_not(task: VideoTask, settings: Settings) -> None:
    store = finish(task, settings)
    assert not needs_server([task], settings, store)
    other = VideoTask(replace(task.item, location=f"{task.item.location}2"), "other")
    assert needs_server([task, other], settings, store)
    assert needs_server([other, task], settings, store)


@pytest.mark.parametrize(
    "changes",
    [{"force": True}, {"mode": "strict"}, {"language": "pt"}, {"ocr_engine": "easyocr"}, {"sample_fps": 3.0}],
    ids=str,
)
def test_another_setting_needs_one(task: VideoTask, settings: Settings, changes: dict[str, object]) -> None:
    store = finish(task, settings)
    assert needs_server([task], settings.changed(**changes), store)


def test_services_without_a_model_need_none(task: VideoTask, settings: Settings) -> None:
    store = finish(task, settings)
    wider = settings.changed(services=(*MODELS, "mediapipe", "scene_detection"))
    assert not needs_server([task], wider, store)


def test_the_language_of_a_video_counts(task: VideoTask, settings: Settings) -> None:
    store = finish(task, settings)
    assert needs_server([VideoTask(replace(task.item, language="pt"), "film")], settings, store)
    assert not needs_server([task], settings, store)


def test_a_changed_file_needs_one(task: VideoTask, settings: Settings) -> None:
    store = finish(task, settings)
    os.utime(task.item.location, (1, 1))
    assert needs_server([task], settings, store)


def test_a_lost_result_needs_one(task: VideoTask, settings: Settings) -> None:
    store = finish(task, settings)
    store.service_file(chosen_services(["yolo"])[0], "film").unlink()
    assert needs_server([task], settings, store)


def test_a_deleted_download_is_known_by_its_content(task: VideoTask, settings: Settings) -> None:
    store = finish(task, settings, identity="c0ffee")
    Path(task.item.location).unlink()
    assert not needs_server([task], settings, store)


def test_a_file_that_is_gone_needs_one(task: VideoTask, settings: Settings) -> None:
    store = finish(task, settings)
    Path(task.item.location).unlink()
    assert needs_server([task], settings, store)


def test_sound_alone_has_no_picture_to_look_at(task: VideoTask, settings: Settings) -> None:
    store = finish(task, settings, info=replace(probe(Path(task.item.location)), has_video=False))
    assert not store.service_file(chosen_services(["yolo"])[0], "film").exists()
    assert not needs_server([task], settings, store)
