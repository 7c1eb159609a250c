"""A small soak with the detector alone on the server, and the judge on folders that are made for it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rumiai.core.processes import ProcessIdentity

from .__main__ import main
from .judge import differences, residue, tracebacks
from .watched import VICTIMS, Kills


@pytest.mark.server
def test_a_small_soak_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--clips", "3", "--kills", "3", "--seed", "7", "--minutes", "10", "--work", str(tmp_path)]
    code = main([*given, "--services", "yolo,mediapipe,scene_detection,audio_energy"])
    told = capsys.readouterr().out
    assert code == 0, told
    assert "3 clips, 3 kills" in told


def test_the_same_seed_plans_the_same_kills_and_each_kind_takes_its_turn() -> None:
    one, two = (Kills.seeded(70, 3, time.monotonic() + 100) for _ in range(2))
    assert one.plan == two.plan
    assert {kind: one.plan.count(kind) for kind in VICTIMS} == dict.fromkeys(VICTIMS, 10)
    assert not Kills([], random.Random(1), time.monotonic() + 100).left
    assert not Kills(list(VICTIMS), random.Random(1), time.monotonic() - 1).left


def made(folder: Path, energy: dict[str, object]) -> Path:
    (folder / "unified_analysis").mkdir(parents=True)
    (folder / "audio_energy_outputs/a").mkdir(parents=True)
    (folder / "unified_analysis/a.json").write_text(json.dumps({"processed_at": str(folder), "timeline": []}))
    (folder / "audio_energy_outputs/a/a_energy.json").write_text(json.dumps(energy))
    return folder


def test_a_difference_is_seen_and_a_clock_time_is_none(tmp_path: Path) -> None:
    reference = made(tmp_path / "reference", {"tempo": 120, "metadata": {"device": "cpu"}})
    same = made(tmp_path / "same", {"tempo": 120, "metadata": {"device": "cuda"}})
    other = made(tmp_path / "other", {"tempo": 121})
    assert differences(same, reference, ["a"]) == []
    assert differences(other, reference, ["a"]) == ["a: audio_energy"]
    (same / "unified_analysis/a.json").unlink()
    assert differences(same, reference, ["a"]) == ["a: unified analysis"]


def test_a_traceback_is_told_by_its_last_line() -> None:
    text = 'ok\nTraceback (most recent call last):\n  File "x.py", line 1\n    x()\nKeyError: 1\nfine'
    assert tracebacks([("log", text), ("other", "no trace")]) == ["log: KeyError: 1"]


def test_residue_is_what_its_processes_left(tmp_path: Path) -> None:
    out, temporary = tmp_path / "out", tmp_path / "tmp"
    out.mkdir()
    temporary.mkdir()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = ProcessIdentity.of(child.pid)
    assert process is not None
    region = Path(f"/dev/shm/rumiai-{child.pid}-0badcafe-soak")
    region.touch()
    (out / ".x.json.1.tmp").touch()
    (temporary / "rumiai-events-x").mkdir()
    try:
        found = residue(out, temporary, [process], time.time())
        assert sorted(found) == sorted(
            [f"pid {child.pid}", str(region), str(temporary / "rumiai-events-x"), str(out / ".x.json.1.tmp")]
        )
        assert residue(tmp_path / "none", tmp_path / "out", [], time.time()) == [str(out / ".x.json.1.tmp")]
    finally:
        region.unlink()
        child.communicate(b"\n")
