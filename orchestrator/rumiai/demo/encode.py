"""Encode a clip with PyAV and say what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from rumiai.core.files import written_whole
from rumiai.demo.draw import CaptionPainter, Rgb, ShotPainter
from rumiai.demo.sound import SAMPLE_RATE_HZ, Sound, compose
from rumiai.demo.spec import ClipSpec, Truth, first_frame_at
from rumiai.errors import StoreError

# Encoders and the options that make them quick. A fixed number of threads, because the encoders' choices depend on it,
# and no lookahead for x264: with it and B-frames, one run in ten gives other bytes for the same frames.
_THREADS: Final = 2
_ENCODERS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "h264": ("libx264", {"preset": "veryfast", "crf": "20", "g": "60", "x264-params": "rc-lookahead=0:mbtree=0"}),
    "hevc": (
        "libx265",
        {"preset": "ultrafast", "crf": "24", "x265-params": f"log-level=none:pools={_THREADS}:frame-threads=1"},
    ),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "30", "b": "0"}),
}
# A phone's irregular rate: after each frame so many grid steps, over and over.
_VFR_STEPS: Final = (1, 2, 1, 1, 3)


def render(spec: ClipSpec, path: Path) -> Truth:
    """Write the clip to ``path`` (a temporary name beside it first) and return what it holds.

    The same spec gives the same file, with the same versions of PyAV, OpenCV and eSpeak NG.

    Raises:
        ConfigurationError: A package that ships a picture, the typefaces or the speech is not installed.
        StoreError: The file cannot be written.
        ValueError: The spec cannot be rendered, as when sentences overlap.
    """
    scene = _Scene(spec)
    sound = None if spec.silent else compose(spec)
    frames = scene.frame_indices()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            _encode(spec, scene, frames, sound, file)
    except OSError as exc:
        raise StoreError(f"cannot write the clip {path}: {exc}", hint="check the folder and the space left") from exc
    return Truth(
        path=path,
        duration_s=spec.length_s,
        frame_times_s=tuple(i / spec.fps for i in frames),
        cuts_s=scene.cuts_s(frames),
        lines=tuple(line for painter in scene.captions for line in painter.truth()),
        words=sound.words if sound else (),
        beats_s=sound.beats_s if sound else (),
    )


@dataclass(frozen=True)
class _Span:
    first: int  # index of its first frame on the constant-rate grid
    painter: ShotPainter
    dissolve_s: float


class _Scene:
    """Shots and captions of a clip on its frame grid."""

    def __init__(self, spec: ClipSpec) -> None:
        self._spec = spec
        self._spans: list[_Span] = []
        start_s = 0.0
        for shot in spec.shots:
            painter = ShotPainter(shot, spec.width, spec.height)
            self._spans.append(_Span(first_frame_at(start_s, spec.fps), painter, shot.dissolve_s))
            start_s += shot.duration_s
        self.captions = [CaptionPainter(caption, spec.width, spec.height) for caption in spec.captions]

    def frame_indices(self) -> list[int]:
        """Which frames of the constant-rate grid the file holds."""
        count = self._spec.frame_count
        if not self._spec.vfr:
            return list(range(count))
        kept, at = [], 0
        while at < count:
            kept.append(at)
            at += _VFR_STEPS[len(kept) % len(_VFR_STEPS)]
        if kept[-1] != count - 1:  # the last frame carries the clip's length
            kept.append(count - 1)
        return kept

    def cuts_s(self, frames: list[int]) -> tuple[float, ...]:
        """Times of the first frames of new shots."""
        held = np.array(frames)
        cuts = [held[np.searchsorted(held, span.first)] for span in self._spans[1:] if span.dissolve_s == 0]
        return tuple(float(index) / self._spec.fps for index in cuts)

    def frame(self, index: int) -> Rgb:
        """Frame ``index`` of the grid, (height, width, 3) uint8 RGB."""
        fps = self._spec.fps
        at = max(i for i, span in enumerate(self._spans) if span.first <= index)
        span = self._spans[at]
        into_s = (index - span.first) / fps
        image = span.painter.frame(into_s, index)
        if into_s < span.dissolve_s and at > 0:
            share = (index - span.first + 1) / (span.dissolve_s * fps + 1)
            before = self._spans[at - 1]
            old = before.painter.frame((index - before.first) / fps, index)
            image = np.rint(old * (1 - share) + image * share).astype(np.uint8)
        for painter in self.captions:
            painter.draw(image, (index + 1e-6) / fps)
        return image


def _encode(spec: ClipSpec, scene: _Scene, frames: list[int], sound: Sound | None, file: Any) -> None:
    with av.open(file, "w", format=spec.container) as out:
        video: Any = _video_stream(out, spec) if frames else None
        audio = out.add_stream("libopus" if spec.container == "webm" else "aac", rate=SAMPLE_RATE_HZ) if sound else None
        if audio is not None:
            audio.layout = "mono"
        sound_frames = _sound_frames(sound)
        for index in frames:
            picture = scene.frame(index)
            if spec.rotation_deg:
                picture = np.ascontiguousarray(np.rot90(picture, spec.rotation_deg // 90))
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, spec.fps)
            out.mux(video.encode(frame))
            # About as much sound as picture, so that a player need not seek.
            if index % spec.fps == 0 and audio is not None and (piece := next(sound_frames, None)) is not None:
                out.mux(audio.encode(piece))
        if audio is not None:
            for piece in sound_frames:
                out.mux(audio.encode(piece))
        for stream in (video, audio):
            if stream is not None:
                out.mux(stream.encode(None))


def _video_stream(out: Any, spec: ClipSpec) -> Any:
    encoder, options = _ENCODERS[spec.codec]
    stream = out.add_stream(encoder, rate=spec.fps, options=options)
    turned = spec.rotation_deg in (90, 270)
    stream.width, stream.height = (spec.height, spec.width) if turned else (spec.width, spec.height)
    stream.pix_fmt = spec.pixel_format
    stream.codec_context.thread_count = _THREADS
    stream.codec_context.time_base = Fraction(1, spec.fps)
    if spec.rotation_deg:
        stream.set_display_rotation(-spec.rotation_deg)  # PyAV counts counter-clockwise
    return stream


def _sound_frames(sound: Sound | None) -> Iterator[Any]:
    samples = sound.samples if sound else np.zeros(0, np.float32)
    for at in range(0, len(samples), SAMPLE_RATE_HZ):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + SAMPLE_RATE_HZ], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, at, Fraction(1, SAMPLE_RATE_HZ)
        yield frame
