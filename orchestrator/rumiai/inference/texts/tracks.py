"""Lines of one frame after another that are one line, seen again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Levenshtein

from rumiai.core.boxes import distance, iou, overlap_of_smaller
from rumiai.core.text import characters, digits_agree, likeness, same_text
from rumiai.inference.texts.lines import Line, Moment
from rumiai.inference.texts.pictures import Pictures, Stencil

# How near two lines are that can be one.
_SAME_IOU: Final = 0.3
_SAME_CENTRE: Final = 0.05
# Likeness of the strokes of a letter that is the same, on an unquiet ground too; of a digit, 9 and 8 having 0.85.
_SAME_LETTER: Final = 0.8
_SAME_DIGIT: Final = 0.9
# Shares of the frame by which boxes around a line that stands still do not differ.
_MOVED: Final = 0.03
# So far a line that reads the same may have scrolled, in shares of the frame: a fifth of it in a second.
_SCROLLED: Final = 0.1
_TELLING: Final = 4
_SAME_WIDTH: Final = 0.1
# How long a line may go unread while its strokes are still there.
_UNREAD_S: Final = 2.0
# Likeness of a misreading of a text, between two readings of it.
_MISREAD: Final = 0.4
_LESS_SURE: Final = 0.1
_SOON_S: Final = 1.0
# A line within another one, of which it is a piece.
_PIECE: Final = 0.8


@dataclass
class Track:
    """One line over time.

    Attributes:
        lines: Its sightings by time; at least one.
        not_before_s: The last frame that was read before its first sighting; None when it was on the first.
        not_after_s: The first frame that was read after its last sighting; None when it was on the last.
        start_s: Since when it is shown; set by :mod:`rumiai.inference.texts.spans`.
        end_s: Until when.
        replaced: The line whose place it took at its start; None when it took none.
        next_s: When another line took its place; None when none did.
    """

    lines: list[Line]
    not_before_s: float | None = None
    not_after_s: float | None = None
    start_s: float = 0.0
    end_s: float = 0.0
    replaced: Track | None = None
    next_s: float | None = None

    @property
    def first(self) -> Line:
        """The first sighting."""
        return self.lines[0]

    @property
    def last(self) -> Line:
        """The last sighting."""
        return self.lines[-1]

    @property
    def moves(self) -> bool:
        """Whether it was seen at different places."""
        return distance(self.first.box, self.last.box) >= _MOVED

    @property
    def best(self) -> Line:
        """The surest sighting."""
        return max(self.lines, key=lambda line: line.confidence)


def link(moments: Sequence[Moment], pictures: Pictures) -> list[Track]:
    """Link the lines of consecutive frames.

    A line continues a track at the same place when it reads the same. When it reads otherwise, the picture decides: if
    the strokes are as before, only the reading is another; if they changed where the readings differ, the line is
    another. Where the picture does not tell (small print, a line that moves over a busy ground), alike readings do.

    Args:
        moments: In order of time.
        pictures: Of the video.

    Returns:
        By first sighting.
    """
    tracks: list[Track] = []
    alive: list[Track] = []
    before_s: float | None = None
    for moment in moments:
        pairs = _pairs(alive, moment.lines, pictures)
        fresh = [Track([line], before_s) for j, line in enumerate(moment.lines) if j not in pairs]
        for j, track in pairs.items():
            track.lines.append(moment.lines[j])
            track.not_after_s = None
        seen = {id(track) for track in pairs.values()}
        alive = [track for track in alive if id(track) in seen or _goes_on(track, moment, pictures)]
        tracks += fresh
        alive += fresh
        if moment.instants:
            before_s = moment.last_s
    return _mended([track for track in tracks if not any(_is_piece_of(track, other) for other in tracks)])


def _pairs(alive: Sequence[Track], lines: Sequence[Line], pictures: Pictures) -> dict[int, Track]:
    """Which track each line continues, by the line's place; the nearest find each other first."""
    near = [
        (iou(track.last.box, line.box) - distance(track.last.box, line.box), -i, -j)
        for i, track in enumerate(alive)
        for j, line in enumerate(lines)
        if _is_near(track.last, line)
    ]
    found: dict[int, Track] = {}
    taken: set[int] = set()
    for _, minus_i, minus_j in sorted(near, reverse=True):
        i, j = -minus_i, -minus_j
        if i not in taken and j not in found and _continues(alive[i], lines[j], pictures):
            found[j] = alive[i]
            taken.add(i)
    return found


