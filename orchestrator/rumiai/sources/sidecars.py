"""Metadata in files that lie beside a video: what yt-dlp, a scrape or the user has left there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rumiai.contracts.metadata import VideoMetadata
from rumiai.contracts.metadata_forms import read_metadata
from rumiai.core.foreign_json import read_foreign

# In the order in which they count; the name of the video without its suffix comes before.
_SUFFIXES: Final = ("_metadata.json", "_apify.json", ".info.json")
# yt-dlp's have a megabyte when they list every format and comment.
_MAX_BYTES: Final = 64 * 2**20


def sidecars_of(video: Path) -> Iterator[Path]:
    """The files with metadata that lie beside a video."""
    # Beside a long name a longer one cannot be: Path.is_file raises then.
    return (path for suffix in _SUFFIXES if os.path.isfile(path := video.with_name(video.stem + suffix)))


def read_sidecars(video: Path) -> tuple[VideoMetadata | None, tuple[str, ...]]:
    """What the files beside a video say of it.

    Returns:
        Their metadata together, None without any; and a sentence for each that cannot be read.
    """
    found: VideoMetadata | None = None
    problems = []
    for path in sidecars_of(video):
        try:
            read = _read(path, video.stem)
        except (OSError, ValueError) as exc:
            problems.append(f"{path.name} is not read: {exc}")
        else:
            found = read if found is None else found.completed(read)
    return found, tuple(problems)


def _read(path: Path, video_id: str) -> VideoMetadata:
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES >> 20} MiB")
    raw = read_foreign(path.read_bytes())
    item = raw[0] if isinstance(raw, list) and raw else raw  # a data set of one item
    if not isinstance(item, dict):
        raise ValueError(f"got {type(item).__name__}, expected an object")
    return read_metadata(item, video_id)
