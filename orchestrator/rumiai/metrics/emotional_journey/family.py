"""emotional_journey: which emotions the main face shows, how they change and what goes with them.

Source: docs/analyses.md, emotional_journey.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.contracts.lexicons import VALENCE_WEIGHTS, Emotion
from rumiai.metrics.emotional_journey.blocks import SCHEMA, Blocks
from rumiai.metrics.emotional_journey.curves import (
    NEUTRAL,
    emotional_diversity,
    stability_score,
    strongest_labels,
    transition_smoothness,
)
from rumiai.metrics.emotional_journey.extras import further_metrics
from rumiai.metrics.emotional_journey.journey import EmotionSync, Journey, measure_journey, measure_sync
from rumiai.metrics.emotional_journey.patterns import (
    emotional_techniques,
    journey_archetype,
    pacing_strategy,
    reliability,
    viewer_journey,
)
from rumiai.metrics.emotional_journey.peaks import Peak
from rumiai.metrics.emotional_journey.triggers import triggers, visible_events
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence
from rumiai.metrics.families import Family, assemble, unknown
from rumiai.metrics.shared.bins import equal_windows, span
from rumiai.metrics.shared.caption import read_caption
from rumiai.metrics.shared.labels import LabelChange
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
    """The six blocks and further metrics of one video."""
    caption = read_caption(evidence.metadata.description)
    journey = None if evidence.expressions is None else measure_journey(evidence.expressions, evidence.bins)
    sync = None if journey is None else measure_sync(journey, evidence, caption)
    known = {} if journey is None or sync is None else _known(journey, sync, evidence)

    def block(name: str) -> dict[str, Any]:
        return {**unknown(SCHEMA, name), **known.get(name, {})}

    return assemble(
        Blocks,
        core=block("CoreMetrics") | {"captionSentiment": None if caption is None else caption.sentiment.category},
        dynamics=block("Dynamics"),
        interactions=block("Interactions"),
        key_events=block("KeyEvents"),
        patterns={"emotionalTechniques": [], "engagementHooks": [], "viewerJourneyMap": "passive"} | block("Patterns"),
        quality=block("Quality")
        | {
            "emotionalDataCompleteness": answered_share(evidence),
            "analysisReliability": "low" if journey is None else _reliability(journey),
            "missingDataPoints": missing_points(evidence),
        },
        precompute=known.get("precompute", {}),
    )


def _known(journey: Journey, sync: EmotionSync, evidence: Evidence) -> dict[str, dict[str, Any]]:
    contrasts = contrast_moments(journey, sync)
    return {
        "CoreMetrics": {
            "uniqueEmotions": len(set(journey.faces.labels)),
            "emotionTransitions": len(journey.changes),
            "dominantEmotion": _dominant(journey),
            "emotionalDiversity": emotional_diversity(journey.faces.labels),
            "gestureEmotionAlignment": sync.gesture,
            "audioEmotionAlignment": sync.audio,
            "emotionalIntensity": mean(journey.faces.intensities),
        },
        "Dynamics": {
            "emotionProgression": progression(journey),
            "transitionSmoothness": transition_smoothness(journey.faces.valences, journey.faces.smoothed.runs),
            "emotionalArc": journey.arc,
            "peakEmotionMoments": [_moment(journey, peak) for peak in _by_time(journey.intense_moments)],
            "stabilityScore": stability_score(len(journey.changes), len(journey.faces.labels)),
            "tempoEmotionSync": sync.beats,
        },
        "Interactions": {
            "gestureReinforcement": sync.reinforcement,
            "audioMoodCongruence": sync.mood,
            "captionEmotionAlignment": sync.caption,
            "multimodalCoherence": sync.coherence,
            "emotionalContrastMoments": contrasts,
        },
        "KeyEvents": _key_events(journey, evidence),
        "Patterns": {
            "journeyArchetype": _archetype(journey),
            "emotionalTechniques": emotional_techniques(
                journey.faces.labels,
                [run.label for run in journey.faces.smoothed.runs],
                sync.reinforcement,
                len(contrasts),
            ),
            "pacingStrategy": pacing_strategy(journey.changes_per_minute) if journey.known.size else None,
            "engagementHooks": [f"{p.emotion} at {journey.bins.label(p.bin)}" for p in _by_time(journey.peaks)],
            "viewerJourneyMap": viewer_journey([peak.bin for peak in journey.peaks], journey.bins.count),
        },
        "Quality": {
            "detectionConfidence": mean(journey.faces.confidences),
            "timelineCoverage": journey.coverage,
        },
        "precompute": further_metrics(journey, sync),
    }


def _by_time(peaks: list[Peak]) -> list[Peak]:
    return sorted(peaks[:_MOST], key=lambda peak: peak.bin)


def _moment(journey: Journey, peak: Peak) -> dict[str, Any]:
    return {"timestamp": journey.bins.label(peak.bin), "emotion": peak.emotion, "intensity": peak.intensity}


def progression(journey: Journey) -> list[dict[str, Any]]:
    """Ten equal windows, as many as there are bins in a shorter video."""
    edges = equal_windows(journey.bins.duration_s, min(_WINDOWS, journey.bins.count))
    count = edges.size - 1
    window = np.clip(np.searchsorted(edges, journey.faces.times_s, side="right") - 1, 0, count - 1)
    labels = strongest_labels(window, journey.faces.labels, journey.faces.confidences, count)
    sums = np.bincount(window, weights=journey.faces.intensities, minlength=count)
    counts = np.bincount(window, minlength=count)
    return [
        {
            "timestamp": span(float(edges[i]), float(edges[i + 1])),
            "emotion": labels[i],
            "intensity": clamp(float(sums[i] / counts[i])) if counts[i] else None,
        }
        for i in range(count)
    ]


def contrast_moments(journey: Journey, sync: EmotionSync) -> list[dict[str, Any]]:
    """Changes between emotions of opposite valence, and words with a tone said with a face of the opposite one."""
    found: list[tuple[float, dict[str, Any]]] = []
    for change in journey.changes:
        if VALENCE_WEIGHTS[change.before] * VALENCE_WEIGHTS[change.after] < 0:
            conflict = f"{change.before} turns to {change.after}"
            labels = {"fromEmotion": change.before, "toEmotion": change.after}
            label = journey.bins.label_at(change.time_s)
            found.append((change.time_s, {"timestamp": label, "conflict": conflict, **labels}))
    for tone in sync.tones or ():
        if not tone.congruent:
            conflict = f"{tone.sentiment} words with a face of {tone.emotion}"
            stretch = span(tone.start_s, min(tone.end_s, journey.bins.duration_s))
            unchanged = {"fromEmotion": None, "toEmotion": None}
            found.append((tone.start_s, {"timestamp": stretch, "conflict": conflict, **unchanged}))
    return [moment for _, moment in sorted(found, key=lambda item: (item[0], item[1]["conflict"]))]


def _key_events(journey: Journey, evidence: Evidence) -> dict[str, Any]:
    peaks, changes = _by_time(journey.peaks), journey.changes
    label_at = journey.bins.label_at
    causes = _triggers(evidence, [peak.time_s for peak in peaks] + [change.time_s for change in changes])
    return {
        "emotionalPeaks": [
            {**_moment(journey, peak), "trigger": cause} for peak, cause in zip(peaks, causes, strict=False)
        ],
        "transitionPoints": [
            {"timestamp": label_at(change.time_s), "from": change.before, "to": change.after, "trigger": cause}
            for change, cause in zip(changes, causes[len(peaks) :], strict=True)
        ],
        "climaxMoment": _moment(journey, journey.intense_moments[0]) if journey.intense_moments else None,
        "resolutionMoment": resolution(journey),
    }


def resolution(journey: Journey) -> dict[str, Any] | None:
    """The last change to joy, or back to neutral, in the last 20 %; closure when it is the video's last change."""
    begin_s = (1 - _CLOSING_SHARE) * journey.bins.duration_s
    settling: list[LabelChange[Emotion]] = [
        change for change in journey.changes if change.time_s >= begin_s and change.after in (NEUTRAL, "joy")
    ]
    if not settling:
        return None
    last = settling[-1]
    return {
        "timestamp": journey.bins.label_at(last.time_s),
        "emotion": last.after,
        "closure": last == journey.changes[-1],
    }


