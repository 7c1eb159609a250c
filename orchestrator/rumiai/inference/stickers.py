"""Stickers and other graphics laid over a video, told from colourful objects by how they behave.

A candidate is a compact, highly saturated region with a crisp outline. It becomes a sticker when its box stays fixed
over samples and neither a detected object nor text fills it. Its confidence follows from what only an overlay does: it
stays while its surroundings move, outlives a cut, or appears between two samples while nothing around it changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from rumiai.contracts.frames import FrameDetections, FrameTexts, Sampling
from rumiai.contracts.services.ocr import Sticker
from rumiai.core.arrays import freeze_arrays
from rumiai.core.boxes import Box, area, intersection_matrix
from rumiai.inference.sampled_times import interval

Rgb = npt.NDArray[np.uint8]

# Long side at which candidates are sought: a sticker of 2.5 % of it is still 8 px wide.
_SIDE_PX: Final = 320
_SATURATION: Final = 140
# Darker pixels are ignored: their saturation is noise.
_BRIGHTNESS: Final = 70
# Least and largest share of the frame: 200 px of 576 x 1024, and above the second it is a backdrop.
_MIN_AREA: Final = 0.00035
_MAX_AREA: Final = 0.15
_MAX_RATIO: Final = 3.0
# Region over the hull of its outline: emoji, arrows and boxes are compact, coloured light and clothes are frayed.
_SOLIDITY: Final = 0.7
# Grey levels per pixel at which an outline counts as drawn, and the share of the outline that must reach them.
_EDGE: Final = 40
_CRISP: Final = 0.6
# Candidates of a frame, the largest first; a colourful scene has hundreds of specks.
_PER_FRAME: Final = 12
# Largest movement of a fixed box, as a share of the frame.
_FIXED: Final = 0.02
_FIXED_SAMPLES: Final = 3
# Mean change in grey levels: below the first a region is the same as before, above the second it is another.
_SAME: Final = 10.0
_CHANGED: Final = 16.0
_THUMB_PX: Final = 12
# Parts of a box that objects or text may fill.
_MAX_OBJECT: Final = 0.6
_MAX_TEXT: Final = 0.4
# Confidence: what a fixed, crisp region is worth alone, and what each behaviour of an overlay adds.
_BASE: Final = 0.3
_FOR_OUTLINE: Final = 0.15
_FOR_MOVING_SURROUNDINGS: Final = 0.3
_FOR_OUTLIVING_A_CUT: Final = 0.3
_FOR_POPPING_UP: Final = 0.2
# Without any such behaviour a region is reported only when it is larger than a speck and nearly all of its outline is
# crisp. Outlines of photographed objects hardly ever are.
_CRISP_ALONE: Final = 0.95
_MIN_AREA_ALONE: Final = 0.004
_MAX_CONFIDENCE: Final = 0.95
# A banner is wider and lower than these shares. A "sticker" is about square and below 5000 px of 576 x 1024.
_BANNER_WIDTH: Final = 0.6
_BANNER_HEIGHT: Final = 0.2
_STICKER_AREA: Final = 0.0085
_STICKER_RATIO: Final = 1.2


@dataclass(frozen=True)
class _Candidate:
    box: Box
    crisp: float  # share of the outline that is sharp
    thumb: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        freeze_arrays(self, thumb=(np.float32, _THUMB_PX, _THUMB_PX, 3))


@dataclass
class _Track:
    boxes: list[Box]
    times_s: list[float]
    frame_numbers: list[int]
    crisp: float
    thumb: npt.NDArray[np.float32] = field(repr=False)
    surroundings_moved: bool = False
    popped_up: bool = False

    def __post_init__(self) -> None:
        freeze_arrays(self, thumb=(np.float32, _THUMB_PX, _THUMB_PX, 3))


class StickerFinder:
    """Looks at sampled frames one after another and keeps a few numbers of each; one per video.

    Args:
        sampling: The grid.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._before: Rgb | None = None
        self._alive: list[_Track] = []
        self._done: list[_Track] = []

    def feed(
        self,
        images: npt.NDArray[np.uint8],
        timestamps_s: npt.NDArray[np.float64],
        frame_numbers: npt.NDArray[np.int64],
    ) -> None:
        """Look at sampled frames, in order of time.

        Args:
            images: (n, height, width, 3) uint8 RGB.
            timestamps_s: (n,) ascending.
            frame_numbers: (n,) indices in the source stream.
        """
        for image, timestamp_s, number in zip(images, timestamps_s, frame_numbers, strict=True):
            self._look(_shrink(image), float(timestamp_s), int(number))

    def finish(
        self, detections: Sequence[FrameDetections], cuts_s: Sequence[float], texts: Sequence[FrameTexts] = ()
    ) -> list[Sticker]:
        """Return the stickers by start; nothing may be fed afterwards.

        Args:
            detections: Objects on the sampled frames; a region that one covers to more than 60 % is no sticker.
            cuts_s: Times of the cuts, ascending.
            texts: Lines on the sampled frames; the box behind a caption is no sticker.
        """
        objects = {found.frame_number: found.boxes for found in detections}
        lines = {found.frame_number: found.boxes for found in texts}
        found: list[tuple[float, float, _Track, float]] = []
        for track in self._done + self._alive:
            confidence = self._confidence(track, cuts_s)
            if (
                self._behaves(track, cuts_s, confidence)
                and not _covered(track, objects, _MAX_OBJECT)
                and not _covered(track, lines, _MAX_TEXT)
            ):
                found.append((track.times_s[0], -track.boxes[0][2] * track.boxes[0][3], track, confidence))
        self._done, self._alive = [], []
        found.sort(key=lambda item: item[:2])
        return [self._sticker(place, track, sure, cuts_s) for place, (_, _, track, sure) in enumerate(found, start=1)]

    def _look(self, small: Rgb, timestamp_s: float, number: int) -> None:
        open_tracks, continued = list(self._alive), []
        for candidate in _candidates(small):
            track = next((t for t in open_tracks if _continues(t, candidate)), None)
            if track is None:
                track = _Track([], [], [], 0.0, candidate.thumb)
                if self._before is not None:
                    inside, around = _changes(self._before, small, candidate.box)
                    track.popped_up = inside > _CHANGED and around < _SAME
            else:
                open_tracks.remove(track)
                if self._before is not None:
                    inside, around = _changes(self._before, small, candidate.box)
                    track.surroundings_moved |= inside < _SAME and around > _CHANGED
            track.boxes.append(candidate.box)
            track.times_s.append(timestamp_s)
            track.frame_numbers.append(number)
            track.crisp = max(track.crisp, candidate.crisp)
            continued.append(track)
        # A region on one sample alone has not been seen to stand still.
        self._done += [track for track in open_tracks if len(track.boxes) > 1]
        self._alive = continued
        self._before = small

    def _confidence(self, track: _Track, cuts_s: Sequence[float]) -> float:
        confidence = _BASE + _FOR_OUTLINE * (track.crisp - _CRISP) / (1 - _CRISP)
        confidence += _FOR_MOVING_SURROUNDINGS * track.surroundings_moved
        confidence += _FOR_POPPING_UP * (track.popped_up and not _cut_before(track, cuts_s, self._sampling.step_s))
        confidence += _FOR_OUTLIVING_A_CUT * (_scene(cuts_s, track.times_s[0]) != _scene(cuts_s, track.times_s[-1]))
        return min(confidence, _MAX_CONFIDENCE)

    def _behaves(self, track: _Track, cuts_s: Sequence[float], confidence: float) -> bool:
        """Whether it is fixed for three samples (two when a neighbouring scene lacks it) and more than colourful."""
        one_scene = _scene(cuts_s, track.times_s[0]) == _scene(cuts_s, track.times_s[-1])
        fixed = len(track.boxes) >= _FIXED_SAMPLES
        if confidence > _BASE + _FOR_OUTLINE:
            return fixed or (one_scene and len(cuts_s) > 0)
        x, y, w, h = track.boxes[0]
        inside = x > 0 and y > 0 and x + w < 1 and y + h < 1
        return fixed and inside and track.crisp >= _CRISP_ALONE and w * h >= _MIN_AREA_ALONE

    def _sticker(self, place: int, track: _Track, confidence: float, cuts_s: Sequence[float]) -> Sticker:
        start_s, end_s = interval(track.times_s[0], track.times_s[-1], cuts_s, self._sampling)
        box = np.median(np.array(track.boxes), axis=0)
        ratio = box[2] * self._sampling.width / max(box[3] * self._sampling.height, 1e-9)
        if box[2] > _BANNER_WIDTH and box[3] < _BANNER_HEIGHT:
            kind = "banner"
        elif area(box) < _STICKER_AREA and 1 / _STICKER_RATIO <= ratio <= _STICKER_RATIO:
            kind = "sticker"
        else:
            kind = "graphic_overlay"
        return Sticker(
            id=f"sticker_{place}",
            type=kind,
            start_s=start_s,
            end_s=end_s,
            timestamp_s=track.times_s[0],
            confidence=float(confidence),
            bbox=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        )


