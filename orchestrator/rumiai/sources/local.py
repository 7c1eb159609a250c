"""Files, folders and globs on this machine."""

from __future__ import annotations

import glob
import logging
import mimetypes
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rumiai.core.files import file_sha256
from rumiai.errors import SourceError, StoreError
from rumiai.sources.base import FetchedVideo, Source, SourceItem
from rumiai.sources.sidecars import read_sidecars

LOG = logging.getLogger(__name__)

# What a folder is searched for: the usual suffixes of the containers that ``media.container`` opens. A file that is
# named is taken whatever its suffix; the probe decides.
MEDIA_SUFFIXES: Final[frozenset[str]] = frozenset(
    {
        ".mp4", ".mov", ".m4v", ".mp4v", ".3gp", ".3g2", ".m4a", ".webm", ".mkv", ".avi", ".divx", ".ts", ".mts",
        ".m2ts", ".mpg", ".mpeg", ".vob", ".flv", ".wmv", ".asf", ".ogv", ".ogg", ".opus", ".mp3", ".wav", ".aac",
        ".flac",
    }
)  # fmt: skip
# Enough of a name to recognise it by; a message stays one line.
_NAME_CHARS: Final = 80


class LocalSource(Source):
    """Paths of files, of folders (searched with all below them, hidden ones left out), and glob patterns."""

    name = "local"

    def accepts(self, text: str) -> bool:
        """Everything but a URL."""
        return "://" not in text

    def list(self, text: str) -> Sequence[SourceItem]:
        """The files as absolute paths, sorted within a folder or glob. A symbolic link to a file keeps its own name.

        Raises:
            SourceError: The name stands for nothing, or is no plain file.
        """
        try:
            paths = [path.parent.resolve() / path.name for path in _expand(text)]
        except OSError as exc:  # a name of more than 255 bytes, a folder that may not be entered
            raise SourceError(f"{_shown(text)} cannot be looked at: {exc.strerror}", hint="check the path") from exc
        return [SourceItem(self.name, str(path), _stem(path)) for path in paths]

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """The file is where it is; what lies beside it with metadata is read."""
        path = Path(item.location)
        metadata, problems = read_sidecars(path)
        return FetchedVideo(path, metadata, problems=problems)

    def digest(self, item: SourceItem) -> str:
        """The sha256 of the file's content: the same video may lie in two folders.

        Raises:
            StoreError: It cannot be read.
        """
        try:
            return file_sha256(Path(item.location))
        except OSError as exc:
            raise StoreError(f"cannot read {item.location}: {exc.strerror}") from exc


def _expand(text: str) -> list[Path]:
    if not text:
        raise SourceError("a source is empty", hint="name a file, a folder or a pattern; . is the current folder")
    path = _path(text)
    if path.is_file():
        return [path]
    if path.is_dir():
        inside = _media_files(path)
        if not inside:
            raise SourceError(
                f"{text} is a folder without media files",
                hint=f"looked for {_suffixes()}; pictures are taken when they are named, as by {text}/*.jpg",
            )
        return inside
    if path.exists():
        raise SourceError(f"{text} is neither a file nor a folder")
    if glob.has_magic(text):
        matches = sorted(Path(m) for m in glob.glob(str(path), recursive=True) if Path(m).is_file())
        if not matches:
            raise SourceError(f"the pattern {text} matches no file")
        return matches
    raise SourceError(f"{_shown(text)} does not exist", hint="check the path")


def _path(text: str) -> Path:
    """The path that is meant: ``~`` is the home folder, unless a file has this very name or there is no such user."""
    path = Path(text)
    if text.startswith("~") and not path.exists():
        try:
            return path.expanduser()
        except RuntimeError:
            return path
    return path


def _stem(path: Path) -> str:
    """The stem as UTF-8, also where the locale has another encoding: ids are the same in each."""
    return os.fsencode(path.stem).decode(errors="surrogateescape")


def _media_files(folder: Path) -> list[Path]:
    """The media files of a folder and of all below it, sorted; hidden ones are left out.

    Linked folders are followed, each folder once. Of several names of one file the one that is no link is taken. What
    is not looked at is told in one line of the log.
    """
    skipped: Counter[str] = Counter()
    found: dict[str, Path] = {}
    files = [path for path in _walk(folder, skipped) if not path.name.startswith(".")]
    for path in sorted(files, key=lambda path: (path.is_symlink(), path)):
        suffix = path.suffix.lower()
        if suffix in MEDIA_SUFFIXES and path.is_file():
            found.setdefault(os.path.realpath(path), path)
        elif suffix in MEDIA_SUFFIXES:
            skipped["broken link" if path.is_symlink() else "no plain file"] += 1
        elif (mimetypes.guess_type(path.name)[0] or "").startswith(("video/", "audio/")):
            skipped[suffix] += 1
    if skipped:
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(skipped.items()))
        LOG.warning("%s: %d skipped (%s)", folder, skipped.total(), counts)
    return sorted(found.values())


def _walk(folder: Path, skipped: Counter[str]) -> Iterator[Path]:
    """Every file below a folder, through linked folders too; a folder that is reached twice is read once."""
    seen: set[tuple[int, int]] = set()

    def refused(_error: OSError) -> None:
        skipped["unreadable folder"] += 1

    for root, folders, names in os.walk(folder, followlinks=True, onerror=refused):
        found = os.stat(root)
        if (found.st_dev, found.st_ino) in seen:
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in names)


def _shown(text: str) -> str:
    return text if len(text) <= _NAME_CHARS else f"{text[:_NAME_CHARS]}..."


def _suffixes() -> str:
    return ", ".join(sorted(MEDIA_SUFFIXES))
