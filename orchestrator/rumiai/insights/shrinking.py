"""Size rules of a prompt's data: the steps that make it fit, in order, each one recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from rumiai.insights.context import most_salient
from rumiai.insights.data import Fields, Json, PromptData, to_json
from rumiai.metrics.registry import schema_of

# A prompt above the first size is logged as large, one above the second is refused.
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


def fit(analysis: str, data: PromptData, max_bytes: int) -> PromptData:
    """The data with its standing caps, then shrunk step by step until it is within ``max_bytes``.

    Every step that took something away is named in ``truncated``. The result may still be larger when nothing more can
    be taken; the caller holds it against :data:`HARD_LIMIT_BYTES`.
    """
    taken: list[str] = []
    data = _capped(analysis, data, taken)
    for step in (_less_bulk, _fewer_items, _coarser_curves, _shorter_transcript, _no_extras):
        while data.size_bytes > max_bytes:
            before = data.text
            data, note = step(data)
            if data.text == before:
                break
            taken.append(note)
    return replace(data, truncated=tuple(taken))


def _capped(analysis: str, data: PromptData, taken: list[str]) -> PromptData:
    judged = {
        (block.name, field.name) for block in schema_of(analysis).blocks for field in block.fields if field.judged
    }
    metrics: dict[str, Fields] = {}
    for block, fields in data.metrics.items():
        kept: Fields = {}
        for name, value in fields.items():
            most = _JUDGED_ITEMS if (block, name) in judged else _CURVE_POINTS if name in _CURVES else _LISTED_ITEMS
            fewer = _at_most(value, most, even=name in _CURVES)
            if isinstance(value, list) and isinstance(fewer, list) and len(value) > most:
                taken.append(f"{block}.{name}: {len(fewer)} of {len(value)}")
            kept[name] = _columns(fewer) if name in _CURVES else fewer
        metrics[block] = kept
    evidence, speech = dict(data.evidence), data.evidence.get("speech")
    if isinstance(speech, list):
        cut = _cut_speech(speech, data, *_TRANSCRIPT)
        evidence["speech"] = cut
        if len(cut) < len(speech):
            taken.append(f"transcript: {len(cut)} of {len(speech)} segments")
    markers = dict(data.markers)
    while markers and len(to_json(markers).encode()) > _MARKER_BYTES:
        taken.append(f"markers.{markers.popitem()[0]}: left out")
    return replace(data, metrics=metrics, evidence=evidence, markers=markers)


def _at_most(value: Json, most: int, *, even: bool) -> Json:
    if not isinstance(value, list) or len(value) <= most:
        return value
    return _evenly(value, most) if even else most_salient(value, most, _salience)


def _salience(item: Json) -> float:
    if isinstance(item, dict):
        for name in _SALIENCE:
            if isinstance(value := item.get(name), int | float):
                return float(value)
    return 0.0


def _evenly(items: Sequence[Json], count: int) -> list[Json]:
    """Some of the items, evenly spaced, first and last among them."""
    if count >= len(items) or count < 2:
        return list(items[:count])
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def _columns(items: Json) -> Json:
    """Records of one kind as parallel lists: the keys once instead of in every item."""
    if not isinstance(items, list):
        return items
    records = [item for item in items if isinstance(item, dict)]
    if not records or len(records) < len(items):
        return items
    return {name: [record.get(name) for record in records] for name in records[0]}


def _less_bulk(data: PromptData) -> tuple[PromptData, str]:
    """The largest table among the metrics without a field: they say again, by the second, what the fields sum up."""
    more = dict(data.metrics.get("more", {}))
    name = max(more, key=lambda key: len(to_json(more[key])), default=None)
    if name is None or len(to_json(more[name])) < _BULK_BYTES:
        return data, ""
    del more[name]
    return replace(data, metrics={**data.metrics, "more": more}), f"more.{name}: left out"


def _fewer_items(data: PromptData) -> tuple[PromptData, str]:
    """Half of the longest list of evidence or markers, the most salient items; the transcript has its own step."""
    evidence = data.evidence
    lists = {k: v for k, v in evidence.items() if isinstance(v, list) and k != "speech" and len(v) > _FEWEST_ITEMS}
    if not lists:
        return replace(data, markers={}), "markers: left out"
    name = max(lists, key=lambda key: len(to_json(lists[key])))
    fewer = most_salient(lists[name], max(_FEWEST_ITEMS, len(lists[name]) // 2), _salience)
    return replace(data, evidence={**evidence, name: fewer}), f"evidence.{name}: {len(fewer)} of {len(lists[name])}"


def _coarser_curves(data: PromptData) -> tuple[PromptData, str]:
    """Every second point of each curve."""

    def halved(value: Json) -> Json:
        if isinstance(value, dict):
            return {name: halved(column) for name, column in value.items()}
        if isinstance(value, list) and len(value) > _FEWEST_POINTS:
            return _evenly(value, max(_FEWEST_POINTS, (len(value) + 1) // 2))
        return value

    metrics = {
        block: {name: halved(value) if name in _CURVES else value for name, value in fields.items()}
        for block, fields in data.metrics.items()
    }
    return replace(data, metrics=metrics), "curves: half the points"


def _shorter_transcript(data: PromptData) -> tuple[PromptData, str]:
    """Half of the transcript, around opening, ending and landmarks."""
    speech = data.evidence.get("speech")
    target = sum(len(text) for _, _, text in data.speech) // 2
    if not isinstance(speech, list) or target < _SHORTEST_TRANSCRIPT:
        return data, ""
    fewer = _cut_speech(speech, data, target, target // 2, target // 3)
    note = f"transcript: {len(fewer)} of {len(speech)} segments"
    return replace(data, evidence={**data.evidence, "speech": fewer}), note


def _no_extras(data: PromptData) -> tuple[PromptData, str]:
    """Metrics that have no field; then the long lists of events that nobody has to word."""
    metrics = dict(data.metrics)
    if metrics.pop("more", None):
        return replace(data, metrics=metrics), "more: left out"

    def shortened(fields: Fields) -> Fields:
        return {k: _at_most(v, max(_FEWEST_ITEMS, len(v) // 2), even=False) if isinstance(v, list) else v
                for k, v in fields.items()}  # fmt: skip

    return replace(data, metrics={b: shortened(f) for b, f in metrics.items()}), "metrics: half of each list"


def _cut_speech(speech: list[Json], data: PromptData, limit: int, opening: int, ending: int) -> list[Json]:
    """Whole segments of at most ``limit`` characters: the opening, the ending, and what is near a landmark."""
    segments = data.speech
    if sum(len(text) for _, _, text in segments) <= limit:
        return speech
    chosen: set[int] = set()
    budgets: list[tuple[Callable[[], Iterable[int]], int]] = [
        (lambda: range(len(speech)), opening),
        (lambda: reversed(range(len(speech))), ending),
        (lambda: _near(segments, _landmarks(data)), limit - opening - ending),
    ]
    for order, budget in budgets:
        left = budget
        for index in order():
            if index in chosen:
                continue
            left -= len(segments[index][2])
            if left < 0:
                break
            chosen.add(index)
    return [speech[index] for index in sorted(chosen)]


def _landmarks(data: PromptData) -> list[float]:
    events = data.metrics.get("KeyEvents", {})
    listed = [value for name in _LANDMARKS if isinstance(value := events.get(name), list)]
    items = [item for value in listed for item in value if isinstance(item, dict)]
    times = [item.get("timestamp", item.get("start", 0.0)) for item in items]
    return [float(time) for time in times if isinstance(time, int | float | str)]


def _near(speech: Sequence[tuple[float, float, str]], times_s: Sequence[float]) -> list[int]:
    return [
        index
        for index, (start, end, _) in enumerate(speech)
        if any(start - _NEIGHBOURHOOD_S <= time <= end + _NEIGHBOURHOOD_S for time in times_s)
    ]
