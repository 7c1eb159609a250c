"""Which of a file's streams are looked at and listened to."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
from av.stream import Disposition

from rumiai.media.container import VIDEO_CODECS, codec_name, open_media, seconds_per_tick

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

_PICTURES: Final = Disposition.attached_pic | Disposition.timed_thumbnails
# Tracks beside the programme's own sound.
_SIDE_TRACKS: Final = Disposition.comment | Disposition.hearing_impaired | Disposition.visual_impaired
# Enough to tell a film from a poster, in a file of several video streams.
_MOST_PACKETS: Final = 20_000


@dataclass(frozen=True)
class ChosenStreams:
    """Indices of the streams that are analysed; ``audio_problem`` says why there is sound that cannot be decoded."""

    video: int | None
    audio: int | None
    audio_problem: str | None = None


def choose_streams(path: Path, container: InputContainer) -> ChosenStreams:
    """Choose one video and one audio stream.

    Video: no cover art, no thumbnails, no single picture beside a film; then the one marked as default, then the
    longest. Audio: one that can be decoded, no commentary, the one marked as default, the first.
    """
    films = [stream for stream in container.streams.video if not stream.disposition & _PICTURES]
    tracks = list(container.streams.audio)
    audio = max(tracks, key=_audio_rank, default=None)
    problem = None
    if audio is not None and codec_name(audio) is None:
        problem = "the codec of its sound is not known to this build of FFmpeg"
        audio = None
    return ChosenStreams(_longest_film(path, films), None if audio is None else audio.index, problem)


def _audio_rank(stream: AudioStream) -> tuple[bool, bool, bool, int]:
    side_track = bool(stream.disposition & _SIDE_TRACKS)
    return codec_name(stream) is not None, not side_track, bool(stream.disposition & Disposition.default), -stream.index


def _longest_film(path: Path, films: list[VideoStream]) -> int | None:
    if len(films) < 2:
        return films[0].index if films else None
    packets, lengths_s = _lengths(path, [stream.index for stream in films])

    def rank(stream: VideoStream) -> tuple[bool, bool, bool, Fraction, int]:
        is_film = packets[stream.index] > 1
        is_default = bool(stream.disposition & Disposition.default)
        playable = codec_name(stream) in VIDEO_CODECS
        return playable, is_film, is_default, lengths_s[stream.index], -stream.index

    return max(films, key=rank).index


def _lengths(path: Path, indices: list[int]) -> tuple[dict[int, int], dict[int, Fraction]]:
    """Packets and seconds of each stream, from its packets."""
    counts, lengths_s = dict.fromkeys(indices, 0), dict.fromkeys(indices, Fraction(0))
    with open_media(path) as container:
        try:
            for packet in container.demux([container.streams[index] for index in indices]):
                if packet.size == 0 or packet.pts is None or packet.time_base is None:
                    continue
                index = packet.stream.index
                counts[index] += 1
                lengths_s[index] = max(lengths_s[index], packet.pts * seconds_per_tick(packet.time_base))
                if sum(counts.values()) > _MOST_PACKETS:
                    break
        except av.FFmpegError:
            pass  # What was read so far decides.
    return counts, lengths_s
