"""How the files of the containers begin that ``media.container`` opens: what a download is held against."""

from __future__ import annotations

from typing import Final

# The first packets of a transport stream with its time codes, two of 192 bytes.
HEAD_BYTES: Final = 384
# Where ISO base media and QuickTime files have the type of their first box, and the types that come first.
_FIRST_BOXES: Final = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
_STARTS: Final = {
    b"\x1aE\xdf\xa3": "matroska",
    b"OggS": "ogg",
    b"FLV\x01": "flv",
    b"0&\xb2u\x8ef\xcf\x11": "asf",
    b"\0\0\x01\xba": "mpeg",
    b"\0\0\x01\xb3": "mpeg",
    b"fLaC": "flac",
    b"ID3": "mp3",
}
_RIFF: Final = {b"AVI ": "avi", b"WAVE": "wav"}
_TS_SYNC: Final = 0x47
# (where the first packet begins, how long one is): plain transport streams, and those with time codes.
_TS_LAYOUTS: Final = ((0, 188), (4, 192))
_HTML: Final = (b"<!doctype html", b"<html", b"<head", b"<script", b"<?xml", b"<!--")


def container_of(head: bytes) -> str | None:
    """The container that a file's first bytes are of; None when they are of none.

    Args:
        head: The first ``HEAD_BYTES``, or the whole file where it is shorter.
    """
    if head[4:8] in _FIRST_BOXES:
        return "mp4"
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    known = next((name for start, name in _STARTS.items() if head.startswith(start)), None)
    return known or _packets_of(head)


def is_page(head: bytes, content_type: str) -> bool:
    """Whether this is a web page, by its first bytes or, where these are plain text, by its type."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(_HTML) or ("html" in content_type.lower() and b"\0" not in head)


def _packets_of(head: bytes) -> str | None:
    """Streams of packets without a header of their own."""
    for first, length in _TS_LAYOUTS:
        if len(head) > first + length and head[first] == head[first + length] == _TS_SYNC:
            return "mpegts"
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    is_frame = head[1] & 0xE0 == 0xE0 and head[1] & 0x18 != 0x08 and head[1] & 0x06 != 0
    return "mp3" if is_frame and head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C else None
