"""Posts of pictures become videos before they are probed: their results are those of the pictures."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from rumiai.media.still_video import StillVideo, make_video
from rumiai.media.stills import is_picture
from rumiai.results.store import fingerprint
from rumiai.sources import FetchedVideo


def as_video(video: FetchedVideo, target: Path, longest_s: float) -> tuple[FetchedVideo, StillVideo | None]:
    """The video that pictures make; a video as it is.

    Args:
        video: What the source has brought.
        target: Where the video is made when the source has not named a place.
        longest_s: It is cut off there.

    Returns:
        The video, and how it was made of pictures; None where it is none of pictures.

    Raises:
        MediaError: None of the pictures can be read.
    """
    if not video.pictures and is_picture(video.path):
        video = replace(video, path=target, pictures=(video.path,))
    if not video.pictures:
        return video, None
    # The video may be made again, as when it was removed afterwards: its results are those of the pictures.
    given = video.identity or [(path.stat().st_size, path.stat().st_mtime_ns) for path in video.files[1:]]
    made = make_video(video.pictures, video.sound, video.path, longest_s=longest_s)
    return replace(video, identity=fingerprint(given, asdict(made))), made
