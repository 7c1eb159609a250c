"""What canonical data must fulfil, service by service (ml_outputs.md 13.4). Pure; repairs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice, pairwise
from typing import Any, Final

from rumiai.contracts.lexicons import EMOTIONS
from rumiai.contracts.results import ServiceName
from rumiai.legacy.normalising.common import Record, number, records

BURST_PATTERNS: Final = ("front_loaded", "back_loaded", "middle_peak", "steady", "none")

_LISTS_OF_SECONDS: Final = ("scene_changes", "onsets", "beats")

# Enough to see what is wrong; a YOLO file may break its contract ten thousand times.
_MAX_VIOLATIONS: Final = 20
# A box in float32 may pass the edge of the frame by a rounding error.
_BOX_SLACK: Final = 1e-3
_CONTIGUOUS_S: Final = 0.01
# One frame at the slowest rate that phones record, where the rate is unknown.
_DEFAULT_FRAME_S: Final = 1 / 15

Problems = Iterator[str]


def violations(service: ServiceName, data: Record) -> list[str]:
    """The contract's violations, at most 20 (then one line saying that there are more); [] when it holds.

    Data that says ``processed: false`` fulfils its contract when it names the error.
    """
    metadata = data.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("processed"), bool):
        return [f"metadata.processed: got {_short(data.get('metadata'))}, expected a bool in metadata"]
    if not metadata["processed"]:
        return [] if metadata.get("error") else ["metadata.error: got nothing, expected why the service failed"]
    found = list(islice(_CHECKS[service](data), _MAX_VIOLATIONS + 1))
    return found if len(found) <= _MAX_VIOLATIONS else [*found[:_MAX_VIOLATIONS], "... and more"]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _share(where: str, value: object, *, optional: bool = False) -> Problems:
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        yield f"{where}: got {_short(value)}, expected a number 0..1"


def _time(where: str, value: object) -> Problems:
    if isinstance(value, str) or (found := number(value)) is None or found < 0:
        yield f"{where}: got {_short(value)}, expected seconds >= 0"


def _box(where: str, value: object, *, optional: bool = False) -> Problems:
    if value is None and optional:
        return
    if value is None:
        yield f"{where}: got no box that could be read, expected [x, y, w, h] in 0..1 (in pixels, frame size unknown?)"
        return
    parts = list(value) if isinstance(value, list | tuple) else []
    low, high = -_BOX_SLACK, 1 + _BOX_SLACK
    bad = len(parts) != 4 or any(isinstance(v, str) or (n := number(v)) is None or not low <= n <= high for v in parts)
    if bad or parts[0] + parts[2] > high or parts[1] + parts[3] > high:
        yield f"{where}: got {_short(value)}, expected [x, y, w, h] in 0..1, inside the frame"


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _lists(data: Record, *keys: str) -> Problems:
    for key in keys:
        if not isinstance(data.get(key), list):
            yield f"{key}: got {_short(data.get(key))}, expected a list"
        elif key not in _LISTS_OF_SECONDS:
            for place, item in enumerate(data[key]):
                if not isinstance(item, Mapping):
                    yield f"{key}[{place}]: got {_short(item)}, expected an object"


def _yolo(data: Record) -> Problems:
    yield from _lists(data, "objectAnnotations")
    seen: set[str] = set()
    for place, track in enumerate(records(data.get("objectAnnotations"))):
        where = f"objectAnnotations[{place}]"
        for key in ("trackId", "className"):
            if not isinstance(track.get(key), str) or not track[key]:
                yield f"{where}.{key}: got {_short(track.get(key))}, expected a name"
        if str(track.get("trackId")) in seen:
            yield f"{where}.trackId: got {_short(track.get('trackId'))} twice, expected one track per id"
        seen.add(str(track.get("trackId")))
        yield from _share(f"{where}.confidence", track.get("confidence"))
        frames = records(track.get("frames"))
        if not frames:
            yield f"{where}.frames: got none, expected at least one sighting"
        for index, frame in enumerate(frames):
            inside = f"{where}.frames[{index}]"
            yield from _time(f"{inside}.timestamp", frame.get("timestamp"))
            yield from _box(f"{inside}.bbox", frame.get("bbox"))
            yield from _share(f"{inside}.confidence", frame.get("confidence"))
            if not isinstance(frame.get("frame_number"), int):
                yield f"{inside}.frame_number: got {_short(frame.get('frame_number'))}, expected a frame index"


def _whisper(data: Record) -> Problems:
    for key in ("text", "language"):
        if not isinstance(data.get(key), str):
            yield f"{key}: got {_short(data.get(key))}, expected a string"
    yield from _time("duration", data.get("duration"))
    yield from _lists(data, "segments")
    for place, segment in enumerate(records(data.get("segments"))):
        where = f"segments[{place}]"
        if not isinstance(segment.get("text"), str):
            yield f"{where}.text: got {_short(segment.get('text'))}, expected a string"
        yield from _share(f"{where}.confidence", segment.get("confidence"), optional=True)
        yield from _interval(where, segment.get("start"), segment.get("end"), may_be_instant=False)


def _interval(where: str, start: object, end: object, *, may_be_instant: bool) -> Problems:
    wrong = [*_time(f"{where}.start", start), *_time(f"{where}.end", end)]
    yield from wrong
    if wrong:
        return
    begin, stop = number(start) or 0.0, number(end) or 0.0
    if stop < begin or (stop == begin and not may_be_instant):
        yield f"{where}: got end {stop} after start {begin}, expected end > start"


def _ocr(data: Record) -> Problems:
    yield from _lists(data, "textAnnotations", "stickers")
    for kind in ("textAnnotations", "stickers"):
        is_text = kind == "textAnnotations"
        for place, item in enumerate(records(data.get(kind))):
            where = f"{kind}[{place}]"
            if is_text and not isinstance(item.get("text"), str):
                yield f"{where}.text: got {_short(item.get('text'))}, expected a string"
            yield from _share(f"{where}.confidence", item.get("confidence"), optional=not is_text)
            yield from _box(f"{where}.bbox", item.get("bbox"))
            yield from _interval(where, item.get("start"), item.get("end"), may_be_instant=True)


def _mediapipe(data: Record) -> Problems:
    kinds = ("poses", "faces", "hands", "gestures")
    yield from _lists(data, *kinds)
    for kind in (*kinds, "gaze", "expressions"):
        for place, item in enumerate(records(data.get(kind))):
            where = f"{kind}[{place}]"
            yield from _time(f"{where}.timestamp", item.get("timestamp"))
            yield from _share(f"{where}.confidence", item.get("confidence"), optional=True)
            yield from _box(f"{where}.bbox", item.get("bbox"), optional=True)
            if kind == "gaze":
                yield from _share(f"{where}.eye_contact", item.get("eye_contact"))
    share = data.get("presence_percentage")
    if share is not None and ((found := number(share)) is None or not 0 <= found <= 100):
        yield f"presence_percentage: got {_short(share)}, expected 0..100"


def _audio_energy(data: Record) -> Problems:
    windows = data.get("energy_level_windows")
    if not isinstance(windows, Mapping):
        yield f"energy_level_windows: got {_short(windows)}, expected an object"
    else:
        for key, value in windows.items():
            yield from _share(f"energy_level_windows[{key!r}]", value)
    if data.get("burst_pattern") not in BURST_PATTERNS:
        yield f"burst_pattern: got {_short(data.get('burst_pattern'))}, expected one of {', '.join(BURST_PATTERNS)}"
    # Of no sound, or of nothing but silence, there is no loudest moment.
    silent = data["metadata"].get("has_audio") is False or data.get("burst_pattern") == "none"
    yield from _share("energy_variance", data.get("energy_variance"), optional=silent)
    if not (silent and data.get("climax_timestamp") is None):
        yield from _time("climax_timestamp", data.get("climax_timestamp"))
    for key in ("onsets", "beats"):
        if data.get(key) is not None:
            yield from _lists(data, key)
        for place, value in enumerate(_listed(data.get(key))):
            yield from _time(f"{key}[{place}]", value)


def _scenes(data: Record) -> Problems:
    yield from _lists(data, "scenes", "scene_changes")
    scenes, metadata = records(data.get("scenes")), data["metadata"]
    if not scenes:
        yield "scenes: got none, expected at least one: a single shot is one scene"
        return
    for place, scene in enumerate(scenes):
        where = f"scenes[{place}]"
        wrong = [*_interval(where, scene.get("start_time"), scene.get("end_time"), may_be_instant=False)]
        yield from wrong
        if wrong:
            return
        if scene.get("scene_number") != place + 1:
            yield f"{where}.scene_number: got {_short(scene.get('scene_number'))}, expected {place + 1}"
        length, given = scene["end_time"] - scene["start_time"], number(scene.get("duration"))
        if given is None or abs(length - given) > _CONTIGUOUS_S:
            yield f"{where}.duration: got {_short(scene.get('duration'))}, expected {length:.3f}"
    for place, (one, two) in enumerate(pairwise(scenes)):
        if abs(one["end_time"] - two["start_time"]) > _CONTIGUOUS_S:
            yield f"scenes[{place + 1}]: starts at {two['start_time']}, expected {one['end_time']}, where the last ends"
    yield from _coverage(scenes, data, metadata)


def _coverage(scenes: list[Record], data: Record, metadata: Record) -> Problems:
    if abs(scenes[0]["start_time"]) > _CONTIGUOUS_S:
        yield f"scenes[0]: starts at {scenes[0]['start_time']}, expected 0"
    duration, fps = number(metadata.get("duration")), number(metadata.get("fps"))
    frame_s = 1 / fps if fps else _DEFAULT_FRAME_S
    if duration is not None and abs(scenes[-1]["end_time"] - duration) > frame_s + _CONTIGUOUS_S:
        yield f"scenes[{len(scenes) - 1}]: ends at {scenes[-1]['end_time']}, expected {duration}, the video's end"
    changes = _listed(data.get("scene_changes"))
    for place, value in enumerate(changes):
        yield from _time(f"scene_changes[{place}]", value)
    if len(changes) != len(scenes) - 1:
        yield f"scene_changes: got {len(changes)}, expected {len(scenes) - 1}, scenes less one"
    if data.get("total_scenes") != len(scenes):
        yield f"total_scenes: got {_short(data.get('total_scenes'))}, expected {len(scenes)}"


def _emotion(data: Record) -> Problems:
    yield from _lists(data, "emotions")
    for place, item in enumerate(records(data.get("emotions"))):
        where = f"emotions[{place}]"
        yield from _time(f"{where}.timestamp", item.get("timestamp"))
        if item.get("emotion") not in EMOTIONS:
            yield f"{where}.emotion: got {_short(item.get('emotion'))}, expected one of {', '.join(EMOTIONS)}"
        yield from _share(f"{where}.confidence", item.get("confidence"), optional=True)
        for unit in _listed(item.get("action_units")):
            if not isinstance(unit, int) or not 1 <= unit <= 45:
                yield f"{where}.action_units: got {_short(unit)}, expected numbers 1..45"
        intensities: Any = item.get("au_intensities") or {}
        for unit, value in intensities.items() if isinstance(intensities, Mapping) else ():
            yield from _share(f"{where}.au_intensities[{unit}]", value)


_CHECKS: Final[Mapping[ServiceName, Callable[[Record], Problems]]] = {
    "yolo": _yolo, "whisper": _whisper, "ocr": _ocr, "mediapipe": _mediapipe, "scene_detection": _scenes,
    "audio_energy": _audio_energy, "emotion_detection": _emotion,
}  # fmt: skip
