"""The model of every service: what it reads it writes again, and what breaks its contract is told with its path."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path

import pytest

from rumiai.contracts.lexicons import EMOTIONS
from rumiai.contracts.models import all_models, model_of, register_model, service_names
from rumiai.contracts.services.audio import AudioData
from rumiai.contracts.services.base import ServiceMetadata
from rumiai.contracts.services.expressions import ExpressionsData
from rumiai.contracts.services.ocr import OcrData
from rumiai.contracts.services.people import PeopleData
from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.services.whisper import WhisperData
from rumiai.contracts.services.yolo import YoloData
from rumiai.errors import ContractError

from ..timeline_samples import SERVICES, canonical

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "unified.json.gz"


def changed(service, path, value):
    """The service's data with one member replaced; ``...`` removes it."""
    data = canonical(service)
    *way, last = path
    node = data
    for key in way:
        node = node[key]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return data


def problems(service, path, value):
    return model_of(service).problems(changed(service, path, value))


def test_every_service_has_a_model_of_its_name():
    assert [model.service for model in all_models()] == list(service_names()) == list(SERVICES)
    with pytest.raises(ContractError, match="got service 'toy', expected one of yolo"):
        model_of("toy")


def test_a_service_has_one_model():
    with pytest.raises(ContractError, match="yolo: got a second model, expected one"):
        register_model("yolo", lambda: WhisperData)
    assert model_of("yolo") is YoloData


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_read_is_written_again(service):
    data, model = canonical(service), model_of(service)
    read = model.from_json(data)
    assert read.to_json() == canonical(service)
    assert data == canonical(service)
    assert model.from_json(json.loads(json.dumps(read.to_json()))) == read
    assert model.from_bytes(json.dumps(data).encode()) == read


def test_a_recorded_video_is_written_as_it_was_read():
    with gzip.open(GOLDEN, "rt", encoding="utf-8") as stream:
        recorded = json.load(stream)["ml_data"]
    for service, data in recorded.items():
        read = model_of(service).from_json(data)
        assert read.to_json() == data
        assert not read.model_extra, f"{service} writes members that its model does not know"
        assert not read.metadata.model_extra


@pytest.mark.parametrize("service", SERVICES)
def test_members_of_other_versions_are_kept(service):
    data = canonical(service) | {"shoe_size": {"eu": [42]}}
    data["metadata"]["weather"] = "rain"
    assert model_of(service).from_json(data).to_json() == data


def test_attributes_carry_their_unit():
    whisper = WhisperData.from_json(canonical("whisper"))
    assert [(s.start_s, s.end_s, s.text) for s in whisper.segments] == [
        (0.2, 1.0, "Wait for it."),
        (9.5, 11.5, "Hit like and follow me."),
    ]
    assert whisper.segments[0].words[1].start_s == 0.4
    assert (whisper.known_language, whisper.metadata.has_audio) == ("en", True)
    yolo = YoloData.from_json(canonical("yolo"))
    assert [(t.track_id, t.class_name, t.last_seen_s, len(t.frames)) for t in yolo.tracks] == [
        ("object_1", "person", 1.0, 3),
        ("object_2", "cup", 10.0, 1),
    ]
    assert yolo.tracks[0].frames[2].bbox == (0.3, 0.2, 0.4, 0.6)
    assert yolo.metadata.step_s == 0.5
    scenes = ScenesData.from_json(canonical("scene_detection"))
    assert (scenes.changes_s, scenes.change_scores, scenes.scenes[1].end_s) == ((3.5, 3.75), (4.5, 30.0), 3.75)
    audio = AudioData.from_json(canonical("audio_energy"))
    assert [(w.start_s, w.end_s, w.level) for w in audio.windows] == [(0, 5, 1.0), (5, 10, 0.81), (10, 12, 0.42)]
    ocr = OcrData.from_json(canonical("ocr"))
    assert ocr.texts[0].sightings[0].contrast == 0.84
    assert ocr.stickers[0].area == pytest.approx(0.14 * 0.09)
    people = PeopleData.from_json(canonical("mediapipe"))
    assert (people.gaze[0].eye_contact, people.gestures[0].direction) == (0.82, (-0.8, -0.6))
    expressions = ExpressionsData.from_json(canonical("emotion_detection"))
    assert (expressions.emotions[0].emotion, expressions.emotions[0].action_units) == ("joy", (6, 12))


def test_built_by_attribute_it_writes_the_same_keys():
    metadata = {"processed": True, "has_audio": False, "reason": "the video has no audio track"}
    built = WhisperData(text="", segments=(), language="unknown", duration_s=0.0, metadata=metadata)
    assert built.to_json() == {
        "text": "", "segments": [], "language": "unknown", "duration": 0.0, "metadata": metadata,
    }  # fmt: skip


