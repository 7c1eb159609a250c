"""What files, folders, globs and mistakes stand for."""

from __future__ import annotations

import os
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
        ("gopher://example.org/v.mp4", "is a URL"),
        ("/dev/null", "neither a file nor a folder"),
        ("", "a source is empty"),
        ("b" * 300 + ".mp4", r"b{80}\.\.\. cannot be looked at: File name too long"),
        ("~nobody-of-this-name/x.mp4", "does not exist"),
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


FOUND_TOO = ".mpg .mpeg .wmv .flv .mts .m2ts .3g2 .ogv .mp4v .vob .divx .aac"


def test_a_folder_is_searched_for_every_container_that_is_opened(tmp_path: Path) -> None:
    for suffix in FOUND_TOO.split():
        (tmp_path / f"x{suffix}").write_bytes(b"x")
    assert [path.suffix for path in expand([str(tmp_path)])] == sorted(FOUND_TOO.split())


def test_what_a_folder_search_leaves_out_is_counted_in_one_line(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tree / "gone.mp4").symlink_to(tree / "nowhere.mp4")
    (tree / "sound.mid").write_bytes(b"x")
    assert len(expand([str(tree)])) == 3
    assert [record.getMessage() for record in caplog.records] == [f"{tree}: 2 skipped (1 .mid, 1 broken link)"]


def test_linked_folders_are_followed_once(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other").resolve()
    (other / "far.mp4").write_bytes(b"x")
    (other / "back").symlink_to(tree)
    (tree / "linked").symlink_to(other)
    (tree / "twice").symlink_to(other)
    (tree / "sub/loop").symlink_to(tree)
    assert expand([str(tree)]) == [tree / "a.MOV", tree / "b.mp4", other / "far.mp4", tree / "sub/c.webm"]


def test_a_link_to_a_file_keeps_its_name_and_costs_no_second_analysis(tree: Path) -> None:
    (tree / "a-link.mp4").symlink_to(tree / "b.mp4")
    assert expand([str(tree / "a-link.mp4")]) == [tree / "a-link.mp4"]
    assert expand([str(tree)]) == [tree / "a.MOV", tree / "b.mp4", tree / "sub/c.webm"]


def test_a_file_whose_name_begins_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("~x.mp4").write_bytes(b"x")
    Path("y.mp4").write_bytes(b"y")
    assert [path.name for path in expand(["~x.mp4", "~/y.mp4"])] == ["~x.mp4", "y.mp4"]


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.mp4"
    with open(path, "wb") as stream:
        stream.write(b"x")
    (found,) = expand([str(tmp_path)])
    assert os.fsencode(found) == os.fsencode(tmp_path.resolve()) + b"/caf\xe9.mp4"
