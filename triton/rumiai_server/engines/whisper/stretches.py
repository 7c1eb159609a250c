"""Where the language changes within a chunk: at one of its pauses.

Whisper tells one language for all that it hears at once, so a sentence in another one is written in the words of the
first. The detector's probabilities for each stretch between two pauses show the change: two runs of stretches that have
a language each are likelier than one run with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np

from rumiai_server.engines.whisper.languages import Probabilities

# In less speech no language is sure.
LEAST_S: Final = 2.0
# How much likelier two languages have to be than one: the logarithm of the ratio, each second of speech counted once.
LEAST_GAIN: Final = 2.0
# No single stretch says more against a language than this.
_FLOOR: Final = 0.01
# Below this a language is doubtful, for Quality too: such a run shows no change.
SURE: Final = 0.6
# What the language of another run has at least, so that its text can speak for it.
LEAST_CHANCE: Final = 0.01

Span = tuple[int, int]


def changes(rows: Sequence[Probabilities], durations_s: Sequence[float]) -> list[Span]:
    """Runs of stretches that may be in one language each; a single one when nothing speaks for a change.

    Args:
        rows: Language code -> probability, of each stretch between two pauses; at least one.
        durations_s: Of each.

    Returns:
        First stretch and the one after the last of each run, in order.
    """
    codes = sorted({code for row in rows for code in row})
    chances = np.array([[row.get(code, 0.0) for code in codes] for row in rows])
    lengths = np.asarray(durations_s, np.float64)
    scores = np.log(np.maximum(chances, _FLOOR)) * lengths[:, np.newaxis]
    sums = np.concatenate([np.zeros((1, len(codes))), scores.cumsum(axis=0)])
    clock = np.concatenate([[0.0], lengths.cumsum()])
    # best[k]: the likeliest runs of the first k stretches, each run at the price of a change.
    best: list[tuple[float, list[Span]]] = [(0.0, [])]
    for stop in range(1, len(rows) + 1):
        options = [
            (best[start][0] + float((sums[stop] - sums[start]).max()) - LEAST_GAIN, start)
            for start in range(stop)
            if clock[stop] - clock[start] >= LEAST_S or (start == 0 and stop == len(rows))
        ]
        score, start = max(options, key=lambda option: option[0], default=(-np.inf, 0))
        best.append((score, [*best[start][1], (start, stop)]))
    return best[-1][1]


def joined(runs: Sequence[Span], found: Sequence[tuple[str, float]]) -> list[tuple[Span, str, float]]:
    """Runs with a sure language each, neighbours in the same language as one.

    Args:
        runs: Samples, each run beginning where the one before it ends.
        found: Code and probability of the language of each. A run that is not sure belongs to the sure one before it,
            or, at the beginning, to the first sure one.

    Returns:
        Run, code and probability, the lowest of those joined; empty when no run is sure.
    """
    known = [i for i, (_, chance) in enumerate(found) if chance >= SURE]
    if not known:
        return []
    owners = [max((k for k in known if k <= i), default=known[0]) for i in range(len(runs))]
    out = []
    for code, group in groupby(range(len(runs)), key=lambda i: found[owners[i]][0]):
        inside = list(group)
        out.append(((runs[inside[0]][0], runs[inside[-1]][1]), code, min(found[owners[i]][1] for i in inside)))
    return out
