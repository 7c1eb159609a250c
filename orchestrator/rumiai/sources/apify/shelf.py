"""Scraped items on the disk: ``<id>_apify.json`` each, so that a post is scraped once."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rumiai.core.files import written_whole
from rumiai.core.foreign_json import read_foreign
from rumiai.core.json_values import JsonObject
from rumiai.errors import StoreError
from rumiai.sources.apify.items import media_of, post_id, without_private_members

# Below the output folder: where the earlier system had the scraped items too, and where `recompute` looks for them.
SCRAPED: Final = "temp"
_SUFFIX: Final = "_apify.json"


class Shelf:
    """The scraped items of an output folder.

    Args:
        folder: Made by :meth:`check`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self) -> None:
        """See that items can be put there, before they are paid for.

        Raises:
            StoreError: They cannot.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                pass
        except OSError as exc:
            raise StoreError(f"cannot write into {self._folder}: {exc.strerror}", hint="check its permissions") from exc

    def put(self, item: JsonObject) -> JsonObject:
        """Write the item of a post, without the personal members that nothing reads; returns what was written.

        Raises:
            StoreError: It cannot be written.
        """
        kept = without_private_members(item)
        path = self.file(str(post_id(item)))
        try:
            with written_whole(path) as stream:
                stream.write(json.dumps(kept, ensure_ascii=False, indent=1).encode())
        except OSError as exc:
            raise StoreError(f"cannot write {path}: {exc.strerror}", hint="check free space and permissions") from exc
        return kept

    def file(self, number: str) -> Path:
        """Where the item of the post with this id is."""
        return self._folder / f"{number}{_SUFFIX}"

    def get(self, number: str) -> JsonObject | None:
        """The item of the post with this id; None when there is none that can be used."""
        return _read(self.file(number), number)

    def all(self) -> Iterator[JsonObject]:
        """Every item that can be used, by name."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            item = _read(path, path.name.removesuffix(_SUFFIX))
            if item is not None:
                yield item


def _read(path: Path, number: str) -> JsonObject | None:
    """An item; None when it is not of that post, or was saved without its media, as by other programs."""
    try:
        item = read_foreign(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(item, dict) or post_id(item) != number:
        return None
    media = media_of(item)
    return item if media.videos or media.pictures else None
