"""What a file says of itself, and whether that lies within the limits. One frame is decoded, no more."""

from __future__ import annotations

import math
import stat
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av

from rumiai.contracts.frames import ClockBreak, Sampling, VideoInfo
from rumiai.errors import ContractError, LimitError, ProbeError
from rumiai.media.clock import GUESSED_DURATION, JOINABLE, PRIMING_S, clock_zero_s, find_breaks
from rumiai.media.container import (
    VIDEO_CODECS,
    audio_stream_at,
    codec_name,
    open_media,
    read_only,
    seconds_per_tick,
    video_stream_at,
)
from rumiai.media.orientation import orientation_of
from rumiai.media.streams import ChosenStreams, choose_streams

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Longest group of pictures to sift through for one frame that decodes: 10 s at 30 frames per second.
_FIRST_FRAME_PACKETS: Final = 300
# No camera or editor writes pixels more oblong than anamorphic 2:1; 8 leaves room for oddities.
_MAX_PIXEL_ASPECT: Final = 8
# A rate that gives fewer frames than this in the whole file contradicts that there is one. Half: durations are rounded.
_LEAST_FRAMES: Final = 0.5
# SMPTE 2084 (PQ) and ARIB STD-B67 (HLG), as numbered in ITU-T H.273.
_HDR_TRANSFERS: Final = frozenset({16, 18})


@dataclass(frozen=True)
class MediaLimits:
    """The largest file that is analysed.

    Attributes:
        max_duration_s: ``MAX_VIDEO_DURATION``: seconds.
        max_size_bytes: Size of the file.
        max_pixels: Width times height of a decoded picture; the default admits 4K in either orientation.
        max_frames: Declared or decoded frames of a video; the default is 300 s at 240 frames per second.
        max_streams: Streams of any kind in the container.
        max_pixels_per_s: Decoded pixels for each second of video; the default is 4K at 120 frames per second.
    """

    max_duration_s: float = 300.0
    max_size_bytes: int = 500 * 2**20
    max_pixels: int = 4096 * 2304
    max_frames: int = 72_000
    max_streams: int = 32
    max_pixels_per_s: float = 4096 * 2304 * 120.0


def probe(path: Path, limits: MediaLimits | None = None) -> VideoInfo:
    """Read the facts of a file and check them against the limits.

    A file may lack video or audio, not both. Sound that cannot be decoded costs the sound alone. The clock starts where
    :func:`rumiai.media.clock.clock_zero_s` says.

    Raises:
        ProbeError: Not a file, empty, not a container or codec that we take, or nothing in it can be played.
        LimitError: Larger, longer or more complex than ``limits``.
    """
    limits = limits or MediaLimits()
    size_bytes = _check_file(path, limits)
    with open_media(path, max_pixels=limits.max_pixels) as container:
        if len(container.streams) > limits.max_streams:
            raise _beyond(path, f"{len(container.streams)} streams", f"{limits.max_streams}")
        chosen = choose_streams(path, container)
        video, audio = video_stream_at(container, chosen.video), audio_stream_at(container, chosen.audio)
        if video is None and audio is None:
            raise _nothing_to_play(path, chosen)
        if video is not None:
            _check_codec(path, video)
        duration_s = declared_s = _declared_duration_s(container, video, audio)
        breaks: tuple[ClockBreak, ...] = ()
        end_s = Fraction(0)
        if JOINABLE & set(container.format.name.split(",")):
            indices = [stream.index for stream in (video, audio) if stream is not None]
            breaks, end_s = find_breaks(path, indices, 2 * limits.max_frames)
        if breaks:
            duration_s = end_s - clock_zero_s(video, audio)
        _check_duration(path, duration_s, limits)
        facts = {} if video is None else _video_facts(path, container, video, limits)
        container_name = container.format.name
        audio_facts = _audio_facts(audio)
    if duration_s is None:
        duration_s = _measured_duration_s(path, chosen, limits)
        _check_duration(path, duration_s, limits)
    if video is not None:
        _check_rate(path, facts, float(duration_s), limits)
    return VideoInfo(
        path=str(path),
        size_bytes=size_bytes,
        container=container_name,
        duration_s=float(duration_s),
        has_video=video is not None,
        has_audio=audio is not None or chosen.audio_problem is not None,
        video_stream=chosen.video,
        audio_stream=chosen.audio,
        audio_problem=chosen.audio_problem,
        clock_breaks=breaks,
        declared_s=None if declared_s is None or breaks else float(declared_s),
        **facts,
        **audio_facts,
    )


