"""``rumiai-orch submit`` on real files through a real server: what it finds, writes and says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.metrics.registry import ANALYSES, schema_of
from rumiai.services import all_services

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
    assert analysis.ok(service), analysis.reason(service)
    return analysis.ml_data[service].to_json()


def test_stdout_is_events_and_ends_with_done(ran: Done) -> None:
    (video,) = ran.done["videos"]
    assert ran.done["error"] is None
    assert (video["video_id"], video["status"], video["skipped"], video["error"]) == ("clip", "ok", False, None)
    assert video["seconds"] > 0
    assert {"progress", "video", "done"} <= {event["event"] for event in ran.events}


def test_every_service_has_its_file_and_holds_its_contract(ran: Done, out: Path) -> None:
    files = ran.done["videos"][0]["files"]
    assert set(files) == {"unified", *(service.name for service in all_services())}
    for service in all_services():
        stored = json.loads(Path(files[service.name]).read_text())
        assert stored["metadata"]["processed"] is True
        assert service.data_model().problems(stored) == []


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


def latest(out: Path, analysis: str, kind: str, video_id: str = "clip") -> Path:
    folder = out / "insights" / video_id / analysis
    pointer: dict[str, str] = json.loads((folder / "latest.json").read_text())
    return folder / pointer[kind]


def test_the_seven_analyses_are_written_and_hold_their_schema(ran: Done, out: Path) -> None:
    told = ran.done["videos"][0]["analyses"]
    assert list(told) == list(ANALYSES)
    for name in ANALYSES:
        assert told[name]["source"] == "python"
        blocks = json.loads(latest(out, name, "ml").read_text())
        assert list(blocks) == ["CoreMetrics", "Dynamics", "Interactions", "KeyEvents", "Patterns", "Quality"]
        assert schema_of(name).problems(blocks, duration_s=6.0) == []
        complete = json.loads(latest(out, name, "complete").read_text())
        assert complete["parsed_response"] == blocks
        assert json.loads(complete["result"]) == json.loads(latest(out, name, "result").read_text())


def test_their_numbers_are_those_of_the_clip(ran: Done, out: Path, clip: Clip, analysis: UnifiedAnalysis) -> None:
    def core(name: str) -> dict[str, Any]:
        blocks = json.loads(latest(out, name, "ml").read_text())
        found: dict[str, Any] = blocks["CoreMetrics"]
        return found

    pacing = core("scene_pacing")
    assert pacing["totalScenes"] == 3
    assert pacing["avgSceneDuration"] == pytest.approx(2.0, abs=0.02)
    assert pacing["videoDuration"] == pytest.approx(clip.truth.duration_s, abs=0.05)
    speech = core("speech_analysis")
    assert speech["totalWords"] == len(data(analysis, "whisper")["text"].split())
    assert speech["firstWordTimestamp"] == pytest.approx(clip.truth.words[0].start_s, abs=0.4)
    density = core("creative_density")
    assert density["sceneChangeCount"] == 2
    assert density["totalElements"] == sum(n for n in density["elementCounts"].values() if n is not None)
    overlays = core("visual_overlay_analysis")
    assert overlays["totalTextOverlays"] == density["elementCounts"]["text"] >= 3
    # Nothing is known of a local file's caption, counts or author: no number is made up for them.
    assert core("metadata_analysis")["viewCount"] is None


def test_markers_are_beside_and_in_the_unified_analysis(analysis: UnifiedAnalysis, out: Path) -> None:
    markers = json.loads((out / "temporal_markers/clip.json").read_text())
    assert analysis.temporal_markers == markers
    assert markers["cta_window"]["cta_appearances"]
    assert markers["metadata"]["duration"] == analysis.duration_s


def test_recompute_gives_the_same_blocks(ran: Done, out: Path, tmp_path: Path) -> None:
    unified = orch("recompute", out, "--out", tmp_path / "unified", "--json")
    assert unified.code == 0, unified.stderr
    assert unified.done["failed"] == 0
    # From the services' files alone, without the unified analysis.
    parts = tmp_path / "parts"
    for folder in out.iterdir():
        if folder.name.endswith("_outputs") or folder.name == "speech_transcriptions":
            shutil.copytree(folder, parts / folder.name)
    services = orch("recompute", parts, "--out", tmp_path / "services", "--json")
    assert services.code == 0, services.stderr
    for name in ANALYSES:
        expected = latest(out, name, "ml").read_bytes()
        assert latest(tmp_path / "unified", name, "ml").read_bytes() == expected
        assert latest(tmp_path / "services", name, "ml").read_bytes() == expected


VOLATILE = {"processed_at", "generated_at", "stage_seconds", "seconds"}


def lasting(path: Path) -> Any:
    """A file's content without what may differ between equal runs (docs/outputs.md)."""
    return json.loads(
        path.read_text(), object_hook=lambda item: {key: value for key, value in item.items() if key not in VOLATILE}
    )


