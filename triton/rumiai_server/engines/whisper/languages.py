"""Which language each chunk of a track is spoken in.

Whisper's detection is made for 30 s. A chunk keeps to the language of its track unless it is long enough and sure of
another: a name or a song title is no change of language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

# Detection in a second or two of sound is often wrong, and then seldom sure.
OTHER_LANGUAGE_PROBABILITY: Final = 0.8
OTHER_LANGUAGE_S: Final = 3.0

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
