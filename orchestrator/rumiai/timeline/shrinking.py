"""Shrink the markers to their size limit, step by step, until they fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from rumiai.timeline.marker_types import Markers

_T = TypeVar("_T")

MAX_MARKER_BYTES: Final = 50 * 1024


def size_bytes(value: object) -> int:
    """Length of the JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())


def shrunk(markers: Markers, limit_bytes: int) -> Markers:
    """The markers themselves when their JSON fits, else reduced step by step until it does.

    Texts go first, then gestures, calls to action, optional members, and last all of them harder. What still does not
    fit is the curve of a very long video: it is thinned.
    """
    if _fits(markers, limit_bytes):
        return markers
    for step in (_fewer_texts, _fewer_gestures, _fewer_ctas, _no_options, _aggressive):
        markers = step(markers)
        if _fits(markers, limit_bytes):
            return markers
    while len(markers.curve) > 1 and not _fits(markers, limit_bytes):
        markers = replace(markers, curve=markers.curve[::2], curve_step_s=2 * markers.curve_step_s)
    return markers


def _fits(markers: Markers, limit_bytes: int) -> bool:
    return size_bytes(markers.to_dict()) <= limit_bytes


def _most(items: Sequence[_T] | None, count: int) -> Sequence[_T] | None:
    return None if items is None else items[:count]


def _fewer_texts(markers: Markers) -> Markers:
    first, window = markers.first, markers.window
    return replace(
        markers, first=replace(first, texts=_most(first.texts, 5)), window=replace(window, texts=_most(window.texts, 5))
    )


def _fewer_gestures(markers: Markers) -> Markers:
    return replace(markers, first=replace(markers.first, gestures=_most(markers.first.gestures, 3)))


def _fewer_ctas(markers: Markers) -> Markers:
    return replace(markers, window=replace(markers.window, calls=_most(markers.window.calls, 3)))


def _no_options(markers: Markers) -> Markers:
    return replace(markers, has_options=False)


def _aggressive(markers: Markers) -> Markers:
    return replace(
        markers,
        first=replace(markers.first, changes_s=_most(markers.first.changes_s, 50)),
        window=replace(markers.window, sync=None),
        peaks=markers.peaks and [replace(peak, events=peak.events[:5]) for peak in markers.peaks],
    )
