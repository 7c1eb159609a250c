"""The sources of videos: one file each, registered here. A plugin registers its own with :func:`register`."""

from rumiai.sources.base import Access, FetchedVideo, Source, SourceItem
from rumiai.sources.local import LocalSource
from rumiai.sources.registry import find_source, list_items, register, registered
from rumiai.sources.web import WebSource

__all__ = ["Access", "FetchedVideo", "Source", "SourceItem", "find_source", "list_items", "register", "registered"]

register(LocalSource())
register(WebSource())
