"""Whether a file goes on to the end that its header declares, and what to say of it when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rumiai.contracts.frames import AudioTrack, VideoInfo
from rumiai.media.decode import DecodeReport

# Sound ends with a whole packet, and encoders pad or trim one: less than this is no loss.
_SOUND_SLACK_S: Final = 0.25
# A file as a whole is held against its header's duration, which some muxers round up to half a second. Matroska's
# is that of the last packet, to a millisecond.
_FILE_SLACK_S: Final = 0.5
_EXACT_FILE_SLACK_S: Final = _SOUND_SLACK_S


@dataclass(frozen=True)
class PictureEnd:
    """Where the picture ended and what was lost on the way; of the same names as in :class:`DecodeReport`."""

    duration_s: float
    complete: bool | None
    frames_corrupt: int
    frames_misplaced: int
    packets_damaged: int = 0

    @classmethod
    def of(cls, report: DecodeReport) -> PictureEnd:
        """The end of a decoded video stream."""
        lost = (report.frames_corrupt, report.frames_misplaced, report.packets_damaged)
        return cls(report.duration_s, report.complete, *lost)


@dataclass(frozen=True)
class SoundEnd:
    """Where the sound ended, where its header says that it ends (None when no header tells), and what was damaged.

    Times are seconds on the video's clock.
    """

    end_s: float
    declared_s: float | None
    packets_damaged: int = 0

    @classmethod
    def of(cls, track: AudioTrack) -> SoundEnd:
        """The end of a decoded track."""
        return cls(track.duration_s, track.declared_end_s, track.packets_damaged)


def heard(track: AudioTrack | None, duration_s: float) -> tuple[tuple[float, float], ...]:
    """The stretches of a video whose sound could be listened to.

    Args:
        track: The decoded track; None for a video without one, in which there is nothing to hear anywhere.
        duration_s: Length of the video, in seconds.

    Returns:
        ``(start, end)`` in seconds: the whole video, and where the track breaks off before the end that its header
        declares, up to there. A track without samples was not heard at all: ().
    """
    if track is None:
        return ((0.0, duration_s),)
    if not track.duration_s:
        return ()
    declared_s = track.declared_end_s
    is_whole = declared_s is None or track.duration_s >= declared_s - _SOUND_SLACK_S
    return ((0.0, duration_s if is_whole else min(track.duration_s, duration_s)),)


def losses(info: VideoInfo, picture: PictureEnd | None, sound: SoundEnd | None) -> list[str]:
    """Describe what could not be decoded of a file, a sentence each; empty for a whole file.

    Args:
        info: What the header says.
        picture: What decoding the video stream showed; None when it was not decoded.
        sound: Where the sound ended; None when it was not decoded.
    """
    found: list[str] = []
    if picture is not None and picture.complete is False:
        found.append(f"the picture breaks off at {picture.duration_s:.2f} s of {info.duration_s:.2f} s")
    if sound is not None and sound.declared_s is not None and sound.end_s < sound.declared_s - _SOUND_SLACK_S:
        found.append(f"the sound breaks off at {sound.end_s:.2f} s of {sound.declared_s:.2f} s")
    end_s = max(0.0 if picture is None else picture.duration_s, 0.0 if sound is None else sound.end_s)
    seen_all = (picture is not None or not info.has_video) and (sound is not None or not info.has_audio)
    slack_s = _EXACT_FILE_SLACK_S if "matroska" in info.container else _FILE_SLACK_S
    if not found and seen_all and info.declared_s is not None and end_s < info.declared_s - slack_s:
        found.append(f"the file breaks off at {end_s:.2f} s of {info.declared_s:.2f} s")
    if picture is not None and picture.frames_corrupt:
        found.append(f"{picture.frames_corrupt} damaged frames were skipped")
    elif picture is not None and picture.packets_damaged:
        found.append(f"{picture.packets_damaged} packets of the picture are damaged: frames may be wrong or missing")
    if sound is not None and sound.packets_damaged:
        found.append(f"{sound.packets_damaged} packets of the sound are damaged: they are silent")
    if picture is not None and picture.frames_misplaced:
        found.append(
            f"{picture.frames_misplaced} frames were skipped: their time repeats that of another, runs back, or lies "
            "before the start"
        )
    return found
