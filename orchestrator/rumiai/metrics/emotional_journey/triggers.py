"""What may have caused a change of emotion.

Source: docs/analyses.md, emotionalKeyEvents, ``trigger``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rumiai.core.arrays import Floats
from rumiai.metrics.evidence.sound import Segment
from rumiai.metrics.evidence.types import TextTrack

_BEFORE_S: Final = 1.0  # how long after an event a change may be its effect
_QUOTED_WORDS: Final = 6
_EPSILON_S: Final = 1e-9


@dataclass(frozen=True)
class Event:
    """Something that happens at an instant (seconds), in words."""

    time_s: float
    name: str


def visible_events(
    cuts_s: npt.ArrayLike, texts: Iterable[TextTrack] = (), segments: Iterable[Segment] = ()
) -> list[Event]:
    """Cuts, texts that appear, and segments that begin.

    Args:
        cuts_s: ``(n,)`` cut instants in seconds.
        texts: Overlay texts.
        segments: Transcript segments; the first six words of each are quoted.

    Returns:
        The events; of simultaneous ones cuts come first, then texts. Empty for none.
    """
    events = [Event(float(cut), "scene_change") for cut in np.asarray(cuts_s, dtype=np.float64)]
    events += [Event(text.start_s, f'text "{text.text}"') for text in texts]
    return events + [
        Event(segment.start_s, f'speech "{" ".join(segment.text.split()[:_QUOTED_WORDS])}"') for segment in segments
    ]


def triggers(times_s: Sequence[float], events: Sequence[Event], onsets_s: Floats) -> list[str]:
    """The nearest event within 1 s before each instant.

    The energy of almost any sound rises somewhere within a second, so that a rise is named only where no other event
    happens.

    Args:
        times_s: ``(n,)`` instants to be explained, seconds.
        events: Events in any order; of simultaneous ones the first is named.
        onsets_s: ``(m,)`` instants at which the energy of the sound rises, seconds, ascending.

    Returns:
        ``(n,)`` name of the event, "energy_rise", or "unknown" without either.
    """
    # The last of equals is found, which is what stands first in the list.
    ordered = sorted(reversed(events), key=lambda event: event.time_s)
    starts_s = np.array([event.time_s for event in ordered])
    named = [last_before(starts_s, time_s) for time_s in times_s]
    rising = [last_before(onsets_s, time_s) for time_s in times_s]
    return [
        ordered[event].name if event is not None else "energy_rise" if rise is not None else "unknown"
        for event, rise in zip(named, rising, strict=True)
    ]


def last_before(events_s: Floats, time_s: float) -> int | None:
    """The last event that can have caused what happens at an instant: at most 1 s earlier, or at the same time.

    Args:
        events_s: ``(n,)`` instants of the events in seconds, ascending.
        time_s: The instant, seconds.

    Returns:
        Index of the event; None without one in that second.
    """
    index = int(np.searchsorted(events_s, time_s + _EPSILON_S, side="right")) - 1
    return index if index >= 0 and events_s[index] >= time_s - _BEFORE_S - _EPSILON_S else None
