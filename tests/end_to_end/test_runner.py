"""The runner as its callers start it: what it prints, what it ends with, and that an older Node wrapper can read it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rumiai.demo import ClipSpec, Shot, render
from rumiai.metrics.registry import ANALYSES

from ..node import node
from ..unit.web_server import file, serving
from .running import LIMIT_S, Done

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/rumiai_runner.py"
OLD_WRAPPER = Path(__file__).with_name("old_wrapper.js")
STEP = re.compile("\U0001f4ca\\s+(\\w+)\\.\\.\\.\\s+\\((\\d+)%\\)")
STEPS = [
    ("scraping_metadata", "0"), ("downloading_video", "10"), ("running_ml_analysis", "20"), ("building_timeline", "50"),
    ("generating_temporal_markers", "60"), ("saving_analysis", "65"), ("running_claude_prompts", "70"),
    ("generating_report", "95"), ("completed", "100"),
]  # fmt: skip
LOCAL = ("--services", "scene_detection")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``film.mp4``, whose analysis is in ``out``, and ``bad.mp4``."""
    folder = tmp_path_factory.mktemp("runner")
    render(ClipSpec(shots=(Shot("gradient", 1.0),), width=160, height=284, fps=12, silent=True), folder / "film.mp4")
    (folder / "bad.mp4").write_bytes(b"no film")
    return folder


def run(folder: Path, *arguments: str, stdin: str = "", **env: str) -> Done:
    """The runner by its old name, by whatever ``python3`` there is."""
    command = [shutil.which("python3") or sys.executable, str(SCRIPT), *arguments]
    ran = subprocess.run(
        command, input=stdin.encode(), capture_output=True, cwd=folder, env={**os.environ, **env}, timeout=LIMIT_S,
        check=False,
    )  # fmt: skip
    return Done(ran.returncode, ran.stdout.decode("utf-8"), ran.stderr.decode("utf-8"))


def read(ran: Done) -> tuple[list[tuple[str, ...]], dict[str, Any]]:
    """The steps and the result: nothing else may stand on stdout."""
    *steps, last = ran.stdout.splitlines()
    matches = [STEP.fullmatch(step) for step in steps]
    assert None not in matches, steps
    return [match.groups() for match in matches if match], json.loads(last)


@pytest.fixture(scope="module")
def first(folder: Path) -> Done:
    # A locale without the sign of the steps changes nothing.
    return run(folder, "film.mp4", "--output-format", "json", *LOCAL, LC_ALL="C", PYTHONUTF8="0")


def test_stdout_is_steps_and_a_result(first: Done, folder: Path) -> None:
    steps, result = read(first)
    assert first.code == 0, first.stderr
    assert steps == STEPS
    assert (result["success"], result["partial"], result["video_id"]) == (True, False, "film")
    assert Path(result["outputs"]["video"]) == folder / "film.mp4"
    assert json.loads(Path(result["outputs"]["unified"]).read_text())["video_id"] == "film"
    assert json.loads(Path(result["outputs"]["temporal"]).read_text())
    assert {path.name for path in Path(result["outputs"]["insights"]).iterdir()} >= set(ANALYSES)
    (report,) = Path(result["outputs"]["insights"]).glob("report_*.json")
    stored = json.loads(report.read_text())
    assert result["report"]["ml_completion_details"] == stored["ml_completion_details"] == {"scene_detection": True}
    assert result["report"]["duration"] == 1.0
    assert result["metrics"]["timers"]["total"] > 0


def test_an_id_is_taken_up(first: Done, folder: Path) -> None:
    ran = run(folder, "--video-id", "film", "--resume", "--analyses", "scene_pacing", *LOCAL)
    steps, result = read(ran)
    assert ran.code == 0, ran.stderr
    assert steps == STEPS
    assert (result["video_id"], result["prompts_completed"]) == ("film", 7)
    assert result["report"]["services"]["scene_detection"]["cached"] is True
    assert list(result["report"]["analyses"]) == ["scene_pacing"]


def test_an_id_whose_video_has_gone_is_taken_up_from_its_results(first: Done, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "out/unified_analysis", tmp_path / "out/unified_analysis")
    ran = run(tmp_path, "film")
    steps, result = read(ran)
    assert ran.code == 0, ran.stderr
    assert steps == STEPS
    assert (result["prompts_completed"], result["outputs"]["video"]) == (7, None)
    body = next((tmp_path / "out/insights/film/scene_pacing").glob("scene_pacing_ml_*"))
    before = next((folder / "out/insights/film/scene_pacing").glob("scene_pacing_ml_*"))
    assert body.read_bytes() == before.read_bytes()


def test_a_failure_ends_with_a_result(folder: Path) -> None:
    ran = run(folder, "bad.mp4", *LOCAL)
    result = read(ran)[1]
    assert (ran.code, result["success"], result["error_type"]) == (1, False, "ProbeError")
    assert "bad.mp4" in result["error"]
    assert "Traceback" not in ran.stderr


def test_a_request_on_stdin(first: Done, folder: Path) -> None:
    options = {"services": ["scene_detection"], "quiet": True, "pretty": True}
    ran = run(folder, "--stdin", stdin=json.dumps({"video_path": "film.mp4", "options": options}))
    assert ran.code == 0, ran.stderr
    assert ran.stdout.startswith('{\n  "success": true,\n')
    assert json.loads(ran.stdout)["report"]["services"]["scene_detection"]["cached"] is True


