"""The registered sources, and the videos that names of a user stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from rumiai.core.registry import Registry
from rumiai.errors import ConfigurationError, RumiAIError, SourceError
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
        RumiAIError: A name stands for nothing, no source takes it, or what its source needs is missing; or there is no
            name.
    """
    items: dict[SourceItem, None] = {}
    for found in list_each(texts, access, strict=True):
        if isinstance(found, RumiAIError):
            raise found
        items |= dict.fromkeys(found)
    if not items:
        raise SourceError("no video was named", hint="give files, folders or glob patterns")
    return list(items)


def list_each(
    texts: Iterable[str], access: Access | None = None, *, strict: bool = False
) -> list[Sequence[SourceItem] | RumiAIError]:
    """The videos behind each name, or what is wrong with it, in the order of the names.

    Args:
        texts: What the user named.
        access: For sources that reach beyond this machine.
        strict: Whether what is wrong is an error, as soon as it is known.

    Raises:
        ConfigurationError: ``access.via`` is no source.
        RumiAIError: In ``strict``: a name cannot be taken.
    """
    texts, asked = list(texts), _sent_to("" if access is None else access.via)
    found: dict[int, Sequence[SourceItem] | RumiAIError] = {}
    by_source: dict[Source, list[int]] = {}
    for number, text in enumerate(texts):
        try:
            source = _source_of(text, asked)
            _equipped(source, access).check(text)
            by_source.setdefault(source, []).append(number)
        except RumiAIError as exc:
            if strict:
                raise
            found[number] = exc
    # What lies on this machine first: a mistake there costs nothing.
    for source, numbers in sorted(by_source.items(), key=lambda entry: entry[0].ahead):
        listed = _listed(_equipped(source, access), [texts[number] for number in numbers])
        found |= dict(zip(numbers, listed, strict=True))
        if strict and (problem := next((part for part in listed if isinstance(part, RumiAIError)), None)):
            raise problem
    return [found[number] for number in range(len(texts))]


def _listed(source: Source, texts: Sequence[str]) -> Sequence[Sequence[SourceItem] | RumiAIError]:
    """What a source lists; what is wrong with it as a whole, such as a missing token, is wrong with each name."""
    try:
        return source.list_all(texts)
    except RumiAIError as exc:
        return [exc] * len(texts)


def _equipped(source: Source, access: Access | None) -> Source:
    return source if access is None else source.using(access)


def _sent_to(via: str) -> list[Source]:
    """The source that the user sends names to; none without ``via``."""
    sources = [source for source in reversed(_SOURCES.all()) if source.by_name]
    asked = [source for source in sources if source.name == via]
    if via and not asked:
        names = ", ".join(source.name for source in sources) or "none"
        raise ConfigurationError(f"--via: got {via!r}, expected one of {names}")
    return asked


def _source_of(text: str, asked: Sequence[Source]) -> Source:
    """Who takes a name: the source that the user sent it to, if that accepts it, else the last registered that does."""
    for source in [*asked, *(source for source in reversed(_SOURCES.all()) if not source.by_name)]:
        if source.accepts(text):
            return source
    raise SourceError(
        f"{text} is a URL that no source takes",
        hint="download the file first, or install a plug-in with a source for it",
    )
