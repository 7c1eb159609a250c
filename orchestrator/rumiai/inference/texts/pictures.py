"""What the grey trail shows of a line: whether its strokes are still there, and where two lines differ."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rumiai.contracts.trail import Greys, Trail, TrailFrames
from rumiai.core.arrays import Bools, Floats, freeze_arrays
from rumiai.core.boxes import Box

Grey = npt.NDArray[np.uint8]
Strokes = npt.NDArray[np.float32]

# Smaller writing is a blur on the trail: its letters cannot be told apart.
_MIN_HEIGHT_PX: Final = 6
# Grey levels by which a stroke differs from the ground around it: above the noise of compression.
_STROKE: Final = 16.0
# Width of structures that count as strokes, in heights of the line.
_STROKE_WIDTH: Final = 0.6
# Width of a window in heights of the line: about a letter.
_WINDOW: Final = 0.6
# A window with less ink than this share of the usual one shows a gap or a comma, and more of the backdrop than of text.
_INKED: Final = 0.35
# A line is there from this share of its strokes' contrast on: what fades in is there when half there.
_SHOWN: Final = 0.5
# A line with less than this share is fading, or was restyled.
_PALE: Final = 0.85
# Correlation of the strokes of a window, below which it shows another letter, where that of the whole line is higher by
# the second. Between "Option A" and "Option B" it is 0.63 in the last window and 0.82 to 1.0 in the others; a letter
# that stays has 0.85 and more on a still ground.
_SAME_LETTER: Final = 0.8
_BELOW_LINE: Final = 0.15
# Correlation of the strokes of the whole line, below which it is another, or has moved, or was restyled.
_SAME_LINE: Final = 0.6
# Between two frames a line may move by this many pixels of the trail: a sixth of the frame's height in a second.
_STEP_PX: Final = 2
# Share of the strokes that another sighting of the same line has at least; with fewer it moves or changes its looks.
_LEFT: Final = 0.2
# Stencils that are kept, 20 KB each.
_STENCILS: Final = 512
# How long before and after an instant strokes that stay are the line's and not the backdrop's.
_STEADY_S: Final = 0.1


_NOTHING: Final = TrailFrames(np.zeros(0), np.zeros(0, np.int64), Greys(0, lambda row: np.zeros((0, 0), np.uint8)))


@dataclass(frozen=True)
class Change:
    """How a line's picture differs from what is elsewhere, or at another instant.

    Attributes:
        likeness: Correlation of the strokes of the whole line, -1..1.
        windows: (n,) float64, the same of each window, from left to right over the line; 1.0 where it has no strokes.
    """

    likeness: float
    windows: Floats

    def __post_init__(self) -> None:
        freeze_arrays(self, windows=(np.float64, "n"))

    @property
    def is_none(self) -> bool:
        """Whether the whole line is as before."""
        return not self.is_total and not self.has_others

    @property
    def has_others(self) -> bool:
        """Whether a letter is another, the line itself being as before."""
        return bool((self.windows < min(_SAME_LETTER, self.likeness - _BELOW_LINE)).any())

    @property
    def is_total(self) -> bool:
        """Whether the line is another altogether, or has moved, or was restyled."""
        return self.likeness < _SAME_LINE

    def likeness_within(self, first: float, last: float) -> float:
        """The smallest likeness between two places along the line, 0 its begin and 1 its end; a letter of slack."""
        n = len(self.windows)
        begin, end = max(int(first * n) - 1, 0), min(int(last * n) + 2, n)
        return float(self.windows[begin:end].min(initial=1.0))


@dataclass(frozen=True)
class _Reach:
    """A rectangle of shifts: from ``left`` to ``right`` and from ``top`` to ``below``, in pixels, both included."""

    left: int
    right: int
    top: int
    below: int

    @classmethod
    def around(cls, shift: tuple[int, int], steps: int) -> _Reach:
        """Up to ``steps`` pixels away from a shift."""
        return cls(shift[0] - steps, shift[0] + steps, shift[1] - steps, shift[1] + steps)


class Stencil:
    """The strokes of a line on one frame, to be looked for on others.

    Args:
        image: (h, w) uint8, a frame of the trail that shows the line.
        box: Of the line, normalised.
    """

    def __init__(self, image: Grey, box: Box) -> None:
        rows, columns = image.shape
        self._x, self._y = round(box[0] * columns), round(box[1] * rows)
        self._w, self._h = max(1, round(box[2] * columns)), max(1, round(box[3] * rows))
        self._strokes = self._seen(image, (0, 0))
        self._windows = max(1, round(self._w / max(_MIN_HEIGHT_PX / 2, self._h * _WINDOW)))
        self._take(np.abs(self._strokes) >= _STROKE)

    def _take(self, ink: Bools) -> None:
        """Hold these pixels for the strokes."""
        self._ink = ink
        self._ours = self._strokes[ink]
        self._window = np.nonzero(ink)[1] * self._windows // self._w
        self._inks = self._sums(self._ours * self._ours)
        self._template = np.where(ink, self._strokes, np.float32(0))

    @property
    def is_legible(self) -> bool:
        """Whether the trail shows enough of it to follow it."""
        return self._h >= _MIN_HEIGHT_PX and len(self._ours) >= 2 * _MIN_HEIGHT_PX

    def keep_steady(self, image: Grey, box: Box, *, sure: bool) -> None:
        """Take another frame that shows the line at this box as a witness of its strokes; or may, unless ``sure``.

        Strokes of a backdrop that moves are not there again.
        """
        rows, columns = image.shape
        at = round(box[0] * columns) - self._x, round(box[1] * rows) - self._y
        again = self._seen(image, self._moved(image, _Reach.around(at, 1)))
        steady = self._ink & (np.abs(again - self._strokes) < np.maximum(np.abs(self._strokes) / 2, _STROKE / 2))
        if self._compare(again).is_none or (sure and steady.sum() >= _LEFT * len(self._ours)):
            self._take(steady)

    def is_shown(self, image: Grey, shift: tuple[int, int], *, moving: bool = False) -> bool:
        """Whether a picture shows the line, moved by ``shift`` pixels.

        Of a ``moving`` line single letters are not compared: half a pixel beside them thin strokes look otherwise.
        """
        there = self._seen(image, shift)
        change = self._compare(there)
        return self._share(there) >= _SHOWN and not (change.is_total if moving else change.has_others)

    def is_clear(self, image: Grey) -> bool:
        """Whether a picture surely shows the line at the same place: for a letter or two, that much else looks like."""
        return self.is_shown(image, (0, 0)) and self._compare(self._seen(image, (0, 0))).likeness >= _SAME_LETTER

    def is_faded(self, image: Grey) -> bool:
        """Whether a picture shows the line at the same place, but paler."""
        there = self._seen(image, (0, 0))
        return self._share(there) < _PALE and self._compare(there).is_none

    def _share(self, there: Strokes) -> float:
        """How strong the strokes are in a crop: 1.0 as here, 0.0 not there."""
        return float(self._ours @ there[self._ink]) / max(float(self._inks.sum()), 1.0)

    def likeness(self, image: Grey) -> float:
        """Correlation of the strokes with what a picture shows at the same place, -1..1."""
        theirs = self._seen(image, (0, 0))[self._ink]
        norm = math.sqrt(float(self._inks.sum()) * float(theirs @ theirs))
        return float(self._ours @ theirs) / norm if norm > 0 else 0.0

    def moved(self, image: Grey, before: tuple[int, int]) -> tuple[int, int]:
        """By how many pixels the line is moved on a picture, when it was moved by ``before`` on the last one."""
        return self._moved(image, _Reach.around(before, _STEP_PX))

    def is_on_row(self, image: Grey) -> bool:
        """Whether a picture shows the line somewhere on its row."""
        reach = _Reach(-self._x, image.shape[1] - self._x - self._w, -1, 1)
        if reach.left > reach.right:
            return self.is_shown(image, (0, 0))
        there = self._seen(image, self._moved(image, reach))
        return self._compare(there).likeness >= _SAME_LETTER

    def change(self, image: Grey, box: Box) -> Change:
        """How the line differs from what is at a box of another picture, laid onto it as well as it goes.

        A part before and a part behind some place are laid on it each by itself: where a letter came in, those before
        it and those behind it stay.
        """
        found = [self._laid(image, reach) for reach in (self._meeting(box, image), _Reach.around((0, 0), 1))]
        return max(found, key=lambda change: change.likeness)

    def _laid(self, image: Grey, reach: _Reach) -> Change:
        places = self._by_window(image, reach)
        weighed = (self._inks * places).cumsum(axis=1)
        before = np.concatenate((np.zeros((len(weighed), 1)), weighed), axis=1)
        behind = before[:, -1:] - before
        cut = int((before.max(0) + behind.max(0)).argmax())
        first, last = int(before[:, cut].argmax()), int(behind[:, cut].argmax())
        # What came in pushes the rest on; the windows that it fills show nothing that was there before.
        across = reach.right - reach.left + 1
        pushed_px = first % across - last % across
        new = math.ceil(pushed_px * self._windows / self._w) if pushed_px > 1 else 0
        return _change(self._inks, np.concatenate((places[first, : cut + new], places[last, cut + new :])))

    def _meeting(self, box: Box, image: Grey) -> _Reach:
        """Shifts from where the left ends of the line and of a box meet to where the right ends meet."""
        rows, columns = image.shape
        x, y, w, h = box[0] * columns, box[1] * rows, box[2] * columns, box[3] * rows
        dy = round(y + h / 2 - self._y - self._h / 2)
        left, right = sorted((round(x - self._x), round(x + w - self._x - self._w)))
        # Boxes are drawn differently around the same letters.
        slack = max(2, round(self._h / 4))
        return _Reach(left - slack, right + slack, dy - 1, dy + 1)

    def _compare(self, there: Strokes) -> Change:
        """How the line differs from a crop."""
        theirs = there[self._ink]
        norms = np.sqrt(self._inks * self._sums(theirs * theirs))
        products = self._sums(self._ours * theirs)
        return _change(self._inks, np.divide(products, norms, out=np.zeros(self._windows), where=norms > 0))

    def _sums(self, values: Strokes) -> Floats:
        """(n,) float64: the sum of a value of each pixel of the strokes, by window."""
        return np.asarray(np.bincount(self._window, values, self._windows), np.float64)

    def _by_window(self, image: Grey, reach: _Reach) -> Floats:
        """(shifts, n): how alike the strokes of each window are at each shift of a rectangle, row by row."""
        ground = self._ground(image, reach)
        edges = -(-np.arange(self._windows + 1) * self._w // self._windows)
        found = []
        for first, after in pairwise(edges.tolist()):
            part = ground[:, first : ground.shape[1] - (self._w - after)]
            found.append(_match(part, self._template[:, first:after], self._ink[:, first:after]).ravel())
        return np.asarray(np.stack(found, axis=1), np.float64)

    def _moved(self, image: Grey, reach: _Reach) -> tuple[int, int]:
        """The shift at which the line is most like a picture."""
        found = _match(self._ground(image, reach), self._template, self._ink)
        row, column = np.unravel_index(int(found.argmax()), found.shape)
        return reach.left + int(column), reach.top + int(row)

    def _seen(self, image: Grey, shift: tuple[int, int]) -> Strokes:
        """(h, w) float32: the strokes at the line's place on an image, moved."""
        return self._ground(image, _Reach.around(shift, 0))

    def _ground(self, image: Grey, reach: _Reach) -> Strokes:
        """The strokes at all places that a rectangle of shifts reaches; outside the image its edge is repeated."""
        side = max(3, round(self._h * _STROKE_WIDTH)) | 1
        rows = np.arange(self._y + reach.top - side, self._y + reach.below + self._h + side)
        columns = np.arange(self._x + reach.left - side, self._x + reach.right + self._w + side)
        window = image[rows.clip(0, image.shape[0] - 1)[:, None], columns.clip(0, image.shape[1] - 1)]
        return _strokes(window, side)[side:-side, side:-side]


