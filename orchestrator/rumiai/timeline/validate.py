"""Check a timeline: order, known types, times within the video."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

from rumiai.contracts.timeline import Timeline, TimelineEntry


def timeline_problems(timeline: Timeline | Mapping[str, Any], entry_types: Collection[str]) -> list[str]:
    """What is wrong with a timeline, or with its JSON form; [] when nothing is.

    Args:
        timeline: The timeline.
        entry_types: Those that may be on it: what the registered services make.
    """
    if isinstance(timeline, Timeline):
        return _problems(timeline.video_id, timeline.duration_s, list(timeline.entries), entry_types)
    problems, entries = [], []
    listed = timeline.get("entries")
    if not isinstance(listed, list):
        return [f"entries: got {type(listed).__name__}, expected a list"]
    for place, item in enumerate(listed):
        try:
            entries.append(TimelineEntry.from_dict(item))
        except (ValueError, AttributeError) as error:
            problems.append(f"entries[{place}]: {str(error)[:200]}")
    return problems + _problems(timeline.get("video_id"), timeline.get("duration"), entries, entry_types)


def _problems(
    video_id: object, duration_s: object, entries: list[TimelineEntry], entry_types: Collection[str]
) -> list[str]:
    problems = [] if video_id else ["video_id: got nothing, expected the video's id"]
    if isinstance(duration_s, bool) or not isinstance(duration_s, int | float) or duration_s <= 0:
        return [*problems, f"duration: got {duration_s!r}, expected seconds > 0"]
    for place, (one, two) in enumerate(pairwise(entries)):
        if two.start_s < one.start_s:
            problems.append(f"entries[{place + 1}]: starts at {two.start_s}, before the one it follows ({one.start_s})")
    for place, entry in enumerate(entries):
        if entry.entry_type not in entry_types:
            problems.append(
                f"entries[{place}]: got type {entry.entry_type!r}, expected one of {', '.join(entry_types)}"
            )
        if max(entry.start_s, entry.end_s or 0.0) > duration_s:
            problems.append(f"entries[{place}]: ends after the video ({duration_s} s)")
    return problems