def test_a_run_in_two_parts_ends_as_one(
    ran: Done, clip: Clip, triton_server: RunningServer, out: Path, tmp_path: Path
) -> None:
    arguments = ["submit", clip.path, "--out", tmp_path, "--server", triton_server.grpc, "--json"]
    part = orch(*arguments, "--services", "mediapipe,emotion_detection")
    assert part.code == 0, part.stderr
    whole = orch(*arguments)
    services = whole.done["videos"][0]["services"]
    # Both were made without the boxes of persons and the words, which there are now.
    assert {name for name, facts in services.items() if facts["cached"]} == set()
    for service in (service.name for service in all_services()):
        mine = Path(whole.done["videos"][0]["files"][service]).relative_to(tmp_path)
        assert (tmp_path / mine).read_bytes() == (out / mine).read_bytes(), service
    assert lasting(tmp_path / "unified_analysis/clip.json") == lasting(out / "unified_analysis/clip.json")
    for name in ANALYSES:
        assert latest(tmp_path, name, "ml").read_bytes() == latest(out, name, "ml").read_bytes()
    # The other way round nothing is left to do: they rest on what is there.
    assert orch(*arguments, "--services", "mediapipe,emotion_detection").done["videos"][0]["skipped"] is True


def test_no_insights_stops_after_the_unified_analysis(clip: Clip, tmp_path: Path) -> None:
    stopped = orch(
        "submit", clip.path, "--out", tmp_path, "--json", "--no-insights", "--services", "scene_detection,audio_energy"
    )
    assert stopped.code == 0
    assert (tmp_path / "unified_analysis/clip.json").exists()
    assert not (tmp_path / "temporal_markers").exists()
    assert stopped.done["videos"][0]["analyses"] == {}


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


@pytest.mark.parametrize("server", [[], ["--server", "127.0.0.1:9"]], ids=["none named", "one that is not there"])
def test_a_finished_run_asks_no_server(ran: Done, clip: Clip, out: Path, server: list[str]) -> None:
    again = orch("submit", clip.path, "--out", out, "--json", *server)
    assert again.code == 0, again.stderr
    assert again.done["videos"][0]["skipped"] is True
    assert "server" not in {event["event"] for event in again.events}
    assert not (out / "logs/server.log").exists()


def test_a_server_is_started_when_a_finished_result_turns_out_to_be_damaged(
    clip: Clip, triton_server: RunningServer, tmp_path: Path
) -> None:
    arguments = ["submit", clip.path, "--out", tmp_path, "--json", "--services", "whisper", "--no-insights"]
    first = orch(*arguments, "--server", triton_server.grpc)
    heard = Path(first.done["videos"][0]["files"]["whisper"])
    whole = heard.read_bytes()
    heard.write_bytes(b"?" * len(whole))  # of the same size: only reading it tells
    second = orch(*arguments)
    assert second.code == 0, second.stderr
    assert [event["state"] for event in second.events if event["event"] == "server"] == [
        "starting",
        "ready",
        "stopping",
    ]
    assert [event["video_id"] for event in second.events if event["event"] == "retry"] == ["clip"]
    assert second.done["videos"][0]["status"] == "ok"
    assert heard.read_bytes() == whole


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
    # Into a pipe: nothing is folded, nothing filled up.
    (files,) = [line for line in told.stdout.splitlines() if line.startswith("files")]
    assert files.endswith(str(out / "unified_analysis/clip.json"))
    assert told.stdout.splitlines() == [line.rstrip() for line in told.stdout.splitlines()]
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
