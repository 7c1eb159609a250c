"""What a run does with bad files, a dead server, an interrupt; and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from rumiai.demo import ClipSpec, Shot, Utterance, render

from ..conftest import Clip, RunningServer, serving
from .running import COMMAND, LIMIT_S, orch, shared_memory

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
    (folder / "garbage.mp4").write_bytes(os.urandom(5000))
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
    assert ran.code == 1
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
    assert ran.code == 1


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


def test_a_server_that_is_not_there_fails_its_services_alone(tmp_path: Path) -> None:
    path = small(tmp_path / "clip.mp4", speech=(Utterance("Hello there.", 0.2),), silent=False)
    ran = orch("submit", path, "--out", tmp_path / "out", "--json", "--server", "127.0.0.1:9")
    (video,) = ran.done["videos"]
    assert video["status"] == "failed"
    assert video["error"]["type"] == "ServerError"
    assert "127.0.0.1:9" in video["error"]["message"]
    assert ran.code == 1


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
    assert ran.code in (1, 4)
    assert ran.done["videos"][0]["status"] == "failed"


def descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(
    signum: int, clip: Clip, triton_server: RunningServer, tmp_path: Path
) -> None:
    before = shared_memory()
    command = [*COMMAND, "submit", str(clip.path), "--out", str(tmp_path), "--server", triton_server.grpc, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if '"stage": "frames"' in line:
            break
    workers = descendants(psutil.Process(process.pid))
    assert workers
    process.send_signal(signum)
    rest, stderr = process.communicate(timeout=LIMIT_S)
    last = json.loads(rest.splitlines()[-1])
    assert process.returncode == 1, stderr
    assert last["event"] == "done"
    assert last["videos"][0]["error"]["type"] == "Interrupted"
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
    assert shared_memory() <= before
    again = orch("submit", clip.path, "--out", tmp_path, "--server", triton_server.grpc, "--json")
    assert again.code == 0
    assert again.done["videos"][0]["status"] == "ok"


def test_a_killed_worker_costs_its_video_one_retry(clip: Clip, triton_server: RunningServer, tmp_path: Path) -> None:
    before = shared_memory()
    command = [*COMMAND, "submit", str(clip.path), "--out", str(tmp_path), "--server", triton_server.grpc, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    events = []
    killed = False
    for line in process.stdout:
        events.append(json.loads(line))
        if not killed and events[-1].get("stage") == "frames":
            # The worker is the child that has the video open.
            for child in descendants(psutil.Process(process.pid)):
                if any(entry.path == str(clip.path) for entry in child.open_files()):
                    child.kill()
                    killed = True
    assert process.wait(LIMIT_S) == 0
    assert killed
    assert [event["event"] for event in events].count("retry") == 1
    assert events[-1]["videos"][0]["status"] == "ok"
    assert shared_memory() <= before


def test_the_embedded_server_is_started_and_stopped(clip: Clip, tmp_path: Path) -> None:
    before = shared_memory()
    ran = orch("submit", clip.path, "--out", tmp_path, "--services", "yolo,scene_detection", "--json")
    assert ran.code == 0, ran.stderr
    assert [e["state"] for e in ran.events if e["event"] == "server"] == ["starting", "ready", "stopping"]
    assert ran.done["videos"][0]["status"] == "ok"
    assert shared_memory() <= before
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]


def test_a_server_that_dies_in_the_middle_is_a_recorded_failure(clip: Clip, tmp_path: Path) -> None:
    before = shared_memory()
    with serving(tmp_path / "log", "--models", "yolo") as server:
        command = [
            *COMMAND,
            "submit",
            str(clip.path),
            "--out",
            str(tmp_path / "out"),
            "--server",
            server.grpc,
            "--json",
        ]
        command += ["--services", "yolo,scene_detection"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if '"event": "progress"' in line:
                break
        server.process.kill()
        server.process.wait()
        rest, _ = process.communicate(timeout=LIMIT_S)
    video = json.loads(rest.splitlines()[-1])["videos"][0]
    if video["status"] != "ok":  # the whole clip may have been seen before the server had gone
        assert "yolo" not in video["files"]
        told = video["error"]["message"] if video["error"] else video["services"]["yolo"]["reason"]
        assert "server" in told
    time.sleep(1)
    assert {name for name in shared_memory() - before if name.startswith("rumiai")} == set()
