"""The weights of the cues: logistic regression over cues that are brought to 0..1, fitted by a script.

``weights.json`` holds, for each cue, from which value on it counts (``low``), up to which (``high``), what stands for
it where it was not measured (``unmeasured``, in 0..1), and its weight: what it adds to the log odds of an overlay at
``high``. ``scripts/fit_text_kinds.py`` made the weights; the other numbers were chosen by hand, from the spread of the
cues. Between the two thresholds a text is neither: there the script found too many of both kinds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from rumiai.errors import ContractError

Kind = Literal["overlay", "scene", "unknown"]
_FILE: Final = "weights.json"


@dataclass(frozen=True)
class Weight:
    """How one cue counts; see the module."""

    low: float
    high: float
    unmeasured: float
    weight: float

    def share(self, value: float | None) -> float:
        """The cue brought to 0..1."""
        if value is None:
            return self.unmeasured
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


@dataclass(frozen=True)
class KindModel:
    """All weights.

    Attributes:
        bias: Log odds of an overlay where every cue is at 0.
        weights: Name -> weight; ``NAME-`` and ``NAME+`` are the negative and the positive side of one cue.
        scene_below: Probability of an overlay below which a text is writing in the scene.
        overlay_from: And from which it is an overlay.
    """

    bias: float
    weights: Mapping[str, Weight]
    scene_below: float
    overlay_from: float

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> KindModel:
        """From the content of ``weights.json``.

        Raises:
            ContractError: The thresholds are not in order.
        """
        model = cls(
            raw["bias"], {name: Weight(**w) for name, w in raw["cues"].items()}, raw["scene_below"], raw["overlay_from"]
        )
        if not 0 < model.scene_below <= model.overlay_from < 1:
            raise ContractError(
                f"text kinds: got {model.scene_below} and {model.overlay_from}, expected 0 < a <= b < 1"
            )
        return model

    def shares(self, cues: Mapping[str, float]) -> dict[str, float]:
        """Each weight's cue brought to 0..1.

        Args:
            cues: Cue -> value, of those that were measured.
        """
        return {name: weight.share(cues.get(name.rstrip("+-"))) for name, weight in self.weights.items()}

    def log_odds(self, cues: Mapping[str, float]) -> dict[str, float]:
        """Cue -> what it adds to the log odds of an overlay; those that were not measured under their name too."""
        added: dict[str, float] = {}
        for name, share in self.shares(cues).items():
            cue = name.rstrip("+-")
            added[cue] = added.get(cue, 0.0) + self.weights[name].weight * share
        return added

    def probability(self, cues: Mapping[str, float]) -> float:
        """Of an overlay."""
        return 1 / (1 + math.exp(-(self.bias + sum(self.log_odds(cues).values()))))

    def kind(self, probability: float) -> Kind:
        """What a text is that is an overlay with this probability."""
        if probability >= self.overlay_from:
            return "overlay"
        return "scene" if probability < self.scene_below else "unknown"


@cache
def kind_model() -> KindModel:
    """The weights that this package carries."""
    return KindModel.from_json(json.loads((resources.files(__package__) / _FILE).read_text(encoding="utf-8")))
