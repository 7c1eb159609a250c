"""Pauses between words and silence.

Source: docs/analyses.md, speechCoreMetrics ``pauseCount``, speechDynamics ``pausePattern`` and ``silencePeriods``,
speechKeyEvents ``silentMoments``. Conventions: times are seconds from the start of the video; ``words_s`` are
``(n, 2)`` spans of words within the video, in any order.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from rumiai.core.arrays import Floats
from rumiai.core.intervals import complement, intersect, overlap_s, union
from rumiai.metrics.shared.statistics import cv

_PAUSE_S: Final = 0.5
_SILENCE_S: Final = 1.0
_STRATEGIC_S, _DRAMATIC_S, _AWKWARD_S = 1.0, 2.0, 3.0
_RUSHED_WPM: Final = 180.0
_IRREGULAR_CV: Final = 1.0
_EPSILON_S: Final = 1e-9  # differences of binary fractions miss a limit by less

PauseKind = Literal["breath", "strategic", "dramatic", "awkward"]
PausePattern = Literal["natural", "dramatic", "rushed", "irregular"]


def pauses_between(words_s: Floats, duration_s: float, heard_s: Floats | None = None) -> Floats:
    """Gaps of 0.5 s or more between words.

    Args:
        words_s: ``(n, 2)`` spans of the words.
        duration_s: Length of the video.
        heard_s: ``(h, 2)`` union of the time that was listened to; the whole video when None. A gap that was not wholly
            listened to is no pause: words may be lost in it.

    Returns:
        ``(p, 2)`` start and end, by time; ``(0, 2)`` for fewer than two words. What lies before the first and after
        the last word is no pause.
    """
    spans = union(words_s, until_s=duration_s)
    gaps = np.stack([spans[:-1, 1], spans[1:, 0]], axis=1)
    if heard_s is not None:
        gaps = gaps[overlap_s(heard_s, gaps[:, 0], gaps[:, 1]) >= gaps[:, 1] - gaps[:, 0] - _EPSILON_S]
    return _at_least(gaps, _PAUSE_S)


def silences_between(words_s: Floats, duration_s: float, heard_s: Floats | None = None) -> Floats:
    """Stretches of 1 s or more without a word, before the first and after the last included.

    Args:
        words_s: ``(n, 2)`` spans of the words.
        duration_s: Length of the video.
        heard_s: ``(h, 2)`` union of the time that was listened to; the whole video when None.

    Returns:
        ``(q, 2)`` start and end, by time; all that was listened to without words, when it lasts 1 s.
    """
    free = complement(union(words_s, until_s=duration_s), duration_s)
    return _at_least(free if heard_s is None else intersect(free, heard_s), _SILENCE_S)


def _at_least(spans: Floats, seconds: float) -> Floats:
    long: Floats = spans[spans[:, 1] - spans[:, 0] >= seconds - _EPSILON_S]
    return long


def pause_kind(seconds: float) -> PauseKind:
    """Kind of a pause by its length.

    Args:
        seconds: Length of the pause.

    Returns:
        breath below 1 s, strategic below 2 s, dramatic below 3 s, else awkward.
    """
    if seconds < _STRATEGIC_S:
        return "breath"
    if seconds < _DRAMATIC_S:
        return "strategic"
    return "dramatic" if seconds < _AWKWARD_S else "awkward"


def pause_pattern(lengths_s: Floats, words_per_minute: float | None) -> PausePattern:
    """How somebody pauses.

    Source: docs/analyses.md, speechDynamics, ``pausePattern``.

    Args:
        lengths_s: ``(p,)`` lengths of the pauses.
        words_per_minute: Speaking rate; None when unknown.

    Returns:
        rushed without a pause above 180 words per minute; dramatic with a pause above 2 s; irregular for a coefficient
        of variation above 1; else natural, also without pauses.
    """
    if not lengths_s.size and (words_per_minute or 0.0) > _RUSHED_WPM:
        return "rushed"
    if (lengths_s > _DRAMATIC_S).any():
        return "dramatic"
    return "irregular" if (cv(lengths_s) or 0.0) > _IRREGULAR_CV else "natural"


def silence_purpose(start_s: float, end_s: float, duration_s: float, *, shown: bool | None) -> str | None:
    """What a silence seems to serve: by its place, by what is seen meanwhile, by its length.

    Source: docs/analyses.md, speechKeyEvents, ``silentMoments``.

    Args:
        start_s: Start of the silence.
        end_s: End of the silence.
        duration_s: Length of the video.
        shown: Whether a text or a gesture is seen meanwhile; None when it is unknown.

    Returns:
        no_speech, opening, closing, visual_focus, or ``KIND_pause`` with the word of :func:`pause_kind`; None for one
        of the last two, when it is unknown which.
    """
    if start_s == 0:
        return "no_speech" if end_s >= duration_s else "opening"
    if end_s >= duration_s:
        return "closing"
    if shown is None:
        return None
    return "visual_focus" if shown else f"{pause_kind(end_s - start_s)}_pause"
