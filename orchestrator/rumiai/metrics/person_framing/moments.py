"""Moments of the framing: highlights, and what happens to it.

Source: docs/analyses.md, personFramingKeyEvents. Spans are ``(n, 2)`` start and end in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rumiai.contracts.blocks.types import Level
from rumiai.core.arrays import Floats
from rumiai.metrics.person_framing.blocks import CriticalFramingMoment, FramingHighlight, FramingHighlightType, Run
from rumiai.metrics.person_framing.shots import Transition
from rumiai.metrics.shared.bins import Bins, span

_OPENING_S: Final = 3.0
_LONG_S, _SHORT_S = 5.0, 2.0  # lengths of highlights of high and of low impact


def runs_of_spans(spans_s: Floats) -> list[Run]:
    """Spans as the blocks hold them.

    Args:
        spans_s: ``(n, 2)`` start and end, seconds.

    Returns:
        Start, end and duration of each in seconds, in the order given; empty for none.
    """
    return [Run(start=start, end=end, duration=end - start) for start, end in spans_s.tolist()]


def impact_of(start_s: float, end_s: float) -> Level:
    """Impact of a highlight: what opens the video, or lasts, weighs most.

    Source: docs/analyses.md, personFramingKeyEvents, ``framingHighlights``; a model may judge it anew.

    Args:
        start_s: Start, seconds.
        end_s: End, seconds.

    Returns:
        High in the first 3 s or from a length of 5 s, medium from 2 s, else low.
    """
    if start_s < _OPENING_S or end_s - start_s >= _LONG_S:
        return "high"
    return "medium" if end_s - start_s >= _SHORT_S else "low"


def highlights(
    *, close_ups_s: Floats, groups_s: Floats, eye_contact_s: Floats, transitions: Sequence[Transition], bins: Bins
) -> list[FramingHighlight]:
    """Close-ups, group shots, stretches of eye contact, and returns of somebody who was there before.

    Source: docs/analyses.md, personFramingKeyEvents, ``framingHighlights``.

    Args:
        close_ups_s: ``(n, 2)`` runs of close.
        groups_s: ``(m, 2)`` runs with two or more faces.
        eye_contact_s: ``(l, 2)`` runs in which the main face looks into the camera.
        transitions: Changes of the shot type, by time.
        bins: The one-second bins, which label a return.

    Returns:
        The highlights by start; empty for none.
    """
    kinds: tuple[tuple[FramingHighlightType, Floats], ...] = (
        ("close_up", close_ups_s), ("group_shot", groups_s), ("eye_contact_run", eye_contact_s),
    )  # fmt: skip
    found: list[tuple[float, FramingHighlightType, str, Level]] = [
        (start, kind, span(start, end), impact_of(start, end)) for kind, spans in kinds for start, end in spans.tolist()
    ]
    # Before the first change there is somebody, or there is after it: from the second on it is a return.
    found += [(t.time_s, "return", bins.label_at(t.time_s), "medium") for t in transitions[1:] if t.before == "none"]
    return [FramingHighlight(timestamp=at, type=kind, impact=impact) for _, kind, at, impact in sorted(found)]


def critical_moments(transitions: Sequence[Transition], close_ups_s: Floats) -> list[CriticalFramingMoment]:
    """People who come and go, the first close-up, and zooms.

    Source: docs/analyses.md, personFramingKeyEvents, ``criticalFramingMoments``.

    Args:
        transitions: Changes of the shot type, by time.
        close_ups_s: ``(n, 2)`` runs of close.

    Returns:
        The moments by time, then by name; empty for none.
    """
    found = []
    for change in transitions:
        if "none" in (change.before, change.after):
            event = "person_enter" if change.before == "none" else "person_exit"
            found.append((change.time_s, event, change.after))
        elif change.kind is not None and change.kind != "cut":
            found.append((change.time_s, change.kind, change.after))
    if len(close_ups_s):
        found.append((float(close_ups_s[0, 0]), "first_close", "close"))
    return [CriticalFramingMoment(timestamp=at, event=event, framing=shot) for at, event, shot in sorted(found)]
