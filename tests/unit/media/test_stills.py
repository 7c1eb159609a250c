"""Pictures as they are shown, against OpenCV's reading of them, and what is refused."""

from __future__ import annotations

import contextlib
import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from rumiai.errors import LimitError, MediaError, ProbeError
from rumiai.media.stills import PictureFacts, canvas_for, is_picture, look_at, read_animation, read_still

from .conftest import picture

SUFFIXES = ("jpg", "png", "webp", "gif", "avif", "bmp")


def write(path: Path, width: int = 160, height: int = 96, **options: object) -> Path:
    Image.fromarray(picture(5, width, height, 2)).save(path, **options)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_picture_is_upright_whatever_way_the_camera_was_held(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = write(tmp_path / f"photo.{suffix}", exif=exif)
    jpeg = write(tmp_path / "same.jpg", exif=exif, quality=95)
    # OpenCV turns JPEG by its EXIF data.
    upright = cv2.cvtColor(cv2.imread(str(jpeg)), cv2.COLOR_BGR2RGB)
    height, width = upright.shape[:2]
    assert look_at(path) == PictureFacts(width, height, animated=False)
    assert (height > width) == (orientation >= 5)
    found = read_still(path, (width, height)).astype(int)
    assert np.abs(found - upright).mean() < 4


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_formats_of_posts_are_known_by_how_they_begin(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}").rename(tmp_path / "nameless")
    assert is_picture(path)
    assert look_at(path) == PictureFacts(160, 96, animated=False)
    assert np.abs(read_still(path, (160, 96)).astype(int) - picture(5, 160, 96, 2)).mean() < 8


@pytest.mark.parametrize("head", [b"", b"\0\0\0\x20ftypisom", b"RIFF\0\0\0\0AVI ", b"\x1aE\xdf\xa3", b"<html>"])
def test_other_files_are_no_pictures(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(head)
    assert not is_picture(path)
    assert not is_picture(tmp_path / "absent")


@pytest.mark.parametrize(
    ("shapes", "canvas"),
    [
        ([(1080, 1920)], (1080, 1920)),
        ([(3024, 4032)], (1440, 1920)),
        ([(101, 61)], (100, 60)),
        ([(8, 4)], (16, 16)),
        ([(1080, 1920), (1080, 1920), (1920, 1080)], (1080, 1920)),
        ([(540, 960), (1080, 1919), (1000, 200)], (1080, 1920)),
        ([(800, 600), (600, 800)], (800, 800)),
        ([(4000, 3000), (3000, 4000)], (1920, 1920)),
    ],
)
def test_the_canvas_has_the_shape_of_most(shapes: list[tuple[int, int]], canvas: tuple[int, int]) -> None:
    assert canvas_for([PictureFacts(*shape, animated=False) for shape in shapes]) == canvas


def test_another_shape_lies_in_the_middle_of_black(tmp_path: Path) -> None:
    Image.new("RGB", (50, 100), (200, 30, 90)).save(tmp_path / "tall.png")
    found = read_still(tmp_path / "tall.png", (400, 200))
    assert found.shape == (200, 400, 3)
    assert (found[:, 150:250] == (200, 30, 90)).all()
    assert not found[:, :150].any()
    assert not found[:, 250:].any()


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[:10] = (10, 20, 30, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = read_still(tmp_path / "a.png", (20, 20))
    assert (found[:10] == (10, 20, 30)).all()
    assert (found[10:] == 255).all()


def moving(path: Path, stays_ms: list[int]) -> Path:
    frames = [Image.new("RGB", (40, 40), (60 * number, 0, 0)) for number in range(len(stays_ms))]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=stays_ms, loop=0, lossless=True)
    return path


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_has_the_times_that_it_was_written_with(tmp_path: Path, suffix: str) -> None:
    path = moving(tmp_path / f"a.{suffix}", [100, 300, 700])
    assert look_at(path).animated
    frames = list(read_animation(path, (40, 40)))
    assert [stays_ms for _, stays_ms in frames] == [100, 300, 700]
    assert [int(image[20, 20, 0]) for image, _ in frames] == [0, 60, 120]


def test_frames_without_a_time_stay_as_long_as_in_a_browser(tmp_path: Path) -> None:
    path = moving(tmp_path / "a.gif", [0, 10, 20])
    assert [stays_ms for _, stays_ms in read_animation(path, (40, 40))] == [100, 100, 20]


def png_head(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    empty = b"IDAT"
    return head + struct.pack(">I", 0) + empty + struct.pack(">I", zlib.crc32(empty))


@pytest.mark.parametrize(
    ("size", "reason"),
    [((60_000, 60_000), "pixels"), ((12_000, 9_000), "pixels"), ((8_200, 8_200), "8200x8200"), ((4_000, 100), "20:1")],
)
def test_bombs_are_refused_by_what_their_head_says(tmp_path: Path, size: tuple[int, int], reason: str) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_head(*size))
    with pytest.raises(LimitError, match=reason):
        look_at(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_half_a_picture_is_an_error_that_names_it(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", 320, 200)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ProbeError, match=rf"a\.{suffix} is no picture that we can read"):
        read_still(path, (320, 200))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow tells of damage that it reads over
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_ends_in_a_picture_or_in_an_error_of_ours(tmp_path: Path, suffix: str) -> None:
    sound = (write if suffix not in ("gif", "webp") else moving_of_three)(tmp_path / f"a.{suffix}").read_bytes()
    chance = random.Random(suffix)
    path = tmp_path / f"b.{suffix}"
    for _ in range(40):
        damaged = bytearray(sound)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])])
        with contextlib.suppress(MediaError):
            look_at(path)
            assert read_still(path, (64, 64)).shape == (64, 64, 3)
            list(read_animation(path, (64, 64)))


def moving_of_three(path: Path) -> Path:
    return moving(path, [100, 200, 300])
