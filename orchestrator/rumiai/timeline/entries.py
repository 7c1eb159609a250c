"""What timeline entries of several services share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rumiai.contracts.payloads import text_of
from rumiai.contracts.services.base import ServiceModel
from rumiai.contracts.services.expressions import EmotionSample
from rumiai.contracts.services.people import FaceExpression
from rumiai.contracts.timeline import TimelineEntry

# Sightings this many sampling steps apart are consecutive: a nearest frame is never exactly on the grid.
CONSECUTIVE_STEPS: Final = 1.5


def is_left_out(entry: TimelineEntry) -> bool:
    """Whether counts and markers leave the entry out: a text that is no overlay, or a platform's watermark."""
    return entry.entry_type == "text" and not text_of(entry).is_overlay


def picked(item: ServiceModel, *names: str) -> dict[str, Any]:
    """The named members that the service's data has set, as JSON types."""
    return {name: _plain(getattr(item, name)) for name in names if name in item.model_fields_set}


def _plain(value: Any) -> Any:
    # Tuples become lists, so that an entry equals what is read back of it.
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def emotion_entries(
    items: Iterable[EmotionSample | FaceExpression], step_s: float, marks: Mapping[str, str | None]
) -> Iterator[TimelineEntry]:
    """Each sample's emotion until the next sample.

    Args:
        items: The samples.
        step_s: Sampling step; 0 when unknown, then an emotion is an instant.
        marks: Who saw it, where the sample does not say.
    """
    keys = ("emotion", "confidence", "all_scores", "action_units", "au_intensities", "valence", "face_index", "source")
    for item in items:
        payload = {**marks, **picked(item, *keys)}
        payload["has_action_units"] = bool(item.action_units)
        end_s = item.timestamp_s + step_s if step_s else None
        yield TimelineEntry(item.timestamp_s, "emotion", payload, end_s, item)
