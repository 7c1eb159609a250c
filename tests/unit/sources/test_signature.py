"""First bytes of real files of every container, and of what is none."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rumiai.media.container import CONTAINERS
from rumiai.sources.signature import HEAD_BYTES, container_of, is_page

VIDEO = {
    "mp4": "mpeg4", "mov": "mpeg4", "matroska": "mpeg4", "webm": "libvpx", "avi": "mpeg4", "mpegts": "mpeg2video",
    "mpeg": "mpeg1video", "flv": "flv", "asf": "mpeg4", "vob": "mpeg2video", "3gp": "mpeg4",
}  # fmt: skip
SOUND = {
    "wav": "pcm_s16le", "mp3": "libmp3lame", "adts": "aac", "flac": "flac", "ogg": "libopus", "ipod": "aac",
}  # fmt: skip
EXPECTED = {"mov": "mp4", "webm": "matroska", "vob": "mpeg", "3gp": "mp4", "adts": "aac", "ipod": "mp4"}


def write(path: Path, form: str, codec: str, *, sound: bool) -> bytes:
    with av.open(str(path), "w", format=form, options={"mpegts_m2ts_mode": "0"} if form == "mpegts" else {}) as out:
        stream = out.add_stream(codec, rate=48000 if sound else 25)
        if sound:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 2304), np.int16), format="s16", layout="mono")
            frame.sample_rate = 48000
        else:
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 48000 if sound else 25)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return path.read_bytes()[:HEAD_BYTES]


@pytest.mark.parametrize(("form", "codec"), [*VIDEO.items(), *SOUND.items()])
def test_files_as_they_are_written(tmp_path: Path, form: str, codec: str) -> None:
    head = write(tmp_path / "x", form, codec, sound=form in SOUND)
    assert container_of(head) == EXPECTED.get(form, form)
    assert container_of(head) in CONTAINERS


@pytest.mark.parametrize(
    "head",
    [
        b"", b"\0" * HEAD_BYTES, b"<!doctype html>", b'{"error": "no"}', b"\xff\xd8\xff\xe0\0\x10JFIF", b"\x89PNG\r\n",
        b"PK\x03\x04", b"%PDF-1.7", b"#EXTM3U\n", b"\xff\xfe<\0h\0t\0m\0l\0", b"RIFF\0\0\0\0WEBPVP8 ", b"\x1f\x8b\x08",
        b"ffconcat version 1.0\nfile x", b"G" + b"a" * 187 + b"H" * 100,
    ],
)  # fmt: skip
def test_what_is_no_video(head: bytes) -> None:
    assert container_of(head) is None


@pytest.mark.parametrize(
    ("head", "kind", "expected"),
    [
        (b"\xef\xbb\xbf\n <!DOCTYPE html><html>", "video/mp4", True),
        (b"login please", "text/html; charset=utf-8", True),
        (b"\0\0\0\x18ftyp", "text/html", False),
        (b"{}", "application/json", False),
    ],
)
def test_pages(head: bytes, kind: str, expected: bool) -> None:
    assert is_page(head, kind) is expected
