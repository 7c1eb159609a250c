"""One video out of the pictures of a post and the sound under them, or out of an animated picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
from av.video.frame import PictureType

from rumiai.core.files import written_whole
from rumiai.errors import LimitError, MediaError, ProbeError, StoreError
from rumiai.media.container import codec_name, open_media, read_only, seconds_per_tick
from rumiai.media.stills import Rgb, canvas_for, look_at, read_animation, read_still

if TYPE_CHECKING:
    from av.packet import Packet

# How long a picture is shown when no sound says otherwise: time to read a line or two.
STILL_S: Final = 3.0
# Frames a second: enough for samples twice a second and shots to a fifth of a second; equal frames cost little.
STILL_FPS: Final = 5
# One more when the same pictures would give another video.
_VERSION: Final = 1
_TICKS_PER_S: Final = 1000
# As in demo/: a fixed number of threads and no lookahead, so that the same pictures give the same bytes. No B-frames:
# the times of the packets are then those of the frames.
_X264: Final = {
    "preset": "veryfast", "tune": "stillimage", "crf": "18", "g": "600", "bf": "0",
    "x264-params": "rc-lookahead=0:mbtree=0",
}  # fmt: skip
_THREADS: Final = 2
# What MP4 holds and what the sounds of posts are in.
_SOUNDS: Final = frozenset({"aac", "mp3", "mp3float", "opus", "flac", "alac"})
# Times of packets are rounded to their clock's ticks.
_ROUNDING_S: Final = 0.001
# 400 packets a second are the most in use (Opus), for an hour.
_MAX_SOUND_PACKETS: Final = 400 * 3600
_MAX_ANIMATION_MS: Final = 3_600_000


@dataclass(frozen=True)
class StillVideo:
    """How a video was made out of pictures.

    Attributes:
        pictures: How many are shown.
        seconds_each: How long each is shown; None for an animated picture, which has its own times.
        has_sound: Whether a sound lies under them.
        problems: What is missing, a sentence each.
    """

    pictures: int
    seconds_each: float | None
    has_sound: bool
    problems: tuple[str, ...] = ()


def make_video(
    pictures: Sequence[Path], sound: Path | None, target: Path, *, longest_s: float = _MAX_ANIMATION_MS / _TICKS_PER_S
) -> StillVideo:
    """Show pictures one after the other, each equally long, and write that as a video.

    Each stays for :data:`STILL_S`, or longer, so that the whole sound is heard; the sound is not repeated. A single
    animated picture is played once, at its own pace. A picture or sound that cannot be read is left out and named. The
    video of an earlier call is kept when it was made of the same files.

    Args:
        pictures: In the order of the post; at least one.
        sound: Lies under them from the start.
        target: An MP4 file; its folder is made.
        longest_s: A longer sound is cut off there, in seconds.

    Raises:
        ProbeError: None of the pictures can be read.
        LimitError: None of them is within the limits, or the sound or animation is longer than an hour.
        StoreError: The video cannot be written.
    """
    made_from = [_VERSION, longest_s, *map(_state_of, pictures), sound and _state_of(sound)]
    record = target.with_name(f"{target.name}.stills.json")
    if (kept := _kept(record, target, made_from)) is not None:
        return kept
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(target) as file:
            made = _write(pictures, sound, file, longest_s)
        told = {"made_from": made_from, "bytes": target.stat().st_size, **asdict(made)}
        with written_whole(record) as file:
            file.write(json.dumps(told).encode())
    except OSError as exc:
        raise StoreError(f"cannot write {target}: {exc.strerror or exc}", hint="check free space and rights") from exc
    return made


def _state_of(path: Path) -> list[Any]:
    """Name, size and time of change; the name alone of a file that is not there, which is told as missing later."""
    try:
        facts = path.stat()
    except OSError:
        return [path.name]
    return [path.name, facts.st_size, facts.st_mtime_ns]


def _kept(record: Path, target: Path, made_from: list[Any]) -> StillVideo | None:
    """What an earlier call made of the same files; None when there is nothing, or it is not as it was."""
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        if told.pop("made_from") != json.loads(json.dumps(made_from)) or told.pop("bytes") != target.stat().st_size:
            return None
        return StillVideo(**{**told, "problems": tuple(told["problems"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write(pictures: Sequence[Path], sound: Path | None, file: Any, longest_s: float) -> StillVideo:
    readable, problems = _readable(pictures)
    facts = [look_at(path) for path in readable]
    size = canvas_for(facts)
    if len(readable) == 1 and facts[0].animated and sound is None:
        _encode(file, size, _moving(readable[0], size), None)
        return StillVideo(1, None, False, tuple(problems))
    track = None
    if sound is not None:
        try:
            track = _Sound(sound, longest_s)
        except MediaError as exc:
            problems.append(f"the sound is missing: {exc.message}")
        else:
            problems += track.problems
    seconds_each = max(STILL_S, track.length_s / len(readable) if track else 0.0)
    _encode(file, size, _standing(readable, size, seconds_each), track)
    return StillVideo(len(readable), round(seconds_each, 3), track is not None, tuple(problems))


def _readable(pictures: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The pictures that can be read to their end, and a sentence for each of the others."""
    readable: list[Path] = []
    problems: list[str] = []
    failure: MediaError | None = None
    for number, path in enumerate(pictures, 1):
        try:
            facts = look_at(path)
            read_still(path, canvas_for([facts]))
        except MediaError as exc:
            failure = failure or exc
            problems.append(f"picture {number} of {len(pictures)} is missing: {exc.message}")
        else:
            readable.append(path)
    if not readable:
        raise failure or ProbeError("there is no picture to make a video of")
    return readable, problems


