"""Whether texts can be read: time on screen, size, contrast and place.

Source: docs/analyses.md, visual_overlay_analysis. Conventions: sizes and contrasts are 0..1; what is unknown is None
and is held against no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rumiai.contracts.blocks.types import Level
from rumiai.core.arrays import Floats
from rumiai.metrics.evidence.types import TextTrack
from rumiai.metrics.shared.statistics import mean, mean_known
from rumiai.metrics.visual_overlay_analysis.blocks import ReadabilityMetrics

_MINIMUM_HEIGHT: Final = 0.03  # of the frame: smaller is hard to read on a phone
_MINIMUM_CONTRAST: Final = 0.3
_READ_BASE_S, _READ_PER_CHARACTER_S = 0.3, 0.06
_EPSILON_S: Final = 1e-9  # sums of binary fractions miss a threshold by less
_ISSUE_SHARE: Final = 0.2  # share of the texts from which a fault is an issue
_ACCESSIBLE, _HALF_ACCESSIBLE = 0.8, 0.5  # share of the texts that can be read
_CENTRE: Final = 0.6  # middle share of the frame, in both directions
_CENTRED: Final = 0.7  # share of the texts there that suits a phone
_CLUTTERED: Final = 3  # overlays at once above which the picture is cluttered


def is_long_enough(seconds: float, characters: int) -> bool:
    """Whether a text stands long enough to be read: for 0.3 s and 0.06 s per character.

    Source: docs/analyses.md, overlaysInteractions, ``readingFlowScore``; the time is about 17 characters a second, and
    a moment to find the text.

    Args:
        seconds: How long it stands.
        characters: How many it has, blanks included.

    Returns:
        Whether it does; the limit is long enough.
    """
    return seconds >= _READ_BASE_S + _READ_PER_CHARACTER_S * characters - _EPSILON_S


def mean_contrast(contrasts: Floats) -> float | None:
    """Mean contrast of a text's sightings.

    Args:
        contrasts: ``(m,)``, NaN where unknown.

    Returns:
        None when no contrast is known.
    """
    return mean(contrasts[~np.isnan(contrasts)])


def is_readable(long_enough: bool, height: float | None, contrast: float | None) -> bool:
    """Whether a text is long enough on screen, at least 3 % of the frame high and of a contrast of at least 0.3.

    Source: docs/analyses.md, overlaysQuality, ``visualAccessibility``.

    Args:
        long_enough: From :func:`is_long_enough`.
        height: Of one of its lines, in heights of the frame; None when unknown.
        contrast: 0..1, from :func:`mean_contrast`; None when unknown.

    Returns:
        Whether all hold that are known.
    """
    large = height is None or height >= _MINIMUM_HEIGHT
    return long_enough and large and (contrast is None or contrast >= _MINIMUM_CONTRAST)


def accessibility(readable: Sequence[bool | None]) -> Level | None:
    """Share of the texts that can be read: at least 0.8, at least 0.5, less.

    Args:
        readable: Of each text; None where it is unknown.

    Returns:
        None without a text of which it is known.
    """
    share = mean_known(readable)
    if share is None:
        return None
    return "high" if share >= _ACCESSIBLE else "medium" if share >= _HALF_ACCESSIBLE else "low"


def readability_issues(
    long_enough: Sequence[bool | None], heights: Floats, contrasts: Sequence[float], covering_pairs: int
) -> list[str]:
    """Faults that a fifth or more of the texts have, and boxes that cover each other.

    Args:
        long_enough: Of each text; None where it is unknown.
        heights: ``(k,)`` known box heights.
        contrasts: Known mean contrasts.
        covering_pairs: Pairs of overlays that cover each other.

    Returns:
        Names in a fixed order; empty for no texts.
    """
    shares = {
        "text_too_fast": mean([not long for long in long_enough if long is not None]),
        "overlapping_elements": float(covering_pairs > 0),
        "low_contrast": mean(np.array(contrasts) < _MINIMUM_CONTRAST),
        "text_too_small": mean(heights < _MINIMUM_HEIGHT),
    }
    return [name for name, share in shares.items() if share is not None and share >= _ISSUE_SHARE]


def readability(
    texts: Sequence[TextTrack], heights: Floats, contrasts: Sequence[float], at_once: int
) -> ReadabilityMetrics:
    """Contrast, size and place of the texts.

    The score is 0.4 x contrast + 0.4 x size + 0.2 x share of the texts in the middle three fifths of the frame.

    Args:
        texts: Text tracks.
        heights: ``(k,)`` their known box heights.
        contrasts: Their known mean contrasts.
        at_once: The most overlays at one instant.

    Returns:
        Parts that are unknown are None, and so is the score then.
    """
    contrast, size = mean_known(contrasts), mean(heights)
    margin = (1 - _CENTRE) / 2
    middles = [text.centre for text in texts if text.centre is not None]
    centre = mean([all(margin <= part <= 1 - margin for part in middle) for middle in middles])
    score = None
    if contrast is not None and size is not None and centre is not None:
        score = 0.4 * contrast + 0.4 * size + 0.2 * centre
    return ReadabilityMetrics(
        contrast_score=contrast,
        size_score=size,
        center_focus_ratio=centre,
        readability_score=score,
        mobile_optimized=None if size is None or centre is None else size > _MINIMUM_HEIGHT and centre > _CENTRED,
        is_cluttered=at_once > _CLUTTERED if at_once else None,
    )
