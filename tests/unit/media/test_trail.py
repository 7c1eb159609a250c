"""The grey trail: every frame of the one decode, within a fixed number of bytes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rumiai.contracts.frames import FrameKind
from rumiai.contracts.trail import TrailFrames
from rumiai.media.decode import VideoPass, slot_bytes_for
from rumiai.media.probe import probe, sampling_for
from rumiai.media.shared_frames import FrameArena
from rumiai.media.trail import GreyTrail

MakeClip = Callable[..., Path]


def _trail_of(path: Path) -> TrailFrames:
    info, trail = probe(path), GreyTrail()
    small: dict[str, int] = {"max_side_px": 64, "frames_per_batch": 4}
    readers: dict[FrameKind, int] = {"sampled": 1, "after_cut": 1}
    with FrameArena("test-trail", slots=2, slot_bytes=slot_bytes_for(info, **small)) as arena:
        for batch in VideoPass(path, info, sampling_for(info, 2.0), arena, readers=readers, trail=trail, **small):
            batch.release()
    return trail.between(0.0, info.duration_s)


def _noise(number: int, side_px: int = 64) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (side_px, side_px), dtype=np.uint8)


@pytest.mark.parametrize("times_ms", [None, [0, 40, 500, 530, 2000, 2010]])
def test_it_has_every_frame_with_its_time(
    make_clip: MakeClip, read_number: Callable[..., int], times_ms: list[int] | None
) -> None:
    count = len(times_ms) if times_ms else 60
    trail = _trail_of(make_clip(frames=count, times_ms=times_ms))
    assert trail.numbers.tolist() == list(range(count))
    assert trail.times_s == pytest.approx([t / 1000 for t in times_ms] if times_ms else [i / 30 for i in range(60)])
    assert [read_number(np.dstack([image] * 3)) for image in trail.images] == list(range(count))


@pytest.mark.parametrize("settings", [{"pixel_format": "yuv420p10le"}, {"pixel_format": "yuvj420p"}])
def test_it_shows_the_luma_of_any_format(make_clip: MakeClip, settings: dict[str, Any]) -> None:
    def grey(number: int, width: int, height: int, shot: int) -> np.ndarray:
        return np.full((height, width, 3), 120, np.uint8)

    expected = 120 if settings["pixel_format"] == "yuvj420p" else 16 + 120 * 219 / 255
    trail = _trail_of(make_clip(draw=grey, frames=2, **settings))
    assert np.abs(trail.images.stacked().astype(float) - expected).max() <= 3


@pytest.mark.parametrize("quarter_turns_ccw", [1, 2, 3])
def test_pictures_are_turned_as_shown(
    make_clip: MakeClip, read_number: Callable[..., int], quarter_turns_ccw: int
) -> None:
    degrees = {1: 90, 2: 180, 3: -90}[quarter_turns_ccw]
    trail = _trail_of(make_clip(rotation_ccw=degrees, frames=4))
    coded = [np.rot90(np.dstack([image] * 3), -quarter_turns_ccw) for image in trail.images]
    assert [read_number(image) for image in coded] == [0, 1, 2, 3]


def test_large_pictures_become_small_ones_of_the_shape_that_is_shown(
    make_clip: MakeClip, read_number: Callable[..., int]
) -> None:
    trail = _trail_of(make_clip(size=(1280, 720), pixel_aspect=Fraction(1, 2), frames=3))
    assert trail.images.stacked().shape == (3, 384, 341)
    assert [read_number(np.dstack([image] * 3)) for image in trail.images] == [0, 1, 2]


def test_between_gives_what_was_shown() -> None:
    trail = GreyTrail()
    for number in range(10):
        trail.add(_noise(number), number / 10, number)
    assert trail.between(0.25, 0.5).numbers.tolist() == [2, 3, 4, 5]
    assert trail.between(0.3, 0.3).numbers.tolist() == [3]
    # A frame that stays is what was shown, however long ago it came.
    assert trail.between(5.0, 6.0).numbers.tolist() == [9]
    assert len(trail.between(-2.0, -1.0)) == 0
    assert len(GreyTrail().between(0.0, 1.0)) == 0


def test_compression_loses_little() -> None:
    rows = np.linspace(20, 220, 384, dtype=np.uint8)[:, None].repeat(216, axis=1)
    trail = GreyTrail()
    trail.add(rows, 0.0, 0)
    assert np.abs(trail.between(0.0, 0.0).images[0].astype(int) - rows).max() <= 4


def test_a_still_picture_costs_its_bytes_once() -> None:
    trail, image = GreyTrail(), _noise(0)
    trail.add(image, 0.0, 0)
    once = trail.size_bytes
    for number in range(1, 500):
        trail.add(image.copy(), number / 30, number)
    assert trail.size_bytes == once
    assert len(trail) == 500


def test_bytes_are_bounded_and_the_whole_video_stays() -> None:
    limit = 40 * 5000
    trail = GreyTrail(max_bytes=limit)
    for number in range(1000):
        trail.add(_noise(number), number / 30, number)
        assert trail.size_bytes <= limit
    seen = trail.between(0.0, 100.0)
    assert trail.step in (32, 64)
    assert seen.numbers.tolist() == list(range(0, 1000, trail.step))
    np.testing.assert_allclose(seen.times_s, seen.numbers / 30)
