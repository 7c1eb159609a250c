"""The token of a running server: found, and refused where it cannot be trusted."""

from __future__ import annotations

import json
import subprocess

import pytest

from rumiai.core.processes import ProcessIdentity
from rumiai.inference.server_file import read_server_file


@pytest.fixture
def server_file(tmp_path, monkeypatch):
    """A valid file for port 8001; returns its path."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    path = tmp_path / "run/rumiai/8001.json"
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    own = str(ProcessIdentity.own())
    path.write_text(json.dumps({"grpc": "127.0.0.1:8001", "http": "127.0.0.1:8000", "token": "t", "owner": own}))
    return path


def test_the_token_is_found_by_port_on_loopback_only(server_file):
    found = read_server_file("127.0.0.1:8001")
    assert found is not None
    assert (found.token, found.http) == ("t", "127.0.0.1:8000")
    assert "'t'" not in repr(found)
    assert read_server_file("127.0.0.1:8002") is None
    assert read_server_file("example.org:8001") is None


def test_the_cache_folder_is_looked_in_too(server_file, tmp_path, monkeypatch):
    folder = tmp_path / ".cache/rumiai/run"
    folder.mkdir(parents=True)
    server_file.rename(folder / "8001.json")
    assert read_server_file("localhost:8001") is not None
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert read_server_file("localhost:8001") is not None


def test_a_file_that_others_can_read_is_not_trusted(server_file, caplog):
    server_file.chmod(0o644)
    assert read_server_file("127.0.0.1:8001") is None
    assert "not private" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"grpc": "x"}', '{"grpc": 1, "http": 1, "token": 1, "owner": 7}'])
def test_a_file_that_cannot_be_read_is_reported(server_file, caplog, text):
    server_file.write_text(text)
    assert read_server_file("127.0.0.1:8001") is None
    assert "cannot be read" in caplog.text


def test_the_file_of_a_server_that_has_ended_is_no_token(server_file):
    with subprocess.Popen(["sleep", "60"]) as child:
        owner = ProcessIdentity.of(child.pid)
        child.kill()
    server_file.write_text(json.dumps({"grpc": "127.0.0.1:8001", "http": None, "token": "t", "owner": str(owner)}))
    assert read_server_file("127.0.0.1:8001") is None
