"""The sources of videos: one file each, registered here. A plugin registers its own with :func:`register`."""

from rumiai.sources.base import Access, FetchedVideo, Source, SourceItem
from rumiai.sources.listing import Named, UnlistedSource, items_of_rows, list_named
from rumiai.sources.local import LocalSource
from rumiai.sources.object_store import ObjectSource
from rumiai.sources.registry import find_source, list_each, list_items, register, registered
from rumiai.sources.tiktok import TikTokSource
from rumiai.sources.upload import UploadSource, upload_item
from rumiai.sources.web import WebSource
from rumiai.sources.ytdlp import YtdlpSource

__all__ = [
    "Access",
    "FetchedVideo",
    "Named",
    "Source",
    "SourceItem",
    "UnlistedSource",
    "find_source",
    "items_of_rows",
    "list_each",
    "list_items",
    "list_named",
    "register",
    "registered",
    "upload_item",
]

register(UnlistedSource())
register(LocalSource())
register(WebSource())
register(TikTokSource())
register(UploadSource())
register(ObjectSource())
register(YtdlpSource())
