"""How a family's numbers become blocks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rumiai.errors import ContractError
from rumiai.metrics.creative_density.blocks import CoreMetrics
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.families import rounded
from rumiai.metrics.metadata_analysis.blocks import EngagementAlignment
from rumiai.metrics.registry import family

from ..metrics_videos import analysis


def test_output_is_json_and_rounded_once():
    assert rounded({"a": np.float64(1 / 3), "b": [np.int64(2), np.bool_(True)], "c": (-0.0001, None, "x")}) == {
        "a": 0.333, "b": [2, True], "c": [0.0, None, "x"],
    }  # fmt: skip
    shares = EngagementAlignment(
        likes_to_views_ratio=0.12345, comments_to_views_ratio=None, shares_to_views_ratio=0.00004,
        above_average_engagement=None,
    )  # fmt: skip
    assert (shares.likes_to_views_ratio, shares.shares_to_views_ratio) == (0.1235, 0.0)
    with pytest.raises(ContractError, match="got nan"):
        rounded({"x": float("nan")})


def test_a_family_that_breaks_its_schema_is_told():
    def without_counts(_evidence):
        return CoreMetrics.unknown(), None

    broken = dataclasses.replace(family("creative_density"), measure=without_counts)
    with pytest.raises(ContractError, match="creative_density CoreMetrics: element_counts: got None"):
        broken.compute(read_evidence(analysis()))
    with pytest.raises(ContractError, match="got analysis"):
        family("pacing")
