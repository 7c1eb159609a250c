"""Moments of visual_overlay_analysis; every quoted text is one that OCR read."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.core.intervals import touched
from rumiai.metrics.evidence.types import TextTrack
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.phrases import find_hooks
from rumiai.metrics.visual_overlay_analysis.overlays import Overlays

_PUNCHLINE_FROM: Final = 0.8  # share of the video after which the last text may be the punchline
_STICKERS: Final = 5
_REASONS: Final = (("call_to_action", "high"), ("largest_box", "high"), ("first_text", "medium"), ("last_text", "low"))


def key_events(overlays: Overlays) -> dict[str, Any]:
    """The fields of the KeyEvents block."""
    counts = overlays.window_counts
    most = int(counts.max())
    return {
        "impactfulOverlays": impactful(overlays),
        "overlayBursts": [
            {"timestamp": span(start, end), "count": count, "purpose": _purpose(overlays, start, end)}
            for start, end, count in overlays.bursts
        ],
        "keyTextMoments": key_texts(overlays),
        "stickerHighlights": sticker_highlights(overlays),
        "ctaMoments": cta_moments(overlays),
        "overlayPeaks": [
            {"timestamp": overlays.window_span(int(i)), "overlayCount": counts[i], "intensity": counts[i] / most}
            for i in np.flatnonzero(counts > 1.5 * counts.mean())
        ],
        "climaxMoment": overlays.window_span(int(np.argmax(counts))) if most else None,
        "quietMoments": [overlays.window_span(int(i)) for i in np.flatnonzero(counts == 0)],
    }


def _chosen(overlays: Overlays) -> dict[int, str]:
    """Index of a text -> the first reason to name it, in the order of ``_REASONS``."""
    texts = overlays.texts
    if not texts:
        return {}
    numbers = range(len(texts))
    areas = [0.0 if text.box is None else text.box[2] * text.box[3] for text in texts]
    reasons: dict[int, str] = {i: "call_to_action" for i in numbers if overlays.ctas[i]}
    if max(areas) > 0:
        reasons.setdefault(max(numbers, key=lambda i: (areas[i], -i)), "largest_box")
    reasons.setdefault(0, "first_text")
    reasons.setdefault(numbers[-1], "last_text")
    return reasons


def impactful(overlays: Overlays) -> list[dict[str, Any]]:
    """The largest text, calls to action, the first and the last text, in time order."""
    impact = dict(_REASONS)
    return [
        {
            "timestamp": span(overlays.texts[i].start_s, overlays.texts[i].end_s),
            "text": overlays.texts[i].text,
            "impact": impact[reason],
            "reason": reason,
        }
        for i, reason in sorted(_chosen(overlays).items())
    ]


def key_texts(overlays: Overlays) -> list[dict[str, Any]]:
    """The texts named above and those with a hook, with what each does."""
    hooks = {i for i, text in enumerate(overlays.texts) if find_hooks(text.text)}
    return [
        {
            "timestamp": overlays.texts[i].start_s,
            "text": overlays.texts[i].text,
            "function": _function(overlays, i, i in hooks),
        }
        for i in sorted(hooks | set(_chosen(overlays)))
    ]


def _function(overlays: Overlays, index: int, hook: bool) -> str:
    text: TextTrack = overlays.texts[index]
    if overlays.ctas[index]:
        return "cta"
    if hook:
        return "hook"
    if index == len(overlays.texts) - 1 and text.start_s >= _PUNCHLINE_FROM * overlays.duration_s:
        return "punchline"
    return "caption" if text.category == "caption" else "info"


def _purpose(overlays: Overlays, start_s: float, end_s: float) -> str:
    begun = overlays.texts_begun(start_s, end_s)
    return "call_to_action" if any(overlays.ctas[i] for i in begun) else "information" if begun else "decoration"


def sticker_highlights(overlays: Overlays) -> list[dict[str, Any]]:
    """The five stickers that cover most for longest, in time order."""
    with_cta = [(t.start_s, t.end_s) for t, found in zip(overlays.texts, overlays.ctas, strict=True) if found]
    starts, ends = ([getattr(s, name) for s in overlays.stickers] for name in ("start_s", "end_s"))
    beside = touched(with_cta, starts, ends)
    weights = [0.0 if s.box is None else s.box[2] * s.box[3] * (s.end_s - s.start_s) for s in overlays.stickers]
    best = sorted(range(len(weights)), key=lambda i: (-weights[i], i))[:_STICKERS]
    return [
        {
            "timestamp": overlays.stickers[i].start_s,
            "sticker": overlays.stickers[i].kind,
            "purpose": "call_to_action" if beside[i] else "decoration",
        }
        for i in sorted(best)
    ]


def cta_moments(overlays: Overlays) -> list[dict[str, Any]]:
    """Every type of call to action of every text."""
    return [
        {"timestamp": text.start_s, "ctaType": kind, "textContent": text.text}
        for text, found in zip(overlays.texts, overlays.ctas, strict=True)
        for kind in dict.fromkeys(match.kind for match in found)
    ]
