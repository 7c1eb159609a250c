"""Every trace of a video goes, nothing of another one, and nothing behind a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rumiai.errors import StoreError
from rumiai.insights.answers import AnswerStore, Files
from rumiai.results.deletion import find_traces, remove
from rumiai.results.store import Store, read_json, write_json
from rumiai.services import all_services
from rumiai.sources import SourceItem


def analysed(store: Store, video_id: str, *asked: str) -> set[Path]:
    """Everything that a run writes of a video; returns its files."""
    kept = AnswerStore(store.claude_folder, Files(read_json, write_json))
    analysis = store.insights_folder(video_id) / "speech_analysis"
    files = [store.service_file(service, video_id) for service in all_services()]
    files += [store.unified_file(video_id), store.markers_file(video_id)]
    files += [analysis / "latest.json", analysis / "speech_analysis_prompt_1.txt", store.state_file(video_id)]
    files += [store.download_folder(video_id) / "video.mp4.part", store.base / "toy" / f"{video_id}.json"]
    files += [store.insights_folder(video_id) / "report_1.json", store.insights_folder(video_id) / ".input.json"]
    files += [store.unified_file(video_id).with_name(f".{video_id}.json.77.tmp")]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    # As seen from the folder in which the run was started; the toy service is one that this program does not know.
    outputs = {f"results/toy/{video_id}.json": 2, str(store.unified_file(video_id)): 2}
    write_json(store.state_file(video_id), {"stages": {"ml.toy": {"outputs": outputs}}})
    for custom_id in asked:
        kept.note(video_id, custom_id)
        files += [kept.path(custom_id, round_) for round_ in (1, 2)]
        write_json(kept.path(custom_id, 1), {})
        write_json(kept.path(custom_id, 2), {})
        files += kept.note_of(video_id)
    return set(files)


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "out")


def test_everything_of_the_video_goes_and_nothing_of_another(store: Store) -> None:
    other = analysed(store, "clip_2", "speech_analysis-b")
    own = analysed(store, "clip", "speech_analysis-a", "scene_pacing-a")
    assert files_of(store.base) == own | other
    traces = find_traces(store, "clip")
    assert (set(traces.single), traces.shared, traces.behind_links) == (own, (), ())
    assert traces.bytes == sum(path.stat().st_size for path in own)
    remove(store, traces)
    assert files_of(store.base) == other
    assert [path for path in store.base.rglob("*") if "clip" in path.name.replace("clip_2", "")] == []
    assert find_traces(store, "clip").all == ()
    remove(store, traces)  # once more is no error


@pytest.mark.parametrize("video_id", ["unified_analysis", "insights", "toy", "claude", "answers", "videos", "out"])
def test_a_video_that_is_called_as_a_folder_of_ours_takes_nothing_along(store: Store, video_id: str) -> None:
    other = analysed(store, "clip", "speech_analysis-b")
    analysed(store, video_id, "speech_analysis-a")
    remove(store, find_traces(store, video_id))
    assert files_of(store.base) == other


def test_what_was_scraped_of_a_post_goes_also_when_the_video_has_another_id(store: Store) -> None:
    scraped = [store.base / "temp" / f"{number}_apify.json" for number in ("111111", "222222", "333333")]
    for path in scraped:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    item = SourceItem("tiktok", "https://www.tiktok.com/@somebody/video/222222", "mine")
    store.remember_input("mine", item, "0" * 64)
    remove(store, find_traces(store, "mine"))
    remove(store, find_traces(store, "111111"))
    assert [path.exists() for path in scraped] == [False, False, True]


def test_an_answer_that_another_video_uses_stays(store: Store) -> None:
    other = analysed(store, "clip_2", "speech_analysis-same")
    analysed(store, "clip", "speech_analysis-same", "scene_pacing-own")
    traces = find_traces(store, "clip")
    assert [path.name for path in traces.shared] == ["speech_analysis-same.1.json", "speech_analysis-same.2.json"]
    remove(store, traces)
    assert files_of(store.base) == other


def test_answers_of_folders_without_notes_are_found_by_the_analyses(store: Store) -> None:
    complete = store.insights_folder("clip") / "speech_analysis" / "speech_analysis_complete_1.json"
    write_json(complete, {"fingerprint": "abc"})
    write_json(store.claude_folder / "answers" / "speech_analysis-abc.1.json", {})
    write_json(complete.with_name("speech_analysis_complete_2.json"), {"fingerprint": "../../x"})
    traces = find_traces(store, "clip")
    assert [path.name for path in traces.answers] == ["speech_analysis-abc.1.json"]
    remove(store, traces)
    assert files_of(store.base) == set()


def test_an_answer_that_a_batch_brings_later_is_not_stored(store: Store) -> None:
    analysed(store, "clip", "speech_analysis-a")
    batch = store.claude_folder / "batches" / "1.json"
    write_json(batch, {"state": "submitted", "requests": {"speech_analysis-a": "2", "speech_analysis-b": "2"}})
    remove(store, find_traces(store, "clip"))
    assert read_json(batch) == {"state": "submitted", "requests": {"speech_analysis-b": "2"}}


def test_a_link_goes_and_what_it_leads_to_stays(store: Store, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "deep").mkdir(parents=True)
    (own / "deep/film.mp4").write_text("film")
    store.download_folder("clip").mkdir(parents=True)
    (store.download_folder("clip") / "film.mp4").symlink_to(own / "deep/film.mp4")
    (store.download_folder("clip") / "folder").symlink_to(own / "deep")
    store.unified_file("clip").parent.mkdir(parents=True)
    store.unified_file("clip").symlink_to(own / "deep/film.mp4")
    store.insights_folder("clip").parent.mkdir(parents=True)
    store.insights_folder("other").symlink_to(own)
    remove(store, find_traces(store, "clip"))
    assert not os.path.lexists(store.unified_file("clip"))
    assert not store.download_folder("clip").exists()
    assert (own / "deep/film.mp4").read_text() == "film"


def test_what_lies_behind_a_link_out_of_the_folder_is_left_and_told(store: Store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    store.base.mkdir()
    (store.base / "unified_analysis").symlink_to(elsewhere)
    (elsewhere / "clip.json").write_text("{}")
    analysed_markers = store.markers_file("clip")
    write_json(analysed_markers, {})
    traces = find_traces(store, "clip")
    assert traces.behind_links == (store.unified_file("clip"),)
    remove(store, traces)
    assert (elsewhere / "clip.json").exists()
    assert not analysed_markers.exists()


def test_a_folder_that_a_setting_set_apart_is_no_link(tmp_path: Path) -> None:
    store = Store(tmp_path / "out", unified_dir=str(tmp_path / "apart"))
    write_json(store.unified_file("clip"), {})
    remove(store, find_traces(store, "clip"))
    assert not store.unified_file("clip").exists()


def test_a_video_that_a_run_works_on_is_left(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    files = analysed(store, "clip")
    monkeypatch.setattr("rumiai.results.store._LOCK_WAIT_S", 0.0)
    with store.lock("clip"), pytest.raises(StoreError, match="another run is working on clip"):
        remove(store, find_traces(store, "clip"))
    assert files - files_of(store.base) <= {path for path in files if path.suffix == ".tmp"}


@pytest.mark.parametrize("video_id", ["../clip", "", ".", "a/b", "*"])
def test_what_is_no_id_finds_nothing(store: Store, video_id: str) -> None:
    with pytest.raises(StoreError, match="no safe id"):
        find_traces(store, video_id)


def test_the_state_of_a_video_names_nothing_of_another(store: Store) -> None:
    """A state file that somebody has changed: neither another video's files nor any outside."""
    other = analysed(store, "other")
    outputs = {"toy/other.json": 1, "toy/../../clip.json": 1, str(store.unified_file("other")): 1}
    write_json(store.state_file("clip"), {"stages": {"x": {"outputs": outputs}}})
    remove(store, find_traces(store, "clip"))
    assert files_of(store.base) == other
