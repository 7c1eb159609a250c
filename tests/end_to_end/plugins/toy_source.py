"""A source in one file: ``shelf://NAME`` is NAME.mp4 in the folder that the variable SHELF names, with its caption."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from rumiai.contracts.metadata import VideoMetadata
from rumiai.errors import SourceError
from rumiai.sources import FetchedVideo, Source, SourceItem, register

SCHEME = "shelf://"


class ShelfSource(Source):
    name = "shelf"

    def accepts(self, text: str) -> bool:
        return text.startswith(SCHEME)

    def list(self, text: str) -> Sequence[SourceItem]:
        shelf = Path(os.environ["SHELF"])
        found = sorted(path.stem for path in shelf.glob(f"{text.removeprefix(SCHEME)}.mp4"))
        if not found:
            raise SourceError(f"{text}: nothing of that name is on the shelf")
        return [SourceItem(self.name, f"{SCHEME}{stem}", stem) for stem in found]

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        kept = folder / f"{item.stem}.mp4"
        if not kept.exists():
            folder.mkdir(parents=True)
            shutil.copy2(Path(os.environ["SHELF"]) / kept.name, kept)
        caption = (Path(os.environ["SHELF"]) / f"{item.stem}.txt").read_text()
        return FetchedVideo(kept, VideoMetadata(item.stem, url=item.location, description=caption))


register(ShelfSource())
