"""Heuristic scores of speech, 0..1, as the reference has them.

They have no field in the six blocks and stand under ``precompute``.
"""

from __future__ import annotations

from collections.abc import Sequence

from rumiai.metrics.shared.statistics import clamp, mean, mean_known


def hook_effectiveness(hooks: int, opening: float | None) -> float | None:
    """Score of the hooks: 0.2 for each and the strength of the opening, at most 1.

    Args:
        hooks: Number of hooks.
        opening: Strength of those that open the video, 0..1; None when none does.

    Returns:
        0..1; None without a listed hook.
    """
    return min(1.0, 0.2 * hooks + (opening or 0.0)) if hooks else None


def cta_effectiveness(ctas: int, clusters: int) -> float | None:
    """Score of the calls to action: 0.1 for each and 0.3 for each cluster, at most 1.

    Args:
        ctas: Number of calls to action.
        clusters: Number of their clusters.

    Returns:
        0..1; None without a listed one.
    """
    return min(1.0, 0.1 * ctas + 0.3 * clusters) if ctas else None


def authenticity(filler_share: float, repeated: int, mumbled: int) -> float:
    """How natural the speech is: the share of four signs that are there.

    Args:
        filler_share: Fillers / words; between 1 % and 5 % is natural.
        repeated: Repeated phrases, fewer than three.
        mumbled: Mumbled segments, fewer than two.

    Returns:
        0, 0.25 ... 1.
    """
    return mean((filler_share < 0.05, filler_share > 0.01, repeated < 3, mumbled < 2)) or 0.0


def verbal_engagement(signs: Sequence[float]) -> float:
    """Share of the signs of engagement that are there.

    Args:
        signs: Scores and counts, each there when above 0.

    Returns:
        0..1; 0 without signs.
    """
    return mean([sign > 0 for sign in signs]) or 0.0


def visual_harmony(gesture_sync: float | None, face_share: float | None) -> float | None:
    """How well picture and speech go together: mean of two shares.

    Args:
        gesture_sync: Segments with a gesture / segments; None when unknown.
        face_share: Time with a face during speech / speech; None when unknown.

    Returns:
        0..1; None when neither is known.
    """
    harmony = mean_known([gesture_sync, face_share])
    return None if harmony is None else clamp(harmony)
