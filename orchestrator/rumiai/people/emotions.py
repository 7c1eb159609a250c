"""The canonical ``emotion_detection`` data from the expressions of the main faces."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from rumiai.contracts.frames import Sampling
from rumiai.contracts.lexicons import EMOTIONS
from rumiai.contracts.services.expressions import (
    EmotionMetrics,
    EmotionSample,
    EmotionTransition,
    ExpressionsData,
    ExpressionsMetadata,
    ProcessingStats,
)
from rumiai.people.expressions import ACTIVE, Expression, expression
from rumiai.people.labels import most_frequent, smooth
from rumiai.people.observations import Face, PeopleFrame

MODEL: Final = "mediapipe-face_landmarker blendshapes, EMFACS mapping"
SOURCE: Final = "blendshapes"
# With a face on a smaller share of the samples, the emotions say little about the whole video.
_SUITABLE_RATE: Final = 0.2
_MOST_ACTIVE: Final = 5


def assemble_emotions(frames: Sequence[PeopleFrame], sampling: Sampling, video_id: str) -> ExpressionsData:
    """The data of the service ``emotion_detection``: what the main face of each frame shows.

    Args:
        frames: The analysed frames, in order.
        sampling: The video's sampling.
        video_id: The safe id.

    Returns:
        No face at all is a success without emotions. ``metadata.model`` says that they are mapped from blendshapes.
    """
    shown = [
        (frame, frame.main_face, expression(frame.main_face.mesh.blendshapes))
        for frame in frames
        if frame.main_face is not None and frame.main_face.mesh is not None
    ]
    expressions = [shows for _, _, shows in shown]
    times = [frame.timestamp_s for frame, _, _ in shown]
    labels = smooth([shows.emotion for shows in expressions], sampling.step_s)
    transitions = tuple(
        EmotionTransition(timestamp_s=_round(times[i]), before=labels[i - 1], after=labels[i])
        for i in range(1, len(labels))
        if labels[i] != labels[i - 1]
    )
    video_type = "people_detected" if shown else "no_people"
    read = sum(frame.look != "gated" for frame in frames)
    return ExpressionsData(
        emotions=tuple(_sample(frame, face, shows) for frame, face, shows in shown),
        dominant_emotion=most_frequent([shows.emotion for shows in expressions]),
        emotion_transitions=transitions,
        processing_stats=ProcessingStats(
            total_frames=len(frames),
            successful_frames=len(shown),
            no_face_frames=len(frames) - len(shown),
            video_type=video_type,
        ),
        metrics=_metrics(expressions, len(transitions), len(shown) / len(frames) if frames else 0.0, video_type),
        video_id=video_id,
        video_duration_s=sampling.duration_s,
        frames_analyzed=len(frames),
        sample_rate=sampling.sample_fps,
        observed=tuple(_round(frame.timestamp_s) for frame in frames),
        metadata=ExpressionsMetadata(
            **sampling.metadata(len(frames)),
            model=MODEL,
            source=SOURCE,
            frames_read=read,
            frames_carried=0,
            frames_gated=len(frames) - read,
        ),
    )


def _sample(frame: PeopleFrame, face: Face, shows: Expression) -> EmotionSample:
    x, y, width, height = (_round(value) for value in face.box)
    return EmotionSample(
        timestamp_s=_round(frame.timestamp_s),
        frame_number=frame.frame_number,
        emotion=shows.emotion,
        confidence=_round(shows.confidence),
        all_scores={emotion: _round(shows.scores[emotion]) for emotion in EMOTIONS},
        action_units=tuple(shows.action_units),
        au_intensities={str(unit): _round(value) for unit, value in shows.intensities.items()},
        face_bbox=(x, y, width, height),
        face_confidence=_round(face.score),
        valence=_round(shows.valence),
    )


def _metrics(
    expressions: Sequence[Expression], transitions: int, detection_rate: float, video_type: str
) -> EmotionMetrics:
    counts = Counter(shows.emotion for shows in expressions)
    n = len(expressions)
    entropy = -sum(count / n * math.log(count / n) for count in counts.values())
    active = Counter(unit for shows in expressions for unit, value in shows.intensities.items() if value > ACTIVE)
    return EmotionMetrics(
        unique_emotions=len(counts),
        transition_count=transitions,
        avg_confidence=_round(sum(shows.confidence for shows in expressions) / n) if n else None,
        # Relative to all seven labels, not to those that occur.
        emotion_diversity=_round(max(0.0, entropy) / math.log(len(EMOTIONS))) if n else None,
        detection_rate=_round(detection_rate),
        suitable_for_emotion_analysis=detection_rate >= _SUITABLE_RATE,
        most_active_aus=tuple(sorted(active, key=lambda unit: (-active[unit], unit))[:_MOST_ACTIVE]),
        video_type=video_type,
    )


def _round(value: float) -> float:
    return round(float(value), 4)
