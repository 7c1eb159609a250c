"""Temporary files go when their writer has ended and the file is no new one."""

from __future__ import annotations

import os
from pathlib import Path

from rumiai.results.half_written import remove_half_written
from rumiai.results.store import Store
from rumiai.run.claude import answer_store

GONE = 2**22 + 1  # beyond the greatest pid


def aged(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (1e9, 1e9))
    return path


def test_what_a_killed_writer_left_goes_and_all_else_stays(tmp_path: Path) -> None:
    left = aged(tmp_path / f"answers/.a.json.{GONE}.tmp")
    stay = {
        aged(tmp_path / name) for name in (f"answers/.b.json.{os.getpid()}.tmp", ".hidden.tmp", "a.json", "x.1.tmp")
    }
    (tmp_path / f".new.json.{GONE}.tmp").touch()
    remove_half_written(tmp_path)
    assert not left.exists()
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == stay | {tmp_path / f".new.json.{GONE}.tmp"}
    remove_half_written(tmp_path / "absent")


def test_a_run_looks_where_answers_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    left = aged(store.claude_folder / f"answers/.a.json.{GONE}.tmp")
    answer_store(store)
    assert not left.exists()
