"""Lists of videos in each of their forms, and what is wrong with their entries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rumiai.errors import SourceError
from rumiai.sources.manifest import Row, read_file, read_rows


def read(text: str | bytes, folder: str | None = None, *, names_alone: bool = False) -> list[Row]:
    content = text.encode() if isinstance(text, str) else text
    return read_rows(content, "m", Path(folder) if folder else None, names_alone=names_alone)


ENTRY = {"source": "a.mp4", "id": "7", "language": "PT", "caption": "Olá, mundo", "views": 12}


def test_every_form_gives_the_same_row() -> None:
    lines = read(json.dumps(ENTRY) + "\n")
    array = read(json.dumps([ENTRY], indent=2))
    table = read('source,id,language,caption,views\na.mp4,7,pt,"Olá, mundo",12\n')
    other = read("\ufeffid;views;source;language;caption\r\n7;12;a.mp4;pt;Olá, mundo\r\n")
    tabs = read("source\tid\tviews\tlanguage\tcaption\na.mp4\t7\t12\tpt\tOlá, mundo")
    inner = read(
        json.dumps({"source": "a.mp4", "id": 7, "language": "pt", "metadata": {"text": "Olá, mundo", "views": 12}})
    )
    (row,) = lines
    assert (row.place, row.text, row.video_id, row.language) == ("m, line 1", "a.mp4", "7", "pt")
    assert row.metadata is not None
    assert (row.metadata.description, row.metadata.views) == ("Olá, mundo", 12)
    for (found,) in (array, table, other, tabs, inner):
        assert (found.text, found.video_id, found.language, found.metadata) == ("a.mp4", "7", "pt", row.metadata)


def test_places_are_where_an_editor_shows_them() -> None:
    table = read('source,caption\na.mp4,"one\ntwo"\n\nb.mp4,x\nc.mp4,y,z\n')
    assert [row.place for row in table] == ["m, line 2", "m, line 5", "m, line 6"]
    assert [row.problem for row in table] == ["", "", "got 3 cells, the header has 2"]
    lines = read('{"source": "a"}\n\n{"source": \n"b.mp4"\n7\n')
    assert [(row.place, row.text) for row in lines] == [
        ("m, line 1", "a"), ("m, line 3", ""), ("m, line 4", "b.mp4"), ("m, line 5", ""),
    ]  # fmt: skip
    assert lines[1].problem.startswith("no JSON: ")
    assert lines[3].problem == "got int, expected an object"


def test_names_alone() -> None:
    text = "# the list\na.mp4\n\n  https://h.org/b.mp4  \n"
    assert [row.text for row in read(text, names_alone=True)] == ["a.mp4", "https://h.org/b.mp4"]
    with pytest.raises(SourceError, match="expected JSON or a header with a column source"):
        read(text)


def test_paths_are_meant_from_the_folder_of_the_list() -> None:
    rows = read('["a.mp4", "sub/b.mp4", "/abs/c.mp4", "https://h.org/d.mp4", "~/e.mp4"]', "/lists")
    expected = ["/lists/a.mp4", "/lists/sub/b.mp4", "/abs/c.mp4", "https://h.org/d.mp4", "~/e.mp4"]
    assert [row.text for row in rows] == expected


def test_a_scraped_data_set_is_a_list() -> None:
    (row,) = read('[{"id": "7", "webVideoUrl": "https://www.tiktok.com/@me/video/7", "text": "hi", "playCount": 3}]')
    assert (row.text, row.video_id) == ("https://www.tiktok.com/@me/video/7", "7")
    assert row.metadata is not None
    assert row.metadata.url == "https://www.tiktok.com/@me/video/7"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"source": "a", "language": "portuguese-ish"}, "language: got 'portuguese-ish', expected a code such as pt"),
        ({"source": "a", "id": "7.45388E+18"}, "id: got 7.45388E+18, a number that a spreadsheet has rounded"),
        ({"source": "a", "views": "12k"}, "views: got '12k', expected a number"),
    ],
)
def test_what_is_wrong_with_an_entry(entry: dict[str, str], problem: str) -> None:
    (row,) = read(json.dumps(entry))
    assert row.problem == problem


def test_columns_that_nothing_reads_are_told(caplog: pytest.LogCaptureFixture) -> None:
    read("source,captoin,authorMeta/name,hashtags/0/name\na.mp4,x,y,z\n")
    assert "columns that nothing reads: captoin" in caplog.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"source\na\xff.mp4", "m, line 2: no UTF-8 text"),
        (b"", "m: got '' in the first line"),
        (b"source,id\n", "m lists no videos"),
        (b"[1", "m is no JSON"),
    ],
)
def test_what_is_no_list(content: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        read(content)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        read_file(str(tmp_path / "no.csv"))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ('source,caption\na.mp4,"open\nb.mp4,x\nc.mp4,y\n', 2),  # to the end of the file
        ('source,caption\na.mp4,x\nb.mp4,"open\nc.mp4,"closed"\n', 3),  # to a quote that opens another cell
        ('source,caption\na.mp4,"two\nlines"\nb.mp4,"open\nc.mp4,x\nd.mp4,y"\n', 4),  # closed after other rows
        ('source,caption,sound\na.mp4,"open,z\nb.mp4,y",z\n', 2),
        ('id,caption\n7001,"open\n7000002,x\n7000003,y"\n', 2),
        ('source,caption,sound\na.mp4,"two\nlines","open\nb.mp4,x,y', 3),
    ],
)
def test_a_quote_that_is_not_closed_swallows_no_rows(table: str, line: int) -> None:
    with pytest.raises(SourceError, match=f"m, line {line}: a quote is opened here and not closed"):
        read(table)


@pytest.mark.parametrize(
    "caption",
    [
        'Hello, world\nsee https://h.org/x.mp4, now\nfile.mp4\n"quoted", too',
        "Watch:\nhttps://h.org/x.mp4, now",
        "Two,three\nexample.com,link in bio",
        "1\n2,3\n\n4",
    ],
)
def test_a_caption_of_several_lines_is_no_unclosed_quote(caption: str) -> None:
    (row,) = read('source,caption\na.mp4,"' + caption.replace('"', '""') + '"\n')
    assert row.metadata is not None
    assert row.metadata.description == caption


def test_a_quote_within_a_cell_fails_its_row_alone() -> None:
    rows = read('source,caption\na.mp4,"so "called" best"\nb.mp4,5" screen\n')
    assert [(row.place, row.text) for row in rows] == [("m, line 2", ""), ("m, line 3", "b.mp4")]
    assert rows[0].problem.startswith("a quote stands within a cell that is quoted")


@pytest.mark.parametrize("form", ["{}\n", "[{}]"])
def test_texts_of_a_list_are_valid_unicode(form: str) -> None:
    entry = {"source": "a\ud800.mp4", "caption": "half \ud83d", "hashtags": ["\udc00x"], "music": {"name": "\ud83d"}}
    (row,) = read(form.format(json.dumps(entry)))
    assert row.text == "a\ufffd.mp4"
    assert row.metadata is not None
    assert row.metadata.description == "half \ufffd"
    json.dumps(row.metadata.to_dict(), ensure_ascii=False).encode()  # does not raise


def test_a_pair_of_surrogates_is_one_character() -> None:
    (row,) = read('{"source": "a", "caption": "\\ud83d\\ude00"}')
    assert row.metadata is not None
    assert row.metadata.description == "\U0001f600"


LONG = "x" * (2**20 + 1)
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        f'{{"source": "a", "caption": "{LONG}"}}\n{{"source": "b"}}',
        f'[{{"source": "a", "music": {{"x": ["{LONG}"]}}}}, "b"]',
        f"source,caption\na,{LONG}\nb,x\n",
    ],
)
def test_a_text_that_is_too_long_fails_its_entry(text: str) -> None:
    first, second = read(text)
    assert first.problem.endswith("has more than 1048576 characters")
    assert (second.text, second.problem) == ("b", "")


def test_cells_may_be_longer_than_the_csv_module_takes_by_default() -> None:
    (row,) = read(f"source,caption\na,{'x' * 200_000}\n")
    assert row.metadata is not None
    assert len(row.metadata.description or "") == 200_000


def test_what_is_nested_too_deeply() -> None:
    first, second = read(f'{{"source": {DEEP}\n{{"source": "b"}}')
    assert first.problem == "no JSON: it is nested more than 64 levels deep"
    assert second.text == "b"
    with pytest.raises(SourceError, match="m is no JSON: it is nested more than 64 levels deep"):
        read(DEEP)


@pytest.mark.parametrize(
    "entry", [{"source": "a", "captoin": "x"}, {"source": "a", "metadata": {"captoin": "x"}}, {"a": 1, "captoin": "x"}]
)
def test_members_that_nothing_reads_are_told(entry: dict[str, object], caplog: pytest.LogCaptureFixture) -> None:
    read(json.dumps(entry))
    assert "members that nothing reads: " in caplog.text
    assert "captoin" in caplog.text


@pytest.mark.parametrize("entry", [ENTRY, {"id": "7", "authorMeta": {"name": "me"}, "commentsDatasetUrl": "x"}])
def test_nothing_is_told_of_what_is_read_and_of_whole_scraped_items(
    entry: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    read(json.dumps(entry))
    assert not caplog.text
