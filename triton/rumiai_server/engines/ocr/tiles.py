"""Which parts of a picture CRAFT sees, and how large.

CRAFT's cost is its pixels, whether in one pass or in many, and most pixels of a frame hold no text. So ``fast`` runs it
over the places where the locator suspects some, each with a margin and only as large as its letters need: captions are
mostly large, and the full canvas is for small print.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.locator import Place

# Height in canvas pixels at which the detector sees a line well enough; higher ones are scaled down to it. It is the
# height of the locator's answer: about 0.6 of the type size.
_LINE_HEIGHT_PX = 24
# Scaling goes no further: what looks like one huge line may be several that lie close.
_LEAST_SCALE = 0.3
# Margins beside and above a place, in its heights: up to half a height of its letters lies outside of it; and in canvas
# pixels besides. Wider ones find no more.
_MARGINS, _MARGIN_PX = (0.4, 0.35), 4
# Places closer than this share of the lower one's height share a tile: a cut between them would touch their letters.
_LEAST_GAP = 0.3
# CRAFT's sides are multiples of this.
_SIDE_MULTIPLE_PX = 32
# What a pass costs besides its pixels, in pixels: hardly anything.
_PASS_COST_PX = 2000
# With more places a picture is a page of text, and its parts cost as much as all of it.
_MAX_PLACES = 100
# From this share of the picture's cost on, one pass over all of it is no dearer than its parts.
_WHOLE_SHARE = 0.9
# Below this longest side of the canvas the whole costs less than is worth a second look.
_MIN_LOCATE_SIDE_PX = 384


class Tile(NamedTuple):
    """A part of a picture, in its pixels, and canvas pixels per picture pixel; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int
    scale: float

    @classmethod
    def whole(cls, picture: NDArray[np.uint8], scale: float) -> Tile:
        """All of a picture."""
        return cls(0, 0, picture.shape[1], picture.shape[0], scale)

    @property
    def cost_px(self) -> int:
        """Pixels of its canvas."""
        sides = (self.right - self.left) * self.scale, (self.bottom - self.top) * self.scale
        return _round_up(sides[0]) * _round_up(sides[1])


class _Core(NamedTuple):
    """One place, or several that share a tile: ``low, high`` across and down, the lines' height, and the scale."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: float
    scale: float


def worth_locating(longest_canvas_side_px: float) -> bool:
    """Whether the locator's look is much cheaper than the full canvas."""
    return longest_canvas_side_px >= _MIN_LOCATE_SIDE_PX


def text_tiles(places: Sequence[Place], picture: NDArray[np.uint8], scale: float) -> list[Tile]:
    """Cut out the parts of a picture that may hold text.

    Args:
        places: Where it may be, in pixels of the picture.
        picture: (h, w, 3) the picture.
        scale: Pixels of the full canvas per picture pixel.

    Returns:
        Tiles that do not overlap, together all places and margins, each at the least scale that its letters need,
        ``scale`` at most; the whole picture where that costs no more; none where there is no place.
    """
    whole = Tile.whole(picture, scale)
    if len(places) > _MAX_PLACES:
        return [whole]
    cores = []
    for left, top, right, bottom, height in places:
        needed = min(max(_LINE_HEIGHT_PX / height, _LEAST_SCALE), scale)
        cores.append(_Core((left, right), (top, bottom), height, needed))
    merged = _merge(cores, whole)
    tiles = [_trimmed(core, merged, whole) for core in merged]
    return tiles if sum(tile.cost_px for tile in tiles) < _WHOLE_SHARE * whole.cost_px else [whole]


def _merge(cores: Sequence[_Core], whole: Tile) -> list[_Core]:
    """Join those too close to be parted, or whose common tile costs no more than both of theirs."""
    waiting = list(cores)
    done: list[_Core] = []
    while waiting:
        core = waiting.pop()
        for other in done:
            union = _union(core, other)
            apart = sum(_with_margin(c, whole).cost_px for c in (core, other)) + _PASS_COST_PX
            if _gap(core, other)[0] < _LEAST_GAP * min(core.height, other.height) or (
                _with_margin(union, whole).cost_px <= apart
            ):
                done.remove(other)
                waiting.append(union)
                break
        else:
            done.append(core)
    return done


def _union(one: _Core, two: _Core) -> _Core:
    x, y = ((min(a[0], b[0]), max(a[1], b[1])) for a, b in ((one.x, two.x), (one.y, two.y)))
    return _Core(x, y, max(one.height, two.height), max(one.scale, two.scale))


def _gap(one: _Core, two: _Core) -> tuple[float, bool]:
    """The wider of the gaps across and down, negative when they overlap both ways; and whether it is the one across."""
    across, down = (max(b[0] - a[1], a[0] - b[1]) for a, b in ((one.x, two.x), (one.y, two.y)))
    return max(across, down), across >= down


def _with_margin(core: _Core, whole: Tile) -> Tile:
    left, right = _widened(core.x, core, _MARGINS[0], whole.right)
    top, bottom = _widened(core.y, core, _MARGINS[1], whole.bottom)
    return Tile(left, top, right, bottom, core.scale)


def _widened(span: tuple[float, float], core: _Core, share: float, limit: int) -> tuple[int, int]:
    """With the margin, and with what the canvas has room for anyway."""
    least = span[1] - span[0] + 2 * (share * core.height + _MARGIN_PX / core.scale)
    room = _round_up(least * core.scale) / core.scale
    start = math.floor((span[0] + span[1] - room) / 2)
    return max(start, 0), min(start + int(room), limit)


def _trimmed(core: _Core, others: Sequence[_Core], whole: Tile) -> Tile:
    """Its tile, cut off midway to each other core, so that no text is seen twice."""
    left, top, right, bottom, scale = _with_margin(core, whole)
    for other in others:
        if other is core:
            continue
        _, across = _gap(core, other)
        (low, high), (other_low, other_high) = (core.x, other.x) if across else (core.y, other.y)
        if other_low >= high:
            cut = round((high + other_low) / 2)
            right, bottom = (min(right, cut), bottom) if across else (right, min(bottom, cut))
        else:
            cut = round((low + other_high) / 2)
            left, top = (max(left, cut), top) if across else (left, max(top, cut))
    return Tile(left, top, right, bottom, scale)


def _round_up(side_px: float) -> int:
    return max(math.ceil(side_px / _SIDE_MULTIPLE_PX), 1) * _SIDE_MULTIPLE_PX
