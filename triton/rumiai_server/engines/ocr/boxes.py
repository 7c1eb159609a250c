"""From CRAFT's score maps to the text boxes that EasyOCR hands to its recogniser.

The arithmetic is that of ``easyocr.craft_utils.getDetBoxes`` and ``easyocr.utils.group_text_box`` (EasyOCR 1.7.2),
and the results are equal to theirs, box for box; the tests compare them on random maps and boxes. What differs is the
work: upstream scans the whole map several times for each component, this module only the component's own rectangle,
and hands the outline instead of every pixel to the rectangle fit.

Coordinates are x, y with the origin at the top left. A *horizontal* box is ``[x_min, x_max, y_min, y_max]`` in whole
pixels, as EasyOCR keeps it; a *free* box has four corners.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from easyocr.utils import group_text_box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rumiai_server.engines.ocr.types import GroupThresholds, MapThresholds

# CRAFT's maps have half the resolution of its input.
MAP_STRIDE = 2
# Components of fewer map pixels are noise; EasyOCR's own constant.
MIN_COMPONENT_AREA = 10

HorizontalBox = list[int]
FreeBox = list[list[float]]


def map_boxes(text: NDArray[np.float32], link: NDArray[np.float32], limits: MapThresholds) -> NDArray[np.float32]:
    """Fit a rotated rectangle to each text component of one picture.

    Args:
        text: (h, w) character scores.
        link: (h, w) scores of the gaps between characters of one word.
        limits: The thresholds.

    Returns:
        (m, 4, 2) corners in map pixels, clockwise from the corner with the least x + y; m may be 0.
    """
    is_text = text > np.float32(limits.low_text)
    is_link = link > np.float32(limits.link_threshold)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((is_text | is_link).view(np.uint8), connectivity=4)
    link_only = is_link & ~is_text
    boxes: list[NDArray[np.float32]] = []
    for label in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= MIN_COMPONENT_AREA):
        if label == 0:  # the background
            continue
        x, y, w, h, area = (int(value) for value in stats[label])
        inside = labels[y : y + h, x : x + w] == label
        if float(text[y : y + h, x : x + w].max(where=inside, initial=-np.inf)) < limits.text_threshold:
            continue
        reach = int(math.sqrt(area * min(w, h) / (w * h)) * 2)
        top, left = max(y - reach, 0), max(x - reach, 0)
        window = np.s_[top : y + h + reach + 1, left : x + w + reach + 1]
        mask = ((labels[window] == label) & ~link_only[window]).view(np.uint8)
        kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (1 + reach, 1 + reach))
        outline = _row_ends(cv2.dilate(mask, kernel))
        if len(outline):
            boxes.append(_fit_box(outline + np.array([left, top], dtype=np.int32)))
    return np.stack(boxes) if boxes else np.zeros((0, 4, 2), dtype=np.float32)


def _row_ends(mask: NDArray[np.uint8]) -> NDArray[np.int32]:
    """First and last set pixel of every row, (k, 2) x, y: they span the same convex hull as all set pixels."""
    rows = np.flatnonzero(mask.any(axis=1))
    filled = mask[rows] != 0
    first = filled.argmax(axis=1)
    last = mask.shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
    ends = np.empty((len(rows), 2, 2), dtype=np.int32)
    ends[:, 0, 0], ends[:, 1, 0], ends[:, :, 1] = first, last, rows[:, None]
    return ends.reshape(-1, 2)


def _fit_box(points: NDArray[np.int32]) -> NDArray[np.float32]:
    box = cv2.boxPoints(cv2.minAreaRect(points))
    width, height = np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[1] - box[2])
    ratio = max(width, height) / (min(width, height) + 1e-5)
    if abs(1 - ratio) <= 0.1:  # nearly square: the fit may come out as a diamond
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
    return np.asarray(np.roll(box, 4 - int(box.sum(axis=1).argmin()), 0), dtype=np.float32)


def to_source_pixels(boxes: NDArray[np.float32], scale: float) -> NDArray[np.int32]:
    """Map boxes to whole pixels of the picture, cut off as EasyOCR does.

    Args:
        boxes: (m, 4, 2) corners in map pixels.
        scale: Canvas pixels per picture pixel.

    Returns:
        (m, 8) x, y, x, y, ... of the four corners.
    """
    ratio = 1 / scale
    return (boxes.astype(np.float64) * (ratio * MAP_STRIDE)).astype(np.float32).astype(np.int32).reshape(-1, 8)


def group_boxes(polys: NDArray[np.int32], limits: GroupThresholds) -> tuple[list[HorizontalBox], list[FreeBox]]:
    """Join boxes into lines, widen them by the margin and drop the small ones.

    Args:
        polys: (m, 8) corners in pixels, clockwise from the top left.
        limits: The thresholds.

    Returns:
        The horizontal boxes from top to bottom, and the slanted ones, which are never joined. Either may be empty and
        both may reach beyond the picture.
    """
    x, y = polys[:, 0::2].astype(np.int64), polys[:, 1::2].astype(np.int64)
    slope_up = (y[:, 1] - y[:, 0]) / np.maximum(10, x[:, 1] - x[:, 0])
    slope_down = (y[:, 2] - y[:, 3]) / np.maximum(10, x[:, 2] - x[:, 3])
    level = np.maximum(np.abs(slope_up), np.abs(slope_down)) < limits.slope_ths
    spans = np.stack([x.min(axis=1), x.max(axis=1), y.min(axis=1), y.max(axis=1)], axis=1)[level]
    spans = spans[np.argsort(0.5 * (spans[:, 2] + spans[:, 3]), kind="stable")]
    horizontal = [
        _with_margin(run, limits.add_margin)
        for row in _rows(spans.tolist(), limits.ycenter_ths)
        for run in _runs(row, limits.height_ths, limits.width_ths)
    ]
    # Slanted boxes are rare, so EasyOCR's own function does for them.
    _, free = group_text_box(polys[~level], slope_ths=limits.slope_ths, add_margin=limits.add_margin)
    if limits.min_size:
        horizontal = [b for b in horizontal if max(b[1] - b[0], b[3] - b[2]) > limits.min_size]
        free = [b for b in free if max(_extent([c[0] for c in b]), _extent([c[1] for c in b])) > limits.min_size]
    return horizontal, free


def _extent(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _rows(spans: list[list[int]], ycenter_ths: float) -> list[list[list[int]]]:
    """Cut boxes sorted by vertical centre where the centre leaves the running mean of the row."""
    rows: list[list[list[int]]] = []
    centre_sum = height_sum = 0.0  # of halves and integers: exact, so the means are numpy's
    for span in spans:
        centre, height = 0.5 * (span[2] + span[3]), span[3] - span[2]
        if rows:
            count = len(rows[-1])
            if abs(centre_sum / count - centre) < ycenter_ths * (height_sum / count):
                rows[-1].append(span)
                centre_sum, height_sum = centre_sum + centre, height_sum + height
                continue
        rows.append([span])
        centre_sum, height_sum = centre, float(height)
    return rows


def _runs(row: list[list[int]], height_ths: float, width_ths: float) -> list[list[list[int]]]:
    """Cut one row, from left to right, where the gap is wide or the height changes."""
    runs: list[list[list[int]]] = []
    height_sum = 0.0
    for span in sorted(row, key=lambda item: item[0]):
        height = span[3] - span[2]
        if runs:
            mean = height_sum / len(runs[-1])
            gap = span[0] - runs[-1][-1][1]
            if abs(mean - height) < height_ths * mean and gap < width_ths * height:
                runs[-1].append(span)
                height_sum += height
                continue
        runs.append([span])
        height_sum = float(height)
    return runs


def _with_margin(run: list[list[int]], add_margin: float) -> HorizontalBox:
    left, right = min(s[0] for s in run), max(s[1] for s in run)
    top, bottom = min(s[2] for s in run), max(s[3] for s in run)
    margin = int(add_margin * min(right - left, bottom - top))
    return [left - margin, right + margin, top - margin, bottom + margin]
