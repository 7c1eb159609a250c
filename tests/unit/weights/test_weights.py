"""The catalogue of model files, the state of the cache, and fetching from sources that fail in every way."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from rumiai import weights
from rumiai.errors import WeightsError
from rumiai.weights import files as catalogue_module
from rumiai.weights.cli import weights_group
from rumiai.weights.fetch import Fetcher
from rumiai.weights.files import Source, WeightsFile

CONTENT = bytes(range(256)) * 512


class _Files(BaseHTTPRequestHandler):
    """A file server with ranges; ``/broken/`` ends in the middle of a file."""

    files: dict[str, bytes] = {}  # noqa: RUF012 - filled by the fixture
    requests: list[tuple[str, str | None]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        type(self).requests.append((self.path, wanted))
        body = self.files.get(self.path.removeprefix("/broken"))
        if body is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = len(body) // 2 if self.path.startswith("/broken") else len(body)
        self.wfile.write(body[start:end])

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("one.part", CONTENT[:1000])
        zipped.writestr("two.part", CONTENT[1000:])
    _Files.files = {"/model.bin": CONTENT, "/wrong.bin": CONTENT[::-1], "/archive.zip": archive.getvalue()}
    _Files.requests = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Files) as httpd:
        Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUMIAI_WEIGHTS_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def item(*urls: str, members: tuple[str, ...] = ()) -> WeightsFile:
    sources = tuple(Source(url=url, members=members) for url in urls)
    digest = hashlib.sha256(CONTENT).hexdigest()
    return WeightsFile("folder/model.bin", "default", "a test", "MIT", len(CONTENT), digest, sources)


def leftovers(cache: Path) -> list[str]:
    return sorted(p.name for p in cache.rglob("*") if p.is_file() and p.name not in (".fetch.lock", "model.bin"))


def test_a_file_is_fetched_verified_and_then_known(server: str, cache: Path) -> None:
    file = item(f"{server}/model.bin")
    assert weights.state(file) == ("missing", None)
    assert Fetcher().fetch([file]) == [file]
    assert (cache / "folder/model.bin").read_bytes() == CONTENT
    assert weights.state(file) == ("ok", None)
    assert Fetcher().fetch([file]) == []
    assert len(_Files.requests) == 1
    assert leftovers(cache) == [".model.bin.verified"]


def test_a_download_that_broke_off_is_resumed(server: str, cache: Path) -> None:
    file = item(f"{server}/broken/model.bin")
    with pytest.raises(WeightsError, match="broke off"):
        Fetcher().fetch([file])
    assert (cache / "folder/model.bin.part").stat().st_size == len(CONTENT) // 2
    Fetcher().fetch([item(f"{server}/model.bin")])
    assert _Files.requests[-1] == ("/model.bin", f"bytes={len(CONTENT) // 2}-")
    assert (cache / "folder/model.bin").read_bytes() == CONTENT


def test_wrong_content_goes_to_the_next_source(server: str, cache: Path) -> None:
    Fetcher().fetch([item(f"{server}/wrong.bin", f"{server}/absent", f"{server}/model.bin")])
    assert (cache / "folder/model.bin").read_bytes() == CONTENT


def test_members_of_an_archive_are_joined(server: str, cache: Path) -> None:
    Fetcher().fetch([item(f"{server}/archive.zip", members=("one.part", "two.part"))])
    assert (cache / "folder/model.bin").read_bytes() == CONTENT


def test_when_no_source_answers_each_is_named_with_its_reason(server: str, cache: Path) -> None:
    dead = "http://127.0.0.1:9/model.bin"  # the discard port: nobody listens
    with pytest.raises(WeightsError) as caught:
        Fetcher().fetch([item(f"{server}/wrong.bin", f"{server}/absent", dead)])
    message = str(caught.value)
    assert f"{server}/wrong.bin: wrong content" in message
    assert hashlib.sha256(CONTENT[::-1]).hexdigest() in message
    assert item().sha256 in message
    assert f"{server}/absent: HTTP 404" in message
    assert "127.0.0.1:9 cannot be reached" in message
    assert not (cache / "folder/model.bin").exists()


def test_a_damaged_file_is_noticed_even_after_it_was_verified(server: str, cache: Path) -> None:
    file = item(f"{server}/model.bin")
    Fetcher().fetch([file])
    (cache / "folder/model.bin").write_bytes(CONTENT[:-1] + b"x")
    state, found = weights.state(file)
    assert state == "wrong"
    assert found == hashlib.sha256(CONTENT[:-1] + b"x").hexdigest()


def test_nothing_unverified_is_handed_out(cache: Path) -> None:
    with pytest.raises(WeightsError, match=r"yolov8n\.onnx is missing"):
        weights.path("yolov8n.onnx")
    cache.mkdir()
    (cache / "yolov8n.onnx").write_bytes(b"not a model")
    with pytest.raises(WeightsError) as caught:
        weights.path("yolov8n.onnx")
    assert hashlib.sha256(b"not a model").hexdigest() in str(caught.value)
    assert weights.catalogue()["yolov8n.onnx"].sha256 in str(caught.value)


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="craft_mlt_25k"):
        weights.resolve_names(["yolov99.onnx"])


def test_every_file_of_the_catalogue_has_a_package_and_a_hash() -> None:
    files = weights.catalogue()
    assert len(files) == 20
    for file in files.values():
        assert len(file.sha256) == 64
        assert int(file.sha256, 16) > 0
        assert file.size_bytes > 0
        assert any(source.pypi or source.npm for source in file.sources), file.name
        for source in file.sources:
            assert [bool(source.url), bool(source.pypi), bool(source.npm)].count(True) == 1


def test_folders_name_all_their_files() -> None:
    names = [file.name for file in weights.resolve_names(["whisper-base-ct2"])]
    assert names == [f"whisper-base-ct2/{n}" for n in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")]


def test_the_command_line(server: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = item(f"{server}/model.bin")
    monkeypatch.setattr(catalogue_module, "catalogue", lambda: {file.name: file})
    monkeypatch.setattr("rumiai.weights.cli.catalogue", lambda: {file.name: file})
    runner = CliRunner()
    assert runner.invoke(weights_group, ["verify"]).exit_code == 1
    assert runner.invoke(weights_group, ["fetch"]).exit_code == 0
    verified = runner.invoke(weights_group, ["verify", "--json"])
    assert verified.exit_code == 0
    assert json.loads(verified.stdout)["files"][0]["state"] == "ok"
    assert "folder/model.bin" in runner.invoke(weights_group, ["list"]).output
    (cache / "folder/model.bin").write_bytes(b"x")
    assert runner.invoke(weights_group, ["verify"]).exit_code == 1


def test_the_command_line_says_why_it_could_not_fetch(
    server: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = item(f"{server}/absent")
    monkeypatch.setattr(catalogue_module, "catalogue", lambda: {file.name: file})
    plain = CliRunner().invoke(weights_group, ["fetch"])
    assert plain.exit_code == 1
    assert "HTTP 404" in plain.stderr
    as_json = CliRunner().invoke(weights_group, ["fetch", "--json"])
    assert "HTTP 404" in json.loads(as_json.stdout)["error"]
