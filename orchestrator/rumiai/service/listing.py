"""The videos of an accepted run: uploaded files, sources, and entries with what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rumiai.contracts.metadata_forms import read_metadata
from rumiai.core.json_values import JsonObject
from rumiai.errors import SourceError
from rumiai.service.accepting import AcceptedRun
from rumiai.service.places import Places
from rumiai.service.uploads import upload_items
from rumiai.sources import Access, SourceItem, UnlistedSource


def list_accepted(accepted: AcceptedRun, places: Places, access: Access) -> list[SourceItem]:
    """The videos, each once.

    Raises:
        SourceError: A source stands for nothing, or lies where the service does not read.
    """
    uploads = {item.location: item for item in upload_items(accepted.uploads)}
    described = {entry["upload"] for entry in accepted.videos if "upload" in entry}
    items = [item for name, item in uploads.items() if name not in described]
    items += places.list(accepted.sources, access)
    sources = [str(entry["source"]) for entry in accepted.videos if _is_fetched(entry)]
    found = places.list_each(sources, access)
    for entry in accepted.videos:
        if "problem" in entry:
            items.append(SourceItem(UnlistedSource.name, str(entry["source"]), _stem(entry), str(entry["problem"])))
            continue
        named = next(found) if _is_fetched(entry) else [uploads[str(entry["upload"])]]
        items += _described(named, entry)
    return list(dict.fromkeys(items))


def _is_fetched(entry: JsonObject) -> bool:
    return "source" in entry and "problem" not in entry


def _stem(entry: JsonObject) -> str:
    return str(entry.get("id") or entry["source"])


def _described(items: Sequence[SourceItem], entry: JsonObject) -> list[SourceItem]:
    if not entry.keys() & {"id", "language", "metadata"}:
        return list(items)
    if len(items) > 1:
        raise SourceError(f"{entry['source']} stands for {len(items)} videos, and the entry describes one")
    (item,) = items
    stem, told = str(entry.get("id") or item.stem), entry.get("metadata")
    metadata = read_metadata(told, stem) if isinstance(told, Mapping) else item.metadata
    return [replace(item, stem=stem, metadata=metadata, language=str(entry.get("language") or ""))]
