"""Reruns: what is made again, and that any disturbed run that is finished by reruns ends as an undisturbed one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.services.base import ServiceData, ServiceMetadata
from rumiai.demo.encode import render
from rumiai.demo.spec import ClipSpec, Shot
from rumiai.errors import MLError
from rumiai.run import pipeline, reuse
from rumiai.run.pipeline import Progress, analyse
from rumiai.run.reuse import Provenance
from rumiai.run.types import RunContext, ServerAccess, VideoTask
from rumiai.services import VideoContext, VisualInputs, VisualRun, VisualService, WorkerTools, find_service, registered
from rumiai.settings import Settings
from rumiai.sources import FetchedVideo, SourceItem


class Made(ServiceData):
    """A toy's data says what it was made from."""

    made_from: dict[str, Any]


class OfEyes(Made):
    service = "eyes"


class OfHands(Made):
    service = "hands"


class OfMood(Made):
    service = "mood"


class OfSky(Made):
    service = "sky"


class Toy(VisualService[Made]):
    """Fails when its name is in ``broken``; ``made`` names those that ran."""

    broken: ClassVar[set[str]] = set()
    made: ClassVar[list[str]] = []
    model: type[Made]

    def data_model(self) -> type[Made]:
        return self.model

    def version(self, settings: Settings) -> str:
        return "1"

    def start(self, inputs: VisualInputs) -> VisualRun:
        def finish(context: VideoContext) -> Made:
            self.made.append(self.name)
            if self.name in self.broken:
                raise MLError("broken")
            made_from = {name: data.to_json()["made_from"] for name, data in context.results.items()}
            return self.model(made_from=made_from, metadata=ServiceMetadata(processed=True))

        return VisualRun(None, finish)


def toy(data: type[Made], inputs: tuple[str, ...] = ()) -> Toy:
    name = data.service
    members = {"name": name, "file": f"{name}/{{id}}.json", "inputs": inputs, "model": data}
    made: Toy = type(name.title(), (Toy,), members)()
    return made


# Mood is made from hands, which is made from eyes; nothing is made from sky.
TOYS = (toy(OfEyes), toy(OfHands, ("eyes",)), toy(OfMood, ("hands",)), toy(OfSky))
NAMES = tuple(each.name for each in TOYS)
WHOLE = {"eyes": {}, "hands": {"eyes": {}}, "mood": {"hands": {"eyes": {}}}, "sky": {}}


@pytest.fixture(scope="module", autouse=True)
def _toys() -> Iterator[None]:
    with ExitStack() as stack:
        for each in TOYS:
            stack.enter_context(registered(each))
        yield


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render(ClipSpec(shots=(Shot("gradient", 0.5),), width=160, height=284, fps=10, tone_hz=440.0), path)
    return path


def run(
    clip: Path, out: Path, services: tuple[str, ...] = NAMES, broken: tuple[str, ...] = (), **changes: Any
) -> tuple[list[str], VideoOutcome]:
    """The toys that worked, and the outcome."""
    Toy.broken, Toy.made = set(broken), []
    context = RunContext(
        "test-reuse", Settings(out=out, services=services, **changes), ServerAccess("127.0.0.1:9", None), ""
    )
    task = VideoTask(SourceItem("local", str(clip), "clip"), "clip")
    outcome = analyse(task, context, WorkerTools(), Progress(task.video_id, lambda event: None))
    return Toy.made, outcome


def made_from(out: Path) -> dict[str, Any]:
    return {name: json.loads((out / name / "clip.json").read_text())["made_from"] for name in NAMES}


def test_a_finished_run_is_kept(clip: Path, tmp_path: Path) -> None:
    assert run(clip, tmp_path)[0] == list(NAMES)
    assert made_from(tmp_path) == WHOLE
    made, outcome = run(clip, tmp_path)
    assert (made, outcome.skipped, outcome.status) == ([], True, "ok")


def test_what_was_made_while_an_input_was_missing_is_made_again_and_nothing_else(clip: Path, tmp_path: Path) -> None:
    run(clip, tmp_path, broken=("eyes",))
    assert json.loads((tmp_path / "mood/clip.json").read_text())["made_from"] == {"hands": {}}
    made, outcome = run(clip, tmp_path)
    assert made == ["eyes", "hands", "mood"]
    assert made_from(tmp_path) == WHOLE
    assert outcome.services["sky"].cached
    run(clip, tmp_path, broken=("hands",), force=True)
    assert run(clip, tmp_path)[0] == ["hands", "mood"]
    assert made_from(tmp_path) == WHOLE


