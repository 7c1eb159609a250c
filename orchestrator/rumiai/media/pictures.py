"""The intact pictures of a hostile video stream, in order of time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import av
from av.codec.context import ThreadType

from rumiai.contracts.frames import VideoInfo
from rumiai.errors import DecodeError, LimitError, ProbeError
from rumiai.media.clock import clock_zero_s, declared_end_s, on_one_clock
from rumiai.media.container import audio_stream_at, open_media, read_only, seconds_per_tick, video_stream_at

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from rumiai.media.probe import MediaLimits

# More decoder threads than this gain nothing below 4K and each keeps a picture.
_MAX_THREADS: Final = 4
# Headers round: this much past the declared duration is accepted; a longer stream contradicts its header.
_OVERRUN_S: Final = 2.0
# A field-coded stream has two packets per frame; the rest is slack for headers that miscount.
_PACKETS_PER_FRAME: Final = 2
_SLACK: Final = 1000
# Containers round times to milliseconds.
_SLACK_S: Final = 0.05
# Frames of a variable rate come in bursts: the budget of pixels is that of so much more time.
_PIXELS_SLACK_S: Final = 1.0
# How far before its declared end a stream may stop and still count as complete, in frames: B-frames, rounding.
_COMPLETE_FRAMES: Final = 3


class Picture(NamedTuple):
    """A decoded picture: its index in the source stream, seconds on the video's clock, and the pixels."""

    number: int
    time_s: float
    frame: VideoFrame


