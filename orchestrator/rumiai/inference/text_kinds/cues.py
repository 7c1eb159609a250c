"""What is known of each text that tells an overlay from writing in the scene."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.services.ocr import TextAnnotation, TextSighting
from rumiai.contracts.services.whisper import Word
from rumiai.contracts.trail import Trail
from rumiai.core.arrays import Bools, Floats
from rumiai.core.boxes import Box
from rumiai.core.text import characters, same_text
from rumiai.inference.text_kinds.appearance import COLUMNS, FrameLooks
from rumiai.inference.text_kinds.arrival import constancy, suddenness
from rumiai.inference.text_kinds.motion import STEP_S, Motion, follow

# Texts followed through one gap between samples, the largest: a filmed screen has hundreds.
_MOST_FOLLOWED: Final = 16
# A text whose motion is known by so many full weights is followed no further.
_ENOUGH_MOTION: Final = 2.0
# How much motion makes the motion of a text sure, in full weights.
_SURE_MOTION: Final = 1.0
# A text is spoken when its words are said so long before or after it is on screen.
_SPOKEN_WITHIN_S: Final = 1.0
# Captions that follow each other in one style: equal to these shares of the frame, and of the height.
_SAME_PLACE: Final = 0.02
_SAME_HEIGHT: Final = 0.12
_SAME_COLOUR: Final = 0.15
_MOST_SUCCESSORS: Final = 3
_JITTER_S: Final = 0.01
# Frames on both sides of a cut that surely belong to its shots.
_BEFORE_CUT_S: Final = 0.06
_MOST_CUTS: Final = 4
# Doublings by which the heights of lines of one size differ at most: letters that reach below make a line higher.
_ABOUT_EQUAL: Final = 0.4
_UNKNOWN: Final = math.nan


@dataclass(frozen=True)
class Cues:
    """Of one text; NaN where a cue could not be measured.

    Attributes:
        stays_put: From -1, it moves along with its surroundings, to 1, it stays while they move.
        moves_alone: Share of the time in which it moves while its surroundings stand still.
        drift: How far its box moves from sample to sample, in heights of a line: the median.
        through_cuts: How much it stays the same at a cut at which its surroundings change, 0..1, at the best of its
            cuts; 0.0 without one.
        arrives: How suddenly it comes or goes while its surroundings stay, 0..1; the surer end.
        whole_shot: 1.0 when it begins and ends with a shot in a video of several, else 0.0.
        successors: Texts of other words that follow or precede it in its place, size and colour, at most 3.
        peers: log2 of the number of lines of about its height that are there at the same time, with its own.
        height: Of a line, as a share of the frame's height.
        spoken: Share of its words that are said while it is shown.
        ink_purity: How near the strokes are to full light, full dark or a full colour, 0..1.
        near_spread: Mean deviation of what is right beside the strokes.
        outline: How much the strokes' border stands out from what is behind the text, towards contrast.
        sharpness: The steepest step per pixel as a share of the contrast.
        slope: How far its baseline is from level, rise per unit of length.
        confidence: Of the surest reading.
        length: log2 of its characters.
    """

    stays_put: float
    moves_alone: float
    drift: float
    through_cuts: float
    arrives: float
    whole_shot: float
    successors: float
    peers: float
    height: float
    spoken: float
    ink_purity: float
    near_spread: float
    outline: float
    sharpness: float
    slope: float
    confidence: float
    length: float

    def known(self) -> dict[str, float]:
        """Cue -> value, of those that were measured."""
        values = {field.name: float(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in values.items() if not math.isnan(value)}


@dataclass(frozen=True)
class Scenery:
    """What the cues of all texts of a video are taken from.

    Attributes:
        looks: Number of each frame that was read -> how its lines look.
        trail: Small grey pictures of every frame.
        cuts_s: Ascending.
        words: What is said, by start; None where speech was not looked for.
        step_s: Of the sampling grid.
        duration_s: Of the video.
    """

    looks: Mapping[int, FrameLooks]
    trail: Trail
    cuts_s: Sequence[float]
    words: Sequence[Word] | None
    step_s: float
    duration_s: float


def cues_of(texts: Sequence[TextAnnotation], scenery: Scenery) -> list[Cues]:
    """The cues of each text.

    Args:
        texts: With their sightings.
        scenery: Of the same video.
    """
    if not texts:
        return []
    numbers = sorted(scenery.looks)
    motions = _motions(texts, scenery)
    styles = [_style(text, scenery, numbers) for text in texts]
    each = zip(texts, styles, _successors(texts, styles), motions, strict=True)
    return [_cues(text, style, successors, moved, scenery) for text, style, successors, moved in each]


def _cues(text: TextAnnotation, style: _Style, successors: int, motions: Sequence[Motion], scenery: Scenery) -> Cues:
    seen = _sightings(text)
    weight = sum(motion.weight for motion in motions)
    along = sum(motion.weight * motion.along for motion in motions) / weight if weight else 0.5
    return Cues(
        stays_put=(1 - 2 * along) * min(1.0, weight / _SURE_MOTION) if weight else _UNKNOWN,
        moves_alone=sum(motion.alone for motion in motions) / len(motions) if motions else _UNKNOWN,
        drift=_drift(seen, style.height, scenery.step_s),
        through_cuts=_through_cuts(seen, style.others, scenery),
        arrives=_arrives(text, style.others, scenery),
        whole_shot=_whole_shot(text, scenery),
        successors=float(successors),
        peers=style.peers,
        height=style.height,
        spoken=_spoken(text, scenery.words),
        confidence=text.confidence,
        length=math.log2(max(1, len(characters(text.text)))),
        **style.look,
    )


def _sightings(text: TextAnnotation) -> list[TextSighting]:
    """By time; one that stands for the whole where none were kept."""
    seen = sorted((s for s in text.sightings or () if s.bbox is not None), key=lambda s: s.timestamp_s)
    return seen or [TextSighting(timestamp_s=text.start_s, bbox=text.bbox)]


def _scene(scenery: Scenery, t_s: float) -> int:
    return bisect_right(scenery.cuts_s, t_s)


@dataclass(frozen=True)
class _Style:
    """What a text's lines look like: cues by name, colour, height of a line, beside others, and the other lines."""

    look: Mapping[str, float]
    colour: tuple[float, float, float]
    height: float
    peers: float
    others: tuple[Box, ...]


