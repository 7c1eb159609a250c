"""What the readers of all services share: numbers, times, boxes, metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.timeline import Timestamp
from rumiai.core.json_values import JsonObject, JsonValue
from rumiai.core.numbers import number

Record = JsonObject
PixelLayout = Literal["xyxy", "xywh"]

# A normalised box never leaves 0..1 by this much; what does is in pixels.
_PIXELS_ABOVE: Final = 1.5
_TIME_KEYS: Final = ("timestamp", "time", "start_time", "frame_time", "t")
_FRAME_KEYS: Final = ("frame_number", "actual_frame_number", "frame")
_NAMED_TIME: Final = re.compile(r"_t(\d+(?:\.\d+)?)(?:\.\D\w*)?$")  # frame_0012_t3.40.jpg


def integer(value: object) -> int | None:
    """A whole number, also from text."""
    found = number(value)
    return int(found) if found is not None else None


def first(item: Record, *keys: str) -> Any:
    """The first of ``keys`` that is there and not None."""
    return next((item[key] for key in keys if item.get(key) is not None), None)


def records(value: object) -> list[Record]:
    """The mappings of a list; [] when it is no list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def mapping(value: object) -> dict[str, JsonValue]:
    """A copy of a mapping; {} when it is none."""
    return dict(value) if isinstance(value, Mapping) else {}


def listed(data: Record, *keys: str) -> list[Record] | None:
    """The first of ``keys`` that holds a list, as records; None when there is none: nothing was said."""
    return next((records(data[key]) for key in keys if isinstance(data.get(key), list | tuple)), None)


def box_of(value: object) -> list[float] | None:
    """A canonical box that this package has made; None for anything else."""
    return value if isinstance(value, list) else None


def without(item: Record, *keys: str) -> dict[str, JsonValue]:
    """A deep copy of ``item`` less ``keys``: members that this version does not know are kept."""
    return {key: copied(value) for key, value in item.items() if key not in keys}


def copied(value: Any) -> Any:
    """A deep copy of JSON types, faster than ``copy.deepcopy``: a long video holds millions of landmarks."""
    if isinstance(value, int | float | str | None):  # most of them, and the cheapest test
        return value
    if isinstance(value, Mapping):
        return {key: copied(inner) for key, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list | tuple) else value


def seconds_of(item: Record, facts: MediaFacts, *, extracted: bool = False) -> float | None:
    """When an annotation was seen, in seconds; None when it does not say.

    Looks for a time, then for the time in a frame file's name, then divides a frame number by the source's rate.
    ``extracted`` numbers are 1-based positions in the list of extracted frames and divide by the sampling rate.
    """
    stamp = Timestamp.from_value(first(item, *_TIME_KEYS))
    if stamp is not None:
        return stamp.seconds
    if isinstance(name := item.get("frame"), str) and (match := _NAMED_TIME.search(name)):
        return float(match[1])
    index, rate = number(first(item, *_FRAME_KEYS)), facts.sample_fps if extracted else facts.fps
    if index is None or rate is None:
        return None
    return max(0.0, index - 1 if extracted else index) / rate


def frame_number_of(item: Record, t_s: float | None, facts: MediaFacts) -> int | None:
    """Index of the annotation's frame in the source; from its time when only that is known."""
    index = integer(first(item, *_FRAME_KEYS))
    if index is None and t_s is not None and facts.fps is not None:
        return round(t_s * facts.fps)
    return index


def canonical_box(value: object, facts: MediaFacts, pixels: PixelLayout) -> list[float] | None:
    """``[x, y, w, h]`` in shares of the frame, clipped to it, from any shape that was ever written.

    Takes four numbers, four or more corner points, ``{x1, y1, x2, y2}``, ``{left, top, right, bottom}`` and
    ``{x, y, width, height}`` or ``{x, y, w, h}``. A number above 1.5 means pixels; four numbers in pixels are read as
    ``pixels`` says, for services differ. None when it is no box, is in pixels and the frame size is unknown, or lies
    so far outside of the frame that it is in pixels of another one.
    """
    corners = _corners(value, pixels)
    if corners is None:
        return None
    x1, y1, x2, y2 = corners
    if max(abs(part) for part in corners) > _PIXELS_ABOVE:
        if facts.width is None or facts.height is None:
            return None
        x1, x2, y1, y2 = x1 / facts.width, x2 / facts.width, y1 / facts.height, y2 / facts.height
        if max(x2, y2) > _PIXELS_ABOVE:
            return None
    elif _is_canonical(value):
        return [float(part) for part in value]  # type: ignore[attr-defined]  # exactly as written: reading changes nothing
    left, top, right, bottom = (min(1.0, max(0.0, part)) for part in (x1, y1, x2, y2))
    return [left, top, right - left, bottom - top]


