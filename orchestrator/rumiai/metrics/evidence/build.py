"""The evidence of one video as arrays, from the typed data of its services."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, cast

import numpy as np

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.gestures import gestures_of
from rumiai.contracts.lexicons import EMOTIONS, VALENCE_WEIGHTS, Emotion, canonical_emotion, canonical_gesture
from rumiai.contracts.models import all_models
from rumiai.contracts.observed import Observed, observed_of
from rumiai.contracts.persons import counted_persons, counted_poses
from rumiai.contracts.services.base import ServiceData, ServiceMetadata
from rumiai.contracts.services.expressions import EmotionSample, ExpressionsData
from rumiai.contracts.services.ocr import OcrData, Sticker, TextAnnotation
from rumiai.contracts.services.people import BODY_POINTS, Action, Face, FaceExpression, Gaze, PeopleData, Pose
from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.services.yolo import PERSON, YoloData
from rumiai.contracts.timeline import Timeline, UnifiedAnalysis
from rumiai.core.arrays import Floats, Ints
from rumiai.core.intervals import inside, near, union
from rumiai.metrics.evidence import heard
from rumiai.metrics.evidence import types as e
from rumiai.metrics.evidence.observed import Seen
from rumiai.metrics.evidence.quality import services_of

_NO_BOX: Final = (math.nan,) * 4
_T = TypeVar("_T")
_Out = TypeVar("_Out")
_Placed = TypeVar("_Placed", Face, Pose, Gaze)


def read_evidence(analysis: UnifiedAnalysis) -> e.Evidence:
    """Typed evidence of one video.

    Args:
        analysis: All that the services and the source say of it.

    Returns:
        The evidence. A part is None whose service failed, did not run, or looked at nothing; what a service did not
        observe is in none.
    """
    metadata = analysis.metadata.video
    observed = observed_by_service(analysis)
    seen = Seen(analysis, observed)
    ocr, duration_s = seen.get(OcrData), analysis.duration_s
    people, objects = seen.get(PeopleData), seen.get(YoloData)
    return e.Evidence(
        duration_s=duration_s,
        metadata=metadata,
        services=services_of(analysis, metadata, observed),
        observed=observed,
        texts=None if ocr is None else _texts(ocr.overlays, observed["ocr"]),
        scene_texts=None if ocr is None else _texts((t for t in ocr.texts if t.is_scene), observed["ocr"]),
        unknown_texts=None if ocr is None else _texts((t for t in ocr.texts if t.is_unknown), observed["ocr"]),
        stickers=None if ocr is None else _stickers(ocr.stickers, observed["ocr"]),
        gestures=None if people is None else _gestures(analysis.timeline),
        speech=heard.speech_of(seen),
        objects=_maybe(objects, lambda data: _objects(data, people, duration_s)),
        people=_maybe(people, lambda data: _people(data, objects, duration_s)),
        expressions=_expressions(seen.get(ExpressionsData), people),
        shots=_maybe(seen.get(ScenesData), lambda data: _shots(data, observed["scenes"])),
        audio=heard.audio_of(seen),
        aspect=_aspect(analysis.facts) or (None if ocr is None else _aspect(ocr.metadata)),
    )


def observed_by_service(analysis: UnifiedAnalysis) -> dict[str, Observed]:
    """When each service that ran looked, by its name in the weights.

    Args:
        analysis: Of the video.

    Returns:
        Name -> the time. Without an emotion detector, and with one that looked at nothing, what MediaPipe observed is
        what its expressions rest on.
    """
    found = {
        model.name_in_weights(): observed_of(data, analysis.duration_s)
        for model in all_models()
        if (data := analysis.get(model)) is not None
    }
    people = analysis.get(PeopleData)
    looked = "emotion" in found and found["emotion"].seconds > 0
    if not looked and people is not None and people.expressions is not None:
        found["emotion"] = found["mediapipe"]
    return found


def _maybe(data: _T | None, read: Callable[[_T], _Out]) -> _Out | None:
    return None if data is None else read(data)


def _ordered(items: Iterable[_T], key: Callable[[_T], Any]) -> tuple[_T, ...]:
    return tuple(sorted(items, key=key))


def _told(values: Iterable[float | None]) -> Floats:
    """(n,) float64 of numbers that may be unknown: NaN."""
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _seen_end(item: TextAnnotation | Sticker, observed: Observed) -> float:
    """Its end, as far as anybody looked: where the picture breaks off, nothing stands any longer."""
    return max(item.start_s, min(item.end_s, observed.until_s))


def _texts(raw: Iterable[TextAnnotation], observed: Observed) -> tuple[e.TextTrack, ...]:
    return _ordered(
        (_text(item, _seen_end(item, observed)) for item in raw), lambda t: (t.start_s, t.end_s, t.text, t.box or ())
    )


def _text(item: TextAnnotation, end_s: float) -> e.TextTrack:
    seen = sorted((s for s in item.sightings or () if s.bbox is not None), key=lambda s: s.timestamp_s)
    return e.TextTrack(
        text=item.text,
        start_s=item.start_s,
        end_s=end_s,
        confidence=item.confidence,
        box=item.bbox,
        category=item.category or "overlay_text",
        sighting_times_s=np.array([s.timestamp_s for s in seen], dtype=np.float64),
        sighting_boxes=np.array([s.bbox for s in seen], dtype=np.float64).reshape(-1, 4),
        contrasts=_told(s.contrast for s in seen),
        line_height=item.line_height,
    )


def _stickers(raw: Iterable[Sticker], observed: Observed) -> tuple[e.Sticker, ...]:
    found = (
        e.Sticker(item.type or "sticker", item.start_s, _seen_end(item, observed), item.confidence, item.bbox)
        for item in raw
    )
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


def grid_of(data: ServiceData, duration_s: float) -> e.Grid:
    """The instants at which a service looked.

    Args:
        data: Of a service that samples frames. Where it does not say when it looked, the only instants known are those
            with a find.
        duration_s: Length of the video, seconds.

    Returns:
        The grid; a find that lies on no observed instant has an instant of its own. A grid without instants for data
        that observed nothing and found nothing.
    """
    found = np.unique(np.asarray(data.found_at_s, dtype=np.float64))
    given = np.array(_instants(data, duration_s), dtype=np.float64)
    gaps = np.diff(np.unique(np.concatenate([given, found])) if not given.size else given)
    step_s = data.metadata.step_s or (float(gaps.min()) if gaps.size else duration_s)
    alone = ~near(found, given, step_s / 2)
    times = np.unique(np.concatenate([given, found[alone]]))
    nominal = np.rint(times / step_s) * step_s
    return e.Grid(step_s, times, nominal if (np.diff(nominal) > 0).all() else times)


def _instants(data: ServiceData, duration_s: float) -> Sequence[float]:
    """The observed instants; of stretches those of the grid in them."""
    given, step_s = data.observed or (), data.metadata.step_s
    if not given or not isinstance(given[0], tuple):
        return cast("Sequence[float]", given)
    grid = np.arange(math.ceil(duration_s / step_s - 1e-6)) * step_s if step_s else np.zeros(0)
    kept: list[float] = grid[inside(union(given), grid)].tolist()
    return kept


def _samples(grid: e.Grid, times_s: Floats) -> Ints:
    """Index of the instant of the grid that is nearest to each time."""
    after = np.clip(np.searchsorted(grid.times_s, times_s), 1, max(1, grid.count - 1))
    before = after - 1
    after = np.minimum(after, grid.count - 1)
    nearer = times_s - grid.times_s[before] <= grid.times_s[after] - times_s
    return np.asarray(np.where(nearer, before, after), dtype=np.int64)


def _objects(data: YoloData, people: PeopleData | None, duration_s: float) -> e.Objects:
    """The objects that count, persons by :func:`rumiai.contracts.persons.counted_persons`."""
    found = [
        (seen.timestamp_s, track.counted_class, seen.bbox, seen.confidence)
        for track in data.counted
        if track.counted_class != PERSON
        for seen in track.frames
    ]
    persons = counted_persons(data, people.faces if people else ())
    rows = sorted([*found, *((seen.timestamp_s, PERSON, seen.bbox, seen.confidence) for seen in persons)])
    times = np.array([row[0] for row in rows], dtype=np.float64)
    classes = tuple(sorted({row[1] for row in rows}))
    grid = grid_of(data, duration_s)
    number = {name: index for index, name in enumerate(classes)}
    return e.Objects(
        grid=grid,
        sample=_samples(grid, times),
        boxes=np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
        confidences=np.array([row[3] for row in rows], dtype=np.float64),
        class_index=np.array([number[row[1]] for row in rows], dtype=np.int64),
        classes=classes,
    )


def _people(data: PeopleData, objects: YoloData | None, duration_s: float) -> e.People:
    def by_time(items: Iterable[_Placed]) -> list[_Placed]:
        return sorted(items, key=lambda item: (item.timestamp_s, str(item.bbox)))

    faces, poses, gaze = by_time(data.faces), by_time(counted_poses(data, objects)), by_time(data.gaze or ())
    grid = grid_of(data, duration_s)

    def common(items: Sequence[Face] | Sequence[Pose]) -> tuple[Ints, Floats, Floats]:
        times = np.array([item.timestamp_s for item in items], dtype=np.float64)
        boxes = np.array([item.bbox or _NO_BOX for item in items], np.float64).reshape(-1, 4)
        return _samples(grid, times), boxes, _told(item.confidence for item in items)

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
            _samples(grid, np.array([item.timestamp_s for item in gaze], dtype=np.float64)),
            np.array([item.eye_contact for item in gaze], dtype=np.float64),
            tuple(item.gaze_direction for item in gaze),
        ),
        None if data.actions is None else _actions(data.actions),
        _aspect(data.metadata),
    )


def _aspect(metadata: ServiceMetadata | MediaFacts) -> float | None:
    """Width of the frame over its height; None where the file does not tell."""
    return metadata.width / metadata.height if metadata.width and metadata.height else None


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


def _shots(data: ScenesData, observed: Observed) -> e.Shots:
    """The scenes as far as the picture was looked at: what lies behind its end is no part of the last one."""
    until_s = observed.until_s
    scenes = sorted((scene.start_s, min(scene.end_s, until_s)) for scene in data.scenes if scene.start_s < until_s)
    starts = np.array([start for start, _ in scenes], dtype=np.float64)
    # Scores stand in the order of the changes, which are ordered by time.
    scores = data.change_confidences or ()
    return e.Shots(
        starts,
        np.array([end for _, end in scenes], dtype=np.float64),
        starts[1:],
        np.array(scores[: starts.size - 1], dtype=np.float64) if len(scores) == len(data.changes_s) else None,
        _transition_types(data, starts.size - 1, until_s),
    )


def _transition_types(data: ScenesData, changes: int, until_s: float) -> tuple[str, ...] | None:
    """Types of the changes that were looked at, and of the gradual transitions beside them."""
    types = data.transition_types
    if types is None or changes == len(data.changes_s):
        return types
    gradual = [t.type for t in data.transitions or () if t.start_s < until_s and t.type != "cut"]
    beside = len(gradual) - sum(kind != "cut" for kind in types[:changes])
    return (*types[:changes], *types[len(data.changes_s) :][: max(0, beside)])
