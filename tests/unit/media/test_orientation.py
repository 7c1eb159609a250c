"""The eight ways in which a file may store a picture, against the pixels that the matrix moves."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from rumiai.media.orientation import orientation_of_matrix
from rumiai.media.probe import probe

from .conftest import picture
from .test_decode import Seen

ONE = 0x10000
SIGNS = (1, -1)
EIGHT = [(a, 0, 0, d) for a in SIGNS for d in SIGNS] + [(0, b, c, 0) for b in SIGNS for c in SIGNS]


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    return struct.pack("=9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)


def moved(image: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """Every pixel put where the matrix maps it, one by one."""
    height, width = image.shape[:2]
    ys, xs = np.mgrid[:height, :width]
    new_x, new_y = a * xs + c * ys, b * xs + d * ys
    out = np.zeros((int(np.ptp(new_y)) + 1, int(np.ptp(new_x)) + 1, *image.shape[2:]), image.dtype)
    out[new_y - new_y.min(), new_x - new_x.min()] = image
    return out


def shown(image: np.ndarray, mirrored: bool, rotation_deg: int) -> np.ndarray:
    return np.rot90(image[:, ::-1] if mirrored else image, -rotation_deg // 90)


@pytest.mark.parametrize("entries", EIGHT, ids=str)
def test_mirroring_and_turn_move_every_pixel_as_the_matrix_does(entries: tuple[int, int, int, int]) -> None:
    image = np.arange(6).reshape(2, 3)
    mirrored, rotation_deg = orientation_of_matrix(matrix(*entries))
    assert np.array_equal(shown(image, mirrored, rotation_deg), moved(image, *entries))


def test_a_matrix_that_is_cut_off_says_nothing() -> None:
    assert orientation_of_matrix(b"\0" * 35) == (False, 0)


def with_matrix(path: Path, entries: tuple[int, int, int, int]) -> None:
    """Write the matrix into the first track header (ISO/IEC 14496-12, 8.3.2), version 0, big-endian."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = entries
    data[at : at + 36] = struct.pack(">9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


@pytest.mark.parametrize("entries", EIGHT, ids=str)
def test_frames_are_given_out_as_shown(make_clip: Callable[..., Path], entries: tuple[int, int, int, int]) -> None:
    path = make_clip(frames=3)
    with_matrix(path, entries)
    info = probe(path)
    frame = Seen(path).images[0].astype(int)
    expected = moved(picture(0, 160, 96, 0), *entries).astype(int)
    assert (info.height, info.width) == expected.shape[:2] == frame.shape[:2]
    assert np.abs(frame - expected).mean() < 6


def test_frames_with_exif_data_are_read(tmp_path):
    exif, jpeg = Image.Exif(), io.BytesIO()
    exif[0x0112] = 1  # its orientation: as stored
    Image.fromarray(np.full((64, 96, 3), 90, np.uint8)).save(jpeg, "JPEG", exif=exif)
    path = tmp_path / "camera.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=2)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for i in range(4):
            packet = av.Packet(jpeg.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, i, i, Fraction(1, 2)
            container.mux(packet)
    info = probe(path)
    assert (info.width, info.height, info.rotation_deg, info.mirrored) == (96, 64, 0, False)
