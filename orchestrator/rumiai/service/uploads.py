"""Files in a request: written to the disk as they come, under names of our own."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import BinaryIO, Final

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from rumiai.core.files import file_sha256
from rumiai.core.json_values import JsonObject
from rumiai.errors import StoreError
from rumiai.service.config import Limits
from rumiai.service.problems import ProblemError
from rumiai.sources import SourceItem, upload_item
from rumiai.sources.local import MEDIA_SUFFIXES

# How much comes between two looks at the free space.
_LOOK_BYTES: Final = 64 << 20
_FILE_MODE: Final = 0o600
# One is known; a client may send some of its own.
_MOST_FIELDS: Final = 20
_FOLDER_MODE: Final = 0o700
# Of the folders of requests that are still coming.
_INCOMING: Final = "incoming-"
# A path has at most 4096 bytes on Linux; a client that sends more does not send one.
_NAME_CHARS: Final = 4096


@dataclass(frozen=True)
class Upload:
    """One file that came with a request.

    Attributes:
        name: What the client calls it, with a number where it calls several so; never a path of ours.
        path: Where it lies.
        digest: Hex digits of its sha256.
        bytes: Its size.
    """

    name: str
    path: str
    digest: str
    bytes: int

    def to_json(self) -> JsonObject:
        """JSON form, for the run's record."""
        return {"name": self.name, "path": self.path, "digest": self.digest, "bytes": self.bytes}

    @classmethod
    def from_json(cls, members: JsonObject) -> Upload:
        """Read what :meth:`to_json` wrote."""
        return cls(str(members["name"]), str(members["path"]), str(members["digest"]), int(str(members["bytes"])))