def _style(text: TextAnnotation, scenery: Scenery, numbers: Sequence[int]) -> _Style:
    rows, heights, peers = [], [], []
    others: tuple[Box, ...] = ()
    for seen in _sightings(text):
        frame = _frame(scenery, numbers, seen.frame_number)
        if frame is None or seen.bbox is None:
            continue
        mine = _within(frame.boxes, seen.bbox)
        rows += [frame.values[k] for k in np.flatnonzero(mine)]
        high = frame.boxes[:, 3].astype(np.float64)
        if mine.any():
            own = float(np.median(high[mine]))
            heights.append(own)
            peers.append(int((abs(np.log2(high / own)) < _ABOUT_EQUAL).sum()))
        others = tuple(_box(box) for box in frame.boxes[~mine])
    table = np.array(rows, np.float64).reshape(-1, len(COLUMNS))
    known = {name: _median(table[:, k]) for k, name in enumerate(COLUMNS)}
    return _Style(
        look={
            "ink_purity": max(abs(2 * known["ink_level"] - 1), _saturation(known)),
            "near_spread": known["near_spread"],
            "outline": known["outline"],
            "sharpness": known["sharpness"],
            "slope": abs(known["slope"]),
        },
        colour=(known["red"], known["green"], known["blue"]),
        height=float(np.median(heights)) if heights else text.bbox[3],
        peers=math.log2(float(np.median(peers))) if peers else 0.0,
        others=others,
    )


def _saturation(known: Mapping[str, float]) -> float:
    """Of a bright colour: 0.0 of a dark one, whose saturation is noise; NaN where there is no colour."""
    channels = (known["red"], known["green"], known["blue"])
    return max(channels) - min(channels)


