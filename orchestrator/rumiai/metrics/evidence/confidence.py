"""How far the services can be trusted, and with them the blocks.

``q = c x r x s x d``, each 0..1 and q 0 for a service that failed:

* **c**, how sure the finds are: their mean confidence; 0.9 for finds without any; 1 for a service that measures and
  finds nothing (energy of the sound); 0.5 for an empty result, which is even odds: that nothing was found says nothing
  of how sure that is, so it never raises a confidence.
* **r**, how much was looked at: the smaller of observed seconds / duration and frames answered / frames expected.
* **s**, few samples: min(1, sampled frames / 10); 1 for services that look at stretches.
* **d**, what went wrong inside: the service's own ``soundness`` (looped or lost speech, unread regions, a language that
  is in doubt), and 0.5 for speech in another language than English, which the word lists of the metrics are in.

A block's confidence is the mean of q over its services by their weights, 0 for a block that says nothing; the overall
one is the mean of the five blocks times the square root of the completeness. Source: docs/analyses.md, "Confidence".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rumiai.contracts.models import all_models
from rumiai.metrics.shared.statistics import mean_known

METADATA_PARTS: Final[tuple[str, ...]] = ("caption", "hashtags", "stats", "createTime", "author")

# Finds without any confidence.
UNSCORED: Final = 0.9
# An empty result.
EMPTY: Final = 0.5
# Sampled frames that are enough.
_ENOUGH_SAMPLES: Final = 10

# A service by its name in the weights, or a part of the metadata.
Source = str


def service_names() -> dict[str, str]:
    """Who answers for each name of the weights.

    Returns:
        What the weights call a service -> the service whose failure makes it fail.
    """
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
    """What is known of one service.

    Attributes:
        ok: Whether it ran and looked at anything.
        q: How far it can be trusted, 0..1; 0 when it is not ok.
        confidence: c, how sure its finds are; None when it is not ok.
        completeness: r, how much it looked at, 0..1; 0 when it is not ok.
        reason: Why it is not ok; None when it is.
    """

    ok: bool
    q: float
    confidence: float | None = None
    completeness: float = 0.0
    reason: str | None = None


@dataclass(frozen=True)
class Services:
    """The quality of every service and metadata part.

    Attributes:
        of: The quality, by the short names of the weights.
        unread: For each script, how many texts in it could not be read.
        text_remarks: What is not known of the kinds of texts; empty when nothing is missing.
        shot_remark: Why the shots are nobody's editing; None for a video.
    """

    of: Mapping[str, Quality]
    unread: Mapping[str, int] = field(default_factory=dict)
    text_remarks: tuple[str, ...] = ()
    shot_remark: str | None = None

    def ok(self, *names: str) -> bool:
        """Whether all of some services ran and looked at anything.

        Args:
            names: As the weights call them; parts of the metadata are ok when they are there.

        Returns:
            True for no names.
        """
        return all(self.of[name].ok for name in names)

    def q(self, name: str) -> float:
        """Quality of a service by its name in the weights, 0..1; 0 when it failed or looked at nothing."""
        return self.of[name].q

    def completeness(self, weights: Weights) -> float:
        """How much of what an analysis uses is there.

        Args:
            weights: Of the analysis.

        Returns:
            Used services and parts of the metadata that are ok / used ones, 0..1.
        """
        return sum(self.of[name].ok for name in weights.used) / len(weights.used)

    def confidence(self, weights: Mapping[Source, float]) -> float:
        """Confidence of a block: mean of the quality q of its services, weighted.

        Source: docs/analyses.md, "Confidence".

        Args:
            weights: Service -> its weight in the block, > 0 in sum.

        Returns:
            0..1, not rounded; 0 when all failed.
        """
        return sum(weight * self.q(name) for name, weight in weights.items()) / sum(weights.values())

    def missing(self, weights: Weights) -> list[tuple[str, str]]:
        """What an analysis uses and is not there, and what is not known of the texts.

        Source: docs/analyses.md, ``missingServices`` of every quality block.

        Args:
            weights: Of the analysis.

        Returns:
            (service, reason) in the order of the weights; "ocr" too, where it ran, for writing that it cannot read and
            for remarks on the kinds of texts, and "scene_detection" for shots that no editor made. Empty when nothing
            is missing.
        """
        services = service_names()
        found = [
            (services.get(name, name), self.of[name].reason or "did not run")
            for name in weights.used
            if not self.of[name].ok
        ]
        if "ocr" in weights.used and self.of["ocr"].ok:
            found += [("ocr", "unsupported_script")] if self.unread else []
            found += [("ocr", remark) for remark in self.text_remarks]
        if "scenes" in weights.used and self.of["scenes"].ok and self.shot_remark:
            found.append((services["scenes"], self.shot_remark))
        return found


def found_confidence(confidences: list[float | None] | None) -> float:
    """c: how sure the finds of a service are.

    Args:
        confidences: Of each find, 0..1, None where a find has none; None for a service that measures.

    Returns:
        Their mean over the finds that have one; 0.9 for finds without any confidence, 0.5 for no finds, 1 for a
        measurement.
    """
    if confidences is None:
        return 1.0
    if not confidences:
        return EMPTY
    known = mean_known(confidences)
    return UNSCORED if known is None else known


def answered(done: int | None, expected: int | None) -> float:
    """Share of the expected frames that a service has an answer for; a part of r.

    Args:
        done: Frames that were read, carried or gated.
        expected: Frames of the sampling grid.

    Returns:
        At most 1; 1 where the service does not tell.
    """
    if done is None or expected is None or expected <= 0:
        return 1.0
    return min(1.0, done / expected)


def sample_sureness(samples: int | None) -> float:
    """s: how far a number of sampled frames carries.

    Args:
        samples: Observed frames; None for a service that looks at whole stretches.

    Returns:
        samples / 10, at most 1; 1 for None.
    """
    return 1.0 if samples is None else min(1.0, samples / _ENOUGH_SAMPLES)
