"""How a family's numbers become blocks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rumiai.errors import ContractError
from rumiai.metrics.creative_density.blocks import CoreMetrics, DeadZone
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.metadata_analysis.blocks import EngagementAlignment
from rumiai.metrics.registry import family

from ..metrics_videos import analysis


def test_numbers_are_rounded_as_their_field_asks():
    shares = EngagementAlignment(
        likes_to_views_ratio=0.12345, comments_to_views_ratio=None, shares_to_views_ratio=0.00004,
        above_average_engagement=None,
    )  # fmt: skip
    assert (shares.likes_to_views_ratio, shares.shares_to_views_ratio) == (0.1235, 0.0)
    zone = DeadZone(start=np.float64(1 / 3), end=-0.0001 + 1, duration=2 / 3)
    assert zone.model_dump() == {"start": 0.333, "end": 1.0, "duration": 0.667}


def test_a_family_that_breaks_its_schema_is_told():
    def without_counts(_evidence):
        return CoreMetrics.unknown(), None

    broken = dataclasses.replace(family("creative_density"), measure=without_counts)
    with pytest.raises(ContractError, match="creative_density CoreMetrics: element_counts: got None"):
        broken.compute(read_evidence(analysis()))
    endless = dataclasses.replace(
        broken, measure=lambda _evidence: (DeadZone(start=0.0, end=float("nan"), duration=1.0), None)
    )
    with pytest.raises(ContractError, match="creative_density DeadZone: end: got nan, input should be a finite number"):
        endless.compute(read_evidence(analysis()))
