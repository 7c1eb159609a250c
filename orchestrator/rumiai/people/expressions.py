"""From a face's blendshapes to facial action units and on to the seven emotions.

Blendshapes are geometry (how far a lid, brow or lip corner has moved); action units (AUs) are FACS's names for the same
movements; the AU prototypes of the basic emotions are EMFACS's (Friesen and Ekman 1983; Ekman, Friesen, Hager 2002).
docs/design/expressions.md has the tables, their sources and what this cannot do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rumiai.contracts.lexicons import EMOTIONS, VALENCE_WEIGHTS, Emotion


@dataclass(frozen=True)
class _Unit:
    """An action unit: the blendshapes whose mean moves it, and the values at rest and at full strength.

    The values are not calibrated by MediaPipe; they are what its model gives on resting faces, and on strong ones.
    """

    shapes: tuple[str, ...]
    rest: float
    full: float


def _both(name: str) -> tuple[str, str]:
    return (f"{name}Left", f"{name}Right")


UNITS: Final[Mapping[int, _Unit]] = {
    1: _Unit(("browInnerUp",), 0.15, 0.75),
    2: _Unit(_both("browOuterUp"), 0.15, 0.75),
    4: _Unit(_both("browDown"), 0.20, 0.70),
    5: _Unit(_both("eyeWide"), 0.05, 0.40),
    # Open eyes have an eyeSquint of 0.3 to 0.65 without any squint.
    7: _Unit(_both("eyeSquint"), 0.65, 0.95),
    # MediaPipe hardly moves noseSneer at all.
    9: _Unit(_both("noseSneer"), 0.02, 0.25),
    10: _Unit(_both("mouthUpperUp"), 0.15, 0.70),
    12: _Unit(_both("mouthSmile"), 0.15, 0.80),
    15: _Unit(_both("mouthFrown"), 0.08, 0.45),
    16: _Unit(_both("mouthLowerDown"), 0.15, 0.70),
    17: _Unit(("mouthShrugLower",), 0.30, 0.80),
    20: _Unit(_both("mouthStretch"), 0.15, 0.60),
    # Tightening (23) and pressing (24) cannot be told apart by blendshapes; both are read from the press.
    23: _Unit(_both("mouthPress"), 0.30, 0.75),
    26: _Unit(("jawOpen",), 0.10, 0.60),
    45: _Unit(_both("eyeBlink"), 0.50, 0.90),
}

# AU weights of each prototype; they add up to 1. A jaw that drops in speech alone stays below 0.2 of a surprise.
PROTOTYPES: Final[Mapping[str, Mapping[int, float]]] = {
    "joy": {12: 0.8, 6: 0.2},
    "sadness": {15: 0.5, 1: 0.3, 4: 0.2},
    "anger": {4: 0.45, 23: 0.25, 7: 0.15, 5: 0.15},
    "fear": {20: 0.25, 1: 0.2, 4: 0.2, 5: 0.2, 2: 0.1, 26: 0.05},
    "surprise": {1: 0.3, 2: 0.35, 5: 0.2, 26: 0.15},
    "disgust": {9: 0.6, 10: 0.2, 15: 0.1, 16: 0.1},
}

# Action units that rule a prototype out, in proportion to their intensity. A smile (12) lifts the upper lip and narrows
# the eyes like disgust and anger. Lowered lip corners (15) exclude joy, a wrinkled nose (9) sadness, lowered brows (4)
# or stretched lips (20) surprise, raised brows (1, 2) anger.
_RULED_OUT_BY: Final[Mapping[str, tuple[int, ...]]] = {
    "joy": (15,),
    "sadness": (12, 9),
    "anger": (12, 1, 2),
    "fear": (12,),
    "surprise": (4, 20),
    "disgust": (12,),
}
# Fear shares raised brows, wide eyes and a dropped jaw with surprise: without one of these it is surprise.
_FEAR_NEEDS: Final = (4, 20)

# Below this an action unit is at rest.
_TRACE: Final = 0.01
# An action unit is active from this intensity on.
ACTIVE: Final = 0.5


@dataclass(frozen=True)
class Expression:
    """The emotion that one face shows.

    Attributes:
        emotion: One of the seven.
        confidence: Its score.
        scores: All seven, 0..1, adding up to 1.
        intensities: AU number to 0..1, only those that can be told from rest.
        valence: Sum of the scores times their valence weights, -1..1.
    """

    emotion: Emotion
    confidence: float
    scores: Mapping[str, float]
    intensities: Mapping[int, float]
    valence: float

    @property
    def action_units(self) -> tuple[int, ...]:
        """The AUs that are active, ascending."""
        return tuple(unit for unit, value in sorted(self.intensities.items()) if value > ACTIVE)


def action_units(blendshapes: Mapping[str, float]) -> dict[int, float]:
    """AU intensities 0..1 from blendshapes by name; one that is absent counts as at rest.

    AU 6 (cheek raiser) has its own blendshape, cheekSquint, which MediaPipe leaves at 0: where it does, AU 6 is the
    smaller of AU 12 and eyeSquint, that is, a smile which reaches the eyes.
    """
    found: dict[int, float] = {}
    for number, unit in UNITS.items():
        mean = sum(blendshapes.get(name, 0.0) for name in unit.shapes) / len(unit.shapes)
        found[number] = _clamp((mean - unit.rest) / (unit.full - unit.rest))
    cheeks = sum(blendshapes.get(name, 0.0) for name in _both("cheekSquint")) / 2
    squint = sum(blendshapes.get(name, 0.0) for name in _both("eyeSquint")) / 2
    found[6] = _clamp(max(cheeks, min(found[12], squint)))
    return found


def expression(blendshapes: Mapping[str, float]) -> Expression:
    """The seven scores of one face.

    The evidence of an emotion is the weighted mean of its AUs times 1 - the strongest AU that rules it out. That of
    neutral is 1 - the largest of the others. A score is the evidence over the sum of all. Ties go to the first in
    ``EMOTIONS``.
    """
    units = action_units(blendshapes)
    evidence = {
        emotion: sum(weight * units[unit] for unit, weight in prototype.items())
        * (1 - max(units[unit] for unit in _RULED_OUT_BY[emotion]))
        for emotion, prototype in PROTOTYPES.items()
    }
    evidence["fear"] *= max(units[unit] for unit in _FEAR_NEEDS)
    evidence["neutral"] = 1 - max(evidence.values())
    total = sum(evidence.values())
    scores: dict[str, float] = {emotion: evidence[emotion] / total for emotion in EMOTIONS}
    best = max(EMOTIONS, key=lambda emotion: scores[emotion])
    valence = sum(scores[emotion] * VALENCE_WEIGHTS[emotion] for emotion in EMOTIONS)
    seen = {unit: value for unit, value in sorted(units.items()) if value >= _TRACE}
    return Expression(best, scores[best], scores, seen, valence)


def _clamp(value: float) -> float:
    return min(1.0, max(0.0, value))
