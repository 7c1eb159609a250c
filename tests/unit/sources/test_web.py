"""Addresses of the web: what they are called, what of them is shown, and that they are fetched once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rumiai.core.addresses import AddressRules
from rumiai.core.http import HttpClient
from rumiai.errors import AddressError, ConfigurationError
from rumiai.sources import Access, Named, SourceItem, find_source, list_items
from rumiai.sources.download import DownloadLimits

from ..web_server import file, serving, status

VIDEO = b"\0\0\0\x18ftypmp42" + random.Random(7).randbytes(5000)


@pytest.mark.parametrize(
    ("url", "location", "stem"),
    [
        ("https://h.org/a/clip.mp4", "https://h.org/a/clip.mp4", "clip"),
        ("HTTPS://h.org/a/my%20clip.webm#t=5", "HTTPS://h.org/a/my%20clip.webm", "my clip"),
        ("https://h.org/watch?v=1", "https://h.org/watch?v=1", "watch"),
        ("https://h.org/", "https://h.org/", "h.org"),
        ("https://h.org", "https://h.org", "h.org"),
        (
            "https://b.s3.amazonaws.com/k.mp4?X-Amz-Signature=abc&X-Amz-Expires=60&versionId=7",
            "https://b.s3.amazonaws.com/k.mp4?versionId=7",
            "k",
        ),
        ("https://h.org/v.mp4?api_key=abc&sig=def", "https://h.org/v.mp4", "v"),
        ("https://h.org/..%2f..%2fetc%2fpasswd", "https://h.org/..%2f..%2fetc%2fpasswd", "passwd"),
    ],
)
def test_names(url: str, location: str, stem: str) -> None:
    (item,) = list_items([url])
    assert (item.source, item.location, item.stem, item.address) == ("web", location, stem, url)
    assert "abc" not in repr(item)


@pytest.mark.parametrize(
    "name",
    ["sig", "Sign", "wsSign", "auth_sign", "authsig", "X-Amz-Signature", "Expires", "Policy", "access_token", "key"],
)
def test_what_signs_an_address_is_not_shown(name: str) -> None:
    (item,) = list_items([f"https://h.org/v.mp4?{name}=abc&id=7"])
    assert item.location == "https://h.org/v.mp4?id=7"


@pytest.mark.parametrize("name", ["design", "insight", "assignment", "signal", "keyword"])
def test_what_tells_two_videos_apart_stays(name: str) -> None:
    assert len(list_items([f"https://h.org/v?{name}=1", f"https://h.org/v?{name}=2"])) == 2


def test_one_video_under_two_signatures_is_one() -> None:
    assert len(list_items(["https://h.org/v.mp4?sig=1", "https://h.org/v.mp4?sig=2"])) == 1


@pytest.mark.parametrize("url", ["http://user:pw@h.org/v.mp4", "http://h.org\\@x/v.mp4", "http://"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(AddressError) as caught:
        list_items([url])
    assert "pw" not in str(caught.value)


def test_a_video_is_brought_once_and_known_by_its_content(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    with serving(file(VIDEO), status(404)) as site, HttpClient(AddressRules.parse(["127.0.0.1"])) as http:
        source = find_source("web").using(Access(http, DownloadLimits()))
        (item,) = source.list(site.url("/clip.mp4?sig=1"))
        first, second = source.fetch(item, folder), source.fetch(item, folder)
    assert len(site.requests) == 1
    assert site.requests[0].path == "/clip.mp4?sig=1"
    assert first.path == second.path == folder / "clip.mp4"
    assert first.path.read_bytes() == VIDEO
    assert first.identity == second.identity != ""
    assert first.is_copy
    assert first.metadata is not None
    assert first.metadata.url == site.url("/clip.mp4")


def test_without_the_runs_client_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        find_source("web").fetch(SourceItem("web", "https://h.org/v.mp4", "v"), tmp_path)


def test_a_helper_that_is_not_there() -> None:
    with HttpClient() as http, pytest.raises(ConfigurationError, match="--via: got 'curl', expected one of"):
        list_items(["https://h.org/v.mp4"], Access(http, DownloadLimits(), via="curl"))


@pytest.mark.parametrize("url", ["http://[::1/x", "http://127.0.0.1:99999/x", "http://h.org:0/x"])
def test_an_address_that_is_none_is_known_at_once(url: str) -> None:
    assert Named([url]).shown == [url]
    with pytest.raises(AddressError, match=r"is no URL|got the port \d+, expected 1 to 65535"):
        list_items([url])
