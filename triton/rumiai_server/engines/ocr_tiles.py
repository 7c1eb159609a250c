"""Where a picture may hold text, from one cheap look at it.

The detector's cost is its pixels, and most pixels of a frame hold no text. A first pass over a small canvas cannot
place boxes well or separate small letters, but nothing that the full canvas would find leaves it entirely cold. So
``fast`` looks at the small canvas first and then only at the parts that answered, each as large as its letters need:
captions are mostly large, and the full canvas is for small print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from rumiai_server.engines.ocr_boxes import MAP_STRIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rumiai_server.engines.ocr_detector import ScoreMaps

# Longest side in pixels of the small canvas. On one of 320, lines of 1.7 % of the height begin to leave it cold.
LOCATE_SIZE_PX = 384
# Character score on the small canvas from which a place may hold text. At 0.2 the places of all drawn captions that
# EasyOCR reads were found, down to 1.7 % of the height, but for a word of two narrow letters, which peaks at 0.16.
_SUSPICION = 0.12
# Character score from which a place belongs to a letter, whose height can be told: EasyOCR's own default.
_LETTER = 0.4
# Height in canvas pixels at which the detector sees letters well enough; larger ones are scaled down to it. It is the
# height of what answers above _LETTER: about that of an x, half a line's. At 16 boxes shift by enough to cost a caption
# in a hundred.
_LETTER_HEIGHT_PX = 20
# Letters of less than this share of the largest area nearby are dots and fragments; their height tells nothing.
_FRAGMENT_SHARE = 0.02
# Tiles are cut on this grid of canvas pixels: CRAFT's sides are multiples of it.
_CELL_PX = 32
# Context around a suspicion, in cells: CRAFT needs some, and words of one line must come to lie in one tile.
_CONTEXT_CELLS = (1, 2)
# Each forward pass costs about as much as this many cells, whatever its size: closer tiles are better merged.
_FIXED_COST_CELLS = 16
# From this share of the picture on, one pass over all of it is cheaper than its parts.
_WHOLE_SHARE = 0.7


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
        Tiles that do not overlap, together all suspicions and their surroundings, each at the least scale that its
        letters need, ``scale`` at most; none where nothing looks like text.
    """
    height, width = picture.shape[:2]
    cell = _CELL_PX / scale
    grid = int(np.ceil(height / cell)), int(np.ceil(width / cell))
    step = MAP_STRIDE / locate_scale / cell
    groups, count = _groups(maps.text, grid, step)
    heights = _letter_heights(maps.text, groups, step)
    rough = []
    for label in range(1, count):
        rows, columns = np.nonzero(groups == label)
        letters_px = heights[label] * MAP_STRIDE / locate_scale if label in heights else 0.0
        needed = _LETTER_HEIGHT_PX / letters_px if letters_px else scale
        box = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
        rough.append(Tile(*box, min(max(needed, locate_scale), scale)))
    merged = _merge(rough)
    if sum(_cost(t) for t in merged) >= _WHOLE_SHARE * grid[0] * grid[1] * scale**2:
        return [Tile.whole(picture, scale)]
    return [_placed(tile, cell, width, height) for tile in merged]


def _groups(text: NDArray[np.float32], grid: tuple[int, int], step: float) -> tuple[NDArray[np.int32], int]:
    """Number the cells that hold suspicions or their context by neighbourhood, 0 elsewhere; ``step`` cells a pixel."""
    cells = np.zeros(grid, dtype=np.uint8)
    y, x = np.nonzero(text > _SUSPICION)
    cells[_cells_of(y, step, grid[0]), _cells_of(x, step, grid[1])] = 1
    reach_y, reach_x = _CONTEXT_CELLS
    cells = np.asarray(cv2.dilate(cells, np.ones((2 * reach_y + 1, 2 * reach_x + 1), dtype=np.uint8)), dtype=np.uint8)
    count, labels = cv2.connectedComponents(cells, connectivity=8)
    return np.asarray(labels, dtype=np.int32), count


def _letter_heights(text: NDArray[np.float32], groups: NDArray[np.int32], step: float) -> dict[int, int]:
    """Least height, in pixels of the map, of what looks like letters in each group that has any."""
    _, _, stats, centres = cv2.connectedComponentsWithStats((text > _LETTER).view(np.uint8), connectivity=4)
    rows, columns = (_cells_of(centres[1:, axis], step, groups.shape[1 - axis]) for axis in (1, 0))
    labels = groups[rows, columns]
    least = {}
    for label in np.unique(labels):
        letters = stats[1:][labels == label]
        least[int(label)] = int(letters[~_fragments(letters), cv2.CC_STAT_HEIGHT].min())
    return least


def _fragments(letters: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which of (m, 5) components are specks, or but points and short letters in the line of a taller neighbour."""
    left, top, width, height, area = letters.T
    right, bottom = left + width, top + height
    margin = height // 2 + 1
    in_line = (top[:, None] >= top - margin) & (bottom[:, None] <= bottom + margin) & (height[:, None] < height)
    gap = np.maximum(left[:, None] - right, left - right[:, None])
    return np.asarray((in_line & (gap <= height)).any(axis=1) | (area < _FRAGMENT_SHARE * area.max()))


def _cells_of(positions: NDArray[Any], step: float, count: int) -> NDArray[np.int64]:
    return np.minimum((positions * step).astype(np.int64), count - 1)


def _placed(tile: Tile, cell: float, width: int, height: int) -> Tile:
    """From cells to pixels, filling the multiples of 32 that its canvas has anyway."""
    left, top = int(tile.left * cell), int(tile.top * cell)
    right, bottom = (
        min(start + int(np.ceil((end - begin) * cell * tile.scale / _CELL_PX) * _CELL_PX / tile.scale), limit)
        for start, begin, end, limit in ((left, tile.left, tile.right, width), (top, tile.top, tile.bottom, height))
    )
    return Tile(left, top, right, bottom, tile.scale)


def _merge(tiles: list[Tile]) -> list[Tile]:
    """Join tiles that overlap, or whose common rectangle costs no more than both of them."""
    waiting = list(tiles)
    done: list[Tile] = []
    while waiting:
        tile = waiting.pop()
        for other in done:
            union = _union(tile, other)
            if _overlap(tile, other) or _cost(union) <= _cost(tile) + _cost(other) + _FIXED_COST_CELLS:
                done.remove(other)
                waiting.append(union)
                break
        else:
            done.append(tile)
    return done


def _union(one: Tile, two: Tile) -> Tile:
    corners = min(one.left, two.left), min(one.top, two.top), max(one.right, two.right), max(one.bottom, two.bottom)
    return Tile(*corners, max(one.scale, two.scale))


def _cost(tile: Tile) -> float:
    """Of a tile in cells."""
    return (tile.right - tile.left) * (tile.bottom - tile.top) * tile.scale**2


def _overlap(one: Tile, two: Tile) -> bool:
    return one.left < two.right and two.left < one.right and one.top < two.bottom and two.top < one.bottom
