"""Videos in object stores: one object, all below a folder, or those that a pattern matches."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path, PurePosixPath

from rumiai.contracts.metadata import VideoMetadata
from rumiai.core.objects import Bucket, is_object
from rumiai.errors import ConfigurationError, SourceError
from rumiai.sources.base import Access, FetchedVideo, Source, SourceItem
from rumiai.sources.download import download, kept
from rumiai.sources.local import MEDIA_SUFFIXES

_MAGIC = frozenset("*?[")


@dataclass(frozen=True)
class ObjectSource(Source):
    """``s3://bucket/key``, ``s3://bucket/folder/`` and ``s3://bucket/folder/*.mp4``; gs:// and az:// likewise."""

    name = "object_store"
    ahead = True

    access: Access | None = None

    def accepts(self, text: str) -> bool:
        """Addresses of objects."""
        return is_object(text)

    def using(self, access: Access) -> ObjectSource:
        """With the run's client and the user's keys."""
        return ObjectSource(access)

    def list(self, text: str) -> Sequence[SourceItem]:
        """The objects, in the order of their keys. One that is named is not looked for before it is fetched.

        Raises:
            SourceError: There are none.
        """
        access = self._access()
        bucket = Bucket(text, access.cloud, access.http.rules)
        keys = [bucket.key] if _is_one(bucket.key) else list(_limited(_keys(bucket), access.most))
        if not keys:
            raise SourceError(f"{text} holds no videos", hint="a folder ends with /; a pattern holds *")
        return [SourceItem(self.name, bucket.url(key), PurePosixPath(key).stem) for key in keys]

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """Download it by a signed address, unless an earlier run has.

        Raises:
            RumiAIError: As :func:`rumiai.sources.download.download`.
        """
        access, began = self._access(), time.monotonic()
        target = folder / f"{folder.name}.mp4"
        found = kept(target)
        if found is None:
            bucket = Bucket(item.location, access.cloud, access.http.rules)
            found = download(access.http, bucket.signed(bucket.key), target, access.limits)
        metadata = VideoMetadata(item.stem, url=item.location)
        return FetchedVideo(found.path, metadata, found.sha256, is_copy=True, seconds=time.monotonic() - began)

    def _access(self) -> Access:
        if self.access is None:
            raise ConfigurationError("an object store needs the run's client", hint="call using() first")
        return self.access


def _is_one(key: str) -> bool:
    return bool(key) and not key.endswith("/") and not _MAGIC & set(key)


def _keys(bucket: Bucket) -> Iterable[str]:
    """The keys below a folder that are called like media, or those that a pattern matches."""
    pattern = bucket.key
    fixed = pattern[: min((pattern.index(char) for char in _MAGIC if char in pattern), default=len(pattern))]
    for found in bucket.list(fixed):
        if fixed != pattern:
            if fnmatchcase(found.key, pattern):
                yield found.key
        elif PurePosixPath(found.key).suffix.lower() in MEDIA_SUFFIXES:
            yield found.key


def _limited(keys: Iterable[str], most: int) -> Iterable[str]:
    return islice(keys, most) if most else keys
