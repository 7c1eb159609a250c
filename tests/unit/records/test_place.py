from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rumiai.records import place
from rumiai.records.place import records_file, remote_type


def test_beside_the_results_on_a_local_disk(tmp_path: Path) -> None:
    assert records_file(tmp_path / "not" / "yet") == tmp_path / "not" / "yet" / "records.sqlite"


def test_the_type_is_what_stat_says(tmp_path: Path) -> None:
    for folder in (tmp_path, Path("/dev/shm"), Path("/proc")):
        said = subprocess.run(["stat", "-f", "-c", "%t", folder], capture_output=True, text=True, check=True)
        assert place._file_system_type(folder) == int(said.stdout, 16)


@pytest.mark.parametrize(("magic", "name"), [(0x6969, "NFS"), (0x65735546, "FUSE"), (0xFF534D42, "CIFS")])
def test_on_a_local_disk_where_the_folder_is_on_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, magic: int, name: str
) -> None:
    monkeypatch.setattr(place, "_file_system_type", lambda path: magic)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert remote_type(tmp_path) == name
    first, second = records_file(tmp_path / "a"), records_file(tmp_path / "b")
    assert first.parent == second.parent == tmp_path / "state/rumiai/records"
    assert first != second
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert records_file(tmp_path / "link") == first


def test_without_a_folder_for_state_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(place, "_file_system_type", lambda path: 0x6969)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert records_file(tmp_path / "out").parent == tmp_path / ".local/state/rumiai/records"
