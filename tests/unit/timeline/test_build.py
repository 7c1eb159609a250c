"""The builder: every entry type from canonical data, isolation of failures, nothing invented."""

from __future__ import annotations

import json
import random

import pytest

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.metadata import AnalysisMetadata, VideoMetadata
from rumiai.contracts.models import model_of
from rumiai.contracts.results import ServiceResult, ServiceStatus
from rumiai.contracts.services.yolo import YoloData
from rumiai.contracts.timeline import UnifiedAnalysis
from rumiai.errors import ContractError
from rumiai.services import entries_of, service_of_entries
from rumiai.timeline.build import build
from rumiai.timeline.validate import timeline_problems

from ..timeline_samples import FACTS, SERVICES, canonical, results


def built(facts=FACTS, metadata=None, **replaced):
    return build(
        "v1", AnalysisMetadata.of(metadata or VideoMetadata.local("v1")), facts, results(**replaced), entries_of
    )


def entries(analysis, kind):
    return [(e.start_s, e.end_s, e.data) for e in analysis.timeline.of_type(kind)]


def test_every_entry_type_from_canonical_data():
    analysis = built()
    assert analysis.is_complete()
    assert timeline_problems(analysis.timeline, service_of_entries()) == []
    assert timeline_problems(analysis.timeline.to_dict(), service_of_entries()) == []
    assert analysis.timeline.counts() == {
        "object": 2, "speech": 2, "text": 1, "sticker": 1, "scene": 3, "scene_change": 2, "pose": 1, "face": 1,
        "gaze": 1, "gesture": 2, "emotion": 2, "audio_energy": 3,
    }  # fmt: skip
    assert analysis.processing_metadata["timeline_entries"] == 21
    assert analysis.processing_metadata["entries_dropped"] == 0


def test_an_object_lasts_from_its_first_sighting_to_half_a_step_after_its_last():
    (start, end, data), cup = entries(built(), "object")
    assert (start, end) == (0.0, 1.25)
    assert data["mean_bbox"] == pytest.approx([0.2, 0.2, 0.4, 0.6])
    assert data["bbox"] == [0.2, 0.2, 0.4, 0.6]  # of the surest sighting
    assert (data["class"], data["count_samples"], data["track_id"]) == ("person", 3, "object_1")
    assert (cup[0], cup[1], cup[2]["confirmed"]) == (10.0, 10.25, False)


def test_texts_and_stickers_keep_their_measured_times():
    ((start, end, text),) = entries(built(), "text")
    assert (start, end, text["text"], text["category"]) == (0.0, 3.25, "STOP SCROLLING", "overlay_text")
    assert entries(built(), "sticker") == [
        (1.75, 4.25, {"id": "sticker_1", "type": "graphic_overlay", "confidence": 0.6,
                      "bbox": [0.7, 0.12, 0.14, 0.09], "position": "top"})
    ]  # fmt: skip


def test_cuts_stand_between_scenes_and_none_at_zero():
    changes = entries(built(), "scene_change")
    assert [(start, end, d["scene_index"], d["confidence"]) for start, end, d in changes] == [
        (3.5, None, 1, 0.75),
        (3.75, None, 2, 1.0),
    ]
    assert [(start, end) for start, end, _ in entries(built(), "scene")] == [(0.0, 3.5), (3.5, 3.75), (3.75, 12.0)]


def test_equal_gestures_in_consecutive_samples_are_one():
    (first, second) = entries(built(), "gesture")
    assert first[:2] == (10.0, 10.75)
    assert (first[2]["confidence"], first[2]["count_samples"], first[2]["direction"]) == (0.9, 2, [-0.8, -0.6])
    assert second[:2] == (11.5, 11.75)


def test_emotions_last_until_the_next_sample():
    assert [(s, e, d["emotion"]) for s, e, d in entries(built(), "emotion")] == [
        (1.0, 1.5, "joy"),
        (1.5, 2.0, "surprise"),
    ]


def test_expressions_stand_in_for_a_missing_emotion_detector():
    analysis = built(emotion_detection=None)
    assert [(s, e, d["emotion"], d["source"]) for s, e, d in entries(analysis, "emotion")] == [
        (0.5, 1.0, "joy", "blendshapes")
    ]
    assert analysis.reason("emotion_detection") == "did not run"


def test_audio_windows_are_entries():
    assert [(s, e, d) for s, e, d in entries(built(), "audio_energy")][-1] == (10.0, 12.0, {"level": 0.42})


@pytest.mark.parametrize("service", SERVICES)
def test_a_failed_service_fails_alone_with_its_reason(service):
    all_results = results()
    all_results[service] = ServiceResult.failed(service, "1", "out of memory")
    analysis = build("v1", AnalysisMetadata(), FACTS, all_results, entries_of)
    assert analysis.pipeline_details[service] == ServiceStatus(False, "out of memory")
    assert service not in analysis.ml_data
    assert analysis.get(model_of(service)) is None
    assert sum(status.ok for status in analysis.pipeline_details.values()) == len(SERVICES) - 1


