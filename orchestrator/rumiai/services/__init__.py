"""The services: one file each, registered here in order. A plugin registers its own with :func:`register`."""

from rumiai.services.audio import AudioEnergyService
from rumiai.services.base import (
    AnyService,
    AudioInputs,
    AudioService,
    ProbedVideo,
    Service,
    VideoContext,
    VisualInputs,
    VisualRun,
    VisualService,
    WorkerTools,
)
from rumiai.services.expressions import ExpressionsService
from rumiai.services.ocr import OcrService
from rumiai.services.people import PeopleService
from rumiai.services.registry import (
    add,
    all_services,
    chosen_services,
    entries_of,
    find_service,
    register,
    registered,
    service_of_entries,
    with_inputs,
)
from rumiai.services.scenes import ScenesService
from rumiai.services.whisper import WhisperService
from rumiai.services.yolo import YoloService

__all__ = [
    "AnyService",
    "AudioInputs",
    "AudioService",
    "ProbedVideo",
    "Service",
    "VideoContext",
    "VisualInputs",
    "VisualRun",
    "VisualService",
    "WorkerTools",
    "all_services",
    "chosen_services",
    "entries_of",
    "find_service",
    "register",
    "registered",
    "service_of_entries",
    "with_inputs",
]

# A service comes behind those that it builds on.
for _service in (
    YoloService(),
    WhisperService(),
    OcrService(),
    PeopleService(),
    ScenesService(),
    AudioEnergyService(),
    ExpressionsService(),
):
    add(_service)
