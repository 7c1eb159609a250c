"""Transitions between emotions, and movement of the valence.

Source: docs/analyses.md, emotional_journey. Conventions as in :mod:`rumiai.metrics.emotional_journey.curves`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from rumiai.contracts.lexicons import Emotion
from rumiai.core.arrays import Floats
from rumiai.metrics.shared.series import runs_of
from rumiai.metrics.shared.statistics import mean

Pair = tuple[Emotion, Emotion]

_TONED: Final = 0.1  # |valence| up to which a bin is neutral
_DEAD: Final = 0.2  # |valence| below which a bin is dead
_DEAD_BINS: Final = 2


@dataclass(frozen=True)
class ToneShares:
    """Shares of the known bins with positive, negative and neutral valence, 0..1; None without known bins."""

    positive: float | None
    negative: float | None
    neutral: float | None


@dataclass(frozen=True)
class Momentum:
    """Differences of the valence between neighbouring known bins.

    Attributes:
        average: Their mean, which telescopes to (last - first) / (n - 1).
        largest_rise: Largest difference, at least 0.
        largest_fall: Smallest difference, at most 0.
        turns: ``(position, difference)`` where a difference has the other sign than the last one that is not 0, so that
            a plateau hides no turn; ``position`` is that of the bin it leads to among the known bins.
    """

    average: float | None
    largest_rise: float | None
    largest_fall: float | None
    turns: tuple[tuple[int, float], ...]


def tone_shares(valence: Floats) -> ToneShares:
    """Shares of the bins with a valence above 0.1, below -0.1, and between.

    The limit is that of :mod:`rumiai.metrics.shared.spoken_tone`: within it a face has no tone.

    Args:
        valence: ``(n,)`` valence of the known bins, -1..1.

    Returns:
        The shares; all None without bins.
    """
    if not valence.size:
        return ToneShares(None, None, None)
    return ToneShares(mean(valence > _TONED), mean(valence < -_TONED), mean(np.abs(valence) <= _TONED))


def transition_counts(labels: Sequence[Emotion]) -> dict[Pair, int]:
    """How often each label follows each, itself included.

    Args:
        labels: ``(n,)`` labels in order.

    Returns:
        ``(before, after)`` to count, sorted; empty with fewer than two labels.
    """
    return dict(sorted(Counter(pairwise(labels)).items()))


def transition_matrix(counts: Mapping[Pair, int]) -> dict[Pair, float]:
    """First-order Markov probabilities: each count divided by the sum of its row.

    Args:
        counts: ``(before, after)`` to count.

    Returns:
        ``(before, after)`` to probability, 0..1, in the same order; empty for none.
    """
    rows: Counter[str] = Counter()
    for (before, _), count in counts.items():
        rows[before] += count
    return {pair: count / rows[pair[0]] for pair, count in counts.items()}


def valence_momentum(valence: Floats) -> Momentum:
    """Movement of the valence from one known bin to the next.

    Args:
        valence: ``(n,)`` valence of the known bins, in order.

    Returns:
        The movement; None in place of numbers with fewer than two bins.
    """
    steps = np.diff(valence)
    if not steps.size:
        return Momentum(None, None, None, ())
    moved = np.flatnonzero(steps)
    turns = moved[1:][np.diff(np.sign(steps[moved])) != 0]
    return Momentum(
        average=mean(steps),
        largest_rise=max(0.0, float(steps.max())),
        largest_fall=min(0.0, float(steps.min())),
        turns=tuple((int(i) + 1, float(steps[i])) for i in turns),
    )


def dead_zones(valence: Floats) -> list[tuple[int, int]]:
    """Stretches of two or more known bins in a row with a valence below 0.2 in size; unknown bins end a stretch.

    Args:
        valence: ``(N,)`` valence curve.

    Returns:
        Half-open ranges of bins, ascending; empty without any.
    """
    with np.errstate(invalid="ignore"):
        flat = np.abs(valence) < _DEAD
    return [(first, stop) for first, stop in runs_of(flat) if stop - first >= _DEAD_BINS]
