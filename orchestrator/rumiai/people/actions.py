"""What people do, as far as frames a fraction of a second apart can tell.

Four of the six actions can be told. Walking and dancing have a rhythm of about two steps a second, which 2 to 5 samples
a second do not carry, and a single frame of either looks like standing: both are left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rumiai.contracts.frames import Sampling
from rumiai.contracts.services.people import Action
from rumiai.people.observations import Hand, PeopleFrame

# The mouth's opening must vary this much (standard deviation, in mouth widths) around a sample: a still smile varies by
# less than 0.03, speech opens the mouth from 0 to 0.3.
_TALKING_STD: Final = 0.05
# ... over the samples within this time of it.
_TALKING_AROUND_S: Final = 1.0
_TALKING_SAMPLES: Final = 3
# A hand gestures when it has moved by its own size since the sample before, or makes a recognised gesture.
_MOVED_HAND_SIZES: Final = 1.0
# Samples further apart than this are not consecutive.
_CONSECUTIVE_STEPS: Final = 1.5

NOT_TOLD: Final = "its rhythm is faster than the sampling, and a single frame of it looks like standing"
NO_SPEECH_DATA: Final = "speech segments were not available"

_Sample = tuple[int, float | None]


def assemble_actions(
    frames: Sequence[PeopleFrame], sampling: Sampling, speech_segments: Sequence[tuple[float, float]] | None
) -> tuple[list[Action], dict[str, str]]:
    """Talking, gesturing, sitting and standing as intervals.

    Args:
        frames: The analysed frames, in order.
        sampling: The video's sampling.
        speech_segments: Start and end in seconds of what was said; None when the transcript is not available.

    Returns:
        The actions by start, ``confidence`` None where nothing measures it; and why the others are missing, by name.
    """
    missing = {"walking": NOT_TOLD, "dancing": NOT_TOLD}
    samples = {
        "gesturing": _gesturing(frames, sampling),
        "sitting": _posture(frames, "sitting"),
        "standing": _posture(frames, "standing"),
    }
    if speech_segments is None:
        missing["talking"] = NO_SPEECH_DATA
    else:
        samples["talking"] = _talking(frames, speech_segments)
    actions = [interval for name, found in samples.items() for interval in _intervals(name, frames, found, sampling)]
    return sorted(actions, key=lambda action: (action.begins_s, action.action)), missing


def _talking(frames: Sequence[PeopleFrame], segments: Sequence[tuple[float, float]]) -> list[_Sample]:
    """Samples in speech around which the main face's mouth opens and closes; confidence by how much."""
    mouths = [
        (index, frame.timestamp_s, frame.main_face.mesh.mouth_open)
        for index, frame in enumerate(frames)
        if frame.main_face is not None
        and frame.main_face.mesh is not None
        and any(start <= frame.timestamp_s < end for start, end in segments)
    ]
    found: list[_Sample] = []
    for index, time, _ in mouths:
        around = [opening for _, other, opening in mouths if abs(other - time) <= _TALKING_AROUND_S]
        spread = float(np.std(around))
        if len(around) >= _TALKING_SAMPLES and spread >= _TALKING_STD:
            found.append((index, min(1.0, spread / (2 * _TALKING_STD))))
    return found


def _gesturing(frames: Sequence[PeopleFrame], sampling: Sampling) -> list[_Sample]:
    found: list[_Sample] = []
    for index, frame in enumerate(frames):
        gestures = [hand.gesture_score for hand in frame.hands if hand.gesture is not None]
        before = frames[index - 1] if index else None
        if gestures:
            found.append((index, max(gestures)))
        elif before is not None and frame.timestamp_s - before.timestamp_s <= _CONSECUTIVE_STEPS * sampling.step_s:
            aspect = sampling.height / sampling.width if sampling.width else 1.0
            if any(_moved(hand, before.hands, aspect) for hand in frame.hands):
                found.append((index, None))
    return found


def _moved(hand: Hand, before: Sequence[Hand], aspect: float) -> bool:
    """Whether the nearest hand of the same side was at least a hand's size away; distances in frame widths."""
    same = [other for other in before if other.handedness == hand.handedness]
    scale = np.array([1.0, aspect])
    size = float(np.linalg.norm(np.array(hand.box[2:]) * scale))
    distances = [
        float(np.linalg.norm((hand.landmarks.mean(axis=0) - other.landmarks.mean(axis=0)) * scale)) for other in same
    ]
    return bool(distances) and min(distances) >= _MOVED_HAND_SIZES * size


def _posture(frames: Sequence[PeopleFrame], name: str) -> list[_Sample]:
    """Samples whose largest body has this posture."""
    return [
        (index, frame.poses[0].confidence)
        for index, frame in enumerate(frames)
        if frame.poses and frame.poses[0].posture == name
    ]


def _intervals(
    name: str, frames: Sequence[PeopleFrame], samples: Sequence[_Sample], sampling: Sampling
) -> list[Action]:
    """Consecutive samples as one interval, from the first to half a step after the last."""
    runs: list[list[_Sample]] = []
    for sample in samples:
        if runs and _consecutive(frames[runs[-1][-1][0]], frames[sample[0]], sampling):
            runs[-1].append(sample)
        else:
            runs.append([sample])
    actions = []
    for run in runs:
        start = frames[run[0][0]].timestamp_s
        end = min(frames[run[-1][0]].timestamp_s + sampling.step_s / 2, max(sampling.duration_s, start))
        known = [confidence for _, confidence in run if confidence is not None]
        actions.append(
            Action(
                action=name,
                timestamp_s=round(start, 4),
                start_s=round(start, 4),
                end_s=round(end, 4),
                confidence=round(sum(known) / len(known), 4) if known else None,
                count_samples=len(run),
            )
        )
    return actions


def _consecutive(before: PeopleFrame, after: PeopleFrame, sampling: Sampling) -> bool:
    return after.timestamp_s - before.timestamp_s <= _CONSECUTIVE_STEPS * sampling.step_s
