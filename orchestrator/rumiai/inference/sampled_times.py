"""Times of what was seen on sampled frames alone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from rumiai.contracts.frames import Sampling


def interval(first_s: float, last_s: float, cuts_s: Sequence[float], sampling: Sampling) -> tuple[float, float]:
    """Start and end of an appearance: half a step before and after it was seen, clipped at cuts and to the video."""
    half_s = sampling.step_s / 2
    after, before = bisect_right(cuts_s, first_s), bisect_right(cuts_s, last_s)
    start_s = max(first_s - half_s, cuts_s[after - 1] if after else 0.0, 0.0)
    end_s = min(last_s + half_s, cuts_s[before] if before < len(cuts_s) else math.inf, sampling.duration_s)
    return min(start_s, sampling.duration_s), max(end_s, min(start_s, sampling.duration_s))
