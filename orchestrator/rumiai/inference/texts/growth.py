"""Lines that grow: typed letter by letter, or revealed word by word, with the time of each word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from rumiai.core.boxes import Box
from rumiai.core.text import characters, likeness
from rumiai.inference.texts.pictures import Pictures
from rumiai.inference.texts.tracks import Track
from rumiai.inference.texts.voting import Reading, vote

# Between two stages of a line that grows there is no gap, but for one that no sample saw.
_GAP_S: Final = 0.6
_OVERLAP_S: Final = 0.1
# Rows and heights of two stages differ by less than this, in heights: letters that reach below the line come in.
_SAME_ROW: Final = 0.5
_SAME_HEIGHT: Final = 0.6
# The left ends of two stages of a line that is typed lie together, in heights.
_SAME_LEFT: Final = 0.5
# Share of an early stage's width that lies within the later one.
_WITHIN: Final = 0.8
# Likeness of an early stage to the begin of a later one; the last letter may be half drawn.
_SAME_BEGIN: Final = 0.75
# Letters a second that are typed at least.
_TYPED_HZ: Final = 4.0
# Words that come within this time come together.
_TOGETHER_S: Final = 0.1
# So many letters tell one word from another.
_LETTERS: Final = 2
# How long before the first sighting the first word is looked for.
_BEFORE_S: Final = 1.0


@dataclass(frozen=True)
class WordTime:
    """A word of a line and when it came."""

    text: str
    start_s: float


@dataclass(frozen=True)
class TextLine:
    """A line over its time, from its first word to its end.

    Attributes:
        stages: Its tracks, each with more of the text than the one before; the last has all of it.
        reading: What it says.
        box: Of the surest sighting of all of it.
        start_s: When its first word came.
        end_s: When it went.
        words: When each word came; () when all came together.
    """

    stages: tuple[Track, ...]
    reading: Reading
    box: Box
    start_s: float
    end_s: float
    words: tuple[WordTime, ...] = ()

    @property
    def whole(self) -> Track:
        """The track of all of it."""
        return self.stages[-1]


def text_lines(tracks: Sequence[Track], pictures: Pictures, aspect: float) -> list[TextLine]:
    """Chain the tracks that are stages of one line.

    Args:
        tracks: With their spans.
        pictures: Of the video.
        aspect: Width of the frame over its height.
    """
    readings = {id(track): vote(track.lines) for track in tracks}
    earlier: dict[int, Track] = {}
    taken: set[int] = set()
    for track in sorted(tracks, key=lambda track: track.start_s):
        stages = [
            t
            for t in tracks
            if id(t) not in taken and _grows_into(t, track, readings[id(t)], readings[id(track)], aspect)
        ]
        if stages:
            earlier[id(track)] = best = max(stages, key=lambda t: len(readings[id(t)].text))
            taken.add(id(best))
    lines = []
    for track in tracks:
        if id(track) not in taken:
            stages = [track]
            while id(stages[0]) in earlier:
                stages.insert(0, earlier[id(stages[0])])
            lines.append(_line(tuple(stages), readings, pictures, aspect))
    return lines


def _grows_into(a: Track, b: Track, before: Reading, after: Reading, aspect: float) -> bool:
    """Whether ``b`` shows what ``a`` shows, and more behind it."""
    if a is b or not -_OVERLAP_S <= b.start_s - a.end_s <= _GAP_S or a.last.timestamp_s >= b.first.timestamp_s:
        return False
    first, second = a.last.box, b.first.box
    height = second[3]
    on_row = abs((first[1] + first[3] / 2) - (second[1] + second[3] / 2)) <= _SAME_ROW * height
    if not on_row or not _SAME_HEIGHT <= first[3] / height <= 1 / _SAME_HEIGHT or first[2] >= second[2]:
        return False
    if min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0]) < _WITHIN * first[2]:
        return False
    words, later = before.text.split(), after.text.split()
    if len(words) < len(later) and likeness(before.text, " ".join(later[: len(words)])) >= _SAME_BEGIN:
        return True
    # Letters that are typed follow one another quickly: "Part I" that becomes "Part II" after a second is another.
    letters, since_s = len(after.text) - len(before.text), b.first.timestamp_s - a.last.timestamp_s
    at_left = abs(first[0] - second[0]) * aspect <= _SAME_LEFT * height
    return at_left and letters >= max(_LETTERS, _TYPED_HZ * since_s) and _begins(before.text, after.text)


def _begins(before: str, after: str) -> bool:
    """Whether a text begins with another one, but for a letter that is half drawn."""
    a, b = characters(before), characters(after)
    return len(a) < len(b) and b.startswith(a[:-1]) if len(a) > 1 else b.startswith(a)


def _line(stages: tuple[Track, ...], readings: dict[int, Reading], pictures: Pictures, aspect: float) -> TextLine:
    whole, first = stages[-1], stages[0]
    reading = readings[id(whole)]
    box = whole.best.box
    line = TextLine(stages, reading, box, first.start_s, whole.end_s)
    words = _word_times(line, [readings[id(stage)] for stage in stages], pictures, aspect)
    if len(words) < 2 or words[-1].start_s - words[0].start_s <= _TOGETHER_S:
        return line
    return replace(line, start_s=min(first.start_s, words[0].start_s), words=words)


def _word_times(line: TextLine, readings: Sequence[Reading], pictures: Pictures, aspect: float) -> tuple[WordTime, ...]:
    """When each word came: on the trail, between the stage that lacks it and the one that has it."""
    text = line.reading.text.split()
    if len(line.stages) == 1 and not _comes_in_parts(line.whole, line.reading, pictures):
        return ()
    typed = all(
        abs(a.last.box[0] - b.first.box[0]) * aspect <= _SAME_LEFT * b.first.box[3] for a, b in pairwise(line.stages)
    )
    times: list[WordTime] = []
    for place, word in enumerate(text):
        stage = next(i for i, r in enumerate(readings) if len(r.text.split()) > place or i == len(readings) - 1)
        track = line.stages[stage]
        is_last_of_stage = place + 1 == min(len(readings[stage].text.split()), len(text))
        if is_last_of_stage and not typed:
            start_s = track.start_s
        else:
            since_s = _since(track, readings[0].text) if stage == 0 else line.stages[stage - 1].start_s
            start_s = _word_start(track, readings[stage].text, place, pictures, since_s, typed=typed)
        times.append(WordTime(word, max(start_s, times[-1].start_s if times else 0.0)))
    return tuple(times)


def _since(track: Track, text: str) -> float:
    """From when on the first word of a track may be there."""
    if track.replaced is None:
        return track.start_s if track.not_before_s is None else max(track.start_s - _BEFORE_S, 0.0)
    # Where the line before begins with the same word, that word does not tell when this one came.
    before = track.replaced.best.text.split()
    same = likeness(before[0], text.split()[0]) >= _SAME_BEGIN
    return track.start_s if same else track.replaced.last.last_s


def _comes_in_parts(track: Track, reading: Reading, pictures: Pictures) -> bool:
    """Whether the first word is there before the whole line is."""
    words = reading.text.split()
    if len(words) < 2 or track.not_before_s is None:
        return False
    start_s = _word_start(track, reading.text, 0, pictures, _since(track, reading.text), typed=True)
    return track.start_s - start_s > _TOGETHER_S


def _word_start(track: Track, text: str, place: int, pictures: Pictures, since_s: float, *, typed: bool) -> float:
    """The first frame of those before a track's first sighting that show a word of it without a gap."""
    first = track.first
    box = _word_box(text, place, first.box, letters=_LETTERS if typed else None)
    stencil = pictures.stencil(first.timestamp_s, box)
    if stencil is None or since_s >= first.timestamp_s:
        return track.start_s
    frames = pictures.between(since_s, first.timestamp_s)
    reached = min(track.start_s, first.timestamp_s)
    for row in range(len(frames) - 1, -1, -1):
        image = frames.images[row]
        if not (stencil.is_clear(image) if typed else stencil.is_on_row(image)):
            break
        reached = min(reached, max(float(frames.times_s[row]), since_s))
    return reached


def _word_box(text: str, place: int, box: Box, letters: int | None) -> Box:
    """About where a word of a line stands: letters are taken to be of one width."""
    words = text.split()
    place = min(place, len(words) - 1)
    begin = len(" ".join(words[:place])) + (1 if place else 0)
    count = len(words[place]) if letters is None else min(letters, len(words[place]))
    whole = max(len(" ".join(words)), 1)
    return (box[0] + box[2] * begin / whole, box[1], box[2] * count / whole, box[3])
