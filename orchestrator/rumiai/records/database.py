"""The records of one output folder: accept runs and videos, claim and cancel runs, delete, and query."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from rumiai.core.clock import now_iso
from rumiai.core.processes import ProcessIdentity
from rumiai.errors import UsageError
from rumiai.records.connection import Connection
from rumiai.records.place import records_file
from rumiai.records.rows import PLAIN_COLUMNS, Row, attempt_of, error_of, event_of, run_of, stage_of, video_of, without
from rumiai.records.types import (
    AttemptRecord,
    CancelKind,
    ErrorRecord,
    EventRecord,
    NewRun,
    NewVideo,
    RunEnding,
    RunRecord,
    RunState,
    StageRecord,
    VideoRecord,
    VideoState,
)

_RANDOM_BYTES: Final = 3
# What nobody pages through by hand.
_MOST: Final = 1000


class Records:
    """The records of one output folder, open. Safe for several threads, and several processes at once.

    Every method raises :class:`StoreError` when the file cannot be read or written.

    Args:
        connection: To the file.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    @classmethod
    def open(cls, out: Path, *, create: bool = True) -> Self:
        """Open the records of an output folder.

        Args:
            out: The folder.
            create: Make the file where it is missing.

        Raises:
            DamagedRecordsError: The file is damaged; see :mod:`rumiai.results.rebuilding`.
            StoreError: It is missing and not to be made, or cannot be opened, or a newer version wrote it.
        """
        return cls(Connection(records_file(out), create=create))

    @property
    def path(self) -> Path:
        """The file."""
        return self._db.path

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Accepting

    def create_run(self, new: NewRun) -> tuple[RunRecord, bool]:
        """Accept a run.

        Returns:
            It, and whether it is new. With an idempotency key that an earlier run has it is that run: whoever accepts
            compares the fingerprints.
        """
        return self.create_runs([new])[0]

    def create_runs(self, new: Iterable[NewRun]) -> list[tuple[RunRecord, bool]]:
        """Accept many runs in one transaction, which costs little more than one of them; see :meth:`create_run`."""
        with self._db.transaction():
            return [self._create(each) for each in new]

    def _create(self, new: NewRun) -> tuple[RunRecord, bool]:
        key = new.idempotency_key
        known = key and self._db.read("SELECT run_id FROM runs WHERE idempotency_key = ?", key)
        if known:
            return self.run(known[0]["run_id"]), False
        moment, is_new = now_iso(), 0
        while not is_new:  # of many runs in one millisecond two may draw the same id
            now = datetime.now(UTC)
            run_id = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}{secrets.token_hex(_RANDOM_BYTES)}"
            is_new = self._db.write(
                "INSERT INTO runs (run_id, kind, state, created_at, sources, settings, request, fingerprint,"
                " idempotency_key) VALUES (?, ?, 'accepted', ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id) DO NOTHING",
                run_id,
                new.kind,
                moment,
                json.dumps(new.sources),
                json.dumps(dict(new.settings)),
                json.dumps(dict(new.request)),
                new.fingerprint,
                key,
            )
        return RunRecord(run_id=run_id, state="accepted", created_at=moment, **vars(new)), True

    def add_videos(self, run_id: str, videos: Iterable[NewVideo]) -> None:
        """Accept videos of a run; those that it has already stay as they are."""
        with self._db.transaction():
            (first,) = self._db.read("SELECT COUNT(*) AS count FROM videos WHERE run_id = ?", run_id)
            self._db.write_all(
                "INSERT OR IGNORE INTO videos (run_id, video_id, position, source, bytes, state)"
                " VALUES (?, ?, ?, CAST(? AS TEXT), ?, 'waiting')",
                [
                    # The bytes of a file's name, so that the name that is read is the file's.
                    (run_id, video.video_id, first["count"] + index, _raw(video.source), video.bytes)
                    for index, video in enumerate(videos)
                ],
            )

    # Running

    def claim(self, run_id: str) -> bool:
        """Take a run for this process, if nobody has it: it is accepted, or its process has died.

        Videos that a process that died had in flight wait again.
        """
        own = str(ProcessIdentity.own())
        with self._db.transaction():
            run = self.run(run_id)
            if not (run.state == "accepted" or run.died):
                return False
            now = now_iso()
            self._db.write(
                "UPDATE runs SET state = 'running', owner = ?, started_at = COALESCE(started_at, ?), seen_at = ?"
                " WHERE run_id = ?",
                own,
                now,
                now,
                run_id,
            )
            self._db.write("UPDATE videos SET state = 'waiting' WHERE run_id = ? AND state = 'running'", run_id)
        return True

    def release(self, run_id: str) -> None:
        """Give back a run that this process has claimed and did not finish; videos that it had in flight wait again."""
        with self._db.transaction():
            changed = self._db.write(
                "UPDATE runs SET state = 'accepted', owner = NULL WHERE run_id = ? AND state = 'running' AND owner = ?",
                run_id,
                str(ProcessIdentity.own()),
            )
            if changed:
                self._db.write("UPDATE videos SET state = 'waiting' WHERE run_id = ? AND state = 'running'", run_id)

    def claimable(self) -> list[str]:
        """Ids of the runs that :meth:`claim` would take, oldest first."""
        found = self._db.read("SELECT run_id FROM runs WHERE state IN ('accepted', 'running') ORDER BY run_id")
        runs = [self.run(row["run_id"]) for row in found]
        return [run.run_id for run in runs if run.state == "accepted" or run.died]

    def finish_run(self, run_id: str, ending: RunEnding) -> None:
        """Record how a run ended; videos that have not ended are ``unfinished``."""
        with self._db.transaction():
            self._finish(run_id, ending)

    def _finish(self, run_id: str, ending: RunEnding) -> None:
        """The same in a transaction that is under way."""
        self._db.write(
            "UPDATE runs SET state = ?, exit_code = ?, error_type = ?, error_message = ?, claude = ?, ended_at = ?"
            " WHERE run_id = ?",
            ending.state,
            ending.exit_code,
            ending.error_type,
            ending.error_message,
            json.dumps(asdict(ending.claude)) if ending.claude else None,
            now_iso(),
            run_id,
        )
        self._db.write(
            "UPDATE videos SET state = 'unfinished' WHERE run_id = ? AND state IN ('waiting', 'running')", run_id
        )

    def request_cancel(self, run_id: str, kind: CancelKind = "waiting") -> RunRecord:
        """Ask a run to end: its waiting videos, or also those in flight. One that nobody runs ends at once.

        Raises:
            UsageError: There is no such run.
        """
        with self._db.transaction():
            run = self.run(run_id)
            if run.state == "accepted" or run.died:
                self._finish(run_id, RunEnding("cancelled", 1))
            elif run.state == "running" and run.cancel != "all":
                self._db.write("UPDATE runs SET cancel = ? WHERE run_id = ?", kind, run_id)
            return self.run(run_id)

    # Deleting

    def delete_video(self, video_id: str) -> int:
        """Remove a video from all runs, with its stages, attempts, errors, events and what the runs say of its source.

        A run without any other video goes with it, unless it is still to be run.

        Returns:
            From how many runs.
        """
        with self._db.transaction():
            found = self.runs_of_video(video_id)
            self._db.write("DELETE FROM videos WHERE video_id = ?", video_id)
            for video in found:
                self._forget_source(self.run(video.run_id), video.source)
        self._db.shorten_log()
        return len(found)

    def _forget_source(self, run: RunRecord, source: str) -> None:
        if not run.videos and (run.ended_at or run.died):
            self._db.write("DELETE FROM runs WHERE run_id = ?", run.run_id)
            return
        sources = [each for each in run.sources if each != source]
        self._db.write(
            "UPDATE runs SET sources = ?, request = ? WHERE run_id = ?",
            json.dumps(sources),
            json.dumps(without(run.request, source)),
            run.run_id,
        )

    def will_analyse(self, video_id: str) -> list[RunRecord]:
        """Runs that have the video before them, or in flight."""
        open_ = [video for video in self.runs_of_video(video_id) if video.state in ("waiting", "running")]
        runs = [self.run(video.run_id) for video in open_]
        return [run for run in runs if run.state in ("accepted", "running") and not run.died]

    def delete_run(self, run_id: str) -> bool:
        """Remove a run with all of its rows; returns whether there was one."""
        with self._db.transaction():
            return self._db.write("DELETE FROM runs WHERE run_id = ?", run_id) > 0

    # Querying

    def run(self, run_id: str) -> RunRecord:
        """One run, by its id or the beginning of it that no other id has.

        Raises:
            UsageError: There is none, or there are several.
        """
        found = self._db.read(
            "SELECT * FROM runs WHERE run_id >= ? AND run_id < ? ORDER BY run_id LIMIT 2", run_id, f"{run_id}~"
        )
        if len(found) > 1 and run_id and found[0]["run_id"] != run_id:
            raise UsageError(f"{run_id} is the beginning of several runs' ids", hint="write more of the id")
        if not found or not run_id:
            raise UsageError(f"there is no run {run_id}", hint="rumiai-orch status --all lists the runs of the folder")
        return self._with_sums(found[0])

    def runs(
        self, *, states: Sequence[RunState] = (), before: str | None = None, limit: int = _MOST
    ) -> list[RunRecord]:
        """Runs, newest first.

        Args:
            states: Those in these states alone; empty takes all.
            before: Those before the run of this id, for the next page.
            limit: At most so many.
        """
        chosen = f"state IN ({', '.join('?' * len(states))})" if states else "1"
        found = self._db.read(
            f"SELECT * FROM runs WHERE {chosen} AND run_id < ? ORDER BY run_id DESC LIMIT ?",
            *states,
            before or "~",
            limit,
        )
        return [self._with_sums(row) for row in found]

    def _with_sums(self, row: Row) -> RunRecord:
        sums = self._db.read(
            "SELECT state, COUNT(*) AS count, SUM(seconds) AS seconds, SUM(bytes) AS bytes, SUM(cost_usd) AS cost_usd,"
            " SUM(ended_at IS NOT NULL AND cost_usd IS NULL) AS unknown FROM videos WHERE run_id = ? GROUP BY state",
            row["run_id"],
        )
        return run_of(row, sums)

    def videos(
        self,
        run_id: str,
        *,
        states: Sequence[VideoState] = (),
        after: int = -1,
        limit: int | None = None,
        outcomes: bool = True,
    ) -> list[VideoRecord]:
        """Videos of a run, in their order.

        Args:
            run_id: The whole id.
            states: Those in these states alone; empty takes all.
            after: Those behind this position, for the next page.
            limit: At most so many.
            outcomes: With their outcomes, which take most of the time; without, they are None.
        """
        chosen = f"state IN ({', '.join('?' * len(states))})" if states else "1"
        columns = "*" if outcomes else ", ".join(PLAIN_COLUMNS)
        found = self._db.read(
            f"SELECT {columns} FROM videos WHERE run_id = ? AND {chosen} AND position > ? ORDER BY position LIMIT ?",
            run_id,
            *states,
            after,
            -1 if limit is None else limit,
        )
        return [video_of(row) for row in found]

    def video(self, run_id: str, video_id: str) -> VideoRecord | None:
        """One video of a run; None where the run does not have it."""
        found = self._db.read("SELECT * FROM videos WHERE run_id = ? AND video_id = ?", run_id, video_id)
        return video_of(found[0]) if found else None

    def runs_of_video(self, video_id: str) -> list[VideoRecord]:
        """What is recorded of a video in every run, newest first."""
        found = self._db.read("SELECT * FROM videos WHERE video_id = ? ORDER BY run_id DESC", video_id)
        return [video_of(row) for row in found]

    def stages(self, run_id: str, video_id: str) -> list[StageRecord]:
        """Seconds of a video's stages and services, the longest first."""
        found = self._db.read(
            "SELECT * FROM stages WHERE run_id = ? AND video_id = ? ORDER BY seconds DESC", run_id, video_id
        )
        return [stage_of(row) for row in found]

    def attempts(self, run_id: str, video_id: str) -> list[AttemptRecord]:
        """Attempts at a video, in their order."""
        found = self._db.read(
            "SELECT * FROM attempts WHERE run_id = ? AND video_id = ? ORDER BY number", run_id, video_id
        )
        return [attempt_of(row) for row in found]

    def errors(self, run_id: str, video_id: str | None = None) -> list[ErrorRecord]:
        """What went wrong in a run, or with one video of it, in the order of time."""
        found = self._db.read(
            "SELECT * FROM errors WHERE run_id = ? AND (? IS NULL OR video_id = ?) ORDER BY error_id",
            run_id,
            video_id,
            video_id,
        )
        return [error_of(row) for row in found]

    def events(self, run_id: str, *, after: int = 0, limit: int = _MOST) -> list[EventRecord]:
        """Events of a run in the order of time, those behind ``after`` alone; ``progress`` is in :meth:`videos`."""
        found = self._db.read(
            "SELECT seq, at, kind, COALESCE(body, outcome) AS body FROM events"
            " LEFT JOIN videos USING (run_id, video_id) WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            run_id,
            after,
            limit,
        )
        return [event_of(row) for row in found]


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
