"""emotional_journey: which emotions the main face shows, how they change and what goes with them.

Source: docs/analyses.md, emotional_journey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.contracts.lexicons import VALENCE_WEIGHTS, Emotion
from rumiai.metrics.emotional_journey import curves, patterns
from rumiai.metrics.emotional_journey.blocks import (
    SCHEMA,
    Blocks,
    CaptionSentiment,
    CoreMetrics,
    Dynamics,
    EmotionalContrastMoment,
    EmotionalPeak,
    FurtherMetrics,
    Interactions,
    KeyEvents,
    Moment,
    Patterns,
    ProgressionWindow,
    Quality,
    ResolutionMoment,
    TransitionPoint,
)
from rumiai.metrics.emotional_journey.further import further_metrics
from rumiai.metrics.emotional_journey.journey import EmotionSync, Journey, measure_journey, measure_sync
from rumiai.metrics.emotional_journey.peaks import Peak
from rumiai.metrics.emotional_journey.triggers import triggers, visible_events
from rumiai.metrics.emotional_journey.v1 import V1
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence, Expressions
from rumiai.metrics.families import Family, unknown_because
from rumiai.metrics.shared.bins import equal_windows, span
from rumiai.metrics.shared.caption import read_caption
from rumiai.metrics.shared.labels import LabelChange
from rumiai.metrics.shared.spoken_tone import SpokenTone
from rumiai.metrics.shared.statistics import clamp, mean

WEIGHTS: Final = Weights(
    core_metrics={"emotion": 0.7, "mediapipe": 0.15, "audio": 0.15},
    dynamics={"emotion": 0.9, "audio": 0.1},
    interactions={"emotion": 0.4, "whisper": 0.2, "mediapipe": 0.2, "audio": 0.2},
    key_events={"emotion": 0.8, "whisper": 0.1, "audio": 0.1},
    patterns={"emotion": 0.75, "mediapipe": 0.25},
)

_WINDOWS: Final = 10
_MOST: Final = 5
_CLOSING_SHARE: Final = 0.2


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """Emotions of the main face over one video, and what goes with them.

    Args:
        evidence: Of the video.

    Returns:
        The six blocks, and the metrics without a field in them. Where the expressions are unknown only the sentiment of
        the caption and the quality are said; where no face shows one, also that there are no emotions. Neither has
        further metrics.
    """
    caption = read_caption(evidence.metadata.description)
    tone = None if caption is None else caption.sentiment.category
    if evidence.expressions is None:
        return _without_faces(evidence, tone), MoreMetrics()
    journey = measure_journey(evidence.expressions, evidence.bins, evidence.seen("emotion"))
    if not journey.known.size:
        return _nobody(journey, evidence, tone), MoreMetrics()
    sync = measure_sync(journey, evidence, caption)
    contrasts = contrast_moments(journey.changes, sync.tones or (), evidence)
    blocks = Blocks(
        core_metrics=_core(journey, sync, tone),
        dynamics=_dynamics(journey, sync),
        interactions=_interactions(sync, contrasts),
        key_events=_key_events(journey, evidence),
        patterns=_patterns(journey, sync, contrasts),
        quality=_quality(journey, evidence),
    )
    return blocks, further_metrics(journey, sync)


def _without_faces(evidence: Evidence, tone: CaptionSentiment | None) -> Blocks:
    """What is said of a video whose faces are unknown."""
    return Blocks(
        core_metrics=CoreMetrics.unknown(caption_sentiment=tone),
        dynamics=Dynamics.unknown(),
        interactions=Interactions.unknown(),
        key_events=KeyEvents.unknown(),
        patterns=Patterns.unknown(),
        quality=_quality(None, evidence),
    )


def _nobody(journey: Journey, evidence: Evidence, tone: CaptionSentiment | None) -> Blocks:
    """What is said of a video whose faces were looked for, and none was seen: that, and nothing of emotions."""
    blocks = _without_faces(evidence, tone)
    core = CoreMetrics.unknown(caption_sentiment=tone, unique_emotions=0)
    return blocks.model_copy(update={"core_metrics": core, "quality": _quality(journey, evidence)})


def _core(journey: Journey, sync: EmotionSync, tone: CaptionSentiment | None) -> CoreMetrics:
    faces = journey.faces
    whole_video = np.zeros(len(faces.labels), dtype=np.int64)
    return CoreMetrics(
        unique_emotions=len(set(faces.labels)),
        emotion_transitions=len(journey.changes),
        dominant_emotion=curves.strongest_labels(whole_video, faces.labels, faces.confidences, 1)[0],
        emotional_diversity=curves.emotional_diversity(faces.labels),
        gesture_emotion_alignment=sync.gesture,
        audio_emotion_alignment=sync.audio,
        caption_sentiment=tone,
        emotional_intensity=mean(faces.intensities),
    )


def _dynamics(journey: Journey, sync: EmotionSync) -> Dynamics:
    faces = journey.faces
    windows = min(_WINDOWS, journey.bins.count)
    return Dynamics(
        emotion_progression=progression(faces, equal_windows(journey.bins.duration_s, windows).tolist()),
        transition_smoothness=curves.transition_smoothness(faces.valences, faces.smoothed.runs),
        emotional_arc=journey.arc,
        peak_emotion_moments=[_moment(journey, peak) for peak in _by_time(journey.intense_moments)],
        stability_score=curves.stability_score(len(journey.changes), len(faces.labels)),
        tempo_emotion_sync=sync.beats,
    )


def _by_time(peaks: Sequence[Peak]) -> list[Peak]:
    """The five highest peaks, by time."""
    return sorted(peaks[:_MOST], key=lambda peak: peak.bin)


def _moment(journey: Journey, peak: Peak) -> Moment:
    return Moment(timestamp=journey.bins.label(peak.bin), emotion=peak.emotion, intensity=peak.intensity)


def progression(faces: Expressions, edges_s: Sequence[float]) -> list[ProgressionWindow]:
    """Label with most confidence and mean intensity in each window.

    Args:
        faces: Expression samples, by time.
        edges_s: ``(w + 1,)`` edges of the windows in seconds.

    Returns:
        ``w`` windows; emotion and intensity are None in a window without samples.
    """
    count = len(edges_s) - 1
    window = np.clip(np.searchsorted(edges_s, faces.times_s, side="right") - 1, 0, count - 1)
    labels = curves.strongest_labels(window, faces.labels, faces.confidences, count)
    sums = np.bincount(window, weights=faces.intensities, minlength=count)
    counts = np.bincount(window, minlength=count)
    return [
        ProgressionWindow(
            timestamp=span(edges_s[i], edges_s[i + 1]),
            emotion=labels[i],
            intensity=clamp(float(sums[i] / counts[i])) if counts[i] else None,
        )
        for i in range(count)
    ]


def _interactions(sync: EmotionSync, contrasts: list[EmotionalContrastMoment]) -> Interactions:
    return Interactions(
        gesture_reinforcement=sync.reinforcement,
        audio_mood_congruence=sync.mood,
        caption_emotion_alignment=sync.caption,
        multimodal_coherence=sync.coherence,
        emotional_contrast_moments=contrasts,
    )


def contrast_moments(
    changes: Sequence[LabelChange[Emotion]], tones: Sequence[SpokenTone], evidence: Evidence
) -> list[EmotionalContrastMoment]:
    """Changes between emotions of opposite valence, and words with a tone said with a face of the opposite one.

    Source: docs/analyses.md, emotionalInteractions, ``emotionalContrastMoments``.

    Args:
        changes: Changes of the smoothed label.
        tones: Transcript segments whose words and face both have a tone.
        evidence: Of the video, whose bins label the changes.

    Returns:
        The moments by time, then by wording; empty for none.
    """
    found = []
    for change in changes:
        if VALENCE_WEIGHTS[change.before] * VALENCE_WEIGHTS[change.after] < 0:
            moment = EmotionalContrastMoment(
                timestamp=evidence.bins.label_at(change.time_s),
                conflict=f"{change.before} turns to {change.after}",
                from_emotion=change.before,
                to_emotion=change.after,
            )
            found.append((change.time_s, moment))
    for tone in tones:
        if not tone.congruent:
            moment = EmotionalContrastMoment(
                timestamp=span(tone.start_s, min(tone.end_s, evidence.duration_s)),
                conflict=f"{tone.sentiment} words with a face of {tone.emotion}",
                from_emotion=None,
                to_emotion=None,
            )
            found.append((tone.start_s, moment))
    return [moment for _, moment in sorted(found, key=lambda item: (item[0], item[1].conflict))]


def _key_events(journey: Journey, evidence: Evidence) -> KeyEvents:
    peaks, changes = _by_time(journey.peaks), journey.changes
    causes = _triggers(evidence, [peak.time_s for peak in peaks] + [change.time_s for change in changes])
    return KeyEvents(
        emotional_peaks=[
            EmotionalPeak(
                timestamp=journey.bins.label(peak.bin), emotion=peak.emotion, intensity=peak.intensity, trigger=cause
            )
            for peak, cause in zip(peaks, causes, strict=False)
        ],
        transition_points=[
            TransitionPoint(
                timestamp=journey.bins.label_at(change.time_s), from_=change.before, to=change.after, trigger=cause
            )
            for change, cause in zip(changes, causes[len(peaks) :], strict=True)
        ],
        climax_moment=_moment(journey, journey.intense_moments[0]) if journey.intense_moments else None,
        resolution_moment=resolution(journey),
    )


def _triggers(evidence: Evidence, times_s: list[float]) -> list[str]:
    shots, speech, audio = evidence.shots, evidence.speech, evidence.audio
    events = visible_events(
        [] if shots is None else shots.cuts_s, evidence.texts or (), () if speech is None else speech.segments
    )
    onsets_s = np.zeros(0) if audio is None or audio.onsets_s is None else audio.onsets_s
    return triggers(times_s, events, onsets_s)


def resolution(journey: Journey) -> ResolutionMoment | None:
    """The last change to joy, or back to neutral, in the last 20 % of the video.

    Source: docs/analyses.md, emotionalKeyEvents, ``resolutionMoment``.

    Args:
        journey: The expressions.

    Returns:
        Its second, emotion, and closure: whether no later change follows. None without such a change.
    """
    begin_s = (1 - _CLOSING_SHARE) * journey.bins.duration_s
    settling = [c for c in journey.changes if c.time_s >= begin_s and c.after in (curves.NEUTRAL, "joy")]
    if not settling:
        return None
    last = settling[-1]
    return ResolutionMoment(
        timestamp=journey.bins.label_at(last.time_s), emotion=last.after, closure=last == journey.changes[-1]
    )


def _patterns(journey: Journey, sync: EmotionSync, contrasts: Sequence[EmotionalContrastMoment]) -> Patterns:
    faces = journey.faces
    held = [run.label for run in faces.smoothed.runs]
    emotions = {peak.emotion for peak in journey.intense_moments[:_MOST]}
    pacing = patterns.pacing_strategy(journey.changes_per_minute)
    return Patterns(
        journey_archetype=patterns.journey_archetype(journey.thirds, journey.arc, emotions, pacing),
        emotional_techniques=patterns.emotional_techniques(faces.labels, held, sync.reinforcement, len(contrasts)),
        pacing_strategy=pacing,
        engagement_hooks=[f"{peak.emotion} at {journey.bins.label(peak.bin)}" for peak in _by_time(journey.peaks)],
        viewer_journey_map=patterns.viewer_journey([peak.bin for peak in journey.peaks], journey.bins.count),
    )


def _quality(journey: Journey | None, evidence: Evidence) -> Quality:
    confidence = None if journey is None else mean(journey.faces.confidences)
    coverage = None if journey is None else journey.coverage
    return Quality(
        detection_confidence=confidence,
        timeline_coverage=coverage,
        emotional_data_completeness=evidence.services.of["emotion"].completeness,
        analysis_reliability=patterns.reliability(coverage, confidence),
        missing_data_points=missing_points(evidence),
    )


def missing_points(evidence: Evidence) -> list[str]:
    """Kinds of evidence that were looked for and are not there.

    Source: docs/analyses.md, emotionalQuality, ``missingDataPoints``.

    Args:
        evidence: Of the video.

    Returns:
        Names: no expression at all, a single label on all samples, no sound, no word in the transcript. What failed is
        not in the list; empty when everything is there.
    """
    faces, speech = evidence.expressions, evidence.speech
    found = {
        "no_emotions_detected": faces is not None and not faces.labels,
        "limited_emotional_range": faces is not None and len(set(faces.labels)) == 1,
        "no_audio": evidence.services.ok("audio") and evidence.audio is None,
        "no_speech": speech is not None and not speech.words,
    }
    return [name for name, there in found.items() if there]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked: no emotion was seen that it could judge.

    Args:
        blocks: Of the video.

    Returns:
        The reason, and where faces are unknown; None when any emotion was seen, neutral among them.
    """
    if blocks.core_metrics.unique_emotions is None:
        return unknown_because(blocks, "the expressions", "emotion_detection", "mediapipe")
    return None if blocks.core_metrics.unique_emotions else "no face shows an emotion"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge, V1, (FurtherMetrics,))
