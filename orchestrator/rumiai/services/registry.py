"""The services that there are, in the order in which files, tables and the visual stage go through them."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from rumiai.errors import ConfigurationError
from rumiai.services.base import Service

_SERVICES: dict[str, Service] = {}


def register(service: Service) -> None:
    """Add a service behind the others; registering the same object again does nothing.

    Raises:
        ConfigurationError: Its name is taken or no identifier, or its file has no ``{id}``.
    """
    known = _SERVICES.get(service.name, service)
    if type(known) is not type(service):
        raise ConfigurationError(f"service {service.name}: got a second one, {type(service).__name__}, expected one")
    if not service.name.isidentifier():
        raise ConfigurationError(f"service: got the name {service.name!r}, expected a Python identifier")
    if "{id}" not in service.file or Path(service.file).is_absolute() or ".." in Path(service.file).parts:
        raise ConfigurationError(
            f"service {service.name}: got file {service.file!r}, expected a relative path with {{id}}"
        )
    _SERVICES.setdefault(service.name, service)


@contextlib.contextmanager
def registered(service: Service) -> Iterator[Service]:
    """A service that is registered for the length of a ``with`` block."""
    register(service)
    try:
        yield service
    finally:
        del _SERVICES[service.name]


def all_services() -> tuple[Service, ...]:
    """Every registered service, in order."""
    return tuple(_SERVICES.values())


def service_names() -> tuple[str, ...]:
    """Their names, in order."""
    return tuple(_SERVICES)


def find_service(name: str) -> Service:
    """The service of this name.

    Raises:
        ConfigurationError: There is none.
    """
    if name not in _SERVICES:
        raise ConfigurationError(f"services: got {name!r}, expected some of {', '.join(_SERVICES)}")
    return _SERVICES[name]


def chosen_services(names: Iterable[str]) -> tuple[Service, ...]:
    """The services of these names, in the order of the registry; all of them when no name is given.

    Raises:
        ConfigurationError: A name is not registered.
    """
    wanted = {find_service(name).name for name in names}
    return tuple(service for service in _SERVICES.values() if not wanted or service.name in wanted)


def load_plugins(plugins: Iterable[str]) -> None:
    """Import modules that register services or sources.

    Args:
        plugins: Names of importable modules, or paths of ``.py`` files. Each is imported once in a process.

    Raises:
        ConfigurationError: A module cannot be found.
    """
    for plugin in plugins:
        if plugin.endswith(".py"):
            _load_file(Path(plugin))
            continue
        try:
            importlib.import_module(plugin)
        except ModuleNotFoundError as exc:
            raise ConfigurationError(
                f"plugin {plugin}: {exc}", hint="give a module name or the path of a .py file"
            ) from exc


def _load_file(path: Path) -> None:
    # The same name in every process, so that what a plugin defines can be sent between them.
    name = f"rumiai_plugin_{path.stem}_{zlib.crc32(str(path.resolve()).encode()):08x}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigurationError(f"plugin {path}: there is no such file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