def _is_canonical(value: object) -> bool:
    if not isinstance(value, list | tuple) or len(value) != 4 or not all(isinstance(v, int | float) for v in value):
        return False
    x, y, w, h = value
    # float32 boxes may pass the edge by a rounding error
    return bool(min(value) >= 0 and x + w <= 1 + 1e-6 and y + h <= 1 + 1e-6)


def _corners(value: object, pixels: PixelLayout) -> tuple[float, float, float, float] | None:
    if isinstance(value, Mapping):
        return _corners_of_mapping(value)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    if len(value) >= 3 and all(isinstance(point, Sequence) and len(point) == 2 for point in value):
        xs, ys = [number(point[0]) for point in value], [number(point[1]) for point in value]
        return _ordered(_smallest(xs), _smallest(ys), _largest(xs), _largest(ys))
    if len(value) == 8:
        return _corners([value[i : i + 2] for i in range(0, 8, 2)], pixels)
    if len(value) != 4:
        return None
    a, b, c, d = (number(part) for part in value)
    if a is None or b is None or c is None or d is None:
        return None
    if pixels == "xyxy" and max(abs(part) for part in (a, b, c, d)) > _PIXELS_ABOVE:
        return _ordered(a, b, c, d)
    return _ordered(a, b, a + c, b + d)


def _corners_of_mapping(value: Record) -> tuple[float, float, float, float] | None:
    for names in (("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"), ("xmin", "ymin", "xmax", "ymax")):
        if all(name in value for name in names):
            return _ordered(*(number(value[name]) for name in names))
    x, y = number(value.get("x")), number(value.get("y"))
    w, h = number(first(value, "width", "w")), number(first(value, "height", "h"))
    if x is None or y is None or w is None or h is None:
        return None
    return _ordered(x, y, x + w, y + h)


def _ordered(
    x1: float | None, y1: float | None, x2: float | None, y2: float | None
) -> tuple[float, float, float, float] | None:
    if x1 is None or y1 is None or x2 is None or y2 is None or x2 < x1 or y2 < y1:
        return None
    return x1, y1, x2, y2


def _smallest(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return min(known) if known else None


def _largest(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def metadata_of(data: Record, facts: MediaFacts, answered: bool) -> dict[str, JsonValue]:
    """The service's metadata with what is known of the file filled in.

    ``processed`` is what the data says; data that says nothing was processed when it holds an answer (``answered``)
    and no error.
    """
    given = data.get("metadata")
    out = without(given) if isinstance(given, Mapping) else {}
    failed = out.get("error") or data.get("error") or out.get("success") is False
    if not isinstance(out.get("processed"), bool):
        out["processed"] = answered and not failed
    elif not answered:
        out["processed"] = False
    if not out["processed"]:
        out.setdefault("error", str(data.get("error") or "the file holds no answer of this service"))
        return out
    known = {"width": facts.width, "height": facts.height, "fps": facts.fps, "duration": facts.duration_s}
    for name, value in known.items():
        if out.get(name) is None and value is not None:
            out[name] = value
    return out


def failure(data: Record, facts: MediaFacts) -> dict[str, JsonValue]:
    """The canonical data of a service that failed."""
    return {"metadata": metadata_of(data, facts, answered=False)}


def facts_of(data: Record, facts: MediaFacts) -> MediaFacts:
    """``facts``, with what is unknown taken from the service's own metadata.

    A frame size that the service states outweighs the video's: its boxes are in pixels of the frames that it saw.
    """
    given = data.get("metadata")
    meta = {**data, **given} if isinstance(given, Mapping) else data
    names = {"duration_s": "duration", "fps": "fps", "width": "width", "height": "height", "sample_fps": "sample_fps"}
    found = {name: number(meta.get(key)) for name, key in names.items()}
    positive = {name: value if value and value > 0 else None for name, value in found.items()}
    width, height = (int(positive[side] or 0) or None for side in ("width", "height"))
    known = MediaFacts(positive["duration_s"], positive["fps"], width, height, positive["sample_fps"])
    seen = replace(facts, width=width, height=height) if width and height else facts
    return seen.filled_from(known)