def sampling_for(info: VideoInfo, sample_fps: float) -> Sampling:
    """The sampling grid: instants k / f, k = 0, 1, ..., that are smaller than the duration.

    ``f`` is ``sample_fps``, or the source's own rate where that is lower. There is always an instant at 0.

    Raises:
        ContractError: No video stream, or a rate that is not positive.
    """
    if not info.has_video:
        raise ContractError(f"{info.path} has no video stream, so there is nothing to sample")
    if not (sample_fps > 0 and math.isfinite(sample_fps)):
        raise ContractError(f"got {sample_fps} samples per second, expected a number above 0")
    rate = float(min(sample_fps, info.fps) if info.fps > 0 else sample_fps)
    count = max(1, math.ceil(info.duration_s * rate))
    while count > 1 and (count - 1) / rate >= info.duration_s:
        count -= 1
    return Sampling(info.width, info.height, info.fps, info.duration_s, rate, count)


def _check_file(path: Path, limits: MediaLimits) -> int:
    try:
        status = path.stat()
    except (OSError, ValueError) as exc:
        raise ProbeError(f"{path} cannot be read: {exc}", hint="check the path and its permissions") from exc
    if not stat.S_ISREG(status.st_mode):
        raise ProbeError(f"{path} is no regular file", hint="give the path of a video file")
    if status.st_size == 0:
        raise ProbeError(f"{path.name} is empty", hint="the download or export that wrote it failed")
    if status.st_size > limits.max_size_bytes:
        raise _beyond(path, f"{status.st_size / 2**20:.1f} MiB", f"{limits.max_size_bytes / 2**20:.1f} MiB")
    return status.st_size


def _check_codec(path: Path, stream: VideoStream) -> None:
    name = codec_name(stream)
    if name not in VIDEO_CODECS:
        raise ProbeError(
            f"{path.name}: video codec {name or 'unknown'}, expected one of {', '.join(sorted(VIDEO_CODECS))}",
            hint="convert it, for example to H.264 with AAC in MP4",
        )


def _nothing_to_play(path: Path, chosen: ChosenStreams) -> ProbeError:
    if chosen.audio_problem is not None:
        return ProbeError(
            f"{path.name} has sound alone, and {chosen.audio_problem}", hint="convert it, for example to AAC in MP4"
        )
    return ProbeError(f"{path.name} has neither a video nor an audio stream", hint="is it the right file?")


def _check_duration(path: Path, duration_s: Fraction | None, limits: MediaLimits) -> None:
    if duration_s is not None and duration_s > limits.max_duration_s:
        raise _beyond(path, f"{float(duration_s):.1f} s", f"{limits.max_duration_s:g} s (MAX_VIDEO_DURATION)")


def _declared_duration_s(
    container: InputContainer, video: VideoStream | None, audio: AudioStream | None
) -> Fraction | None:
    """Seconds from clock zero to the end of the container, else of its longest stream; None when no header tells."""
    if video is None and GUESSED_DURATION & set(container.format.name.split(",")):
        return None
    zero_s = clock_zero_s(video, audio)
    if container.duration is not None and container.duration > 0:
        duration_s = Fraction(container.duration, av.time_base)
        # Matroska's header counts from its clock's own zero, the others from their first packet.
        counts_from_zero = "matroska" in container.format.name
        late_s = zero_s if counts_from_zero else zero_s - Fraction(container.start_time or 0, av.time_base)
        return duration_s - late_s if PRIMING_S < late_s < duration_s else duration_s
    ends_s = [
        (s.duration + (s.start_time or 0)) * seconds_per_tick(s.time_base) - zero_s
        for s in (video, audio)
        if s is not None and s.duration is not None and s.time_base is not None
    ]
    return max((end_s for end_s in ends_s if end_s > 0), default=None)


def _measured_duration_s(path: Path, chosen: ChosenStreams, limits: MediaLimits) -> Fraction:
    """Walk over the packets of the main stream, without decoding, to where the last one ends."""
    with open_media(path) as container:
        video, audio = video_stream_at(container, chosen.video), audio_stream_at(container, chosen.audio)
        stream: Stream | None = video or audio
        if stream is None or stream.time_base is None:
            raise ProbeError(f"{path.name} changed while it was read", hint="wait until it is written completely")
        tick_s = seconds_per_tick(stream.time_base)
        rate = getattr(stream, "average_rate", None)
        usual_s = 1 / seconds_per_tick(rate) if rate else Fraction(0)
        zero_s, end_s = clock_zero_s(video, audio), Fraction(0)
        try:
            for count, packet in enumerate(read_only(container, stream)):
                if count > limits.max_frames:
                    raise _beyond(path, f"more than {limits.max_frames} packets", f"{limits.max_frames}")
                if packet.pts is not None:
                    last_s = packet.duration * tick_s if packet.duration else usual_s
                    end_s = max(end_s, packet.pts * tick_s - zero_s + last_s)
                _check_duration(path, end_s, limits)
        except av.FFmpegError as exc:
            raise ProbeError(f"{path.name} cannot be read to its end: {exc.strerror}", hint="is it damaged?") from exc
    if end_s <= 0:
        raise ProbeError(f"{path.name} holds no packet with a time", hint="is it a complete video file?")
    return end_s


