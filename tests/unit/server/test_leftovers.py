"""What a killed server left is removed, and nothing of one that runs or that cannot be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from rumiai.core.processes import SHARED_MEMORY, ProcessIdentity
from rumiai_server import leftovers
from rumiai_server.leftovers import OWNER_VARIABLE, owner_value, pool_prefix, sweep

OWN = ProcessIdentity.own()
# The same number, another start: the launcher has ended and its pid was given away.
ENDED = replace(OWN, started_ticks=1)
UNSEEN = replace(OWN, started_ticks=1, namespace=1)


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of the test's own for what is not in shared memory."""
    (tmp_path / "rumiai").mkdir()
    (tmp_path / "environments").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(leftovers.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(leftovers, "_ENVIRONMENTS", tmp_path / "environments")
    return tmp_path


@pytest.mark.parametrize(("owner", "stays"), [(OWN, True), (UNSEEN, True), (ENDED, False)])
def test_pools_folders_and_server_files(runtime, owner, stays):
    pool = SHARED_MEMORY / f"{pool_prefix(owner, 3)}test"
    folder = runtime / f"rumiai-serve-{owner}-x1"
    file = runtime / "rumiai/8001.json"
    try:
        pool.touch()
        (folder / "models").mkdir(parents=True)
        file.write_text(json.dumps({"owner": str(owner)}))
        removed = sweep()
        assert (pool.exists(), folder.exists(), file.exists()) == (stays, stays, stays)
        assert ({pool.name, folder.name, file.name} <= set(removed)) is not stays
    finally:
        pool.unlink(missing_ok=True)


@pytest.mark.parametrize(("owner", "stays"), [(OWN, True), (UNSEEN, True), (ENDED, False)])
def test_processes(owner, stays):
    environment = {**os.environ, OWNER_VARIABLE: owner_value(owner, 1)}
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        child.stdout.readline()  # its environment is there once it runs
        assert (f"pid {child.pid}" in sweep()) is not stays
        assert (child.poll() is None) is stays
        child.kill()


def test_files_that_are_no_server_files_stay(runtime):
    for name, content in (("a.json", "{"), ("b.json", "[]"), ("c.json", '{"owner": 7}'), ("d.json", "{}")):
        (runtime / "rumiai" / name).write_text(content)
    (runtime / "rumiai-serve-notes").mkdir()
    sweep()
    assert len(list((runtime / "rumiai").iterdir())) == 4
    assert (runtime / "rumiai-serve-notes").is_dir()


def test_the_backends_folder_goes_unless_a_server_may_use_it(runtime, monkeypatch):
    folder = runtime / "environments/python_env_abc123"
    folder.mkdir()
    started = psutil.Process().create_time()
    monkeypatch.setattr(leftovers, "_is_tritonserver", lambda pid: pid == os.getpid())
    monkeypatch.setattr(leftovers, "_started_s", lambda pid: folder.stat().st_ctime - 5)
    sweep()
    assert folder.is_dir()
    monkeypatch.setattr(leftovers, "_started_s", lambda pid: folder.stat().st_ctime + 5)  # it came later
    sweep()
    assert not folder.exists()
    folder.mkdir()
    (folder / "something").touch()
    sweep()
    assert folder.is_dir()
    monkeypatch.undo()
    assert leftovers._started_s(os.getpid()) == pytest.approx(started, abs=1.5)
