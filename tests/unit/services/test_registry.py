"""The registry of services, and what the seven built-in descriptors say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable

import pytest
from pydantic import Field

from rumiai.contracts.facts import MediaFacts
from rumiai.contracts.metadata import AnalysisMetadata
from rumiai.contracts.models import model_of
from rumiai.contracts.results import ServiceResult
from rumiai.contracts.services.base import ServiceData
from rumiai.contracts.timeline import TimelineEntry, UnifiedAnalysis
from rumiai.errors import ConfigurationError, ContractError
from rumiai.services import (
    VisualInputs,
    VisualRun,
    VisualService,
    all_services,
    chosen_services,
    entries_of,
    find_service,
    register,
    registered,
    service_of_entries,
    with_inputs,
)
from rumiai.settings import Settings
from rumiai.timeline.build import build
from rumiai.weights.files import catalogue

from ..timeline_samples import SERVICES, canonical


class ToyData(ServiceData):
    service = "toy"

    peak_s: float | None = Field(default=None, validation_alias="peak_s", serialization_alias="peak_s")


class Toy(VisualService[ToyData]):
    name = "toy"
    file = "toy/{id}.json"

    def data_model(self) -> type[ToyData]:
        return ToyData

    def version(self, settings: Settings) -> str:
        return "1"

    def start(self, inputs: VisualInputs) -> VisualRun:
        raise NotImplementedError


class TimedToy(Toy):
    def entries(self, data: ToyData) -> Iterable[TimelineEntry]:
        assert data.peak_s is not None
        yield TimelineEntry(data.peak_s, "object", {"class": "toy"})


def named(name: str, file: str = "toy/{id}.json", inputs: tuple[str, ...] = (), stage: str = "visual") -> Toy:
    return type("Other", (Toy,), {"name": name, "file": file, "inputs": inputs, "stage": stage})()


def test_the_order_is_that_of_the_files_and_tables() -> None:
    assert [service.name for service in all_services()] == [
        "yolo", "whisper", "ocr", "mediapipe", "scene_detection", "audio_energy", "emotion_detection",
    ]  # fmt: skip


def test_a_registered_service_is_found_and_goes_again() -> None:
    with registered(Toy()) as toy:
        assert find_service("toy") is toy
        assert all_services()[-1] is toy
        assert chosen_services(["toy", "yolo"]) == (find_service("yolo"), toy)
    with pytest.raises(ConfigurationError, match="got 'toy', expected some of yolo, whisper"):
        find_service("toy")


def test_a_plugins_data_is_known_to_readers_of_files_while_it_is_registered() -> None:
    with registered(Toy()):
        assert model_of("toy") is ToyData
    with pytest.raises(ContractError, match="got service 'toy'"):
        model_of("toy")


def test_a_service_and_its_data_have_one_name() -> None:
    with (
        pytest.raises(ConfigurationError, match=r"got ToyData\.service = 'toy', expected the service's name"),
        registered(named("other")),
    ):
        pass
    assert len(all_services()) == 7


def test_a_plugins_data_is_on_the_timeline_and_reads_back() -> None:
    data = ToyData.from_json({"metadata": {"processed": True}, "peak_s": 1.5})
    with registered(TimedToy()):
        built = build("v", AnalysisMetadata(), MediaFacts(4.0), {"toy": ServiceResult("toy", "1", data)}, entries_of)
        assert [(e.entry_type, e.start_s) for e in built.timeline.entries] == [("object", 1.5)]
        assert built.ok("toy")
        assert built.errors() == dict.fromkeys(SERVICES, "did not run")
        again = UnifiedAnalysis.from_dict(json.loads(json.dumps(built.to_dict())))
        assert again == built
        assert again.get(ToyData) == data
    # Where the plugin is not loaded its data gives no entries.
    assert list(entries_of("toy", data)) == []


def test_inputs_come_before_what_is_made_from_them() -> None:
    order = [service.name for service in all_services()]
    for service in all_services():
        assert all(order.index(name) < order.index(service.name) for name in service.inputs)
    toy = named("toy", inputs=("mediapipe",))
    with registered(toy):
        names = [service.name for service in with_inputs([toy])]
    assert names == ["yolo", "whisper", "mediapipe", "toy"]


def test_no_name_chooses_all() -> None:
    assert chosen_services(()) == all_services()


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (named("yolo"), "got yolo twice"),
        (named("my service"), "expected a Python identifier"),
        (named("toy", "toy/result.json"), "expected a relative path with {id}"),
        (named("toy", "/tmp/{id}.json"), "expected a relative path with {id}"),
        (named("toy", "../{id}.json"), "expected a relative path with {id}"),
        (named("toy", inputs=("yolo", "later")), "got 'later', expected some of yolo"),
        (named("toy", inputs=("toy",)), "got 'toy', expected some of yolo"),
        (named("toy", inputs=("yolo",), stage="audio"), "got inputs yolo, expected none: audio services run first"),
    ],
)
def test_what_cannot_be_registered(service: Toy, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason.replace("{", r"\{")):
        register(service)
    assert len(all_services()) == 7


def test_settings_that_results_depend_on_exist_and_files_are_of_one_service_each() -> None:
    known = set(Settings.model_fields)
    assert all(set(service.settings) <= known for service in all_services())
    files = [file for service in all_services() for file in service.files]
    assert len(set(files)) == len(files) == 8


def test_the_services_make_every_type_of_entry() -> None:
    assert sorted(service_of_entries()) == [
        "action", "audio_energy", "emotion", "face", "gaze", "gesture", "object", "pose", "scene", "scene_change",
        "speech", "sticker", "text",
    ]  # fmt: skip
    assert service_of_entries()["sticker"] == "ocr"


def test_the_people_stand_in_for_the_emotions_alone() -> None:
    people = model_of("mediapipe").from_json(canonical("mediapipe"))
    stood_in = {name: list(entries_of("mediapipe", people, instead_of=name)) for name in ("emotion_detection", "yolo")}
    assert [(e.entry_type, e.start_s, e.end_s) for e in stood_in["emotion_detection"]] == [("emotion", 0.5, 1.0)]
    assert stood_in["yolo"] == []
    assert "emotion" not in {entry.entry_type for entry in entries_of("mediapipe", people)}


def test_our_services_are_those_that_every_analysis_lists() -> None:
    nothing_ran = build("v", AnalysisMetadata(), MediaFacts(4.0), {}, entries_of)
    assert list(nothing_ran.completion_status()) == [service.name for service in all_services()]


def test_weights_are_in_the_catalogue() -> None:
    names = {name for service in all_services() for name in service.weights(Settings())}
    assert all(any(f"{file}/".startswith(f"{name}/") for file in catalogue()) for name in names)
    assert len(names) == 10


def test_versions_name_the_models() -> None:
    settings = Settings(
        yolo_weights="/models/yolo11n.pt", whisper_model="tiny.en", ocr_langs="en,de", ocr_engine="easyocr"
    )
    versions = {service.name: service.version(settings) for service in all_services()}
    assert versions["yolo"] == "yolo11n"
    assert versions["whisper"] == "whisper-tiny.en-ctranslate2"
    assert versions["ocr"] == "easyocr-en,de"
    assert versions["emotion_detection"] == f"{versions['mediapipe']}-blendshapes"


def test_without_data_a_summary_has_the_same_members_and_no_line() -> None:
    parts = [service.summary(None) for service in all_services()]
    assert {value for part in parts for value in part.facts.values()} == {None}
    assert len({key for part in parts for key in part.facts}) == 16
    assert [part.lines for part in parts] == [()] * 7


def test_knowing_the_services_loads_none_of_their_libraries() -> None:
    heavy = "{'numpy', 'cv2', 'av', 'mediapipe', 'tritonclient', 'scenedetect', 'scipy'}"
    code = f"import sys, rumiai.services; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
