"""Read the evidence out of a unified analysis whose ``ml_data`` is in canonical form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np

from rumiai.contracts.lexicons import EMOTIONS, VALENCE_WEIGHTS, Emotion, canonical_emotion, canonical_gesture
from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.arrays import Floats
from rumiai.core.cuts import ADAPTIVE_THRESHOLD, cut_confidence
from rumiai.metrics.evidence import types as e
from rumiai.metrics.evidence.quality import services_of
from rumiai.metrics.shared.words import tokens

_LANDMARKS: Final = 33
_CURVE_HZ: Final = 10.0
_T = TypeVar("_T")


def read_evidence(analysis: UnifiedAnalysis) -> e.Evidence:
    """Typed evidence of one video; parts whose service failed or did not run are None."""
    metadata = VideoMetadata.from_dict(analysis.metadata)
    ocr, duration_s = analysis.data("ocr"), analysis.duration_s
    people = analysis.data("mediapipe")
    return e.Evidence(
        duration_s=duration_s,
        metadata=metadata,
        services=services_of(analysis, metadata),
        texts=None if ocr is None else _texts(ocr.get("textAnnotations", ())),
        stickers=None if ocr is None else _stickers(ocr.get("stickers", ())),
        gestures=None if people is None else _gestures(analysis),
        speech=_maybe(analysis.data("whisper"), _speech),
        objects=_maybe(analysis.data("yolo"), lambda data: _objects(data, duration_s)),
        people=_maybe(people, lambda data: _people(data, duration_s)),
        expressions=_expressions(analysis),
        shots=_maybe(analysis.data("scene_detection"), lambda data: _shots(data, duration_s)),
        audio=_maybe(analysis.data("audio_energy"), _audio),
    )


def _maybe(data: Mapping[str, Any] | None, read: Any) -> Any:
    return None if data is None else read(data)


def _box(value: object) -> e.Box | None:
    if not isinstance(value, Sequence) or len(value) != 4:
        return None
    x, y, width, height = (float(number) for number in value)
    return (x, y, width, height)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _pair(value: object) -> tuple[float, float] | None:
    return (float(value[0]), float(value[1])) if isinstance(value, Sequence) and len(value) == 2 else None


def _ordered(items: Iterable[_T], key: Any) -> tuple[_T, ...]:
    return tuple(sorted(items, key=key))


def _texts(raw: Iterable[Mapping[str, Any]]) -> tuple[e.TextTrack, ...]:
    found = [_text(item) for item in raw if item.get("category") != "watermark"]
    return _ordered(found, lambda t: (t.start_s, t.end_s, t.text, t.box or ()))


def _text(item: Mapping[str, Any]) -> e.TextTrack:
    sightings = sorted(
        (s for s in item.get("sightings") or () if _box(s.get("bbox")) is not None), key=lambda s: float(s["timestamp"])
    )
    contrasts = [np.nan if s.get("contrast") is None else float(s["contrast"]) for s in sightings]
    return e.TextTrack(
        text=str(item["text"]),
        start_s=float(item["start"]),
        end_s=float(item["end"]),
        confidence=_number(item.get("confidence")),
        box=_box(item.get("bbox")),
        category=str(item.get("category") or "overlay_text"),
        sighting_times_s=np.array([float(s["timestamp"]) for s in sightings], dtype=np.float64),
        sighting_boxes=np.array([s["bbox"] for s in sightings], dtype=np.float64).reshape(-1, 4),
        contrasts=np.array(contrasts, dtype=np.float64),
    )


def _stickers(raw: Iterable[Mapping[str, Any]]) -> tuple[e.Sticker, ...]:
    found = (
        e.Sticker(
            str(item.get("type") or "sticker"),
            float(item["start"]),
            float(item["end"]),
            _number(item.get("confidence")),
            _box(item.get("bbox")),
        )
        for item in raw
    )
    return _ordered(found, lambda s: (s.start_s, s.end_s, s.kind, s.box or ()))


def _gestures(analysis: UnifiedAnalysis) -> tuple[e.Gesture, ...]:
    # The timeline joins equal gestures of consecutive samples into one.
    found = []
    for entry in analysis.timeline.of_type("gesture"):
        kind = canonical_gesture(str(entry.data.get("type") or ""))
        if kind is not None:
            end_s = entry.start_s if entry.end_s is None else entry.end_s
            hand = entry.data.get("hand")
            found.append(
                e.Gesture(
                    kind,
                    entry.start_s,
                    end_s,
                    _number(entry.data.get("confidence")),
                    None if hand is None else str(hand),
                    _box(entry.data.get("bbox")),
                    _pair(entry.data.get("direction")),
                )
            )
    return _ordered(found, lambda g: (g.start_s, g.end_s, g.kind, g.hand or "", g.box or ()))


def _speech(data: Mapping[str, Any]) -> e.Speech:
    segments = [_segment(item) for item in data.get("segments", ())]
    language = data.get("language")
    return e.Speech(
        text=str(data.get("text") or ""),
        language=None if language in (None, "", "unknown") else str(language),
        has_audio=bool(data.get("metadata", {}).get("has_audio", True)),
        segments=_ordered(segments, lambda s: (s.start_s, s.end_s, s.text)),
    )


def _segment(item: Mapping[str, Any]) -> e.Segment:
    start_s, end_s, text = float(item["start"]), float(item["end"]), str(item["text"]).strip()
    words = tuple(
        e.Word(str(w["word"]).strip(), float(w["start"]), float(w["end"]), _number(w.get("probability")), True)
        for w in item.get("words") or ()
    )
    if not words:
        spoken = tokens(text)
        edges = np.linspace(start_s, end_s, len(spoken) + 1).tolist()
        words = tuple(e.Word(w, a, b, None, False) for w, a, b in zip(spoken, edges, edges[1:], strict=False))
    return e.Segment(start_s, end_s, text, _number(item.get("confidence")), words)


def grid_of(metadata: Mapping[str, Any], duration_s: float, seen_s: Iterable[float]) -> tuple[e.Grid, float]:
    """The instants at which a service looked, and its rate.

    Where the rate is not told it follows from the number of frames; where that is not told either, the only instants
    known are those with a find.
    """
    seen = np.unique(np.asarray(list(seen_s), dtype=np.float64))
    rate = _number(metadata.get("sample_fps")) or (_number(metadata.get("frames_analyzed")) or 0.0) / duration_s
    if rate <= 0:
        gaps = np.diff(seen)
        step_s = float(np.median(gaps)) if gaps.size else duration_s
        return e.Grid(step_s, seen, seen), 0.0
    numbers = np.rint(seen * rate).astype(np.int64)
    count = max(1, math.ceil(duration_s * rate - 1e-6), int(numbers.max(initial=0)) + 1)
    nominal = np.arange(count) / rate
    times = nominal.copy()
    times[numbers] = seen
    return e.Grid(1.0 / rate, times, nominal), rate


def _samples(grid: e.Grid, rate: float, times_s: Floats) -> Any:
    if rate > 0:
        return np.rint(times_s * rate).astype(np.int64)
    return np.searchsorted(grid.times_s, times_s)


def _objects(data: Mapping[str, Any], duration_s: float) -> e.Objects:
    rows = sorted(
        (
            float(f["timestamp"]),
            str(item["className"]),
            tuple(map(float, f["bbox"])),
            float(f.get("confidence", np.nan)),
        )
        for item in data.get("objectAnnotations", ())
        for f in item.get("frames", ())
    )
    times = np.array([row[0] for row in rows], dtype=np.float64)
    classes = tuple(sorted({row[1] for row in rows}))
    grid, rate = grid_of(data.get("metadata", {}), duration_s, times)
    number = {name: index for index, name in enumerate(classes)}
    return e.Objects(
        grid=grid,
        sample=_samples(grid, rate, times),
        boxes=np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
        confidences=np.array([row[3] for row in rows], dtype=np.float64),
        class_index=np.array([number[row[1]] for row in rows], dtype=np.int64),
        classes=classes,
    )


def _people(data: Mapping[str, Any], duration_s: float) -> e.People:
    def by_time(name: str) -> list[Mapping[str, Any]]:
        return sorted(data.get(name, ()), key=lambda item: (float(item["timestamp"]), str(_box(item.get("bbox")))))

    faces = [face for face in by_time("faces") if _box(face.get("bbox")) is not None]
    poses, gaze = by_time("poses"), by_time("gaze")
    times = {float(item["timestamp"]) for name in ("faces", "poses", "gaze", "hands") for item in data.get(name, ())}
    grid, rate = grid_of(data.get("metadata", {}), duration_s, times)

    def common(items: Sequence[Mapping[str, Any]]) -> tuple[Any, Floats, Floats]:
        seen = np.array([float(item["timestamp"]) for item in items], dtype=np.float64)
        boxes = [_box(item.get("bbox")) or (np.nan,) * 4 for item in items]
        confidences = [np.nan if (c := _number(item.get("confidence"))) is None else c for item in items]
        return _samples(grid, rate, seen), np.array(boxes, np.float64).reshape(-1, 4), np.array(confidences, np.float64)

    samples = _samples(grid, rate, np.array([float(item["timestamp"]) for item in gaze], dtype=np.float64))
    return e.People(
        grid,
        e.Detections(grid, *common(faces)),
        e.Poses(
            grid,
            *common(poses),
            landmarks=np.array([_landmarks(pose.get("landmarks")) for pose in poses]).reshape(-1, _LANDMARKS, 4),
            postures=tuple(pose.get("posture") for pose in poses),
            orientations=tuple(pose.get("orientation") for pose in poses),
        ),
        e.Gaze(
            grid,
            samples,
            np.array([float(item["eye_contact"]) for item in gaze], dtype=np.float64),
            tuple(item.get("gaze_direction") for item in gaze),
        ),
        _actions(data.get("actions")),
    )


def _actions(raw: Iterable[Mapping[str, Any]] | None) -> tuple[e.Action, ...] | None:
    if raw is None:
        return None
    found = []
    for item in raw:
        start_s = float(item.get("start", item.get("timestamp", 0.0)))
        end_s = start_s if item.get("end") is None else float(item["end"])
        found.append(e.Action(str(item["action"]), start_s, end_s, _number(item.get("confidence"))))
    return _ordered(found, lambda a: (a.start_s, a.end_s, a.kind))


def _landmarks(raw: object) -> Floats:
    points = np.full((_LANDMARKS, 4), np.nan)
    if isinstance(raw, Sequence) and not isinstance(raw, str):
        for point in raw:
            points[int(point["i"])] = [float(point.get(axis, np.nan)) for axis in ("x", "y", "z", "v")]
    return points


def _expressions(analysis: UnifiedAnalysis) -> e.Expressions | None:
    feat, people = analysis.data("emotion_detection"), analysis.data("mediapipe")
    if feat is not None:
        rate = _number(feat.get("sample_rate")) or _number(feat.get("metadata", {}).get("sample_fps"))
        return _expression_series("emotion_detection", feat.get("emotions", ()), rate)
    if people is not None and "expressions" in people:
        return _expression_series("mediapipe", people["expressions"], _number(people["metadata"].get("sample_fps")))
    return None


def _expression_series(source: Any, raw: Iterable[Mapping[str, Any]], rate: float | None) -> e.Expressions:
    best: dict[float, tuple[float, Emotion, float]] = {}
    for item in raw:
        label, confidence = canonical_emotion(str(item.get("emotion") or "")), _number(item.get("confidence"))
        if label is None or confidence is None:
            continue  # neither can be weighed: unknown, not neutral and not certain
        candidate = (confidence, label, _valence(label, confidence, item.get("all_scores")))
        time_s = float(item["timestamp"])
        best[time_s] = max(best.get(time_s, candidate), candidate)
    times = np.array(sorted(best), dtype=np.float64)
    chosen = [best[time] for time in times.tolist()]
    gaps = np.diff(times)
    # Without a rate: the closest two samples are one step apart.
    step_s = 1.0 / rate if rate else float(gaps.min()) if gaps.size else 1.0
    return e.Expressions(
        source,
        step_s,
        times,
        tuple(label for _, label, _ in chosen),
        np.array([confidence for confidence, _, _ in chosen], dtype=np.float64),
        np.array([valence for _, _, valence in chosen], dtype=np.float64),
    )


def _valence(label: str, confidence: float, scores: object) -> float:
    if isinstance(scores, Mapping) and scores:
        known = {canonical_emotion(str(name)): float(score) for name, score in scores.items()}
        return sum(known.get(name, 0.0) * VALENCE_WEIGHTS[name] for name in EMOTIONS)
    return VALENCE_WEIGHTS[label] * confidence


def _shots(data: Mapping[str, Any], duration_s: float) -> e.Shots:
    scenes = sorted((float(s["start_time"]), float(s["end_time"])) for s in data.get("scenes", ()))
    ends = np.array([end for _, end in scenes] or [duration_s], dtype=np.float64)
    starts = np.array([start for start, _ in scenes] or [0.0], dtype=np.float64)
    scores = data.get("scene_change_scores")
    threshold = _number(data.get("metadata", {}).get("adaptive_threshold")) or ADAPTIVE_THRESHOLD
    # Scores stand in the order of the changes, which are ordered by time.
    confidences = None if scores is None else cut_confidence(np.array(scores, dtype=np.float64), threshold)
    types = data.get("transition_types")
    return e.Shots(
        starts,
        ends,
        starts[1:],
        confidences if confidences is not None and confidences.size == starts.size - 1 else None,
        None if types is None else tuple(str(kind) for kind in types),
    )


def _audio(data: Mapping[str, Any]) -> e.Audio | None:
    if not data.get("metadata", {}).get("has_audio", True):
        return None
    windows = []
    for key, level in data.get("energy_level_windows", {}).items():
        start, end = key.removesuffix("s").split("-")
        windows.append((float(start), float(end), float(level)))
    curve = data.get("rms_curve")
    return e.Audio(
        windows=tuple(sorted(windows)),
        variance=_number(data.get("energy_variance")),
        climax_s=_number(data.get("climax_timestamp")),
        burst_pattern=data.get("burst_pattern"),
        onsets_s=_instants(data.get("onsets")),
        beats_s=_instants(data.get("beats")),
        tempo_bpm=_number(data.get("tempo_bpm")),
        snr_db=_number(data.get("snr_db")),
        silence_ratio=_number(data.get("silence_ratio")),
        curve=None if curve is None else np.array(curve, dtype=np.float64),
        curve_hz=_number(data.get("metadata", {}).get("rms_curve_hz")) or _CURVE_HZ,
    )


def _instants(raw: Iterable[float] | None) -> Floats | None:
    return None if raw is None else np.sort(np.array(list(raw), dtype=np.float64))
