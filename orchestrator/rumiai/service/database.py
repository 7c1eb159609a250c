"""The service's own file: API keys and deliveries of webhooks. What it knows of runs is in the run records.

It cannot be made again from other files, so it is apart from the records, and private to its user.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from rumiai.records.connection import Connection
from rumiai.records.place import records_file

NAME: Final = "service.sqlite"

_FIRST: Final = """
CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    digest TEXT NOT NULL,
    webhook_secret TEXT NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) WITHOUT ROWID;
CREATE TABLE deliveries (
    delivery_id TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_s REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    last TEXT
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (state, due_s);
"""
MIGRATIONS: Final = (_FIRST,)


def open_database(out: Path, *, create: bool = True) -> Connection:
    """Open the service's file of an output folder.

    Args:
        out: The folder.
        create: Make the file where it is missing, with mode 0600.

    Raises:
        StoreError: It cannot be opened, or is missing and not to be made.
    """
    path = records_file(out).with_name(NAME)
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives its log the mode of the file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    return Connection(path, create=create, migrations=MIGRATIONS, holds="keys and webhooks of the service")
