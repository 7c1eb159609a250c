"""Takes out of a transcript what a Whisper decoder stuck in a loop has written.

A run of the same words, letters or segments (:mod:`rumiai.core.repeats`) stays as it is where the sound shows it. Any
other is written once, and the time of its repeats is lost: something was said there, and nobody knows what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.contracts.services.whisper import Repetition, Segment, Word
from rumiai.core.arrays import freeze_arrays
from rumiai.core.repeats import (
    MAX_UNIT_WORDS,
    Heard,
    Run,
    Uttered,
    find_runs,
    is_spoken,
    only_run,
    plain,
    repeats_heard,
)
from rumiai.core.text import joined

MAX_UNIT_SEGMENTS: Final = 3

# Start and end, in seconds.
Stretch = tuple[float, float]


@dataclass(frozen=True)
class Sound:
    """What a transcript was heard in.

    Attributes:
        samples: (samples,) float32, mono.
        rate_hz: Of the samples.
        offset_s: Where the first one stands on the clock of the transcript.
    """

    samples: npt.NDArray[np.float32]
    rate_hz: int
    offset_s: float = 0.0

    def __post_init__(self) -> None:
        freeze_arrays(self, samples=(np.float32, "samples"))

    def repeats(self, starts_s: Sequence[float], end_s: float) -> bool:
        """Whether something is said again at each of these instants, the last time until ``end_s``."""
        starts = [start_s - self.offset_s for start_s in starts_s]
        return is_spoken(starts, end_s - self.offset_s, self.samples, self.rate_hz)

    def count(self, stretch: Stretch) -> Heard | None:
        """How often the same is said in a stretch in which nothing else is said; None where it is not so."""
        first, after = (max(0, round((edge_s - self.offset_s) * self.rate_hz)) for edge_s in stretch)
        found = repeats_heard(self.samples[first:after], self.rate_hz)
        begin_s = first / self.rate_hz + self.offset_s
        return found and Heard(found.count, found.start_s + begin_s, found.end_s + begin_s)


@dataclass(frozen=True)
class Collapsed:
    """A segment without its loops.

    Attributes:
        segment: What is left.
        repetitions: What was taken out.
        lost: When.
        share: Units left by units that stood there, 0..1.
    """

    segment: Segment
    repetitions: tuple[Repetition, ...] = ()
    lost: tuple[Stretch, ...] = ()
    share: float = 1.0


def collapse_words(segment: Segment, sound: Sound | None = None) -> Collapsed:
    """Write each run of words that the sound does not show once, in ``text`` and ``words``.

    Without ``sound`` no run is taken for spoken.
    """
    words = segment.words or ()
    units = [word.word for word in words] or segment.text.split()
    if len(units) == 1:
        units = list(segment.text)
    timed = words if len(words) == len(units) else ()
    joint = " " if " " in segment.text else ""
    found = find_runs([plain(unit) for unit in units], MAX_UNIT_WORDS, joint)
    runs = [run for run in found if not _spoken(run, timed, sound)]
    if not runs:
        return Collapsed(segment)
    dropped = {i for run in runs for i in range(run.start + run.size, run.stop)}
    text = _without(segment.text, units, runs)
    return Collapsed(
        segment.model_copy(update={"text": text, "words": _kept_words(words, timed, dropped, text)}),
        tuple(_repetition(run, units, timed, segment, joint) for run in runs),
        tuple(_lost(run, timed, segment) for run in runs),
        1 - len(dropped) / len(units),
    )


def recounted(segment: Segment, stretch: Stretch, sound: Sound) -> Segment | None:
    """A segment that says one thing over and over, as often as the sound does.

    Args:
        segment: With timed words.
        stretch: What was heard with it, and nothing else.
        sound: It.

    Returns:
        The segment with the repeats that are heard, evenly spread; None where the sound does not repeat itself, or more
        than one thing is said.
    """
    words = segment.words or ()
    run = only_run([Uttered(word.word, word.start_s, word.end_s) for word in words])
    heard = sound.count(stretch) if run else None
    if run is None or heard is None:
        return None
    count = heard.count
    unit = words[run.start : run.start + run.size]
    edges = np.linspace(heard.start_s, heard.end_s, count * run.size + 1).round(3).tolist()
    spread = tuple(
        unit[i % run.size].model_copy(update={"start_s": edges[i], "end_s": edges[i + 1]})
        for i in range(count * run.size)
    )
    ends = _ends(segment.text, [word.word for word in words])
    # The last repeat with what stands before it: a blank, where the script has one.
    first, again, after = (ends[run.start + run.size * k - 1] for k in (1, 2, run.count))
    text = segment.text[:first] + segment.text[first:again] * (count - 1) + segment.text[after:]
    said = (*words[: run.start], *spread, *words[run.stop :])
    start_s, end_s = said[0].start_s, max(said[-1].end_s, heard.end_s)
    return segment.model_copy(update={"text": text, "words": said, "start_s": start_s, "end_s": end_s})


def _kept_words(words: tuple[Word, ...], timed: tuple[Word, ...], dropped: set[int], text: str) -> tuple[Word, ...]:
    if timed:
        return tuple(word for i, word in enumerate(timed) if i not in dropped)
    # One word that was split into letters.
    return (words[0].model_copy(update={"word": text}),) if words else ()


def _spoken(run: Run, timed: Sequence[Word], sound: Sound | None) -> bool:
    if sound is None or not timed:
        return False
    return sound.repeats([timed[i].start_s for i in range(run.start, run.stop, run.size)], timed[run.stop - 1].end_s)


def _lost(run: Run, timed: Sequence[Word], segment: Segment) -> Stretch:
    """From the first repeat on; to the end of the segment where nothing follows, since loops are badly timed."""
    start_s = timed[run.start + run.size].start_s if timed else segment.start_s
    end_s = timed[run.stop].start_s if run.stop < len(timed) else segment.end_s
    return start_s, end_s


def _repetition(run: Run, units: Sequence[str], timed: Sequence[Word], segment: Segment, joint: str) -> Repetition:
    return Repetition(
        scope="words",
        text=joint.join(units[run.start : run.start + run.size]),
        count=run.count,
        start_s=timed[run.start].start_s if timed else segment.start_s,
        end_s=timed[run.stop - 1].end_s if timed else segment.end_s,
    )


def _without(text: str, units: Sequence[str], runs: Sequence[Run]) -> str:
    """A text without the repeats of its runs; what stays is spelled as it was."""
    ends = _ends(text, units)
    for run in reversed(runs):
        text = text[: ends[run.start + run.size - 1]] + text[ends[run.stop - 1] :]
    return text.strip()


def _ends(text: str, units: Sequence[str]) -> list[int]:
    """Where each unit ends in the text that they make up."""
    ends = [0]
    for unit in units:
        found = text.find(unit, ends[-1])
        ends.append(found + len(unit) if found >= 0 else ends[-1])
    return ends[1:]


def collapse_segments(
    segments: Sequence[Segment], sound: Sound | None = None
) -> tuple[list[Segment], list[Repetition], list[Stretch]]:
    """Keep the first of segments that repeat each other and are not spoken again.

    Returns:
        Those kept, what was taken out, and when.
    """
    runs = [
        run
        for run in find_runs([plain(segment.text) for segment in segments], MAX_UNIT_SEGMENTS)
        if not (sound and _said_again(run, segments, sound))
    ]
    dropped = {i for run in runs for i in range(run.start + run.size, run.stop)}
    records = [
        Repetition(
            scope="segments",
            text=joined(segment.text for segment in segments[run.start : run.start + run.size]),
            count=run.count,
            start_s=segments[run.start].start_s,
            end_s=segments[run.stop - 1].end_s,
        )
        for run in runs
    ]
    lost = [(segments[run.start + run.size].start_s, segments[run.stop - 1].end_s) for run in runs]
    return [segment for i, segment in enumerate(segments) if i not in dropped], records, lost


def _said_again(run: Run, segments: Sequence[Segment], sound: Sound) -> bool:
    starts = [segments[i].start_s for i in range(run.start, run.stop, run.size)]
    return sound.repeats(starts, segments[run.stop - 1].end_s)
