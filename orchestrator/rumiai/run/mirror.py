"""An output folder that is kept in an object store as well: ``--out s3://bucket/folder``, or ``--upload`` beside it.

Results are made in a local folder and uploaded video by video as they are finished. Where the local folder lacks what
the store has, it is fetched first: a run goes on where another one, on whatever machine, has stopped.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rumiai.contracts.run_events import RunEvent, VideoEvent
from rumiai.core.files import written_whole
from rumiai.core.objects import Bucket
from rumiai.errors import ConfigurationError, DownloadError, RumiAIError
from rumiai.results.run_state import RunState
from rumiai.results.store import Store, safe_id, write_json
from rumiai.run.types import VideoTask
from rumiai.settings import Settings
from rumiai.sources import Access, SourceItem

LOG = logging.getLogger("rumiai")

# Transfers at once: mostly small files, whose time is the way to the store and back.
_AT_ONCE: Final = 8
# What of a folder is there, as it was uploaded or fetched: path -> size and time of change.
_RECORD: Final = ".uploaded.json"
_HASH_PART: Final = 9  # "_" and eight digits that assign_ids may append
_SHOWN: Final = 3


@contextmanager
def open_mirror(settings: Settings, access: Access, store: Store) -> Iterator[Mirror | None]:
    """The mirror of a run's output folder for the length of a ``with`` block; None when there is to be none.

    At the end of the block all uploads are finished, and :attr:`Mirror.problem` says what failed.

    Raises:
        RumiAIError: The store cannot be reached, or a folder of results lies outside of the output folder.
    """
    if not settings.upload:
        yield None
        return
    for folder in settings.folders[1:]:
        if not (store.base / folder).resolve().is_relative_to(store.base.resolve()):
            raise ConfigurationError(
                f"{folder} lies outside of --out and cannot be uploaded", hint="name a folder below --out"
            )
    mirror = Mirror(Bucket(settings.upload, access.cloud, access.http.rules), store)
    try:
        yield mirror
    finally:
        mirror.close()


class Mirror:
    """The copy of an output folder in an object store.

    Args:
        bucket: With the folder as its key.
        store: The local folder.

    Attributes:
        problem: What could not be uploaded, after :meth:`close`; None when everything was.
    """

    def __init__(self, bucket: Bucket, store: Store) -> None:
        self._bucket, self._store = bucket, store
        self._prefix = bucket.key.strip("/") + "/" if bucket.key.strip("/") else ""
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="upload")
        self._uploads: dict[Future[None], str] = {}
        self.problem: RumiAIError | None = None
        self._ids: frozenset[str] = frozenset(bucket.folders(self._key(self._insights)))

    @property
    def place(self) -> str:
        """The address of the folder in the object store, without a slash at its end."""
        return self._bucket.url(self._prefix).rstrip("/")

    def recall_inputs(self, items: Iterable[SourceItem]) -> None:
        """Fetch what the store knows of the ids that these videos may get: which video each stands for.

        Raises:
            DownloadError: The store cannot be read.
        """
        bases = {safe_id(item.stem)[0].lower() for item in items}
        known = [name for name in self._ids if name.lower() in bases or name[:-_HASH_PART].lower() in bases]
        names = [self._store.insights_folder(video_id) / ".input.json" for video_id in known]
        list(self._threads.map(self._fetch_if_there, (path for path in names if not path.exists())))

    def recall(self, tasks: Sequence[VideoTask]) -> None:
        """Fetch the results of earlier runs that the local folder lacks.

        Raises:
            DownloadError: The store cannot be read.
        """
        self.recall_videos([task.video_id for task in tasks])

    def recall_videos(self, ids: Sequence[str]) -> None:
        """Fetch the results of these videos that the local folder lacks, and Claude's answers.

        Raises:
            DownloadError: The store cannot be read.
        """
        lacking = [video_id for video_id in ids if video_id in self._ids]
        lacking = [video_id for video_id in lacking if not self._store.state_file(video_id).exists()]
        list(self._threads.map(self._recall_video, lacking))
        self._recall_folder(self._store.claude_folder)

    def watch(self, event: RunEvent) -> None:
        """Begin the upload of a video that is finished; called for every event of the run."""
        if isinstance(event, VideoEvent):
            video_id = event.outcome.video_id
            self._uploads[self._threads.submit(self._upload_video, video_id)] = video_id

    def copies(self, video_id: str, paths: Iterable[Path]) -> list[str]:
        """Keys of the objects that are copies of a video's files: all of its insights, and what is named besides.

        Args:
            video_id: Of the video.
            paths: Files of the folder, there or not.

        Raises:
            DownloadError: The store cannot be read.
        """
        keys = [entry.key for entry in self._bucket.list(self._key(self._store.insights_folder(video_id)) + "/")]
        keys += [self._key(path) for path in paths]
        return [key for key in dict.fromkeys(keys) if self._bucket.has(key)]

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects.

        Raises:
            DownloadError: One cannot be removed.
        """
        self._bucket.delete(keys)

    def close(self) -> None:
        """Finish all uploads."""
        self._uploads[self._threads.submit(self._upload_folder, self._store.claude_folder)] = "claude"
        self._threads.shutdown()
        errors = {name: error for future, name in self._uploads.items() if (error := future.exception()) is not None}
        for name, error in errors.items():
            if not isinstance(error, RumiAIError | OSError):
                LOG.error("%s: unexpected error", name, exc_info=error)
        if errors:
            problems = [f"{name}: {error}" for name, error in errors.items()]
            more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
            self.problem = DownloadError(
                f"not everything was uploaded: {'; '.join(problems[:_SHOWN])}{more}",
                hint=f"the results are in {self._store.base}; the same command again uploads the rest",
            )

    @property
    def _insights(self) -> Path:
        return self._store.base / self._store.insights_dir

    def _key(self, path: Path) -> str:
        return self._prefix + Path(os.path.relpath(path, self._store.base)).as_posix()

    def _path(self, key: str) -> Path:
        """Where an object belongs.

        Raises:
            DownloadError: Outside of the output folder.
        """
        path = self._store.base / key.removeprefix(self._prefix)
        if not path.resolve().is_relative_to(self._store.base.resolve()):
            raise DownloadError(f"{self._bucket.url(key)} leads out of the output folder", hint="remove the object")
        return path

    def _fetch(self, path: Path) -> None:
        content = self._bucket.read(self._key(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as stream:
            stream.write(content)

    def _fetch_if_there(self, path: Path) -> None:
        """Fetch a file that a killed run may not have uploaded."""
        if self._bucket.has(self._key(path)):
            self._fetch(path)

    def _recall_video(self, video_id: str) -> None:
        """Fetch one video's files; its state comes last, since it says that the others are there."""
        state_file = self._store.state_file(video_id)
        self._recall_folder(self._store.insights_folder(video_id), later=state_file)
        self._fetch_if_there(state_file)
        for path in RunState(state_file).outputs():
            if not (inside := self._path(self._key(path))).exists():
                self._fetch_if_there(inside)
        self._note(self._store.insights_folder(video_id), self._files_of(video_id))

    def _recall_folder(self, folder: Path, later: Path | None = None) -> None:
        found = [self._path(entry.key) for entry in self._bucket.list(self._key(folder) + "/")]
        missing = [path for path in found if path != later and not path.exists()]
        for path in missing:
            self._fetch(path)
        if missing:
            self._note(folder, found)

    def _upload_video(self, video_id: str) -> None:
        self._upload(self._store.insights_folder(video_id), self._files_of(video_id))

    def _upload_folder(self, folder: Path) -> None:
        if folder.is_dir():
            self._upload(folder, _files_below(folder))

    def _upload(self, folder: Path, files: Iterable[Path]) -> None:
        """Upload what is not in the store as it is here, and record it."""
        there = _read(folder / _RECORD)
        files = [path for path in files if path.is_file()]
        for path in files:
            if there.get(self._key(path)) != _stamp(path):
                self._bucket.write(self._key(path), path)
        self._note(folder, files)

    def _note(self, folder: Path, files: Iterable[Path]) -> None:
        write_json(folder / _RECORD, {self._key(path): _stamp(path) for path in files if path.is_file()})

    def _files_of(self, video_id: str) -> list[Path]:
        """All files of a video; its state last."""
        state_file = self._store.state_file(video_id)
        outputs = [Path(os.path.normpath(path)) for path in RunState(state_file).outputs()]
        inside = [path for path in outputs if path.resolve().is_relative_to(self._store.base.resolve())]
        found = dict.fromkeys([*_files_below(self._store.insights_folder(video_id)), *inside])
        found.pop(state_file, None)
        return [*found, state_file]


def was_uploaded(store: Store, video_id: str) -> bool:
    """Whether some run has put a video's results into an object store, or has fetched them from there."""
    return (store.insights_folder(video_id) / _RECORD).is_file()


def _files_below(folder: Path) -> list[Path]:
    """The files that are results: no locks, nothing half written, not our own record."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if path.name not in (".lock", _RECORD) and path.suffix != ".tmp"]


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _read(record: Path) -> Mapping[str, list[int]]:
    try:
        found = json.loads(record.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
