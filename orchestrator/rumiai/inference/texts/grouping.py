"""Lines that belong together: what a person would call one caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.core.boxes import Box, centre
from rumiai.inference.texts.growth import TextLine, WordTime

# Lines that come or go within this time do so together: three frames, as each is followed by itself.
_TOGETHER_S: Final = 0.12
# Lines that come together and go together may be this different in height: a name and what its owner does.
_HEIGHTS: Final = 2.0
# Lines of which only one end is the same must be of one size, and together for this share of the longer's time.
_SAME_SIZE: Final = 1.3
_SHARED: Final = 0.5
# Rows follow one another at this distance at most, from middle to middle, in heights of a line.
_ROW_DISTANCE: Final = 2.0
# Left ends, middles or right ends that lie together, in heights.
_ALIGNED: Final = 0.6
# By so much, in heights, the distance of two rows of one caption changes, boxes being drawn differently.
_KEPT: Final = 0.5
# Pieces of one row stand this near to each other, in heights.
_COLUMN_GAP: Final = 1.5
_SAME_ROW: Final = 0.5


@dataclass(frozen=True)
class Group:
    """Lines of one caption, in reading order; at least one."""

    rows: tuple[tuple[TextLine, ...], ...]

    @property
    def lines(self) -> tuple[TextLine, ...]:
        """All of them."""
        return tuple(line for row in self.rows for line in row)

    @property
    def text(self) -> str:
        """What it says, on one line."""
        return " ".join(line.reading.text for line in self.lines)

    @property
    def start_s(self) -> float:
        """When its first word came."""
        return min(line.start_s for line in self.lines)

    @property
    def end_s(self) -> float:
        """When the last line went."""
        return max(line.end_s for line in self.lines)

    @property
    def words(self) -> tuple[WordTime, ...]:
        """When each word came; () when all came together."""
        starts = [line.start_s for line in self.lines]
        if max(starts) - min(starts) <= _TOGETHER_S and not any(line.words for line in self.lines):
            return ()
        return tuple(
            word
            for line in self.lines
            for word in line.words or [WordTime(text, line.start_s) for text in line.reading.text.split()]
        )


def group_lines(lines: Sequence[TextLine], aspect: float) -> list[Group]:
    """Put lines together that stand together and come or go together.

    Args:
        lines: All of a video.
        aspect: Width of the frame over its height.
    """
    groups: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: (line.box[1], line.box[0])):
        near = [group for group in groups if any(_belong(other, line, aspect) for other in group)]
        joined = [member for group in near for member in group] + [line]
        groups = [group for group in groups if group not in near] + [joined]
    return [Group(_rows(group)) for group in groups]


def _rows(lines: Sequence[TextLine]) -> tuple[tuple[TextLine, ...], ...]:
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: line.box[1] + line.box[3] / 2):
        if rows and _on_one_row(rows[-1][0].box, line.box):
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(tuple(sorted(row, key=lambda line: line.box[0])) for row in rows)


def _belong(a: TextLine, b: TextLine, aspect: float) -> bool:
    comes, goes = abs(a.start_s - b.start_s) <= _TOGETHER_S, abs(a.end_s - b.end_s) <= _TOGETHER_S
    if not comes and not goes:
        return False
    heights = sorted((a.box[3], b.box[3]))
    if heights[1] > heights[0] * (_HEIGHTS if comes and goes else _SAME_SIZE):
        return False
    together_s = min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
    if together_s < _SHARED * max(a.end_s - a.start_s, b.end_s - b.start_s):
        return False
    return _stand_together(a.box, b.box, aspect) and _keep_distance(a, b)


def _keep_distance(a: TextLine, b: TextLine) -> bool:
    """Whether two lines move as one: a sticker that dances beside a title is another thing."""
    places = {seen.frame_number: centre(seen.box) for seen in a.whole.lines}
    rises = [
        centre(seen.box)[1] - places[seen.frame_number][1] for seen in b.whole.lines if seen.frame_number in places
    ]
    return not rises or max(rises) - min(rises) <= _KEPT * (a.box[3] + b.box[3]) / 2


def _stand_together(a: Box, b: Box, aspect: float) -> bool:
    height = (a[3] + b[3]) / 2
    if _on_one_row(a, b):
        return (max(a[0], b[0]) - min(a[0] + a[2], b[0] + b[2])) * aspect <= _COLUMN_GAP * height
    if abs((a[1] + a[3] / 2) - (b[1] + b[3] / 2)) > _ROW_DISTANCE * height:
        return False
    off = (a[0] - b[0], a[0] + a[2] / 2 - b[0] - b[2] / 2, a[0] + a[2] - b[0] - b[2])
    return min(abs(value) for value in off) * aspect <= _ALIGNED * height


def _on_one_row(a: Box, b: Box) -> bool:
    return abs((a[1] + a[3] / 2) - (b[1] + b[3] / 2)) <= _SAME_ROW * min(a[3], b[3])
