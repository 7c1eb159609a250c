"""What files, folders, globs and mistakes stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from rumiai.errors import SourceError
from rumiai.sources import list_items


def expand(texts: list[str]) -> list[Path]:
    return [Path(item.location) for item in list_items(texts)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a.MOV", "notes.txt", "sub/c.webm", ".hidden/d.mp4", "odd.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path.resolve()


def test_a_folder_gives_its_media_files_sorted(tree: Path) -> None:
    assert expand([str(tree)]) == [tree / "a.MOV", tree / "b.mp4", tree / "sub/c.webm"]


def test_a_named_file_is_taken_whatever_its_suffix_and_only_once(tree: Path) -> None:
    assert expand([str(tree / "odd.bin"), str(tree / "b.mp4"), str(tree)]) == [
        tree / "odd.bin",
        tree / "b.mp4",
        tree / "a.MOV",
        tree / "sub/c.webm",
    ]


def test_globs(tree: Path) -> None:
    assert expand([f"{tree}/*.mp4"]) == [tree / "b.mp4"]
    assert expand([f"{tree}/**/*.webm"]) == [tree / "sub/c.webm"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    path = tmp_path / "take[1].mp4"
    path.write_bytes(b"x")
    assert expand([str(path)]) == [path.resolve()]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("absent.mp4", "does not exist"),
        ("none*.mp4", "matches no file"),
        ("https://example.org/v.mp4", "is a URL"),
        ("/dev/null", "neither a file nor a folder"),
    ],
)
def test_mistakes(source: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        expand([source])


def test_an_empty_folder_and_no_source_at_all(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="without media files"):
        expand([str(tmp_path)])
    with pytest.raises(SourceError, match="no video was named"):
        expand([])