def _dominant(journey: Journey) -> Emotion | None:
    """Label with most confidence over the video; None without a face."""
    labels, confidences = journey.faces.labels, journey.faces.confidences
    return strongest_labels(np.zeros(len(labels), dtype=np.int64), labels, confidences, 1)[0]


def _archetype(journey: Journey) -> str | None:
    """Shape of the journey; None without a face."""
    if not journey.known.size:
        return None
    return journey_archetype(journey.thirds, journey.arc, {peak.emotion for peak in journey.intense_moments[:_MOST]})


def _reliability(journey: Journey) -> str:
    return reliability(journey.coverage, mean(journey.faces.confidences))


def _triggers(evidence: Evidence, times_s: list[float]) -> list[str]:
    shots, speech, audio = evidence.shots, evidence.speech, evidence.audio
    events = visible_events(
        [] if shots is None else shots.cuts_s,
        evidence.texts or (),
        () if speech is None else speech.segments,
    )
    onsets_s = np.zeros(0) if audio is None or audio.onsets_s is None else audio.onsets_s
    return triggers(times_s, events, onsets_s)


def answered_share(evidence: Evidence) -> float:
    """Samples analysed / expected: the r of q = c x r; 0 when the service failed."""
    quality = evidence.services.of["emotion"]
    confidence = clamp(quality.confidence or 0.0)
    return clamp(quality.q / confidence) if confidence else 0.0


def missing_points(evidence: Evidence) -> list[str]:
    """Kinds of evidence that were looked for and are not there."""
    faces, speech = evidence.expressions, evidence.speech
    found = {
        "no_emotions_detected": faces is not None and not faces.labels,
        "limited_emotional_range": faces is not None and len(set(faces.labels)) == 1,
        "no_audio": evidence.services.ok("audio") and evidence.audio is None,
        "no_speech": speech is not None and not speech.words,
    }
    return [name for name, there in found.items() if there]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked; None when there is something to judge."""
    return None if blocks.core_metrics.unique_emotions else "no face shows an emotion"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge)