def test_a_file_with_an_id_and_metadata(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "post.json").write_text(json.dumps({"id": "8", "text": "Wait for it #fyp", "playCount": 70}))
    ran = run(
        tmp_path, "--video-path", str(folder / "film.mp4"), "--video-id", "7454575786134195489",
        "--metadata", "post.json", *LOCAL,
    )  # fmt: skip
    result = read(ran)[1]
    assert (ran.code, result["video_id"]) == (0, "7454575786134195489"), ran.stderr
    metadata = json.loads(Path(result["outputs"]["unified"]).read_text())["metadata"]
    assert (metadata["id"], metadata["description"]) == ("7454575786134195489", "Wait for it #fyp")
    assert metadata["views"] == 70


def test_text_is_for_people(first: Done, folder: Path) -> None:
    ran = run(folder, "--output-format", "text", *LOCAL, VIDEO_PATH="film.mp4")
    assert ran.code == 0, ran.stderr
    assert ran.stdout.splitlines()[len(STEPS)] == "success: film"
    assert "VIDEO_PATH has no effect" not in ran.stderr
    failed = run(folder, "bad.mp4", "--output-format", "text", *LOCAL)
    assert failed.code == 1
    assert "{" not in failed.stdout
    assert "error: bad" in failed.stderr


def test_events_in_place_of_the_protocol(first: Done, folder: Path) -> None:
    ran = run(folder, "film.mp4", "--json", *LOCAL)
    assert [video["video_id"] for video in ran.done["videos"]] == ["film"]


def test_a_url(folder: Path, tmp_path: Path) -> None:
    with serving(file((folder / "film.mp4").read_bytes())) as site:
        url = site.url("/post.mp4")
        ran = run(tmp_path, "--video-url", url, *LOCAL, RUMIAI_ALLOW_ADDRESSES="127.0.0.1")
    steps, result = read(ran)
    assert ran.code == 0, ran.stderr
    assert steps == STEPS
    assert Path(result["outputs"]["video"]).read_bytes() == (folder / "film.mp4").read_bytes()
    # The address is gone, the copy is there.
    again = run(tmp_path, result["video_id"], *LOCAL)
    assert again.code == 0, again.stderr
    assert read(again)[1]["report"]["services"]["scene_detection"]["cached"] is True


def test_steps_come_while_the_video_is_analysed(folder: Path, tmp_path: Path) -> None:
    """Line by line, though stdout is a pipe."""
    command = [sys.executable, str(SCRIPT), "film.mp4", "--out", str(tmp_path), *LOCAL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder) as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert process.poll() is None
        rest = process.stdout.read().decode()
    assert STEP.fullmatch(line.rstrip())
    assert json.loads(rest.splitlines()[-1])["success"] is True


def old_wrapper(folder: Path, *arguments: str) -> dict[str, Any]:
    command = [node(), str(OLD_WRAPPER), sys.executable, str(SCRIPT), *arguments, *LOCAL]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=LIMIT_S, check=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_an_older_node_wrapper_reads_a_success(first: Done, folder: Path) -> None:
    told = old_wrapper(folder, "film.mp4")
    assert told["resolved"]["success"] is True
    assert told["resolved"]["video_id"] == "film"
    # It sees the first step of each chunk, and a line is a chunk unless two come at once.
    assert told["progress"][0] == {"stage": "scraping_metadata", "percent": 0}
    percents = [step["percent"] for step in told["progress"]]
    assert percents == sorted(set(percents))


NODE_RUN = """
const { Runner } = require(process.argv[1]);
const steps = [];
const runner = new Runner({ python: process.argv[2] });
runner.run(process.argv[3], { settings: { services: ['scene_detection'] }, onProgress: (step) => steps.push(step) })
  .then((result) => console.log(JSON.stringify({ result, steps })))
  .catch(({ type, code, message, errorType }) => console.log(JSON.stringify({ type, code, message, errorType })));
"""


def node_wrapper(folder: Path, given: str) -> dict[str, Any]:
    client = SCRIPT.parents[1] / "clients/node"
    command = [node(), "-e", NODE_RUN, str(client), sys.executable, given]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=LIMIT_S, check=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_the_node_wrapper_reads_every_step_and_the_result(first: Done, folder: Path) -> None:
    told = node_wrapper(folder, "film.mp4")
    assert [(step["stage"], str(step["percent"])) for step in told["steps"]] == STEPS
    assert told["result"]["outputs"] == read(first)[1]["outputs"]


def test_the_node_wrapper_reads_failures(folder: Path) -> None:
    told = node_wrapper(folder, "bad.mp4")
    assert (told["type"], told["code"], told["errorType"]) == ("general", 1, "ProbeError")
    assert "bad.mp4" in told["message"]


def test_an_older_node_wrapper_reads_failures(folder: Path) -> None:
    bad = old_wrapper(folder, "bad.mp4")["rejected"]
    assert (bad["code"], bad["type"]) == (1, "general")
    assert json.loads(bad["output"].splitlines()[-1])["error_type"] == "ProbeError"
    unknown = old_wrapper(folder, "7454575786134195489")["rejected"]
    assert (unknown["code"], unknown["type"]) == (2, "invalid_arguments")
    assert "nothing is known of 7454575786134195489" in unknown["error"]