def _match(ground: Strokes, template: Strokes, ink: Bools) -> npt.NDArray[np.float32]:
    """(rows, columns) float32: correlation of a pattern of strokes with the ground at every place in it, -1..1."""
    ground = np.ascontiguousarray(ground)
    products = cv2.matchTemplate(ground, np.ascontiguousarray(template), cv2.TM_CCORR)
    energies = cv2.matchTemplate(ground * ground, ink.astype(np.float32), cv2.TM_CCORR)
    norms = np.sqrt(np.maximum(energies, 0.0) * float((template * template).sum()))
    return np.asarray(np.divide(products, norms, out=np.zeros_like(products), where=norms > 1.0), np.float32)


def _change(inks: Floats, likeness: Floats) -> Change:
    whole = float((inks * likeness).sum() / max(inks.sum(), 1.0))
    inked = inks >= max(_INKED * float(np.median(inks)), 1.0)
    return Change(whole, np.where(inked, likeness, 1.0))


def _strokes(letters: Grey, side: int) -> Strokes:
    """(h, w) float32: how much lighter (> 0) or darker than its ground each pixel is that is part of something thin."""
    kernel = np.ones((side, side), np.uint8)
    light = cv2.morphologyEx(letters, cv2.MORPH_TOPHAT, kernel)
    dark = cv2.morphologyEx(letters, cv2.MORPH_BLACKHAT, kernel)
    return np.asarray(light, np.float32) - np.asarray(dark, np.float32)


