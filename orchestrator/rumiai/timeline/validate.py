"""The two pure steps between any service's raw data and the timeline, and the check of a timeline (timeline.md 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.results import ServiceName
from rumiai.contracts.timeline import ENTRY_TYPES, Timeline, TimelineEntry
from rumiai.legacy.normalising.audio import normalise_audio_energy, normalise_emotion
from rumiai.legacy.normalising.common import Record
from rumiai.legacy.normalising.mediapipe import normalise_mediapipe
from rumiai.legacy.normalising.ocr import normalise_ocr
from rumiai.legacy.normalising.scenes import normalise_scenes
from rumiai.legacy.normalising.whisper import normalise_whisper
from rumiai.legacy.normalising.yolo import normalise_yolo
from rumiai.timeline.checks import violations

_NORMALISERS: Final[Mapping[ServiceName, Callable[[Record, MediaFacts], dict[str, Any]]]] = {
    "yolo": normalise_yolo, "whisper": normalise_whisper, "ocr": normalise_ocr, "mediapipe": normalise_mediapipe,
    "scene_detection": normalise_scenes, "audio_energy": normalise_audio_energy,
    "emotion_detection": normalise_emotion,
}  # fmt: skip


def normalise(service: ServiceName, raw: Record, facts: MediaFacts | None = None) -> dict[str, Any]:
    """The canonical data of ``service``, from any shape that was ever written; a new object, ``raw`` stays as it is.

    An envelope (``{"model_name": .., "data": {..}}``) or a nested ``{"data": {..}}`` is opened first. What cannot be
    known is None and left for :func:`check` to report; data without an answer gives ``processed: false`` with a reason.
    Canonical data comes back equal.
    """
    return _NORMALISERS[service](opened(raw), facts or MediaFacts())


def check(service: ServiceName, data: Record) -> list[str]:
    """What is wrong with canonical data; [] when its contract holds. Violations fail the service."""
    return violations(service, data)


def opened(raw: Record) -> Record:
    """The data inside an envelope or a nested ``data``; what has metadata of its own is data already."""
    inner = raw.get("data")
    if not isinstance(inner, Mapping) or "metadata" in raw:
        return raw
    # An envelope that reports failure outweighs what its data says.
    if raw.get("success") is False or raw.get("error"):
        return {"error": raw.get("error") or "the service reported no success"}
    return opened(inner)


def timeline_problems(timeline: Timeline | Record) -> list[str]:
    """What is wrong with a timeline, or with its JSON form; [] when nothing is (timeline.md 10.3)."""
    if isinstance(timeline, Timeline):
        return _problems(timeline.video_id, timeline.duration_s, list(timeline.entries))
    problems, entries = [], []
    listed = timeline.get("entries")
    if not isinstance(listed, list):
        return [f"entries: got {type(listed).__name__}, expected a list"]
    for place, item in enumerate(listed):
        try:
            entries.append(TimelineEntry.from_dict(item))
        except (ValueError, AttributeError) as error:
            problems.append(f"entries[{place}]: {str(error)[:200]}")
    return problems + _problems(timeline.get("video_id"), timeline.get("duration"), entries)


def _problems(video_id: object, duration_s: object, entries: list[TimelineEntry]) -> list[str]:
    problems = [] if video_id else ["video_id: got nothing, expected the video's id"]
    if isinstance(duration_s, bool) or not isinstance(duration_s, int | float) or duration_s <= 0:
        return [*problems, f"duration: got {duration_s!r}, expected seconds > 0"]
    for place, (one, two) in enumerate(pairwise(entries)):
        if two.start_s < one.start_s:
            problems.append(f"entries[{place + 1}]: starts at {two.start_s}, before the one it follows ({one.start_s})")
    for place, entry in enumerate(entries):
        if entry.entry_type not in ENTRY_TYPES:
            problems.append(
                f"entries[{place}]: got type {entry.entry_type!r}, expected one of {', '.join(ENTRY_TYPES)}"
            )
        if max(entry.start_s, entry.end_s or 0.0) > duration_s:
            problems.append(f"entries[{place}]: ends after the video ({duration_s} s)")
    return problems
