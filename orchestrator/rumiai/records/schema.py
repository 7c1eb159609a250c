"""Tables of the records, and how a file of an older version becomes one of this version.

The version is SQLite's ``user_version``: the number of migrations that the file has seen. A migration that was released
is never edited; a change is one more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from rumiai.errors import StoreError

_FIRST: Final = """
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('accepted', 'running', 'done', 'cancelled', 'interrupted', 'failed')),
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    seen_at TEXT,
    owner TEXT,
    sources TEXT NOT NULL,
    settings TEXT NOT NULL,
    request TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    cancel TEXT CHECK (cancel IN ('waiting', 'all')),
    exit_code INTEGER,
    error_type TEXT,
    error_message TEXT,
    claude TEXT
) WITHOUT ROWID;
CREATE INDEX runs_by_state ON runs (state, run_id);

CREATE TABLE videos (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    video_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    source TEXT NOT NULL,
    bytes INTEGER,
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'running', 'ok', 'partial', 'failed', 'unfinished')),
    stage TEXT,
    stage_since TEXT,
    done INTEGER,
    of INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    started_at TEXT,
    ended_at TEXT,
    seconds REAL,
    cost_usd REAL,
    tokens INTEGER,
    error_type TEXT,
    error_message TEXT,
    error_stage TEXT,
    outcome TEXT,
    PRIMARY KEY (run_id, video_id)
) WITHOUT ROWID;
CREATE INDEX videos_by_state ON videos (run_id, state);
CREATE INDEX videos_by_position ON videos (run_id, position);
CREATE INDEX videos_by_id ON videos (video_id);

CREATE TABLE stages (
    run_id TEXT NOT NULL,
    video_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('stage', 'service')),
    name TEXT NOT NULL,
    seconds REAL NOT NULL,
    ok INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    reason TEXT,
    PRIMARY KEY (run_id, video_id, kind, name),
    FOREIGN KEY (run_id, video_id) REFERENCES videos ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE attempts (
    run_id TEXT NOT NULL,
    video_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    stage TEXT,
    outcome TEXT,
    PRIMARY KEY (run_id, video_id, number),
    FOREIGN KEY (run_id, video_id) REFERENCES videos ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE errors (
    error_id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    video_id TEXT,
    attempt INTEGER,
    at TEXT NOT NULL,
    type TEXT NOT NULL,
    message TEXT NOT NULL,
    stage TEXT,
    log_tail TEXT NOT NULL,
    FOREIGN KEY (run_id, video_id) REFERENCES videos ON DELETE CASCADE
);
CREATE INDEX errors_by_video ON errors (run_id, video_id);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    video_id TEXT,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT,
    FOREIGN KEY (run_id, video_id) REFERENCES videos ON DELETE CASCADE
);
CREATE INDEX events_by_run ON events (run_id, seq);
CREATE INDEX events_by_video ON events (run_id, video_id);
"""

MIGRATIONS: Final[Sequence[str]] = (_FIRST,)


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring a file to the newest version, in one transaction: a kill leaves it as it was. A new file gets all tables.

    Args:
        connection: In autocommit mode.
        migrations: All there are, oldest first.

    Raises:
        StoreError: The file is of a version that this one does not know.
    """
    if _version(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # ends the transaction, whichever way
        # Another process may have done it since.
        version = _version(connection)
        if version > len(migrations):
            raise StoreError(
                f"the run records are of version {version}, expected {len(migrations)} at most",
                hint="a newer RumiAI wrote them; use that one",
            )
        for migration in migrations[version:]:
            for statement in migration.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
