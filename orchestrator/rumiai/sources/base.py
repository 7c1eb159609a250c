"""The interface of a source: which names it accepts, which videos they stand for, how one gets to a local path."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rumiai.contracts.metadata import VideoMetadata
from rumiai.errors import RumiAIError, SourceError

if TYPE_CHECKING:
    from rumiai.core.http import HttpClient
    from rumiai.sources.download import DownloadLimits


@dataclass(frozen=True)
class Access:
    """What a source may use that reaches beyond this machine; it lives in the parent process.

    Attributes:
        http: The run's one client, which follows the address rules; threads share it.
        limits: Of one download.
        via: Which helper was asked for by name, such as ``ytdlp``; empty for none.
        most: Most videos that one name stands for, where it stands for a list without end; 0 for all that there are.
        apify_token: Of the user's Apify account; empty without one.
        apify_timeout_s: The longest run of a scraper.
        scraped: Folder for what a scraper has found, so that it is asked once.
        anew: Whether a scraper is to be asked again all the same.
        cloud: The user's keys, regions and endpoints of object stores, by their variables.
    """

    http: HttpClient
    limits: DownloadLimits
    via: str = ""
    most: int = 0
    apify_token: str = field(default="", repr=False)
    apify_timeout_s: float = 300.0
    scraped: Path = Path("temp")
    anew: bool = False
    cloud: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True)
class SourceItem:
    """One video that a source has listed, not fetched yet.

    Attributes:
        source: Name of the source.
        location: What the source calls it: a path, a URL, an id. It is shown to the user and stands in the results.
        stem: Where the video's id comes from: a file name without suffix, or the platform's id.
        address: What is fetched, where it is more than may be shown: a URL with its signature. Empty: the location.
        metadata: What the user said of the video; it counts more than what the source knows.
        language: That is spoken in it, by Whisper's code; empty for the run's setting.
    """

    source: str
    location: str
    stem: str
    address: str = field(default="", repr=False, compare=False)
    metadata: VideoMetadata | None = field(default=None, repr=False, compare=False)
    language: str = field(default="", compare=False)


@dataclass(frozen=True)
class FetchedVideo:
    """A video at a local path, or the pictures that one is made of.

    Attributes:
        path: The file; with ``pictures`` where the video made of them is to be. It may be a picture itself.
        metadata: What the source knows of it; None when it knows nothing but the name.
        identity: Hex digits of the content. Results are reused while it stays; without it, while size and time of
            change of the file stay.
        is_copy: Whether the file is the run's own, and may be removed when the video is done.
        pictures: Of a photo post, in its order; empty for a video.
        sound: Lies under the pictures.
        problems: What of the post could not be had, a sentence each: the video is then partial.
        seconds: That it took to bring it here, where that was ahead of the workers.
    """

    path: Path
    metadata: VideoMetadata | None = None
    identity: str = ""
    is_copy: bool = False
    pictures: tuple[Path, ...] = ()
    sound: Path | None = None
    problems: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def files(self) -> tuple[Path, ...]:
        """The video, the pictures and the sound; not all need be there."""
        return (self.path, *self.pictures, *((self.sound,) if self.sound else ()))


class Source(ABC):
    """One kind of place where videos are; registered by :func:`rumiai.sources.register`.

    Attributes:
        name: Unique; a Python identifier.
        ahead: Where :meth:`fetch` is called. False: in a worker process, as the first stage of the video, which waits
            for it. True: in the parent, by several threads at once, ahead of the workers; what is of the network.
        by_name: Whether it takes only what the user sends to it by ``--via``.
    """

    name: ClassVar[str]
    ahead: ClassVar[bool] = False
    by_name: ClassVar[bool] = False

    def using(self, access: Access) -> Source:
        """This source with what it may use; in the parent, before :meth:`list` and before a fetch ahead.

        A source that needs it returns a copy of itself that holds it.
        """
        return self

    @abstractmethod
    def accepts(self, text: str) -> bool:
        """Whether what a user has named is of this kind; from the text alone, without looking there."""

    @abstractmethod
    def list(self, text: str) -> Sequence[SourceItem]:
        """The videos behind a name, in a stable order; called in the parent process.

        Raises:
            SourceError: There are none.
        """

    def check(self, text: str) -> None:
        """Refuse a name that is of this kind and cannot be taken; from the text and the access alone.

        Raises:
            RumiAIError: It cannot.
        """
        if not self.accepts(text):
            raise SourceError(f"{text} is none of the names that {self.name} takes")

    def list_all(self, texts: Sequence[str]) -> Sequence[Sequence[SourceItem] | RumiAIError]:
        """The videos behind each of several names, or what is wrong with it; all have passed :meth:`check`.

        A source that asks once for all of them has its own.

        Raises:
            RumiAIError: It can list none of them.
        """
        return [self._listed(text) for text in texts]

    def _listed(self, text: str) -> Sequence[SourceItem] | SourceError:
        try:
            return self.list(text)
        except SourceError as exc:
            return exc

    @abstractmethod
    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """Bring a video to a local path; ``ahead`` says in which process.

        Args:
            item: From :meth:`list`.
            folder: Of this video alone, for what has to be downloaded; it may not exist yet. What an earlier run left
                there may be used again: a result is reused while its file has the same size and time of change.

        Raises:
            RumiAIError: The video fails, the others go on.
        """

    def digest(self, item: SourceItem) -> str:
        """Hex digits, at least 8, that tell items of equal stems apart; equal for the same video.

        Raises:
            RumiAIError: The item cannot be read.
        """
        return hashlib.sha256(os.fsencode(item.location)).hexdigest()
