"""Videos as the pipeline hands them to ``rumiai.insights``, measured by the real families."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from rumiai.contracts.metadata import VideoMetadata
from rumiai.insights import AnswerStore, ApiKey, ClaudeSettings, Files, VideoInput
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.registry import ANALYSES, family
from rumiai.results.store import read_json, write_json
from rumiai.timeline.markers import compute_markers

from ..unit.metrics_videos import analysis, expression, face, gesture, objects, segment, sticker, text
from .claude_server import KEY

CAPTION = "Wait for it! This trick saves you money #savings #money"


def video(*only: str, **changes: Any) -> VideoInput:
    """A dozen seconds in which something of everything happens; the analyses named, else all that are there."""
    return _measured(only, changes) if changes else _unchanged(only)


@functools.cache
def _unchanged(only: tuple[str, ...]) -> VideoInput:
    return _measured(only, {})


def _measured(only: tuple[str, ...], changes: dict[str, Any]) -> VideoInput:
    content: dict[str, Any] = {
        "texts": [
            text("STOP SCROLLING", 0.0, 2.5),
            text("three cheap tricks", 3.0, 6.0),
            text("follow me", 9.5, 12.0),
        ],
        "stickers": [sticker(4.0, 6.0)],
        "detections": objects("cup", [i / 2 for i in range(24)]),
        "faces": [face(i / 2, 0.2) for i in range(24)],
        "gestures": [gesture(i / 2) for i in range(4, 9)],
        "expressions": [expression(i / 2, "joy" if i > 8 else "neutral") for i in range(24)],
        "segments": [
            segment("Wait for it, this is the trick that saves you money.", 0.4, 3.9),
            segment("First you take a cup, then you fill it.", 5.0, 8.2),
            segment("Follow me for more.", 10.0, 11.5),
        ],
        "cuts": [1.0, 2.0, 2.8, 6.0, 9.0],
        "metadata": replace(
            VideoMetadata.local("v"),
            description=CAPTION,
            username="jane_doe",
            views=1000,
            likes=80,
            comments=5,
            shares=2,
        ),
        **changes,
    }
    unified = analysis(12.0, **content)
    unified = replace(unified, temporal_markers=compute_markers(unified))
    evidence = read_evidence(unified)
    results = {name: family(name).compute(evidence) for name in only or ANALYSES}
    return VideoInput(unified, results)


def settings(url: str, **changes: Any) -> ClaudeSettings:
    quick: dict[str, Any] = {
        "mode": "on", "api_key": ApiKey(KEY), "base_url": url, "max_retries": 2, "deadline_s": 5.0,
        "read_timeout_s": 2.0,
    }  # fmt: skip
    return ClaudeSettings(**{**quick, **changes})


def store(folder: Path) -> AnswerStore:
    return AnswerStore(folder, Files(read_json, write_json))
