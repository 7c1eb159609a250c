"""``rumiai-orch submit`` on real files through a real server: what it finds, writes and says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rumiai.contracts.results import SERVICES
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.timeline.validate import check

from ..conftest import Clip, RunningServer
from .running import Done, alike, orch

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def ran(clip: Clip, triton_server: RunningServer, out: Path) -> Done:
    return orch("submit", clip.path, "--out", out, "--server", triton_server.grpc, "--json")


@pytest.fixture(scope="module")
def analysis(ran: Done, out: Path) -> UnifiedAnalysis:
    assert ran.code == 0, ran.stderr
    return UnifiedAnalysis.from_dict(json.loads((out / "unified_analysis/clip.json").read_text()))


def data(analysis: UnifiedAnalysis, service: str) -> dict[str, Any]:
    found = analysis.data(service)
    assert found is not None, analysis.reason(service)
    return dict(found)


def test_stdout_is_events_and_ends_with_done(ran: Done) -> None:
    (video,) = ran.done["videos"]
    assert ran.done["error"] is None
    assert (video["video_id"], video["status"], video["skipped"], video["error"]) == ("clip", "ok", False, None)
    assert video["seconds"] > 0
    assert {"progress", "video", "done"} <= {event["event"] for event in ran.events}


def test_every_service_has_its_file_and_holds_its_contract(ran: Done, out: Path) -> None:
    files = ran.done["videos"][0]["files"]
    assert set(files) == {"unified", *SERVICES}
    for service in SERVICES:
        stored = json.loads(Path(files[service]).read_text())
        assert stored["metadata"]["processed"] is True
        assert check(service, stored) == []


def test_frames_went_through_shared_memory(ran: Done) -> None:
    assert "travel as bytes" not in ran.stderr


def test_the_cuts_are_those_of_the_clip(analysis: UnifiedAnalysis, clip: Clip) -> None:
    found = data(analysis, "scene_detection")["scene_changes"]
    assert found == pytest.approx(clip.truth.cuts_s, abs=1 / 24)
    assert len(analysis.timeline.of_type("scene_change")) == len(clip.truth.cuts_s) == 2


def test_each_caption_is_one_text_with_its_times(analysis: UnifiedAnalysis) -> None:
    shown = data(analysis, "ocr")["textAnnotations"]
    for caption, start, end in (("WAIT FOR IT", 0.3, 1.8), ("Take the bus", 2.2, 3.8), ("FOLLOW ME", 4.3, 6.0)):
        matches = [text for text in shown if alike(text["text"], caption) >= 0.8]
        assert len(matches) == 1, (caption, [text["text"] for text in shown])
        # Times are right to one sampling step of half a second.
        assert matches[0]["start"] == pytest.approx(start, abs=0.5)
        assert matches[0]["end"] == pytest.approx(end, abs=0.5)


def test_the_sentence_is_heard(analysis: UnifiedAnalysis, clip: Clip) -> None:
    heard = data(analysis, "whisper")
    assert heard["language"] == "en"
    assert alike(heard["text"], clip.truth.transcript) >= 0.9
    first = heard["segments"][0]["words"][0]
    assert first["start"] == pytest.approx(clip.truth.words[0].start_s, abs=0.4)


def test_objects_and_people_are_where_the_pictures_show_them(analysis: UnifiedAnalysis) -> None:
    tracks = data(analysis, "yolo")["objectAnnotations"]
    bus = [f["timestamp"] for t in tracks if t["className"] == "bus" for f in t["frames"]]
    assert bus
    assert all(2.0 <= t < 4.0 for t in bus)
    people = data(analysis, "mediapipe")
    assert {face["timestamp"] for face in people["faces"]} >= {0.5, 1.0, 4.5, 5.0}
    assert people["metadata"]["frames_expected"] == 12


def test_the_picture_was_sampled_on_the_grid(analysis: UnifiedAnalysis) -> None:
    ocr = data(analysis, "ocr")["metadata"]
    assert ocr["frames_analyzed"] == ocr["frames_expected"] == 12
    assert ocr["frames_read"] + ocr["frames_carried"] + ocr["frames_gated"] == 12
    assert ocr["sample_fps"] == 2.0


def test_what_was_saved_reads_back_equal(analysis: UnifiedAnalysis, out: Path) -> None:
    raw = json.loads((out / "unified_analysis/clip.json").read_text())
    assert UnifiedAnalysis.from_dict(analysis.to_dict()) == analysis
    assert analysis.to_dict() == raw


def test_a_second_run_skips_and_force_does_it_again(
    ran: Done, clip: Clip, triton_server: RunningServer, out: Path
) -> None:
    before = (out / "unified_analysis/clip.json").read_bytes()
    again = orch("submit", clip.path, "--out", out, "--server", triton_server.grpc, "--json")
    assert again.code == 0
    assert again.done["videos"][0]["skipped"] is True
    assert (out / "unified_analysis/clip.json").read_bytes() == before
    forced = orch(
        "submit", clip.path, "--out", out, "--server", triton_server.grpc, "--json", "--force", "--services", "yolo"
    )
    assert forced.done["videos"][0]["skipped"] is False


def test_a_missing_service_file_is_made_again_alone(clip: Clip, triton_server: RunningServer, tmp_path: Path) -> None:
    arguments = ["submit", clip.path, "--out", tmp_path, "--server", triton_server.grpc, "--json"]
    arguments += ["--services", "yolo,scene_detection,mediapipe"]
    first = orch(*arguments)
    assert first.code == 0, first.stderr
    Path(first.done["videos"][0]["files"]["mediapipe"]).unlink()
    second = orch(*arguments)
    services = second.done["videos"][0]["services"]
    assert {name: facts["cached"] for name, facts in services.items()} == {
        "yolo": True,
        "scene_detection": True,
        "mediapipe": False,
    }
    assert second.done["videos"][0]["status"] == "ok"


def test_the_table_at_the_end_tells_the_story(ran: Done, clip: Clip, triton_server: RunningServer, out: Path) -> None:
    # The run before has done the work, so that this one only tells.
    told = orch("submit", clip.path, "--out", out, "--server", triton_server.grpc)
    assert told.code == 0
    text = " ".join(told.stdout.split())
    for part in (
        "6.0 s",
        "3 (cuts at 2.00, 4.00 s)",
        "Wait for it",
        "Take the bus",
        "bus",
        "unified_analysis/clip.json",
    ):
        assert part in text
