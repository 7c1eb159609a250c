"""Which language each chunk of a track is spoken in.

Whisper's detection is made for 30 s. A chunk keeps to the language of its track unless it is long enough and sure of
another: a name or a song title is no change of language.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

# Detection in a second or two of sound is often wrong, and then seldom sure.
OTHER_LANGUAGE_PROBABILITY: Final = 0.8
OTHER_LANGUAGE_S: Final = 3.0

# Below this the other languages that a chunk may be in are tried too, if they have at least that probability.
SURE: Final = 0.75
RIVAL: Final = 0.04
MOST_RIVALS: Final = 3
# How much the mean log probability of a text counts beside the logarithm of its language's probability.
TEXT_WEIGHT: Final = 10.0

Probabilities = Mapping[str, float]


def of_track(rows: Sequence[Probabilities], durations_s: Sequence[float]) -> tuple[str, float]:
    """Code and probability of the language of a track, each chunk with the weight of its length.

    Args:
        rows: Language code -> probability, of each chunk; at least one.
        durations_s: Of each.
    """
    total = sum(durations_s)
    codes = sorted({code for row in rows for code in row})
    sums = {
        code: sum(row.get(code, 0.0) * length for row, length in zip(rows, durations_s, strict=True)) for code in codes
    }
    best = max(codes, key=lambda code: sums[code])
    return best, sums[best] / total


def of_chunk(row: Probabilities, duration_s: float, track: str) -> tuple[str, float]:
    """Code and probability of the language of one chunk of a track in the language ``track``."""
    own = max(row, key=lambda code: row[code])
    changed = row[own] >= OTHER_LANGUAGE_PROBABILITY and duration_s >= OTHER_LANGUAGE_S
    code = own if changed else track
    return code, row.get(code, 0.0)


def rivals(row: Probabilities, own: tuple[str, float]) -> tuple[tuple[str, float], ...]:
    """The other languages that a chunk may be in, the likeliest first; () when it is sure of its own."""
    if own[1] >= SURE:
        return ()
    others = sorted(
        ((chance, code) for code, chance in row.items() if chance >= RIVAL and code != own[0]), reverse=True
    )
    return tuple((code, chance) for chance, code in others[:MOST_RIVALS])


def likeliest(chances: Sequence[float], texts: Sequence[tuple[float, bool]]) -> tuple[int, float]:
    """Which of some languages a chunk is in, by what came out of decoding it in each.

    Args:
        chances: Probability of each language by the sound alone; at least one above 0.
        texts: Mean log probability of each text, and whether it loops.

    Returns:
        Index of the language, and its probability: of what the languages in question have together the share that
        follows from sound and text. A language whose text loops is not in question, unless all do; what it has stays
        doubt.
    """
    allowed = [i for i, (_, looping) in enumerate(texts) if not looping] or list(range(len(texts)))
    scores = {i: math.log(max(chances[i], 1e-9)) + TEXT_WEIGHT * texts[i][0] for i in allowed}
    best = max(scores, key=lambda i: scores[i])
    share = 1 / sum(math.exp(score - scores[best]) for score in scores.values())
    return best, min(1.0, sum(chances[i] for i in allowed) * share)
