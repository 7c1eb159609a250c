"""Metadata that lies beside a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rumiai.contracts.metadata import VideoMetadata
from rumiai.sources import FetchedVideo, find_source


def fetched(folder: Path, **beside: object) -> FetchedVideo:
    """The video, with files beside it by the ends of their names."""
    ends = {"info": ".info.json", "apify": "_apify.json", "own": "_metadata.json"}
    for name, content in beside.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"clip{ends[name]}").write_text(text)
    (folder / "clip.mp4").write_bytes(b"x")
    (item,) = find_source("local").list(str(folder / "clip.mp4"))
    return find_source("local").fetch(item, folder / "downloads")


def test_nothing_beside_it(tmp_path: Path) -> None:
    assert fetched(tmp_path) == FetchedVideo(tmp_path.resolve() / "clip.mp4")


def test_a_name_that_is_too_long_for_a_longer_one_beside_it(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 250}.mp4"
    path.write_bytes(b"x")
    (item,) = find_source("local").list(str(path))
    assert find_source("local").fetch(item, tmp_path / "downloads").path.name == path.name


@pytest.mark.parametrize(
    "beside",
    [
        {"info": {"id": "x", "description": "hi", "view_count": 3}},
        {"apify": {"id": "x", "text": "hi", "playCount": 3}},
        {"apify": [{"id": "x", "text": "hi", "playCount": 3}]},
        {"own": {"caption": "hi", "views": 3}},
        {"own": {"caption": "hi"}, "apify": {"text": "ho", "playCount": 3}, "info": {"view_count": 9}},
    ],
)
def test_each_is_read_and_the_users_own_comes_first(tmp_path: Path, beside: dict[str, object]) -> None:
    found = fetched(tmp_path, **beside)
    assert found.metadata == VideoMetadata("clip", description="hi", views=3)
    assert found.problems == ()


def test_one_that_cannot_be_read_is_told_and_the_others_count(tmp_path: Path) -> None:
    found = fetched(tmp_path, own="{", apify={"text": "hi"}, info="[]")
    assert found.metadata == VideoMetadata("clip", description="hi")
    assert found.problems[0].startswith("clip_metadata.json is not read: ")
    assert found.problems[1] == "clip.info.json is not read: got list, expected an object"


def test_one_that_is_nested_too_deeply_is_told(tmp_path: Path) -> None:
    found = fetched(tmp_path, own="[" * 100_000, apify={"text": "hi"})
    assert found.metadata == VideoMetadata("clip", description="hi")
    assert found.problems == ("clip_metadata.json is not read: it is nested more than 64 levels deep",)


def test_texts_are_valid_unicode(tmp_path: Path) -> None:
    found = fetched(tmp_path, own={"caption": "half \ud83d", "music": {"name": "\udc00"}})
    assert found.metadata is not None
    assert found.metadata.description == "half \ufffd"
    assert found.metadata.music == {"musicName": "\ufffd"}