def test_absent_and_null_are_written_as_they_came():
    data = changed("whisper", ("segments", 0, "confidence"), None)
    del data["segments"][1]["confidence"]
    segments = WhisperData.from_json(data).to_json()["segments"]
    assert segments[0]["confidence"] is None
    assert "confidence" not in segments[1]


def test_nothing_in_it_can_be_changed():
    data = YoloData.from_json(canonical("yolo"))
    with pytest.raises(ValueError, match="frozen"):
        data.tracks[0].confidence = 1.0


@pytest.mark.parametrize(
    ("service", "path", "value", "problem"),
    [
        ("yolo", ["objectAnnotations"], ..., "objectAnnotations: got None, expected a list"),
        ("yolo", ["objectAnnotations"], {}, "objectAnnotations: got {}, expected a list"),
        ("yolo", ["objectAnnotations", 1], 5, "objectAnnotations[1]: got 5, expected an object"),
        ("yolo", ["objectAnnotations", 0, "trackId"], "", "objectAnnotations[0].trackId: got '', expected a name"),
        ("yolo", ["objectAnnotations", 0, "className"], ..., "objectAnnotations[0].className: got None, "
         "expected a name"),
        ("yolo", ["objectAnnotations", 1, "trackId"], "object_1", "objectAnnotations: got trackId 'object_1' twice, "
         "expected one track per id"),
        ("yolo", ["objectAnnotations", 0, "confidence"], True, "objectAnnotations[0].confidence: got True, "
         "expected a number 0..1"),
        ("yolo", ["objectAnnotations", 0, "confidence"], "0.5", "objectAnnotations[0].confidence: got '0.5', "
         "expected a number 0..1"),
        ("yolo", ["objectAnnotations", 0, "frames"], [], "objectAnnotations[0].frames: got [], expected at least 1"),
        ("yolo", ["objectAnnotations", 0, "frames", 1, "timestamp"], -0.1,
         "objectAnnotations[0].frames[1].timestamp: got -0.1, expected seconds >= 0"),
        ("yolo", ["objectAnnotations", 0, "frames", 1, "timestamp"], float("nan"),
         "objectAnnotations[0].frames[1].timestamp: got nan, expected seconds >= 0"),
        ("yolo", ["objectAnnotations", 0, "frames", 0, "bbox"], [0.5, 0.5, 0.6, 0.2],
         "objectAnnotations[0].frames[0].bbox: got [0.5, 0.5, 0.6, 0.2], expected [x, y, w, h] in 0..1, "
         "inside the frame"),
        ("yolo", ["objectAnnotations", 0, "frames", 0, "bbox"], None,
         "objectAnnotations[0].frames[0].bbox: got no box that could be read (in pixels, frame size unknown?), "
         "expected [x, y, w, h] in 0..1, inside the frame"),
        ("yolo", ["objectAnnotations", 0, "frames", 0, "frame_number"], 1.5,
         "objectAnnotations[0].frames[0].frame_number: got 1.5, expected a frame index"),
        ("yolo", ["metadata"], ..., "metadata: got None, expected an object"),
        ("yolo", ["metadata", "processed"], ...,
         "metadata.processed: got None, expected true: a service that failed has no data"),
        ("yolo", ["metadata", "processed"], False,
         "metadata.processed: got False, expected true: a service that failed has no data"),
        ("whisper", ["text"], 5, "text: got 5, expected a string"),
        ("whisper", ["duration"], "3s", "duration: got '3s', expected seconds >= 0"),
        ("whisper", ["segments", 0, "end"], 0.2, "segments[0]: got end 0.2 after start 0.2, expected end > start"),
        ("whisper", ["segments", 0, "words", 0, "start"], ...,
         "segments[0].words[0].start: got None, expected seconds >= 0"),
        ("ocr", ["textAnnotations", 0, "confidence"], None, "textAnnotations[0].confidence: got None, "
         "expected a number 0..1"),
        ("ocr", ["textAnnotations", 0, "end"], -1.0, "textAnnotations[0].end: got -1.0, expected seconds >= 0"),
        ("ocr", ["textAnnotations", 0, "start"], 4.0,
         "textAnnotations[0]: got end 3.25 after start 4.0, expected end > start"),
        ("ocr", ["stickers", 0, "bbox"], [0, 0, 1],
         "stickers[0].bbox: got [0, 0, 1], expected [x, y, w, h] in 0..1, inside the frame"),
        ("mediapipe", ["gaze", 0, "eye_contact"], 1.2, "gaze[0].eye_contact: got 1.2, expected a number 0..1"),
        ("mediapipe", ["poses", 0, "landmarks"], 33,
         "poses[0].landmarks: got 33, expected a list of {i, x, y, z, v} "
         "with finite numbers and i in 0..32"),
        ("mediapipe", ["presence_percentage"], 101, "presence_percentage: got 101, expected 0..100"),
        ("audio_energy", ["energy_level_windows", "0-5s"], 1.5, "energy_level_windows['0-5s']: got 1.5, "
         "expected a number 0..1"),
        ("audio_energy", ["energy_level_windows", "soon"], 0.5,
         "energy_level_windows['soon']: got that key, expected 'a-bs' with seconds a <= b"),
        ("audio_energy", ["burst_pattern"], "loud",
         "burst_pattern: got 'loud', expected one of front_loaded, back_loaded, middle_peak, steady, none"),
        ("audio_energy", ["climax_timestamp"], ..., "climax_timestamp: got None, expected seconds >= 0"),
        ("audio_energy", ["onsets"], [0.5, -1], "onsets[1]: got -1, expected seconds >= 0"),
        ("scene_detection", ["scenes", 0, "scene_number"], 2, "scenes[0].scene_number: got 2, expected 1"),
        ("scene_detection", ["scenes", 0, "duration"], 3.0, "scenes[0].duration: got 3.0, expected 3.500"),
        ("scene_detection", ["scene_changes"], [3.5], "scene_changes: got 1, expected 2, scenes less one"),
        ("scene_detection", ["total_scenes"], 4, "total_scenes: got 4, expected 3"),
        ("scene_detection", ["metadata", "duration"], 60.0, "scenes[2]: ends at 12.0, expected 60.0, the video's end"),
        ("emotion_detection", ["emotions", 0, "emotion"], "bored",
         f"emotions[0].emotion: got 'bored', expected one of {', '.join(EMOTIONS)}"),
        ("emotion_detection", ["emotions", 0, "action_units"], [6, 46],
         "emotions[0].action_units[1]: got 46, expected numbers 1..45"),
        ("emotion_detection", ["emotions", 0, "au_intensities", "6"], 2,
         "emotions[0].au_intensities['6']: got 2, expected a number 0..1"),
    ],
)  # fmt: skip
def test_a_violation_says_where_what_and_what_was_expected(service, path, value, problem):
    assert problems(service, path, value) == [problem]
    with pytest.raises(ContractError) as raised:
        model_of(service).from_json(changed(service, path, value))
    assert raised.value.message == f"its data breaks its contract: {problem}"


