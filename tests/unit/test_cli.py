"""Calls that cannot be answered: one line on stderr, the right exit status, and with ``--json`` the ``done`` event."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rumiai.cli import main


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["submit", ""], {}, "a source is empty"),
        (["submit", "x.mp4", "--out", ""], {}, "--out: got '', expected a folder"),
        (["submit", "x.mp4", "--max-video-duration", "abc"], {}, "--max-video-duration: got 'abc', expected a number"),
        (["submit", "x.mp4", "--max-cost", "abc"], {}, "--max-cost: got 'abc', expected a number"),
        (["submit", "x.mp4", "--claude", "abc"], {}, "--claude: got 'abc', expected one of"),
        (["submit", "x.mp4"], {"MAX_VIDEO_DURATION": "abc"}, "MAX_VIDEO_DURATION: got 'abc', expected a number"),
        (["submit", "b" * 300 + ".mp4"], {}, "cannot be looked at: File name too long"),
        (["submit", "~nobody-of-this-name.mp4"], {}, "~nobody-of-this-name.mp4 does not exist"),
    ],
)
def test_a_mistake_exits_with_2_and_names_what_was_given(
    arguments: list[str], environment: dict[str, str], message: str
) -> None:
    ran = CliRunner().invoke(main, arguments, env=environment)
    assert ran.exit_code == 2
    assert message in ran.stderr
    assert "Traceback" not in ran.output
    as_json = CliRunner().invoke(main, [*arguments, "--json"], env=environment)
    assert as_json.exit_code == 2
    done = json.loads(as_json.stdout.splitlines()[-1])
    assert (done["event"], done["videos"]) == ("done", [])
    assert message in done["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "done"),
    [
        (["collect", "--out", ""], 2, {"stored": 0, "failed": {}, "running": [], "batch_cost_usd": 0.0}),
        (["collect", "--out", "none-here"], 2, {"stored": 0, "failed": {}, "running": [], "batch_cost_usd": 0.0}),
        (["recompute", "", "--out", "x"], 2, {"failed": 0}),
        (["recompute", "none-here", "--out", ""], 2, {"failed": 0}),
        (["recompute", "none-here", "--out", "x"], 2, {"failed": 0}),
        (["recompute", "none-here"], 2, {"failed": 0}),
        (["submit", "--no-such-flag"], 2, {}),
        (["runner"], 2, {}),
        (["runner", "7454575786134195489"], 2, {}),
    ],
)
def test_events_end_with_done_whatever_the_reason(
    arguments: list[str], code: int, done: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(main, [*arguments, "--json"])
    assert ran.exit_code == code
    last = json.loads(ran.stdout.splitlines()[-1])
    message = last.pop("error")["message"]
    assert last == {"event": "done", "videos": [], "claude": None, **done}
    assert message.split(" (")[0] in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["7454575786134195489"], "SourceError", "nothing is known of 7454575786134195489 in out"),
        (["nope.mp4"], "SourceError", "nope.mp4 does not exist"),
        (["none/film.mp4"], "SourceError", "none/film.mp4 does not exist"),
        (["a" * 300], "SourceError", "a does not exist, and is no id"),
        ([], "UsageError", "no video was named"),
        (["--video-url", "7"], "UsageError", "7 is no URL of a video"),
        (["film.mp4", "--no-such-flag"], "UsageError", "No such option"),
        (["film.mp4", "--max-cost", "abc"], "ConfigurationError", "--max-cost: got 'abc'"),
        (["film.mp4", "--analyses", "pacing"], "ConfigurationError", "--analyses: got 'pacing'"),
        (["--stdin"], "UsageError", "stdin: Invalid JSON"),
    ],
)
def test_a_call_of_the_runner_that_cannot_be_answered_ends_with_a_result(
    arguments: list[str], kind: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(main, ["runner", *arguments])
    assert ran.exit_code == 2
    (line,) = ran.stdout.splitlines()
    result = json.loads(line)
    assert (result["success"], result["error_type"]) == (False, kind)
    assert message in result["error"]
    assert "Traceback" not in ran.output
    assert list(tmp_path.iterdir()) == []


def test_the_runner_takes_a_request_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    request = {"video_id": "7", "options": {"out": "there", "pretty": True}}
    ran = CliRunner().invoke(main, ["runner", "--stdin", "--out", "here", "--video-id", "8"], input=json.dumps(request))
    assert ran.exit_code == 2
    # What the request says counts more than flags.
    assert "nothing is known of 7 in there" in json.loads(ran.stdout)["error"]
    wrong = CliRunner().invoke(main, ["runner", "--stdin"], input='{"options": {"speed": 2}}')
    assert "No such option '--speed'" in json.loads(wrong.stdout)["error"]


def test_the_runner_takes_the_video_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(main, ["runner"], env={"VIDEO_ID": "7"})
    assert "nothing is known of 7 in out" in json.loads(ran.stdout)["error"]
    assert "warning" not in ran.stderr
    warned = CliRunner().invoke(main, ["submit", "none.mp4"], env={"VIDEO_ID": "7"})
    assert "warning: VIDEO_ID has no effect: only `rumiai-orch runner` takes the video from it" in warned.stderr


def test_the_runner_ends_with_a_result_whatever_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise RecursionError("too deep")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "film.mp4").touch()
    monkeypatch.setattr("rumiai.run.runner.run_video", fails)
    ran = CliRunner().invoke(main, ["runner", "film.mp4"])
    result = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.exit_code, result["success"], result["error_type"]) == (1, False, "RecursionError")
