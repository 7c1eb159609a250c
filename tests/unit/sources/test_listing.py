"""The videos of a run, of arguments and lists, with what is known of each."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from rumiai.errors import ConfigurationError, SourceError
from rumiai.sources import Named, SourceItem, find_source, list_named


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def manifest(folder: Path, *entries: object) -> str:
    path = folder / "list.jsonl"
    path.write_text("\n".join(entry if isinstance(entry, str) else json.dumps(entry) for entry in entries))
    return str(path)


def standard_input(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_arguments_and_a_list(folder: Path) -> None:
    entry = {"source": "b.mp4", "id": "7", "language": "pt", "caption": "hi"}
    items = list_named(Named([str(folder / "a.mp4")], manifest(folder, entry, {"source": "https://h.org/v.mp4"})))
    assert [(item.source, item.stem, item.language) for item in items] == [
        ("local", "a", ""), ("local", "7", "pt"), ("web", "v", ""),
    ]  # fmt: skip
    assert items[1].metadata is not None
    assert (items[1].metadata.video_id, items[1].metadata.description) == ("7", "hi")
    assert items[0].metadata is items[2].metadata is None


def test_a_list_on_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    standard_input(monkeypatch, "a.mp4\nb.mp4\n")
    assert [item.stem for item in list_named(Named(["c.mp4", "-"]))] == ["c", "a", "b"]


def test_standard_input_is_read_once() -> None:
    with pytest.raises(ConfigurationError, match="is given twice"):
        list_named(Named(["-"], manifest="-"))


def test_an_entry_that_cannot_be_used_fails_alone(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = manifest(folder, {"source": "a.mp4"}, {"source": "gone.mp4", "id": "9"}, "no json", {"id": "8"})
    items = list_named(Named(manifest=path))
    assert [(item.source, item.stem) for item in items] == [
        ("local", "a"), ("unlisted", "9"), ("unlisted", "list.jsonl_line_3"), ("unlisted", "8"),
    ]  # fmt: skip
    for item, reason in zip(items[1:], ("gone.mp4 does not exist", "no JSON", "no source"), strict=True):
        with pytest.raises(SourceError, match=rf"list\.jsonl, line \d: .*{reason}"):
            find_source(item.source).fetch(item, folder)
        assert reason in caplog.text


def test_a_list_without_any_usable_entry_ends_the_run(folder: Path) -> None:
    path = manifest(folder, *({"source": f"gone{n}.mp4"} for n in range(5)))
    with pytest.raises(SourceError, match=r"no entry can be used: .*gone0.mp4 does not exist.*; and 2 more"):
        list_named(Named(manifest=path))


def test_an_argument_that_cannot_be_used_ends_the_run(folder: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        list_named(Named([str(folder / "gone.mp4")], manifest(folder, {"source": "a.mp4"})))


def test_what_is_said_of_one_video_is_not_said_of_a_folder(folder: Path) -> None:
    path = manifest(folder, {"source": ".", "caption": "hi"}, {"source": "."})
    items = list_named(Named(manifest=path))
    assert [item.source for item in items] == ["unlisted", "local", "local", "local"]
    assert "stands for 3 videos, and the row describes one" in items[0].address


def test_a_video_that_is_named_twice_is_one(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    same = {"source": "a.mp4", "caption": "hi"}
    (item,) = list_named(Named(manifest=manifest(folder, same, same)))
    assert not caplog.text
    (item,) = list_named(Named(manifest=manifest(folder, same, {"source": "a.mp4", "caption": "ho"})))
    assert item.metadata is not None
    assert item.metadata.description == "hi"
    assert "described in two ways" in caplog.text


def described(folder: Path, text: str, *names: str) -> list[SourceItem]:
    (folder / "meta").write_text(text)
    return list_named(Named([str(folder / name) for name in names], metadata=str(folder / "meta")))


def test_metadata_of_one_video_in_a_file(folder: Path) -> None:
    (item,) = described(folder, '{\n "id": "other",\n "caption": "hi"\n}', "a.mp4")
    assert item.metadata is not None
    assert (item.stem, item.metadata.video_id, item.metadata.description) == ("a", "a", "hi")


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "b", "caption": "hi"}\n{"id": "zzz", "caption": "ho"}',
        '[{"id": "b", "caption": "hi"}, {"id": "zzz"}]',
        "id,caption\nb,hi\nzzz,ho\n",
    ],
)
def test_metadata_of_several_by_their_ids(folder: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    first, second = described(folder, text, "a.mp4", "b.mp4")
    assert first.metadata is None
    assert second.metadata is not None
    assert second.metadata.description == "hi"
    assert "1 entries describe videos that are not in this run: zzz" in caplog.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"id": "x"}, {"id": "y"}]', "describes none of the videos"),
        ('{"id": "b", "views": "12k"}\n{"id": "a"}', "line 1: views: got '12k'"),
    ],
)
def test_metadata_that_is_of_no_use(folder: Path, text: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        described(folder, text, "a.mp4", "b.mp4")


def test_what_is_shown_of_the_arguments_holds_no_signature() -> None:
    named = Named(["a.mp4", "https://h.org/v.mp4?sig=1"], manifest="m.csv")
    assert named.shown == ["a.mp4", "https://h.org/v.mp4", "m.csv"]
