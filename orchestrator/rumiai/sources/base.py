"""The interface of a source: which names it accepts, which videos they stand for, how one gets to a local path."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rumiai.contracts.metadata import VideoMetadata


@dataclass(frozen=True)
class SourceItem:
    """One video that a source has listed, not fetched yet.

    Attributes:
        source: Name of the source.
        location: What the source calls it: a path, a URL, an id. It is shown to the user and stands in the results.
        stem: Where the video's id comes from: a file name without suffix, or the platform's id.
    """

    source: str
    location: str
    stem: str


@dataclass(frozen=True)
class FetchedVideo:
    """A video at a local path.

    Attributes:
        path: The file.
        metadata: What the source knows of it; None when it knows nothing but the name.
    """

    path: Path
    metadata: VideoMetadata | None = None


class Source(ABC):
    """One kind of place where videos are; registered by :func:`rumiai.sources.register`.

    Attributes:
        name: Unique; a Python identifier.
    """

    name: ClassVar[str]

    @abstractmethod
    def accepts(self, text: str) -> bool:
        """Whether what a user has named is of this kind; from the text alone, without looking there."""

    @abstractmethod
    def list(self, text: str) -> Sequence[SourceItem]:
        """The videos behind a name, in a stable order; called in the parent process.

        Raises:
            SourceError: There are none.
        """

    @abstractmethod
    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """Bring a video to a local path; called in a worker process, as the first stage of the video.

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
