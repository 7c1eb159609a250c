"""Files that were sent to the service; a name never leads to one, the service makes the items itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from rumiai.core.files import file_sha256
from rumiai.errors import SourceError, StoreError
from rumiai.sources.base import FetchedVideo, Source, SourceItem


class UploadSource(Source):
    """Files that lie where the service put them, under what their sender calls them."""

    name = "upload"

    def accepts(self, text: str) -> bool:
        """No name is of this kind."""
        return False

    def list(self, text: str) -> Sequence[SourceItem]:
        """There is nothing to list.

        Raises:
            SourceError: Always.
        """
        raise SourceError("uploads are listed by the service that took them")

    def fetch(self, item: SourceItem, folder: Path) -> FetchedVideo:
        """The file is here; it is known by its content, since each sending puts it elsewhere.

        Raises:
            StoreError: It cannot be read.
        """
        return FetchedVideo(Path(item.address), identity=self.digest(item))

    def digest(self, item: SourceItem) -> str:
        """The sha256 of the file's content.

        Raises:
            StoreError: It cannot be read.
        """
        try:
            return file_sha256(Path(item.address))
        except OSError as exc:
            raise StoreError(f"cannot read the upload of {item.location}: {exc.strerror}") from exc


def upload_item(name: str, path: Path) -> SourceItem:
    """The video of an uploaded file.

    Args:
        name: What its sender calls it; shown, and its stem gives the id. Never used as a path.
        path: Where it lies.
    """
    return SourceItem(UploadSource.name, name, PurePath(name).stem, address=str(path))
