"""The canonical data of every service (docs/outputs.md): one typed model each, and which service has which."""

from __future__ import annotations

from typing import Final

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
    "BUILT_IN_MODELS",
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
    "all_models",
    "forget_model",
    "model_of",
    "register_model",
]

BUILT_IN_MODELS: Final[tuple[type[ServiceData], ...]] = (
    YoloData, WhisperData, OcrData, PeopleData, ScenesData, AudioData, ExpressionsData,
)  # fmt: skip
_MODELS: Final[dict[str, type[ServiceData]]] = {model.service: model for model in BUILT_IN_MODELS}


def register_model(model: type[ServiceData]) -> None:
    """Make the data of a service known to whoever reads files.

    Raises:
        ContractError: Another model has that service already.
    """
    known = _MODELS.setdefault(model.service, model)
    if known is not model:
        raise ContractError(f"{model.service}: got {model.__name__}, expected no second model beside {known.__name__}")


def forget_model(model: type[ServiceData]) -> None:
    """Take back what :func:`register_model` added."""
    _MODELS.pop(model.service, None)


def all_models() -> tuple[type[ServiceData], ...]:
    """The models of all services that are known, those of plug-ins last."""
    return tuple(_MODELS.values())


def model_of(service: str) -> type[ServiceData]:
    """The model of a service's canonical data.

    Raises:
        ContractError: No service of that name is known.
    """
    if service not in _MODELS:
        raise ContractError(f"got service {service!r}, expected one of {', '.join(_MODELS)}")
    return _MODELS[service]
