"""How a family's numbers become blocks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pydantic import ValidationError

from rumiai.errors import ContractError
from rumiai.metrics.creative_density.blocks import CoreMetrics
from rumiai.metrics.emotional_journey.blocks import MomentumChange as Momentum
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.metadata_analysis.blocks import EngagementAlignment
from rumiai.metrics.registry import family

from ..metrics_videos import analysis


def test_output_is_json_and_rounded_once():
    assert Momentum(timestamp="0-1s", momentum=np.float64(1 / 3)).to_dict() == {"timestamp": "0-1s", "momentum": 0.333}
    assert str(Momentum(timestamp="0-1s", momentum=-0.0001).momentum) == "0.0"
    shares = EngagementAlignment(
        likes_to_views_ratio=0.12345, comments_to_views_ratio=None, shares_to_views_ratio=0.00004,
        above_average_engagement=None,
    )  # fmt: skip
    assert (shares.likes_to_views_ratio, shares.shares_to_views_ratio) == (0.1235, 0.0)
    with pytest.raises(ValidationError, match="finite number"):
        Momentum(timestamp="0-1s", momentum=float("nan"))


def test_a_family_that_breaks_its_schema_is_told():
    def without_counts(_evidence):
        return CoreMetrics.unknown(), None

    broken = dataclasses.replace(family("creative_density"), measure=without_counts)
    with pytest.raises(ContractError, match="creative_density CoreMetrics: element_counts: got None"):
        broken.compute(read_evidence(analysis()))
    with pytest.raises(ContractError, match="got analysis"):
        family("pacing")