def test_scenes_without_a_scene_and_with_a_hole():
    none = canonical("scene_detection") | {"scenes": [], "scene_changes": [], "total_scenes": 0}
    assert ScenesData.problems(none) == ["scenes: got none, expected at least one: a single shot is one scene"]
    hole = changed("scene_detection", ["scenes", 1], {"scene_number": 2, "start_time": 4, "end_time": 5, "duration": 1})
    assert ScenesData.problems(hole) == [
        "scenes[1]: starts at 4.0, expected 3.5, where the last ends",
        "scenes[2]: starts at 3.75, expected 5.0, where the last ends",
    ]


@pytest.mark.parametrize("quiet", [{"burst_pattern": "none"}, {"metadata": {"processed": True, "has_audio": False}}])
def test_silence_has_no_loudest_moment(quiet):
    data = canonical("audio_energy") | quiet | {"climax_timestamp": None, "energy_variance": None}
    assert AudioData.problems(data) == []


def test_a_box_may_pass_the_edge_by_a_rounding_error_and_no_more():
    path = ["stickers", 0, "bbox"]
    assert problems("ocr", path, [-0.0009, 0.2, 1.0009, 0.8]) == []
    assert len(problems("ocr", path, [-0.0011, 0.2, 0.5, 0.8])) == 1


def test_at_most_twenty_problems_are_told():
    data = canonical("yolo")
    data["objectAnnotations"][0]["frames"] = [{}] * 10
    found = YoloData.problems(data)
    assert len(found) == 21
    assert found[-1] == "... and more"
    with pytest.raises(ContractError, match=r"frames\[0\]\.timestamp: got None.*\(and 20 more\)"):
        YoloData.from_json(data)


@pytest.mark.parametrize("raw", [None, [], 5, "text"])
def test_what_is_no_object_is_told_so(raw):
    assert YoloData.problems(raw) == [f"data: got {raw!r}, expected an object"]


def test_bytes_that_are_no_json():
    with pytest.raises(ContractError, match="its data breaks its contract: data: "):
        YoloData.from_bytes(b"{broken")


def test_the_step_of_an_unknown_rate_is_nothing():
    assert ServiceMetadata(processed=True).step_s == 0.0


def test_samples_are_left_as_they_were():
    data = copy.deepcopy(canonical("mediapipe"))
    PeopleData.from_json(data)
    assert data == canonical("mediapipe")
