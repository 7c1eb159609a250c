"""Scene detection: scenes, shots or bare cuts to contiguous scenes."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from rumiai.contracts.facts import MediaFacts
from rumiai.core.json_values import JsonValue
from rumiai.core.numbers import number
from rumiai.legacy.normalising.common import (
    Record,
    facts_of,
    failure,
    first,
    integer,
    listed,
    metadata_of,
    without,
)

_LISTS: Final = ("scenes", "shots", "cuts")
# Two files' roundings of one instant differ by less.
_SAME_INSTANT_S: Final = 0.01


def normalise_scenes(data: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """Canonical scenes; changes are the starts but the first, whatever the file lists (it may list 0.0)."""
    facts = facts_of(data, facts)
    given = listed(data, *_LISTS)
    cuts = _cut_times(data)
    metadata = metadata_of(data, facts, answered=given is not None or cuts is not None)
    if not metadata["processed"]:
        return {"metadata": metadata}
    scenes = [_scene(item, place) for place, item in enumerate(given or [], start=1)]
    if not scenes:
        # A single shot is one scene; older files list none.
        scenes = _scenes_between(cuts or [], facts.duration_s)
        if not scenes:
            return failure({**data, "error": "no scenes, and no duration to make one of"}, facts)
    starts = [number(scene["start_time"]) for scene in scenes[1:]]
    changes = _listed_changes(data)
    if changes is None or len(changes) != len(starts) or not all(map(_same, changes, starts)):
        changes = [start for start in starts if start is not None]
    out = {
        **without(data, "metadata", *_LISTS),
        "scenes": scenes,
        "scene_changes": changes,
        "total_scenes": len(scenes),
        "metadata": metadata,
    }
    scores = out.get("scene_change_scores", changes)
    if not isinstance(scores, list) or len(scores) != len(changes):
        del out["scene_change_scores"]
    return out


def _same(listed_s: float, start_s: float | None) -> bool:
    return start_s is not None and abs(listed_s - start_s) <= _SAME_INSTANT_S


def _listed_changes(data: Record) -> list[float] | None:
    value = data.get("scene_changes")
    if not isinstance(value, list | tuple):
        return None
    times = [number(first(item, "timestamp", "time") if isinstance(item, dict) else item) for item in value]
    return [time for time in times if time is not None and time > 0]


def _cut_times(data: Record) -> list[float] | None:
    """Bare cut instants: ``cuts`` as numbers, else ``scene_changes``."""
    for key in ("cuts", "scene_changes"):
        value = data.get(key)
        if isinstance(value, list | tuple) and not any(isinstance(item, dict) for item in value):
            return sorted(time for item in value if (time := number(item)) is not None and time > 0)
    return None


def _scenes_between(cuts: list[float], duration_s: float | None) -> list[dict[str, JsonValue]]:
    if duration_s is None:
        return []
    edges = [0.0, *(cut for cut in cuts if cut < duration_s), duration_s]
    return [
        _scene({"start_time": start, "end_time": end}, place)
        for place, (start, end) in enumerate(pairwise(edges), start=1)
    ]


def _scene(item: Record, place: int) -> dict[str, JsonValue]:
    start = number(first(item, "start_time", "start", "start_seconds"))
    end = number(first(item, "end_time", "end", "end_seconds"))
    duration = number(item.get("duration"))
    if duration is None and start is not None and end is not None:
        duration = end - start
    kept = without(item, "start", "end", "start_seconds", "end_seconds", "scene_id")
    frames = {key: integer(item[key]) for key in ("start_frame", "end_frame") if key in item}
    numbers = {"scene_number": place, "scene_index": place - 1}
    return {**kept, **numbers, "start_time": start, "end_time": end, "duration": duration, **frames}
