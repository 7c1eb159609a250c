"""Metrics of person_framing that have no field of their own (docs: analyses, 3.2)."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from rumiai.metrics.person_framing.intent import Framing
from rumiai.metrics.person_framing.moments import as_times
from rumiai.metrics.person_framing.people import Presence, middle
from rumiai.metrics.shared.labels import most_frequent
from rumiai.metrics.shared.statistics import mean

_INTRO_S: Final = 3.0
_CENTRED: Final = 0.08
_ON_THIRD: Final = 0.05
_NAMED_ACTIONS: Final = 3


def further_metrics(framing: Framing) -> dict[str, Any]:
    """Everything that stands under ``precompute``, by the names of the metric table."""
    presence, moments = framing.presence, framing.moments
    absences = presence.absences
    actions = framing.actions
    return {
        "intro_shot_type": framing.intro_shot,
        "framing_volatility": framing.volatility,
        "shot_changes_per_minute": 60 * len(presence.shots.changes) / presence.evidence.duration_s,
        "shot_transitions": [
            {"timestamp": t.time_s, "fromShot": t.before, "toShot": t.after, "transitionType": t.kind}
            for t in moments.transitions
        ],
        "subject_absence_count": len(absences),
        "absence_seconds": sum(run.duration_s for run in absences),
        "absence_segments": [as_times(run) for run in absences],
        "longest_absence_duration": max((run.duration_s for run in absences), default=0.0),
        "prolonged_absences": [as_times(run) for run in moments.prolonged_absences],
        "gaze_analysis": gaze_analysis(presence),
        "eyeContactScreenRate": mean(presence.looks & (presence.faces > 0)),
        "action_recognition": None
        if actions is None
        else {"primary_actions": actions[:_NAMED_ACTIONS], "action_diversity": len(actions)},
        "background_analysis": None,  # nothing looks at the background
        "video_intent": framing.intent if presence.anybody else None,
        "intent_alignment_risk": framing.risk,
        "intent_alignment_risk_level": framing.risk_level,
        "temporal_evolution": evolution(presence),
        "ml_tags": framing.ml_tags(),
        "detection_coverage": {
            "faceDetectionRate": presence.face_rate,
            "personDetectionRate": presence.presence_rate,
            "gazeDataAvailable": bool(presence.people.gaze.sample.size),
            "actionDataAvailable": actions is not None,
            "backgroundDataAvailable": False,
        },
        "intro_person_present": bool(presence.present[presence.grid.nominal_s < _INTRO_S].any()),
        "framing_timeline": timeline(presence),
        "compositionRule": composition(presence),
    }


def gaze_analysis(presence: Presence) -> dict[str, Any]:
    """Eye contact of the samples with a face, and where the main face mostly looks; None without a gaze."""
    directions = [direction for direction in presence.people.gaze.directions if direction is not None]
    return {"eye_contact_ratio": presence.eye_contact, "primary_gaze_direction": most_frequent(directions)}


def evolution(presence: Presence) -> dict[str, dict[str, Any]]:
    """Presence and shot types of each third of the bins."""
    bins = presence.evidence.bins
    place = bins.index(presence.grid.nominal_s)
    first, last = place < bins.third, place >= bins.count - bins.third
    parts = {"beginning": first, "middle": ~first & ~last, "end": last}
    return {
        name: {
            "face_presence": mean(presence.faces[part] > 0),
            "person_presence": mean(presence.present[part]),
            "camera_distance": presence.distribution(part),
            "dominant_distance": presence.dominant(part),
        }
        for name, part in parts.items()
    }


def timeline(presence: Presence) -> dict[str, dict[str, Any]]:
    """Per second: the most frequent shot type, the median largest face, and how sure its detection was."""
    bins, faces = presence.evidence.bins, presence.people.faces
    place = bins.index(presence.grid.nominal_s)
    shots: list[Counter[str]] = [Counter() for _ in range(bins.count)]
    sizes: list[list[float]] = [[] for _ in range(bins.count)]
    for index, label, share, count in zip(place, presence.labels, presence.face_share, presence.faces, strict=True):
        shots[index][label] += 1
        if count:
            sizes[index].append(100 * float(share))
    known = ~np.isnan(faces.confidences)
    confidences = bins.means(presence.grid.nominal_s[faces.sample[known]], faces.confidences[known])
    return {
        bins.label(i): {
            "shot_type": most_frequent(list(shots[i].elements())),
            "face_size": middle(sizes[i]),
            "confidence": None if np.isnan(confidences[i]) else confidences[i],
        }
        for i in range(bins.count)
    }


def composition(presence: Presence) -> str | None:
    """By the mean centre of the main face; None without one."""
    across = presence.main_centres[0][:, 0]
    centre = mean(across[~np.isnan(across)])
    if centre is None:
        return None
    if abs(centre - 0.5) < _CENTRED:
        return "center"
    return "thirds" if min(abs(centre - 1 / 3), abs(centre - 2 / 3)) <= _ON_THIRD else "offset"
