"""The registered services, in the order of files, tables and the visual stage."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from rumiai.contracts.models import forget_model, register_model
from rumiai.core.registry import Registry
from rumiai.errors import ConfigurationError
from rumiai.services.base import AnyService

if TYPE_CHECKING:
    from rumiai.contracts.services.base import ServiceData
    from rumiai.contracts.timeline import TimelineEntry

# What stands for no service at all: the video is read, and nothing looks at it.
NO_SERVICE: Final = "none"

_SERVICES: Final[Registry[AnyService]] = Registry("services")


def add(service: AnyService) -> None:
    """Add a service at the end, and enter the model of its data for readers of files.

    The model is loaded when it is first needed.

    Raises:
        ConfigurationError: Its name is taken or no identifier, its file is no relative path with ``{id}``, or one of
            its inputs is not registered.
    """
    _check(service)
    _SERVICES.register(service)
    register_model(service.name, lambda: _model(service))


def register(service: AnyService) -> None:
    """Add a plug-in's service; its model is loaded at once, so that a wrong one shows here.

    Raises:
        ConfigurationError: As of :func:`add`, or its data's model is that of another service.
    """
    add(service)
    _model(service)


@contextlib.contextmanager
def registered(service: AnyService) -> Iterator[AnyService]:
    """Register a service for the length of a ``with`` block."""
    _check(service)
    with _SERVICES.registered(service):
        model = _model(service)
        register_model(service.name, lambda: model)
        try:
            yield service
        finally:
            forget_model(service.name)


def entries_of(name: str, data: ServiceData, *, instead_of: str | None = None) -> Iterable[TimelineEntry]:
    """What a service's data puts on the timeline; nothing for a service that is not registered here.

    Args:
        name: The service.
        data: Its data.
        instead_of: A service without data: only what this one's data says in its place.
    """
    service = next((service for service in all_services() if service.name == name), None)
    if service is None:
        return ()
    return service.entries(data) if instead_of is None else service.stand_in(instead_of, data)


def service_of_entries() -> dict[str, str]:
    """Type of timeline entries -> the service that makes them."""
    return {kind: service.name for service in all_services() for kind in service.data_model().entry_types}


def all_services() -> tuple[AnyService, ...]:
    """Every registered service, in order."""
    return _SERVICES.all()


def with_inputs(services: Iterable[AnyService]) -> tuple[AnyService, ...]:
    """These services and all that their results are made from, in the order of the registry."""
    wanted: set[str] = set()
    pending = list(services)
    while pending:
        service = pending.pop()
        if service.name not in wanted:
            wanted.add(service.name)
            pending += map(find_service, service.inputs)
    return tuple(service for service in all_services() if service.name in wanted)


def find_service(name: str) -> AnyService:
    """The service of this name.

    Raises:
        ConfigurationError: There is none.
    """
    return _SERVICES.find(name)


def chosen_services(names: Iterable[str]) -> tuple[AnyService, ...]:
    """The services of these names, in the order of the registry.

    Args:
        names: Of services. No name is all of them; the one name ``none`` is none of them.

    Raises:
        ConfigurationError: A name is not registered.
    """
    wanted = tuple(names)
    return () if wanted == (NO_SERVICE,) else _SERVICES.chosen(wanted)


def _model(service: AnyService) -> type[ServiceData]:
    model = service.data_model()
    if model.service != service.name:
        raise ConfigurationError(
            f"service {service.name}: got {model.__name__}.service = {model.service!r}, expected the service's name"
        )
    return model


def _check(service: AnyService) -> None:
    path = PurePosixPath(service.file)
    if "{id}" not in service.file or path.is_absolute() or ".." in path.parts:
        raise ConfigurationError(
            f"service {service.name}: got file {service.file!r}, expected a relative path with {{id}}"
        )
    for name in service.inputs:
        _SERVICES.find(name)
    if service.inputs and service.stage == "audio":
        raise ConfigurationError(
            f"service {service.name}: got inputs {', '.join(service.inputs)}, expected none: audio services run first"
        )