def test_broken_data_fails_its_service_as_a_whole_and_no_other():
    data = canonical("ocr")
    data["textAnnotations"].append({**data["textAnnotations"][0], "bbox": "nowhere"})
    analysis = built(ocr=data)
    assert "textAnnotations[1].bbox" in analysis.reason("ocr")
    assert analysis.timeline.of_type("text", "sticker") == ()
    assert analysis.ok("yolo")


def test_data_that_no_entry_can_be_built_of_fails_the_service():
    data = canonical("audio_energy")
    data["energy_level_windows"] = {"soon": 0.5}
    analysis = built(audio_energy=data)
    assert "energy_level_windows['soon']" in analysis.reason("audio_energy")
    assert "audio_energy" not in analysis.ml_data


def test_empty_lists_are_a_result():
    data = canonical("yolo") | {"objectAnnotations": []}
    analysis = built(yolo=data)
    assert analysis.ok("yolo")
    assert analysis.get(YoloData).tracks == ()


def test_nothing_ran():
    analysis = build("v1", AnalysisMetadata(), MediaFacts(duration_s=0.4), {}, entries_of)
    assert analysis.errors() == dict.fromkeys(SERVICES, "did not run")
    assert analysis.timeline.entries == ()


def test_an_unknown_duration_is_an_error_and_not_a_minute():
    with pytest.raises(ContractError, match="duration"):
        build("v1", AnalysisMetadata(), MediaFacts(), {}, entries_of)


def test_the_decoders_duration_counts_and_the_scrapes_is_compared():
    scraped = VideoMetadata("v1", duration=14)
    analysis = built(metadata=scraped)
    assert (
        analysis.duration_s,
        analysis.metadata.members["duration"],
        analysis.metadata.members["scraped_duration"],
    ) == (12, 12, 14)
    assert analysis.processing_metadata["warnings"] == ["the scrape says 14 s, the file lasts 12 s"]
    assert built(metadata=VideoMetadata("v1", duration=12)).processing_metadata["warnings"] == []
    assert analysis.metadata.video.duration == 14
    assert analysis.facts == MediaFacts(12.0, 30.0, 576, 1024)


def test_entries_after_the_end_are_dropped_and_counted():
    data = canonical("whisper")
    data["segments"].append({"id": 2, "start": 13.0, "end": 14.0, "text": "late", "confidence": None, "words": []})
    analysis = built(whisper=data)
    assert [e.data["text"] for e in analysis.timeline.of_type("speech")] == ["Wait for it.", "Hit like and follow me."]
    assert analysis.processing_metadata["entries_dropped"] == 1


def test_the_order_of_lists_does_not_matter():
    expected = built().timeline
    for seed in range(5):
        shuffled = {service: canonical(service) for service in SERVICES}
        for data in shuffled.values():
            for key in ("objectAnnotations", "segments", "textAnnotations", "gestures", "emotions"):
                if key in data:
                    random.Random(seed).shuffle(data[key])
        assert built(**shuffled).timeline == expected


def test_saved_and_loaded_it_is_the_same():
    analysis = built()
    saved = json.loads(json.dumps(analysis.to_dict(), allow_nan=False))
    assert UnifiedAnalysis.from_dict(saved) == analysis
    assert saved["schema_version"] == "3.0"


def test_the_builder_changes_none_of_its_inputs():
    given = results()
    before = json.dumps({s: r.to_json() for s, r in given.items()}, sort_keys=True)
    build("v1", AnalysisMetadata(), FACTS, given, entries_of)
    assert json.dumps({s: r.to_json() for s, r in given.items()}, sort_keys=True) == before


def test_three_hours_are_built_in_bounded_time():
    duration = 10_800.0
    n = 20_000
    tracks = [
        {"trackId": f"object_{i}", "className": "person", "confidence": 0.65, "first_seen": i / 2, "last_seen": i / 2,
         "frames": [{"timestamp": i / 2, "frame_number": i * 15, "confidence": 0.5, "bbox": [0.1, 0.1, 0.2, 0.2]}]}
        for i in range(n)
    ]  # fmt: skip
    data = canonical("yolo") | {"objectAnnotations": tracks}
    data["metadata"]["duration"] = duration
    facts = MediaFacts(duration, 30.0, 576, 1024)
    analysis = build("v1", AnalysisMetadata(), facts, {"yolo": ServiceResult.read("yolo", "1", data)}, entries_of)
    assert len(analysis.timeline.of_type("object")) == n
    windows = [len(analysis.timeline.in_range(s, s + 1, "object")) for s in range(0, 10_800)]
    assert sum(windows) == n


def test_the_timeline_says_when_each_service_looked():
    short = {**canonical("yolo"), "observed": [0.0, 0.5, 1.0]}
    built = build("v", AnalysisMetadata(), FACTS, results(yolo=short, ocr=None), entries_of).timeline
    assert built.observed["yolo"] == ((0.0, 1.5), (10.0, 10.5))  # a find was looked at, whatever the file says
    assert built.observed["whisper"] == ((0.0, 12.0),)
    assert "ocr" not in built.observed
    assert type(built).from_dict(built.to_dict()) == built
