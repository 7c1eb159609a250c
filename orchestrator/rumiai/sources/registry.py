"""The registered sources, and the videos that names of a user stand for."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Final

from rumiai.core.registry import Registry
from rumiai.errors import SourceError
from rumiai.sources.base import Source, SourceItem

_SOURCES: Final[Registry[Source]] = Registry("sources")


def register(source: Source) -> None:
    """Add a source: of several that accept a name, the one that was registered last takes it.

    Raises:
        ConfigurationError: Its name is taken, or no identifier.
    """
    _SOURCES.register(source)


def registered(source: Source) -> AbstractContextManager[Source]:
    """Register a source for the length of a ``with`` block."""
    return _SOURCES.registered(source)


def find_source(name: str) -> Source:
    """The source of this name.

    Raises:
        ConfigurationError: There is none.
    """
    return _SOURCES.find(name)


def list_items(texts: Iterable[str]) -> list[SourceItem]:
    """The videos that the given names stand for, each once, in the order of the names.

    Raises:
        SourceError: A name stands for nothing, or no source takes it; or there is no name.
    """
    items = dict.fromkeys(item for text in texts for item in _source_of(text).list(text))
    if not items:
        raise SourceError("no video was named", hint="give files, folders or glob patterns")
    return list(items)


def _source_of(text: str) -> Source:
    for source in reversed(_SOURCES.all()):
        if source.accepts(text):
            return source
    raise SourceError(
        f"{text} is a URL that no source takes",
        hint="download the file first, or install a plug-in with a source for it",
    )