def _frame(scenery: Scenery, numbers: Sequence[int], number: int | None) -> FrameLooks | None:
    """The looks of the frame whose reading was taken for this one: itself, or the last one before it."""
    at = bisect_right(numbers, -1 if number is None else number)
    return scenery.looks[numbers[at - 1]] if at else None


def _within(boxes: npt.NDArray[np.float32], box: Box) -> Bools:
    """(m,) which boxes have their middle in another."""
    x, y = boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3] / 2
    inside = (x >= box[0]) & (x <= box[0] + box[2]) & (y >= box[1]) & (y <= box[1] + box[3])
    return np.asarray(inside, np.bool_)


def _box(row: npt.NDArray[np.float32]) -> Box:
    x, y, w, h = (float(side) for side in row)
    return x, y, w, h


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else _UNKNOWN


def _motions(texts: Sequence[TextAnnotation], scenery: Scenery) -> list[list[Motion]]:
    """How each text moved, between each two of its sightings that follow each other within a scene."""
    gaps: dict[tuple[float, float], list[tuple[int, Box]]] = {}
    for i, text in enumerate(texts):
        seen = _sightings(text)
        # A text that was seen once is followed over the half step in which it is taken to be there.
        times = [s.timestamp_s for s in seen] if len(seen) > 1 else [seen[0].timestamp_s, text.end_s]
        for start_s, end_s, sighting in zip(times, times[1:], seen, strict=False):
            near = end_s - start_s <= 2 * scenery.step_s and _scene(scenery, start_s) == _scene(scenery, end_s)
            if near and sighting.bbox is not None:
                gaps.setdefault((start_s, end_s), []).append((i, sighting.bbox))
    found: list[list[Motion]] = [[] for _ in texts]
    for (start_s, end_s), all_there in sorted(gaps.items()):
        there = [item for item in all_there if sum(m.weight for m in found[item[0]]) < _ENOUGH_MOTION]
        if not there:
            continue
        there.sort(key=lambda item: -item[1][2] * item[1][3])
        chosen, rest = there[:_MOST_FOLLOWED], there[_MOST_FOLLOWED:]
        frames = _stepped(scenery.trail, start_s, end_s)
        for (i, _), motion in zip(chosen, follow(frames, [b for _, b in chosen], [b for _, b in rest]), strict=True):
            if motion is not None:
                found[i].append(motion)
    return found


def _stepped(trail: Trail, start_s: float, end_s: float) -> list[npt.NDArray[np.uint8]]:
    """Frames from the one shown at ``start_s`` to that at ``end_s``, a tenth of a second apart or more."""
    count = max(1, round((end_s - start_s) / STEP_S))
    frames = []
    for k in range(count + 1):
        at_s = start_s + (end_s - start_s) * k / count
        shown = trail.between(at_s, at_s)
        if len(shown):
            frames.append(shown.images[-1])
    return frames


def _through_cuts(seen: Sequence[TextSighting], others: Sequence[Box], scenery: Scenery) -> float:
    first_s, last_s, best = seen[0].timestamp_s, seen[-1].timestamp_s, 0.0
    for cut_s in [cut_s for cut_s in scenery.cuts_s if first_s < cut_s <= last_s][:_MOST_CUTS]:
        frames = scenery.trail.between(cut_s - _BEFORE_CUT_S, cut_s + _BEFORE_CUT_S).images
        box = min(seen, key=lambda s: abs(s.timestamp_s - cut_s)).bbox
        if len(frames) > 1 and box is not None:
            best = max(best, constancy(frames[0], frames[-1], box, others))
    return best


def _arrives(text: TextAnnotation, others: Sequence[Box], scenery: Scenery) -> float:
    """The surer of its coming and going; NaN when the video begins and ends with it, or cuts hide both."""
    seen = _sightings(text)
    first_s, last_s, step_s = seen[0].timestamp_s, seen[-1].timestamp_s, scenery.step_s
    found = []
    for start_s, end_s, box in ((first_s - step_s, first_s, seen[0].bbox), (last_s, last_s + step_s, seen[-1].bbox)):
        inside = start_s >= 0 and end_s <= scenery.duration_s and _scene(scenery, start_s) == _scene(scenery, end_s)
        if inside and box is not None:
            found.append(suddenness(scenery.trail.between(start_s, end_s).images.stacked(), box, others))
    known = [value for value in found if value is not None]
    return max(known) if known else _UNKNOWN


