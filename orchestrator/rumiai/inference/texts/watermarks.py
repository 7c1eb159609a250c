"""Marks of a platform or an account that stand over the whole video, at one place or going from place to place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from rumiai.core.boxes import AnyBox, distance
from rumiai.core.text import same_text
from rumiai.inference.texts.growth import TextLine
from rumiai.inference.texts.lines import Moment

# Readers take the note of a logo for a letter or two.
_PLATFORM = re.compile(
    r"\W*(?:\w{1,2}\W*)?(?:tik\s?tok|cap\s?cut|kwai|likee|snack\s?video|triller)\W*(?:@\S+)?\W*", re.IGNORECASE
)
_HANDLE = re.compile(r"\W*@[\w.]{2,}\W*")
# A corner: the outer quarter of the width at the top or bottom fifth.
_CORNER_X: Final = 0.25
_CORNER_Y: Final = 0.2
# A text in a corner is a watermark when it is seen on 80 % of at least four sampled frames and moves by less than 2 %
# of the frame. It need not be seen on all: some readings of small print fail.
_SHARE: Final = 0.8
_FRAMES: Final = 4
_STILL: Final = 0.02
# A handle under a platform's logo belongs to it when it is no further away than this share of the frame.
_NEAR_LOGO: Final = 0.1
# A handle that goes from place to place jumps at least this far, and is there for this share of the frames.
_JUMP: Final = 0.2
_MOVING_SHARE: Final = 0.6


def watermarks(lines: Sequence[TextLine], moments: Sequence[Moment]) -> list[list[TextLine]]:
    """The lines that are watermarks: those of one mark, wherever it goes, in one list.

    A mark is the logo of a platform and the handle at it, a text that stays in a corner, or a handle that jumps from
    place to place while it is never at two of them.

    Args:
        lines: All of a video.
        moments: Its frames.
    """
    frames = sum(moment.instants for moment in moments)
    marks = [line for line in lines if _PLATFORM.fullmatch(line.reading.text)]
    handles = [line for line in lines if line not in marks and any(_is_handle_at(line, logo) for logo in marks)]
    marks += handles
    marks += [line for line in lines if line not in marks and any(_is_same(line, handle) for handle in handles)]
    for line in lines:
        if line not in marks:
            # Small print is misread now and then, which breaks its track: the pieces count together.
            pieces = [other for other in lines if _is_same(other, line)]
            still = [other for other in pieces if distance(other.box, line.box) < _STILL]
            if _jumps(line, pieces, moments, frames):
                marks += [piece for piece in pieces if piece not in marks]
            elif _stays(line, still, moments, frames):
                marks += [piece for piece in still if piece not in marks]
    return _by_text(marks)


def _is_same(a: TextLine, b: TextLine) -> bool:
    return same_text(a.reading.text, b.reading.text)


def _by_text(marks: Sequence[TextLine]) -> list[list[TextLine]]:
    found: list[list[TextLine]] = []
    for line in sorted(marks, key=lambda line: line.start_s):
        same = next((mark for mark in found if same_text(mark[0].reading.text, line.reading.text)), None)
        if same is None:
            found.append([line])
        else:
            same.append(line)
    return found


def _seen(lines: Sequence[TextLine], moments: Sequence[Moment]) -> int:
    """Sampling instants at which one of these lines is shown."""
    numbers = {seen.frame_number for line in lines for track in line.stages for seen in track.lines}
    return sum(moment.instants for moment in moments if moment.frame_number in numbers)


def _stays(line: TextLine, pieces: Sequence[TextLine], moments: Sequence[Moment], frames: int) -> bool:
    if not _in_corner(line.box) or frames < _FRAMES or _seen(pieces, moments) < _SHARE * frames:
        return False
    boxes = [seen.box for piece in pieces for track in piece.stages for seen in track.lines]
    return all(distance(box, line.box) < _STILL for box in boxes)


def _jumps(line: TextLine, pieces: Sequence[TextLine], moments: Sequence[Moment], frames: int) -> bool:
    if not _HANDLE.fullmatch(line.reading.text) or frames < _FRAMES:
        return False
    ordered = sorted(pieces, key=lambda piece: piece.start_s)
    jumps = any(distance(a.box, b.box) >= _JUMP for a, b in pairwise(ordered))
    one_at_a_time = all(b.start_s >= a.end_s - 0.5 for a, b in pairwise(ordered))
    return jumps and one_at_a_time and _seen(pieces, moments) >= _MOVING_SHARE * frames


def _is_handle_at(line: TextLine, logo: TextLine) -> bool:
    if not line.reading.text.startswith("@"):
        return False
    together = line.start_s < logo.end_s and logo.start_s < line.end_s
    return together and distance(line.box, logo.box) < _NEAR_LOGO


def _in_corner(box: AnyBox) -> bool:
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return min(x, 1 - x) <= _CORNER_X and min(y, 1 - y) <= _CORNER_Y
