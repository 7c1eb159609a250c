"""Start and end of a line to the frame: its strokes are followed through the trail between the samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rumiai.contracts.frames import Sampling
from rumiai.contracts.trail import TrailFrames
from rumiai.core.boxes import overlap_of_smaller
from rumiai.inference.sampled_times import interval
from rumiai.inference.texts.lines import Line
from rumiai.inference.texts.pictures import Pictures, Stencil
from rumiai.inference.texts.tracks import Track

# A line that is there on the frame on which it was not read is followed beyond it, this far.
_BEYOND_S: Final = 1.0
# A line that is lost for so many frames and comes back has not been away: a flash, a badly coded frame.
_LOST_FRAMES: Final = 2
# Share of the smaller box that two lines have in common of which one takes the other's place.
_SAME_PLACE: Final = 0.5


def find_spans(tracks: Sequence[Track], pictures: Pictures, cuts_s: Sequence[float], sampling: Sampling) -> None:
    """Set start and end of every track.

    Where the trail does not show a line, they are half a sampling step before and after it was seen.

    Args:
        tracks: All of a video.
        pictures: Of the video.
        cuts_s: Times of the cuts, ascending.
        sampling: The grid; its duration ends what is still shown.
    """
    # In order of time, so that frames that were unpacked for one serve the next.
    for track in sorted(tracks, key=lambda track: track.first.timestamp_s):
        before = max((t for t in tracks if _takes_place(t, track)), key=lambda t: t.last.timestamp_s, default=None)
        track.start_s = _start(track, before, pictures, cuts_s, sampling)
        if before is not None:
            before.next_s, track.replaced = track.start_s, before
    for track in sorted(tracks, key=lambda track: track.last.timestamp_s):
        end_s = _end(track, pictures, cuts_s, sampling)
        track.end_s = max(end_s if track.next_s is None else min(end_s, track.next_s), track.start_s)


def _takes_place(before: Track, after: Track) -> bool:
    """Whether a line comes where another one was up to the sample before."""
    return (
        before is not after
        and before.last.timestamp_s < after.first.timestamp_s
        and after.not_before_s is not None
        and before.last.timestamp_s >= after.not_before_s - _BEYOND_S
        and overlap_of_smaller(before.last.box, after.first.box) >= _SAME_PLACE
    )


def _start(
    track: Track, before: Track | None, pictures: Pictures, cuts_s: Sequence[float], sampling: Sampling
) -> float:
    first, looked_s = track.first, track.not_before_s
    since_s = 0.0 if looked_s is None else looked_s - _BEYOND_S
    since_s = max(since_s, 0.0 if before is None else before.last.last_s)
    frames = pictures.between(since_s, first.timestamp_s)
    stencil = _stencil(track, track.lines, pictures)
    if stencil is None or not len(frames):
        return interval(first.timestamp_s, track.last.last_s, cuts_s, sampling)[0]
    rival = None if before is None else _stencil(before, before.lines[::-1], pictures)
    row = _follow(stencil, rival, frames, range(len(frames) - 2, -1, -1), len(frames) - 1, moving=track.moves)
    return float(frames.times_s[row])


def _end(track: Track, pictures: Pictures, cuts_s: Sequence[float], sampling: Sampling) -> float:
    last, after_s = track.last, track.not_after_s
    until_s = sampling.duration_s if after_s is None else after_s + _BEYOND_S
    frames = pictures.between(last.timestamp_s, until_s if track.next_s is None else track.next_s)
    stencil = _stencil(track, track.lines[::-1], pictures)
    if stencil is None or not len(frames):
        return interval(track.first.timestamp_s, last.last_s, cuts_s, sampling)[1]
    row = _follow(stencil, None, frames, range(1, len(frames)), 0, moving=track.moves)
    return float(frames.times_s[row + 1]) if row + 1 < len(frames) else min(until_s, sampling.duration_s)


def _stencil(track: Track, lines: Sequence[Line], pictures: Pictures) -> Stencil | None:
    """The strokes of a track's first or last sighting, by whichever comes first in ``lines``.

    Where that shows the line half faded, they are those of the sighting next to it.
    """
    at, beside = lines[0], lines[1:2]
    if beside and not track.moves:
        full = pictures.stencil(beside[0].timestamp_s, beside[0].box, [(x.timestamp_s, x.box) for x in lines[2:3]])
        image = pictures.at(at.timestamp_s)
        if full is not None and image is not None and full.is_faded(image):
            return full
    return pictures.stencil(at.timestamp_s, at.box, [(x.timestamp_s, x.box) for x in beside])


def _follow(
    stencil: Stencil, rival: Stencil | None, frames: TrailFrames, rows: Sequence[int], start: int, *, moving: bool
) -> int:
    """The last of these rows, from ``start`` on, that still shows the line, and not rather the one that it replaced."""
    reached, lost, shift = start, 0, (0, 0)
    for row in rows:
        image = frames.images[row]
        if rival is not None and rival.likeness(image) > stencil.likeness(image):
            break
        if not stencil.is_shown(image, shift):
            # A line that is lost is back where it was, or not at all.
            moved = stencil.moved(image, shift) if lost == 0 else shift
            if moved == shift or not stencil.is_shown(image, moved, moving=moving):
                lost += 1
                if lost > _LOST_FRAMES:
                    break
                continue
            shift = moved
        reached, lost = row, 0
    return reached
