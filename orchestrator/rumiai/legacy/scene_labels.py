"""Labels of the whole picture that version 3 made with CLIP, one frame a second; nothing makes them today."""

from __future__ import annotations

from collections import defaultdict

from rumiai.core.json_values import JsonObject
from rumiai.core.numbers import number
from rumiai.legacy.normalising.common import Record, integer, mapping, records

SceneLabels = list[JsonObject]


def read_scene_labels(raw: Record) -> SceneLabels:
    """What the frames show, the surest first.

    Args:
        raw: The content of a ``<id>_labels.json``; an envelope's ``data`` is looked into.

    Returns:
        For each label ``description``, ``confidence`` (mean over all frames, 0 where a frame lacks it, so that one sure
        frame does not outrank a constant theme), ``frame_count`` and ``coverage`` (share of the frames). Without the
        frames' own labels the summary as it was written, without coverage. Empty when the file says nothing.
    """
    data = mapping(raw.get("data")) or raw
    frames = [records(frame.get("labels")) for frame in records(data.get("frame_labels"))]
    found = _of_frames(frames) if any(frames) else _as_written(data)
    return sorted(found, key=lambda label: (-(number(label["confidence"]) or 0.0), str(label["description"])))


def _of_frames(frames: list[list[Record]]) -> SceneLabels:
    scores: dict[str, list[float]] = defaultdict(list)
    for labels in frames:
        for label in labels:
            score = number(label.get("confidence"))
            if isinstance(name := label.get("label"), str) and score is not None:
                scores[name].append(score)
    count = len(frames)
    return [
        {
            "description": name,
            "confidence": sum(found) / count,
            "frame_count": len(found),
            "coverage": len(found) / count,
        }
        for name, found in scores.items()
    ]


def _as_written(data: Record) -> SceneLabels:
    return [
        {
            "description": name,
            "confidence": number(item.get("confidence")),
            "frame_count": integer(item.get("frame_count")),
        }
        for item in records(data.get("labels"))
        if isinstance(name := item.get("description"), str)
    ]
