"""An output folder in an object store (moto's): what is uploaded, and what another machine finds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import VideoEvent
from rumiai.core.addresses import AddressRules
from rumiai.core.http import HttpClient
from rumiai.core.objects import Bucket
from rumiai.demo.encode import render
from rumiai.demo.spec import ClipSpec, Shot
from rumiai.errors import ConfigurationError, DownloadError
from rumiai.insights import AnswerStore, Files
from rumiai.results.store import Store, read_json, write_json
from rumiai.run.deletion import delete_videos, plan_deletion
from rumiai.run.mirror import Mirror, open_mirror
from rumiai.run.pipeline import Progress, analyse
from rumiai.run.recording import recorded
from rumiai.run.submission import Inputs
from rumiai.run.types import RunContext, ServerAccess, VideoTask
from rumiai.services import WorkerTools
from rumiai.settings import Settings, load
from rumiai.sources import Access, SourceItem
from rumiai.sources.download import DownloadLimits

from ..s3_server import bucket_with, objects_in, s3_server


@pytest.fixture(scope="module")
def cloud() -> Iterator[Mapping[str, str]]:
    with s3_server() as variables:
        bucket_with(variables, "results", {})
        yield variables


@pytest.fixture(scope="module")
def access(cloud: Mapping[str, str]) -> Iterator[Access]:
    with HttpClient(AddressRules.parse(["127.0.0.1"])) as http:
        yield Access(http, DownloadLimits(), cloud=cloud)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render(ClipSpec(shots=(Shot("gradient", 1.0),), width=160, height=284, tone_hz=440.0), path)
    return path


def settings_of(out: Path, folder: str) -> Settings:
    return Settings(out=out, upload=f"s3://results/{folder}", services=("scene_detection", "audio_energy"))


def run(mirror: Mirror | None, settings: Settings, clip: Path) -> VideoOutcome:
    """What ``submit`` does with one video, without its worker process."""
    store = Store(*settings.folders)
    item = SourceItem("local", str(clip), "clip")
    assert mirror is not None
    mirror.recall_inputs([item])
    inputs = Inputs.of([item], store)
    mirror.recall(inputs.tasks)
    inputs.remember(store)
    outcome = analyse(
        VideoTask(item, "clip"),
        RunContext("test", settings, ServerAccess("127.0.0.1:9", None), ""),
        WorkerTools(),
        Progress("clip", lambda event: None),
    )
    mirror.watch(VideoEvent(outcome))
    return outcome


def local(out: Path) -> dict[str, bytes]:
    """The results in a folder, as they are to be in the store."""
    files = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    return {name: content for name, content in files.items() if not name.endswith((".lock", ".uploaded.json"))}


def test_results_are_uploaded_and_another_machine_goes_on_from_them(
    cloud: Mapping[str, str], access: Access, clip: Path, tmp_path: Path
) -> None:
    here = settings_of(tmp_path / "here", "a/b")
    with open_mirror(here, access, Store(*here.folders)) as mirror:
        assert not run(mirror, here, clip).skipped
    assert mirror is not None
    assert mirror.problem is None
    stored = objects_in(cloud, "results")
    assert stored == {f"a/b/{name}": content for name, content in local(tmp_path / "here").items()}
    assert "a/b/unified_analysis/clip.json" in stored

    there = settings_of(tmp_path / "there", "a/b")
    with open_mirror(there, access, Store(*there.folders)) as mirror:
        assert run(mirror, there, clip).skipped
    assert local(tmp_path / "there") == local(tmp_path / "here")


def test_what_is_there_already_is_not_uploaded_again(
    access: Access, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = Bucket.write

    def watched(self: Bucket, key: str, path: Path) -> None:
        written.append(key)
        write(self, key, path)

    monkeypatch.setattr(Bucket, "write", watched)
    settings = settings_of(tmp_path / "out", "again")
    for _ in range(2):
        with open_mirror(settings, access, Store(*settings.folders)) as mirror:
            run(mirror, settings, clip)
    assert len(written) == len(set(written)) > 10


def test_an_upload_that_fails_is_told_and_done_by_the_next_run(
    cloud: Mapping[str, str], access: Access, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Bucket, key: str, path: Path) -> None:
        raise DownloadError("the store is full")

    settings = settings_of(tmp_path / "out", "later")
    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "write", refused)
        with open_mirror(settings, access, Store(*settings.folders)) as mirror:
            run(mirror, settings, clip)
    assert mirror is not None
    assert "not everything was uploaded: clip: the store is full" in str(mirror.problem)
    with open_mirror(settings, access, Store(*settings.folders)) as mirror:
        assert run(mirror, settings, clip).skipped
    stored = {name for name in objects_in(cloud, "results") if name.startswith("later/")}
    assert stored == {f"later/{name}" for name in local(tmp_path / "out")}


def test_an_object_that_leads_out_of_the_folder_is_not_fetched(
    cloud: Mapping[str, str], access: Access, clip: Path, tmp_path: Path
) -> None:
    state = {"stages": {"x": {"fingerprint": "f", "outputs": {"../../../evil.json": 1}}}}
    bucket_with(cloud, "hostile", {"p/insights/clip/state.json": json.dumps(state).encode(), "evil.json": b"x"})
    settings = settings_of(tmp_path / "deep" / "out", "p").changed(upload="s3://hostile/p")
    with (
        pytest.raises(DownloadError, match="leads out of the output folder"),
        open_mirror(settings, access, Store(*settings.folders)) as mirror,
    ):
        run(mirror, settings, clip)
    assert not list(tmp_path.rglob("evil.json"))


def test_a_video_that_is_deleted_leaves_no_object(
    cloud: Mapping[str, str], access: Access, clip: Path, tmp_path: Path
) -> None:
    here, there = settings_of(tmp_path / "here", "gone"), settings_of(tmp_path / "there", "gone")
    store = Store(*here.folders)
    kept = AnswerStore(store.claude_folder, Files(read_json, write_json))
    for video_id, custom_id in (("clip", "a-1"), ("other", "a-2")):
        kept.note(video_id, custom_id)
        write_json(kept.path(custom_id, 1), {})
    write_json(store.insights_folder("clip_2") / "report_1.json", {})
    with open_mirror(here, access, store) as mirror:
        run(mirror, here, clip)
        assert mirror is not None
        mirror.watch(VideoEvent(VideoOutcome("clip_2", "x", "ok")))

    # Who names no object store is told that copies may remain; records that were made again know of one.
    (told,) = plan_deletion(store, ["clip"])
    assert (told.elsewhere, told.is_whole) == (("an object store",), False)
    with recorded(["x"], [VideoTask(SourceItem("local", str(clip), "clip"), "clip")], here) as recording:
        recording.end(0)
    (told,) = plan_deletion(store, ["clip"])
    assert (told.elsewhere, told.is_whole) == (("s3://results/gone",), False)
    assert list(told.remaining()) == [
        "  copies may remain in s3://results/gone: `delete clip --upload s3://results/gone` removes them"
    ]
    with open_mirror(here, access, store) as mirror:
        assert plan_deletion(store, ["clip"], mirror)[0].is_whole

    # On a machine that has nothing of it.
    with open_mirror(there, access, Store(*there.folders)) as mirror:
        plan = plan_deletion(Store(*there.folders), ["clip"], mirror)
        (done,) = delete_videos(Store(*there.folders), plan, mirror)
    assert mirror is not None
    assert mirror.problem is None
    assert "gone/unified_analysis/clip.json" in done.objects
    assert "copies in the object store" in done.line()
    left = {name for name in objects_in(cloud, "results") if name.startswith("gone/")}
    assert left == {
        "gone/claude/answers/a-2.1.json", "gone/claude/videos/other.json", "gone/insights/clip_2/report_1.json"
    }  # fmt: skip
    assert not [path for path in (tmp_path / "there").rglob("*clip.*")]


def test_a_folder_of_results_elsewhere_cannot_be_uploaded(access: Access, tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "out", "x").changed(insights_dir=str(tmp_path / "elsewhere"))
    with (
        pytest.raises(ConfigurationError, match="lies outside of --out"),
        open_mirror(settings, access, Store(*settings.folders)),
    ):
        pass


def test_an_output_folder_in_a_store_has_a_local_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    settings, _ = load({}, {"out": "s3://results/runs/1"})
    assert settings.out == Path("/home/me/.cache/rumiai/out/s3/results/runs/1")
    assert settings.upload == "s3://results/runs/1"
    assert settings.changed(force=True).out == settings.out


@pytest.mark.parametrize(
    ("flags", "dotenv", "reason"),
    [
        ({"out": "s3://"}, {}, "--out: s3:// is no address of an object"),
        ({"upload": "results"}, {}, "--upload: results is no address of an object"),
        ({"out": "s3://a1/b", "upload": "s3://c1/d"}, {}, "in two object stores"),
        ({"out": "s3://a1/../../x"}, {}, r"expected a folder without \.\."),
        ({}, {"RUMIAI_BASE_DIR": "s3://evil/x"}, "RUMIAI_BASE_DIR stands in .env"),
        ({}, {"RUMIAI_UPLOAD": "s3://evil/x"}, "RUMIAI_UPLOAD stands in .env"),
    ],
)
def test_what_is_no_output_folder(flags: dict[str, str], dotenv: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        load({}, flags, dotenv)
