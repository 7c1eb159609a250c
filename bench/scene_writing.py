"""Pictures with writing in the scene: signs, screens, pages, labels and shirts painted into photographs.

What is painted belongs to the scene: it is seen in perspective, lit unevenly, a little blurred, and goes through the
camera with everything else. ``bench/text_kinds.py`` films it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from rumiai.demo import pictures

Rgb = npt.NDArray[np.uint8]

WORDS: Final = (
    "open daily", "fresh bread", "city hall", "platform 4", "no parking", "main street", "exit", "library", "tea",
    "room 12", "sale", "toys", "hotel royal", "bus stop", "fire door", "coffee", "museum", "pharmacy", "push", "market",
    "police", "taxi", "north gate", "welcome", "organic milk", "500 ml", "since 1984", "cash only", "central station",
    "do not enter", "level 2", "tickets", "summer camp", "state university", "tigers", "team 23", "just do", "new york",
)  # fmt: skip
_PROSE: Final = (
    "the settings of this page are saved when you leave it and apply to every account that signs in from here "
    "search results for your query were sorted by date and price please choose a category or refine the filter below "
    "when the morning came the old man walked along the shore and looked for the boat that had left in the night "
    "function returns a list of values for each row and column in the table error index out of range line file home "
    "profile messages notifications download latest version learn more about products company careers terms privacy"
)
PROSE: Final = _PROSE.split()
# Type sizes of programs and sites, in shares of the picture's height, and how common they are.
_SCREEN_TYPE: Final = (0.012, 0.014, 0.016, 0.02, 0.03, 0.045)
_SCREEN_TYPE_SHARES: Final = (0.2, 0.25, 0.2, 0.15, 0.1, 0.1)
KINDS: Final = ("sign", "screen", "page", "label", "photo")


@dataclass(frozen=True)
class Painted:
    """A picture and the box (x, y, width, height, in its pixels) of every surface with writing on it."""

    picture: Rgb
    surfaces: tuple[tuple[int, int, int, int], ...]


def painted(rng: np.random.Generator, width: int, height: int, kind: str) -> Painted:
    """A photograph of that size with writing of one of ``KINDS`` in it; ``photo`` leaves it as it was taken."""
    world = photograph(rng, width, height)
    count = {"sign": int(rng.integers(1, 5)), "label": int(rng.integers(2, 6)), "photo": 0}.get(kind, 1)
    surfaces = []
    for _ in range(count):
        surface = _SURFACES[kind](rng, width, height)
        surfaces.append(place(rng, world, surface, turned=kind != "screen" or rng.random() < 0.4))
    return Painted(world, tuple(surfaces))


def photograph(rng: np.random.Generator, width: int, height: int) -> Rgb:
    """One of the demo's photographs, cut to that shape."""
    source = pictures.picture(str(rng.choice(pictures.NAMES)))
    rows, columns = source.shape[:2]
    scale = min(columns / width, rows / height) / float(rng.uniform(1.0, 1.3))
    w, h = int(width * scale), int(height * scale)
    x, y = int(rng.integers(0, columns - w + 1)), int(rng.integers(0, rows - h + 1))
    return np.array(cv2.resize(source[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def colour(rng: np.random.Generator, low: int = 0, high: int = 256) -> tuple[int, int, int]:
    """Any colour between two grey levels."""
    r, g, b = (int(v) for v in rng.integers(low, high, 3))
    return r, g, b


def typeface(rng: np.random.Generator, size_px: int) -> Any:
    """One of the demo's typefaces."""
    return pictures.typeface(str(rng.choice(list(pictures._FONTS))), max(6, size_px))  # type: ignore[arg-type]


def place(rng: np.random.Generator, world: Rgb, surface: Rgb, *, turned: bool) -> tuple[int, int, int, int]:
    """Paint a surface into the picture, lit and blurred like it; returns its box."""
    rows, columns = world.shape[:2]
    h, w = surface.shape[:2]
    x, y = int(rng.integers(0, max(1, columns - w))), int(rng.integers(0, max(1, rows - h)))
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    jitter = rng.uniform(-0.12, 0.12, (4, 2)) * min(w, h) if turned else np.zeros((4, 2))
    matrix = cv2.getPerspectiveTransform(corners, (corners + jitter + (x, y)).astype(np.float32))
    lit = surface.astype(np.float32) * _light(rng, h, w)
    mask = cv2.warpPerspective(np.ones((h, w), np.float32), matrix, (columns, rows))[..., None]
    over = cv2.warpPerspective(lit, matrix, (columns, rows))
    blur = float(rng.uniform(0.3, 1.6))
    mask, over = (cv2.GaussianBlur(layer, (0, 0), blur) for layer in (mask, over))
    mask = mask.reshape(rows, columns, 1)
    world[:] = np.clip(world * (1 - mask) + over * mask, 0, 255).astype(np.uint8)
    return x, y, w, h


def _light(rng: np.random.Generator, rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Uneven light, (rows, columns, 3), in shares."""
    level = rng.uniform(0.45, 1.0, (3, 3)).astype(np.float32)
    tint = rng.uniform(0.85, 1.0, 3).astype(np.float32)
    mix = float(rng.uniform(0.2, 1.0))
    level = mix * level + (1 - mix) * float(rng.uniform(0.6, 1.0))
    return np.asarray(cv2.resize(level, (columns, rows), interpolation=cv2.INTER_CUBIC)[..., None] * tint, np.float32)


def _sign(rng: np.random.Generator, width: int, height: int) -> Rgb:
    size = int(height * rng.uniform(0.02, 0.07))
    font = typeface(rng, size)
    lines = [str(t).upper() if rng.random() < 0.5 else str(t) for t in rng.choice(WORDS, int(rng.integers(1, 4)))]
    wide = int(max(font.getlength(line) for line in lines))
    pad = int(size * rng.uniform(0.3, 1.0))
    back = colour(rng)
    ink = colour(rng, 0, 90) if sum(back) > 380 else colour(rng, 170, 256)
    image = Image.new("RGB", (wide + 2 * pad, int(size * 1.3) * len(lines) + 2 * pad), back)
    draw = ImageDraw.Draw(image)
    if rng.random() < 0.4:
        draw.rectangle((2, 2, image.width - 3, image.height - 3), outline=ink, width=max(2, size // 12))
    for i, line in enumerate(lines):
        x = pad if rng.random() < 0.3 else (image.width - font.getlength(line)) / 2
        draw.text((x, pad + i * int(size * 1.3)), line, font=font, fill=ink)
    return np.asarray(image)


def _label(rng: np.random.Generator, width: int, height: int) -> Rgb:
    surface = _sign(rng, width, int(height * rng.uniform(0.4, 0.8)))
    return surface


def _lines(rng: np.random.Generator, font: Any, wide: int) -> str:
    words: list[str] = []
    while font.getlength(" ".join(words)) < wide:
        words.append(str(rng.choice(PROSE)))
    return " ".join(words[:-1])


def _screen(rng: np.random.Generator, width: int, height: int) -> Rgb:
    """Furniture of a program or site: headings, paragraphs, buttons, in small type over flat colours."""
    w, h = int(width * rng.uniform(0.5, 0.95)), int(height * rng.uniform(0.35, 0.95))
    dark = rng.random() < 0.4
    back, ink = ((28, 30, 38), (225, 228, 235)) if dark else ((250, 250, 252), (30, 33, 40))
    accent = colour(rng, 40, 220)
    image = Image.new("RGB", (w, h), back)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, w, h // 16), fill=accent)
    y = h // 14
    while y < h * 0.95:
        size = int(height * float(rng.choice(_SCREEN_TYPE, p=_SCREEN_TYPE_SHARES)))
        font = typeface(rng, size)
        x = int(w * float(rng.choice([0.04, 0.04, 0.3, 0.55])))
        if rng.random() < 0.15:
            text = str(rng.choice(WORDS))
            end = x + int(font.getlength(text)) + size
            draw.rounded_rectangle((x, y, end, y + int(size * 1.8)), size // 3, fill=accent)
            draw.text((x + size // 2, y + size // 3), text, font=font, fill=(255, 255, 255))
        else:
            for _ in range(int(rng.integers(1, 4)) if size < height * 0.02 else 1):
                draw.text((x, y), _lines(rng, font, int((w - x) * rng.uniform(0.4, 0.95))), font=font, fill=ink)
                y += int(size * 1.35)
        y += int(size * rng.uniform(1.4, 2.6))
    return np.asarray(image)


def _page(rng: np.random.Generator, width: int, height: int) -> Rgb:
    w, h = int(width * rng.uniform(0.5, 0.95)), int(height * rng.uniform(0.4, 0.9))
    paper = colour(rng, 215, 250)
    image = Image.new("RGB", (w, h), paper)
    draw = ImageDraw.Draw(image)
    size = int(height * rng.uniform(0.014, 0.03))
    font = typeface(rng, size)
    for y in range(int(h * 0.08), int(h * 0.92), int(size * rng.uniform(1.4, 1.8))):
        draw.text((int(w * 0.08), y), _lines(rng, font, int(w * 0.84)), font=font, fill=(40, 36, 34))
    return np.asarray(image)


_SURFACES: Final = {"sign": _sign, "screen": _screen, "page": _page, "label": _label}
