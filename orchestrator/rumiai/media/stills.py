"""Still and animated pictures: read within limits, upright, on a canvas of one shape.

Pillow reads them, and only the formats that posts come in: its other readers have seen fewer hostile files.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from rumiai.core.picture_heads import HEAD_BYTES, picture_format
from rumiai.errors import LimitError, ProbeError

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP")
# The largest photographs of phones that people post have 50 million pixels.
MAX_PIXELS: Final = 8192 * 8192
# As long as the pictures that TikTok itself makes of photo posts: what is larger has no more to read for the models.
CANVAS_PX: Final = 1920
# x264 takes even sizes; below this there is nothing to see.
_LEAST_PX: Final = 16
# No picture is so oblong but a strip that a program cut out.
_MAX_ASPECT: Final = 20.0
# What browsers make of the shortest delays, which are mistakes of old encoders.
_TOO_SHORT_MS: Final = 10
_USUAL_MS: Final = 100
_MAX_FRAMES: Final = 20_000
_ORIENTATION: Final = 0x0112
# What Pillow raises for damaged files, by its documentation and by tests/unit/media/test_stills.py.
_DAMAGED: Final = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, RuntimeError, struct.error,
)  # fmt: skip

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PictureFacts:
    """What the head of a picture says.

    Attributes:
        width: As shown, after its orientation, in pixels.
        height: Likewise.
        animated: Whether it moves, as GIF, WebP and PNG files can.
    """

    width: int
    height: int
    animated: bool


def is_picture(path: Path) -> bool:
    """Whether a file begins like a picture; False for one that cannot be read."""
    try:
        with path.open("rb") as stream:
            return picture_format(stream.read(HEAD_BYTES)) is not None
    except OSError:
        return False


def look_at(path: Path) -> PictureFacts:
    """Read the head of a picture.

    Raises:
        ProbeError: No picture that we take, or damaged.
        LimitError: Too large or too oblong.
    """
    with _opened(path) as image:
        width, height = image.size
        if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8):
            width, height = height, width
        # A camera's MPO holds a second view or a brightness map.
        moves = image.format != "MPO" and getattr(image, "is_animated", False)
        return PictureFacts(width, height, bool(moves))


def canvas_for(pictures: Sequence[PictureFacts]) -> tuple[int, int]:
    """Width and height that pictures are shown on, both even, at most 1920.

    The shape that more than half of them have, as large as the largest of these. Without such a shape the box that
    holds every one of them, so that none is shown smaller than the others ask for.
    """
    shapes = Counter(_shape(picture) for picture in pictures)
    shape, most = shapes.most_common(1)[0]
    alike = [picture for picture in pictures if _shape(picture) == shape]
    if 2 * most > len(pictures):
        largest = max(alike, key=lambda picture: picture.width)
        width, height = largest.width, largest.height
    else:
        width, height = max(p.width for p in pictures), max(p.height for p in pictures)
    scale = min(1.0, CANVAS_PX / max(width, height))
    return _even(width * scale), _even(height * scale)


def _shape(picture: PictureFacts) -> float:
    """Width over height: to two digits, for cameras and editors round."""
    return round(picture.width / picture.height, 2)


def read_still(path: Path, size: tuple[int, int]) -> Rgb:
    """A picture on a black canvas.

    Args:
        path: The file.
        size: Width and height of the canvas.

    Returns:
        (height, width, 3) uint8 RGB, upright, as large as it fits, in the middle.

    Raises:
        ProbeError: No picture that we take, or damaged.
        LimitError: Too large or too oblong.
    """
    with _opened(path) as image:
        image.draft("RGB", size)
        return _on_canvas(ImageOps.exif_transpose(image), size)


def read_animation(path: Path, size: tuple[int, int]) -> Iterator[tuple[Rgb, int]]:
    """The frames of an animated picture, played once: each as :func:`read_still` gives it, and how many ms it stays.

    Raises:
        ProbeError: Damaged.
        LimitError: Too large, or more than 20,000 frames.
    """
    with _opened(path) as image:
        count = getattr(image, "n_frames", 1)
        if count > _MAX_FRAMES:
            raise LimitError(f"{path.name} has {count} frames, the limit is {_MAX_FRAMES}", hint="make a video of it")
        for number in range(count):
            image.seek(number)
            shown = _on_canvas(image, size)
            stays_ms = round(image.info.get("duration") or 0)
            yield shown, stays_ms if stays_ms > _TOO_SHORT_MS else _USUAL_MS


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture; what Pillow says of it within the block becomes an error of ours."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise _beyond(path, f"{width}x{height} pixels", f"{MAX_PIXELS} pixels")
            if max(width, height) > _MAX_ASPECT * min(width, height):
                raise _beyond(path, f"{width}x{height} pixels", f"sides of {_MAX_ASPECT:g}:1")
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise _beyond(path, "more pixels than can be held", f"{MAX_PIXELS} pixels") from exc
    except _DAMAGED as exc:
        raise ProbeError(
            f"{path.name} is no picture that we can read: {' '.join(str(exc).split())[:120] or type(exc).__name__}",
            hint="expected JPEG, PNG, WebP, GIF, AVIF or BMP; is it damaged or cut off?",
        ) from exc


def _on_canvas(image: Image.Image, size: tuple[int, int]) -> Rgb:
    shown = _flattened(image)
    scale = min(size[0] / shown.width, size[1] / shown.height)
    inner = max(1, round(shown.width * scale)), max(1, round(shown.height * scale))
    if inner != shown.size:
        shown = shown.resize(inner, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if inner == size:
        return np.asarray(shown, dtype=np.uint8)
    canvas = Image.new("RGB", size)
    canvas.paste(shown, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return np.asarray(canvas, dtype=np.uint8)


def _flattened(image: Image.Image) -> Image.Image:
    """In RGB; what is transparent is white, as on a page."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    page = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(page, seen).convert("RGB")


def _even(length: float) -> int:
    return max(_LEAST_PX, 2 * round(length / 2))


def _beyond(path: Path, got: str, limit: str) -> LimitError:
    return LimitError(f"{path.name} has {got}, the limit is {limit}", hint="use a smaller version of it")
