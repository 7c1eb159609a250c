"""Downloads from a server that behaves badly: what comes is whole or is not there."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rumiai.core.addresses import AddressRules
from rumiai.core.http import HttpClient, Retry
from rumiai.errors import AddressError, DownloadError, LimitError, NoVideoError, RumiAIError, StoreError
from rumiai.sources.download import DownloadLimits, download, kept

from ..web_server import Answer, Handler, broken_off, file, redirect, serving, status

VIDEO = b"\0\0\0\x18ftypmp42" + random.Random(7).randbytes(300_000)
LOCAL = AddressRules.parse(["127.0.0.1"])


@pytest.fixture(scope="module")
def client() -> Iterator[HttpClient]:
    with HttpClient(LOCAL, Retry(first_wait_s=0.01)) as made:
        yield made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "videos" / "clip.mp4"


def fails(client: HttpClient, target: Path, *answers: Answer, limits: DownloadLimits | None = None) -> RumiAIError:
    """The error of a download; nothing is under the file's name."""
    with serving(*answers) as site, pytest.raises(RumiAIError) as caught:
        download(client, site.url(), target, limits)
    assert not target.exists()
    assert caught.value.hint
    return caught.value


def test_a_file_comes_whole_and_is_known_again(client: HttpClient, target: Path) -> None:
    with serving(file(VIDEO)) as site:
        found = download(client, site.url("/v.mp4?sig=1"), target)
    assert target.read_bytes() == VIDEO
    assert found == kept(target)
    assert (found.size_bytes, found.sha256) == (len(VIDEO), hashlib.sha256(VIDEO).hexdigest())
    assert sorted(path.name for path in target.parent.iterdir()) == ["clip.mp4", "clip.mp4.json"]


def test_what_was_changed_since_is_not_known_again(client: HttpClient, target: Path) -> None:
    with serving(file(VIDEO)) as site:
        download(client, site.url(), target)
    target.write_bytes(VIDEO[:-1] + b"?")
    assert kept(target) is None
    target.unlink()
    assert kept(target) is None


def test_a_broken_connection_goes_on_where_it_broke(client: HttpClient, target: Path) -> None:
    with serving(broken_off(VIDEO, 100_000), status(503), file(VIDEO)) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO
    asked = [request.headers.get("Range") for request in site.requests]
    assert asked[0] is None
    assert asked[1] == asked[2] == "bytes=100000-"
    assert site.requests[2].headers["If-Range"].startswith('"')


def test_attempts_that_get_further_do_not_count(client: HttpClient, target: Path) -> None:
    def piece(handler: Handler) -> None:
        begin = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        whole, etag = len(VIDEO), '"e"'
        if begin:
            handler.head(
                206, Content_Length=whole - begin, ETag=etag, Content_Range=f"bytes {begin}-{whole - 1}/{whole}"
            )
        else:
            handler.head(200, Content_Length=whole, ETag=etag)
        handler.wfile.write(VIDEO[begin : begin + 40_000])
        handler.close_connection = True

    with serving(piece) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO
    assert len(site.requests) == 8


def test_a_file_that_changed_meanwhile_begins_again(client: HttpClient, target: Path) -> None:
    other = VIDEO[:12] + random.Random(8).randbytes(200_000)
    with serving(broken_off(VIDEO, 100_000), file(other)) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == other


def test_a_server_without_validator_is_asked_for_the_whole(client: HttpClient, target: Path) -> None:
    with serving(broken_off(VIDEO, 100_000, ETag='W/"weak"'), file(VIDEO)) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO


@pytest.mark.parametrize(
    "wrong",
    [
        status(206, VIDEO[5:], Content_Range=f"bytes 5-{len(VIDEO) - 1}/{len(VIDEO)}"),
        status(206, VIDEO[100_000:], Content_Range="bytes 100000-300011/999999"),
        status(206, VIDEO[100_000:]),
        status(416),
    ],
)
def test_a_rest_that_does_not_follow_is_not_appended(client: HttpClient, target: Path, wrong: Answer) -> None:
    with serving(broken_off(VIDEO, 100_000), wrong, file(VIDEO)) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO


def test_a_declared_length_that_never_comes(client: HttpClient, target: Path) -> None:
    error = fails(client, target, broken_off(VIDEO, 100_000, Content_Length=len(VIDEO) + 5))
    assert isinstance(error, DownloadError)
    assert "3 times" in error.message


def test_chunks_without_a_length(client: HttpClient, target: Path) -> None:
    def chunks(handler: Handler) -> None:
        handler.head(200, Transfer_Encoding="chunked")
        for begin in range(0, len(VIDEO), 50_000):
            block = VIDEO[begin : begin + 50_000]
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(block), block))
        handler.wfile.write(b"0\r\n\r\n")

    with serving(chunks) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO


def test_chunks_that_break_off_are_no_file(client: HttpClient, target: Path) -> None:
    def chunks(handler: Handler) -> None:
        handler.head(200, Transfer_Encoding="chunked")
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(VIDEO), VIDEO))
        handler.close_connection = True

    assert "3 times" in fails(client, target, chunks).message


def test_a_declared_length_beyond_the_limit_is_not_begun(client: HttpClient, target: Path) -> None:
    error = fails(client, target, broken_off(VIDEO, 0, Content_Length=2**40), limits=DownloadLimits(max_bytes=2**20))
    assert isinstance(error, LimitError)
    assert "the limit is 1 MiB" in error.message
    assert not list(target.parent.iterdir())


