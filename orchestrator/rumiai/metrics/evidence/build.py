"""The evidence of one video as arrays, from the typed data of its services."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

import numpy as np

from rumiai.contracts.gestures import gestures_of
from rumiai.contracts.lexicons import EMOTIONS, VALENCE_WEIGHTS, Emotion, canonical_emotion, canonical_gesture
from rumiai.contracts.services.base import ServiceMetadata
from rumiai.contracts.services.expressions import EmotionSample, ExpressionsData
from rumiai.contracts.services.ocr import OcrData, Sticker, TextAnnotation
from rumiai.contracts.services.people import BODY_POINTS, Action, Face, FaceExpression, Gaze, PeopleData, Pose
from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.services.yolo import YoloData
from rumiai.contracts.timeline import Timeline, UnifiedAnalysis
from rumiai.core.arrays import Floats, Ints
from rumiai.metrics.evidence import heard
from rumiai.metrics.evidence import types as e
from rumiai.metrics.evidence.quality import services_of

_NO_BOX: Final = (math.nan,) * 4
_T = TypeVar("_T")
_Out = TypeVar("_Out")
_Placed = TypeVar("_Placed", Face, Pose, Gaze)


def read_evidence(analysis: UnifiedAnalysis) -> e.Evidence:
    """Typed evidence of one video; parts whose service failed or did not run are None."""
    metadata = analysis.metadata.video
    ocr, duration_s, people = analysis.get(OcrData), analysis.duration_s, analysis.get(PeopleData)
    return e.Evidence(
        duration_s=duration_s,
        metadata=metadata,
        services=services_of(analysis, metadata),
        texts=None if ocr is None else _texts(ocr.overlays),
        scene_texts=None if ocr is None else _texts(text for text in ocr.texts if text.is_scene),
        unknown_texts=None if ocr is None else _texts(text for text in ocr.texts if text.is_unknown),
        stickers=None if ocr is None else _stickers(ocr.stickers),
        gestures=None if people is None else _gestures(analysis.timeline),
        speech=heard.speech_of(analysis),
        objects=_maybe(analysis.get(YoloData), lambda data: _objects(data, duration_s)),
        people=_maybe(people, lambda data: _people(data, duration_s)),
        expressions=_expressions(analysis.get(ExpressionsData), people),
        shots=_maybe(analysis.get(ScenesData), _shots),
        audio=heard.audio_of(analysis),
    )


def _maybe(data: _T | None, read: Callable[[_T], _Out]) -> _Out | None:
    return None if data is None else read(data)


def _ordered(items: Iterable[_T], key: Callable[[_T], Any]) -> tuple[_T, ...]:
    return tuple(sorted(items, key=key))


def _told(values: Iterable[float | None]) -> Floats:
    """(n,) float64 of numbers that may be unknown: NaN."""
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _texts(raw: Iterable[TextAnnotation]) -> tuple[e.TextTrack, ...]:
    return _ordered((_text(item) for item in raw), lambda t: (t.start_s, t.end_s, t.text, t.box or ()))


def _text(item: TextAnnotation) -> e.TextTrack:
    seen = sorted((s for s in item.sightings or () if s.bbox is not None), key=lambda s: s.timestamp_s)
    return e.TextTrack(
        text=item.text,
        start_s=item.start_s,
        end_s=item.end_s,
        confidence=item.confidence,
        box=item.bbox,
        category=item.category or "overlay_text",
        sighting_times_s=np.array([s.timestamp_s for s in seen], dtype=np.float64),
        sighting_boxes=np.array([s.bbox for s in seen], dtype=np.float64).reshape(-1, 4),
        contrasts=_told(s.contrast for s in seen),
    )


def _stickers(raw: Iterable[Sticker]) -> tuple[e.Sticker, ...]:
    found = (e.Sticker(item.type or "sticker", item.start_s, item.end_s, item.confidence, item.bbox) for item in raw)
    return _ordered(found, lambda s: (s.start_s, s.end_s, s.kind, s.box or ()))


def _gestures(timeline: Timeline) -> tuple[e.Gesture, ...]:
    # The timeline joins equal gestures of consecutive samples into one.
    found = []
    for gesture in gestures_of(timeline):
        kind = canonical_gesture(gesture.kind or "")
        if kind is not None:
            found.append(
                e.Gesture(
                    kind,
                    gesture.start_s,
                    gesture.end_s,
                    gesture.confidence,
                    gesture.hand,
                    gesture.bbox,
                    gesture.direction,
                )
            )
    return _ordered(found, lambda g: (g.start_s, g.end_s, g.kind, g.hand or "", g.box or ()))


def grid_of(metadata: ServiceMetadata, duration_s: float, seen_s: Iterable[float]) -> tuple[e.Grid, float]:
    """The instants at which a service looked, and its rate.

    Where the rate is not told it follows from the number of frames; where that is not told either, the only instants
    known are those with a find.
    """
    seen = np.unique(np.asarray(list(seen_s), dtype=np.float64))
    rate = metadata.sample_fps or (metadata.frames_analyzed or 0.0) / duration_s
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


def _samples(grid: e.Grid, rate: float, times_s: Floats) -> Ints:
    if rate > 0:
        return np.asarray(np.rint(times_s * rate), dtype=np.int64)
    samples: Ints = np.searchsorted(grid.times_s, times_s).astype(np.int64)
    return samples


def _objects(data: YoloData, duration_s: float) -> e.Objects:
    rows = sorted(
        (seen.timestamp_s, track.class_name, seen.bbox, seen.confidence)
        for track in data.tracks
        for seen in track.frames
    )
    times = np.array([row[0] for row in rows], dtype=np.float64)
    classes = tuple(sorted({row[1] for row in rows}))
    grid, rate = grid_of(data.metadata, duration_s, times)
    number = {name: index for index, name in enumerate(classes)}
    return e.Objects(
        grid=grid,
        sample=_samples(grid, rate, times),
        boxes=np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
        confidences=np.array([row[3] for row in rows], dtype=np.float64),
        class_index=np.array([number[row[1]] for row in rows], dtype=np.int64),
        classes=classes,
    )


def _people(data: PeopleData, duration_s: float) -> e.People:
    def by_time(items: Iterable[_Placed]) -> list[_Placed]:
        return sorted(items, key=lambda item: (item.timestamp_s, str(item.bbox)))

    faces = by_time(face for face in data.faces if face.bbox is not None)
    poses, gaze = by_time(data.poses), by_time(data.gaze or ())
    seen = (*data.faces, *data.poses, *(data.gaze or ()), *data.hands)
    grid, rate = grid_of(data.metadata, duration_s, {item.timestamp_s for item in seen})

    def common(items: Sequence[Face] | Sequence[Pose]) -> tuple[Ints, Floats, Floats]:
        times = np.array([item.timestamp_s for item in items], dtype=np.float64)
        boxes = np.array([item.bbox or _NO_BOX for item in items], np.float64).reshape(-1, 4)
        return _samples(grid, rate, times), boxes, _told(item.confidence for item in items)

    return e.People(
        grid,
        e.Detections(grid, *common(faces)),
        e.Poses(
            grid,
            *common(poses),
            landmarks=_landmarks(poses),
            postures=tuple(pose.posture for pose in poses),
            orientations=tuple(pose.orientation for pose in poses),
        ),
        e.Gaze(
            grid,
            _samples(grid, rate, np.array([item.timestamp_s for item in gaze], dtype=np.float64)),
            np.array([item.eye_contact for item in gaze], dtype=np.float64),
            tuple(item.gaze_direction for item in gaze),
        ),
        None if data.actions is None else _actions(data.actions),
    )


def _landmarks(poses: Sequence[Pose]) -> Floats:
    """(n, 33, 4) float64; NaN where a body has no landmarks."""
    points = np.full((len(poses), BODY_POINTS, 4), np.nan)
    for row, pose in zip(points, poses, strict=True):
        if pose.landmarks is not None:
            row[:] = pose.landmarks.points
    return points


def _actions(raw: Iterable[Action]) -> tuple[e.Action, ...]:
    found = (
        e.Action(item.action, item.begins_s, item.begins_s if item.end_s is None else item.end_s, item.confidence)
        for item in raw
    )
    return _ordered(found, lambda a: (a.start_s, a.end_s, a.kind))


def _expressions(feat: ExpressionsData | None, people: PeopleData | None) -> e.Expressions | None:
    if feat is not None:
        return _expression_series("emotion_detection", feat.emotions, feat.sample_rate or feat.metadata.sample_fps)
    if people is not None and people.expressions is not None:
        return _expression_series("mediapipe", people.expressions, people.metadata.sample_fps)
    return None


def _expression_series(
    source: Literal["emotion_detection", "mediapipe"], raw: Iterable[EmotionSample | FaceExpression], rate: float | None
) -> e.Expressions:
    best: dict[float, tuple[float, Emotion, float]] = {}
    for item in raw:
        label, confidence = canonical_emotion(item.emotion or ""), item.confidence
        if label is None or confidence is None:
            continue  # neither can be weighed: unknown, not neutral and not certain
        candidate = (confidence, label, _valence(label, confidence, item.all_scores))
        best[item.timestamp_s] = max(best.get(item.timestamp_s, candidate), candidate)
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


def _valence(label: str, confidence: float, scores: Mapping[str, float | None] | None) -> float:
    if scores:
        known = {canonical_emotion(name): score or 0.0 for name, score in scores.items()}
        return sum(known.get(name, 0.0) * VALENCE_WEIGHTS[name] for name in EMOTIONS)
    return VALENCE_WEIGHTS[label] * confidence


def _shots(data: ScenesData) -> e.Shots:
    scenes = sorted((scene.start_s, scene.end_s) for scene in data.scenes)
    starts = np.array([start for start, _ in scenes], dtype=np.float64)
    # Scores stand in the order of the changes, which are ordered by time.
    scores = data.change_confidences or ()
    return e.Shots(
        starts,
        np.array([end for _, end in scenes], dtype=np.float64),
        starts[1:],
        np.array(scores, dtype=np.float64) if len(scores) == len(data.changes_s) else None,
        data.transition_types,
    )
