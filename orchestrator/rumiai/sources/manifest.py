"""Lists of videos with what is known of each: JSON lines, a JSON array, CSV with a header, or one name a line."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.metadata_forms import known_names, read_metadata, unread_members
from rumiai.contracts.whisper import LANGUAGES
from rumiai.core.foreign_json import longest_text, read_foreign
from rumiai.errors import SourceError
from rumiai.sources.local import MEDIA_SUFFIXES
from rumiai.sources.table import MAX_CELL, delimiter_of, table

LOG = logging.getLogger(__name__)

# Columns that say where a video is, in order: ours, and those of a scraped data set.
_SOURCE: Final = ("source", "webVideoUrl", "url", "path", "file")
_ID: Final = ("id", "video_id")
_OWN: Final = frozenset({"source", "path", "file", "id", "video_id", "language", "metadata"})
# What a spreadsheet makes of an id of 19 digits.
_ROUNDED: Final = re.compile(r"\d(\.\d+)?[eE]\+\d+")
# An address, or an id of a platform.
_ADDRESS_OR_ID: Final = re.compile(r"\w+://\S+|\d{6,}")
_MAX_BYTES: Final = 512 * 2**20
# Names in a warning.
_SHOWN: Final = 10
_TOO_LONG: Final = f"a text has more than {MAX_CELL} characters"


@dataclass(frozen=True)
class Row:
    """One entry of a list.

    Attributes:
        place: Where it stands, for messages: ``posts.csv, line 17``.
        text: What the user calls the video: a path, an address. Empty where a problem hides it.
        video_id: That the list gives it; empty for none.
        language: That is spoken, by Whisper's code; empty for none.
        metadata: What the list says of it; None for nothing.
        problem: Why it cannot be used; empty for nothing.
    """

    place: str
    text: str = ""
    video_id: str = ""
    language: str = ""
    metadata: VideoMetadata | None = None
    problem: str = ""


def read_rows(content: bytes, name: str, folder: Path | None, *, names_alone: bool = False) -> list[Row]:
    """The entries of a list.

    Args:
        content: UTF-8.
        name: What messages call the list.
        folder: From which relative paths are meant; None for the current one.
        names_alone: Whether it may be one name a line, without a header.

    Returns:
        One row for each entry; those that cannot be used have their problem.

    Raises:
        SourceError: It is none of the forms.
    """
    text = _decoded(content, name)
    start = text.lstrip()[:1]
    if start == "{":
        entries = _json_lines(text)
    elif start == "[":
        entries = _json_array(text, name)
    elif (delimiter := delimiter_of(text, {*_SOURCE, *_ID})) is not None:
        entries = _cells(text, delimiter, name)
    elif names_alone:
        entries = _lines(text)
    else:
        header = text.partition("\n")[0].strip()[:80]
        raise SourceError(
            f"{name}: got {header!r} in the first line, expected JSON or a header with a column source",
            hint='such as {"source": "clip.mp4", "caption": "..."} a line, or source,id,caption',
        )
    read = list(entries)
    rows = [_row(f"{name}, {place}", entry, folder) for place, entry in read]
    if not rows:
        raise SourceError(f"{name} lists no videos")
    if start and start in "{[":
        _tell_unread(entry for _, entry in read if not isinstance(entry, str))
    return rows


def read_file(path: str) -> bytes:
    """The content of a list.

    Raises:
        SourceError: It cannot be read, or is larger than 512 MiB.
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror}", hint="check the path") from exc
    if len(content) > _MAX_BYTES:
        raise SourceError(f"{path} is larger than {_MAX_BYTES >> 20} MiB", hint="divide it")
    return content


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise SourceError(f"{name}, line {line}: no UTF-8 text", hint="save it as UTF-8") from exc


# An entry as it was read, or the sentence that says why it cannot be.
_Entry = Mapping[str, object] | str
_Entries = Iterator[tuple[str, _Entry]]


def _json_lines(text: str) -> _Entries:
    # Only a line feed ends a line of JSON; captions may hold other separators.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield f"line {number}", _entry(read_foreign(line))
            except ValueError as exc:
                yield f"line {number}", f"no JSON: {exc}"


def _json_array(text: str, name: str) -> _Entries:
    try:
        found = read_foreign(text)
    except ValueError as exc:
        raise SourceError(f"{name} is no JSON: {exc}", hint="expected an array of objects") from exc
    return ((f"entry {number}", _entry(entry)) for number, entry in enumerate(found, 1))


