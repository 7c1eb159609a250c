"""Size rules of a prompt's data: the steps that make it fit, in order, each one recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rumiai.insights.context import most_salient
from rumiai.metrics.registry import schema_of

# prompts.md 5
WARN_BYTES: Final = 40 * 1024
HARD_LIMIT_BYTES: Final = 150 * 1024
BYTES_PER_TOKEN: Final = 3.5
_MARKER_BYTES: Final = 4 * 1024
_CURVE_POINTS: Final = 180
_FEWEST_POINTS: Final = 20
_TRANSCRIPT: Final = (6000, 2000, 1500)
_SHORTEST_TRANSCRIPT: Final = 600
_FEWEST_ITEMS: Final = 6
_BULK_BYTES: Final = 300
# What a model words one by one: more would not fit into its answer; the rest keeps the rule's words.
_JUDGED_ITEMS: Final = 20
_LISTED_ITEMS: Final = 60
_CURVES: Final = frozenset(
    {"densityCurve", "speechPacingCurve", "stabilityTimeline", "wpmProgression", "overlayTimeline", "emptySeconds",
     "framingProgression"}
)  # fmt: skip
_SALIENCE: Final = ("intensity", "magnitude", "surpriseScore", "area", "duration", "count")
# Around these the transcript is kept when it has to be cut.
_LANDMARKS: Final = ("hookPhrases", "ctaPhrases", "silentMoments")
_NEIGHBOURHOOD_S: Final = 2.0

Payload = dict[str, Any]


def size_bytes(payload: Mapping[str, Any]) -> int:
    """UTF-8 bytes of the compact JSON."""
    return len(to_json(payload).encode())


def to_json(payload: Any) -> str:
    """Compact JSON in which no text can close the tag around it."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def fit(analysis: str, payload: Payload, max_bytes: int) -> Payload:
    """The payload with its standing caps, then shrunk step by step until it is within ``max_bytes``.

    Every step that took something away is named in ``data_quality.truncated``. The result may still be larger when
    nothing more can be taken; the caller holds it against :data:`HARD_LIMIT_BYTES`.
    """
    taken: list[str] = []
    payload = _capped(analysis, payload, taken)
    for step in (_less_bulk, _fewer_items, _coarser_curves, _shorter_transcript, _no_extras):
        while size_bytes(payload) > max_bytes:
            before = to_json(payload)
            payload, note = step(payload)
            if to_json(payload) == before:
                break
            taken.append(note)
    if not taken:
        return payload
    return {**payload, "data_quality": {**payload["data_quality"], "truncated": taken}}


def _capped(analysis: str, payload: Payload, taken: list[str]) -> Payload:
    judged = {
        (block.name, field.name) for block in schema_of(analysis).blocks for field in block.fields if field.judged
    }
    metrics: dict[str, Any] = {}
    for block, fields in payload["metrics"].items():
        kept = {}
        for name, value in fields.items():
            most = _JUDGED_ITEMS if (block, name) in judged else _CURVE_POINTS if name in _CURVES else _LISTED_ITEMS
            kept[name] = _at_most(value, most, even=name in _CURVES)
            if isinstance(value, list) and len(value) > most:
                taken.append(f"{block}.{name}: {len(kept[name])} of {len(value)}")
            kept[name] = _columns(kept[name]) if name in _CURVES else kept[name]
        metrics[block] = kept
    evidence = dict(payload["evidence"])
    if "speech" in evidence:
        evidence["speech"] = _cut_speech(evidence["speech"], payload, *_TRANSCRIPT)
        if len(evidence["speech"]) < len(payload["evidence"]["speech"]):
            taken.append(f"transcript: {len(evidence['speech'])} of {len(payload['evidence']['speech'])} segments")
    markers = dict(payload["markers"])
    while markers and size_bytes(markers) > _MARKER_BYTES:
        taken.append(f"markers.{markers.popitem()[0]}: left out")
    return {**payload, "metrics": metrics, "evidence": evidence, "markers": markers}


def _at_most(value: Any, most: int, *, even: bool) -> Any:
    if not isinstance(value, list) or len(value) <= most:
        return value
    return _evenly(value, most) if even else most_salient(value, most, _salience)


def _salience(item: Any) -> float:
    if isinstance(item, Mapping):
        for name in _SALIENCE:
            if isinstance(item.get(name), int | float):
                return float(item[name])
    return 0.0


def _evenly(items: Sequence[Any], count: int) -> list[Any]:
    """Some of the items, evenly spaced, first and last among them."""
    if count >= len(items) or count < 2:
        return list(items[:count])
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def _columns(items: Any) -> Any:
    """Records of one kind as parallel lists: the keys once instead of in every item."""
    if not isinstance(items, list) or not items or not all(isinstance(item, Mapping) for item in items):
        return items
    return {name: [item.get(name) for item in items] for name in items[0]}