def _standing(pictures: Sequence[Path], size: tuple[int, int], seconds_each: float) -> Iterator[_Shown]:
    """Each picture again and again for its time."""
    ends = [round((number + 1) * seconds_each * STILL_FPS) for number in range(len(pictures))]
    at, stays_ms = 0, _TICKS_PER_S // STILL_FPS
    for path, end in zip(pictures, ends, strict=True):
        frame = _frame(read_still(path, size))
        for index in range(at, end):
            yield _Shown(frame, index * stays_ms, stays_ms, is_first=index == at)
        at = end


def _moving(picture: Path, size: tuple[int, int]) -> Iterator[_Shown]:
    """The frames of an animated picture, each for its own time."""
    at_ms = 0
    for image, stays_ms in read_animation(picture, size):
        yield _Shown(_frame(image), at_ms, stays_ms, is_first=at_ms == 0)
        at_ms += stays_ms
        if at_ms > _MAX_ANIMATION_MS:
            raise LimitError(f"{picture.name} is longer than an hour", hint="use a shorter version of it")


def _frame(image: Rgb) -> Any:
    """What the encoder takes: converted once, however often it is shown."""
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")


@dataclass(frozen=True)
class _Shown:
    """A frame: when it is shown, for how long, and whether it is the first of its picture."""

    frame: Any
    at_ms: int
    stays_ms: int
    is_first: bool


class _Sound:
    """The packets of a sound file, to be copied.

    Attributes:
        length_s: To the end of the last packet that is taken.
        problems: Whether it is cut off, a sentence.
    """

    def __init__(self, path: Path, longest_s: float) -> None:
        self.path = path
        whole_s = float(sum((_length_s(packet) for packet in self._packets()), Fraction(0)))
        if whole_s <= 0:
            raise ProbeError(f"{path.name} has no sound in it")
        is_cut = whole_s > longest_s
        # A frame of the picture less: the limit holds for the whole video.
        self.length_s = max(0.0, longest_s - 1 / STILL_FPS) if is_cut else whole_s
        self.problems = [f"the sound is cut off at {self.length_s:.1f} s of {whole_s:.1f} s"] if is_cut else []

    def copied(self, out: Any) -> Iterator[tuple[float, Packet[Any]]]:
        """Add a stream to a file, and give the packets for it with their times in seconds."""
        with open_media(self.path) as container:
            source = container.streams.audio[0]
            stream = out.add_stream_from_template(source)
            first = None
            for packet in read_only(container, source):
                if packet.dts is None or packet.pts is None or packet.time_base is None or not packet.size:
                    continue
                first = packet.pts if first is None else first
                packet.pts, packet.dts, packet.stream = packet.pts - first, packet.dts - first, stream
                begins_s = float(packet.pts * seconds_per_tick(packet.time_base))
                if begins_s + float(_length_s(packet)) > self.length_s + _ROUNDING_S:
                    return
                yield begins_s, packet

    def _packets(self) -> Iterator[Packet[Any]]:
        with open_media(self.path) as container:
            source = next(iter(container.streams.audio), None)
            if source is None:
                raise ProbeError(f"{self.path.name} has no sound in it")
            if codec_name(source) not in _SOUNDS:
                raise ProbeError(f"{self.path.name} has sound of a kind that MP4 does not hold: {codec_name(source)}")
            try:
                for number, packet in enumerate(read_only(container, source)):
                    if number > _MAX_SOUND_PACKETS:
                        raise LimitError(f"{self.path.name} is longer than an hour")
                    yield packet
            except av.FFmpegError as exc:
                raise ProbeError(f"{self.path.name} cannot be read to its end: {exc.strerror}") from exc


def _length_s(packet: Packet[Any]) -> Fraction:
    if not packet.size or not packet.duration or packet.time_base is None:
        return Fraction(0)
    return packet.duration * seconds_per_tick(packet.time_base)


def _encode(file: Any, size: tuple[int, int], frames: Iterator[_Shown], sound: _Sound | None) -> None:
    with av.open(file, "w", format="mp4") as out:
        video = _video_stream(out, size)
        packets = iter(()) if sound is None else sound.copied(out)
        waiting, stays_ms = next(packets, None), {}
        for shown in frames:
            frame = shown.frame
            frame.pts, frame.time_base = shown.at_ms, Fraction(1, _TICKS_PER_S)
            frame.pict_type = PictureType.I if shown.is_first else PictureType.NONE
            stays_ms[shown.at_ms] = shown.stays_ms
            _mux(out, video.encode(frame), stays_ms)
            # About as much sound as picture, so that a player need not seek.
            while waiting is not None and waiting[0] * _TICKS_PER_S <= shown.at_ms:
                out.mux(waiting[1])
                waiting = next(packets, None)
        _mux(out, video.encode(None), stays_ms)
        while waiting is not None:
            out.mux(waiting[1])
            waiting = next(packets, None)


def _video_stream(out: Any, size: tuple[int, int]) -> Any:
    video = out.add_stream("libx264", rate=STILL_FPS, options=_X264)
    video.width, video.height = size
    video.pix_fmt = "yuv420p"
    video.codec_context.thread_count = _THREADS
    video.codec_context.time_base = Fraction(1, _TICKS_PER_S)
    return video


def _mux(out: Any, packets: Sequence[Packet[Any]], stays_ms: dict[int, int]) -> None:
    """Write packets with the time that their frames stay: the encoder knows but one rate."""
    for packet in packets:
        if packet.pts is not None:
            packet.duration = stays_ms.pop(packet.pts)
        out.mux(packet)