def _entry(value: object) -> _Entry:
    if isinstance(value, str):
        return {"source": value}
    if not isinstance(value, dict):
        return f"got {type(value).__name__}, expected an object"
    return value if longest_text(value) <= MAX_CELL else _TOO_LONG


def _cells(text: str, delimiter: str, name: str) -> _Entries:
    header: Sequence[str] | None = None
    for line, cells in table(text, delimiter, name, _looks_like_a_row):
        if header is None:
            if isinstance(cells, str):
                raise SourceError(f"{name}, line {line}: {cells}")
            header = [cell.strip() for cell in cells]
            _tell_unused(header)
        elif isinstance(cells, str):
            yield f"line {line}", cells
        elif len(cells) != len(header):
            yield f"line {line}", f"got {len(cells)} cells, the header has {len(header)}"
        else:
            yield f"line {line}", {column: cell for column, cell in zip(header, cells, strict=True) if cell.strip()}


def _looks_like_a_row(header: Sequence[str], cells: Sequence[str]) -> bool:
    """Whether a line within a cell is a row, or its beginning: it names a video where one should, and is no prose.

    In prose a blank follows a comma.
    """
    named = {cell.strip() for column, cell in zip(header, cells, strict=False) if column.strip() in {*_SOURCE, *_ID}}
    is_prose = any(cell[:1] == " " for cell in cells) and not any(column[:1] == " " for column in header)
    return 1 < len(cells) <= len(header) and not is_prose and any(map(_names_a_video, named))


def _names_a_video(cell: str) -> bool:
    return bool(_ADDRESS_OR_ID.fullmatch(cell)) or PurePath(cell).suffix.lower() in MEDIA_SUFFIXES


def _tell_unused(header: Sequence[str]) -> None:
    known = known_names() | _OWN | set(_SOURCE)
    unused = [name for name in header if re.sub(r"/\d+.*", "", name).replace("/", ".") not in known]
    if unused:
        LOG.warning("columns that nothing reads: %s", ", ".join(unused))


def _tell_unread(entries: Iterable[Mapping[str, object]]) -> None:
    unread: dict[str, None] = {}
    for entry in entries:
        members = {name: value for name, value in entry.items() if name not in {*_OWN, *_SOURCE}}
        inner = entry.get("metadata")
        unread |= dict.fromkeys(
            [*unread_members(members), *unread_members(inner if isinstance(inner, Mapping) else {})]
        )
    if unread:
        more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        LOG.warning("members that nothing reads: %s%s", ", ".join(list(unread)[:_SHOWN]), more)


def _lines(text: str) -> _Entries:
    for number, line in enumerate(text.split("\n"), 1):
        if (name := line.strip()) and not name.startswith("#"):
            yield f"line {number}", {"source": name}


def _row(place: str, entry: _Entry, folder: Path | None) -> Row:
    if isinstance(entry, str):
        return Row(place, problem=entry)
    text = next((str(entry[name]).strip() for name in _SOURCE if entry.get(name)), "")
    video_id = next((str(entry[name]).strip() for name in _ID if entry.get(name) not in (None, "")), "")
    if _ROUNDED.fullmatch(video_id):
        return Row(place, text, problem=f"id: got {video_id}, a number that a spreadsheet has rounded")
    language = str(entry.get("language") or "").strip().lower().replace("auto", "")
    if language and language not in LANGUAGES:
        return Row(place, text, video_id, problem=f"language: got {language!r}, expected a code such as pt")
    try:
        metadata = _metadata(entry, video_id)
    except ValueError as exc:
        return Row(place, text, video_id, problem=str(exc))
    if folder is not None and text and "://" not in text and not text.startswith("~"):
        text = str(folder / text)
    return Row(place, text, video_id, language, metadata)


def _metadata(entry: Mapping[str, object], video_id: str) -> VideoMetadata | None:
    """What an entry says of its video; None when it says where it is and no more."""
    inner = entry.get("metadata")
    members = {name: value for name, value in entry.items() if name not in _OWN}
    if isinstance(inner, Mapping):
        members |= inner
    found = read_metadata(members, video_id)
    nothing = VideoMetadata.local(video_id)
    return None if found in (nothing, VideoMetadata(video_id, url=found.url)) else found
