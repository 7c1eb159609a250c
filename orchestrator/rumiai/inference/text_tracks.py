"""Lines of text on single frames, linked over time into one record per appearance."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rumiai.contracts.frames import FrameTexts, Sampling
from rumiai.contracts.services.ocr import WATERMARK, TextAnnotation, TextSighting
from rumiai.core.boxes import Box, distance, iou
from rumiai.core.text import characters, same_text

# When lines of two frames are one text.
_SAME_IOU: Final = 0.3
_SAME_CENTRE: Final = 0.05
# A text is reported when its best reading is surer than the first, or than the second if it is short.
_MIN_CONFIDENCE: Final = 0.5
_MIN_CONFIDENCE_SHORT: Final = 0.7
_SHORT_CHARACTERS: Final = 2
# Less sure readings are not linked: they are guesses at texture.
_MIN_LINK_CONFIDENCE: Final = 0.1
# Shares of the frame's height between small, medium and large text.
_SMALL_BELOW: Final = 0.025
_MEDIUM_BELOW: Final = 0.05
# Header and caption bands, as shares of the frame's height.
_HEADER_ABOVE: Final = 0.2
_CAPTION_BELOW: Final = 0.8

_CALL = re.compile(r"\b(?:follow|comment|share|click|tap|swipe)\b", re.IGNORECASE)
# "Like" asks for something only as an imperative: not in "I like it" or "looks like".
_LIKE = re.compile(r"^\W*like\b(?!\s+(?:a|an|the|it|that's)\b)|\b(?:hit|drop a|leave a|please) like\b", re.IGNORECASE)
_PLATFORM = re.compile(r"\W*(?:tik\s?tok|cap\s?cut|kwai|likee|snack\s?video|triller)\W*(?:@\S+)?\W*", re.IGNORECASE)
# A corner: the outer quarter of the width at the top or bottom fifth.
_CORNER_X: Final = 0.25
_CORNER_Y: Final = 0.2
# A text in a corner is a watermark when it is seen on 80 % of at least four sampled frames and moves by less than 2 %
# of the frame. It need not be seen on all: some readings of small print fail.
_WATERMARK_SHARE: Final = 0.8
_WATERMARK_FRAMES: Final = 4
_STILL: Final = 0.02
# A handle under a platform's logo belongs to it when it is no further away than this share of the frame.
_NEAR_LOGO: Final = 0.1


@dataclass(frozen=True)
class TextSummary:
    """Texts of a video.

    Attributes:
        annotations: One for each appearance, by start.
        regions_detected: Lines on all frames that were read, however sure.
        best_confidence: The surest of them; None when there is none.
        unique_texts: Different texts, watermarks left out.
    """

    annotations: tuple[TextAnnotation, ...]
    regions_detected: int
    best_confidence: float | None
    unique_texts: int


@dataclass(frozen=True)
class _Sighting:
    timestamp_s: float
    frame_number: int
    text: str
    confidence: float
    box: Box
    contrast: float
    on_grid: bool


@dataclass
class _Track:
    sightings: list[_Sighting] = field(default_factory=list)

    @property
    def last(self) -> _Sighting:
        return self.sightings[-1]

    @property
    def best(self) -> _Sighting:
        return max(self.sightings, key=lambda s: s.confidence)


def link_texts(
    sampled: Sequence[FrameTexts], after_cuts: Sequence[FrameTexts], cuts_s: Sequence[float], sampling: Sampling
) -> TextSummary:
    """Link the lines of consecutive frames into appearances.

    Args:
        sampled: Every frame of the sampling grid, in order of time.
        after_cuts: The extra frames, the first of their shots, in order of time.
        cuts_s: Times of the cuts, ascending.
        sampling: The grid.
    """
    tracks = _link(sampled, after_cuts)
    kept = [track for track in tracks if _is_sure(track.best)]
    kept.sort(key=lambda track: (track.sightings[0].timestamp_s, track.best.box[1], track.best.box[0], track.best.text))
    watermarks = _watermarks(kept, [frame.timestamp_s for frame in sampled])
    annotations = []
    for place, track in enumerate(kept, start=1):
        category = WATERMARK if id(track) in watermarks else category_of(track.best.text, track.best.box)
        annotations.append(_annotation(f"text_{place}", track, category, cuts_s, sampling))
    read = [frame for frame in (*sampled, *after_cuts) if frame.origin == "read"]
    scores = [float(score) for frame in read for score in frame.scores]
    counted = {characters(item.text) for item in annotations if not item.is_watermark}
    return TextSummary(tuple(annotations), len(scores), max(scores, default=None), len(counted))


def interval(first_s: float, last_s: float, cuts_s: Sequence[float], sampling: Sampling) -> tuple[float, float]:
    """Start and end of an appearance: half a step before and after it was seen, clipped at cuts and to the video."""
    half_s = sampling.step_s / 2
    after, before = bisect_right(cuts_s, first_s), bisect_right(cuts_s, last_s)
    start_s = max(first_s - half_s, cuts_s[after - 1] if after else 0.0, 0.0)
    end_s = min(last_s + half_s, cuts_s[before] if before < len(cuts_s) else math.inf, sampling.duration_s)
    return min(start_s, sampling.duration_s), max(end_s, min(start_s, sampling.duration_s))


def category_of(text: str, box: Sequence[float]) -> str:
    """The category of a line by its words and place (the first match wins). It is never watermark."""
    if _CALL.search(text) or _LIKE.search(text):
        return "call_to_action"
    if box[1] < _HEADER_ABOVE:
        return "header_text"
    if box[1] > _CAPTION_BELOW:
        return "caption"
    return "username" if "@" in text else "hashtag" if "#" in text else "overlay_text"


def _link(sampled: Sequence[FrameTexts], after_cuts: Sequence[FrameTexts]) -> list[_Track]:
    grid = sorted(frame.timestamp_s for frame in sampled)
    frames = [(frame, True) for frame in sampled] + [(frame, False) for frame in after_cuts]
    tracks: list[_Track] = []
    alive: list[_Track] = []
    for frame, on_grid in sorted(frames, key=lambda pair: (pair[0].timestamp_s, pair[1])):
        # Consecutive: seen on the sampled frame before this one, or since.
        at = bisect_left(grid, frame.timestamp_s)
        since_s = grid[at - 1] if at else -math.inf
        alive = [track for track in alive if track.last.timestamp_s >= since_s]
        lines = _lines(frame, on_grid)
        pairs = [
            (_closeness(track.last.box, line.box), -i, -j)
            for i, track in enumerate(alive)
            for j, line in enumerate(lines)
            if track.last.frame_number != line.frame_number and _same(track, line)
        ]
        taken_tracks: set[int] = set()
        taken_lines: set[int] = set()
        for _, minus_i, minus_j in sorted(pairs, reverse=True):
            if -minus_i not in taken_tracks and -minus_j not in taken_lines:
                taken_tracks.add(-minus_i)
                taken_lines.add(-minus_j)
                alive[-minus_i].sightings.append(lines[-minus_j])
        fresh = [_Track([line]) for j, line in enumerate(lines) if j not in taken_lines]
        tracks += fresh
        alive = alive + fresh
    return tracks


def _lines(frame: FrameTexts, on_grid: bool) -> list[_Sighting]:
    found = []
    for text, box, score, contrast in zip(frame.texts, frame.boxes, frame.scores, frame.contrasts, strict=True):
        if text.strip() and score >= _MIN_LINK_CONFIDENCE:
            x, y, w, h = (float(side) for side in box)
            found.append(
                _Sighting(
                    frame.timestamp_s,
                    frame.frame_number,
                    text.strip(),
                    float(score),
                    (x, y, w, h),
                    float(contrast),
                    on_grid,
                )
            )
    return found


def _same(track: _Track, line: _Sighting) -> bool:
    last = track.last
    near = iou(last.box, line.box) >= _SAME_IOU or distance(last.box, line.box) < _SAME_CENTRE
    return near and (same_text(last.text, line.text) or same_text(track.best.text, line.text))


def _is_sure(best: _Sighting) -> bool:
    short = len(best.text) <= _SHORT_CHARACTERS
    return best.confidence > (_MIN_CONFIDENCE_SHORT if short else _MIN_CONFIDENCE)


def _annotation(name: str, track: _Track, category: str, cuts_s: Sequence[float], sampling: Sampling) -> TextAnnotation:
    best, first = track.best, track.sightings[0]
    start_s, end_s = interval(first.timestamp_s, track.last.timestamp_s, cuts_s, sampling)
    centre = best.box[1] + best.box[3] / 2
    return TextAnnotation(
        id=name,
        text=best.text,
        start_s=start_s,
        end_s=end_s,
        timestamp_s=first.timestamp_s,
        confidence=best.confidence,
        bbox=best.box,
        position="top" if centre < 1 / 3 else "bottom" if centre > 2 / 3 else "center",
        size="S" if best.box[3] < _SMALL_BELOW else "M" if best.box[3] < _MEDIUM_BELOW else "L",
        category=category,
        sightings=tuple(
            TextSighting(
                timestamp_s=seen.timestamp_s,
                frame_number=seen.frame_number,
                confidence=seen.confidence,
                bbox=seen.box,
                contrast=seen.contrast,
            )
            for seen in track.sightings
        ),
    )


def _watermarks(tracks: Sequence[_Track], grid_s: Sequence[float]) -> set[int]:
    """``id`` of every watermark: a platform's logo and the handle at it, or a text that stays in a corner."""
    found: set[int] = set()
    for track in tracks:
        if _PLATFORM.fullmatch(track.best.text):
            found.add(id(track))
            found |= {id(other) for other in tracks if _is_handle_at(other, track)}
    for track in tracks:
        if not _in_corner(track.best.box):
            continue
        # Small print is misread now and then, which breaks its track: the pieces count together.
        pieces = [
            t
            for t in tracks
            if distance(t.best.box, track.best.box) < _STILL and same_text(t.best.text, track.best.text)
        ]
        seen = {s.timestamp_s for piece in pieces for s in piece.sightings if s.on_grid}
        still = all(distance(s.box, track.best.box) < _STILL for piece in pieces for s in piece.sightings)
        if still and len(grid_s) >= _WATERMARK_FRAMES and len(seen) >= _WATERMARK_SHARE * len(grid_s):
            found |= {id(piece) for piece in pieces}
    return found


def _is_handle_at(track: _Track, logo: _Track) -> bool:
    if not track.best.text.startswith("@"):
        return False
    together = {s.timestamp_s for s in track.sightings} & {s.timestamp_s for s in logo.sightings}
    return bool(together) and distance(track.best.box, logo.best.box) < _NEAR_LOGO


def _in_corner(box: Box) -> bool:
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return min(x, 1 - x) <= _CORNER_X and min(y, 1 - y) <= _CORNER_Y


def _closeness(a: Box, b: Box) -> float:
    return iou(a, b) - distance(a, b)
