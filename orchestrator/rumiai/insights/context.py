"""The data part of a prompt: metrics, evidence, data quality and markers of one video for one analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rumiai.contracts.blocks import Blocks
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.text import same_text
from rumiai.insights.cleaning import clean
from rumiai.insights.templates import Part, Template
from rumiai.insights.video import VideoInput
from rumiai.metrics.registry import schema_of

Evidence = dict[str, Any]

_MAX_TEXTS: Final = 60
_MAX_STICKERS: Final = 20
_MAX_GESTURES: Final = 40
_MAX_HASHTAGS: Final = 30
_MAX_PEAKS: Final = 5
_CAPTION_CHARS: Final = (500, 400, 100)
# Enough to see what a moment is about.
_MOMENT_TEXTS: Final = 10
_MOMENT_CHARS: Final = 300
_OPENING_S: Final = 3.0
_CLOSING_SHARE: Final = 0.85
# Who published is nobody's business in a judgement of content.
_PRIVATE: Final = frozenset({"username", "author", "name"})
# Metrics without a field that say who published, or repeat the evidence at full length.
_LEFT_OUT: Final = frozenset({"creator_nickname", "music_id", "caption_text", "hashtag_list"}) | _PRIVATE
_MARKER_KEYS: Final = ("first_5_seconds", "cta_window", "peak_moments")


def build_context(video: VideoInput, template: Template) -> dict[str, Any]:
    """The data of one prompt before any shrinking; JSON types, clean texts."""
    unified, analysis = video.analysis, template.analysis
    speech = unified.data("whisper") or {}
    payload = {
        "video": {"duration": video.duration_s, "language": _language(speech)},
        "metrics": _metrics(analysis, video.blocks[analysis], video.precompute.get(analysis, {})),
        "evidence": {name: part for name in template.evidence if (part := _PARTS[name](video))},
        "data_quality": {
            "services": dict.fromkeys(sorted(n for n in unified.pipeline_details if unified.ok(n)), "ok"),
            "missing": video.blocks[analysis].get("Quality", {}).get("missingServices") or [],
        },
        "markers": _markers(unified) if template.markers else {},
    }
    cleaned: dict[str, Any] = clean(payload, video.author)
    return cleaned


def _language(speech: Mapping[str, Any]) -> str | None:
    language = speech.get("language")
    return None if language in (None, "", "unknown") else str(language)


def _metrics(analysis: str, blocks: Blocks, precompute: Mapping[str, Any]) -> dict[str, Any]:
    """The computed fields without aliases; what a model shall word is left out, so that it has nothing to copy."""
    out: dict[str, Any] = {}
    for block in schema_of(analysis).blocks:
        content = blocks.get(block.name, {})
        fields = {}
        for field in block.fields:
            if field.kind == "num" and field.name in content and field.name != "missingServices":
                fields[field.name] = _without(content[field.name], frozenset(field.judged) | _PRIVATE)
        out[block.name] = fields
    extra = {name: value for name, value in precompute.items() if name not in _LEFT_OUT}
    return {**out, "more": extra} if extra else out


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: item for key, item in value.items() if key not in names}
    if isinstance(value, list | tuple):
        return [_without(item, names) for item in value]
    return value


def _markers(unified: UnifiedAnalysis) -> dict[str, Any]:
    markers = unified.temporal_markers or {}
    return {key: markers[key] for key in _MARKER_KEYS if markers.get(key)}


def _area(item: Mapping[str, Any]) -> float:
    box = item.get("bbox")
    return float(box[2]) * float(box[3]) if isinstance(box, Sequence) and len(box) == 4 else 0.0


def _length_s(item: Mapping[str, Any]) -> float:
    return float(item["end"]) - float(item["start"])


def most_salient(items: Sequence[Any], count: int, salience: Callable[[Any], float]) -> list[Any]:
    """The most salient items, in the order in which they came."""
    chosen = sorted(range(len(items)), key=lambda i: (-salience(items[i]), i))[:count]
    return [items[i] for i in sorted(chosen)]


def _overlay_texts(unified: UnifiedAnalysis) -> list[Mapping[str, Any]]:
    raw = (unified.data("ocr") or {}).get("textAnnotations", ())
    texts = [item for item in raw if item.get("category") != "watermark"]
    return sorted(texts, key=lambda item: (float(item["start"]), float(item["end"]), str(item["text"])))


def _texts(video: VideoInput) -> list[dict[str, Any]]:
    merged: list[dict[str, Any]] = []
    for item in _overlay_texts(video.analysis):
        shown = {
            "text": str(item["text"]),
            "start": float(item["start"]),
            "end": float(item["end"]),
            "position": item.get("position"),
            "size": item.get("size"),
            "category": item.get("category"),
            "area": _area(item),
        }
        same = next((m for m in merged[-3:] if _same(m, shown)), None)
        if same is not None:
            same["end"] = max(same["end"], shown["end"])
        else:
            merged.append(shown)
    return most_salient(merged, _MAX_TEXTS, lambda m: m["area"] * (m["end"] - m["start"]))


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    if a["position"] != b["position"] or b["start"] > a["end"]:
        return False
    return same_text(a["text"], b["text"])


def _stickers(video: VideoInput) -> list[dict[str, Any]]:
    raw = (video.analysis.data("ocr") or {}).get("stickers", ())
    found = [{"type": s.get("type"), "start": float(s["start"]), "end": float(s["end"]), "area": _area(s)} for s in raw]
    found.sort(key=lambda s: (s["start"], s["end"], str(s["type"])))
    return most_salient(found, _MAX_STICKERS, lambda s: s["area"] * (s["end"] - s["start"]))


def segments_of(unified: UnifiedAnalysis) -> list[tuple[float, float, str]]:
    """The transcript as (start, end, text), by time."""
    raw = (unified.data("whisper") or {}).get("segments", ())
    return sorted((float(s["start"]), float(s["end"]), str(s["text"]).strip()) for s in raw)


def _speech(video: VideoInput) -> list[list[Any]]:
    return [list(segment) for segment in segments_of(video.analysis)]


def _gestures(video: VideoInput) -> list[list[Any]]:
    found = [
        [str(e.data.get("type")), e.start_s, e.start_s if e.end_s is None else e.end_s]
        for e in video.analysis.timeline.of_type("gesture")
    ]
    return most_salient(found, _MAX_GESTURES, lambda g: float(g[2] - g[1]))


def _scenes(video: VideoInput) -> list[list[float]]:
    raw = (video.analysis.data("scene_detection") or {}).get("scenes", ())
    spans = sorted((float(s["start_time"]), float(s["end_time"])) for s in raw)
    return [[start, end - start] for start, end in spans]


def _objects(video: VideoInput) -> list[dict[str, Any]]:
    """Each class with the first and last time it was seen and the frames on which it was."""
    raw = (video.analysis.data("yolo") or {}).get("objectAnnotations", ())
    seen = sorted((str(o["className"]), float(f["timestamp"])) for o in raw for f in o.get("frames", ()))
    out = []
    for name, group in groupby(seen, key=lambda item: item[0]):
        times = sorted({time for _, time in group})
        out.append({"object": name, "start": times[0], "end": times[-1], "frames": len(times)})
    return out


def _energy(video: VideoInput) -> dict[str, Any]:
    raw = video.analysis.data("audio_energy") or {}
    windows = raw.get("energy_level_windows") or {}
    return {"windows": windows, "climax": raw.get("climax_timestamp")} if windows else {}


def _caption(video: VideoInput) -> str | None:
    caption = video.analysis.metadata.get("description")
    if not isinstance(caption, str) or not caption.strip():
        return None
    most, head, tail = _CAPTION_CHARS
    return caption if len(caption) <= most else f"{caption[:head]} ... {caption[-tail:]}"


def _hashtags(video: VideoInput) -> list[str]:
    tags = video.analysis.metadata.get("hashtags") or ()
    names = [str(tag.get("name") if isinstance(tag, Mapping) else tag) for tag in tags]
    return names[:_MAX_HASHTAGS]


def _during(video: VideoInput, start_s: float, end_s: float) -> dict[str, Any]:
    """What was on screen and said in a stretch."""
    unified = video.analysis
    texts = [str(t["text"]) for t in _overlay_texts(unified) if t["start"] < end_s and t["end"] > start_s]
    moment = {
        "start": start_s,
        "end": end_s,
        "texts": texts[:_MOMENT_TEXTS],
        "objects": [o["object"] for o in _objects(video) if o["start"] < end_s and o["end"] >= start_s],
        "speech": " ".join(text for a, b, text in segments_of(unified) if a < end_s and b > start_s)[:_MOMENT_CHARS],
    }
    return {key: value for key, value in moment.items() if value or key in ("start", "end")}


def _peaks(video: VideoInput) -> list[dict[str, Any]]:
    moments = video.blocks["creative_density"].get("KeyEvents", {}).get("peakMoments") or []
    strongest = most_salient(moments, _MAX_PEAKS, lambda m: float(m.get("totalElements") or 0))
    out = []
    for moment in strongest:
        start, _, end = str(moment["timestamp"]).removesuffix("s").partition("-")
        out.append(_during(video, float(start), float(end)))
    return out


def _opening(video: VideoInput) -> dict[str, Any]:
    return _during(video, 0.0, min(_OPENING_S, video.duration_s))


def _closing(video: VideoInput) -> dict[str, Any]:
    return _during(video, _CLOSING_SHARE * video.duration_s, video.duration_s)


_PARTS: Final[Mapping[Part, Callable[[VideoInput], Any]]] = {
    "texts": _texts, "stickers": _stickers, "speech": _speech, "gestures": _gestures, "scenes": _scenes,
    "objects": _objects, "energy": _energy, "caption": _caption, "hashtags": _hashtags, "peaks": _peaks,
    "opening": _opening, "closing": _closing,
}  # fmt: skip
