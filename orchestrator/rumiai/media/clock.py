"""One clock for a whole file: where 0.0 s lies, and what to add where the file's own clock starts again.

Transport streams that were joined byte by byte (``cat a.ts b.ts``, live recordings) restart their clock in the middle.
Players go on counting; so does everything here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av

from rumiai.contracts.frames import ClockBreak, VideoInfo
from rumiai.media.container import open_media, seconds_per_tick

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

# Encoder delay puts a stream's start up to this far from the other's; more is a stream that really starts later.
PRIMING_S: Final = Fraction(1, 10)
# Their headers give a bit rate, no length: ffmpeg guesses. Counting the packets of an audio file costs little.
GUESSED_DURATION: Final = frozenset({"mp3", "aac"})
_TAG: Final = re.compile(r"(\d+):(\d{2}):(\d{2}(?:\.\d+)?)")
_STALE_S: Final = 0.5
# Formats without an index, whose clock may jump: ffmpeg marks them as discontinuous.
JOINABLE: Final = frozenset({"mpegts", "mpeg"})
# Decoding times never run back within one recording; packets at a joint may be a little out of order.
_BACK_S: Final = Fraction(1, 10)
# ffmpeg's own limit (``-dts_delta_threshold``): a longer step forward is another recording, not a pause.
_FORWARD_S: Final = Fraction(10)


def clock_zero_s(video: VideoStream | None, audio: AudioStream | None) -> Fraction:
    """Where 0.0 s of the analysis lies on the container's clock, in seconds.

    That is the start of the video stream, as PySceneDetect and OpenCV count. Sound that starts earlier by more than an
    encoder's delay begins the clock instead, so that it is not lost.
    """
    starts_s = [_start_s(stream) for stream in (video, audio) if stream is not None]
    known_s = [start_s for start_s in starts_s if start_s is not None]
    if not known_s:
        return Fraction(0)
    if len(known_s) == 2 and known_s[0] - known_s[1] > PRIMING_S:
        return known_s[1]
    return known_s[0]


def _start_s(stream: Stream) -> Fraction | None:
    if stream.start_time is None or stream.time_base is None:
        return None
    return stream.start_time * seconds_per_tick(stream.time_base)


def declared_end_s(stream: Stream, info: VideoInfo, zero_s: Fraction) -> float | None:
    """Where a stream ends by its header, seconds on the analysis' clock; None when no header tells.

    Containers whose clock starts again and formats whose length FFmpeg guesses from a bit rate declare nothing.
    Matroska has no duration of a stream but in the tag that FFmpeg and mkvmerge write.
    """
    if info.clock_breaks or GUESSED_DURATION & set(info.container.split(",")):
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float((stream.duration + (stream.start_time or 0)) * seconds_per_tick(stream.time_base) - zero_s)
    tag = _TAG.fullmatch(stream.metadata.get("DURATION", ""))
    if tag is None:
        return None
    end_s = 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3]) - float(zero_s)
    # A tag that was copied from a longer original says nothing of this file.
    return end_s if info.declared_s is None or end_s <= info.declared_s + _STALE_S else None


@dataclass
class _Recording:
    """One stream's packets between two restarts of the clock."""

    first_packet: int
    start_s: Fraction
    end_s: Fraction
    last_s: Fraction


def find_breaks(path: Path, indices: Sequence[int], most_packets: int) -> tuple[tuple[ClockBreak, ...], Fraction]:
    """Walk over the packets, without decoding, and find where the clock starts again.

    Args:
        path: The file.
        indices: Its chosen streams.
        most_packets: Give up looking after that many packets; the limits are checked elsewhere.

    Returns:
        The breaks in order, empty for a file with one clock, and the end of the last packet on the continued clock,
        seconds.
    """
    recordings: dict[int, list[_Recording]] = {index: [] for index in indices}
    counts = dict.fromkeys(indices, 0)
    with open_media(path) as container:
        try:
            for packet in container.demux([container.streams[index] for index in indices]):
                if packet.size == 0:
                    continue
                index = packet.stream.index
                _note(recordings[index], packet, counts[index])
                counts[index] += 1
                if sum(counts.values()) > most_packets:
                    break
        except av.FFmpegError:
            pass  # What follows cannot be read by the decoders either.
    return _breaks(recordings)


def _note(recordings: list[_Recording], packet: Packet[Any], number: int) -> None:
    ticks = packet.dts if packet.dts is not None else packet.pts
    if ticks is None or packet.time_base is None:
        return
    tick_s = seconds_per_tick(packet.time_base)
    at_s = ticks * tick_s
    shown_s = at_s if packet.pts is None else packet.pts * tick_s
    end_s = shown_s + (packet.duration or 0) * tick_s
    last = recordings[-1] if recordings else None
    if last is None or at_s < last.last_s - _BACK_S or at_s > last.last_s + _FORWARD_S:
        recordings.append(_Recording(number, shown_s, end_s, at_s))
        return
    last.start_s, last.end_s, last.last_s = min(last.start_s, shown_s), max(last.end_s, end_s), at_s


def _breaks(recordings: dict[int, list[_Recording]]) -> tuple[tuple[ClockBreak, ...], Fraction]:
    breaks: list[ClockBreak] = []
    shift_s, end_s = Fraction(0), Fraction(0)
    for number in range(max((len(found) for found in recordings.values()), default=0)):
        parts = {index: found[number] for index, found in recordings.items() if number < len(found)}
        if number:
            shift_s = end_s - min(part.start_s for part in parts.values())
            first_packets = {index: part.first_packet for index, part in parts.items()}
            breaks.append(ClockBreak(first_packets, float(shift_s)))
        end_s = max(part.end_s for part in parts.values()) + shift_s
    return tuple(breaks), end_s


def on_one_clock(packets: Iterator[Packet[Any]], stream: Stream, breaks: Sequence[ClockBreak]) -> Iterator[Packet[Any]]:
    """The packets of a stream with their times moved onto the continued clock; they are changed in place."""
    if not breaks or stream.time_base is None:
        yield from packets
        return
    tick_s = seconds_per_tick(stream.time_base)
    steps = [
        (b.first_packets[stream.index], round(Fraction(b.shift_s) / tick_s))
        for b in breaks
        if stream.index in b.first_packets
    ]
    shift, number = 0, 0
    for packet in packets:
        if packet.size:
            while steps and number >= steps[0][0]:
                shift = steps.pop(0)[1]
            number += 1
            if packet.pts is not None:
                packet.pts += shift
            if packet.dts is not None:
                packet.dts += shift
        yield packet
