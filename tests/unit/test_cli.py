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
