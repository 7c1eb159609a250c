"""Files, folders and globs on this machine."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rumiai.errors import SourceError

# What a folder is searched for. A file that is named is taken whatever its suffix; the probe decides.
MEDIA_SUFFIXES: Final[frozenset[str]] = frozenset(
    {".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".ts", ".3gp", ".m4a", ".mp3", ".wav", ".ogg", ".opus", ".flac"}
)


def expand(sources: Sequence[str]) -> list[Path]:
    """The files that the given names stand for.

    Args:
        sources: Paths of files, of folders (searched with all below them, hidden ones left out), and glob patterns.

    Returns:
        Absolute paths, each once, in the order of the sources, sorted within a folder or glob.

    Raises:
        SourceError: A name stands for nothing, is a URL, or is no plain file.
    """
    found: dict[Path, None] = {}
    for source in sources:
        for path in _expand_one(source):
            found[path.resolve()] = None
    if not found:
        raise SourceError("no video was named", hint="give files, folders or glob patterns")
    return list(found)


def _expand_one(source: str) -> list[Path]:
    if "://" in source:
        raise SourceError(
            f"{source} is a URL; this version takes files, folders and glob patterns", hint="download the file first"
        )
    path = Path(source).expanduser()
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
            raise SourceError(f"{source} is a folder without media files", hint=f"looked for {_suffixes()}")
        return inside
    if path.exists():
        raise SourceError(f"{source} is neither a file nor a folder")
    if glob.has_magic(source):
        matches = sorted(Path(m) for m in glob.glob(str(path), recursive=True) if Path(m).is_file())
        if not matches:
            raise SourceError(f"the pattern {source} matches no file")
        return matches
    raise SourceError(f"{source} does not exist", hint="check the path")


def _suffixes() -> str:
    return ", ".join(sorted(MEDIA_SUFFIXES))
