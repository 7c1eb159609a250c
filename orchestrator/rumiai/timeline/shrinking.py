"""Shrink the markers to their size limit, step by step, until they fit."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

MAX_MARKER_BYTES: Final = 50 * 1024

_OPTIONAL: Final = ("confidence", "position", "intensity", "target", "bbox", "context")


def size_bytes(value: object) -> int:
    """Length of the JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())


def shrunk(markers: dict[str, Any], limit_bytes: int) -> dict[str, Any]:
    """The markers themselves when they fit, else a copy reduced step by step until they do.

    Texts go first, then gestures, calls to action, optional members, and last all of them harder. What still does not
    fit is the curve of a very long video: it is thinned.
    """
    if size_bytes(markers) <= limit_bytes:
        return markers
    out = copy.deepcopy(markers)
    for step in (_fewer_texts, _fewer_gestures, _fewer_ctas, _no_options, _aggressive):
        step(out)
        if size_bytes(out) <= limit_bytes:
            return out
    while size_bytes(out) > limit_bytes and len(out["engagement_curve"]) > 1:
        out["engagement_curve"] = out["engagement_curve"][::2]
        out["metadata"]["engagement_curve_step_s"] = 2 * out["metadata"].get("engagement_curve_step_s", 5.0)
    return out


def _cut(length: int, *paths: tuple[str, str]) -> Callable[[dict[str, Any]], None]:
    def cut(markers: dict[str, Any]) -> None:
        for part, key in paths:
            del markers[part][key][length:]

    return cut


_TEXTS: Final = (("first_5_seconds", "text_moments"), ("cta_window", "text_overlays"))
_fewer_texts: Final = _cut(5, *_TEXTS)
_fewer_gestures: Final = _cut(3, ("first_5_seconds", "gesture_moments"))
_fewer_ctas: Final = _cut(3, ("cta_window", "cta_appearances"))


def _no_options(markers: dict[str, Any]) -> None:
    for item in _dictionaries(markers):
        for key in _OPTIONAL:
            item.pop(key, None)


def _dictionaries(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _dictionaries(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _dictionaries(inner)


def _aggressive(markers: dict[str, Any]) -> None:
    markers["cta_window"].pop("gesture_sync", None)
    for peak in markers["peak_moments"]:
        del peak["events"][5:]
    scene_changes = markers["first_5_seconds"]["scene_changes"]
    del scene_changes[50:]