@dataclass
class Form:
    """What a multipart request held: its fields as text, its files."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, Path]] = field(default_factory=list)


async def receive(
    content_type: str, body: AsyncIterator[bytes], folder: Path, limits: Limits, reserve_bytes: int = 0
) -> Form:
    """Read a multipart request; its files are written below ``folder`` as they come, and belong to this user alone.

    Args:
        content_type: Of the request.
        body: Of the request.
        folder: For the files.
        limits: Of the service.
        reserve_bytes: What the disk must keep free.

    Raises:
        ProblemError: It is too large, or not what multipart looks like.
        StoreError: The disk refuses.
    """
    reader = _FormReader(folder, limits)
    received = looked_at = 0
    try:
        _check_space(folder, reserve_bytes)
        parser = _parser(content_type, reader)
        async for chunk in body:
            received += len(chunk)
            if received > limits.upload_bytes:
                raise ProblemError(413, "too-large", f"the files have more than {limits.upload_bytes} bytes together")
            if received - looked_at > _LOOK_BYTES:
                looked_at = received
                _check_space(folder, reserve_bytes)
            await anyio.to_thread.run_sync(parser.write, chunk)
        if not reader.is_complete:
            raise FormParserError("it breaks off")
    except FormParserError as exc:
        raise ProblemError(422, "invalid-request", f"the multipart body cannot be read: {exc}") from exc
    except OSError as exc:
        raise StoreError(f"cannot keep the uploaded files: {exc.strerror}", hint="check free space") from exc
    finally:
        reader.close()
    return reader.form


def _check_space(folder: Path, reserve_bytes: int) -> None:
    if shutil.disk_usage(folder).free < reserve_bytes:
        raise ProblemError(507, "no-space", "the disk of the service is full", hint="try again later")


def _parser(content_type: str, reader: _FormReader) -> MultipartParser:
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise FormParserError("the content type names no boundary")
    return MultipartParser(
        boundary,
        {
            "on_part_begin": reader.begin_part,
            "on_header_field": reader.add_to_name,
            "on_header_value": reader.add_to_value,
            "on_header_end": reader.end_header,
            "on_headers_finished": reader.begin_content,
            "on_part_data": reader.add_content,
            "on_part_end": reader.end_part,
            "on_end": reader.end,
        },
    )


class _FormReader:
    """Takes the parts of a form from the parser.

    Attributes:
        form: What has come whole.
        is_complete: Whether the end of the form has come.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self.form, self.is_complete = Form(), False
        self._file: BinaryIO | None = None
        self.begin_part()

    def begin_part(self) -> None:
        self._name, self._value, self._content = bytearray(), bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._options: dict[bytes, bytes] = {}

    def add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def begin_content(self) -> None:
        self._options = parse_options_header(self._headers.get(b"content-disposition"))[1]
        if b"name" not in self._options:
            raise FormParserError("a part has no name")
        if b"filename" not in self._options:
            if len(self.form.fields) == _MOST_FIELDS:
                raise FormParserError(f"more than {_MOST_FIELDS} fields")
            return
        if len(self.form.files) == self._limits.files:
            raise FormParserError(f"more than {self._limits.files} files")
        name = _name(self._options[b"filename"])
        suffix = PurePath(name).suffix.lower()
        # Of the client's name only a suffix that we know is taken.
        place = self._folder / f"{len(self.form.files)}{suffix if suffix in MEDIA_SUFFIXES else ''}"
        self._file = os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE), "wb")
        self.form.files.append((name, place))

    def add_content(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._content += data[start:end]
        if len(self._content) > self._limits.body_bytes:
            raise FormParserError(f"a field has more than {self._limits.body_bytes} bytes")

    def end_part(self) -> None:
        if self._file is None:
            name = self._options[b"name"].decode(errors="replace")
            self.form.fields[name] = self._content.decode(errors="replace")
        self.close()

    def end(self) -> None:
        self.is_complete = True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _name(raw: bytes) -> str:
    """What the client calls a file; control characters are no part of a name."""
    shown = "".join(char for char in raw.decode(errors="replace") if char.isprintable())
    return shown[-_NAME_CHARS:] or "video"


def upload_items(uploads: Sequence[Upload]) -> list[SourceItem]:
    """The videos of the files of one request; their ids come from the client's names."""
    return [upload_item(upload.name, Path(upload.path)) for upload in uploads]


async def settled(form: Form) -> tuple[Upload, ...]:
    """The files of a form, flushed to the disk and hashed.

    Raises:
        StoreError: One cannot be read.
    """
    names = _told_apart([name for name, _ in form.files])
    paths = [path for _, path in form.files]
    return tuple([await anyio.to_thread.run_sync(_settled, *file) for file in zip(names, paths, strict=True)])


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names, each once: by its name a file is found in the run's record, and forgotten when it is deleted."""
    found: list[str] = []
    for name in names:
        number = 1
        while (shown := name if number == 1 else f"{name} ({number})") in found:
            number += 1
        found.append(shown)
    return found


def _settled(name: str, path: Path) -> Upload:
    try:
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
            return Upload(name, str(path), file_sha256(path), os.fstat(stream.fileno()).st_size)
    except OSError as exc:
        raise StoreError(f"cannot keep {path.name}: {exc.strerror}", hint="check free space") from exc


@contextlib.contextmanager
def incoming(folder: Path) -> Iterator[Path]:
    """A new folder for the files of one request; removed at the end unless :func:`keep` has moved it.

    Raises:
        StoreError: The disk refuses.
    """
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=folder))
    except OSError as exc:
        raise StoreError(f"cannot keep uploaded files: {exc.strerror}", hint="check free space") from exc
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def keep(place: Path, uploads: Sequence[Upload]) -> tuple[Upload, ...]:
    """Give a folder of files that have come, and are flushed, its lasting name."""
    kept = place.with_name(place.name.removeprefix(_INCOMING))
    place.rename(kept)
    return tuple(replace(upload, path=str(kept / Path(upload.path).name)) for upload in uploads)


def remove_uploads(uploads: Sequence[Upload]) -> None:
    """Remove uploaded files with their folders."""
    for folder in {Path(upload.path).parent for upload in uploads}:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what requests left that a kill broke off."""
    for place in folder.glob(f"{_INCOMING}*"):
        shutil.rmtree(place, ignore_errors=True)
