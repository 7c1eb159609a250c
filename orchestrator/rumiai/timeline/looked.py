"""Which services looked at a window of the video: of what none looked at, the markers say None, not 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rumiai.contracts.models import all_models
from rumiai.contracts.observed import Observed, observed_of
from rumiai.contracts.services.base import ServiceData
from rumiai.contracts.services.expressions import ExpressionsData
from rumiai.contracts.services.people import PeopleData
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.core.arrays import Bools, Floats
from rumiai.core.intervals import overlap_s, union
from rumiai.timeline.elements import ELEMENT_TYPES

_T = TypeVar("_T")


def observed_by(analysis: UnifiedAnalysis, service: str) -> Observed:
    """When a service looked: as its data says, else as the timeline does; never, where neither does."""
    data, duration_s = analysis.ml_data.get(service), analysis.duration_s
    if isinstance(data, ServiceData):
        return observed_of(data, duration_s)
    return Observed(union(analysis.timeline.observed.get(service, ()), until_s=duration_s), duration_s)


@dataclass(frozen=True)
class Looked:
    """When each type of entry was looked for; a type whose service has no data is not in it."""

    by_type: Mapping[str, Observed]

    @classmethod
    def of(cls, analysis: UnifiedAnalysis) -> Looked:
        """From the services' data, else the times that the timeline names.

        Without an emotion detector MediaPipe's expressions stand in.
        """
        models = {kind: model for model in all_models() for kind in model.entry_types if kind in ELEMENT_TYPES}
        people = analysis.get(PeopleData)
        if not analysis.ok(ExpressionsData.service) and people is not None and people.expressions is not None:
            models["emotion"] = PeopleData
        found = {model: observed_by(analysis, model.service) for model in set(models.values())}
        return cls({kind: found[model] for kind, model in models.items() if analysis.ok(model.service)})

    def at_all(self, start_s: float, end_s: float, *kinds: str) -> bool:
        """Whether any of the types was looked for in any part of the window."""
        looked = (self.by_type[kind].spans_s for kind in kinds if kind in self.by_type)
        return any(bool(overlap_s(spans_s, start_s, end_s) > 0) for spans_s in looked)

    def known(self, found: list[_T], start_s: float, end_s: float, *kinds: str) -> list[_T] | None:
        """What was found in a window; None when nothing was, and none of the types was looked for there."""
        return found if found or self.at_all(start_s, end_s, *kinds) else None

    def windows(self, edges_s: Floats, *kinds: str) -> Bools:
        """Which windows tell how much there is: every service that has data looked at half of them or more.

        Args:
            edges_s: ``(w + 1,)`` edges in seconds, ascending.
            kinds: Types of entries that are counted; all by default.

        Returns:
            ``(w,)`` flags; none when no service has data. A type whose service has none is left out of the count.
        """
        looked = [observed.windows(edges_s) for kind, observed in self.by_type.items() if not kinds or kind in kinds]
        return np.all(looked, axis=0) if looked else np.zeros(len(edges_s) - 1, dtype=bool)
