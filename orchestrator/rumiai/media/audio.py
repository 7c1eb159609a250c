"""The audio track, decoded once: 16 kHz mono float32 on the video's clock, straight into shared memory.

It opens the file itself and reads the audio packets alone, so that it runs ahead of the video.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import AudioTrack, VideoInfo
from rumiai.errors import DecodeError, LimitError, ProbeError, UsageError
from rumiai.media.clock import clock_zero_s, declared_end_s, on_one_clock
from rumiai.media.container import audio_stream_at, open_media, read_only, seconds_per_tick, video_stream_at
from rumiai.media.pictures import WorkClock

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from rumiai.media.shared_frames import SharedRegion

# What Whisper hears.
SAMPLE_RATE_HZ: Final = 16_000
# Channels are averaged, as in a conversion to 16 bit. The default for float sums them, which exceeds 1.0.
_MIX: Final = {"rematrix_maxval": "1.0"}
# Telephone to studio; resampling from rates far outside would multiply a small file into gigabytes.
_RATES_HZ: Final = range(4_000, 384_001)
_MAX_CHANNELS: Final = 24
# Containers round times to milliseconds; less than this is no gap.
_JITTER_S: Final = 0.02
# Headers round: this much past the declared duration is trimmed; a longer track contradicts its header.
_OVERRUN_S: Final = 2.0
# With a larger share of damaged packets a transcript would describe the damage.
_MAX_DAMAGED: Final = 0.1
_STEREO: Final = 2
# A mix with less than this share of its louder channel's energy has cancelled; one silent channel leaves a quarter.
_CANCELLED: Final = 0.05
# Shortest packets in use last 2.5 ms (Opus).
_PACKETS_PER_S: Final = 400
_PACKET_SLACK: Final = 1000


def decode_audio(
    path: Path,
    info: VideoInfo,
    make_region: Callable[[int], SharedRegion] | None = None,
    *,
    deadline_s: float | None = None,
) -> AudioTrack:
    """Decode the audio stream that was chosen.

    Sample i is what is heard at i / 16000 s of the video's clock. A late start, gaps and damaged packets are silence.
    Nothing lies beyond ``info.duration_s``. Channels are averaged; of a stereo track whose channels cancel each other
    (one with its phase turned) the louder channel is taken.

    Args:
        path: The file that was probed.
        info: What :func:`rumiai.media.probe.probe` said of it.
        make_region: Makes shared memory of a number of bytes; its maker closes it when the track is done with. By
            default the samples are in ordinary memory.
        deadline_s: Seconds after which the file is given up.

    Returns:
        The track; it has no samples, and no span, when the stream is empty.

    Raises:
        UsageError: There is no audio stream.
        DecodeError: Nothing, or less than nine tenths of it, could be decoded.
        LimitError: Far longer than declared, or beyond the deadline.
        StoreError: No room in shared memory.
    """
    if not info.has_audio:
        raise UsageError(f"{path.name} has no audio stream to decode")
    if info.audio_problem is not None:
        raise DecodeError(f"{path.name}: {info.audio_problem}", hint="convert its sound, for example to AAC")
    count = max(1, math.floor(info.duration_s * SAMPLE_RATE_HZ))
    region = None if make_region is None else make_region(count * 4)
    try:
        track = np.zeros(count, np.float32) if region is None else region.view(0, count * 4).view(np.float32)
        clock = WorkClock(path.name, deadline_s)
        writer = _TrackWriter(path, info, track, clock)
        end = writer.fill()
        if (louder := writer.louder_of_cancelling) is not None:
            track[:] = 0.0
            writer = _TrackWriter(path, info, track, clock, channel=louder)
            end = writer.fill()
    except BaseException:
        if region is not None:
            region.close()
        raise
    samples = track[:end]
    samples.flags.writeable = False
    span = region.span(0, end * 4) if region is not None and end else None
    return AudioTrack(
        samples,
        SAMPLE_RATE_HZ,
        span,
        declared_end_s=writer.declared_end_s,
        packets_damaged=writer.damaged + writer.flagged,
    )


class _TrackWriter:
    """Puts resampled stretches of sound where they belong in time."""

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        track: npt.NDArray[np.float32],
        clock: WorkClock,
        channel: int | None = None,
    ) -> None:
        self._path = path
        self._channel = channel
        # Sums of squares: of the mix, and of the left and right channel of stereo sound.
        self._mixed_energy = 0.0
        self._energies = np.zeros(2)
        self._info = info
        self._track = track
        self._clock = clock
        self._resampler: av.AudioResampler | None = None
        self._kind: tuple[object, ...] = ()
        self.declared_end_s: float | None = None
        self._at = 0
        self._end = 0
        self._packets = 0
        self.damaged = self.flagged = 0

    @property
    def louder_of_cancelling(self) -> int | None:
        """The louder channel of a stereo track whose mix has lost nearly all of it; None for any other track."""
        loudest = int(np.argmax(self._energies))
        cancelled = self._mixed_energy < _CANCELLED * self._energies[loudest]
        return loudest if self._channel is None and cancelled else None

    def fill(self) -> int:
        """Decode everything; gives the number of samples up to the last one written."""
        try:
            with open_media(self._path) as container:
                stream = audio_stream_at(container, self._info.audio_stream)
                if stream is None:
                    raise DecodeError(f"{self._path.name} changed since it was probed: it has no audio stream now")
                self._place(container, stream)
        except ProbeError as exc:
            raise DecodeError(f"{self._path.name} changed since it was probed: {exc.message}") from exc
        except av.FFmpegError as exc:
            raise self._undecodable(exc.strerror or type(exc).__name__) from exc
        if self.damaged > _MAX_DAMAGED * self._packets:
            raise self._undecodable(f"{self.damaged} of {self._packets} packets are damaged")
        return self._end

    def _place(self, container: InputContainer, stream: AudioStream) -> None:
        zero_s = clock_zero_s(video_stream_at(container, self._info.video_stream), stream)
        self.declared_end_s = declared_end_s(stream, self._info, zero_s)
        next_s: float | None = None
        heard_s = 0.0
        for frame in self._frames(container, stream):
            start_s = _start_s(frame, stream, zero_s)
            if start_s is None:
                start_s = next_s or 0.0
            length_s = frame.samples / self._checked_rate(frame)
            heard_s += length_s
            if max(start_s, heard_s - length_s) > self._info.duration_s + 2 * _OVERRUN_S:
                raise LimitError(
                    f"{self._path.name} has sound at {start_s:.1f} s, {self._info.duration_s:.1f} s are declared",
                    hint="its header is wrong; export the video again",
                )
            kind = (frame.format.name, frame.layout.nb_channels, frame.sample_rate)
            if next_s is None or abs(start_s - next_s) > _JITTER_S or kind != self._kind:
                self._begin(start_s, kind)
            next_s = start_s + length_s
            self._write(frame)
        self._write(None)

    def _frames(self, container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
        packets = on_one_clock(read_only(container, stream), stream, self._info.clock_breaks)
        for _ in range(math.ceil((self._info.duration_s + _OVERRUN_S) * _PACKETS_PER_S) + _PACKET_SLACK):
            self._clock.check()
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                # The file breaks off.
                self.damaged += 1
                packet = None
            if packet is not None and packet.size == 0:
                continue
            self._packets += 1
            # The container saw that it is not as it was sent; what decodes of it is played.
            self.flagged += packet is not None and packet.is_corrupt
            try:
                yield from stream.codec_context.decode(packet)
            except EOFError:
                return
            except av.FFmpegError:
                self.damaged += 1
            if packet is None:
                return
        raise LimitError(f"{self._path.name} has more audio packets than {self._info.duration_s:.1f} s can hold")

    def _checked_rate(self, frame: AudioFrame) -> int:
        if frame.sample_rate not in _RATES_HZ or not 1 <= frame.layout.nb_channels <= _MAX_CHANNELS:
            raise self._undecodable(f"{frame.layout.nb_channels} channels at {frame.sample_rate} Hz")
        return int(frame.sample_rate)

    def _begin(self, start_s: float, kind: tuple[object, ...]) -> None:
        """A new stretch of sound; what is still in the old resampler belongs to the old one."""
        self._write(None)
        layout = "stereo" if kind[1] == _STEREO else "mono"
        self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=SAMPLE_RATE_HZ, options=_MIX)
        self._kind = kind
        self._at = round(start_s * SAMPLE_RATE_HZ)

    def _write(self, frame: AudioFrame | None) -> None:
        if self._resampler is None:
            return
        if frame is not None:
            # The resampler needs no times, and would take gaps in them for its own to fill.
            frame.pts = None
        for piece in self._resampler.resample(frame):
            if piece is None:
                continue
            samples = self._mono(piece.to_ndarray())
            first, after = max(self._at, 0), min(self._at + len(samples), len(self._track))
            if first < after:
                sound = np.nan_to_num(samples[first - self._at : after - self._at], posinf=1.0, neginf=-1.0)
                np.clip(sound, -1.0, 1.0, out=self._track[first:after])
                self._end = max(self._end, after)
            self._at += len(samples)

    def _mono(self, channels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """(samples,) of (channels, samples): their mean, or the channel that was asked for."""
        if len(channels) == 1:
            return np.asarray(channels[0], np.float32)
        if self._channel is not None:
            return np.asarray(channels[self._channel], np.float32)
        mixed: npt.NDArray[np.float32] = channels.mean(axis=0, dtype=np.float32)
        with np.errstate(all="ignore"):  # a damaged file holds any number
            self._mixed_energy += float(np.square(mixed).sum(dtype=np.float64))
            self._energies += np.square(channels).sum(axis=1, dtype=np.float64)
        return mixed

    def _undecodable(self, why: str) -> DecodeError:
        return DecodeError(
            f"the audio of {self._path.name} cannot be decoded: {why}",
            hint="export the video again, for example with AAC sound",
        )


def _start_s(frame: AudioFrame, stream: AudioStream, zero_s: Fraction) -> float | None:
    # PyAV gives the frames that the decoder held back until the end no time base of their own.
    time_base = frame.time_base or stream.time_base
    if frame.pts is None or not time_base:
        return None
    return float(frame.pts * seconds_per_tick(time_base) - zero_s)
