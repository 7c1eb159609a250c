"""How a service fared, as reports and events tell it."""

from __future__ import annotations

from rumiai.contracts.metadata import AnalysisMetadata, VideoMetadata
from rumiai.contracts.outcome import ServiceOutcome
from rumiai.contracts.results import ServiceResult
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.results.summary import service_outcome
from rumiai.services import entries_of
from rumiai.timeline.build import build

from ..timeline_samples import FACTS, canonical


def analysis() -> UnifiedAnalysis:
    """YOLO looked at six frames, four of them read; OCR failed."""
    seen = canonical("yolo")
    seen["metadata"] |= {"device": "cpu", "frames_read": 4, "frames_carried": 2, "frames_gated": 0, "sample_fps": 2.0}
    results = {"yolo": ServiceResult.read("yolo", "1", seen), "ocr": ServiceResult.failed("ocr", "1", "no answer")}
    return build("clip", AnalysisMetadata.of(VideoMetadata("clip")), FACTS, results, entries_of, {})


def test_a_service_says_where_it_ran_and_on_how_many_frames() -> None:
    told = service_outcome(analysis(), "yolo", 1.5, cached=True)
    assert told == ServiceOutcome(True, None, 1.5, True, "cpu", 6, 2.0)


def test_one_without_data_has_the_reason_alone() -> None:
    told = service_outcome(analysis(), "ocr", 0.5, cached=False)
    assert told == ServiceOutcome(False, "no answer", 0.5, False)
