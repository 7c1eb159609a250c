"""How far services and blocks can be trusted."""

from __future__ import annotations

import pytest

from rumiai.contracts.services.base import ServiceMetadata
from rumiai.metrics.evidence.build import read_evidence
from rumiai.metrics.evidence.confidence import Weights, answered, found_confidence
from rumiai.metrics.registry import ANALYSES, family

from ...metrics_videos import analysis, expression, face, objects, segment, sticker, text


def test_confidence_of_services():
    assert found_confidence([]) == 0.5  # even odds: an empty result is never surer
    assert found_confidence(None) == 1.0  # a measurement
    assert found_confidence([None]) == 0.9
    assert found_confidence([0.5, None, 0.7]) == pytest.approx(0.6)
    parts = ServiceMetadata(processed=True, frames_read=10, frames_carried=5, frames_gated=5, frames_analyzed=7)
    assert answered(parts.frames_answered, 40) == 0.5
    assert answered(ServiceMetadata(processed=True, frames_analyzed=50).frames_answered, 40) == 1.0
    assert answered(None, None) == 1.0


def test_the_weights_are_those_of_the_table():
    assert list(family("emotional_journey").weights.interactions.values()) == [0.4, 0.2, 0.2, 0.2]
    for name in ANALYSES:
        for weights in family(name).weights.by_block.values():
            assert sum(weights.values()) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="core_metrics: got weights that sum to"):
        Weights({"ocr": 0.5}, {"ocr": 1.0}, {"ocr": 1.0}, {"ocr": 1.0}, {"ocr": 1.0})


def test_quality_of_a_video():
    content = analysis(
        texts=[text("A", 0, 1, confidence=0.8)], stickers=[sticker(0, 1)], cuts=[3.0, 6.0], scores=[3.0, 60.0],
        detections=objects("cup", [1.0]), faces=[face(0.0, 0.3)], segments=[segment("hi there", 0, 1, confidence=0.7)],
        expressions=[expression(0.0, "joy", 0.6)], ocr_meta={"frames_read": 6, "frames_gated": 6},
        missing={"audio_energy": "broken track", "emotion_detection": "did not run"},
    )  # fmt: skip
    services = read_evidence(content).services
    assert services.q("ocr") == pytest.approx(0.7 * 12 / 24)
    assert services.q("scenes") == pytest.approx((0.5 + 1) / 2)
    assert services.q("yolo") == pytest.approx(0.8)
    assert services.q("whisper") == pytest.approx(0.7)
    assert services.q("mediapipe") == 1.0
    assert services.q("emotion") == pytest.approx(0.6)  # the expressions of mediapipe
    assert services.q("audio") == 0.0
    pacing, metadata = family("scene_pacing").weights, family("metadata_analysis").weights
    assert services.confidence(pacing.key_events) == pytest.approx(0.9 * 0.75)
    assert services.missing(pacing)[0] == ("audio_energy", "broken track")
    assert services.completeness(pacing) == pytest.approx(5 / 6)
    assert services.confidence(metadata.interactions) == pytest.approx(0.1 * 0.7 + 0.1 * 0.35)
    unscored = read_evidence(analysis(cuts=[3.0], scores=[])).services
    assert unscored.q("scenes") == 0.9
