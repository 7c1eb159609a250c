"""How sure a cut is, by the score of PySceneDetect's adaptive detector."""

from __future__ import annotations

from typing import Final, overload

import numpy as np

from rumiai.core.arrays import Floats

# PySceneDetect's default, with which all our scores are made and older files that name no threshold were.
ADAPTIVE_THRESHOLD: Final = 3.0


@overload
def cut_confidence(score: float, threshold: float = ...) -> float: ...
@overload
def cut_confidence(score: Floats, threshold: float = ...) -> Floats: ...
def cut_confidence(score: float | Floats, threshold: float = ADAPTIVE_THRESHOLD) -> float | Floats:
    """Confidence of cuts: ``score / (2 x threshold)``, clipped to 0..1.

    A cut that just passes the threshold gets 0.5, one of twice the threshold and more gets 1.0.

    Args:
        score: Adaptive ratio of one cut, or float64 of any shape.
        threshold: The detector's adaptive threshold, above 0.

    Returns:
        A float for a float, an array of the same shape for an array.
    """
    if isinstance(score, np.ndarray):
        return np.clip(score / (2.0 * threshold), 0.0, 1.0)
    return min(1.0, max(0.0, score / (2.0 * threshold)))
