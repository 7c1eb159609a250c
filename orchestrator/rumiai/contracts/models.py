"""Service name -> pydantic model of its data; the registry of services (``rumiai.services``) enters them here.

Models are loaded when they are asked for: knowing which services there are must stay cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rumiai.errors import ContractError

if TYPE_CHECKING:
    from rumiai.contracts.services.base import ServiceData

_MODELS: Final[dict[str, Callable[[], type[ServiceData]]]] = {}


def register_model(service: str, load: Callable[[], type[ServiceData]]) -> None:
    """Enter the model that reads a service's data from files.

    Raises:
        ContractError: The service has a model already.
    """
    if service in _MODELS:
        raise ContractError(f"{service}: got a second model, expected one")
    _MODELS[service] = load


def forget_model(service: str) -> None:
    """Remove the model of a service."""
    _MODELS.pop(service, None)


def service_names() -> tuple[str, ...]:
    """The services that are known, in the order of files and tables; those of plug-ins last."""
    return tuple(_MODELS)


def all_models() -> tuple[type[ServiceData], ...]:
    """Their models, in the same order."""
    return tuple(load() for load in _MODELS.values())


def model_of(service: str) -> type[ServiceData]:
    """The model of a service's canonical data.

    Raises:
        ContractError: No service of that name is known.
    """
    if service not in _MODELS:
        raise ContractError(f"got service {service!r}, expected one of {', '.join(_MODELS)}")
    return _MODELS[service]()
