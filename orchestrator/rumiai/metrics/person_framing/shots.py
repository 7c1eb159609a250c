"""Shot types over time: shares, changes, and stretches of one framing.

Source: docs/analyses.md, personFramingDynamics (``framingProgression``, ``framingTransitions``) and
personFramingPatterns (``framingDistribution``). Spans are ``(n, 2)`` start and end in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rumiai.core.arrays import Bools, Floats
from rumiai.core.intervals import as_intervals, near
from rumiai.metrics.person_framing.blocks import Shot, TransitionType
from rumiai.metrics.shared.labels import L, LabelChange, SmoothedLabels, smooth

_ORDER: Final[dict[Shot, int]] = {"none": 0, "wide": 1, "medium": 2, "close": 3}
_SHOTS: Final[tuple[Shot, ...]] = ("close", "medium", "wide", "none")  # the closest first, so that it wins ties
_CUT_S: Final = 0.2
_PER_MINUTE: Final = 30.0  # changes per minute that are volatility 1


@dataclass(frozen=True)
class Transition:
    """A change of the smoothed shot type: instant in seconds, shot types, and what made it (None: unknown)."""

    time_s: float
    before: Shot
    after: Shot
    kind: TransitionType | None


def shot_shares(labels: Sequence[Shot | None], chosen: Bools | None = None) -> dict[Shot, float] | None:
    """Share of each shot type among the samples.

    Source: docs/analyses.md, personFramingPatterns, ``framingDistribution``.

    Args:
        labels: ``(k,)`` shot type of each sample; None where it is unknown.
        chosen: ``(k,)`` which samples count; all when None.

    Returns:
        Shot type to share of the samples with a known one, 0..1, in sum 1; None without such a sample.
    """
    listed = labels if chosen is None else [label for label, kept in zip(labels, chosen, strict=True) if kept]
    kept = np.array([label for label in listed if label is not None])
    return {shot: float((kept == shot).mean()) for shot in _SHOTS} if kept.size else None


def dominant_shot(shares: dict[Shot, float] | None, *, anybody: bool = False) -> Shot | None:
    """The most frequent shot type with anybody in it.

    Source: docs/analyses.md, personFramingCoreMetrics, ``dominantFraming``.

    Args:
        shares: Share of each shot type; None without samples.
        anybody: Whether somebody is seen, on samples of whatever shot type.

    Returns:
        The closest of equally frequent types; "none" when nobody is seen, None without samples, and where somebody is
        seen on samples of unknown type alone.
    """
    if shares is None:
        return None
    best = max(_SHOTS[:3], key=lambda shot: shares[shot])
    return best if shares[best] else None if anybody else "none"


def most_frequent_shot(shares: dict[Shot, float] | None) -> Shot | None:
    """The most frequent shot type, that of nobody included.

    Args:
        shares: Share of each shot type (:func:`shot_shares`); None without samples.

    Returns:
        The shot type, the closest on ties and "none" last; None without samples.
    """
    if shares is None:
        return None
    best = max(_SHOTS, key=lambda shot: shares[shot])
    return best


def volatility(changes: int, observed_s: float) -> float:
    """How restless the framing is: changes of the smoothed shot type per minute / 30, at most 1.

    Source: docs/analyses.md, personFramingCoreMetrics, ``framingConsistency`` (1 - volatility).

    Args:
        changes: Number of changes.
        observed_s: Seconds that were looked at, above 0.

    Returns:
        In 0..1.
    """
    return min(1.0, 60 * changes / observed_s / _PER_MINUTE)


def run_spans(smoothed: SmoothedLabels[L], duration_s: float) -> Floats:
    """Time of each run of a smoothed label, so that the runs cover the video as far as it was looked at.

    Args:
        smoothed: The labels; samples at times in seconds.
        duration_s: Where the last run ends, seconds: the end of the video, or of what was looked at.

    Returns:
        ``(n, 2)`` spans, one for each run; the first begins at 0. ``(0, 2)`` without a run.
    """
    starts = [0.0 if run.first == 0 else smoothed.times_s[run.first] for run in smoothed.runs]
    ends = [*starts[1:], duration_s]
    return as_intervals([(start, max(start, end)) for start, end in zip(starts, ends, strict=False)])


def spans_of_label(smoothed: SmoothedLabels[L], label: L, duration_s: float) -> Floats:
    """Time of the runs of one label.

    Args:
        smoothed: The labels; samples at times in seconds.
        label: Which one.
        duration_s: End of the last run, seconds.

    Returns:
        ``(n, 2)`` spans in order; ``(0, 2)`` for none.
    """
    return run_spans(smoothed, duration_s)[[run.label == label for run in smoothed.runs]]


def flagged_spans(flags: Bools, times_s: Floats, step_s: float, duration_s: float) -> Floats:
    """Stretches of flagged samples; gaps and flickers shorter than 1.0 s are smoothed away.

    Args:
        flags: ``(k,)`` flags.
        times_s: ``(k,)`` instant of each sample, seconds.
        step_s: Sampling step, seconds.
        duration_s: Length of the video, seconds.

    Returns:
        ``(n, 2)`` spans; ``(0, 2)`` for none.
    """
    smoothed = smooth(times_s.tolist(), np.where(flags, "yes", "no").tolist(), step_s)
    return spans_of_label(smoothed, "yes", duration_s)


def lasting(spans_s: Floats, least_s: float) -> Floats:
    """The spans that last.

    Args:
        spans_s: ``(n, 2)`` start and end, seconds.
        least_s: Shortest length that is kept, seconds.

    Returns:
        ``(m, 2)`` spans of that length or more, in the order given.
    """
    return spans_s[spans_s[:, 1] - spans_s[:, 0] >= least_s]


def transitions(changes: Sequence[LabelChange[Shot]], cuts_s: Floats | None, step_s: float) -> list[Transition]:
    """Every change of the smoothed shot type, with what made it.

    It happened somewhere between two samples: a cut within 0.2 s of that stretch is what made it.

    Args:
        changes: Changes of the smoothed label.
        cuts_s: ``(n,)`` cut instants, seconds; None where the scenes are unknown: a cut or a zoom, nothing tells.
        step_s: Sampling step, seconds.

    Returns:
        The changes in order; empty for none.
    """
    if cuts_s is None:
        return [Transition(c.time_s, c.before, c.after, None) for c in changes]
    half_s = step_s / 2
    times_s = np.array([change.time_s for change in changes], dtype=np.float64)
    by_cut = near(times_s - half_s, cuts_s, half_s + _CUT_S)
    return [
        Transition(c.time_s, c.before, c.after, "cut" if cut else transition_type(c.before, c.after))
        for c, cut in zip(changes, by_cut, strict=True)
    ]


def transition_type(before: Shot, after: Shot) -> TransitionType:
    """What a change of the shot type inside a scene is.

    Args:
        before: Shot type before the change.
        after: Another one.

    Returns:
        Return of somebody, exit of everybody, zoom in to a closer shot, else zoom out; whether the camera or the person
        comes nearer the shot types do not tell.
    """
    if before == "none":
        return "return"
    if after == "none":
        return "exit"
    return "zoom_in" if _ORDER[after] > _ORDER[before] else "zoom_out"