def test_an_input_that_was_not_asked_for_counts_as_missing_until_there_is_one(clip: Path, tmp_path: Path) -> None:
    assert run(clip, tmp_path, ("hands",))[0] == ["hands"]
    assert run(clip, tmp_path, ("hands",))[0] == []
    assert run(clip, tmp_path)[0] == list(NAMES)
    assert made_from(tmp_path) == WHOLE
    # What is there is used, also when it is not asked for: the result rests on it.
    made, outcome = run(clip, tmp_path, ("hands",))
    assert (made, list(outcome.services), outcome.skipped) == ([], ["hands"], True)
    assert run(clip, tmp_path, ("mood",), force=True)[0] == ["mood"]
    assert made_from(tmp_path) == WHOLE


def test_other_code_makes_its_results_again(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No version string has to be raised for it: the digests are those of the sources."""
    run(clip, tmp_path)
    assert run(clip, tmp_path)[1].skipped

    def analysed() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "insights/clip").glob("*/*_complete_*")}

    before = analysed()
    monkeypatch.setattr(pipeline, "analyses_code", lambda: "other rules")
    assert run(clip, tmp_path)[0] == []  # no service runs again
    assert analysed().keys().isdisjoint(before.keys())
    assert run(clip, tmp_path)[1].skipped
    monkeypatch.setattr(reuse, "services_code", lambda: "other services")
    assert run(clip, tmp_path)[0] == list(NAMES)


def test_a_lost_input_is_made_again_alone(clip: Path, tmp_path: Path) -> None:
    run(clip, tmp_path)
    (tmp_path / "eyes/clip.json").unlink()
    assert run(clip, tmp_path, broken=("eyes",))[0] == ["eyes"]
    assert run(clip, tmp_path)[0] == ["eyes"]
    assert made_from(tmp_path) == WHOLE


def test_a_rerun_that_does_nothing_still_tells_what_the_file_lost(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    render(ClipSpec(shots=(Shot("noise", 4.0),), width=160, height=284, container="matroska", silent=True), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _, first = run(path, tmp_path)
    made, again = run(path, tmp_path)
    assert made == []
    assert (first.status, again.status) == ("partial", "partial")
    assert "breaks off" in first.warnings[0]
    assert again.warnings == first.warnings
    # Each stream's end is known from the run that decoded it.
    Path(again.files["sky"]).unlink()
    assert run(path, tmp_path)[1].warnings == first.warnings


def unified(out: Path) -> dict[str, Any]:
    """Without what may differ between equal runs (docs/outputs.md)."""
    raw: dict[str, Any] = json.loads((out / "unified_analysis/clip.json").read_text())
    for key in ("processed_at", "stage_seconds"):
        raw.get("processing_metadata", raw).pop(key, None)
    text = json.dumps(raw, sort_keys=True)
    return json.loads(text, object_hook=lambda item: {k: v for k, v in item.items() if k not in VOLATILE})


VOLATILE = {"processed_at", "generated_at", "stage_seconds", "seconds", "processing_time"}
step = st.tuples(st.lists(st.sampled_from(NAMES), min_size=1, unique=True), st.lists(st.sampled_from(NAMES)))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, max_size=4))
def test_however_it_was_disturbed_a_run_that_ends_well_ends_the_same(
    steps: list[tuple[list[str], list[str]]], clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out, undisturbed = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("undisturbed")
    for services, broken in steps:
        run(clip, out, tuple(services), tuple(broken))
    made, outcome = run(clip, out)
    assert outcome.status == "ok"
    assert run(clip, undisturbed)[1].status == "ok"
    assert made_from(out) == WHOLE
    assert unified(out) == unified(undisturbed)
    assert len(made) == len(set(made))
    assert run(clip, out)[0] == []


def test_a_model_of_the_same_name_with_other_content_is_another_model(clip: Path, tmp_path: Path) -> None:
    for folder, content in (("a", b"one"), ("b", b"two"), ("c", b"one")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "best.pt").write_bytes(content)

    def made_by(weights: str) -> str:
        return Provenance(FetchedVideo(clip), Settings(yolo_weights=weights)).of(find_service("yolo"), {})

    one, two, three = (made_by(str(tmp_path / folder / "best.pt")) for folder in "abc")
    assert one != two
    assert one == three


def test_a_video_that_is_brought_again_is_the_same_one_by_its_identity(clip: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.mp4"
    again.write_bytes(clip.read_bytes())

    def made_by(path: Path, identity: str) -> str:
        return Provenance(FetchedVideo(path, identity=identity), Settings()).of(find_service("scene_detection"), {})

    assert made_by(clip, "ab") == made_by(again, "ab") != made_by(again, "cd")
    assert made_by(clip, "") != made_by(again, "")