def _shrink(image: npt.NDArray[np.uint8]) -> Rgb:
    divisor = max(1, round(max(image.shape[:2]) / _SIDE_PX))  # a whole one: area averaging is fast with it
    size = (max(1, image.shape[1] // divisor), max(1, image.shape[0] // divisor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _candidates(small: Rgb) -> list[_Candidate]:
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    vivid = cv2.inRange(hsv, (0, _SATURATION, _BRIGHTNESS), (180, 255, 255))
    vivid = cv2.morphologyEx(vivid, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(vivid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rows, columns = small.shape[:2]
    edges: npt.NDArray[np.uint8] | None = None
    found: list[_Candidate] = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True):
        area = cv2.contourArea(contour)
        if area < _MIN_AREA * rows * columns or len(found) == _PER_FRAME:
            break
        x, y, w, h = cv2.boundingRect(contour)
        banner = w > _BANNER_WIDTH * columns and h < _BANNER_HEIGHT * rows
        shaped = banner or 1 / _MAX_RATIO <= w / h <= _MAX_RATIO
        if area > _MAX_AREA * rows * columns or not shaped:
            continue
        if area < _SOLIDITY * cv2.contourArea(cv2.convexHull(contour)):
            continue
        if edges is None:
            edges = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(axis=2)
        crisp = float((edges[contour[:, 0, 1], contour[:, 0, 0]] >= _EDGE).mean())
        if crisp >= _CRISP:
            patch = cv2.resize(small[y : y + h, x : x + w], (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA)
            box = (x / columns, y / rows, w / columns, h / rows)
            found.append(_Candidate(box, crisp, patch.astype(np.float32)))
    return found


def _continues(track: _Track, candidate: _Candidate) -> bool:
    # Compared with the first box, so that a slow drift does not count as standing still.
    moved = max(abs(a - b) for a, b in zip(track.boxes[0], candidate.box, strict=True))
    return moved <= _FIXED and float(np.abs(track.thumb - candidate.thumb).mean()) < _CHANGED


def _changes(before: Rgb, now: Rgb, box: Box) -> tuple[float, float]:
    """Mean change in grey levels inside a box and in the ring around it."""
    if before.shape != now.shape:
        return 0.0, 0.0
    rows, columns = now.shape[:2]
    x0, y0 = round(box[0] * columns), round(box[1] * rows)
    x1, y1 = x0 + max(1, round(box[2] * columns)), y0 + max(1, round(box[3] * rows))
    pad = max(4, (x1 - x0) // 2, (y1 - y0) // 2)
    left, top = max(x0 - pad, 0), max(y0 - pad, 0)
    window = np.s_[top : y1 + pad, left : x1 + pad]
    change = cv2.absdiff(before[window], now[window]).mean(axis=2)
    inside = np.zeros(change.shape, np.bool_)
    inside[y0 - top : y1 - top, x0 - left : x1 - left] = True
    # Shrinking blurs the outline: it belongs to neither side.
    edge = np.zeros(change.shape, np.bool_)
    edge[max(y0 - top - 2, 0) : y1 - top + 2, max(x0 - left - 2, 0) : x1 - left + 2] = True
    around = change[~edge]
    return float(change[inside].mean()), float(around.mean()) if around.size else 0.0


def _scene(cuts_s: Sequence[float], t_s: float) -> int:
    return bisect_right(cuts_s, t_s)


def _cut_before(track: _Track, cuts_s: Sequence[float], step_s: float) -> bool:
    return _scene(cuts_s, track.times_s[0]) != _scene(cuts_s, track.times_s[0] - step_s)


def _covered(track: _Track, boxes: dict[int, npt.NDArray[np.float32]], limit: float) -> bool:
    """Whether one box covers more than ``limit`` of the track's on half of its frames or more."""
    hits = 0
    for number, box in zip(track.frame_numbers, track.boxes, strict=True):
        others = boxes.get(number)
        if others is None or len(others) == 0:
            continue
        hits += bool(intersection_matrix(box, others).max() > limit * area(box))
    return 2 * hits >= len(track.boxes)
