"""Clips made on the spot, with the number of each frame written into its pixels."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import PIL.Image
import pytest

from ...conftest import PILLOWS_OPEN

BITS = 10


def picture(number: int, width: int, height: int, shot: int) -> np.ndarray:
    """(height, width, 3) uint8 RGB: the number as black and white blocks above, a pattern of the shot below."""
    grid = np.random.default_rng(1000 + shot).integers(30, 226, (3, 4, 3), dtype=np.uint8)
    image = cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
    top, block = max(1, height // 4), width // BITS
    for bit in range(BITS):
        image[:top, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
    return image


def number_in(image: np.ndarray) -> int:
    """The number that ``picture`` has written."""
    height, width = image.shape[:2]
    rows = image[height // 16 : max(height // 16 + 1, height * 3 // 16)]
    middles = [int((bit + 0.5) * (width // BITS * BITS) / BITS) for bit in range(BITS)]
    return sum(1 << bit for bit, x in enumerate(middles) if rows[:, x].mean() > 128)


@dataclass
class Clip:
    """How to make one; the defaults give 2 s of 160x96 H.264 in MP4 without sound."""

    name: str = "clip.mp4"
    size: tuple[int, int] = (160, 96)
    fps: Fraction = Fraction(30)
    frames: int = 60
    times_ms: Sequence[int] | None = None
    cuts: Sequence[int] = ()
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "18"})
    rotation_ccw: int | None = None
    pixel_aspect: Fraction | None = None
    draw: Callable[[int, int, int, int], np.ndarray] = picture
    sound: np.ndarray | None = None
    sound_codec: str = "aac"
    sound_rate_hz: int = 44_100
    sound_start_s: float = 0.0
    container_options: dict[str, str] = field(default_factory=dict)
    colour: dict[str, int] = field(default_factory=dict)


def write_clip(folder: Path, clip: Clip) -> Path:
    path = folder / clip.name
    with av.open(str(path), "w", options=clip.container_options) as out:
        video = _video_stream(out, clip) if clip.frames else None
        audio = None
        if clip.sound is not None:
            audio = out.add_stream(clip.sound_codec, rate=clip.sound_rate_hz, layout="mono")
        if audio is not None:
            _write_sound(out, audio, clip)
        if video is not None:
            _write_pictures(out, video, clip)
    return path


def _video_stream(out: Any, clip: Clip) -> Any:
    video = out.add_stream(clip.codec, rate=clip.fps, options=clip.options)
    video.width, video.height = clip.size
    video.pix_fmt = clip.pixel_format
    if clip.times_ms is not None:
        video.codec_context.time_base = Fraction(1, 1000)
    if clip.pixel_aspect is not None:
        video.codec_context.sample_aspect_ratio = clip.pixel_aspect
    if clip.rotation_ccw is not None:
        video.set_display_rotation(clip.rotation_ccw)
    for name, value in clip.colour.items():
        setattr(video.codec_context, name, value)
    return video


def _write_pictures(out: Any, video: Any, clip: Clip) -> None:
    for number in range(clip.frames):
        shot = sum(number >= cut for cut in clip.cuts)
        frame = av.VideoFrame.from_ndarray(clip.draw(number, *clip.size, shot), "rgb24")
        if clip.colour.get("colorspace") == 1:
            frame = frame.reformat(format=clip.pixel_format, dst_colorspace="ITU709")
        frame.pts = number if clip.times_ms is None else clip.times_ms[number]
        frame.time_base = 1 / clip.fps if clip.times_ms is None else Fraction(1, 1000)
        out.mux(video.encode(frame))
    out.mux(video.encode())


def _write_sound(out: Any, audio: Any, clip: Clip) -> None:
    wanted = audio.codec_context.format.name
    resampler = av.AudioResampler(format=wanted, layout="mono", rate=clip.sound_rate_hz, frame_size=1024)
    frame = av.AudioFrame.from_ndarray(clip.sound.astype(np.float32)[None], "fltp", "mono")
    frame.sample_rate = clip.sound_rate_hz
    frame.pts = 0
    shift = round(clip.sound_start_s * clip.sound_rate_hz)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        piece.pts += shift
        out.mux(audio.encode(piece))
    out.mux(audio.encode())


@pytest.fixture(autouse=True)
def pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are opened as in the orchestrator's processes."""
    monkeypatch.setattr(PIL.Image, "open", PILLOWS_OPEN)


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """``make_clip(frames=90, cuts=(30, 60))`` writes a clip and gives its path."""

    def make(**settings: Any) -> Path:
        with scheduling_kept():
            return write_clip(tmp_path, Clip(**settings))

    return make


@contextlib.contextmanager
def scheduling_kept() -> Iterator[None]:
    """SVT-AV1's encoder gives the thread that calls it real-time priority when it may, and does not take it back."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


@pytest.fixture(scope="session")
def read_number() -> Callable[[np.ndarray], int]:
    return number_in


@pytest.fixture(scope="session")
def draw() -> Callable[[int, int, int, int], np.ndarray]:
    return picture
