"""How far the services can be trusted, and with them the blocks.

q(service) is 0 when it failed, else c x r: c the mean confidence of what it found, r the frames it answered of those
expected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rumiai.contracts.models import all_models
from rumiai.metrics.shared.statistics import mean_known

METADATA_PARTS: Final[tuple[str, ...]] = ("caption", "hashtags", "stats", "createTime", "author")

# Detections without any confidence: what 0.3 gives to scene detection without scores.
UNSCORED: Final = 0.9

# A service by its name in the weights, or a part of the metadata.
Source = str


def service_names() -> dict[str, str]:
    """What the weights call a service -> the service whose failure makes it fail."""
    return {model.name_in_weights(): model.service for model in all_models()}


@dataclass(frozen=True)
class Weights:
    """How much each service, or part of the metadata, counts in each block of an analysis; a block's sum is 1."""

    core_metrics: Mapping[Source, float]
    dynamics: Mapping[Source, float]
    interactions: Mapping[Source, float]
    key_events: Mapping[Source, float]
    patterns: Mapping[Source, float]

    def __post_init__(self) -> None:
        known = {*service_names(), *METADATA_PARTS}
        if unknown := [name for name in self.used if name not in known]:
            raise ValueError(f"weights: got {', '.join(unknown)}, expected some of {', '.join(sorted(known))}")
        for block, weights in self.by_block.items():
            if not math.isclose(sum(weights.values()), 1.0):
                raise ValueError(f"{block}: got weights that sum to {sum(weights.values()):g}, expected 1")

    @property
    def by_block(self) -> dict[str, Mapping[Source, float]]:
        """The weights of each block, in the blocks' order."""
        return dict(vars(self))

    @property
    def used(self) -> tuple[Source, ...]:
        """Everything that has a weight, in order of appearance."""
        return tuple(dict.fromkeys(name for weights in self.by_block.values() for name in weights))


@dataclass(frozen=True)
class Quality:
    """What is known of one service: q, the mean confidence of its finds, and why it has none."""

    ok: bool
    q: float
    confidence: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Services:
    """The quality of every service and metadata part, by the short names of the weights.

    ``unread`` tells for each script how many texts in it could not be read.
    """

    of: Mapping[str, Quality]
    unread: Mapping[str, int] = field(default_factory=dict)
    text_remarks: tuple[str, ...] = ()

    def ok(self, *names: str) -> bool:
        """Whether all of the services ran."""
        return all(self.of[name].ok for name in names)

    def q(self, name: str) -> float:
        """Quality of a service, 0..1; 0 when it failed."""
        return self.of[name].q

    def completeness(self, weights: Weights) -> float:
        """Used services that ran / used services."""
        return sum(self.of[name].ok for name in weights.used) / len(weights.used)

    def confidence(self, weights: Mapping[Source, float]) -> float:
        """Confidence of a block: weighted mean of q over its services, not rounded."""
        return sum(weight * self.q(name) for name, weight in weights.items()) / sum(weights.values())

    def overall_confidence(self, weights: Weights) -> float:
        """Mean of the five block confidences x completeness^0.5, not rounded."""
        confidences = [self.confidence(block) for block in weights.by_block.values()]
        return float(sum(confidences) / len(confidences) * self.completeness(weights) ** 0.5)

    def missing(self, weights: Weights) -> list[tuple[str, str]]:
        """The used services that failed or did not run, each with its reason, and what is not known of the texts."""
        services = service_names()
        found = [
            (services.get(name, name), self.of[name].reason or "did not run")
            for name in weights.used
            if not self.of[name].ok
        ]
        if "ocr" in weights.used and self.of["ocr"].ok:
            found += [("ocr", "unsupported_script")] if self.unread else []
            found += [("ocr", remark) for remark in self.text_remarks]
        return found


def found_confidence(confidences: list[float | None]) -> float:
    """c: mean confidence of what was found; 1.0 for nothing, 0.9 for finds without any confidence."""
    if not confidences:
        return 1.0
    known = mean_known(confidences)
    return UNSCORED if known is None else known


def answered(done: int | None, expected: int | None) -> float:
    """r: frames answered / frames expected, at most 1; 1 where the service does not tell.

    Args:
        done: Frames that were read, carried or gated.
        expected: Frames of the sampling grid.
    """
    if done is None or expected is None or expected <= 0:
        return 1.0
    return min(1.0, done / expected)