class WorkClock:
    """Wall-clock seconds of work, without the pauses; work beyond the deadline is an error.

    Args:
        name: Of the file, for the message.
        deadline_s: None for no limit.
    """

    def __init__(self, name: str, deadline_s: float | None) -> None:
        self._name = name
        self._deadline_s = deadline_s
        self._begun_s = time.monotonic()
        self._paused_s = 0.0

    @property
    def worked_s(self) -> float:
        """Seconds since the start that were no pause."""
        return time.monotonic() - self._begun_s - self._paused_s

    def start(self) -> None:
        """Begin now."""
        self._begun_s = time.monotonic()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time within the block is excluded from the time budget."""
        since_s = time.monotonic()
        try:
            yield
        finally:
            self._paused_s += time.monotonic() - since_s

    def check(self) -> None:
        """Raise LimitError beyond the deadline."""
        if self._deadline_s is not None and self.worked_s > self._deadline_s:
            raise LimitError(
                f"{self._name} took more than {self._deadline_s:g} s to decode",
                hint="use a smaller version of it, or raise the limit",
            )


class PictureReader:
    """Decodes one video stream; iterate once.

    Attributes:
        decoded: Intact pictures so far.
        corrupt: Damaged ones so far; they are skipped.
        packets_damaged: Packets flagged by the container as corrupt, and errors of reading.
        misplaced: Intact ones so far whose time repeats, runs back or lies before the start; they are skipped.
        end_s: End of the last picture.
        complete: After the iteration: whether the stream went on to its declared end; None when none is declared.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        limits: MediaLimits,
        clock: WorkClock,
        *,
        hwaccel: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.decoded = 0
        self.corrupt = 0
        self.packets_damaged = 0
        self.misplaced = 0
        self.end_s = 0.0
        self.complete: bool | None = None
        self._pixels = 0
        self._path = path
        self._info = info
        self._limits = limits
        self._clock = clock
        self._hwaccel = hwaccel
        self._threads = threads or min(_MAX_THREADS, os.cpu_count() or 1)
        declared = info.frames_declared
        self._most = min(limits.max_frames, limits.max_frames if declared is None else 2 * declared + _SLACK)

    def __iter__(self) -> Iterator[Picture]:
        """Decode.

        Raises:
            DecodeError: Nothing could be decoded, or not on the device asked for.
            LimitError: More frames or seconds than declared, or beyond the deadline.
        """
        try:
            with open_media(self._path, max_pixels=self._limits.max_pixels, hwaccel=self._hwaccel) as container:
                stream = self._open_stream(container)
                yield from self._in_order(container, stream)
        except ProbeError as exc:
            raise DecodeError(f"{self._path.name} changed since it was probed: {exc.message}") from exc
        if self.decoded == 0:
            hint = "the file is damaged"
            if self._hwaccel is not None:
                # Its decoder is only loaded with the first frame, and refuses profiles that it does not know there.
                hint += f", or {self._hwaccel} lacks its decoder (libnvcuvid) or this profile: decode on the CPU"
            raise DecodeError(f"{self._path.name}: no frame of {self.corrupt} could be decoded", hint=hint)

    def _open_stream(self, container: InputContainer) -> VideoStream:
        stream = video_stream_at(container, self._info.video_stream)
        if stream is None:
            raise DecodeError(f"{self._path.name} changed since it was probed: it has no video stream now")
        context = stream.codec_context
        if self._hwaccel is not None and not context.is_hwaccel:
            raise DecodeError(
                f"{self._path.name}: {self._hwaccel} does not decode {self._info.video_codec}",
                hint="decode on the CPU (no hwaccel)",
            )
        context.thread_type = ThreadType.AUTO
        context.thread_count = self._threads
        context.options = {"max_pixels": str(self._limits.max_pixels)}
        return stream

    def _in_order(self, container: InputContainer, stream: VideoStream) -> Iterator[Picture]:
        zero_s = clock_zero_s(stream, audio_stream_at(container, self._info.audio_stream))
        usual_s = 1 / self._info.fps if self._info.fps > 0 else 0.0
        last_s = -1.0
        # AVI stores no presentation times: where pictures are reordered, ffmpeg's guesses run back and forth.
        counted = "avi" in self._info.container.split(",") and stream.codec_context.has_b_frames and usual_s > 0
        for number, frame in enumerate(self._frames(container, stream)):
            if number >= self._most:
                raise self._beyond(f"more than {self._most} frames", f"{self._info.frames_declared or 'fewer'}")
            if frame is None:
                self.corrupt += 1
                continue
            time_s, end_s = (number * usual_s, None) if counted else _times_s(frame, stream, zero_s)
            if time_s is None:
                time_s = last_s + usual_s if last_s >= 0 else 0.0
            if time_s > self._info.duration_s + _OVERRUN_S:
                raise self._beyond(f"a frame at {time_s:.1f} s", f"{self._info.duration_s:.1f} s")
            if time_s <= last_s or time_s < 0.0:
                self.misplaced += 1
                continue
            self.decoded += 1
            last_s = time_s
            self._pixels += frame.width * frame.height
            if self._pixels > self._limits.max_pixels_per_s * (time_s + _PIXELS_SLACK_S):
                allowed = f"{self._limits.max_pixels_per_s / 1e6:.0f} million a second"
                raise self._beyond(f"{self._pixels / 1e6:.0f} million pixels in {time_s:.1f} s", allowed)
            self.end_s = end_s or time_s + usual_s
            # Beyond the declared end by a rounding error there is no sampling instant and no scene.
            if time_s < self._info.duration_s:
                yield Picture(number, time_s, frame)
        self.complete = self._came_to_its_end(stream, zero_s, usual_s)

    def _came_to_its_end(self, stream: VideoStream, zero_s: Fraction, usual_s: float) -> bool | None:
        """Whether the stream reached its declared end and number of frames; None when no header declares one."""
        given = self.decoded + self.corrupt + self.misplaced
        if "avi" in self._info.container.split(",") and stream.frames > given + _COMPLETE_FRAMES:
            # The header of AVI counts the frames; the duration from FFmpeg is that of the frames that are there.
            return False
        declared_s = declared_end_s(stream, self._info, zero_s)
        if declared_s is None and not self._info.has_audio:
            declared_s = self._info.declared_s
        return None if declared_s is None else self.end_s >= declared_s - max(_COMPLETE_FRAMES * usual_s, _SLACK_S)

    def _frames(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame | None]:
        """Frames as decoded; None for one that is damaged."""
        packets = on_one_clock(read_only(container, stream), stream, self._info.clock_breaks)
        for _ in range(self._most * _PACKETS_PER_FRAME + _SLACK):
            self._clock.check()
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                # The file breaks off; the frames still in the decoder are good.
                self.packets_damaged += 1
                packet = None
            if packet is not None and packet.size == 0:
                # The decoder would take it for the end, which None below means.
                continue
            self.packets_damaged += packet is not None and packet.is_corrupt
            try:
                frames = stream.codec_context.decode(packet)
            except EOFError:
                return
            except av.FFmpegError:
                yield None
                frames = []
            yield from (None if frame.is_corrupt else frame for frame in frames)
            if packet is None:
                return
        raise self._beyond("far more packets", f"{self._info.frames_declared or self._most} frames")

    def _beyond(self, got: str, expected: str) -> LimitError:
        return LimitError(
            f"{self._path.name} has {got}, expected {expected}", hint="its header is wrong; export the video again"
        )


def _times_s(frame: VideoFrame, stream: VideoStream, zero_s: Fraction) -> tuple[float | None, float | None]:
    """Begin and end of a frame on the video's clock; None for what the container does not tell."""
    # PyAV gives the frames that the decoder held back until the end no time base of their own.
    time_base = frame.time_base or stream.time_base
    if frame.pts is None or not time_base:
        return None, None
    tick_s = seconds_per_tick(time_base)
    begin_s = frame.pts * tick_s - zero_s
    return float(begin_s), float(begin_s + frame.duration * tick_s) if frame.duration else None
