"""Overlays in the picture: area, movement, place, and what covers what.

Source: docs/analyses.md, visual_overlay_analysis. Conventions: a box is ``x, y, width, height`` in 0..1 of the frame,
None where it is unknown; spans are ``(n, 2)`` start and end in seconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Floats
from rumiai.core.boxes import Box, area, overlap_of_smaller, step_lengths
from rumiai.core.intervals import intersect, length, overlap_s, union
from rumiai.metrics.evidence.types import Sticker, TextTrack
from rumiai.metrics.shared.statistics import clamp, mean
from rumiai.metrics.visual_overlay_analysis.blocks import MultiLayerComplexity

_COVERED: Final = 0.05  # share of the smaller box that makes an occlusion, not a touch
_MOST_COMPLEX: Final = 10.0
_CELLS: Final = 10  # parts of each side of the frame in which two stickers are one

Overlay = TextTrack | Sticker


def covers(a: Box | None, b: Box | None) -> bool:
    """Whether a box covers another: they share more than a twentieth of the smaller one.

    Args:
        a: A box; None where it is unknown.
        b: Another.

    Returns:
        False where one is unknown; a smaller share is a touch.
    """
    return a is not None and b is not None and overlap_of_smaller(a, b) > _COVERED


def free_s(spans_s: Floats, observed: Observed) -> float:
    """Seconds that were looked at and are without any overlay.

    Args:
        spans_s: ``(n, 2)`` overlays, seconds.
        observed: When overlays were looked for.

    Returns:
        At least 0; all that was looked at without overlays.
    """
    return max(0.0, observed.seconds - length(intersect(union(spans_s, until_s=observed.duration_s), observed.spans_s)))


def area_share(overlays: Iterable[Overlay], observed: Observed) -> float:
    """Mean share of the frame that overlays cover over the time observed: sum of area x seconds / seconds observed.

    Args:
        overlays: Texts and stickers; one without a box covers nothing, and where two overlap both count.
        observed: When overlays were looked for: some time.

    Returns:
        0..1, cut at 1; 0 without overlays.
    """
    sized = [(area(item.box), item.start_s, item.end_s) for item in overlays if item.box is not None]
    shares, starts_s, ends_s = np.array(sized, dtype=np.float64).reshape(-1, 3).T
    return clamp(float(shares @ overlap_s(observed.spans_s, starts_s, ends_s)) / observed.seconds)


def complexity_score(at_once: float, count: int, covered: float, observed_s: float) -> float | None:
    """How much there is to see: 2 x overlays at once + overlays per 5 s + 20 x area, at most 10.

    Source: docs/analyses.md, overlaysCoreMetrics, ``visualComplexityScore``.

    Args:
        at_once: Mean number of simultaneous overlays.
        count: Number of overlays.
        covered: Mean share of the frame that they cover, 0..1.
        observed_s: Seconds that were looked at, above 0.

    Returns:
        In (0, 10]; None for no overlays.
    """
    return min(_MOST_COMPLEX, 2 * at_once + count * 5 / observed_s + 20 * covered) if count else None


def layering(at_once: int) -> MultiLayerComplexity | None:
    """The most overlays at one instant in a word: one, up to three, more.

    Args:
        at_once: That number.

    Returns:
        None for no overlays.
    """
    if not at_once:
        return None
    return "simple" if at_once <= 1 else "moderate" if at_once <= 3 else "complex"


def path_speed(times_s: Floats, boxes: Floats, aspect: float) -> float | None:
    """Path of a box's centre over the time of its sightings, in frame widths per second.

    Args:
        times_s: ``(m,)`` sightings, ascending.
        boxes: ``(m, 4)``.
        aspect: Width of the frame over its height.

    Returns:
        None for fewer than two instants.
    """
    seconds = float(np.ptp(times_s)) if times_s.size > 1 else 0.0
    if seconds <= 0:
        return None
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    return float(step_lengths(centres, aspect).sum()) / seconds


def animation_intensity(texts: Iterable[TextTrack], aspect: float | None) -> float | None:
    """How much texts move: mean path speed of their boxes (:func:`path_speed`).

    Source: docs/analyses.md, overlaysDynamics, ``animationIntensity``.

    Args:
        texts: Text tracks.
        aspect: Width of the frame over its height; None where it is unknown.

    Returns:
        Frame widths per second, cut at 1; None without a text that was seen at two instants, and without an aspect.
    """
    if aspect is None:
        return None
    speeds = [path_speed(text.sighting_times_s, text.sighting_boxes, aspect) for text in texts]
    speed = mean([known for known in speeds if known is not None])
    return None if speed is None else clamp(speed)


def place_shares(heights: Sequence[float]) -> tuple[float, float, float] | None:
    """Share of the texts whose centre is in each third of the height.

    Args:
        heights: y of each text's centre, 0 at the top.

    Returns:
        Top, middle, bottom; None for no texts.
    """
    if not heights:
        return None
    thirds = np.clip((np.array(heights) * 3).astype(np.int64), 0, 2)
    top, middle, bottom = (np.bincount(thirds, minlength=3) / len(heights)).tolist()
    return top, middle, bottom


def unique_stickers(stickers: Iterable[Sticker]) -> int:
    """Number of stickers that differ in type, or whose centre stands in another of 10 x 10 cells of the frame.

    Source: docs/analyses.md, overlaysCoreMetrics, ``uniqueStickers``.

    Args:
        stickers: Stickers; one without a box stands at the origin.

    Returns:
        At least 0; 0 for none.
    """
    cells = set()
    for sticker in stickers:
        x, y, width, height = sticker.box or (0.0, 0.0, 0.0, 0.0)
        cells.add((sticker.kind, int((x + width / 2) * _CELLS), int((y + height / 2) * _CELLS)))
    return len(cells)


def occlusions(overlays: Iterable[Overlay]) -> tuple[int, int]:
    """What covers what over time.

    The largest text is looked for at each start of an overlay, and told from the one before by its words; that one
    stays the largest until another is found.

    Args:
        overlays: Texts and stickers, in any order; one without a box covers nothing.

    Returns:
        Pairs whose boxes cover each other at one time (:func:`covers`), and changes of the largest text on screen;
        zeros for no overlays.
    """
    items = sorted(overlays, key=lambda item: (item.start_s, item.end_s, item.box or ()))
    active: list[tuple[float, int]] = []
    pairs = changes = 0
    dominant: str | None = None
    for number, item in enumerate(items):
        while active and active[0][0] <= item.start_s:
            heapq.heappop(active)
        pairs += sum(covers(item.box, items[other].box) for _, other in active)
        heapq.heappush(active, (item.end_s, number))
        largest = _largest_text(items[other] for _, other in active)
        changes += dominant is not None and largest is not None and largest != dominant
        dominant = largest or dominant
    return pairs, changes


def _largest_text(items: Iterable[Overlay]) -> str | None:
    return max(
        ((area(item.box), item.text) for item in items if isinstance(item, TextTrack) and item.box is not None),
        default=(0.0, None),
    )[1]
