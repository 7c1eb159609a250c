"""The canonical data of every service (docs/ml_outputs.md): one typed model each, the registry of all of them."""

from __future__ import annotations

from rumiai.contracts.services.audio import AudioData
from rumiai.contracts.services.base import ServiceData, ServiceMetadata, ServiceModel
from rumiai.contracts.services.expressions import ExpressionsData
from rumiai.contracts.services.ocr import OcrData
from rumiai.contracts.services.people import Landmarks, PeopleData
from rumiai.contracts.services.scenes import ScenesData
from rumiai.contracts.services.whisper import WhisperData
from rumiai.contracts.services.yolo import YoloData
from rumiai.errors import ContractError

__all__ = [
    "AudioData",
    "ExpressionsData",
    "Landmarks",
    "OcrData",
    "PeopleData",
    "ScenesData",
    "ServiceData",
    "ServiceMetadata",
    "ServiceModel",
    "WhisperData",
    "YoloData",
    "model_of",
    "register",
]

_MODELS: dict[str, type[ServiceData]] = {}


def register(model: type[ServiceData]) -> None:
    """Make a service's data known to readers of stored files.

    Raises:
        ContractError: Another model has that service already.
    """
    known = _MODELS.setdefault(model.service, model)
    if known is not model:
        raise ContractError(f"{model.service}: got {model.__name__}, expected no second model beside {known.__name__}")


def model_of(service: str) -> type[ServiceData]:
    """The model of a service's canonical data.

    Raises:
        ContractError: No service of that name is registered.
    """
    if service not in _MODELS:
        raise ContractError(f"got service {service!r}, expected one of {', '.join(_MODELS)}")
    return _MODELS[service]


for _model in (YoloData, WhisperData, OcrData, PeopleData, ScenesData, AudioData, ExpressionsData):
    register(_model)
