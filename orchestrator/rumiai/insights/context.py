"""The data part of a prompt: metrics, evidence, data quality and markers of one video for one analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from rumiai.contracts.blocks import MeasuredAnalysis
from rumiai.contracts.gestures import gestures_of
from rumiai.contracts.services.audio import AudioData
from rumiai.contracts.services.ocr import OcrData, TextAnnotation
from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.services.whisper import WhisperData
from rumiai.contracts.services.yolo import YoloData
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.text import joined, same_text
from rumiai.insights.cleaning import clean
from rumiai.insights.data import Fields, Json, PromptData
from rumiai.insights.templates import Part, Template
from rumiai.insights.video import VideoInput

_T = TypeVar("_T")

_MAX_TEXTS: Final = 60
_MAX_SCENE_TEXTS: Final = 20
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


def build_context(video: VideoInput, template: Template) -> PromptData:
    """The data of one prompt before any shrinking; clean texts, numbers of three decimals."""
    unified, measured = video.analysis, video.measured[template.analysis]
    speech = unified.get(WhisperData)

    def cleaned(value: Any) -> Any:
        return clean(value, video.author)

    return PromptData(
        duration_s=cleaned(video.duration_s),
        language=cleaned(speech.known_language if speech else None),
        metrics=cleaned(_metrics(measured)),
        evidence=cleaned({name: part for name in template.evidence if (part := _PARTS[name](video))}),
        services=tuple(sorted(cleaned(name) for name in unified.pipeline_details if unified.ok(name))),
        missing=cleaned([missing.model_dump(by_alias=True) for missing in measured.blocks.quality.missing_services]),
        markers=cleaned(_markers(unified)) if template.markers else {},
    )


def _metrics(measured: MeasuredAnalysis) -> dict[str, dict[str, Json]]:
    """The computed fields without aliases; what a model shall word is left out, so that it has nothing to copy."""
    out: dict[str, dict[str, Json]] = {}
    blocks = measured.blocks_json()
    for block in measured.schema.blocks:
        content = blocks[block.name]
        fields: dict[str, Json] = {}
        for field in block.fields:
            if field.kind == "num" and field.name != "missingServices":
                fields[field.name] = _without(content[field.name], frozenset(field.judged) | _PRIVATE)
        out[block.name] = fields
    extra: dict[str, Any] = {name: value for name, value in measured.precompute_json().items() if name not in _LEFT_OUT}
    return {**out, "more": extra} if extra else out


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: item for key, item in value.items() if key not in names}
    if isinstance(value, list | tuple):
        return [_without(item, names) for item in value]
    return value


def _markers(unified: UnifiedAnalysis) -> Fields:
    markers = unified.temporal_markers or {}
    return {key: markers[key] for key in _MARKER_KEYS if markers.get(key)}


def most_salient(items: Sequence[_T], count: int, salience: Callable[[_T], float]) -> list[_T]:
    """The most salient items, in the order in which they came."""
    chosen = sorted(range(len(items)), key=lambda i: (-salience(items[i]), i))[:count]
    return [items[i] for i in sorted(chosen)]


def _overlay_texts(unified: UnifiedAnalysis) -> list[TextAnnotation]:
    ocr = unified.get(OcrData)
    return _by_time(ocr.overlays if ocr else ())


def _by_time(texts: Iterable[TextAnnotation]) -> list[TextAnnotation]:
    return sorted(texts, key=lambda text: (text.start_s, text.end_s, text.text))


@dataclass
class _ShownText:
    """A text as the prompt shows it: appearances of one text that follow each other are one."""

    text: TextAnnotation
    end_s: float

    def joins(self, later: TextAnnotation) -> bool:
        """Whether a later appearance is this text read again, in its place and without a gap."""
        if self.text.position != later.position or later.start_s > self.end_s:
            return False
        return same_text(self.text.text, later.text)

    def to_json(self) -> Fields:
        """What the prompt holds."""
        text = self.text
        return {
            "text": text.text,
            "start": text.start_s,
            "end": self.end_s,
            "position": text.position,
            "size": text.size,
            "category": text.category,
            "area": text.area,
        }


def _texts(video: VideoInput) -> list[Fields]:
    return _shown_texts(_overlay_texts(video.analysis), _MAX_TEXTS)


def _scene_texts(video: VideoInput) -> list[Fields]:
    ocr = video.analysis.get(OcrData)
    return _shown_texts(_by_time(text for text in (ocr.texts if ocr else ()) if text.is_scene), _MAX_SCENE_TEXTS)


def _shown_texts(texts: Iterable[TextAnnotation], limit: int) -> list[Fields]:
    """The most salient texts, pieces of one joined."""
    merged: list[_ShownText] = []
    for item in texts:
        same = next((shown for shown in merged[-3:] if shown.joins(item)), None)
        if same is not None:
            same.end_s = max(same.end_s, item.end_s)
        else:
            merged.append(_ShownText(item, item.end_s))
    chosen = most_salient(merged, limit, lambda shown: shown.text.area * (shown.end_s - shown.text.start_s))
    return [shown.to_json() for shown in chosen]


def _stickers(video: VideoInput) -> list[Fields]:
    ocr = video.analysis.get(OcrData)
    found = sorted(ocr.stickers if ocr else (), key=lambda s: (s.start_s, s.end_s, str(s.type)))
    chosen = most_salient(found, _MAX_STICKERS, lambda s: s.area * (s.end_s - s.start_s))
    return [{"type": s.type, "start": s.start_s, "end": s.end_s, "area": s.area} for s in chosen]


def segments_of(unified: UnifiedAnalysis) -> list[tuple[float, float, str]]:
    """The transcript as (start, end, text), by time."""
    whisper = unified.get(WhisperData)
    return sorted((s.start_s, s.end_s, s.text.strip()) for s in (whisper.segments if whisper else ()))


def _speech(video: VideoInput) -> list[list[Json]]:
    return [list(segment) for segment in segments_of(video.analysis)]


def _gestures(video: VideoInput) -> list[list[Json]]:
    chosen = most_salient(gestures_of(video.analysis.timeline), _MAX_GESTURES, lambda g: g.end_s - g.start_s)
    return [[str(gesture.kind), gesture.start_s, gesture.end_s] for gesture in chosen]


def _scenes(video: VideoInput) -> list[list[float]]:
    scenes = video.analysis.get(ScenesData)
    spans = sorted((s.start_s, s.end_s) for s in (scenes.scenes if scenes else ()))
    return [[start, end - start] for start, end in spans]


@dataclass(frozen=True)
class _ShownClass:
    """A class of objects that count: when it was first and last seen, and on how many frames."""

    name: str
    start_s: float
    end_s: float
    frames: int


def _classes(video: VideoInput) -> list[_ShownClass]:
    yolo = video.analysis.get(YoloData)
    times: dict[str, set[float]] = {}
    for track in yolo.counted if yolo else ():
        times.setdefault(track.counted_class, set()).update(seen.timestamp_s for seen in track.frames)
    return [_ShownClass(name, min(seen), max(seen), len(seen)) for name, seen in sorted(times.items())]


def _objects(video: VideoInput) -> list[Fields]:
    return [{"object": c.name, "start": c.start_s, "end": c.end_s, "frames": c.frames} for c in _classes(video)]


def _energy(video: VideoInput) -> Fields:
    audio = video.analysis.get(AudioData)
    if audio is None or not audio.energy_level_windows:
        return {}
    return {"windows": dict(audio.energy_level_windows), "climax": audio.climax_timestamp_s}


def _caption(video: VideoInput) -> str | None:
    caption = video.analysis.metadata.video.description
    if caption is None or not caption.strip():
        return None
    most, head, tail = _CAPTION_CHARS
    return caption if len(caption) <= most else f"{caption[:head]} ... {caption[-tail:]}"


def _hashtags(video: VideoInput) -> list[str]:
    return [str(tag["name"]) for tag in video.analysis.metadata.video.hashtags or ()][:_MAX_HASHTAGS]


def _during(video: VideoInput, start_s: float, end_s: float) -> Fields:
    """What was on screen and said in a stretch."""
    unified = video.analysis
    texts = [t.text for t in _overlay_texts(unified) if t.start_s < end_s and t.end_s > start_s]
    moment: dict[str, Any] = {
        "start": start_s,
        "end": end_s,
        "texts": texts[:_MOMENT_TEXTS],
        "objects": [c.name for c in _classes(video) if c.start_s < end_s and c.end_s >= start_s],
        "speech": joined(text for a, b, text in segments_of(unified) if a < end_s and b > start_s)[:_MOMENT_CHARS],
    }
    return {key: value for key, value in moment.items() if value or key in ("start", "end")}


def _peaks(video: VideoInput) -> list[Fields]:
    moments = video.measured["creative_density"].blocks_json()["KeyEvents"]["peakMoments"] or []
    strongest = most_salient(moments, _MAX_PEAKS, lambda m: float(m.get("totalElements") or 0))
    out = []
    for moment in strongest:
        start, _, end = str(moment["timestamp"]).removesuffix("s").partition("-")
        out.append(_during(video, float(start), float(end)))
    return out


def _opening(video: VideoInput) -> Fields:
    return _during(video, 0.0, min(_OPENING_S, video.duration_s))


def _closing(video: VideoInput) -> Fields:
    return _during(video, _CLOSING_SHARE * video.duration_s, video.duration_s)


_PARTS: Final[Mapping[Part, Callable[[VideoInput], Any]]] = {
    "texts": _texts, "scene_texts": _scene_texts, "stickers": _stickers, "speech": _speech, "gestures": _gestures,
    "scenes": _scenes, "objects": _objects, "energy": _energy, "caption": _caption, "hashtags": _hashtags,
    "peaks": _peaks, "opening": _opening, "closing": _closing,
}  # fmt: skip
