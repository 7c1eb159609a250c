"""An entry's model: the very one of the service's data when it was built, what the payload tells when it was read."""

from __future__ import annotations

import json

import pytest

from rumiai.contracts.metadata import AnalysisMetadata
from rumiai.contracts.payloads import emotion_of, gesture_of, name_of, segment_of, text_of
from rumiai.contracts.services.expressions import ExpressionsData
from rumiai.contracts.services.ocr import OcrData
from rumiai.contracts.services.people import PeopleData
from rumiai.contracts.services.whisper import WhisperData
from rumiai.contracts.timeline import TimelineEntry, UnifiedAnalysis
from rumiai.services import entries_of
from rumiai.timeline.build import build

from ..timeline_samples import FACTS, results


@pytest.fixture(scope="module")
def built():
    return build("v1", AnalysisMetadata(), FACTS, results(), entries_of)


def test_a_built_entry_carries_the_model_of_its_service(built):
    pairs = [
        (text_of, "text", built.get(OcrData).texts),
        (segment_of, "speech", built.get(WhisperData).segments),
        (emotion_of, "emotion", built.get(ExpressionsData).emotions),
        (gesture_of, "gesture", built.get(PeopleData).gestures),
    ]
    for read, kind, models in pairs:
        entries = built.timeline.of_type(kind)
        assert entries
        assert {id(read(entry)) for entry in entries} <= {id(model) for model in models}


def test_all_built_entries_have_a_model_but_those_of_windows_of_sound(built):
    assert {e.entry_type for e in built.timeline.entries if e.source is None} == {"audio_energy"}


def test_a_read_entry_tells_the_same(built):
    read = UnifiedAnalysis.from_dict(json.loads(json.dumps(built.to_dict())))
    for one, two in zip(built.timeline.entries, read.timeline.entries, strict=True):
        assert two.source is None
        assert one == two
        assert name_of(one) == name_of(two)
    both = list(zip(built.timeline.entries, read.timeline.entries, strict=True))
    for one, two in (pair for pair in both if pair[0].entry_type == "text"):
        members = ("text", "bbox", "position", "category", "is_watermark")
        assert [getattr(text_of(one), m) for m in members] == [getattr(text_of(two), m) for m in members]
    for one, two in (pair for pair in both if pair[0].entry_type == "speech"):
        assert segment_of(one).text == segment_of(two).text
        assert segment_of(one).words == segment_of(two).words
    for one, two in (pair for pair in both if pair[0].entry_type == "gesture"):
        members = ("type", "hand", "confidence", "bbox", "direction")
        assert [getattr(gesture_of(one), m) for m in members] == [getattr(gesture_of(two), m) for m in members]


def test_what_an_old_payload_says_unreadably_is_not_told():
    text = text_of(TimelineEntry(1.0, "text", {"bbox": [5, 5, "wide", 9]}, 2.0))
    assert (text.text, text.area, text.position, text.is_watermark) == ("", 0.0, None, False)
    assert (text.start_s, text.end_s) == (1.0, 2.0)
    words = [{"word": "hi", "start": 0.0, "end": 0.5}, {"word": 3}, "there"]
    assert [word.word for word in segment_of(TimelineEntry(0.0, "speech", {"words": words})).words] == ["hi"]
    gesture = gesture_of(TimelineEntry(1.0, "gesture", {"confidence": "sure", "direction": [1.0]}))
    assert (gesture.type, gesture.confidence, gesture.direction, gesture.hand) == ("", None, None, None)
    emotion = emotion_of(TimelineEntry(1.0, "emotion", {"emotion": 7, "confidence": True}))
    assert (emotion.emotion, emotion.confidence) == (None, None)
    assert name_of(TimelineEntry(1.0, "object", {})) == name_of(TimelineEntry(1.0, "scene", {"id": 1})) == ""
