"""Object stores, against a server that speaks S3."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rumiai.core.addresses import AddressRules
from rumiai.core.http import HttpClient, Retry
from rumiai.errors import AddressError, ConfigurationError, DownloadError, NoVideoError, SourceError
from rumiai.sources import Access, FetchedVideo, find_source, list_items
from rumiai.sources.download import DownloadLimits

from ..s3_server import KEYS, bucket_with, s3_server

VIDEO = b"\0\0\0\x18ftypmp42" + random.Random(7).randbytes(300_000)
KEYS_OF_BUCKET = (
    "posts/b.mp4",
    "posts/a b+c.mp4",
    "posts/deep/c.MOV",
    "posts/notes.txt",
    "postscript.mp4",
    "other/d.mp4",
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Mapping[str, str]]:
    with s3_server() as variables:
        objects = {key: VIDEO for key in KEYS_OF_BUCKET} | {"page.mp4": b"<!doctype html>" + bytes(500)}
        bucket_with(variables, "videos", objects)
        yield variables


@pytest.fixture(scope="module")
def http() -> Iterator[HttpClient]:
    with HttpClient(AddressRules.parse(["127.0.0.1"]), Retry(attempts=1)) as client:
        yield client


@pytest.fixture
def access(cloud: Mapping[str, str], http: HttpClient) -> Access:
    return Access(http, DownloadLimits(), cloud=cloud)


def keys(text: str, access: Access) -> list[str]:
    return [item.location.removeprefix("s3://videos/") for item in list_items([text], access)]


def fetched(text: str, access: Access, folder: Path) -> FetchedVideo:
    (item,) = list_items([text], access)
    return find_source(item.source).using(access).fetch(item, folder / "id")


def test_one_object(access: Access, tmp_path: Path) -> None:
    found = fetched("s3://videos/posts/a b+c.mp4", access, tmp_path)
    assert found.path == tmp_path / "id" / "id.mp4"
    assert found.path.read_bytes() == VIDEO
    assert found.is_copy
    assert found.identity
    assert found.metadata is not None
    assert found.metadata.url == "s3://videos/posts/a b+c.mp4"


def test_what_was_fetched_is_not_fetched_again(access: Access, tmp_path: Path) -> None:
    first = fetched("s3://videos/posts/b.mp4", access, tmp_path)
    (item,) = list_items(["s3://videos/posts/b.mp4"], access)
    gone = Access(access.http, access.limits, cloud={**access.cloud, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert find_source(item.source).using(gone).fetch(item, tmp_path / "id").identity == first.identity


def test_a_folder_gives_its_media(access: Access) -> None:
    assert keys("s3://videos/posts/", access) == ["posts/a b+c.mp4", "posts/b.mp4", "posts/deep/c.MOV"]


def test_a_bucket_gives_its_media(access: Access) -> None:
    assert len(keys("s3://videos", access)) == len(keys("s3://videos/", access)) == 6


def test_a_pattern(access: Access) -> None:
    assert keys("s3://videos/post*.mp4", access) == ["posts/a b+c.mp4", "posts/b.mp4", "postscript.mp4"]
    assert keys("s3://videos/*/[bd].mp4", access) == ["other/d.mp4", "posts/b.mp4"]


def test_a_limit(access: Access) -> None:
    limited = Access(access.http, access.limits, most=2, cloud=access.cloud)
    assert keys("s3://videos/posts/", limited) == ["posts/a b+c.mp4", "posts/b.mp4"]


@pytest.mark.parametrize(
    ("text", "error", "reason"),
    [
        ("s3://videos/empty/", SourceError, "holds no videos"),
        ("s3://videos/*.webm", SourceError, "holds no videos"),
        ("s3://no-such-bucket/", DownloadError, "there is no bucket s3://no-such-bucket"),
        ("s3://", SourceError, "no address of an object"),
        ("s3://evil.org:80@x/key.mp4", SourceError, "no address of an object"),
    ],
)
def test_what_cannot_be_listed(access: Access, text: str, error: type[SourceError], reason: str) -> None:
    with pytest.raises(error, match=reason):
        list_items([text], access)


@pytest.mark.parametrize(
    ("text", "error", "reason"),
    [
        ("s3://videos/gone.mp4", DownloadError, r"gone\.mp4 is not there"),
        ("s3://videos/page.mp4", NoVideoError, "is a web page, and no video"),
    ],
)
def test_what_cannot_be_fetched(
    access: Access, tmp_path: Path, text: str, error: type[SourceError], reason: str
) -> None:
    with pytest.raises(error, match=reason) as caught:
        fetched(text, access, tmp_path)
    assert "Signature" not in str(caught.value)
    assert not [path for path in (tmp_path / "id").iterdir() if path.suffix == ".mp4"]


def test_an_endpoint_must_be_public_or_allowed(cloud: Mapping[str, str]) -> None:
    with HttpClient() as http, pytest.raises(AddressError, match="which is not a public address"):
        list_items(["s3://videos/posts/"], Access(http, DownloadLimits(), cloud=cloud))


def test_without_keys_no_machine_is_asked_for_some(http: HttpClient) -> None:
    with pytest.raises(ConfigurationError, match="there are no keys for s3://videos"):
        list_items(["s3://videos/posts/"], Access(http, DownloadLimits(), cloud={"AWS_REGION": "us-east-1"}))


def test_an_endpoint_may_have_two_names(access: Access) -> None:
    more = {**access.cloud, "AWS_ENDPOINT": access.cloud["AWS_ENDPOINT_URL"]}
    assert keys("s3://videos/other/", Access(access.http, access.limits, cloud=more)) == ["other/d.mp4"]


def test_a_region_that_is_none(http: HttpClient) -> None:
    with pytest.raises(ConfigurationError, match="AWS_REGION: got 'no such'"):
        list_items(["s3://videos/posts/"], Access(http, DownloadLimits(), cloud={**KEYS, "AWS_REGION": "no such"}))


def test_without_the_client_it_says_how_to_get_it(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(ConfigurationError, match=r"s3:// needs a client"):
        list_items(["s3://videos/posts/"], access)


def test_variables_of_other_tools_are_no_mistake(access: Access) -> None:
    more = {**access.cloud, "AWS_CA_BUNDLE": "/x.pem", "AWS_PROFILE": "me", "AWS_PAGER": "less"}
    assert keys("s3://videos/other/", Access(access.http, access.limits, cloud=more)) == ["other/d.mp4"]


def test_keys_are_not_shown(access: Access) -> None:
    assert "test-secret" not in repr(access)