def _video_facts(path: Path, container: InputContainer, video: VideoStream, limits: MediaLimits) -> dict[str, Any]:
    width, height = video.codec_context.width, video.codec_context.height
    if width * height > limits.max_pixels:
        raise _beyond(path, f"{width}x{height} pixels", f"{limits.max_pixels} pixels")
    if video.frames > limits.max_frames:
        raise _beyond(path, f"{video.frames} frames", f"{limits.max_frames}")
    frame = _first_frame(path, container, video, limits)
    mirrored, rotation_deg = orientation_of(frame)
    width, height = display_size(path, frame.width, frame.height, video.sample_aspect_ratio, rotation_deg)
    if width * height > limits.max_pixels:
        raise _beyond(path, f"{width}x{height} pixels as shown", f"{limits.max_pixels} pixels")
    rate = video.average_rate or video.guessed_rate
    return {
        "width": width,
        "height": height,
        "fps": float(rate) if rate else 0.0,
        "rotation_deg": rotation_deg,
        "mirrored": mirrored,
        "frames_declared": video.frames or None,
        "video_codec": codec_name(video),
        "pixel_format": frame.format.name,
        "hdr": frame.color_trc in _HDR_TRANSFERS,
    }


def _check_rate(path: Path, facts: dict[str, Any], duration_s: float, limits: MediaLimits) -> None:
    """Refuse a frame rate that nobody can mean, or that asks for more work than the seconds are worth."""
    rate = facts["fps"]
    if 0 < rate * duration_s < _LEAST_FRAMES:
        raise ProbeError(
            f"{path.name} declares {rate:.2g} frames a second, not one in its {duration_s:.1f} s",
            hint="its header is damaged; fetch or export it again",
        )
    pixels_per_s = facts["width"] * facts["height"] * rate
    if pixels_per_s > limits.max_pixels_per_s:
        raise _beyond(
            path, f"{pixels_per_s / 1e6:.0f} million pixels a second", f"{limits.max_pixels_per_s / 1e6:.0f} million"
        )


def display_size(
    path: Path, width: int, height: int, pixel_aspect: Fraction | None, rotation_deg: int
) -> tuple[int, int]:
    """Width and height as shown: pixels made square (by their width), then turned.

    Raises:
        LimitError: Pixels more oblong than 8:1.
    """
    if pixel_aspect:
        aspect = seconds_per_tick(pixel_aspect)
        if not Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT:
            raise _beyond(path, f"a sample aspect ratio of {aspect}", f"1:{_MAX_PIXEL_ASPECT}..{_MAX_PIXEL_ASPECT}:1")
        width = max(1, round(width * aspect))
    return (height, width) if rotation_deg in (90, 270) else (width, height)


def _first_frame(path: Path, container: InputContainer, video: VideoStream, limits: MediaLimits) -> VideoFrame:
    # One thread: starting a pool costs more than one frame.
    video.codec_context.thread_count = 1
    video.codec_context.options = {"max_pixels": str(limits.max_pixels)}
    try:
        for packet in islice(read_only(container, video), _FIRST_FRAME_PACKETS):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            if frames:
                return frames[0]
    except av.FFmpegError as exc:
        raise ProbeError(f"{path.name} cannot be read: {exc.strerror}", hint="is it damaged or cut off?") from exc
    raise ProbeError(
        f"{path.name}: none of the first {_FIRST_FRAME_PACKETS} packets of its video stream can be decoded",
        hint="the file is damaged; fetch or export it again",
    )


def _audio_facts(audio: AudioStream | None) -> dict[str, Any]:
    if audio is None:
        return {}
    return {"audio_codec": codec_name(audio), "audio_sample_rate_hz": audio.codec_context.sample_rate or None}


def _beyond(path: Path, got: str, limit: str) -> LimitError:
    return LimitError(f"{path.name} has {got}, the limit is {limit}", hint="use a shorter or smaller version of it")
