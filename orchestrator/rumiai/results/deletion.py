"""Every trace of a video in an output folder: where they are, and their removal.

A link is removed, never what it leads to. Nothing is removed where the way to it leads out of the folder by a link.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rumiai.errors import SourceError, StoreError
from rumiai.insights.answers import AnswerStore, Files
from rumiai.results.store import Store, read_json, write_json
from rumiai.services import all_services
from rumiai.sources.apify.shelf import SCRAPED, Shelf
from rumiai.sources.tiktok_links import is_tiktok, parse_link

# Where the service keeps what was uploaded, below the output folder: a folder for each request.
UPLOADS: Final = "uploads"


@dataclass(frozen=True)
class Traces:
    """What a folder holds of one video.

    Attributes:
        video_id: Of the video.
        files: Files and links.
        folders: Folders that hold nothing else, with all that is in them.
        asked: What was asked about it and about no other video, by the custom_id of each question.
        answers: Stored answers of Claude to these.
        shared: Stored answers that another video uses too.
        behind_links: What is left because the way to it leads out of the folder.
    """

    video_id: str
    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    asked: tuple[str, ...]
    answers: tuple[Path, ...]
    shared: tuple[Path, ...]
    behind_links: tuple[Path, ...]

    @property
    def all(self) -> tuple[Path, ...]:
        """Everything that is to be removed."""
        return self.files + self.folders + self.answers

    @property
    def single(self) -> list[Path]:
        """The files and links of it, those in folders too."""
        return [*self.files, *self.answers, *(file for folder in self.folders for file in _files_in(folder))]

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(path.lstat().st_size for path in self.single)


def find_traces(store: Store, video_id: str, others: Iterable[Path] = ()) -> Traces:
    """Look for everything that the folder holds of a video.

    Args:
        store: The folder.
        video_id: Of the video.
        others: Files elsewhere in the folder that are the video's, such as one that was uploaded.

    Raises:
        StoreError: It is no id.
    """
    places = {service: store.service_file(service, video_id) for service in all_services()}
    files = [*places.values(), store.unified_file(video_id), store.markers_file(video_id)]
    files += [*_noted_outputs(store, video_id), *_scraped(store, video_id), *others]
    files += [half for path in files for half in path.parent.glob(f".{path.name}.*.tmp")]
    # A folder of that name alone says nothing: a video may be called as one of ours is.
    own = [path.parent for service, path in places.items() if Path(service.file).parent.name == "{id}"]
    folders = [store.insights_folder(video_id), store.download_folder(video_id), *own]
    there = [path for path in dict.fromkeys(folders) if os.path.lexists(path)]
    single = [path for path in dict.fromkeys(files) if os.path.lexists(path) and not set(path.parents) & set(there)]
    kept = AnswerStore(store.claude_folder, Files(read_json, write_json))
    asked, others_ask = _asked(store, kept, video_id)
    answers = [path for custom_id in asked for path in kept.files_of(custom_id)]
    outside = [path for path in [*single, *there] if not _is_within(store, path)]
    return Traces(
        video_id,
        tuple(path for path in single if path not in outside),
        tuple(path for path in there if path not in outside),
        tuple(asked),
        tuple([*answers, *kept.note_of(video_id)]),
        tuple(path for custom_id in others_ask for path in kept.files_of(custom_id)),
        tuple(outside),
    )


def remove(store: Store, traces: Traces) -> None:
    """Remove what was found. Half of it may be gone when it fails; called again it removes the rest.

    Raises:
        StoreError: A run works on the video, or the file system refuses.
    """
    if not traces.all:
        return
    # The lock lies in one of the folders, which is made where it is missing.
    with store.lock(traces.video_id):
        try:
            for path in traces.all:
                _remove(path)
                # Of a service that this program does not know, or of an upload.
                if path.parent.name == traces.video_id or path.parent.parent.name == UPLOADS:
                    with contextlib.suppress(OSError):
                        path.parent.rmdir()
            _remove(store.insights_folder(traces.video_id))
            _withdraw(store, frozenset(traces.asked))
        except OSError as exc:
            raise StoreError(f"cannot remove {exc.filename}: {exc.strerror}", hint="check its permissions") from exc


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _withdraw(store: Store, asked: frozenset[str]) -> None:
    """Take questions out of the records of batches: an answer that comes later is not stored."""
    folder = store.claude_folder / "batches"
    if not asked or not folder.is_dir():
        return
    with store.batch_lock():
        for path in sorted(folder.glob("*.json")):
            record = read_json(path)
            left = {custom_id: told for custom_id, told in record["requests"].items() if custom_id not in asked}
            if len(left) < len(record["requests"]):
                write_json(path, {**record, "requests": left})


def _files_in(folder: Path) -> Iterator[Path]:
    """All files and links below a folder; one that is a link stands for itself."""
    if folder.is_symlink():
        yield folder
        return
    for parent, folders, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)
        yield from (path for name in folders if (path := Path(parent, name)).is_symlink())


def _is_within(store: Store, path: Path) -> bool:
    """Whether the folder that a path lies in is, without links, in the output folder, or in one that was set apart."""
    parent = path.parent.resolve()
    names = (store.ml_dir, store.unified_dir, store.temporal_dir, store.insights_dir, store.downloads_dir)
    roots = [store.base, *(Path(name) for name in names if os.path.isabs(name))]
    return any(parent.is_relative_to(root.resolve()) for root in roots)


def _scraped(store: Store, video_id: str) -> Iterator[Path]:
    """What was scraped of a post: under its own id, which need not be the video's."""
    shelf = Shelf(store.base / SCRAPED)
    yield shelf.file(video_id)
    known = store.known_input(video_id)
    if known is not None and is_tiktok(known.location):
        with contextlib.suppress(SourceError):
            yield shelf.file(parse_link(known.location).name)


def _noted_outputs(store: Store, video_id: str) -> Iterator[Path]:
    """Files that stand in the video's state, of services that this program does not know too.

    They stand there as seen from the folder of the state, in older states from the one in which the run was started:
    their ends are looked for.
    """
    for name in _noted_names(store, video_id):
        parts = tuple(part for part in Path(name).parts if part != "..")
        # The last part alone could be anybody's file.
        ends = [parts[start:] for start in range(len(parts) - 1) if parts[start] != os.sep]
        end = next((end for end in ends if os.path.lexists(store.base.joinpath(*end))), ())
        if any(part == video_id or part.startswith((f"{video_id}.", f"{video_id}_")) for part in end):
            yield store.base.joinpath(*end)


def _noted_names(store: Store, video_id: str) -> Iterator[str]:
    with contextlib.suppress(StoreError, AttributeError, TypeError):
        for stage in read_json(store.state_file(video_id))["stages"].values():
            yield from stage.get("outputs", {})


def _asked(store: Store, kept: AnswerStore, video_id: str) -> tuple[list[str], list[str]]:
    """What was asked about a video alone, and what was asked about another one too."""
    asked = {*kept.asked(video_id), *_judged(store, video_id)}
    used = {custom_id for other in kept.videos() if asked and other != video_id for custom_id in kept.asked(other)}
    return sorted(asked - used), sorted(asked & used)


def _judged(store: Store, video_id: str) -> Iterator[str]:
    """What the analyses say that was asked: of folders in which an earlier version asked."""
    for path in store.insights_folder(video_id).glob("*/*_complete_*.json"):
        with contextlib.suppress(StoreError):
            complete: Mapping[str, Any] = read_json(path)
            if isinstance(complete, dict) and complete.get("fingerprint"):
                yield f"{path.parent.name}-{complete['fingerprint']}"