def _is_near(a: Line, b: Line) -> bool:
    away = distance(a.box, b.box)
    if iou(a.box, b.box) >= _SAME_IOU or away < _SAME_CENTRE:
        return True
    same = characters(a.text) == characters(b.text) and len(a.text) >= _TELLING
    return same and away < _SCROLLED and abs(a.box[2] - b.box[2]) < _SAME_WIDTH * a.box[2]


def _continues(track: Track, line: Line, pictures: Pictures) -> bool:
    last = track.last
    if characters(last.text) == characters(line.text):
        return True
    here = pictures.change(_stencil(track, pictures), line.timestamp_s, line.box)
    there = pictures.change(pictures.stencil(line.timestamp_s, line.box), last.timestamp_s, last.box)
    if here is None or there is None or here.is_total or there.is_total:
        return same_text(last.text, line.text) or same_text(track.best.text, line.text)
    # Of digits the reader is sure: only letters for letters the same may read as another number.
    same = _SAME_LETTER if digits_agree(last.text, line.text) else _SAME_DIGIT
    a, b = characters(last.text), characters(line.text)
    return all(
        here.likeness_within(op.src_start / len(a), op.src_end / len(a)) >= same
        and there.likeness_within(op.dest_start / len(b), op.dest_end / len(b)) >= same
        for op in Levenshtein.opcodes(a, b)
        if op.tag != "equal"
    )


def _goes_on(track: Track, moment: Moment, pictures: Pictures) -> bool:
    """Whether a line that was not read on this frame may be read on a later one."""
    last = track.last
    if not moment.instants:
        return True
    if track.not_after_s is None:
        track.not_after_s = moment.timestamp_s
    if moment.timestamp_s - last.timestamp_s > _UNREAD_S:
        return False
    if any(overlap_of_smaller(last.box, line.box) > 1 - _PIECE for line in moment.lines):
        return False
    change = pictures.change(_stencil(track, pictures), moment.timestamp_s, last.box)
    return change is not None and change.is_none


def _stencil(track: Track, pictures: Pictures) -> Stencil | None:
    """The strokes of a track's last sighting, as the one before confirms them."""
    before = [(line.timestamp_s, line.box) for line in track.lines[-2:-1]]
    return pictures.stencil(track.last.timestamp_s, track.last.box, before)


def _is_piece_of(track: Track, other: Track) -> bool:
    """Whether a track is a part of another one that was read by itself while the other went on."""
    if track is other or not (other.first.timestamp_s <= track.first.timestamp_s):
        return False
    end_s = other.last.timestamp_s if other.not_after_s is None else other.not_after_s
    return (
        track.last.timestamp_s <= end_s
        and len(track.lines) < len(other.lines)
        and overlap_of_smaller(track.first.box, other.best.box) >= _PIECE
        and track.first.box[2] < other.best.box[2]
        and characters(track.best.text) in characters(other.best.text)
    )


def _mended(tracks: Sequence[Track]) -> list[Track]:
    """Join two tracks of one text and what was read between them at its place: a sticker that dances is misread."""
    kept = list(tracks)
    for before, between, after in [
        (a, b, c)
        for a in tracks
        for b in tracks
        if _follows(a, b) and _is_misreading(b, a)
        for c in tracks
        if _follows(b, c) and characters(a.best.text) == characters(c.best.text)
    ]:
        # What was joined before is the same object.
        if all(any(track is other for other in kept) for track in (before, between, after)):
            before.lines += [*between.lines, *after.lines]
            before.not_after_s = after.not_after_s
            after.lines, between.lines = before.lines, before.lines
            kept = [track for track in kept if track is not between and track is not after]
    return kept


def _is_misreading(track: Track, of: Track) -> bool:
    """Whether a track reads nearly as another one, and less surely."""
    surer = of.best.confidence - track.best.confidence >= _LESS_SURE
    return surer and likeness(of.best.text, track.best.text) >= _MISREAD


def _follows(a: Track, b: Track) -> bool:
    """Whether a track begins at another one's place soon after that one ends."""
    return a is not b and 0 < b.first.timestamp_s - a.last.last_s <= _SOON_S and _is_near(a.last, b.first)
