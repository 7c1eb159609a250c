"""Overlays told from colourful things, on drawn frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rumiai.contracts.frames import FrameDetections, FrameTexts, Sampling
from rumiai.inference.stickers import StickerFinder

WIDTH, HEIGHT = 360, 640
STAR = (0.6, 0.2, 0.2, 0.1)  # x, y, width, height of the drawn sticker


def backdrop(shift_px=0):
    """A grey texture; another shift is a camera that moved."""
    coarse = np.random.default_rng(3).integers(60, 190, (40, 40), dtype=np.uint8)
    big = cv2.resize(coarse, (WIDTH + 200, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.repeat(big[:, shift_px : shift_px + WIDTH, None], 3, axis=2).copy()


def with_sticker(image, box=STAR, colour=(250, 40, 60)):
    x, y, w, h = box
    cv2.ellipse(
        image,
        (round((x + w / 2) * WIDTH), round((y + h / 2) * HEIGHT)),
        (round(w / 2 * WIDTH), round(h / 2 * HEIGHT)),
        0, 0, 360, colour, -1, cv2.LINE_AA,
    )  # fmt: skip
    return image


def find(images, detections=(), cuts=(), texts=(), chunk=3):
    n = len(images)
    finder = StickerFinder(Sampling(WIDTH, HEIGHT, 30.0, n / 2, 2.0, n))
    for at in range(0, n, chunk):
        part = np.stack(images[at : at + chunk])
        numbers = np.arange(at, at + len(part))
        finder.feed(part, numbers / 2, 15 * numbers)
    return finder.finish(detections, cuts, texts)


def objects(n, box):
    return [
        FrameDetections(k / 2, 15 * k, np.array([box], np.float32), np.ones(1, np.float32), np.zeros(1, np.int32))
        for k in range(n)
    ]


def test_sticker_on_a_moving_picture():
    images = [backdrop(20 * k) for k in range(6)]
    for k in range(1, 4):
        with_sticker(images[k])
    (found,) = find(images)
    assert (found.id, found.start_s, found.end_s, found.timestamp_s) == ("sticker_1", 0.25, 1.75, 0.5)
    np.testing.assert_allclose(found.bbox, STAR, atol=0.01)
    assert 0.7 <= found.confidence <= 0.95


def test_sticker_that_pops_up_on_a_still_picture():
    images = [backdrop() if k < 2 else with_sticker(backdrop()) for k in range(6)]
    (found,) = find(images)
    assert (found.start_s, found.end_s) == (0.75, 2.75)
    assert 0.6 <= found.confidence < 0.7


def test_sticker_that_outlives_a_cut_is_surer_than_one_that_never_changes():
    still = [with_sticker(backdrop()) for _ in range(6)]
    across = still[:3] + [with_sticker(255 - backdrop()) for _ in range(3)]
    (alone,), (surer,) = find(still), find(across, cuts=(1.4,))
    assert alone.confidence < 0.5 < surer.confidence
    assert (surer.start_s, surer.end_s) == (0.0, 2.75)


def test_times_are_clipped_at_cuts():
    images = [backdrop(20 * k) for k in range(2)] + [with_sticker(255 - backdrop(20 * k)) for k in range(4)]
    (found,) = find(images, cuts=(0.9,))
    assert found.start_s == 0.9


def test_colourful_thing_that_moves_is_none():
    images = [with_sticker(backdrop(), (0.1 + 0.08 * k, 0.2, 0.2, 0.1)) for k in range(6)]
    assert find(images) == []


def test_what_lies_on_an_object_is_none():
    images = [with_sticker(backdrop(20 * k)) for k in range(6)]
    assert find(images, objects(6, (0.5, 0.1, 0.45, 0.5))) == []
    # 50 % of it is not more than 60 %.
    assert len(find(images, objects(6, (0.7, 0.1, 0.3, 0.5)))) == 1


def test_box_behind_a_caption_is_none():
    images = [backdrop(20 * k) for k in range(6)]
    for image in images:
        image[400:440, 60:300] = (220, 30, 40)
    box = np.array([[0.2, 0.63, 0.6, 0.05]], np.float32)
    one = np.ones(1, np.float32)
    texts = [FrameTexts(k / 2, 15 * k, ("FOLLOW",), box, one, one) for k in range(6)]
    assert find(images, texts=texts) == []


def test_glimpse_and_soft_light_are_none():
    glimpse = [backdrop() for _ in range(6)]
    with_sticker(glimpse[2])
    assert find(glimpse) == []
    soft = [cv2.GaussianBlur(with_sticker(backdrop()), (0, 0), 25) for _ in range(6)]
    assert find(soft) == []


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ((0.2, 0.3, 0.12, 0.0675), "sticker"),
        ((0.15, 0.3, 0.7, 0.1), "banner"),
        ((0.3, 0.3, 0.3, 0.12), "graphic_overlay"),
    ],
)
def test_types(box, kind):
    images = [backdrop(20 * k) for k in range(4)]
    for image in images:
        x, y, w, h = box
        image[round(y * HEIGHT) : round((y + h) * HEIGHT), round(x * WIDTH) : round((x + w) * WIDTH)] = (30, 200, 60)
    assert [found.type for found in find(images)] == [kind]


def test_batches_make_no_difference():
    images = [with_sticker(backdrop(20 * k)) for k in range(5)]
    assert find(images, chunk=1) == find(images, chunk=5)


def test_memory_does_not_grow_with_the_video():
    finder = StickerFinder(Sampling(WIDTH, HEIGHT, 30.0, 100.0, 2.0, 200))
    for k in range(60):
        x = 0.05 + 0.7 * (k % 7) / 7
        finder.feed(with_sticker(backdrop(), (x, 0.2, 0.2, 0.1))[None], np.array([k / 2]), np.array([k]))
    assert len(finder._done) == 0
