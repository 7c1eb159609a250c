"""The services that there are, in the order in which files, tables and the visual stage go through them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import PurePosixPath
from typing import Final

from rumiai.core.registry import Registry
from rumiai.errors import ConfigurationError
from rumiai.services.base import AnyService

_SERVICES: Final[Registry[AnyService]] = Registry("services")


def register(service: AnyService) -> None:
    """Add a service behind the others.

    Raises:
        ConfigurationError: Its name is taken or no identifier, or its file is no relative path with ``{id}``.
    """
    _check_file(service)
    _SERVICES.register(service)


def registered(service: AnyService) -> AbstractContextManager[AnyService]:
    """A service that is registered for the length of a ``with`` block."""
    _check_file(service)
    return _SERVICES.registered(service)


def all_services() -> tuple[AnyService, ...]:
    """Every registered service, in order."""
    return _SERVICES.all()


def find_service(name: str) -> AnyService:
    """The service of this name.

    Raises:
        ConfigurationError: There is none.
    """
    return _SERVICES.find(name)


def chosen_services(names: Iterable[str]) -> tuple[AnyService, ...]:
    """The services of these names, in the order of the registry; all of them when no name is given.

    Raises:
        ConfigurationError: A name is not registered.
    """
    return _SERVICES.chosen(names)


def _check_file(service: AnyService) -> None:
    path = PurePosixPath(service.file)
    if "{id}" not in service.file or path.is_absolute() or ".." in path.parts:
        raise ConfigurationError(
            f"service {service.name}: got file {service.file!r}, expected a relative path with {{id}}"
        )
