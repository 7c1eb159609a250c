"""A registry of objects by name, to which plugins add: services, sources."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from rumiai.errors import ConfigurationError


class Named(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str:
        """Unique in its registry; a Python identifier."""


_T = TypeVar("_T", bound=Named)


class Registry(Generic[_T]):
    """Objects by name, in the order in which they were registered.

    Args:
        what: Plural noun for messages, as the setting is called that chooses among them.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._items: dict[str, _T] = {}

    def register(self, item: _T) -> None:
        """Add an object at the end.

        Raises:
            ConfigurationError: Its name is taken, or no Python identifier.
        """
        if not item.name.isidentifier():
            raise ConfigurationError(f"{self._what}: got the name {item.name!r}, expected a Python identifier")
        if item.name in self._items:
            raise ConfigurationError(f"{self._what}: got {item.name} twice, expected one of that name")
        self._items[item.name] = item

    @contextlib.contextmanager
    def registered(self, item: _T) -> Iterator[_T]:
        """Register an object for the length of a ``with`` block."""
        self.register(item)
        try:
            yield item
        finally:
            del self._items[item.name]

    def all(self) -> tuple[_T, ...]:
        """Every object, in order."""
        return tuple(self._items.values())

    def find(self, name: str) -> _T:
        """The object of this name.

        Raises:
            ConfigurationError: There is none.
        """
        if name not in self._items:
            raise ConfigurationError(f"{self._what}: got {name!r}, expected some of {', '.join(self._items)}")
        return self._items[name]

    def chosen(self, names: Iterable[str]) -> tuple[_T, ...]:
        """The objects of these names, in the order of the registry; all of them when no name is given.

        Raises:
            ConfigurationError: A name is not registered.
        """
        wanted = {self.find(name).name for name in names}
        return tuple(item for name, item in self._items.items() if not wanted or name in wanted)