def _whole_shot(text: TextAnnotation, scenery: Scenery) -> float:
    seen = _sightings(text)
    edges = (0.0, *scenery.cuts_s, scenery.duration_s)
    begins = min(abs(seen[0].timestamp_s - edge) for edge in edges[:-1] if edge <= seen[0].timestamp_s + 1e-6)
    ends = min((abs(edge - seen[-1].timestamp_s) for edge in edges[1:] if edge >= seen[-1].timestamp_s), default=0.0)
    one_shot = _scene(scenery, seen[0].timestamp_s) == _scene(scenery, seen[-1].timestamp_s)
    return float(bool(scenery.cuts_s) and one_shot and begins < scenery.step_s and ends <= scenery.step_s)


def _drift(seen: Sequence[TextSighting], height: float, step_s: float) -> float:
    """How far the box moves from sample to sample, in heights of a line; NaN for a text that is seen once."""
    moves = [
        _moved(a.bbox, b.bbox)
        for a, b in pairwise(seen)
        if a.bbox is not None and b.bbox is not None and b.timestamp_s - a.timestamp_s <= 1.5 * step_s
    ]
    return float(np.median(moves)) / height if moves else _UNKNOWN


def _moved(a: Box, b: Box) -> float:
    """By how much the side that moved least did: a text that is typed grows at one end."""
    across = [abs(a[0] - b[0]), abs(a[0] + a[2] / 2 - b[0] - b[2] / 2), abs(a[0] + a[2] - b[0] - b[2])]
    along = [abs(a[1] - b[1]), abs(a[1] + a[3] / 2 - b[1] - b[3] / 2), abs(a[1] + a[3] - b[1] - b[3])]
    return max(min(across), min(along))


def _successors(texts: Sequence[TextAnnotation], styles: Sequence[_Style]) -> list[int]:
    """How many texts each is followed or preceded by in its place and style that say other things, at most 3."""
    boxes = np.array([text.bbox for text in texts], np.float64)
    times = np.array([(text.start_s, text.end_s) for text in texts], np.float64)
    x, y = boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3] / 2
    heights = np.array([style.height for style in styles])
    colours = np.nan_to_num(np.array([style.colour for style in styles], np.float64))
    counts = []
    for i, text in enumerate(texts):
        apart = (times[:, 1] <= times[i, 0] + _JITTER_S) | (times[:, 0] >= times[i, 1] - _JITTER_S)
        aligned = (abs(x - x[i]) < _SAME_PLACE) | (abs(boxes[:, 0] - boxes[i, 0]) < _SAME_PLACE / 2)
        sized = abs(heights - heights[i]) < _SAME_HEIGHT * np.maximum(heights, heights[i])
        coloured = np.linalg.norm(colours - colours[i], axis=1) < _SAME_COLOUR
        near = np.flatnonzero(apart & aligned & (abs(y - y[i]) < _SAME_PLACE) & sized & coloured)
        others = {characters(texts[k].text) for k in near.tolist() if not same_text(texts[k].text, text.text)}
        counts.append(min(_MOST_SUCCESSORS, len(others)))
    return counts


def _spoken(text: TextAnnotation, words: Sequence[Word] | None) -> float:
    """Share of its words that are said while it is shown; NaN where nothing is said in the video."""
    mine = [word for word in (characters(part) for part in text.text.split()) if word]
    if not words or not mine:
        return _UNKNOWN
    start_s, end_s = text.start_s - _SPOKEN_WITHIN_S, text.end_s + _SPOKEN_WITHIN_S
    said = {characters(word.word) for word in words if word.end_s >= start_s and word.start_s <= end_s}
    return sum(word in said for word in mine) / len(mine)
