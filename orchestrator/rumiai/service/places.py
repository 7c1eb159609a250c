"""Which sources a request may name: addresses on the network, and files below the folders that the service allows."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from rumiai.errors import RumiAIError, SourceError
from rumiai.sources import Access, SourceItem, list_each, list_items

# What address rules are applied to where it is fetched (``core/http.py``).
_NETWORK: Final = ("http://", "https://")


class Places:
    """The places that a service allows.

    Args:
        roots: Folders, under every name that a request may use, the resolved one among them.
        prefixes: Beginnings of further addresses, such as ``s3://bucket/videos/``.
    """

    def __init__(self, roots: Sequence[Path], prefixes: Sequence[str]) -> None:
        self._roots, self._prefixes = tuple(roots), tuple(prefixes)

    def check(self, source: str) -> None:
        """Refuse a name that leads elsewhere, from its text alone; where links lead is seen when it is listed.

        Raises:
            SourceError: It does.
        """
        if source.startswith(_NETWORK):
            return
        if source.startswith(self._prefixes) and ".." not in source:
            return
        if not source.startswith("/") or "\0" in source or ".." in source.split("/"):
            raise SourceError(
                f"{source[:80]} is no source that the service takes",
                hint="name an http or https URL, or the absolute path of a file below a folder that the service allows",
            )
        self._check_below(source, Path(source))

    def list(self, sources: Iterable[str], access: Access | None = None) -> list[SourceItem]:
        """The videos behind the names, each checked where it really lies.

        Args:
            sources: The names.
            access: For those beyond this machine.

        Raises:
            SourceError: A name stands for nothing, or a video lies elsewhere.
        """
        names = list(sources)
        for name in names:
            self._check_listed(name)
        items = list_items(names, access) if names else []
        self._check_items(items)
        return items

    def list_each(self, sources: Sequence[str], access: Access | None = None) -> Iterator[Sequence[SourceItem]]:
        """The videos behind each name, in the order of the names; see :meth:`list`.

        Raises:
            SourceError: A name stands for nothing, or a video lies elsewhere.
        """
        for source in sources:
            self._check_listed(source)
        for found in list_each(sources, access):
            if isinstance(found, RumiAIError):
                raise found
            self._check_items(found)
            yield found

    def _check_listed(self, source: str) -> None:
        """Refuse a name whose folder really lies elsewhere, before anything is looked for there."""
        self.check(source)
        if source.startswith("/"):
            self._check_path(source, _fixed_part(source))

    def _check_items(self, items: Iterable[SourceItem]) -> None:
        for item in items:
            if item.source == "local":
                self._check_path(item.location, item.location)

    def _check_path(self, shown: str, path: str) -> None:
        self._check_below(shown, Path(os.path.realpath(path)))

    def _check_below(self, shown: str, path: Path) -> None:
        if not any(path.is_relative_to(root) for root in self._roots):
            raise SourceError(
                f"{shown[:200]} lies below no folder that the service allows",
                hint="upload the file, or start the service with --allow-source FOLDER",
            )


def _fixed_part(pattern: str) -> str:
    """The path before the first part with a wildcard, if there is no file of this very name."""
    if os.path.lexists(pattern) or not glob.has_magic(pattern):
        return pattern
    parts = []
    for part in pattern.split("/"):
        if glob.has_magic(part):
            break
        parts.append(part)
    return "/".join(parts) or "/"
