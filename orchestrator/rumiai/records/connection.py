"""A connection to a file of records: how it is opened, and transactions.

Several processes use a file at once (a service, runs, ``status``). SQLite's write-ahead log lets them read while one
writes; who wants to write waits for the other. A commit is not flushed to the disk at once: a process that is killed
loses nothing that it committed, a machine that goes down may lose the last commits, never a part of one.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rumiai.errors import StoreError
from rumiai.records.schema import MIGRATIONS, migrate

# A write takes milliseconds; a process that is stopped in the middle of one keeps the others waiting.
_BUSY_S: Final = 30.0
_FOLDER_MODE: Final = 0o700
# What is deleted is overwritten.
_PRAGMAS: Final = ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON")

Value = str | int | float | bytes | None


class DamagedRecordsError(StoreError):
    """The file is no file of records; it can be made again from the state files."""


class UnusableRecordsError(StoreError):
    """The machine does not let the file be used: a full disk, no permission, another process that keeps it."""


class NoRecordsError(StoreError):
    """There is no such file, and none is to be made."""

    exit_code = 2


class Connection:
    """One connection, shared by the threads of a process.

    Args:
        path: The file. Its folder is made where it is missing.
        create: Make the file where it is missing. Where it is not to be made, one that cannot be written is read.
        migrations: Its tables, see :mod:`rumiai.records.schema`.
        holds: What is in it, for messages.

    Raises:
        DamagedRecordsError: It is not a file of records.
        StoreError: It cannot be opened, or a newer version wrote it.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        migrations: Sequence[str] = MIGRATIONS,
        holds: str = "run records",
    ) -> None:
        self.path, self._holds = path, holds
        self._lock = threading.RLock()
        if path.is_symlink():
            raise StoreError(f"{path} is a link, expected a file of its own", hint="remove the link")
        if not create and not path.exists():
            raise NoRecordsError(f"there are no {holds} at {path}", hint="name the folder of the results with --out")
        with self._translated("open"):
            if not path.parent.is_dir():
                path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            # Transactions are begun by hand: the module's own do not cover reads.
            is_fixed = not create and not _is_writable(path)
            name = _read_only(path) if is_fixed else str(path)
            self._connection = sqlite3.connect(
                name, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, uri=is_fixed
            )
            self._connection.row_factory = sqlite3.Row
            # A name of a file may hold any bytes.
            self._connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            with contextlib.ExitStack() as unusable:
                unusable.callback(self._connection.close)
                for pragma in () if is_fixed else _PRAGMAS:
                    self._connection.execute(f"PRAGMA {pragma}")
                migrate(self._connection, migrations)
                unusable.pop_all()

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            message = f"cannot {doing} the {self._holds} at {self.path}: {exc}"
            # Errors of the machine (a full disk, a lock) are OperationalError; a damaged file is the base class alone.
            if type(exc) is sqlite3.DatabaseError:
                raise DamagedRecordsError(message, hint="rumiai-orch status --rebuild makes them again") from exc
            raise UnusableRecordsError(message, hint="check free space and permissions") from exc

    def read(self, sql: str, *values: Value) -> list[sqlite3.Row]:
        """All rows of a query.

        Raises:
            StoreError: They cannot be read.
        """
        with self._lock, self._translated("read"):
            return self._connection.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is written in a ``with`` block, or nothing of it.

        Raises:
            StoreError: It cannot be written.
        """
        with self._lock, self._translated("write"):
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield self

    def write(self, sql: str, *values: Value) -> int:
        """One statement, in a transaction of its own unless one is under way; returns how many rows it changed.

        Raises:
            StoreError: It cannot be written.
        """
        with self._lock, self._translated("write"):
            return self._connection.execute(sql, _storable(values)).rowcount

    def write_all(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """One statement for each row, see :meth:`write`."""
        with self._lock, self._translated("write"):
            self._connection.executemany(sql, [_storable(row) for row in rows])

    def shorten_log(self) -> None:
        """Put the log into the file and empty it, so that nothing that was deleted is left in it.

        Raises:
            StoreError: It cannot be written. While another process reads, the log stays until that one is done.
        """
        with self._lock, self._translated("write"):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close it. The last one of all processes puts the log into the file."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()


def _read_only(path: Path) -> str:
    """The name by which SQLite reads a file without making others beside it; a log beside it is read too."""
    rest = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    return f"{path.absolute().as_uri()}?mode=ro{rest}"


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def remove_files(path: Path) -> None:
    """Remove a file of records with its log; to be called when no process uses it."""
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _storable(values: Sequence[Value]) -> list[Value]:
    """The values; what is no Unicode in a text, such as a byte of a file's name, is escaped."""
    return [v.encode("utf-8", "backslashreplace").decode() if isinstance(v, str) else v for v in values]
