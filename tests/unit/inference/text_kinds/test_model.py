"""The weights of the cues, on a model of two cues worked out by hand."""

from __future__ import annotations

import math

import pytest

from rumiai.errors import ContractError
from rumiai.inference.text_kinds.model import KindModel, kind_model

RAW = {
    "bias": -1.0,
    "scene_below": 0.3,
    "overlay_from": 0.6,
    "cues": {
        "stays+": {"low": 0.0, "high": 1.0, "unmeasured": 0.0, "weight": 2.0},
        "stays-": {"low": 0.0, "high": -1.0, "unmeasured": 0.0, "weight": -4.0},
        "size": {"low": 10.0, "high": 20.0, "unmeasured": 0.5, "weight": 1.0},
    },
}


def test_log_odds_add_up_to_the_probability():
    model = KindModel.from_json(RAW)
    assert model.log_odds({"stays": 0.5, "size": 12.0}) == pytest.approx({"stays": 1.0, "size": 0.2})
    assert model.probability({"stays": 0.5, "size": 12.0}) == pytest.approx(1 / (1 + math.exp(-0.2)))
    assert model.log_odds({"stays": -0.25, "size": 99.0}) == pytest.approx({"stays": -1.0, "size": 1.0})
    assert model.log_odds({}) == pytest.approx({"stays": 0.0, "size": 0.5})


@pytest.mark.parametrize(
    ("probability", "kind"), [(0.0, "scene"), (0.29, "scene"), (0.3, "unknown"), (0.59, "unknown"), (0.6, "overlay")]
)
def test_between_the_thresholds_a_text_is_unknown(probability, kind):
    assert KindModel.from_json(RAW).kind(probability) == kind


def test_thresholds_out_of_order_are_refused():
    with pytest.raises(ContractError, match="0 < a <= b < 1"):
        KindModel.from_json({**RAW, "scene_below": 0.7})


def test_the_weights_that_the_package_carries_argue_the_right_way():
    weights = {name: weight.weight for name, weight in kind_model().weights.items()}
    assert weights["stays_put+"] > 1 > -1 > weights["stays_put-"]
    assert min(weights[name] for name in ("through_cuts", "arrives", "spoken")) > 0
    assert weights["peers"] < 0
