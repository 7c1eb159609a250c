"""When each service looked: only that time is measured; what lies outside is unknown, not empty.

A sampled instant stands for the sampling step that begins with it. A bin or window counts as observed when at least
half of it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rumiai.contracts.services.base import ServiceData, Stretches
from rumiai.core.arrays import Bools, Floats, Ints, freeze_arrays
from rumiai.core.intervals import as_intervals, complement, inside, intersect, length, overlap_s, union

_ENOUGH: Final = 0.5  # share of a bin that was looked at
_EPSILON_S: Final = 1e-9
# A frame's own time is up to half a step off its place on the grid. So neighbours lie less than two steps apart, and
# the last one at most one and a half before the end; exactly two apart, one between them was missed.
_NEXT: Final = 2 - 1e-6
_LAST: Final = 1.5


@dataclass(frozen=True)
class Observed:
    """The time that a service looked at.

    Attributes:
        spans_s: ``(n, 2)`` union of the stretches, seconds, within the video; ``(0, 2)`` when it looked at nothing.
        duration_s: Length of the video.
        instants_s: ``(k,)`` the sampled instants, ascending; None for a service that looks at whole stretches.
    """

    spans_s: Floats
    duration_s: float
    instants_s: Floats | None = None

    def __post_init__(self) -> None:
        freeze_arrays(self, spans_s=(np.float64, "n", 2), instants_s=(np.float64, "k"))

    @property
    def stretches(self) -> Stretches:
        """The spans as ``(start, end)`` pairs in seconds."""
        return tuple((float(start), float(end)) for start, end in self.spans_s)

    @property
    def seconds(self) -> float:
        """Seconds that were looked at; rates divide by them. 0 when nothing was."""
        return length(self.spans_s)

    @property
    def share(self) -> float:
        """Share of the video that was looked at, 0..1."""
        return min(1.0, self.seconds / self.duration_s)

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the video was missed."""
        return self.seconds >= self.duration_s - _EPSILON_S

    @property
    def until_s(self) -> float:
        """End of the last stretch, seconds; 0 when nothing was looked at."""
        return float(self.spans_s[-1, 1]) if len(self.spans_s) else 0.0

    def without(self, spans_s: Floats) -> Observed:
        """The same look less a union of ``(n, 2)`` stretches, in seconds, in which nothing could be made out."""
        return replace(self, spans_s=intersect(self.spans_s, complement(spans_s, self.duration_s)))

    def windows(self, edges_s: Floats) -> Bools:
        """Which windows were looked at for at least half of their time.

        Args:
            edges_s: ``(w + 1,)`` edges in seconds, ascending.

        Returns:
            ``(w,)`` flags.
        """
        seen_s = overlap_s(self.spans_s, edges_s[:-1], edges_s[1:])
        return np.asarray(seen_s >= _ENOUGH * np.diff(edges_s) - _EPSILON_S)

    def rates(self, edges_s: Floats, amounts: Floats | Ints) -> Floats | None:
        """Amount per second that was looked at, of each window: halves and thirds are compared by it.

        Args:
            edges_s: ``(w + 1,)`` edges in seconds, ascending.
            amounts: ``(w,)`` what was found in each.

        Returns:
            ``(w,)``; None when any window was looked at for less than half of its time, as then there is nothing to
            compare.
        """
        if not self.windows(edges_s).all():
            return None
        rates: Floats = amounts / overlap_s(self.spans_s, edges_s[:-1], edges_s[1:])
        return rates

    def around(self, starts_s: Floats, ends_s: Floats, margin_s: float) -> Bools:
        """``(n,)`` whether at least half of each of ``(n,)`` intervals, widened by a margin, was looked at."""
        starts, ends = np.maximum(starts_s - margin_s, 0.0), np.minimum(ends_s + margin_s, self.duration_s)
        return np.asarray(overlap_s(self.spans_s, starts, ends) >= _ENOUGH * (ends - starts) - _EPSILON_S)

    def at(self, times_s: Floats) -> Bools:
        """``(n,)`` whether each of ``(n,)`` instants, in seconds, was looked at."""
        return inside(self.spans_s, np.minimum(times_s, self.duration_s - _EPSILON_S))


def observed_of(data: ServiceData, duration_s: float) -> Observed:
    """When a service looked and could make something out.

    Args:
        data: Its data. An instant with a find was looked at whatever the data says; where it says nothing, only those
            are known to have been.
        duration_s: Length of the video, seconds.
    """
    given = data.observed or ()
    if given and isinstance(given[0], tuple):
        looked = Observed(union(given, until_s=duration_s), duration_s)
    else:
        looked = of_instants([*given, *data.found_at_s], data.metadata.step_s or None, duration_s)
    return looked.without(union(data.unclear, until_s=duration_s)) if data.unclear else looked


def of_instants(instants_s: Iterable[float], step_s: float | None, duration_s: float) -> Observed:
    """The time that sampled instants stand for.

    Args:
        instants_s: Seconds, in any order.
        step_s: Sampling step; None takes the closest two for one step apart, and the video for a lone one.
        duration_s: Length of the video, seconds.

    Returns:
        Each instant stands for one step. Instants of a grid follow each other without gaps, whatever the exact times of
        their frames.
    """
    times = np.unique(np.asarray(list(instants_s), dtype=np.float64))
    if not times.size:
        return Observed(as_intervals([]), duration_s, times)
    gaps = np.diff(times)
    step = step_s or (float(gaps.min()) if gaps.size else duration_s)
    ends = times + step
    ends[:-1] = np.where(gaps <= _NEXT * step, times[1:], ends[:-1])
    starts = times.copy()
    starts[0] = 0.0 if times[0] < step else times[0]
    # The last instant of a whole grid lies less than a step before the end.
    ends[-1] = duration_s if duration_s - times[-1] <= _LAST * step else ends[-1]
    return Observed(union(np.stack([starts, ends], axis=1), until_s=duration_s), duration_s, times)


def whole(duration_s: float) -> Observed:
    """A look at the whole video of ``duration_s`` seconds."""
    return Observed(as_intervals([(0.0, duration_s)]), duration_s)
