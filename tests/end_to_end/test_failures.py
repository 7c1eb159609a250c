"""What a run does with bad files, a dead server, an interrupt; and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from rumiai.demo import ClipSpec, Shot, render

from ..conftest import Clip, RunningServer, serving
from .running import Tracked, orch

pytestmark = pytest.mark.server

# Everything but what needs the server: for tests of the run itself.
LOCAL = ("--services", "scene_detection,audio_energy")


def small(path: Path, **changes: object) -> Path:
    spec = {
        "shots": (Shot("gradient", 1.0), Shot("noise", 1.0)),
        "width": 160,
        "height": 284,
        "fps": 12,
        "silent": True,
    }
    render(ClipSpec(**{**spec, **changes}), path)  # type: ignore[arg-type]
    return path


def test_one_broken_video_does_not_stop_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = small(folder / "good.mp4")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "garbage.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
    (folder / "truncated.mp4").write_bytes(good.read_bytes()[:900])
    (folder / "text.mp4").write_text("this is no video")
    ran = orch("submit", folder, "--out", tmp_path / "out", "--json", *LOCAL)
    videos = {video["video_id"]: video for video in ran.done["videos"]}
    assert {name: video["status"] for name, video in videos.items()} == {
        "good": "ok",
        "empty": "failed",
        "garbage": "failed",
        "truncated": "failed",
        "text": "failed",
    }
    assert ran.code == 5
    for name in ("empty", "garbage", "truncated", "text"):
        error = videos[name]["error"]
        assert error["type"] in ("ProbeError", "DecodeError")
        assert error["stage"] == "probe"
        assert f"{name}.mp4" in error["message"]


def test_a_file_over_the_limits_says_got_and_allowed(tmp_path: Path) -> None:
    path = small(tmp_path / "long.mp4", shots=(Shot("gradient", 4.0),))
    ran = orch("submit", path, "--out", tmp_path / "out", "--json", "--max-video-duration", "3", *LOCAL)
    (video,) = ran.done["videos"]
    assert video["error"]["type"] == "LimitError"
    assert "4" in video["error"]["message"]
    assert "3" in video["error"]["message"]
    assert ran.code == 5


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"silent": True}, None),
        ({"shots": (), "duration_s": 2.0, "tone_hz": 440.0, "silent": False}, "scene_detection"),
        ({"codec": "vp9", "container": "webm"}, None),
        ({"rotation_deg": 90}, None),
        ({"vfr": True}, None),
        ({"pixel_format": "yuv420p10le", "codec": "hevc"}, None),
        ({"width": 284, "height": 160}, None),
        ({"shots": (Shot("gradient", 1 / 12),)}, None),
    ],
    ids=["silent", "audio only", "webm", "rotated", "vfr", "10 bit hevc", "landscape", "one frame"],
)
def test_kinds_of_files(changes: dict[str, object], missing: str | None, tmp_path: Path) -> None:
    suffix = "webm" if changes.get("container") == "webm" else "mp4"
    path = small(tmp_path / f"clip.{suffix}", **changes)
    ran = orch("submit", path, "--out", tmp_path / "out", "--json", *LOCAL)
    (video,) = ran.done["videos"]
    assert ran.code == 0, video["error"]
    unified = json.loads(Path(video["files"]["unified"]).read_text())
    energy = unified["ml_data"]["audio_energy"]
    assert energy["metadata"]["has_audio"] is not changes.get("silent", True)
    if missing is None:
        assert video["status"] == "ok"
        assert unified["pipeline_details"]["scene_detection"]["ok"] is True
        assert unified["ml_data"]["scene_detection"]["scenes"][-1]["end_time"] == pytest.approx(unified["duration"])
    else:
        assert video["status"] == "partial"
        assert unified["pipeline_details"][missing] == {"ok": False, "reason": "the file has no video stream"}
        assert missing not in unified["ml_data"]


def test_without_the_server_that_was_named_nothing_starts(tmp_path: Path) -> None:
    path = small(tmp_path / "clip.mp4")
    ran = orch("submit", path, "--out", tmp_path / "out", "--json", "--server", "127.0.0.1:9")
    assert ran.code == 1
    assert ran.done["error"]["type"] == "ServerError"
    assert "127.0.0.1:9" in ran.done["error"]["message"]
    assert [(v["video_id"], v["status"], v["error"]["type"]) for v in ran.done["videos"]] == [
        ("clip", "failed", "NotStarted")
    ]


def test_without_weights_nothing_starts_and_the_command_that_fetches_them_is_named(tmp_path: Path) -> None:
    path = small(tmp_path / "clip.mp4")
    env = {**os.environ, "RUMIAI_WEIGHTS_DIR": str(tmp_path / "none")}
    ran = orch("submit", path, "--out", tmp_path / "out", "--json", env=env)
    assert ran.code == 1
    assert ran.done["error"]["type"] == "WeightsError"
    assert "weights fetch" in ran.done["error"]["message"]
    assert not (tmp_path / "out" / "unified_analysis").exists()


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["absent.mp4"], "SourceError"),
        ([], "SourceError"),
        (["--sample-fps", "zero"], "ConfigurationError"),
        (["--services", "yolo,tarot"], "ConfigurationError"),
        (["--no-such-option"], "UsageError"),
    ],
)
def test_mistakes_end_with_2_and_a_done_event(arguments: list[str], kind: str, clip: Clip) -> None:
    sources = [] if arguments == ["absent.mp4"] or not arguments else [clip.path]
    ran = orch("submit", *sources, *arguments, "--json")
    assert ran.code == 2
    assert ran.done["videos"] == []
    assert ran.done["error"]["type"] == kind


def test_strict_mode_fails_a_video_whose_service_failed(tmp_path: Path) -> None:
    sound = small(tmp_path / "sound.mp4", shots=(), duration_s=2.0, tone_hz=440.0, silent=False)
    # Damaged sound: the service fails, the video would be partial.
    content = bytearray(sound.read_bytes())
    middle = len(content) // 3
    content[middle : middle * 2] = bytes(middle)
    sound.write_bytes(content)
    ran = orch("submit", sound, "--out", tmp_path / "out", "--json", "--services", "audio_energy", "--strict")
    assert ran.code == 5
    assert ran.done["videos"][0]["status"] == "failed"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(
    signum: int, clip: Clip, triton_server: RunningServer, tmp_path: Path
) -> None:
    arguments = ["submit", clip.path, "--out", tmp_path, "--server", triton_server.grpc, "--json"]
    run = Tracked(*arguments)
    run.read_until('"stage": "frames"')
    assert run.descendants()
    run.process.send_signal(signum)
    ended = run.finish()
    assert ended.code == 1, ended.stderr
    assert ended.done["videos"][0]["error"]["type"] == "Interrupted"
    assert run.leftovers() == []
    again = orch(*arguments)
    assert again.code == 0
    assert again.done["videos"][0]["status"] == "ok"


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGABRT])
def test_a_killed_worker_costs_its_video_one_retry(
    clip: Clip, triton_server: RunningServer, tmp_path: Path, signum: int
) -> None:
    run = Tracked("submit", clip.path, "--out", tmp_path, "--server", triton_server.grpc, "--json")
    run.read_until('"stage": "frames"')
    workers = [child for child in run.descendants() if "spawn_main" in " ".join(child.cmdline())]
    assert len(workers) == 1
    workers[0].send_signal(signum)
    ended = run.finish()
    assert ended.code == 0, ended.stderr
    assert [event["event"] for event in ended.events].count("retry") == 1
    # What a native library does when it gives up leaves the place in the log; nobody can, when killed.
    told = "Fatal Python error: Aborted" in (tmp_path / "logs" / "workers.log").read_text(encoding="utf-8")
    assert told == (signum == signal.SIGABRT)
    assert ended.done["videos"][0]["status"] == "ok"
    assert run.leftovers() == []


def test_the_embedded_server_is_started_and_stopped(clip: Clip, tmp_path: Path) -> None:
    run = Tracked("submit", clip.path, "--out", tmp_path, "--services", "yolo,scene_detection", "--json")
    ended = run.finish()
    assert ended.code == 0, ended.stderr
    assert [e["state"] for e in ended.events if e["event"] == "server"] == ["starting", "ready", "stopping"]
    assert ended.done["videos"][0]["status"] == "ok"
    assert run.leftovers() == []


def test_an_interrupt_while_the_server_starts_leaves_nothing_behind(clip: Clip, tmp_path: Path) -> None:
    run = Tracked("submit", clip.path, "--out", tmp_path, "--services", "yolo,scene_detection", "--json")
    run.read_until('"state": "starting"')
    run.wait_for_process("tritonserver")
    run.process.send_signal(signal.SIGINT)
    ended = run.finish()
    assert ended.code == 1
    assert ended.done["error"]["type"] == "ServerError"
    assert ended.done["videos"][0]["status"] == "failed"
    assert run.leftovers() == []


def test_a_killed_run_takes_its_server_and_workers_with_it(clip: Clip, tmp_path: Path) -> None:
    run = Tracked("submit", clip.path, "--out", tmp_path, "--services", "yolo,scene_detection", "--json")
    run.read_until('"state": "ready"')
    run.process.kill()
    run.finish()
    left = [name for name in run.leftovers() if name.startswith("process")]
    deadline = time.monotonic() + 30
    while left and time.monotonic() < deadline:
        left = [name for name in run.leftovers() if name.startswith("process")]
    assert left == []


def test_a_server_that_dies_in_the_middle_is_a_recorded_failure(clip: Clip, tmp_path: Path) -> None:
    with serving(tmp_path / "log", "--models", "yolo") as server:
        run = Tracked(
            "submit", clip.path, "--out", tmp_path / "out", "--server", server.grpc, "--json",
            "--services", "yolo,scene_detection",
        )  # fmt: skip
        run.read_until('"event": "progress"')
        server.process.kill()
        server.process.wait()
        ended = run.finish()
    video = ended.done["videos"][0]
    if video["status"] != "ok":  # the whole clip may have been seen before the server had gone
        assert "yolo" not in video["files"]
        told = video["error"]["message"] if video["error"] else video["services"]["yolo"]["reason"]
        assert "server" in told
    assert run.leftovers() == []
