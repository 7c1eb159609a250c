"""Moments of visual_overlay_analysis; every quoted text is one that OCR read.

Source: docs/analyses.md, visual_overlay_analysis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, cast

import numpy as np

from rumiai.contracts.blocks.types import Level
from rumiai.contracts.lexicons import PhraseMatch, find_hooks
from rumiai.core.arrays import Bools, Floats, Ints
from rumiai.core.boxes import area
from rumiai.core.intervals import touched
from rumiai.metrics.evidence.types import Sticker, TextTrack
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import mean
from rumiai.metrics.visual_overlay_analysis.blocks import (
    CtaKind,
    CtaMoment,
    ImpactfulOverlay,
    KeyTextMoment,
    OverlayBurst,
    OverlayPeak,
    StickerHighlight,
    TextFunction,
)
from rumiai.metrics.visual_overlay_analysis.timing import Burst

Reason = Literal["call_to_action", "largest_box", "first_text", "last_text"]

_PUNCHLINE_FROM: Final = 0.8  # share of the video after which the last text may be the punchline
_STICKERS: Final = 5
_PEAK: Final = 1.5  # times the mean
_IMPACT: Final[dict[Reason, Level]] = {
    "call_to_action": "high", "largest_box": "high", "first_text": "medium", "last_text": "low",
}  # fmt: skip

Ctas = Sequence[Sequence[PhraseMatch]]


def outstanding_texts(texts: Sequence[TextTrack], ctas: Ctas) -> dict[int, Reason]:
    """The texts with a call to action, the one with the largest box, the first and the last.

    Args:
        texts: n text tracks, by start.
        ctas: Calls to action in each.

    Returns:
        Index of a text -> the first reason to name it; empty for no texts.
    """
    if not texts:
        return {}
    numbers = range(len(texts))
    areas = [0.0 if text.box is None else area(text.box) for text in texts]
    reasons: dict[int, Reason] = {i: "call_to_action" for i in numbers if ctas[i]}
    if max(areas) > 0:
        reasons.setdefault(max(numbers, key=lambda i: (areas[i], -i)), "largest_box")
    reasons.setdefault(0, "first_text")
    reasons.setdefault(numbers[-1], "last_text")
    return reasons


def impactful_overlays(texts: Sequence[TextTrack], ctas: Ctas) -> list[ImpactfulOverlay]:
    """The outstanding texts with their reason and its weight (:func:`outstanding_texts`).

    Source: docs/analyses.md, overlaysKeyEvents, ``impactfulOverlays``.

    Args:
        texts: n text tracks, by start.
        ctas: Calls to action in each.

    Returns:
        In order of time: high impact for a call to action and the largest box, medium for the first text, low for the
        last. Empty without texts.
    """
    return [
        ImpactfulOverlay(
            timestamp=span(texts[i].start_s, texts[i].end_s), text=texts[i].text, impact=_IMPACT[reason], reason=reason
        )
        for i, reason in sorted(outstanding_texts(texts, ctas).items())
    ]


def key_texts(texts: Sequence[TextTrack], ctas: Ctas, duration_s: float) -> list[KeyTextMoment]:
    """The outstanding texts and those with a hook, with what each does.

    A text is a ``cta`` or a ``hook`` by its words, the ``punchline`` when it is the last and begins in the last fifth,
    a ``caption`` by its category, else ``info``. Source: docs/analyses.md, overlaysKeyEvents, ``keyTextMoments``.

    Args:
        texts: n text tracks, by start.
        ctas: Calls to action in each.
        duration_s: Length of the video, seconds.

    Returns:
        In order of time; empty without texts.
    """
    hooks = {i for i, text in enumerate(texts) if find_hooks(text.text)}

    def function(index: int) -> TextFunction:
        if ctas[index]:
            return "cta"
        if index in hooks:
            return "hook"
        if index == len(texts) - 1 and texts[index].start_s >= _PUNCHLINE_FROM * duration_s:
            return "punchline"
        return "caption" if texts[index].category == "caption" else "info"

    return [
        KeyTextMoment(timestamp=texts[i].start_s, text=texts[i].text, function=function(i))
        for i in sorted(hooks | set(outstanding_texts(texts, ctas)))
    ]


def overlay_bursts(bursts: Sequence[Burst], text_starts_s: Floats, ctas: Ctas) -> list[OverlayBurst]:
    """The bursts with what they serve.

    Source: docs/analyses.md, overlaysKeyEvents, ``overlayBursts``.

    Args:
        bursts: Windows in which many overlays begin.
        text_starts_s: ``(n,)`` starts of the texts, seconds, ascending.
        ctas: Calls to action in each text.

    Returns:
        In order of time: a call to action when a text that begins in it makes one, decoration when no text begins, else
        information. Empty without bursts.
    """
    found = []
    for burst in bursts:
        begun = texts_begun(text_starts_s, burst)
        purpose = "decoration" if not begun else "information"
        if any(ctas[i] for i in begun):
            purpose = "call_to_action"
        found.append(OverlayBurst(timestamp=burst.span, count=burst.count, purpose=purpose))
    return found


def texts_begun(text_starts_s: Floats, burst: Burst) -> range:
    """Which texts begin in a burst.

    Args:
        text_starts_s: ``(n,)`` starts of the texts, seconds, ascending.
        burst: A window in which texts or stickers begin.

    Returns:
        Their indices; empty for none.
    """
    first = np.searchsorted(text_starts_s, burst.start_s)
    return range(int(first), int(np.searchsorted(text_starts_s, burst.last_s, side="right")))


def sticker_highlights(stickers: Sequence[Sticker], cta_spans_s: Floats) -> list[StickerHighlight]:
    """The five stickers that cover most for longest: by area x seconds.

    Source: docs/analyses.md, overlaysKeyEvents, ``stickerHighlights``.

    Args:
        stickers: Stickers, by start; one without a box comes last.
        cta_spans_s: ``(n, 2)`` texts with a call to action, seconds.

    Returns:
        In order of time: a sticker that overlaps such a text in time serves its call, any other decorates. Empty for
        none.
    """
    beside = touched(cta_spans_s, [s.start_s for s in stickers], [s.end_s for s in stickers])
    weights = [0.0 if s.box is None else area(s.box) * (s.end_s - s.start_s) for s in stickers]
    best = sorted(range(len(weights)), key=lambda i: (-weights[i], i))[:_STICKERS]
    return [
        StickerHighlight(
            timestamp=stickers[i].start_s,
            sticker=stickers[i].kind,
            purpose="call_to_action" if beside[i] else "decoration",
        )
        for i in sorted(best)
    ]


def cta_moments(texts: Sequence[TextTrack], ctas: Ctas) -> list[CtaMoment]:
    """Every kind of call to action of every text.

    Source: docs/analyses.md, overlaysKeyEvents, ``ctaMoments``.

    Args:
        texts: n text tracks.
        ctas: Calls to action in each.

    Returns:
        In the order of the texts, each kind of a text once; empty for none.
    """
    return [
        # The kinds are the lists of the lexicon; the model holds them against its words.
        CtaMoment(timestamp=text.start_s, cta_type=cast("CtaKind", kind), text_content=text.text)
        for text, found in zip(texts, ctas, strict=True)
        for kind in dict.fromkeys(match.kind for match in found)
    ]


def overlay_peaks(edges_s: Floats, counts: Ints, observed: Bools) -> list[OverlayPeak]:
    """Windows with more than 1.5 times the mean number of overlays; the intensity is their number / the largest.

    Args:
        edges_s: ``(w + 1,)`` ends of the windows.
        counts: ``(w,)`` overlays active in each.
        observed: ``(w,)`` which windows were looked at; the mean is over these.

    Returns:
        In order of time; empty for no overlays.
    """
    usual = mean(counts[observed]) or 0.0
    return [
        OverlayPeak(
            timestamp=span(edges_s[i], edges_s[i + 1]),
            overlay_count=int(counts[i]),
            intensity=float(counts[i] / counts.max()),
        )
        for i in np.flatnonzero(counts > _PEAK * usual)
    ]