def _less_bulk(payload: Payload) -> tuple[Payload, str]:
    """The largest table among the metrics without a field: they say again, by the second, what the fields sum up."""
    more = dict(payload["metrics"].get("more", {}))
    name = max(more, key=lambda key: len(to_json(more[key])), default=None)
    if name is None or len(to_json(more[name])) < _BULK_BYTES:
        return payload, ""
    del more[name]
    return {**payload, "metrics": {**payload["metrics"], "more": more}}, f"more.{name}: left out"


def _fewer_items(payload: Payload) -> tuple[Payload, str]:
    """Half of the longest list of evidence or markers, the most salient items; the transcript has its own step."""
    evidence = payload["evidence"]
    lists = {k: v for k, v in evidence.items() if isinstance(v, list) and k != "speech" and len(v) > _FEWEST_ITEMS}
    if not lists:
        return {**payload, "markers": {}}, "markers: left out"
    name = max(lists, key=lambda key: len(to_json(lists[key])))
    fewer = most_salient(lists[name], max(_FEWEST_ITEMS, len(lists[name]) // 2), _salience)
    return {**payload, "evidence": {**evidence, name: fewer}}, f"evidence.{name}: {len(fewer)} of {len(lists[name])}"


def _coarser_curves(payload: Payload) -> tuple[Payload, str]:
    """Every second point of each curve."""

    def halved(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: halved(column) for name, column in value.items()}
        if isinstance(value, list) and len(value) > _FEWEST_POINTS:
            return _evenly(value, max(_FEWEST_POINTS, (len(value) + 1) // 2))
        return value

    metrics = {
        block: {name: halved(value) if name in _CURVES else value for name, value in fields.items()}
        for block, fields in payload["metrics"].items()
    }
    return {**payload, "metrics": metrics}, "curves: half the points"


def _shorter_transcript(payload: Payload) -> tuple[Payload, str]:
    """Half of the transcript, around opening, ending and landmarks."""
    speech = payload["evidence"].get("speech") or []
    characters = sum(len(segment[2]) for segment in speech)
    target = characters // 2
    if target < _SHORTEST_TRANSCRIPT:
        return payload, ""
    fewer = _cut_speech(speech, payload, target, target // 2, target // 3)
    note = f"transcript: {len(fewer)} of {len(speech)} segments"
    return {**payload, "evidence": {**payload["evidence"], "speech": fewer}}, note


def _no_extras(payload: Payload) -> tuple[Payload, str]:
    """Metrics that have no field; then the long lists of events that nobody has to word."""
    metrics = dict(payload["metrics"])
    if metrics.pop("more", None):
        return {**payload, "metrics": metrics}, "more: left out"

    def shortened(fields: Mapping[str, Any]) -> dict[str, Any]:
        return {k: _at_most(v, max(_FEWEST_ITEMS, len(v) // 2), even=False) if isinstance(v, list) else v
                for k, v in fields.items()}  # fmt: skip

    return {**payload, "metrics": {b: shortened(f) for b, f in metrics.items()}}, "metrics: half of each list"


def _cut_speech(speech: list[Any], payload: Payload, limit: int, opening: int, ending: int) -> list[Any]:
    """Whole segments of at most ``limit`` characters: the opening, the ending, and what is near a landmark."""
    if sum(len(segment[2]) for segment in speech) <= limit:
        return speech
    chosen: set[int] = set()
    budgets: list[tuple[Callable[[], Any], int]] = [
        (lambda: range(len(speech)), opening),
        (lambda: reversed(range(len(speech))), ending),
        (lambda: _near(speech, _landmarks(payload)), limit - opening - ending),
    ]
    for order, budget in budgets:
        left = budget
        for index in order():
            if index in chosen:
                continue
            left -= len(speech[index][2])
            if left < 0:
                break
            chosen.add(index)
    return [speech[index] for index in sorted(chosen)]


def _landmarks(payload: Payload) -> list[float]:
    events = payload["metrics"].get("KeyEvents", {})
    items = [item for name in _LANDMARKS for item in events.get(name) or () if isinstance(item, Mapping)]
    return [float(item.get("timestamp", item.get("start", 0.0))) for item in items]


def _near(speech: list[Any], times_s: list[float]) -> list[int]:
    return [
        index
        for index, (start, end, _) in enumerate(speech)
        if any(start - _NEIGHBOURHOOD_S <= time <= end + _NEIGHBOURHOOD_S for time in times_s)
    ]
