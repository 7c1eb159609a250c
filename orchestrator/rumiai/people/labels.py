"""Smoothed labels: the rule by which changes of emotion are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Final

# A new label counts when it is held this long.
HELD_S: Final = 1.0
# Steps such as 1/3 s add up to a second only within rounding.
_ROUNDING_S: Final = 1e-9


def smooth(labels: Sequence[str], step_s: float) -> list[str]:
    """Give runs shorter than a second the label before them; the first label is the first that is held that long.

    Args:
        labels: Labels of the samples that have one, in order.
        step_s: Seconds between two samples.

    Returns:
        As many labels; all the most frequent one when none is held for a second.
    """
    runs = [(label, len(list(group))) for label, group in groupby(labels)]
    held = [label for label, count in runs if count * step_s >= HELD_S - _ROUNDING_S]
    if not held:
        common = most_frequent(labels)
        return [] if common is None else [common] * len(labels)
    current, smoothed = held[0], []
    for label, count in runs:
        if count * step_s >= HELD_S - _ROUNDING_S:
            current = label
        smoothed += [current] * count
    return smoothed


def most_frequent(labels: Sequence[str]) -> str | None:
    """The most frequent label, the alphabetically first on a tie; None for none."""
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label), default=None)
