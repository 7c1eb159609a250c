"""Writing that was seen on single frames and not read, linked over time into one record per appearance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rumiai.contracts.frames import FrameTexts, Sampling
from rumiai.contracts.services.ocr import TextAnnotation, UnreadText
from rumiai.core.boxes import Box, iou, overlap_of_smaller
from rumiai.inference.sampled_times import interval

# When regions of two frames are one.
_SAME_IOU = 0.3
# Share of the smaller of two boxes from which an unread region and a text are one line.
_ONE_LINE = 0.6
# A region may be missing on one sampled frame: what flickers is still one.
_MAX_STEPS = 2.5


@dataclass(frozen=True)
class _Seen:
    timestamp_s: float
    box: Box
    script: str
    score: float


def link_unread(
    frames: Sequence[FrameTexts], texts: Sequence[TextAnnotation], cuts_s: Sequence[float], sampling: Sampling
) -> tuple[UnreadText, ...]:
    """Link the unread regions of frames into appearances, by start.

    A line that is read on some frames and not on others is a text: where one stands at the same place for at least as
    many sightings, the region is left out.

    Args:
        frames: Every frame, in order of time.
        texts: What was read.
        cuts_s: Times of the cuts, ascending.
        sampling: The grid.
    """
    tracks: list[list[_Seen]] = []
    for frame in frames:
        fresh: list[list[_Seen]] = []
        alive = [t for t in tracks if frame.timestamp_s - t[-1].timestamp_s <= _MAX_STEPS * sampling.step_s]
        for seen in _regions(frame):
            track = max(alive, key=lambda t, seen=seen: iou(t[-1].box, seen.box), default=None)  # type: ignore[misc]
            if track is None or iou(track[-1].box, seen.box) < _SAME_IOU:
                fresh.append([seen])
            else:
                track.append(seen)
                alive.remove(track)
        tracks += fresh
    records = (_record(track, cuts_s, sampling) for track in tracks if not _is_read(track, texts))
    return tuple(sorted(records, key=lambda record: (record.start_s, record.bbox[1], record.bbox[0])))


def _regions(frame: FrameTexts) -> Iterator[_Seen]:
    for box, script, score in zip(frame.unread.boxes, frame.unread.scripts, frame.unread.scores, strict=True):
        x, y, w, h = (float(side) for side in box)
        yield _Seen(frame.timestamp_s, (x, y, w, h), script, float(score))


def _is_read(track: Sequence[_Seen], texts: Sequence[TextAnnotation]) -> bool:
    """Whether a text is seen where the region is, at that time, and as often."""
    begin_s, end_s, box = track[0].timestamp_s, track[-1].timestamp_s, track[0].box
    return any(
        text.start_s <= end_s
        and text.end_s >= begin_s
        and len(text.sightings or ()) >= len(track)
        and overlap_of_smaller(text.bbox, box) >= _ONE_LINE
        for text in texts
    )


def _record(track: Sequence[_Seen], cuts_s: Sequence[float], sampling: Sampling) -> UnreadText:
    votes: Counter[str] = Counter()
    for seen in track:
        votes[seen.script] += seen.score  # type: ignore[assignment]
    script, score = votes.most_common(1)[0]
    start_s, end_s = interval(track[0].timestamp_s, track[-1].timestamp_s, cuts_s, sampling)
    return UnreadText(
        start_s=start_s,
        end_s=end_s,
        bbox=track[0].box,
        script_guess=script,
        script_score=min(score / len(track), 1.0),
    )
