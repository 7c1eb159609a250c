"""Finds the repetitions that a Whisper decoder writes when it is stuck in a loop.

A run repeats the same words, letters or segments at least three times and compresses by more than 2.4, which is
openai-whisper's own threshold.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.contracts.services.whisper import Repetition, Segment

REPEATED_COMPRESSION: Final = 2.4
MIN_REPEATS: Final = 3
# The longest unit that is looked for in a run: a sentence of Whisper's is seldom longer.
MAX_UNIT_WORDS: Final = 20
MAX_UNIT_SEGMENTS: Final = 3


@dataclass(frozen=True)
class _Run:
    """``count`` times the same ``size`` units from unit ``start`` on."""

    start: int
    size: int
    count: int

    @property
    def stop(self) -> int:
        return self.start + self.size * self.count


def _stuck(units: Sequence[str], joint: str) -> bool:
    raw = joint.join(units).encode()
    return len(raw) > REPEATED_COMPRESSION * len(zlib.compress(raw))


def find_runs(units: Sequence[str], longest: int, joint: str = " ") -> list[_Run]:
    """Find runs that repeat up to ``longest`` units as a decoder stuck in a loop does.

    Runs do not overlap. Of the runs that begin at one unit the longest counts; of equally long ones, that which repeats
    the fewest units.
    """
    runs: list[_Run] = []
    at = 0
    while at < len(units):
        best: _Run | None = None
        for size in range(1, min(longest, (len(units) - at) // MIN_REPEATS) + 1):
            count = 1
            unit = units[at : at + size]
            while units[at + count * size : at + (count + 1) * size] == unit:
                count += 1
            run = _Run(at, size, count)
            if count >= MIN_REPEATS and (best is None or run.stop > best.stop):
                best = run
        if best and _stuck(units[best.start : best.stop], joint):
            runs.append(best)
            at = best.stop
        else:
            at += 1
    return runs


def _kept(total: int, runs: Sequence[_Run]) -> list[int]:
    dropped = {i for run in runs for i in range(run.start + run.size, run.stop)}
    return [i for i in range(total) if i not in dropped]


def _plain(text: str) -> str:
    return text.casefold().strip(" .,!?;:\"'…")


def collapse_words(segment: Segment) -> tuple[Segment, list[Repetition]]:
    """Write each run of words once, in ``text`` and ``words``; returns the segment and what was taken out."""
    timed = segment.words or ()
    words = [word.word for word in timed] or segment.text.split()
    joint = " " if " " in segment.text else ""
    if len(words) == 1:
        words = list(segment.text)
    runs = find_runs([_plain(word) or word for word in words], MAX_UNIT_WORDS, joint)
    if not runs:
        return segment, []
    each_timed = len(timed) == len(words)
    records = [
        Repetition(
            scope="words",
            text=joint.join(words[run.start : run.start + run.size]),
            count=run.count,
            start_s=timed[run.start].start_s if each_timed else segment.start_s,
            end_s=timed[run.stop - 1].end_s if each_timed else segment.end_s,
        )
        for run in runs
    ]
    keep = _kept(len(words), runs)
    text = joint.join(words[i] for i in keep)
    kept = tuple(timed[i] for i in keep) if each_timed else timed
    if timed and not each_timed:
        kept = (timed[0].model_copy(update={"word": text}),)
    return segment.model_copy(update={"text": text, "words": kept}), records


def collapse_segments(segments: Sequence[Segment]) -> tuple[list[Segment], list[Repetition]]:
    """Keep the first of segments that repeat each other; returns those kept and what was taken out."""
    runs = find_runs([_plain(segment.text) for segment in segments], MAX_UNIT_SEGMENTS)
    records = [
        Repetition(
            scope="segments",
            text=" ".join(segment.text for segment in segments[run.start : run.start + run.size]),
            count=run.count,
            start_s=segments[run.start].start_s,
            end_s=segments[run.stop - 1].end_s,
        )
        for run in runs
    ]
    return [segments[i] for i in _kept(len(segments), runs)], records
