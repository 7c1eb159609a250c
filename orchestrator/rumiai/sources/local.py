"""Files, folders and globs on this machine."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rumiai.errors import SourceError, StoreError
from rumiai.sources.base import FetchedVideo, Source, SourceItem

# What a folder is searched for. A file that is named is taken whatever its suffix; the probe decides.
MEDIA_SUFFIXES: Final[frozenset[str]] = frozenset(
    {".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".ts", ".3gp", ".m4a", ".mp3", ".wav", ".ogg", ".opus", ".flac"}
)


class LocalSource(Source):
    """Paths of files, of folders (searched with all below them, hidden ones left out), and glob patterns."""

    name = "local"

    def accepts(self, text: str) -> bool:
        """Everything but a URL."""
        return "://" not in text

    def list(self, text: str) -> Sequence[SourceItem]:
        """The files as absolute paths, sorted within a folder or glob.

        Raises:
            SourceError: The name stands for nothing, or is no plain file.
        """
        paths = (path.resolve() for path in _expand(text))
        return [SourceItem(self.name, str(path), path.stem) for path in paths]

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """The file is where it is."""
        return FetchedVideo(Path(item.location))

    def digest(self, item: SourceItem) -> str:
        """The sha256 of the file's content: the same video may lie in two folders.

        Raises:
            StoreError: It cannot be read.
        """
        try:
            with Path(item.location).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as exc:
            raise StoreError(f"cannot read {item.location}: {exc.strerror}") from exc


def _expand(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        inside = sorted(
            item
            for item in path.rglob("*")
            if item.suffix.lower() in MEDIA_SUFFIXES
            and item.is_file()
            and not any(part.startswith(".") for part in item.relative_to(path).parts)
        )
        if not inside:
            raise SourceError(f"{text} is a folder without media files", hint=f"looked for {_suffixes()}")
        return inside
    if path.exists():
        raise SourceError(f"{text} is neither a file nor a folder")
    if glob.has_magic(text):
        matches = sorted(Path(m) for m in glob.glob(str(path), recursive=True) if Path(m).is_file())
        if not matches:
            raise SourceError(f"the pattern {text} matches no file")
        return matches
    raise SourceError(f"{text} does not exist", hint="check the path")


def _suffixes() -> str:
    return ", ".join(sorted(MEDIA_SUFFIXES))
