"""Run records made again from the files of the videos, which are the truth.

What the files do not tell is which run did what, and how often a video was begun: the records then have one run of the
kind ``rebuilt`` with all videos of the folder, as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rumiai.contracts.outcome import VideoOutcome
from rumiai.contracts.run_events import VideoEvent
from rumiai.errors import ContractError, StoreError
from rumiai.records import NewRun, NewVideo, Recorder, Records, RunEnding, records_file
from rumiai.records.connection import DamagedRecordsError, remove_files
from rumiai.results.report import latest_report, read_report
from rumiai.results.store import Store

LOG = logging.getLogger("rumiai")

KIND: Final = "rebuilt"


@dataclass(frozen=True)
class _Found:
    """A video of the folder: its id, where it came from, and how it ended; None where no report tells it."""

    video_id: str
    source: str
    outcome: VideoOutcome | None


def open_records(store: Store, *, create: bool = True) -> Records:
    """Open the records of a folder; damaged ones are set aside and made again.

    Args:
        store: The folder.
        create: Make them where they are missing; else they are made of the results that the folder holds.

    Raises:
        StoreError: They cannot be opened, or are missing in a folder without results.
    """
    path = records_file(store.base)
    try:
        if not create and not path.exists() and any(_videos(store)):
            rebuild(store)
        return Records.open(store.base, create=create)
    except DamagedRecordsError as exc:
        aside = path.with_name(f"{path.name}.damaged")
        LOG.warning("%s; they are made again from the results, the damaged file is %s", exc.message, aside)
        path.replace(aside)
        remove_files(path)
        rebuild(store)
        return Records.open(store.base)


def rebuild(store: Store) -> int:
    """Put a run with all videos of the folder into its records, in place of an earlier one of this kind.

    Returns:
        How many videos.

    Raises:
        StoreError: The records cannot be opened or written.
    """
    found = list(_videos(store))
    with Records.open(store.base) as records:
        for run in records.runs():
            if run.kind == KIND:
                records.delete_run(run.run_id)
        run, _ = records.create_run(NewRun((), {}, KIND))
        records.add_videos(run.run_id, [NewVideo(each.video_id, each.source, _size(each.source)) for each in found])
        records.claim(run.run_id)
        with Recorder(store.base, run.run_id) as recorder:
            for each in found:
                if each.outcome is not None:
                    recorder.handle(VideoEvent(each.outcome))
        records.finish_run(run.run_id, RunEnding("done", 0))
    return len(found)


def _videos(store: Store) -> Iterator[_Found]:
    """The videos that a run has come to, by their ids."""
    for folder in sorted(store.insights_folder("any").parent.glob("*")):
        with suppress(StoreError):  # a folder of another name is no video's
            known = store.known_input(folder.name)
            if known is not None:
                yield _Found(folder.name, known.location, _outcome(store, folder.name))


def _outcome(store: Store, video_id: str) -> VideoOutcome | None:
    path = latest_report(store, video_id)
    if path is None:
        return None
    try:
        return read_report(path)
    except (ContractError, StoreError) as exc:
        LOG.warning("%s: its report cannot be read: %s", video_id, exc)
        return None


def _size(source: str) -> int | None:
    with suppress(OSError):
        return Path(source).stat().st_size
    return None
