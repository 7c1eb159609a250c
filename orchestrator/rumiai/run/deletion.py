"""Deletes videos from an output folder: finds what there is, refuses what a run still needs, tells what was removed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from rumiai.core.json_values import JsonValue
from rumiai.errors import StoreError, UsageError
from rumiai.records import Records, VideoRecord, records_file
from rumiai.results.deletion import UPLOADS, Traces, find_traces, remove
from rumiai.results.rebuilding import open_records
from rumiai.results.store import Store, safe_id
from rumiai.run.mirror import Mirror, was_uploaded
from rumiai.terminal.status import told_bytes


@dataclass(frozen=True)
class Deletion:
    """One video that is deleted, or is to be.

    Attributes:
        traces: What the folder holds of it.
        files: How many files that is.
        bytes: Their size.
        objects: Keys of their copies in an object store.
        runs: How many runs have it in their records.
        logs: Logs that name it; they are left as they are.
        elsewhere: Object stores that runs had and nobody named now: copies may remain there.
    """

    traces: Traces
    files: int
    bytes: int
    objects: tuple[str, ...]
    runs: int
    logs: tuple[Path, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is left that is known of."""
        return not (self.traces.behind_links or self.elsewhere)

    def line(self) -> str:
        """What it is, in one line."""
        answers = f", {len(self.traces.answers)} of them of Claude's answers" if self.traces.answers else ""
        copies = f", {len(self.objects)} copies in the object store" if self.objects else ""
        files = f"{self.files} files ({told_bytes(self.bytes)}){answers}{copies}"
        return f"{self.traces.video_id}: {files}; records of {self.runs} runs"

    def lines(self, store: Store) -> Iterator[str]:
        """What was removed, and what was not."""
        yield f"deleted {self.line()}"
        for path in self.traces.all:
            yield f"  {_below(store, path)}"
        yield from (f"  copy: {key}" for key in self.objects)
        yield from self.remaining()
        for path in self.traces.shared:
            yield f"  left: {_below(store, path)}, another video has the same answer"
        for path in self.traces.behind_links:
            yield f"  left: {_below(store, path)}, a link leads out of the folder"
        for path in self.logs:
            yield f"  left: {_below(store, path)} names it"

    def remaining(self) -> Iterator[str]:
        """Copies that may remain."""
        for place in self.elsewhere:
            named = place if "://" in place else "s3://BUCKET/FOLDER"
            yield f"  copies may remain in {place}: `delete {self.traces.video_id} --upload {named}` removes them"

    def to_json(self, store: Store) -> dict[str, JsonValue]:
        """JSON form."""
        lists = {
            "removed": self.traces.all,
            "shared": self.traces.shared,
            "behind_links": self.traces.behind_links,
            "logs": self.logs,
        }
        return {
            "video_id": self.traces.video_id,
            "files": self.files,
            "bytes": self.bytes,
            "runs": self.runs,
            "objects": list(self.objects),
            "elsewhere": list(self.elsewhere),
            **{name: [_below(store, path) for path in paths] for name, paths in lists.items()},
        }


def plan_deletion(store: Store, ids: Sequence[str], mirror: Mirror | None = None) -> list[Deletion]:
    """Look for the traces of videos.

    Args:
        store: The folder.
        ids: Of the videos.
        mirror: Its copy in an object store; what the folder lacks of it is fetched, so that all of it is known.

    Raises:
        UsageError: Nothing is known of one, or a run has it before it.
        StoreError: The folder cannot be read.
        DownloadError: The object store cannot be read.
    """
    for video_id in ids:
        if not video_id or safe_id(video_id)[1]:
            raise UsageError(f"{video_id!r} is no id of a video", hint="rumiai-orch status --videos lists the ids")
    if mirror is not None:
        mirror.recall_videos(ids)
    if not records_file(store.base).exists() and not store.base.is_dir():
        raise UsageError(f"there is no folder {store.base}", hint="name the folder of the results with --out")
    with closing(open_records(store)) as records:
        return [_planned(store, records, video_id, mirror) for video_id in dict.fromkeys(ids)]


def _planned(store: Store, records: Records, video_id: str, mirror: Mirror | None) -> Deletion:
    if busy := records.will_analyse(video_id):
        raise UsageError(
            f"the run {busy[0].run_id} has {video_id} before it or in flight", hint="end it first: rumiai-orch cancel"
        )
    known = records.runs_of_video(video_id)
    traces = find_traces(store, video_id, [path for video in known for path in _uploads(store, records, video)])
    if not (traces.all or traces.behind_links or known):
        raise UsageError(
            f"nothing is known of a video {video_id} in {store.base}", hint="rumiai-orch status --videos lists the ids"
        )
    names = {video_id, *(video.source for video in known)}
    logs = tuple(path for path in sorted(store.log_folder.glob("*.log")) if _mentions(path, names))
    objects = mirror.copies(video_id, traces.single) if mirror is not None else ()
    elsewhere = _elsewhere(store, records, video_id, mirror)
    return Deletion(traces, len(traces.single), traces.bytes, tuple(objects), len(known), logs, elsewhere)


def _elsewhere(store: Store, records: Records, video_id: str, mirror: Mirror | None) -> tuple[str, ...]:
    """Object stores that runs of a video uploaded to, beside the one that is named.

    They are not asked: what is deleted with the user's keys is the user's to name, not the records'.
    """
    runs = [records.run(video.run_id) for video in records.runs_of_video(video_id)]
    told = [members.get("upload") for run in runs for members in (run.settings, run.request)]
    places = dict.fromkeys(each.rstrip("/") for each in told if isinstance(each, str) and each)
    if mirror is not None:
        places.pop(mirror.place, None)
    elif not places and was_uploaded(store, video_id):
        return ("an object store",)  # records that were made again do not tell it
    return tuple(places)


def _uploads(store: Store, records: Records, video: VideoRecord) -> Iterator[Path]:
    """Copies of a video that came with a request to the service: the request names them beside what the video is."""
    uploads = records.run(video.run_id).request.get("uploads", ())
    for upload in uploads if isinstance(uploads, Sequence) else ():
        path = upload.get("path") if isinstance(upload, Mapping) and video.source in upload.values() else None
        if isinstance(path, str) and Path(path).is_relative_to(os.path.abspath(store.base / UPLOADS)):
            yield Path(path)


def delete_videos(store: Store, plan: Sequence[Deletion], mirror: Mirror | None = None) -> list[Deletion]:
    """Delete what was found; the records of a video go when its files have gone.

    Raises:
        StoreError: A run works on one, or something could not be removed.
        DownloadError: A copy could not be removed; the video's files here are still there.
    """
    with closing(open_records(store)) as records:
        for each in plan:
            if mirror is not None:
                mirror.delete(each.objects)
            remove(store, each.traces)
            records.delete_video(each.traces.video_id)
    return list(plan)


def _mentions(log: Path, names: set[str]) -> bool:
    wanted = [name.encode(errors="surrogateescape") for name in names]
    with suppress(OSError), log.open("rb") as stream:
        return any(name in line for line in stream for name in wanted)
    return False


def _below(store: Store, path: Path) -> str:
    with suppress(ValueError, StoreError):
        return str(path.relative_to(store.base))
    return str(path)
