"""Labels over time, smoothed where their changes are counted.

A new label counts when it is held for at least 1.0 s (samples of the run x sampling step). A shorter run takes the
label before it; the sequence begins with the first label held that long, or the most frequent one when none is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Generic, TypeVar

L = TypeVar("L", bound=str)  # the words of one vocabulary

_HELD_S: Final = 1.0
_EPSILON_S: Final = 1e-9


@dataclass(frozen=True)
class LabelRun(Generic[L]):
    """Consecutive labelled samples of one smoothed label: indices ``[first, stop)`` of the samples that have one."""

    label: L
    first: int
    stop: int


@dataclass(frozen=True)
class LabelChange(Generic[L]):
    """A change of the smoothed label, at the first sample of the new one."""

    time_s: float
    before: L
    after: L


@dataclass(frozen=True)
class SmoothedLabels(Generic[L]):
    """Samples without a label are skipped; ``times_s`` and ``labels`` are those of the others.

    Attributes:
        times_s: Instant of each labelled sample.
        labels: Smoothed label of each.
        runs: Runs of equal smoothed labels, in order, covering all labelled samples.
    """

    times_s: tuple[float, ...]
    labels: tuple[L, ...]
    runs: tuple[LabelRun[L], ...]

    @property
    def changes(self) -> tuple[LabelChange[L], ...]:
        """Every change of the smoothed label, in order, at the first sample of the new one; () for a single label."""
        return tuple(
            LabelChange(self.times_s[new.first], old.label, new.label)
            for old, new in zip(self.runs, self.runs[1:], strict=False)
        )


def smooth(times_s: Sequence[float], labels: Sequence[L | None], step_s: float) -> SmoothedLabels[L]:
    """Smooth sampled labels: a label counts when it is held for at least 1.0 s.

    Args:
        times_s: ``n`` instants, ascending.
        labels: ``n`` labels; None where a sample has none, which is skipped.
        step_s: Sampling step.

    Returns:
        The labelled samples with their smoothed labels; empty without any.
    """
    known = [(time, label) for time, label in zip(times_s, labels, strict=True) if label is not None]
    raw = [(label, len(list(group))) for label, group in groupby(label for _, label in known)]
    held = [label for label, count in raw if count * step_s >= _HELD_S - _EPSILON_S]
    current = held[0] if held else most_frequent([label for _, label in known])
    smoothed: list[L] = []
    for label, count in raw:
        if count * step_s >= _HELD_S - _EPSILON_S:
            current = label
        smoothed.extend([current or label] * count)
    runs: list[LabelRun[L]] = []
    for label, group in groupby(smoothed):
        first = runs[-1].stop if runs else 0
        runs.append(LabelRun(label, first, first + len(list(group))))
    return SmoothedLabels(tuple(time for time, _ in known), tuple(smoothed), tuple(runs))


def most_frequent(labels: Sequence[L]) -> L | None:
    """The most frequent label.

    Args:
        labels: Labels in any order.

    Returns:
        The alphabetically first on ties; None for none.
    """
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label)) if counts else None
