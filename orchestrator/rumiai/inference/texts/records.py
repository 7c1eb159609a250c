"""All texts of a video: the records of its captions, of other writing and of its watermarks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from rumiai.contracts.frames import FrameTexts, Sampling
from rumiai.contracts.services.ocr import WATERMARK, CaptionLine, CaptionWord, TextAnnotation, TextSighting, position_of
from rumiai.contracts.trail import Trail
from rumiai.core.boxes import Box, union
from rumiai.core.text import characters
from rumiai.inference.texts.categories import category_of
from rumiai.inference.texts.grouping import Group, group_lines
from rumiai.inference.texts.growth import TextLine, text_lines
from rumiai.inference.texts.lines import Line, moments_of
from rumiai.inference.texts.pictures import Pictures
from rumiai.inference.texts.spans import find_spans
from rumiai.inference.texts.tracks import link
from rumiai.inference.texts.voting import Reading, vote
from rumiai.inference.texts.watermarks import watermarks

# A text is reported when its best reading is surer than the first, or than the second if it is short.
_MIN_CONFIDENCE: Final = 0.5
_MIN_CONFIDENCE_SHORT: Final = 0.7
_SHORT_CHARACTERS: Final = 2
# Shares of the frame's height between small, medium and large text.
_SMALL_BELOW: Final = 0.025
_MEDIUM_BELOW: Final = 0.05


@dataclass(frozen=True)
class TextSummary:
    """Texts of a video.

    Attributes:
        annotations: One for each appearance of a caption, by start.
        regions_detected: Lines on all frames that were read, however sure.
        best_confidence: The surest of them; None when there is none.
        unique_texts: Different texts, watermarks left out.
    """

    annotations: tuple[TextAnnotation, ...]
    regions_detected: int
    best_confidence: float | None
    unique_texts: int


@dataclass(frozen=True)
class _Caption:
    """What becomes a record."""

    reading: Reading
    lines: tuple[tuple[str, Box], ...]
    start_s: float
    end_s: float
    sightings: tuple[TextSighting, ...]
    box: Box
    words: tuple[CaptionWord, ...] = ()
    is_watermark: bool = False


def link_texts(
    sampled: Sequence[FrameTexts],
    after_cuts: Sequence[FrameTexts],
    cuts_s: Sequence[float],
    sampling: Sampling,
    trail: Trail | None = None,
) -> TextSummary:
    """Put the lines of all frames together.

    Args:
        sampled: Every frame of the sampling grid, in order of time.
        after_cuts: The extra frames, the first of their shots, in order of time.
        cuts_s: Times of the cuts, ascending.
        sampling: The grid.
        trail: Small pictures of every frame; without them times are right to half a step, and alike readings are one
            text.
    """
    pictures, aspect = Pictures(trail), sampling.width / sampling.height
    moments = moments_of(sampled, after_cuts)
    tracks = [track for track in link(moments, pictures) if _is_sure(Reading(track.best.text, track.best.confidence))]
    find_spans(tracks, pictures, cuts_s, sampling)
    lines = text_lines(tracks, pictures, aspect)
    marks = watermarks(lines, moments)
    marked = {id(line) for mark in marks for line in mark}
    captions = [_watermark(mark) for mark in marks]
    captions += [_caption(group) for group in group_lines([x for x in lines if id(x) not in marked], aspect)]
    captions.sort(key=lambda caption: (caption.start_s, caption.box[1], caption.box[0], caption.reading.text))
    annotations = tuple(_annotation(f"text_{i}", caption) for i, caption in enumerate(captions, start=1))
    scores = [float(score) for f in (*sampled, *after_cuts) if f.origin == "read" for score in f.scores]
    counted = {characters(item.text) for item in annotations if not item.is_watermark}
    return TextSummary(annotations, len(scores), max(scores, default=None), len(counted))


def _is_sure(reading: Reading) -> bool:
    short = len(reading.text) <= _SHORT_CHARACTERS
    return reading.confidence > (_MIN_CONFIDENCE_SHORT if short else _MIN_CONFIDENCE)


def _caption(group: Group) -> _Caption:
    rows = tuple((" ".join(line.reading.text for line in row), union(line.box for line in row)) for row in group.rows)
    return _Caption(
        reading=Reading(group.text, _weighted(group.lines)),
        lines=rows,
        start_s=group.start_s,
        end_s=group.end_s,
        sightings=_sightings(group.lines),
        box=union(box for _, box in rows),
        words=tuple(CaptionWord(text=word.text, start_s=word.start_s) for word in group.words),
    )


def _watermark(mark: Sequence[TextLine]) -> _Caption:
    """One record for a mark wherever it goes."""
    seen = [line for piece in mark for line in piece.whole.lines]
    best = max(seen, key=lambda line: line.confidence)
    return _Caption(
        reading=vote(seen),
        lines=((vote(seen).text, best.box),),
        start_s=min(piece.start_s for piece in mark),
        end_s=max(piece.end_s for piece in mark),
        sightings=_sightings(mark),
        box=best.box,
        is_watermark=True,
    )


def _weighted(lines: Sequence[TextLine]) -> float:
    """Mean confidence, each line by its length."""
    lengths = [len(line.reading.text) for line in lines]
    weighed = zip(lines, lengths, strict=True)
    return min(sum(line.reading.confidence * length for line, length in weighed) / sum(lengths), 1.0)


def _sightings(lines: Sequence[TextLine]) -> tuple[TextSighting, ...]:
    """What was seen of all lines on each frame: the box around them, mean confidence and contrast."""
    frames: dict[int, list[Line]] = defaultdict(list)
    for seen in (seen for line in lines for track in line.stages for seen in track.lines):
        frames[seen.frame_number].append(seen)
    return tuple(
        TextSighting(
            timestamp_s=together[0].timestamp_s,
            frame_number=number,
            confidence=fmean(seen.confidence for seen in together),
            bbox=union(seen.box for seen in together),
            contrast=fmean(seen.contrast for seen in together),
        )
        for number, together in sorted(frames.items(), key=lambda item: item[1][0].timestamp_s)
    )


def _annotation(name: str, caption: _Caption) -> TextAnnotation:
    text, height = caption.reading.text, median(box[3] for _, box in caption.lines)
    annotation = TextAnnotation(
        id=name,
        text=text,
        start_s=caption.start_s,
        end_s=caption.end_s,
        timestamp_s=caption.sightings[0].timestamp_s,
        confidence=caption.reading.confidence,
        bbox=caption.box,
        position=position_of(caption.box),
        size="S" if height < _SMALL_BELOW else "M" if height < _MEDIUM_BELOW else "L",
        category=WATERMARK if caption.is_watermark else category_of(text, caption.box),
        lines=tuple(CaptionLine(text=line, bbox=box) for line, box in caption.lines),
        sightings=caption.sightings,
    )
    return annotation.model_copy(update={"words": caption.words}) if caption.words else annotation