def test_a_stream_without_end_stops_at_the_limit(client: HttpClient, target: Path) -> None:
    def endless(handler: Handler) -> None:
        handler.head(200, Connection="close")
        handler.wfile.write(VIDEO)
        while True:
            handler.wfile.write(bytes(2**16))

    error = fails(client, target, endless, limits=DownloadLimits(max_bytes=2**20))
    assert isinstance(error, LimitError)
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(200, b"<!DOCTYPE html>" + b"x" * 5000, Content_Type="text/html"), "is a web page, and no video"),
        (status(200, b"<!DOCTYPE html>", Content_Type="video/mp4"), "is a web page, and no video"),
        (status(200, b'{"a": 1}', Content_Type="application/json"), r"is no video \(application/json\)"),
        (status(200, b"", Content_Type="video/mp4"), "is empty"),
        (status(200, b"\xff\xd8\xff\xe0" + b"x" * 9000), "is no video: it begins with"),
    ],
)
def test_what_is_no_video(client: HttpClient, target: Path, answer: Answer, reason: str) -> None:
    with serving(answer) as site, pytest.raises(NoVideoError, match=reason):
        download(client, site.url(), target)
    assert len(site.requests) == 1
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize("start", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
def test_pictures_are_taken_where_they_are_expected(client: HttpClient, target: Path, start: bytes) -> None:
    with serving(file(start + bytes(500), "image/x")) as site:
        with pytest.raises(NoVideoError):
            download(client, site.url(), target)
        assert download(client, site.url(), target, pictures=True).size_bytes == len(start) + 500


@pytest.mark.parametrize(
    ("code", "reason"), [(404, "is not there"), (410, "is not there"), (403, "is refused"), (204, "HTTP 204")]
)
def test_statuses_that_stay(client: HttpClient, target: Path, code: int, reason: str) -> None:
    error = fails(client, target, status(code))
    assert isinstance(error, DownloadError)
    assert reason in error.message
    assert "?" not in error.message


@pytest.mark.parametrize("codes", [(429, 503, 200), (500, 408, 200)])
def test_statuses_that_pass(client: HttpClient, target: Path, codes: tuple[int, ...]) -> None:
    with serving(*(file(VIDEO) if code == 200 else status(code) for code in codes)) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO
    assert len(site.requests) == 3


def test_a_redirect_to_a_private_address(client: HttpClient, target: Path) -> None:
    error = fails(client, target, redirect("http://169.254.169.254/latest/meta-data"))
    assert isinstance(error, AddressError)


def test_packed_content_is_not_taken_for_the_file(client: HttpClient, target: Path) -> None:
    assert "comes packed" in fails(client, target, status(200, VIDEO, Content_Encoding="gzip")).message


def test_a_slow_server_ends_with_the_limit_and_what_came_stays(client: HttpClient, target: Path) -> None:
    def slow(handler: Handler) -> None:
        handler.head(200, Content_Length=len(VIDEO), ETag='"e"')
        handler.wfile.write(VIDEO[:1000])
        for begin in range(1000, 2000):
            handler.wfile.write(VIDEO[begin : begin + 1])
            time.sleep(0.02)

    began = time.monotonic()
    error = fails(client, target, slow, limits=DownloadLimits(total_s=0.4))
    assert "not done within the time limit" in error.message
    assert time.monotonic() - began < 5  # of the 20 s that the server would take
    with serving(file(VIDEO)) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO


def test_a_disk_that_is_too_full_is_not_filled(client: HttpClient, target: Path) -> None:
    error = fails(client, target, file(VIDEO), limits=DownloadLimits(reserve_bytes=2**60))
    assert isinstance(error, StoreError)
    assert "is too full for clip.mp4" in error.message
    assert not list(target.parent.iterdir())


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounts a small disk")
def test_a_disk_that_fills_up_while_it_comes(client: HttpClient, tmp_path: Path) -> None:
    """The other writers' bytes are not ours to foresee: the reserve is off here."""
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(small)], check=False).returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        target = small / "clip.mp4"

        def chunks(handler: Handler) -> None:
            handler.head(200, Connection="close")
            handler.wfile.write(VIDEO)

        error = fails(client, target, chunks, limits=DownloadLimits(reserve_bytes=0))
        assert "is too full for clip.mp4" in error.message
        assert not list(small.iterdir())
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_two_runs_do_not_write_one_file(client: HttpClient, target: Path) -> None:
    def meanwhile(handler: Handler) -> None:
        with pytest.raises(StoreError, match=r"another run is downloading clip\.mp4"):
            download(client, "http://127.0.0.1:9/", target)
        file(VIDEO)(handler)

    with serving(meanwhile) as site:
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO


def test_a_run_that_is_killed_goes_on_where_it_was(client: HttpClient, target: Path) -> None:
    def stuck(handler: Handler) -> None:
        handler.head(200, Content_Length=len(VIDEO), ETag=f'"{hashlib.sha256(VIDEO).hexdigest()[:12]}"')
        handler.wfile.write(VIDEO[:200_000])
        time.sleep(10)

    code = (
        "import sys; from pathlib import Path; from rumiai.core.addresses import AddressRules\n"
        "from rumiai.core.http import HttpClient; from rumiai.sources.download import download\n"
        "download(HttpClient(AddressRules.parse(['127.0.0.1'])), sys.argv[1], Path(sys.argv[2]))"
    )
    with serving(stuck) as site:
        run = subprocess.Popen([sys.executable, "-c", code, site.url(), str(target)])
        part = target.with_name("clip.mp4.part")
        while not (part.exists() and part.stat().st_size == 200_000):
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert not target.exists()
        site.answers[:] = [file(VIDEO)]
        download(client, site.url(), target)
    assert target.read_bytes() == VIDEO
    assert site.requests[-1].headers["Range"] == "bytes=200000-"
