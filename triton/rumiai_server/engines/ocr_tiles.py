"""Where a picture may hold text, from one cheap look at it.

The detector's cost is its pixels, and most pixels of a frame hold no text. A first pass over a small canvas cannot
place boxes well or separate small letters, but nothing that the full canvas would find leaves it entirely cold. So
``fast`` looks at the small canvas first and gives the full canvas only to the parts that answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from rumiai_server.engines.ocr_boxes import MAP_STRIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rumiai_server.engines.ocr_detector import ScoreMaps

# Longest side in pixels of the small canvas.
LOCATE_SIZE_PX = 512
# Character score on the small canvas from which a place may hold text. On drawn captions down to 1.8 % of the height,
# every line that EasyOCR reads with confidence 0.3 peaks at 0.28 or more on a canvas of 448, and at 0.5 on one of 640.
_SUSPICION = 0.2
# Tiles are cut on this grid of canvas pixels: CRAFT's sides are multiples of it.
_CELL_PX = 32
# Context around a suspicion, in cells: CRAFT needs some, and words of one line must come to lie in one tile.
_CONTEXT_CELLS = (1, 2)
# Each forward pass costs about as much as this many cells, whatever its size: closer tiles are better merged.
_FIXED_COST_CELLS = 16
# From this share of the picture on, one pass over all of it is cheaper than its parts.
_WHOLE_SHARE = 0.7


class Tile(NamedTuple):
    """A part of a picture, in its pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def whole(cls, picture: NDArray[np.uint8]) -> Tile:
        """All of a picture."""
        return cls(0, 0, picture.shape[1], picture.shape[0])


def worth_locating(longest_canvas_side_px: float) -> bool:
    """Whether a look at the small canvas is much cheaper than the full canvas."""
    return longest_canvas_side_px >= 1.5 * LOCATE_SIZE_PX


def text_tiles(maps: ScoreMaps, locate_scale: float, picture: NDArray[np.uint8], scale: float) -> list[Tile]:
    """Cut out the parts of a picture that may hold text.

    Args:
        maps: The detector's answer on the small canvas.
        locate_scale: Pixels of the small canvas per picture pixel.
        picture: (h, w, 3) the picture.
        scale: Pixels of the full canvas per picture pixel.

    Returns:
        Tiles that do not overlap, together all suspicions and their surroundings; none where nothing looks like text.
    """
    height, width = picture.shape[:2]
    cell = _CELL_PX / scale
    rows, columns = int(np.ceil(height / cell)), int(np.ceil(width / cell))
    step = MAP_STRIDE / locate_scale / cell
    y, x = np.nonzero(maps.text > _SUSPICION)
    cells = np.zeros((rows, columns), dtype=np.uint8)
    cells[np.minimum((y * step).astype(int), rows - 1), np.minimum((x * step).astype(int), columns - 1)] = 1
    reach_y, reach_x = _CONTEXT_CELLS
    cells = np.asarray(cv2.dilate(cells, np.ones((2 * reach_y + 1, 2 * reach_x + 1), dtype=np.uint8)), dtype=np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    merged = _merge([Tile(*map(int, (x, y, x + w, y + h))) for x, y, w, h, _ in stats[1:]])
    if sum(map(_area, merged)) >= _WHOLE_SHARE * rows * columns:
        return [Tile.whole(picture)]
    return [
        Tile(int(t.left * cell), int(t.top * cell), min(int(t.right * cell), width), min(int(t.bottom * cell), height))
        for t in merged
    ]


def _merge(tiles: list[Tile]) -> list[Tile]:
    """Join tiles that overlap, or whose common rectangle costs no more than both of them."""
    waiting = list(tiles)
    done: list[Tile] = []
    while waiting:
        tile = waiting.pop()
        for other in done:
            union = Tile(*map(min, tile[:2], other[:2]), *map(max, tile[2:], other[2:]))
            if _overlap(tile, other) or _area(union) <= _area(tile) + _area(other) + _FIXED_COST_CELLS:
                done.remove(other)
                waiting.append(union)
                break
        else:
            done.append(tile)
    return done


def _area(tile: Tile) -> int:
    return (tile.right - tile.left) * (tile.bottom - tile.top)


def _overlap(one: Tile, two: Tile) -> bool:
    return one.left < two.right and two.left < one.right and one.top < two.bottom and two.top < one.bottom
