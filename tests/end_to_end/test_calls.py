"""Calls from odd places: results are written, stdout ends with ``done``, and one line says what is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from rumiai.demo import ClipSpec, Shot, render

from .running import COMMAND, LIMIT_S, Done, orch

LOCAL = ("--services", "scene_detection", "--workers", "1", "--no-insights")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    render(ClipSpec(shots=(Shot("gradient", 1.0),), width=160, height=284, fps=12, silent=True), path)
    return path


def shell(script: str, *arguments: str | Path, env: dict[str, str] | None = None) -> Done:
    """Run ``rumiai-orch`` as ``"$@"`` of a shell script."""
    command = ["bash", "-c", script, "bash", *COMMAND, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, timeout=LIMIT_S, env=env, check=False)
    return Done(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


@pytest.mark.parametrize(
    "changes",
    [
        {"TMPDIR": "long"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["TMPDIR of 200 characters", "LANG=C"],
)
def test_odd_names_in_an_odd_environment(film: Path, tmp_path: Path, changes: dict[str, str]) -> None:
    names = [b"latin1-caf\xe9.mp4", "\N{GRINNING FACE} caf\u00e9 #fyp.mp4".encode(), b"a" * 250 + b".mp4"]
    for number, name in enumerate(names):
        with open(os.fsencode(tmp_path) + b"/" + name, "wb") as stream:
            stream.write(film.read_bytes() + bytes(number))
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    temporary = tmp_path / ("t" * 200)
    temporary.mkdir()
    env = {**os.environ, **changes} | ({"TMPDIR": str(temporary)} if "TMPDIR" in changes else {})
    ran = orch("submit", tmp_path, "--out", tmp_path / "out", "--json", *LOCAL, env=env)
    statuses = {video["video_id"].rsplit("_", 1)[0]: video["status"] for video in ran.done["videos"]}
    assert statuses == {"latin1-caf_": "ok", "__caf___fyp": "ok", "a" * 91: "ok", "bad": "failed"}, ran.stderr[-2000:]
    assert ran.code == 5
    assert "Traceback" not in ran.stderr
    assert not list(temporary.iterdir())


def test_the_run_goes_on_when_the_reader_of_stdout_goes(film: Path, tmp_path: Path) -> None:
    (tmp_path / "two.mp4").write_bytes(film.read_bytes())
    arguments = ("submit", film, tmp_path / "two.mp4", "--out", tmp_path / "out", "--json", *LOCAL)
    ran = shell('"$@" | head -1; exit "${PIPESTATUS[0]}"', *arguments)
    assert len(ran.events) == 1
    assert sorted(path.name for path in (tmp_path / "out/unified_analysis").iterdir()) == ["film.json", "two.json"]
    assert ran.stderr.count("stdout takes nothing any more (Broken pipe)") == 1
    assert "Traceback" not in ran.stderr
    assert ran.code == 0


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams(film: Path, tmp_path: Path, closed: str) -> None:
    ran = shell(f'exec "$@" {closed}', "submit", film, "--out", tmp_path / "out", *LOCAL)
    assert ran.code == 0
    assert "Traceback" not in ran.stderr
    assert json.loads((tmp_path / "out/unified_analysis/film.json").read_bytes())["video_id"] == "film"


def test_a_current_folder_that_was_removed(film: Path, tmp_path: Path) -> None:
    script = f'mkdir "{tmp_path}/gone" && cd "{tmp_path}/gone" && rmdir "{tmp_path}/gone" && exec "$@"'
    ran = shell(script, "submit", film, "--out", tmp_path / "out", "--json", *LOCAL)
    assert ran.code == 2
    assert ran.done["error"]["type"] == "ConfigurationError"
    assert ran.done["error"]["message"].startswith("the current folder cannot be used: No such file or directory")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("file", "File exists"),
        ("file/below", "Not a directory"),
        ("/proc/none", "No such file or directory"),
        ("o" * 300, "File name too long"),
    ],
)
def test_an_out_that_takes_no_files(film: Path, tmp_path: Path, out: str, reason: str) -> None:
    (tmp_path / "file").touch()
    ran = orch("submit", film, "--out", tmp_path / out, "--json", *LOCAL)
    assert ran.code == 1
    assert ran.done["error"]["type"] == "StoreError"
    assert ran.done["error"]["message"].startswith("cannot write results into")
    assert reason in ran.done["error"]["message"]
    assert "Traceback" not in ran.stderr
    told = orch("submit", film, "--out", tmp_path / out, *LOCAL)
    assert (told.code, told.stdout) == (1, "")
    assert told.stderr.startswith("error: cannot write results into")


def test_namesakes_in_two_runs_have_a_result_each(film: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clip.mp4").write_bytes(film.read_bytes() + folder.encode())
    other = f"clip_{hashlib.sha256(film.read_bytes() + b'b').hexdigest()[:8]}"
    unified = tmp_path / "out/unified_analysis"

    def run(*folders: str) -> dict[str, bool]:
        paths = [tmp_path / folder / "clip.mp4" for folder in folders]
        ran = orch("submit", *paths, "--out", tmp_path / "out", "--json", *LOCAL)
        return {video["video_id"]: video["skipped"] for video in ran.done["videos"]}

    assert run("a") == {"clip": False}
    before = (unified / "clip.json").read_bytes()
    assert run("b") == {other: False}
    assert run("b", "a") == {other: True, "clip": True}
    assert sorted(path.name for path in unified.iterdir()) == ["clip.json", f"{other}.json"]
    assert (unified / "clip.json").read_bytes() == before
