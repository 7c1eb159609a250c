"""The registered sources, and the videos that names of a user stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from rumiai.core.registry import Registry
from rumiai.errors import ConfigurationError, SourceError
from rumiai.sources.base import Access, Source, SourceItem

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


def list_items(texts: Iterable[str], access: Access | None = None) -> list[SourceItem]:
    """The videos that the given names stand for, each once, in the order of the names.

    Args:
        texts: What the user named.
        access: For sources that reach beyond this machine; without it they are told nothing.

    Raises:
        SourceError: A name stands for nothing, or no source takes it; or there is no name.
    """
    items: dict[SourceItem, None] = {}
    for found in list_each(texts, access, strict=True):
        if isinstance(found, SourceError):
            raise found
        items |= dict.fromkeys(found)
    if not items:
        raise SourceError("no video was named", hint="give files, folders or glob patterns")
    return list(items)


def list_each(
    texts: Iterable[str], access: Access | None = None, *, strict: bool = False
) -> list[Sequence[SourceItem] | SourceError]:
    """The videos behind each name, or what is wrong with it, in the order of the names.

    Args:
        texts: What the user named.
        access: For sources that reach beyond this machine.
        strict: Whether what is wrong is an error, as soon as it is known.

    Raises:
        SourceError: In ``strict``: a name cannot be taken.
    """
    texts, via = list(texts), "" if access is None else access.via
    found: dict[int, Sequence[SourceItem] | SourceError] = {}
    by_source: dict[Source, list[int]] = {}
    for number, text in enumerate(texts):
        try:
            source = _source_of(text, via)
            source.check(text)
            by_source.setdefault(source, []).append(number)
        except SourceError as exc:
            if strict:
                raise
            found[number] = exc
    # What lies on this machine first: a mistake there costs nothing.
    for source, numbers in sorted(by_source.items(), key=lambda entry: entry[0].ahead):
        listed = _equipped(source, access).list_all([texts[number] for number in numbers])
        found |= dict(zip(numbers, listed, strict=True))
        if strict and (problem := next((part for part in listed if isinstance(part, SourceError)), None)):
            raise problem
    return [found[number] for number in range(len(texts))]


def _equipped(source: Source, access: Access | None) -> Source:
    return source if access is None else source.using(access)


def _source_of(text: str, via: str) -> Source:
    """Who takes a name: the source that the user sent it to, if that accepts it, else the last registered that does."""
    sources = list(reversed(_SOURCES.all()))
    asked = [source for source in sources if source.name == via and source.by_name]
    if via and not asked:
        names = ", ".join(source.name for source in sources if source.by_name) or "none"
        raise ConfigurationError(f"--via: got {via!r}, expected one of {names}")
    for source in [*asked, *(source for source in sources if not source.by_name)]:
        if source.accepts(text):
            return source
    raise SourceError(
        f"{text} is a URL that no source takes",
        hint="download the file first, or install a plug-in with a source for it",
    )
