"""A file from a URL: in pieces if need be, verified, under its name only when it is whole.

What has come is in ``NAME.part``, with what is known of it in ``NAME.part.json``; a later call goes on from there. When
it is whole, it gets its name, and ``NAME.json`` says which content it has: :func:`kept` takes it again after looking.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

import httpx

from rumiai.core.deadline import within
from rumiai.core.files import file_sha256, written_whole
from rumiai.core.http import Credentials, HttpClient, TransientError, as_transient, refuse_passing, shown_url
from rumiai.core.picture_heads import picture_format
from rumiai.errors import DownloadError, LimitError, NoVideoError, StoreError
from rumiai.sources.signature import HEAD_BYTES, container_of, is_page

MIB: Final = 2**20
# How much is written between two looks at the free space.
_LOOK_EVERY_BYTES: Final = 16 * MIB
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)$")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_GONE: Final = frozenset({404, 410})
_REFUSED: Final = frozenset({401, 403})


@dataclass(frozen=True)
class DownloadLimits:
    """How large and how slow a download may be.

    Attributes:
        max_bytes: Largest file.
        total_s: Longest time, all attempts together.
        reserve_bytes: What stays free on the disk.
    """

    max_bytes: int = 500 * MIB
    total_s: float = 300.0
    reserve_bytes: int = 256 * MIB


@dataclass(frozen=True)
class Downloaded:
    """A whole file.

    Attributes:
        path: Where it is.
        size_bytes: Its size.
        sha256: Of its content, in hex digits.
    """

    path: Path
    size_bytes: int
    sha256: str


def download(
    client: HttpClient,
    url: str,
    target: Path,
    limits: DownloadLimits | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    credentials: Credentials | None = None,
    pictures: bool = False,
) -> Downloaded:
    """Bring a video to a path; what an earlier call left of it is used.

    Args:
        client: Follows the address rules.
        url: By http or https.
        target: Where it is to be; its folder is made.
        limits: Of size, time and disk.
        headers: Sent to every host on the way; cookies and authorisation to that of the URL alone.
        credentials: Sent to their own hosts alone.
        pictures: Whether pictures are taken too.

    Raises:
        AddressError: The URL leads where we do not go.
        DownloadError: It is gone, refused, or broke off as often as we tried.
        NoVideoError: It is a page, or something else that is no video.
        LimitError: It is too large.
        StoreError: The disk is full, or another run brings the same file.
    """
    limits = limits or DownloadLimits()
    with _files(target), _Part.of(target, url, limits, pictures=pictures) as part, within(limits.total_s):
        reached = part.size

        def attempt() -> None:
            nonlocal reached
            try:
                with client.open(
                    "GET", url, headers={**(headers or {}), **part.asks()}, credentials=credentials
                ) as got:
                    part.receive(got)
            except (httpx.TransportError, TransientError) as exc:
                failure = as_transient(exc)
                further, reached = part.size > reached, max(reached, part.size)
                raise TransientError(str(failure), failure.after_s, progressed=further) from exc

        client.retried(attempt, shown_url(url))
        return part.finish()


def kept(target: Path) -> Downloaded | None:
    """What an earlier call brought to this path; None when it is not there as it was."""
    try:
        known = json.loads(_record(target).read_bytes())
        size_bytes, sha256 = int(known["size_bytes"]), str(known["sha256"])
        if target.stat().st_size != size_bytes or file_sha256(target) != sha256:
            return None
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Downloaded(target, size_bytes, sha256)


@dataclass(frozen=True)
class _Known:
    """What is known of the file that a part belongs to.

    Attributes:
        url: Without its query: signatures change.
        validator: ETag or time of change, by which the server says whether the file is still the same; "" for none.
        size_bytes: Of the whole; None when it was not said.
    """

    url: str
    validator: str = ""
    size_bytes: int | None = None


class _Part:
    """The beginning of a file that has come so far."""

    def __init__(
        self, target: Path, stream: IO[bytes], known: _Known, url: str, limits: DownloadLimits, pictures: bool
    ) -> None:
        self._target, self._stream, self._limits = target, stream, limits
        self._known, self._url, self._pictures = known, url, pictures
        self.size = os.fstat(stream.fileno()).st_size
        if not known.validator:
            self._begin_again()

    @classmethod
    @contextlib.contextmanager
    def of(cls, target: Path, url: str, limits: DownloadLimits, *, pictures: bool) -> Iterator[_Part]:
        """The part of a target, kept from other runs; it is removed when nobody could go on with it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        path = _part(target)
        with path.open("ab+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                raise StoreError(f"another run is downloading {target.name}", hint="wait for it") from exc
            part = cls(target, stream, _read_known(target, shown_url(url)), url, limits, pictures)
            try:
                yield part
            except (LimitError, NoVideoError, StoreError, OSError):
                part.discard()
                raise
            finally:
                if part.size == 0:
                    part.discard()

    def asks(self) -> dict[str, str]:
        """The headers that ask for the rest, if the file is still the same."""
        return {"Range": f"bytes={self.size}-", "If-Range": self._known.validator} if self.size else {}

    def receive(self, answer: httpx.Response) -> None:
        """Write what an answer brings.

        Raises:
            TransientError: It broke off, or may be another one next time.
            RumiAIError: As :func:`download` says.
        """
        refuse_passing(answer)
        if answer.status_code == httpx.codes.PARTIAL_CONTENT and self.size:
            self._go_on(answer)
        elif answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and self.size:
            self._begin_again()
            raise TransientError("the file has changed while it came")
        elif answer.status_code != httpx.codes.OK:
            raise _refusal(answer, self._url)
        else:
            self._begin(answer)
        self._look_at_limits(self._known.size_bytes or 0)
        self._copy(answer)
        total = self._known.size_bytes
        if total is not None and self.size != total:
            raise TransientError(f"{self.size} of {total} bytes came")

    def finish(self) -> Downloaded:
        """Give the whole file its name."""
        self._check_head("")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        path = _part(self._target)
        sha256 = file_sha256(path)
        _write(_record(self._target), {"size_bytes": self.size, "sha256": sha256})
        path.replace(self._target)
        _part_record(self._target).unlink(missing_ok=True)
        return Downloaded(self._target, self.size, sha256)

    def discard(self) -> None:
        """Remove it."""
        _part(self._target).unlink(missing_ok=True)
        _part_record(self._target).unlink(missing_ok=True)

    def _begin(self, answer: httpx.Response) -> None:
        """A whole file comes, from its first byte."""
        self._begin_again()
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise DownloadError(
                f"{shown_url(self._url)} comes packed, though it was asked for as it is",
                hint="download the file first, and name its path",
            )
        length = answer.headers.get("Content-Length", "")
        size_bytes = int(length) if length.isdigit() else None
        self._known = _Known(shown_url(self._url), _validator(answer.headers), size_bytes)
        _write(_part_record(self._target), asdict(self._known))

    def _go_on(self, answer: httpx.Response) -> None:
        """The rest of a file comes: it must follow what is there."""
        found = _RANGE.match(answer.headers.get("Content-Range", ""))
        total = self._known.size_bytes
        if found is None or int(found[1]) != self.size or (total is not None and int(found[2]) != total):
            self._begin_again()
            raise TransientError("the rest that came does not follow what was there")
        self._known = _Known(self._known.url, self._known.validator, int(found[2]))

    def _begin_again(self) -> None:
        self._stream.truncate(0)
        self.size = 0

    def _copy(self, answer: httpx.Response) -> None:
        looked = self.size
        for block in answer.iter_raw():
            is_first = self.size < HEAD_BYTES
            self._stream.write(block)
            self._stream.flush()
            self.size += len(block)
            if is_first and self.size >= HEAD_BYTES:
                self._check_head(answer.headers.get("Content-Type", ""))
            if self.size > self._limits.max_bytes or self.size - looked >= _LOOK_EVERY_BYTES:
                self._look_at_limits(max(self.size, self._known.size_bytes or 0))
                looked = self.size
        if self.size < HEAD_BYTES:
            self._check_head(answer.headers.get("Content-Type", ""))

    def _look_at_limits(self, size_bytes: int) -> None:
        """Refuse a file of this size when it is too large, or the disk too full for it."""
        limits, what = self._limits, shown_url(self._url)
        if size_bytes > limits.max_bytes:
            most = f"{limits.max_bytes / MIB:g} MiB"
            raise LimitError(
                f"{what}: {size_bytes / MIB:.1f} MiB or more, the limit is {most}", hint="RUMIAI_MAX_VIDEO_SIZE_MB"
            )
        free = shutil.disk_usage(self._target.parent).free
        if free < size_bytes - self.size + limits.reserve_bytes:
            raise _full(self._target, f"{free / MIB:.0f} MiB are free")

    def _check_head(self, content_type: str) -> None:
        """Refuse a file that does not begin like a video.

        Raises:
            NoVideoError: It does not.
        """
        head = os.pread(self._stream.fileno(), HEAD_BYTES, 0)
        if container_of(head) is not None or (self._pictures and picture_format(head) is not None):
            return
        what = shown_url(self._url)
        if is_page(head, content_type):
            raise NoVideoError(f"{what} is a web page, and no video", hint="give the address of the video file")
        kind = f" ({content_type})" if content_type else ""
        raise NoVideoError(
            f"{what} is no video{kind}: it begins with {head[:8]!r}" if head else f"{what} is empty",
            hint="give the address of a video or audio file",
        )


@contextlib.contextmanager
def _files(target: Path) -> Iterator[None]:
    """Turn what the file system says into our errors."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise _full(target, exc.strerror or "no space left") from exc
        raise StoreError(
            f"cannot write {target}: {exc.strerror or exc}", hint="check the folder's permissions"
        ) from exc


def _full(target: Path, why: str) -> StoreError:
    return StoreError(
        f"the disk of {target.parent} is too full for {target.name}: {why}",
        hint="make room, or choose a folder on another disk; RUMIAI_CLEANUP_VIDEO=true removes videos afterwards",
    )


def _refusal(answer: httpx.Response, url: str) -> DownloadError:
    status, what = answer.status_code, shown_url(url)
    if status in _GONE:
        return DownloadError(f"{what} is not there (HTTP {status})", hint="check the address")
    if status in _REFUSED:
        return DownloadError(f"{what} is refused (HTTP {status})", hint="a link may have expired, or need a login")
    return DownloadError(f"{what} gives HTTP {status} instead of a file", hint="open the address in a browser")


def _validator(headers: httpx.Headers) -> str:
    """What ``If-Range`` takes: a strong ETag, else a time of change."""
    etag = headers.get("ETag", "")
    return str(etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", ""))


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _part_record(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json")


def _record(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


def _read_known(target: Path, url: str) -> _Known:
    """What the part's record says, if it is of this URL; else that nothing is known."""
    try:
        raw = json.loads(_part_record(target).read_bytes())
        size_bytes = raw["size_bytes"]
        known = _Known(str(raw["url"]), str(raw["validator"]), None if size_bytes is None else int(size_bytes))
    except (OSError, ValueError, TypeError, KeyError):
        return _Known(url)
    return known if known.url == url else _Known(url)


def _write(path: Path, value: Mapping[str, object]) -> None:
    with written_whole(path) as stream:
        stream.write(json.dumps(value).encode())
