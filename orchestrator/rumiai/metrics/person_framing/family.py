"""person_framing: who is in the picture, how large, where, and how that changes (docs: analyses, section 3)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rumiai.contracts.blocks import MoreMetrics
from rumiai.core.intervals import intersect, length
from rumiai.metrics.evidence.confidence import Weights
from rumiai.metrics.evidence.types import Evidence, Gesture
from rumiai.metrics.families import Family, assemble, unknown
from rumiai.metrics.person_framing.blocks import SCHEMA, Blocks
from rumiai.metrics.person_framing.extras import further_metrics
from rumiai.metrics.person_framing.intent import Framing
from rumiai.metrics.person_framing.moments import Moments
from rumiai.metrics.person_framing.people import Presence
from rumiai.metrics.person_framing.v1 import V1
from rumiai.metrics.shared.bins import span
from rumiai.metrics.shared.statistics import clamp, mean, mean_known, median, ratio

WEIGHTS: Final = Weights(
    core_metrics={"mediapipe": 0.7, "yolo": 0.3},
    dynamics={"mediapipe": 0.7, "yolo": 0.15, "scenes": 0.15},
    interactions={"mediapipe": 0.6, "yolo": 0.2, "whisper": 0.2},
    key_events={"mediapipe": 0.8, "yolo": 0.2},
    patterns={"mediapipe": 0.6, "yolo": 0.3, "emotion": 0.1},
)

_MARGIN: Final = 0.02  # share of the frame that is left free around what is fully inside it
_READABLE_FACE: Final = 0.03
_STATIC, _GRADUAL = 0.02, 0.1  # frame widths per second
_DISTANCES: Final = ((0.25, "intimate"), (0.08, "personal"), (0.02, "social"))
_FEW_SAMPLES: Final = 10
_LOW_FACE: Final = 0.6
_HIDDEN: Final = 0.3  # share of the samples with a person that show neither face nor body
_SEVERAL: Final = 1.5  # mean number of people from which there are several
_FINE, _POOR = 0.75, 0.5  # overall framing quality
_EMPHASIS: Final = 2  # gestures that make a technique


def measure(evidence: Evidence) -> tuple[Blocks, MoreMetrics]:
    """The six blocks and further metrics of one video."""
    presence = None if evidence.people is None else Presence(evidence.people, evidence)
    framing = None if presence is None else Framing(presence, Moments(presence))
    known = {} if framing is None else _known(framing)

    def block(name: str) -> dict[str, Any]:
        return {**unknown(SCHEMA, name), **known.get(name, {})}

    return assemble(
        Blocks,
        core=block("CoreMetrics"),
        dynamics=block("Dynamics"),
        interactions=block("Interactions"),
        key_events=block("KeyEvents"),
        patterns=block("Patterns") | judged(framing),
        quality=block("Quality")
        | {
            # The services by which people are found, weighted as in the core metrics.
            "detectionReliability": evidence.services.confidence(WEIGHTS.core_metrics),
            "framingDataCompleteness": evidence.services.completeness(WEIGHTS),
            "analysisLimitations": limitations(evidence, presence),
        },
        precompute=known.get("precompute", {}),
    )


def _known(framing: Framing) -> dict[str, dict[str, Any]]:
    presence = framing.presence
    samples = presence.grid.count
    return {
        "CoreMetrics": _core(presence),
        "Dynamics": _dynamics(framing),
        "Interactions": _interactions(framing),
        "KeyEvents": framing.moments.key_events(),
        "Patterns": {
            "framingStrategy": framing.strategy,
            "visualNarrative": narrative(presence),
            "framingDistribution": presence.distribution(),
            "framingArchetype": framing.archetype,
            "patternTags": framing.pattern_tags(),
        },
        "Quality": {
            "trackingConsistency": 1 - presence.gap_samples() / samples if presence.anybody else None,
        },
        "precompute": further_metrics(framing),
    }


def _core(presence: Presence) -> dict[str, Any]:
    counts, faces = presence.counts, presence.faces
    confidences = [g.confidence for g in presence.evidence.gestures or ()]
    size = median(presence.face_areas)
    subjects = percentile(faces, 90)
    return {
        "personPresenceRate": presence.presence_rate,
        "avgPersonCount": None if counts is None else mean(counts[presence.present]),
        "maxSimultaneousPeople": None if counts is None else percentile(counts, 95),
        "dominantFraming": presence.dominant(),
        "framingChanges": len(presence.shots.changes),
        "personScreenCoverage": None if presence.coverage is None else mean(presence.coverage),
        "positionStability": presence.stability,
        "gestureClarity": mean_known(confidences),
        "faceVisibilityRate": presence.face_rate,
        "bodyVisibilityRate": presence.body_rate,
        "overallFramingQuality": presence.quality,
        "averageFaceSize": None if size is None else 100 * size,
        "eyeContactRate": presence.eye_contact,
        "primarySubject": None if subjects is None else ("none", "single", "multiple")[min(2, subjects)],
        "subjectCount": subjects,
        "framingConsistency": 1 - presence.volatility if presence.anybody else None,
    }


def percentile(counts: Any, percent: int) -> int | None:
    """Percentile by nearest rank, which sampling more often does not change; None for no samples."""
    return int(np.percentile(counts, percent, method="inverted_cdf")) if counts.size else None


def _dynamics(framing: Framing) -> dict[str, Any]:
    presence = framing.presence
    return {
        "framingProgression": progression(presence),
        "movementPattern": movement(presence.speed),
        "zoomTrend": presence.zoom_trend(),
        "stabilityTimeline": [
            {"second": second, "stability": stability} for second, stability in enumerate(presence.stability_by_bin())
        ],
        "framingTransitions": framing.moments.changes(),
        "gazeSteadiness": presence.gaze_steadiness,
        "distanceVariation": presence.distance_variation,
    }


def progression(presence: Presence) -> list[dict[str, Any]]:
    """Runs of the shot type with the share of the picture that people cover in them."""
    rows = []
    for run, part in zip(presence.shot_runs, presence.shots.runs, strict=True):
        coverage = None if presence.coverage is None else mean(presence.coverage[part.first : part.stop])
        rows.append(
            {
                "timestamp": span(run.start_s, run.end_s),
                "distance": run.label,
                "coverage": coverage,
                "start": run.start_s,
                "end": run.end_s,
            }
        )
    return rows


def movement(speed: float | None) -> str | None:
    """By median speed; None where it is unknown."""
    if speed is None:
        return None
    return "static" if speed < _STATIC else "gradual" if speed < _GRADUAL else "dynamic"


def _interactions(framing: Framing) -> dict[str, Any]:
    presence, risk = framing.presence, framing.risk
    return {
        "gestureFramingSync": gestures_in_frame(presence),
        "expressionVisibility": mean(presence.face_share > _READABLE_FACE),
        "multiPersonCoordination": presence.balance,
        "actionSpaceUtilization": presence.action_space(),
        "framingPurposeAlignment": None if risk is None else 1 - risk,
        "speakerFraming": speaker_framing(presence),
        "socialDistance": social_distance(median(presence.face_areas)),
    }


def gestures_in_frame(presence: Presence) -> float | None:
    """Gestures whose hand and face are inside the frame by 2 % / gestures whose hand is known; None without any."""
    faces = presence.people.faces
    order = np.argsort(faces.areas, kind="stable")
    inside = np.zeros(presence.grid.count, dtype=np.bool_)
    inside[faces.sample[order]] = within(faces.boxes[order])  # of several the last written is the largest
    times = presence.grid.nominal_s - presence.grid.step_s / 2

    def framed(gesture: Gesture) -> bool:
        first = int(np.searchsorted(times, gesture.start_s, side="right")) - 1
        last = int(np.searchsorted(times, gesture.end_s, side="right"))
        return bool(within(np.array([gesture.box]))[0] and inside[max(0, first) : last].any())

    return mean([framed(gesture) for gesture in presence.evidence.gestures or () if gesture.box is not None])


def within(boxes: Any) -> Any:
    """Whether each box keeps the margin to the frame."""
    far = boxes[:, :2] + boxes[:, 2:]
    return (boxes[:, :2] >= _MARGIN).all(axis=1) & (far <= 1 - _MARGIN).all(axis=1)


def speaker_framing(presence: Presence) -> dict[str, Any] | None:
    """How much of the speech shows a face, and the shot type meanwhile; None where speech is unknown."""
    voiced = presence.evidence.voiced_s
    if voiced is None:
        return None
    share = ratio(length(intersect(voiced, presence.face_spans_s)), length(voiced))
    return {
        "speechWithFaceRatio": None if share is None else clamp(share),
        "dominantShotWhileSpeaking": presence.dominant(presence.shown(voiced)),
    }


def social_distance(face_share: float | None) -> str | None:
    """By the share of the frame that the face covers; None without a face."""
    if face_share is None:
        return None
    return next((word for limit, word in _DISTANCES if face_share > limit), "public")


def narrative(presence: Presence) -> str | None:
    """By presence and number of people; None without a sample."""
    rate = presence.presence_rate
    if rate is None:
        return None
    if rate < 0.3:
        return "environment_aware"
    people = None if presence.counts is None else mean(presence.counts[presence.present])
    several = (percentile(presence.faces, 90) or 0) >= 2 or (people or 0.0) >= _SEVERAL
    return "multi_person" if several else "single_focus"


def judged(framing: Framing | None) -> dict[str, Any]:
    """What a model may decide otherwise, by rule; without people the plainest word and no technique."""
    quality = None if framing is None else framing.presence.quality
    if framing is None or quality is None:
        return {"technicalExecution": "casual", "engagementTechniques": [], "productionValue": "medium"}
    presence = framing.presence
    restless = framing.volatility > 0.5 and (presence.stability or 0.0) < 0.5
    found = {
        "direct_eye_contact": (presence.eye_contact or 0.0) >= 0.5,
        "gesture_emphasis": len(presence.evidence.gestures or ()) >= _EMPHASIS,
        "close_up_intro": framing.intro_shot == "close",
        "group_shots": bool(framing.moments.groups),
        "changing_shot_sizes": framing.volatility > 0.5,
    }
    return {
        "technicalExecution": "professional" if quality >= _FINE else "experimental" if restless else "casual",
        "engagementTechniques": [name for name, there in found.items() if there],
        "productionValue": "high" if quality >= _FINE else "medium" if quality >= _POOR else "low",
    }


def limitations(evidence: Evidence, presence: Presence | None) -> list[str]:
    """What could not be measured, and why."""
    found = {"no_people_data": presence is None, "no_object_data": evidence.objects is None}
    found["no_scene_data"] = evidence.shots is None
    if presence is not None:
        faces, poses = presence.people.faces, presence.people.poses
        confidence = mean(faces.confidences[~np.isnan(faces.confidences)])
        bodies = np.asarray(presence.faces > 0)
        bodies[poses.sample] = True
        hidden = mean(~bodies[presence.present]) or 0.0
        found |= {
            "no_person_detected": not presence.anybody,
            "no_body_landmarks": presence.anybody and not poses.sample.size,
            "low_face_confidence": confidence is not None and confidence < _LOW_FACE,
            "occlusion": hidden > _HIDDEN,
            "few_samples": presence.grid.count < _FEW_SAMPLES,
        }
    return [name for name, there in found.items() if there]


def nothing_to_judge(blocks: Blocks) -> str | None:
    """Why a model is not asked; None when there is something to judge."""
    return None if blocks.core_metrics.person_presence_rate else "nobody is visible"


FAMILY: Final = Family(SCHEMA, WEIGHTS, measure, nothing_to_judge, V1)