class Pictures:
    """The trail of one video, asked for lines.

    Args:
        trail: Complete; None for a video without one, of which nothing can be told.
    """

    def __init__(self, trail: Trail | None) -> None:
        self._trail = trail
        # A line is asked for again by each line that may continue it, and for its start and its end.
        self._stencils: OrderedDict[tuple[object, ...], Stencil | None] = OrderedDict()

    def between(self, start_s: float, end_s: float) -> TrailFrames:
        """See :meth:`rumiai.contracts.trail.Trail.between`."""
        return _NOTHING if self._trail is None else self._trail.between(start_s, end_s)

    def at(self, time_s: float) -> Grey | None:
        """What was shown at an instant; None when the trail has nothing of it."""
        frames = self.between(time_s, time_s)
        return frames.images[-1] if len(frames) else None

    def stencil(self, time_s: float, box: Box, others: Sequence[tuple[float, Box]] = ()) -> Stencil | None:
        """The strokes of a line at an instant; None when the trail does not show them.

        Args:
            time_s: When the line was seen.
            box: Where.
            others: Other instants and places at which it was seen.
        """
        key = (time_s, box, *others)
        if key not in self._stencils:
            self._stencils[key] = self._make_stencil(time_s, box, others)
            if len(self._stencils) > _STENCILS:
                self._stencils.popitem(last=False)
        return self._stencils[key]

    def _make_stencil(self, time_s: float, box: Box, others: Sequence[tuple[float, Box]]) -> Stencil | None:
        image = self.at(time_s)
        if image is None:
            return None
        stencil = Stencil(image, box)
        near = [(time_s - _STEADY_S, box, False), (time_s + _STEADY_S, box, False)]
        for other_s, place, sure in [*((other_s, place, True) for other_s, place in others), *near]:
            witness = self.at(other_s)
            if witness is not None:
                stencil.keep_steady(witness, place, sure=sure)
        return stencil if stencil.is_legible else None

    def change(self, stencil: Stencil | None, then_s: float, box: Box) -> Change | None:
        """How a line differs from what is at another instant and place; None when it cannot be told."""
        image = self.at(then_s)
        return None if stencil is None or image is None else stencil.change(image, box)
