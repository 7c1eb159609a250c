"""The temporal markers of one video, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rumiai.core.json_values import JsonValue
from rumiai.timeline.cta import CtaWindow
from rumiai.timeline.moments import GestureMoment, ObjectCount, TextMoment, listed

CURVE_STEP_S: Final = 5.0

# What markers that are too large go without.
_OPTIONAL: Final = ("confidence", "position", "intensity", "target", "bbox", "context")


@dataclass(frozen=True)
class SpeechExcerpt:
    """The beginning of what a segment says; ``end_s`` is None for an instant."""

    start_s: float
    end_s: float | None
    text: str

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {"start": self.start_s, "end": self.end_s, "text": self.text}


@dataclass(frozen=True)
class FirstSeconds:
    """The markers of the first five seconds; the first, third and fourth list have an item for each of them.

    What was not looked at is None.
    """

    density: Sequence[int | None]
    texts: Sequence[TextMoment] | None
    emotions: Sequence[str | None]
    emotion_sources: Sequence[str | None]
    gestures: Sequence[GestureMoment] | None
    objects: Sequence[ObjectCount] | None
    speech: Sequence[SpeechExcerpt] | None
    changes_s: Sequence[float] | None

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {
            "density_progression": list(self.density),
            "text_moments": listed(self.texts),
            "emotion_sequence": list(self.emotions),
            "emotion_sources": list(self.emotion_sources),
            "gesture_moments": listed(self.gestures),
            "object_appearances": listed(self.objects),
            "speech_segments": listed(self.speech),
            "scene_changes": None if self.changes_s is None else list(self.changes_s),
        }


@dataclass(frozen=True)
class PeakEvent:
    """A thing that is present in a peak's second, and how many of it."""

    kind: str
    name: str
    count: int

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        return {"type": self.kind, "value": self.name, "count": self.count}


@dataclass(frozen=True)
class Peak:
    """A second in which much begins; ``intensity`` is the weighted number of starts."""

    start_s: float
    intensity: float
    events: Sequence[PeakEvent]

    def to_dict(self) -> dict[str, JsonValue]:
        """JSON form."""
        events = [event.to_dict() for event in self.events]
        return {"timestamp": self.start_s, "intensity": self.intensity, "events": events}


@dataclass(frozen=True)
class Markers:
    """All markers, in the order of the file.

    Attributes:
        first: Of the first five seconds.
        window: Of the call-to-action window.
        peaks: The highest first; None when no second was looked at.
        curve: 0..1 for every ``curve_step_s`` seconds; None where not looked at.
        video_id: The safe id.
        duration_s: Of the video.
        generated_at: As it was given.
        available: Service -> whether it ran and succeeded.
        missing: Service without data -> the reason.
        unobserved: Window of the markers -> services with data that looked at nothing of it.
        curve_step_s: Larger than ``CURVE_STEP_S`` where the curve was thinned.
        has_options: Whether members that a reader can do without are written.
    """

    first: FirstSeconds
    window: CtaWindow
    peaks: Sequence[Peak] | None
    curve: Sequence[float | None]
    video_id: str
    duration_s: float
    generated_at: str | None
    available: Mapping[str, bool]
    missing: Mapping[str, str]
    unobserved: Mapping[str, Sequence[str]]
    curve_step_s: float = CURVE_STEP_S
    has_options: bool = True

    def to_dict(self) -> dict[str, JsonValue]:
        """The file ``temporal_markers/<id>.json``."""
        about: dict[str, JsonValue] = {
            "video_id": self.video_id,
            "duration": self.duration_s,
            "generated_at": self.generated_at,
            "ml_data_available": dict(self.available),
            "missing": dict(self.missing),
            "unobserved": {window: list(services) for window, services in self.unobserved.items()},
        }
        if self.curve_step_s != CURVE_STEP_S:
            about["engagement_curve_step_s"] = self.curve_step_s
        out: dict[str, JsonValue] = {
            "first_5_seconds": self.first.to_dict(),
            "cta_window": self.window.to_dict(),
            "peak_moments": listed(self.peaks),
            "engagement_curve": list(self.curve),
            "metadata": about,
        }
        return out if self.has_options else {key: _without_options(value) for key, value in out.items()}


def _without_options(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key: _without_options(inner) for key, inner in value.items() if key not in _OPTIONAL}
    return [_without_options(inner) for inner in value] if isinstance(value, list) else value
