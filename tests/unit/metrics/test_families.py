"""How a family's numbers become blocks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from pydantic import ValidationError

from rumiai.contracts.blocks import Blocks
from rumiai.contracts.models import service_names
from rumiai.errors import ContractError
from rumiai.metrics.creative_density.blocks import CoreMetrics
from rumiai.metrics.emotional_journey.blocks import MomentumChange as Momentum
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.metadata_analysis.blocks import EngagementAlignment
from rumiai.metrics.registry import ANALYSES, family

from ..metrics_videos import analysis, segment, text


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


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("missing", [("emotion_detection",), ("ocr", "whisper"), service_names()])
def test_the_json_form_reads_back_as_what_was_computed(name: str, missing: Sequence[str]) -> None:
    video = analysis(
        texts=[text("HELLO", 0.0, 1.0)], segments=[segment("One two.", 0.5, 2.0)], cuts=[3.0], missing=missing
    )
    found = family(name).compute(read_evidence(video))
    stored = json.loads(json.dumps([found.blocks_json(), found.precompute_json()], allow_nan=False))
    again = family(name).read(*stored)
    assert again == found
    assert [again.blocks_json(), again.precompute_json()] == stored
    assert found.completeness == next(
        value for key, value in stored[0]["Quality"].items() if key.lower().endswith("datacompleteness")
    )
    assert found.confidence == stored[0]["Quality"]["overallConfidence"]


@pytest.mark.parametrize(
    ("blocks", "precompute", "message"),
    [({}, {}, "stored blocks break their schema"), (None, {"tempo": 120}, "got further metrics \\['tempo'\\]")],
)
def test_stored_forms_of_something_else_are_refused(
    blocks: Blocks | None, precompute: Mapping[str, object], message: str
) -> None:
    found = family("scene_pacing").compute(read_evidence(analysis()))
    with pytest.raises(ContractError, match=message):
        family("scene_pacing").read(found.blocks_json() if blocks is None else blocks, precompute)


@pytest.mark.parametrize(
    ("name", "service", "what", "nothing"),
    [
        ("creative_density", "ocr", "the creative elements", "no creative elements were found"),
        ("emotional_journey", "mediapipe", "the expressions", "no face shows an emotion"),
        ("person_framing", "mediapipe", "the people", "nobody is visible"),
        ("scene_pacing", "scene_detection", "the scenes", None),
        ("speech_analysis", "whisper", "the spoken words", "hardly anything is said"),
        ("visual_overlay_analysis", "ocr", "the overlays", "there are no overlays"),
    ],
)
def test_a_model_that_is_not_asked_is_told_the_true_reason(
    name: str, service: str, what: str, nothing: str | None
) -> None:
    def reason(*missing: str) -> str | None:
        found = family(name).compute(read_evidence(analysis(missing=missing)))
        return family(name).nothing_to_judge(found.blocks)

    assert reason() == nothing
    others = ("emotion_detection",) if name == "emotional_journey" else ()
    told = reason(service, *others)
    assert told is not None
    assert told.startswith(f"{what} are unknown (")
    assert f"{service}: out of memory" in told
