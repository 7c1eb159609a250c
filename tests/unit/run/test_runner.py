"""Which video a caller means, what it is told, and with which exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rumiai.contracts.outcome import AnalysisOutcome, Failure, ServiceOutcome, VideoOutcome
from rumiai.errors import ConfigurationError, UsageError
from rumiai.metrics.registry import ANALYSES
from rumiai.results.store import Store
from rumiai.run.runner import Wanted, chosen_analyses, end_early
from rumiai.run.runner_result import result, runner_code
from rumiai.settings import Settings

URL = "https://h.org/v.mp4"


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        ((URL, "", "", ""), Wanted(url=URL)),
        (("7", URL, "", "8"), Wanted(url=URL)),
        (("7", "", "", ""), Wanted(video_id="7")),
        (("7", "", "", "8"), Wanted(video_id="8")),
        ((URL, "", "", "8"), Wanted(video_id="8")),
        (("7", "", "a.mp4", "8"), Wanted(path="a.mp4", video_id="8")),
        (("film.mp4", "", "", ""), Wanted(path="film.mp4")),
        (("film.mp4", "", "", "8"), Wanted(path="film.mp4", video_id="8")),
        (("none.mp4", "", "", ""), Wanted(video_id="none.mp4")),
        (("s3://bucket/v.mp4", "", "", ""), Wanted(url="s3://bucket/v.mp4")),
        (("a" * 300, "", "", ""), Wanted(video_id="a" * 300)),
    ],
)
def test_which_video_is_meant(
    named: tuple[str, str, str, str], wanted: Wanted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "film.mp4").touch()
    assert Wanted.of(*named) == wanted


def test_no_video() -> None:
    with pytest.raises(UsageError, match="no video was named"):
        Wanted.of("", "", "", "")
    with pytest.raises(UsageError, match="7 is no URL"):
        Wanted.of("", "7", "", "")


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 1)])
def test_the_protocol_has_five_exit_codes(code: int, expected: int) -> None:
    assert runner_code(code) == expected


def test_analyses_are_chosen_by_name() -> None:
    assert chosen_analyses(None) == ANALYSES
    assert chosen_analyses("scene_pacing, speech_analysis") == ("scene_pacing", "speech_analysis")
    with pytest.raises(ConfigurationError, match="--analyses: got 'pacing', expected some of creative_density"):
        chosen_analyses("pacing")


def outcome() -> VideoOutcome:
    judged = {
        "scene_pacing": AnalysisOutcome("claude", 0.9, "haiku", 0.01, 500, 2.0),
        "speech_analysis": AnalysisOutcome("python_fallback", 0.5, errors=("deadline",)),
        "person_framing": AnalysisOutcome("python", 0.4),
    }
    services = {"ocr": ServiceOutcome(True, None, 1.0, False), "yolo": ServiceOutcome(False, "died", 2.0, False)}
    return VideoOutcome(
        "clip", "clip.mp4", "partial", services=services, analyses=judged, stage_seconds={"probe": 0.5, "total": 3.0}
    )


def test_a_success_tells_where_its_files_are_and_how_it_went(tmp_path: Path) -> None:
    store = Store(tmp_path)
    told = result(outcome(), store, Settings(), "/films/clip.mp4")
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert {name: told[name] for name in ("success", "partial", "video_id", "outputs")} == {
        "success": True,
        "partial": True,
        "video_id": "clip",
        "outputs": {
            "video": "/films/clip.mp4",
            "unified": str(tmp_path / "unified_analysis/clip.json"),
            "temporal": str(tmp_path / "temporal_markers/clip.json"),
            "insights": str(tmp_path / "insights/clip"),
        },
    }
    report, metrics = told["report"], told["metrics"]
    assert (report["prompts_successful"], report["prompts_total"], report["total_cost"]) == (1, 2, 0.01)
    assert report["prompt_details"]["scene_pacing"] == {"success": True, "tokens": 500, "cost": 0.01, "time": 2.0}
    assert report["ml_completion_details"] == {"ocr": True, "yolo": False}
    assert report["ml_errors"] == {"yolo": "died"}
    assert report["processing_metrics"] == metrics
    assert metrics["counters"] == {"videos_processed": 1, "prompts_successful": 1, "prompts_total": 2}
    assert metrics["gauges"] == {"total_cost_usd": 0.01}
    assert metrics["timers"] == {"probe": 0.5, "total": 3.0}
    assert metrics["memory"]["vms_mb"] > metrics["memory"]["rss_mb"] > 10
    assert metrics["uptime_seconds"] > 0


def test_the_result_tells_the_analyses_that_were_asked_for(tmp_path: Path) -> None:
    told = result(outcome(), Store(tmp_path), Settings(), "", analyses=("scene_pacing",))
    assert list(told["report"]["analyses"]) == list(told["report"]["prompt_details"]) == ["scene_pacing"]
    assert told["outputs"]["video"] is None


def test_a_failure_tells_its_class_and_its_stage(tmp_path: Path) -> None:
    failed = replace(outcome(), status="failed", error=Failure("ProbeError", "no video", "probe", 5))
    told = result(failed, Store(tmp_path), Settings(), "")
    shown = {name: told[name] for name in ("success", "error", "error_type", "stage", "video_id")}
    assert shown == {
        "success": False, "error": "no video", "error_type": "ProbeError", "stage": "probe", "video_id": "clip",
    }  # fmt: skip
    assert told["metrics"]["counters"]["videos_processed"] == 0
    assert "outputs" not in told


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["runner"], 1),
        (["runner", "--output-format", "json"], 1),
        (["runner", "--output-format", "text"], 0),
        (["runner", "--output-format=text"], 0),
        (["runner", "text"], 1),
    ],
)
def test_a_call_that_could_not_start_ends_with_a_result_too(
    capsys: pytest.CaptureFixture[str], words: list[str], lines: int
) -> None:
    assert end_early(words, "UsageError", "no video", 2) == 2
    told = capsys.readouterr().out.splitlines()
    assert len(told) == lines
    for line in told:
        shown = json.loads(line)
        assert shown.pop("metrics")["counters"]["videos_processed"] == 0
        assert shown == {"success": False, "error": "no video", "error_type": "UsageError"}


def test_a_pretty_result_has_several_lines(capsys: pytest.CaptureFixture[str]) -> None:
    end_early(["runner", "--pretty"], "UsageError", "no video", 2)
    told = capsys.readouterr().out
    assert told.startswith('{\n  "success": false,\n')
    assert json.loads(told)["error"] == "no video"
