"""One-second bins, windows and their labels.

Bin i is ``[i, min(i + 1, D))``; a last bin shorter than 0.25 s is merged into the one before. Elements with an interval
are active in each bin that they overlap by at least 0.1 s; a shorter one in the bin of its start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Floats, Ints

_SHORTEST_LAST_BIN_S: Final = 0.25
_ACTIVE_OVERLAP_S: Final = 0.1
_EPSILON_S: Final = 1e-9  # sums of binary fractions miss a threshold by less


def span(start_s: float, end_s: float) -> str:
    """Label of a stretch of time: ``"a-bs"``, the form of every span in the blocks.

    Args:
        start_s: Start, seconds.
        end_s: End, seconds.

    Returns:
        Both ends in seconds, rounded to one decimal; a decimal of 0 is left out: ``"0-2.5s"``.
    """
    return f"{_short(start_s)}-{_short(end_s)}s"


def _short(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class Bins:
    """The one-second bins of a video of ``duration_s`` seconds."""

    duration_s: float

    @cached_property
    def count(self) -> int:
        """Number of bins: ceil(D) for D seconds, one less where the last would be shorter than 0.25 s; at least 1."""
        whole = max(1, math.ceil(self.duration_s))
        return whole - 1 if whole > 1 and self.duration_s - (whole - 1) < _SHORTEST_LAST_BIN_S else whole

    @cached_property
    def edges_s(self) -> Floats:
        """``(count + 1,)`` ends of the bins in seconds, from 0; whole seconds but the last, which is the duration."""
        edges = np.arange(self.count + 1, dtype=np.float64)
        edges[-1] = self.duration_s
        return edges

    @property
    def last_length_s(self) -> float:
        """Length of the last bin in seconds: from 0.25 s to below 1.25 s, as a shorter rest is merged into it.

        A video below 0.25 s has one bin of its own length.
        """
        return self.duration_s - (self.count - 1)

    def label(self, index: int) -> str:
        """Label of a bin: ``"i-(i+1)s"``, whole seconds also where the last bin is shorter or longer.

        Args:
            index: Index of the bin.

        Returns:
            The label; ``"0-1s"`` for the first bin.
        """
        return f"{index}-{index + 1}s"

    def index(self, times_s: npt.ArrayLike) -> Ints:
        """Bin of each instant.

        Args:
            times_s: Instants of any shape, seconds.

        Returns:
            Indices of the same shape, within the bins; the end of the video belongs to the last one.
        """
        return np.clip(np.floor(np.asarray(times_s, dtype=np.float64)), 0, self.count - 1).astype(np.int64)

    def label_at(self, time_s: float) -> str:
        """Label of the bin that holds an instant.

        Args:
            time_s: The instant, seconds.

        Returns:
            As :meth:`label`; instants beyond the ends belong to the first and the last bin.
        """
        return self.label(int(self.index(time_s)))

    def onsets(self, times_s: npt.ArrayLike) -> Ints:
        """How many of the instants lie in each bin; they are not scaled to the length of the bin (:meth:`per_second`).

        Args:
            times_s: ``(n,)`` instants, seconds; those beyond the ends count in the first and the last bin.

        Returns:
            ``(count,)`` numbers; zeros without instants.
        """
        return np.bincount(self.index(times_s), minlength=self.count)

    def per_second(self, onsets: npt.ArrayLike) -> Floats:
        """Onset counts on the scale of whole bins: a last bin shorter than 1 s is divided by its length.

        Args:
            onsets: ``(count,)`` onsets of each bin.

        Returns:
            ``(count,)`` onsets per second.
        """
        scaled = np.array(onsets, dtype=np.float64)
        if self.last_length_s < 1.0:
            scaled[-1] /= self.last_length_s
        return scaled

    def active_range(self, starts_s: npt.ArrayLike, ends_s: npt.ArrayLike) -> tuple[Ints, Ints]:
        """First and last bin (inclusive) in which each interval is active.

        Args:
            starts_s: ``(n,)`` starts, seconds.
            ends_s: ``(n,)`` ends.

        Returns:
            ``(n,)`` first and ``(n,)`` last bin; both the bin of the start for an interval that overlaps no bin by
            0.1 s.
        """
        starts, ends = np.asarray(starts_s, dtype=np.float64), np.asarray(ends_s, dtype=np.float64)
        own, last = self.index(starts), self.index(ends)
        enough = _ACTIVE_OVERLAP_S - _EPSILON_S
        first = np.where(np.minimum(ends, self.edges_s[own + 1]) - starts < enough, own + 1, own)
        last = np.where(ends - np.maximum(starts, self.edges_s[last]) < enough, last - 1, last)
        nowhere = last < first
        return np.where(nowhere, own, first), np.where(nowhere, own, last)

    def active(self, starts_s: npt.ArrayLike, ends_s: npt.ArrayLike) -> Ints:
        """How many of the intervals are active in each bin.

        Args:
            starts_s: ``(n,)`` starts, seconds.
            ends_s: ``(n,)`` ends.

        Returns:
            ``(count,)`` numbers; zeros without intervals.
        """
        first, last = self.active_range(starts_s, ends_s)
        steps = np.zeros(self.count + 1, dtype=np.int64)
        np.add.at(steps, first, 1)
        np.add.at(steps, last + 1, -1)
        return np.cumsum(steps)[:-1]

    def means(self, times_s: npt.ArrayLike, values: npt.ArrayLike) -> Floats:
        """Mean of the values sampled in each bin.

        Args:
            times_s: ``(n,)`` instants of the samples, seconds.
            values: ``(n,)`` their values.

        Returns:
            ``(count,)`` means; NaN for a bin without a sample.
        """
        found, numbers = self.index(times_s), np.asarray(values, dtype=np.float64)
        total = np.bincount(found, weights=numbers, minlength=self.count)
        counts = np.bincount(found, minlength=self.count)
        return np.divide(total, counts, out=np.full(self.count, np.nan), where=counts > 0)

    @property
    def third(self) -> int:
        """Number of bins in the first and in the last third: floor(count / 3), at least 1."""
        return max(1, self.count // 3)


def equal_windows(duration_s: float, count: int) -> Floats:
    """Edges of equal windows that cover the whole video.

    Args:
        duration_s: Length of the video.
        count: Number of windows, at least 1.

    Returns:
        ``(count + 1,)`` edges.
    """
    return np.linspace(0.0, duration_s, count + 1)


def windows_of(duration_s: float, length_s: float) -> Floats:
    """Edges of windows of one length that cover the whole video.

    Args:
        duration_s: Length of the video, above 0.
        length_s: Length of a window, above 0.

    Returns:
        ``(w + 1,)`` edges, w at least 1; the last window ends with the video and may be shorter.
    """
    count = max(1, math.ceil(duration_s / length_s - _EPSILON_S))
    edges = np.arange(count + 1, dtype=np.float64) * length_s
    edges[-1] = duration_s
    return edges


def count_in(edges_s: Floats, times_s: npt.ArrayLike) -> Ints:
    """How many of the instants lie in each half-open window; the last window is closed.

    Args:
        edges_s: ``(w + 1,)`` edges, ascending.
        times_s: ``(n,)`` instants; those beyond the ends count in the first and the last window.

    Returns:
        ``(w,)`` numbers.
    """
    return np.histogram(_within(edges_s, times_s), edges_s)[0]


def weigh_in(edges_s: Floats, times_s: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """Weight of the instants in each half-open window, as :func:`count_in` counts them.

    Args:
        edges_s: ``(w + 1,)`` edges, ascending.
        times_s: ``(n,)`` instants.
        weights: ``(n,)`` what each counts for.

    Returns:
        ``(w,)`` sums.
    """
    sums: Floats = np.histogram(_within(edges_s, times_s), edges_s, weights=np.asarray(weights, dtype=np.float64))[0]
    return sums


def _within(edges_s: Floats, times_s: npt.ArrayLike) -> Floats:
    return np.clip(np.asarray(times_s, dtype=np.float64), edges_s[0], edges_s[-1])


def active_in(edges_s: Floats, starts_s: npt.ArrayLike, ends_s: npt.ArrayLike) -> Ints:
    """How many of the intervals overlap each window; an instant is in the window that holds it.

    Args:
        edges_s: ``(w + 1,)`` edges, ascending.
        starts_s: ``(n,)`` starts of the intervals.
        ends_s: ``(n,)`` their ends.

    Returns:
        ``(w,)`` numbers; zeros without intervals.
    """
    starts, ends = np.asarray(starts_s, dtype=np.float64), np.asarray(ends_s, dtype=np.float64)
    last_window = len(edges_s) - 2
    first = np.clip(np.searchsorted(edges_s, starts, side="right") - 1, 0, last_window)
    last = np.clip(np.searchsorted(edges_s, ends, side="left") - 1, first, last_window)
    steps = np.zeros(len(edges_s), dtype=np.int64)
    np.add.at(steps, first, 1)
    np.add.at(steps, last + 1, -1)
    return np.cumsum(steps)[:-1]
