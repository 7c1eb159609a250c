"""What the strokes of drawn lines look like."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from rumiai.demo import pictures
from rumiai.inference.text_kinds.appearance import COLUMNS, look_at, tighter

WIDTH, HEIGHT = 400, 200


def drawn(text, at, size, ink, *, outline=None, back=(90, 120, 100), turned=0.0):
    """A picture with a line, and the line's box."""
    image = Image.new("RGB", (WIDTH, HEIGHT), back)
    draw, font = ImageDraw.Draw(image), pictures.typeface("sans-bold", size)
    stroke = 0 if outline is None else 3
    draw.text(at, text, font=font, fill=ink, stroke_width=stroke, stroke_fill=outline)
    box = np.array([draw.textbbox(at, text, font=font)], np.float64)
    pixels = np.asarray(image)
    if turned:
        matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), turned, 1)
        pixels = cv2.warpAffine(pixels, matrix, (WIDTH, HEIGHT), borderValue=back)
        height = (box[0, 2] - box[0, 0]) * math.sin(math.radians(abs(turned)))
        box += np.array([0, -height / 2, 0, height / 2])
    box[:, 2:] -= box[:, :2]
    return pixels, (box / (WIDTH, HEIGHT, WIDTH, HEIGHT)).astype(np.float32)


def look(*args, **kwargs):
    found = look_at(*drawn(*args, **kwargs))
    return dict(zip(COLUMNS, found.values[0].tolist(), strict=True))


def test_white_letters_with_a_black_outline():
    found = look("WAIT FOR IT", (40, 80), 40, (255, 255, 255), outline=(0, 0, 0))
    assert found["ink_level"] > 0.95
    assert (found["red"], found["green"], found["blue"]) == pytest.approx((1, 1, 1), abs=0.05)
    assert found["outline"] == pytest.approx(112 / 255, abs=0.08)  # black against what is behind
    assert found["ink_spread"] < 0.05
    assert found["slope"] == pytest.approx(0, abs=0.01)


def test_dark_letters_without_an_outline():
    found = look("main street", (40, 80), 40, (10, 20, 30))
    assert found["ink_level"] < 0.12
    assert found["outline"] == pytest.approx(0, abs=0.05)
    assert found["near_spread"] < 0.1


def test_blur_lowers_the_sharpness():
    image, boxes = drawn("main street", (40, 80), 40, (10, 20, 30))
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    sharp, soft = (look_at(picture, boxes).values[0][COLUMNS.index("sharpness")] for picture in (image, blurred))
    assert soft < 0.7 * sharp


def test_the_slope_is_that_of_the_line():
    found = look("a line that rises", (30, 90), 30, (255, 255, 255), turned=-5.0)
    assert found["slope"] == pytest.approx(math.tan(math.radians(5)), abs=0.03)


def test_a_plain_place_has_no_strokes_and_no_line_no_rows():
    plain = np.full((HEIGHT, WIDTH, 3), 77, np.uint8)
    found = look_at(plain, np.array([[0.2, 0.2, 0.5, 0.2]], np.float32))
    assert np.isnan(found.values).all()
    assert look_at(plain, np.zeros((0, 4), np.float32)).values.shape == (0, len(COLUMNS))


def test_a_lower_box_that_is_overlapped_is_tighter():
    slanted, caption, apart = [0.1, 0.1, 0.8, 0.4], [0.2, 0.3, 0.5, 0.1], [0.2, 0.7, 0.5, 0.1]
    boxes = np.array([slanted, caption, apart])
    assert tighter(boxes, boxes[0]).tolist() == [caption]
    assert tighter(boxes, boxes[1]).tolist() == []
