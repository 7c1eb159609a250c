"""Whether a file goes on to the end that its header declares, and what to say of it when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rumiai.contracts.frames import AudioTrack, VideoInfo
from rumiai.media.decode import DecodeReport

# Sound ends with a whole packet, and encoders pad or trim one: less than this is no loss.
_SOUND_SLACK_S: Final = 0.25
# A file as a whole is held against its header's duration, which some muxers round up to half a second.
_FILE_SLACK_S: Final = 0.5


@dataclass(frozen=True)
class PictureEnd:
    """Where the picture ended and what was lost on the way; of the same names as in :class:`DecodeReport`."""

    duration_s: float
    complete: bool | None
    frames_corrupt: int
    frames_misplaced: int

    @classmethod
    def of(cls, report: DecodeReport) -> PictureEnd:
        """The end of a decoded video stream."""
        return cls(report.duration_s, report.complete, report.frames_corrupt, report.frames_misplaced)


@dataclass(frozen=True)
class SoundEnd:
    """Where the sound ended, and where its header says that it ends (None when no header tells), in seconds."""

    end_s: float
    declared_s: float | None

    @classmethod
    def of(cls, track: AudioTrack) -> SoundEnd:
        """The end of a decoded track."""
        return cls(track.duration_s, track.declared_end_s)


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
    if not found and seen_all and info.declared_s is not None and end_s < info.declared_s - _FILE_SLACK_S:
        found.append(f"the file breaks off at {end_s:.2f} s of {info.declared_s:.2f} s")
    if picture is not None and picture.frames_corrupt:
        found.append(f"{picture.frames_corrupt} damaged frames were skipped")
    if picture is not None and picture.frames_misplaced:
        found.append(
            f"{picture.frames_misplaced} frames were skipped: their time repeats that of another, runs back, or lies "
            "before the start"
        )
    return found
