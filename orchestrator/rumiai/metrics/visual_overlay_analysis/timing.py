"""When overlays begin: gaps, thirds, bursts and windows, in numbers and in words.

Source: docs/analyses.md, visual_overlay_analysis. Conventions: ``starts_s`` is ``(n,)``, the instants in seconds at
which overlays begin, ascending; cv is the population deviation over the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rumiai.contracts.blocks.types import Level
from rumiai.contracts.observed import Observed
from rumiai.core.arrays import Bools, Floats, Ints
from rumiai.metrics.shared.bins import count_in, equal_windows, span
from rumiai.metrics.shared.statistics import balance, cv
from rumiai.metrics.visual_overlay_analysis.blocks import (
    AppearancePattern,
    DensityProgression,
    OverlayAcceleration,
    OverlayKind,
    OverlayWindow,
    TemporalDistribution,
    VisualPacing,
)

TIMELINE_S: Final = 3.0
BURST_S: Final = 5.0
_BURST_COUNT: Final = 3
_EPSILON_S: Final = 1e-9  # sums of binary fractions miss a threshold by less
_TREND: Final = 0.2
_HALF: Final = 0.5  # share of the starts in one place that makes it the heavy one
_FEW: Final = 4  # fewer overlays have no rhythm
_RHYTHMIC_CV, _GRADUAL_CV, _VARIABLE_CV = 0.3, 0.8, 1.0
_SLOW_HZ, _MODERATE_HZ = 0.2, 0.6  # new overlays per second


@dataclass(frozen=True)
class Burst:
    """A window in which many overlays begin.

    Attributes:
        start_s: Start of the window, at which the first begins.
        end_s: Its end; none begins there.
        count: How many begin.
        last_s: When the last of them begins.
    """

    start_s: float
    end_s: float
    count: int
    last_s: float

    @property
    def span(self) -> str:
        """Label of the window: ``"a-bs"``, its ends in seconds."""
        return span(self.start_s, self.end_s)


def find_bursts(starts_s: Floats, duration_s: float) -> tuple[Burst, ...]:
    """Disjoint windows of 5 s in which three or more overlays begin, each begun by a start.

    Args:
        starts_s: ``(n,)`` starts, ascending.
        duration_s: Of the video; the last window ends with it.

    Returns:
        In order of time; empty for fewer than three starts.
    """
    found = []
    stops = np.searchsorted(starts_s, starts_s + BURST_S - _EPSILON_S)
    i = 0
    while i < starts_s.size:
        count = int(stops[i]) - i
        if count < _BURST_COUNT:
            i += 1
            continue
        start = float(starts_s[i])
        i = int(stops[i])
        found.append(Burst(start, min(start + BURST_S, duration_s), count, float(starts_s[i - 1])))
    return tuple(found)


def starts_by_third(starts_s: Floats, observed: Observed) -> Floats | None:
    """Starts per second that was looked at, in each third of the video.

    Args:
        starts_s: ``(n,)`` starts.
        observed: When overlays were looked for.

    Returns:
        ``(3,)`` rates, zeros for no starts; None where less than half of a third was looked at.
    """
    edges_s = equal_windows(observed.duration_s, 3)
    return observed.rates(edges_s, count_in(edges_s, starts_s))


def acceleration_score(starts_s: Floats, observed: Observed) -> float | None:
    """Whether overlays come later: (b - a) / (a + b) with a, b the starts per second looked at in each half.

    Source: docs/analyses.md, overlaysDynamics, ``overlayAcceleration``.

    Args:
        starts_s: ``(n,)`` starts, seconds; one in the middle belongs to the second half.
        observed: When overlays were looked for.

    Returns:
        -1..1; None for no starts, and where less than half of a half was looked at.
    """
    edges_s = equal_windows(observed.duration_s, 2)
    rates = observed.rates(edges_s, count_in(edges_s, starts_s))
    return None if rates is None or not starts_s.size else balance(*rates.tolist())


def acceleration_word(score: float | None) -> OverlayAcceleration | None:
    """An acceleration score in a word.

    Source: docs/analyses.md, overlaysDynamics, ``overlayAcceleration``.

    Args:
        score: -1..1, from :func:`acceleration_score`; None when unknown.

    Returns:
        stable within +-0.2, both limits included; else accelerating above 0, decelerating below; None for None.
    """
    if score is None:
        return None
    if abs(score) <= _TREND:
        return "stable"
    return "accelerating" if score > 0 else "decelerating"


def rhythm_consistency(starts_s: Floats) -> float | None:
    """How evenly overlays come: 1 / (1 + cv of the gaps between starts).

    Source: docs/analyses.md, overlaysDynamics, ``rhythmConsistency``.

    Args:
        starts_s: ``(n,)`` starts, seconds, ascending.

    Returns:
        In (0, 1], 1 for equal gaps; None for fewer than three starts.
    """
    return None if starts_s.size < 3 else 1 / (1 + _spread(starts_s))


def _spread(starts_s: Floats) -> float:
    return cv(np.diff(starts_s)) or 0.0


def appearance_pattern(starts_s: Floats, bursts: tuple[Burst, ...]) -> AppearancePattern | None:
    """How overlays come.

    ``burst`` when more than half begin in bursts; of four and more, ``rhythmic`` before that with gaps of cv < 0.3,
    ``gradual`` after it with cv < 0.8, else ``random``.

    Args:
        starts_s: ``(n,)`` starts, ascending.
        bursts: Of these starts.

    Returns:
        None for fewer than four starts that are no burst: one gap or two tell nothing of how they come.
    """
    several = starts_s.size >= _FEW
    spread = _spread(starts_s) if several else 0.0
    if several and spread < _RHYTHMIC_CV:
        return "rhythmic"
    if sum(burst.count for burst in bursts) > _HALF * starts_s.size:
        return "burst"
    if not several:
        return None
    return "gradual" if spread < _GRADUAL_CV else "random"


def density_progression(thirds: Floats | None) -> DensityProgression | None:
    """Where overlays begin.

    ``front_loaded`` or ``climactic`` when the first or the last third holds at least half of the starts, ``building``
    when the thirds do not fall and the last holds more than the first, else ``even``.

    Args:
        thirds: ``(3,)`` starts per second in each third; None when unknown.

    Returns:
        None for no starts, and where the thirds are unknown.
    """
    if thirds is None:
        return None
    first, middle, last = thirds.tolist()
    total = first + middle + last
    if not total:
        return None
    if first >= _HALF * total:
        return "front_loaded"
    if last >= _HALF * total:
        return "climactic"
    return "building" if first <= middle <= last and first < last else "even"


def temporal_distribution(thirds: Floats | None) -> TemporalDistribution | None:
    """The end of the video that holds at least half of the starts, if any.

    Source: docs/analyses.md, overlaysDynamics, ``temporalDistribution``.

    Args:
        thirds: ``(3,)`` starts per second in each third; None when unknown.

    Returns:
        front_loaded, back_loaded, or balanced for neither; front_loaded when both do. None for no starts, and where the
        thirds are unknown.
    """
    match density_progression(thirds):
        case None:
            return None
        case "front_loaded":
            return "front_loaded"
        case "climactic":
            return "back_loaded"
        case _:
            return "balanced"


def visual_pacing(starts_s: Floats, observed_s: float) -> VisualPacing | None:
    """New overlays per second: below 0.2, 0.6, or more; ``variable`` when the gaps of four or more have cv > 1.

    Args:
        starts_s: ``(n,)`` starts, ascending.
        observed_s: Seconds that were looked at, above 0.

    Returns:
        None for no overlays.
    """
    if not starts_s.size:
        return None
    if starts_s.size >= _FEW and _spread(starts_s) > _VARIABLE_CV:
        return "variable"
    rate_hz = starts_s.size / observed_s
    return "slow" if rate_hz < _SLOW_HZ else "moderate" if rate_hz < _MODERATE_HZ else "fast"


def overlay_timeline(edges_s: Floats, counts: Ints, text_counts: Ints, observed: Bools) -> list[OverlayWindow]:
    """Every window: how many overlays, of which type, how dense.

    Source: docs/analyses.md, overlaysDynamics, ``overlayTimeline``.

    Args:
        edges_s: ``(w + 1,)`` ends of the windows, seconds.
        counts: ``(w,)`` overlays active in each.
        text_counts: ``(w,)`` texts active in each.
        observed: ``(w,)`` which windows were looked at; of the others nothing is told.

    Returns:
        w windows. low density with one overlay or none, medium up to three, else high; None where nobody looked.
    """
    rows = zip(counts.tolist(), text_counts.tolist(), observed.tolist(), strict=True)
    return [
        OverlayWindow(
            timestamp=span(edges_s[index], edges_s[index + 1]),
            overlay_count=count if seen else None,
            type=_kind(texts, count) if seen else None,
            density=_density(count) if seen else None,
        )
        for index, (count, texts, seen) in enumerate(rows)
    ]


def _kind(texts: int, overlays: int) -> OverlayKind:
    if not overlays:
        return "none"
    return "mixed" if 0 < texts < overlays else "text" if texts else "sticker"


def _density(overlays: int) -> Level:
    return "low" if overlays <= 1 else "medium" if overlays <= 3 else "high"
