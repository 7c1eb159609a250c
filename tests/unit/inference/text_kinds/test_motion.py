"""Texts that stay and texts that go along, over a picture that is shifted by known amounts."""

from __future__ import annotations

import cv2
import numpy as np

from rumiai.inference.text_kinds.motion import follow

WIDTH, HEIGHT = 216, 384
BOX = (0.3, 0.4, 0.4, 0.06)


def world(seed=3):
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT // 6, (WIDTH + 120) // 6), dtype=np.uint8)
    return cv2.resize(noise, (WIDTH + 120, HEIGHT), interpolation=cv2.INTER_CUBIC)


def lettered(image, x, y):
    cv2.putText(image, "READ IT", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2)


def filmed(shift_px, *, laid_over):
    """Six frames of a pan by ``shift_px`` a frame, and a text laid over them or painted into the picture."""
    at = (round(BOX[0] * WIDTH) + 2, round((BOX[1] + BOX[3]) * HEIGHT) - 4)
    picture = world()
    if not laid_over:
        lettered(picture, at[0] + 20, at[1])
    frames = []
    for k in range(6):
        left = 20 + k * shift_px
        frame = np.ascontiguousarray(picture[:, left : left + WIDTH])
        if laid_over:
            lettered(frame, *at)
        frames.append(frame)
    return frames


def test_a_text_laid_over_a_pan_stays():
    [motion] = follow(filmed(2, laid_over=True), [BOX], [])
    assert motion.weight == 1.0
    assert motion.along < 0.2  # some of its points are of the picture that shines between its letters
    assert not motion.alone


def test_a_text_in_the_scene_goes_along():
    [motion] = follow(filmed(2, laid_over=False), [BOX], [])
    assert motion.weight == 1.0
    assert motion.along > 0.8


def test_where_nothing_moves_nothing_can_be_told():
    assert follow(filmed(0, laid_over=False), [BOX], []) == [None]


def test_one_frame_and_no_text_say_nothing():
    assert follow(filmed(2, laid_over=True)[:1], [BOX], []) == [None]
    assert follow(filmed(2, laid_over=True), [], []) == []
