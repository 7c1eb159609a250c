"""yt-dlp against a local site: what it finds, and that none of its requests leaves our rules."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rumiai.core.addresses import AddressRules
from rumiai.core.http import HttpClient, Retry
from rumiai.errors import AddressError, ConfigurationError, DownloadError, NoVideoError
from rumiai.sources import Access, FetchedVideo, find_source, list_items
from rumiai.sources.download import DownloadLimits
from rumiai.sources.ytdlp import _FORMAT, _file_of

from ..web_server import Answer, Handler, Site, file, redirect, serving, status

VIDEO = b"\0\0\0\x18ftypmp42" + random.Random(7).randbytes(50_000)
PAGE = """<!doctype html><html><head><title>A clip</title>
<meta property="og:title" content="A clip"><meta property="og:description" content="Wait for it"></head>
<body><video src="{src}" type="video/mp4"></video></body></html>"""


def page(src: str, **headers: str) -> Answer:
    return status(200, PAGE.format(src=src).encode(), Content_Type="text/html", **headers)


def by_path(**answers: Answer) -> Answer:
    """A site: an answer for each path, by its name without suffix."""

    def answer(handler: Handler) -> None:
        name = handler.path.strip("/").partition(".")[0].partition("?")[0]
        answers.get(name, status(404))(handler)

    return answer


@pytest.fixture
def access() -> Iterator[Access]:
    with HttpClient(AddressRules.parse(["127.0.0.1"]), Retry(attempts=1)) as http:
        yield Access(http, DownloadLimits(), via="ytdlp")


def fetched(site: Site, access: Access, folder: Path, path: str = "/watch") -> FetchedVideo:
    (item,) = list_items([site.url(path)], access)
    assert item.source == "ytdlp"
    return find_source("ytdlp").using(access).fetch(item, folder / "clip")


def test_the_video_of_a_page_with_what_the_page_says(access: Access, tmp_path: Path) -> None:
    with serving(by_path(watch=page("/media/v.mp4"), **{"media/v": file(VIDEO)})) as site:
        found = fetched(site, access, tmp_path)
    assert found.path.read_bytes() == VIDEO
    assert found.is_copy
    assert found.metadata is not None
    assert found.metadata.description == "Wait for it"
    assert found.metadata.url == site.url("/watch")


def test_cookies_of_the_page_go_to_the_same_site_while_it_is_read(access: Access, tmp_path: Path) -> None:
    onward = b'<!doctype html><html><head><meta http-equiv="refresh" content="0;url=/watch"></head></html>'
    first = status(200, onward, Content_Type="text/html", Set_Cookie="a=b")
    with serving(by_path(first=first, watch=page("/v.mp4"), v=file(VIDEO))) as site:
        fetched(site, access, tmp_path, "/first")
        fetched(site, access, tmp_path / "again", "/first")
    cookies = {(request.path, request.headers.get("Cookie")) for request in site.requests}
    assert cookies == {("/first", None), ("/watch", "a=b"), ("/v.mp4", None)}


def test_without_via_it_takes_nothing() -> None:
    (item,) = list_items(["https://h.org/watch"])
    assert item.source == "web"


@pytest.mark.parametrize("src", ["http://127.9.9.9:9/v.mp4", "http://169.254.169.254/v.mp4", "file:///etc/passwd"])
def test_a_page_that_names_a_private_address(access: Access, tmp_path: Path, src: str) -> None:
    with serving(by_path(watch=page(src))) as site, pytest.raises(AddressError):
        fetched(site, access, tmp_path)
    assert not list(tmp_path.rglob("*.mp4"))


def test_a_redirect_to_a_private_address(access: Access, tmp_path: Path) -> None:
    with (
        serving(by_path(watch=redirect("http://127.9.9.9:9/"))) as site,
        pytest.raises(AddressError, match=r"127\.9\.9\.9"),
    ):
        fetched(site, access, tmp_path)


def test_no_connection_but_those_of_the_client(access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host that its own handlers would look up again is looked up by our rules alone."""
    looked_up = []
    look_up = socket.getaddrinfo

    def watched(host: str, *rest: object, **named: object) -> object:
        looked_up.append((host, sys._getframe(1).f_code.co_filename))
        return look_up(host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    with serving(by_path(watch=page("/v.mp4"), v=file(VIDEO))) as site:
        fetched(site, access, tmp_path)
    by_us = [file for _, file in looked_up if file.endswith("core/addresses.py")]
    # httpcore looks up the address that we have checked, which is one already.
    assert by_us
    assert {host for host, _ in looked_up} == {"127.0.0.1"}
    assert not [file for _, file in looked_up if "yt_dlp" in file or "urllib" in file]


def test_a_video_in_pieces_is_refused(access: Access, tmp_path: Path) -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ns.ts\n#EXT-X-ENDLIST\n"
    pieces = status(200, playlist, Content_Type="application/vnd.apple.mpegurl")
    with serving(by_path(watch=pieces)) as site, pytest.raises(NoVideoError, match="is offered in pieces only"):
        fetched(site, access, tmp_path, "/watch.m3u8")


PICTURE = {"url": "https://h.org/p.mp4", "vcodec": "avc1", "acodec": "none"}
SOUND = {"url": "https://h.org/s.m4a", "vcodec": "none", "acodec": "mp4a"}


def chosen(*formats: dict[str, str]) -> dict[str, object]:
    """What yt-dlp tells when our choice of formats takes one of these, without any request."""
    from yt_dlp import YoutubeDL

    told = {"id": "1", "title": "x", "extractor": "x", "webpage_url": "https://h.org/1"}
    named = [{"format_id": str(number), **each} for number, each in enumerate(formats)]
    with YoutubeDL({"format": _FORMAT, "quiet": True, "no_warnings": True}) as reader:
        found: dict[str, object] = reader.process_video_result({**told, "formats": named}, download=False)
    return found


def test_picture_and_sound_in_two_files_are_pieces_and_one_of_them_alone_is_whole() -> None:
    with pytest.raises(NoVideoError, match="is offered in pieces only"):
        _file_of(chosen(PICTURE, SOUND), "here")
    for alone in (PICTURE, SOUND):
        assert _file_of(chosen(alone), "here")[0] == alone["url"]
    both = {"url": "https://h.org/b.mp4", "vcodec": "avc1", "acodec": "mp4a"}
    assert _file_of(chosen(PICTURE, SOUND, both), "here")[0] == both["url"]


def test_a_page_without_a_video(access: Access, tmp_path: Path) -> None:
    empty = status(200, b"<!doctype html><html><body>nothing</body></html>", Content_Type="text/html")
    with serving(by_path(watch=empty)) as site, pytest.raises(DownloadError, match="Unsupported URL"):
        fetched(site, access, tmp_path)


def test_a_page_that_is_gone(access: Access, tmp_path: Path) -> None:
    with serving(status(404)) as site, pytest.raises(DownloadError, match="HTTP Error 404"):
        fetched(site, access, tmp_path)


def test_ids_come_from_addresses_without_a_look_at_them(access: Access) -> None:
    (item,) = list_items(["https://www.youtube.com/watch?v=BaW_jenozKc"], access)
    assert (item.stem, item.location) == ("BaW_jenozKc", "https://www.youtube.com/watch?v=BaW_jenozKc")


def test_without_yt_dlp_it_says_how_to_get_it(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with pytest.raises(ConfigurationError, match="--via ytdlp needs yt-dlp"):
        list_items(["https://h.org/watch"], access)
