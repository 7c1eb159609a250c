"""Opening a hostile file: which containers and codecs are let in.

Every part of media/ that opens a file does it here. ffmpeg reads playlists, concat scripts, device names and network
addresses as readily as MP4; none of that may be reached through a file that someone uploaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
from av.codec.hwaccel import HWAccel
from av.stream import Discard

from rumiai.errors import DecodeError, ProbeError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

# What phones, editors and the platforms write, and plain audio files; no playlist, no image sequence, no script.
CONTAINERS: Final = (
    "mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg", "wav", "mp3", "aac", "flac",
)  # fmt: skip
# ffmpeg's canonical names: widely used, long fuzzed decoders.
VIDEO_CODECS: Final = frozenset(
    {"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mpeg1video", "h263", "mjpeg", "prores", "theora"}
)
# A local file that blocks longer than this is not a file (a hanging network mount).
_IO_TIMEOUT_S: Final = 30.0


@contextmanager
def open_media(path: Path, *, max_pixels: int | None = None, hwaccel: str | None = None) -> Iterator[InputContainer]:
    """Open a file for reading, without following anything it points to.

    Args:
        path: A regular file.
        max_pixels: Larger pictures are refused by the decoders themselves, also while the header is read.
        hwaccel: A device type of ffmpeg, ``"cuda"``; decoding in software instead is then an error.

    Raises:
        ProbeError: No container that we take.
        DecodeError: The device asked for cannot decode this file.
    """
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(CONTAINERS)}
    if max_pixels is not None:
        options["max_pixels"] = str(max_pixels)
    device = None if hwaccel is None else _device(hwaccel)
    try:
        # "file:" and an absolute path: ffmpeg then takes "concat:a|b" for a file name, not for a protocol.
        container = av.open(
            f"file:{path.absolute()}",
            mode="r",
            options=options,
            metadata_errors="replace",
            timeout=_IO_TIMEOUT_S,
            hwaccel=device,
        )
    except (av.FFmpegError, EOFError) as exc:
        if hwaccel is not None and not isinstance(exc, av.InvalidDataError | av.FileNotFoundError | EOFError):
            raise _no_device(path, hwaccel, exc) from exc
        raise ProbeError(
            f"{path.name} is no video or audio file that we can open: {_reason(exc)}",
            hint=f"expected one of {', '.join(CONTAINERS)}; a download that was cut off looks like this too",
        ) from exc
    except (RuntimeError, NotImplementedError, ValueError) as exc:
        if hwaccel is None:
            raise
        raise _no_device(path, hwaccel, exc) from exc
    try:
        yield container
    finally:
        container.close()


def video_stream_at(container: InputContainer, index: int | None) -> VideoStream | None:
    """The video stream of that index; None when there is none."""
    return next((stream for stream in container.streams.video if stream.index == index), None)


def audio_stream_at(container: InputContainer, index: int | None) -> AudioStream | None:
    """The audio stream of that index; None when there is none."""
    return next((stream for stream in container.streams.audio if stream.index == index), None)


def codec_name(stream: Stream) -> str | None:
    """The canonical codec name of ffmpeg; None when this build cannot decode the stream."""
    context = stream.codec_context
    return None if context is None else str(context.codec.canonical_name)


def read_only(container: InputContainer, stream: Stream) -> Iterator[Packet[Any]]:
    """The packets of one stream; the demuxer skips all others."""
    for other in container.streams:
        other.discard = Discard.default if other.index == stream.index else Discard.all
    yield from container.demux(stream)


def seconds_per_tick(time_base: Fraction) -> Fraction:
    """A time base as a Fraction (newer PyAV has a type of its own)."""
    return Fraction(int(time_base.numerator), int(time_base.denominator))


def _device(hwaccel: str) -> HWAccel:
    # One context for the whole process, torch's too, instead of one for every video: they take memory and time.
    options: dict[str, object] = {"primary_ctx": "1"} if hwaccel == "cuda" else {}
    return HWAccel(hwaccel, allow_software_fallback=False, options=options)


def _reason(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc)


def _no_device(path: Path, hwaccel: str, exc: Exception) -> DecodeError:
    return DecodeError(
        f"{path.name} cannot be decoded on {hwaccel}: {_reason(exc)}",
        hint="decode on the CPU (no hwaccel), or check the driver and that the device decodes this codec",
    )
